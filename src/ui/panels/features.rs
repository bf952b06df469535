//! The features of an experiment: what the registry knows, drawn.

use egui::{Align, Layout, Ui};

use crate::spec::{ExperimentSpec, FEATURES, FeatureSpec, ParameterMut, ParameterValueMut};
use crate::ui::icons;
use crate::ui::widgets::{self, Form};

/// The features' part of the strategy panel.
pub(super) fn show(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    ui.horizontal(|ui| {
        widgets::section(ui, "Features");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let menu = ui.menu_button(format!("{}  Add", icons::PLUS), |ui| {
                for kind in FEATURES {
                    if ui.button(kind.title).on_hover_text(kind.formula).clicked() {
                        spec.features.push(unused(kind.default_feature(), &spec.features));
                        ui.close();
                    }
                }
            });
            widgets::name(&menu.response, egui::Role::Button, "Add a feature");
        });
    });
    let mut removed = None;
    for (index, feature) in spec.features.iter_mut().enumerate() {
        let kind = feature.kind();
        let mut parameters = feature.parameters_mut();
        let field = parameters.first().map_or("", |parameter| parameter.name);
        let path = format!("features[{index}].{field}");
        form.row(ui, kind.title, &path, kind.formula, |ui| {
            for parameter in &mut parameters {
                draw(ui, kind.title, index, parameter);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let remove = format!("Remove {} {index}", kind.title);
                if widgets::icon_button(ui, icons::TRASH, &remove).on_hover_text("Remove").clicked()
                {
                    removed = Some(index);
                }
            });
        });
    }
    if let Some(index) = removed {
        spec.features.remove(index);
    }
    form.note(ui, "features");
    let help = "Bars the model sees; the last one is the bar decided on";
    form.integer(ui, "Window", "window", ("bars", help), &mut spec.window);
}

fn draw(ui: &mut Ui, title: &str, index: usize, parameter: &mut ParameterMut<'_>) {
    let field = match &mut parameter.value {
        ParameterValueMut::Bars(value, _) => widgets::integer_field(value, "bars"),
        ParameterValueMut::Number(value, _) => egui::DragValue::new(*value).speed(0.01),
        ParameterValueMut::Timeframe(_) | ParameterValueMut::Feature(_) => return,
    };
    let value = widgets::number(ui, field).on_hover_text(parameter.name);
    let name = format!("{title} {} {index}", parameter.name);
    widgets::name(&value, egui::Role::SpinButton, &name);
}

/// The feature with the next parameter that is not in the list yet.
fn unused(mut feature: FeatureSpec, list: &[FeatureSpec]) -> FeatureSpec {
    while list.contains(&feature) && raise(&mut feature) {}
    feature
}

/// Whether there was a number to raise.
fn raise(feature: &mut FeatureSpec) -> bool {
    feature.parameters_mut().into_iter().any(|parameter| match parameter.value {
        ParameterValueMut::Bars(value, limits) if *value < *limits.end() => {
            *value += 1;
            true
        }
        ParameterValueMut::Number(value, limits) if *value * 1.5 <= *limits.end() => {
            *value *= 1.5;
            true
        }
        ParameterValueMut::Feature(inner) => raise(inner),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_can_be_added_and_an_added_one_is_new() {
        let mut list = Vec::new();
        for kind in FEATURES.iter().chain(FEATURES) {
            list.push(unused(kind.default_feature(), &list));
        }
        for (index, feature) in list.iter().enumerate() {
            let is_fixed = feature.parameters().is_empty();
            assert!(is_fixed || !list[..index].contains(feature), "{feature:?}");
        }
    }
}
