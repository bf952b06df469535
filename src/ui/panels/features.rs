//! The features of an experiment: chosen from what the table of features knows, each with the parameters it has.

mod picker;

use egui::{Align, ComboBox, DragValue, Layout, Ui};

use crate::domain::Timeframe;
use crate::spec::{
    ExperimentSpec, FEATURES, FeatureKind, FeatureSpec, ParameterMut, ParameterValueMut,
};
use crate::ui::icons;
use crate::ui::widgets::{self, Form};

/// Higher timeframes that are offered, in minutes: 15m to 1w. Others can be written in the experiment's file.
const TIMEFRAMES: [u32; 9] = [15, 30, 60, 120, 240, 480, 720, 1_440, 10_080];

/// The features' part of the strategy panel.
pub(super) fn show(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    ui.horizontal(|ui| {
        widgets::section(ui, "Features");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            picker::add_button(ui, &mut spec.features);
        });
    });
    let mut removed = None;
    for (index, feature) in spec.features.iter_mut().enumerate() {
        if feature_rows(ui, form, index, feature) {
            removed = Some(index);
        }
    }
    if let Some(index) = removed {
        spec.features.remove(index);
    }
    form.note(ui, "features");
    let help = "Bars the model sees; the last one is the bar decided on";
    form.integer(ui, "Window", "window", ("bars", help), &mut spec.window);
}

/// A feature with its parameters: a single number beside its name, more of them in rows of their own. Whether it is to be removed.
fn feature_rows(ui: &mut Ui, form: Form<'_>, index: usize, feature: &mut FeatureSpec) -> bool {
    let kind = feature.kind();
    let path = format!("features[{index}]");
    let mut removed = false;
    let mut single = feature.parameters_mut();
    let is_single = matches!(
        single[..],
        [ParameterMut { value: ParameterValueMut::Bars(..) | ParameterValueMut::Number(..), .. }]
    );
    let field = if is_single { format!("{path}.{}", single[0].name) } else { path.clone() };
    form.row(ui, kind.title, &field, kind.formula, |ui| {
        if is_single {
            for parameter in &mut single {
                number(ui, &format!("{} {} {index}", kind.title, parameter.name), parameter);
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let remove = format!("Remove {} {index}", kind.title);
            let button = widgets::icon_button(ui, icons::TRASH, &remove);
            removed = button.on_hover_text("Remove").clicked();
        });
    });
    if !is_single {
        parameter_rows(ui, form, (&path, index), feature);
    }
    removed
}

/// One row for each parameter, those of a feature inside included.
fn parameter_rows(
    ui: &mut Ui,
    form: Form<'_>,
    (path, index): (&str, usize),
    feature: &mut FeatureSpec,
) {
    let title = feature.kind().title;
    let inside: Vec<&FeatureKind> =
        FEATURES.iter().filter(|kind| feature.takes(&kind.default_feature())).collect();
    for mut parameter in feature.parameters_mut() {
        let field = format!("{path}.{}", parameter.name);
        let shown = format!("    {}", parameter.name.replace('_', " "));
        let name = format!("{title} {} {index}", parameter.name);
        form.row(ui, &shown, &field, parameter.help, |ui| match &mut parameter.value {
            ParameterValueMut::Bars(..) | ParameterValueMut::Number(..) => {
                number(ui, &name, &mut parameter);
            }
            ParameterValueMut::Timeframe(timeframe) => choose_timeframe(ui, &name, timeframe),
            ParameterValueMut::Feature(of) => choose_feature(ui, &name, &inside, of),
        });
        if let ParameterValueMut::Feature(of) = parameter.value {
            parameter_rows(ui, form, (&field, index), of);
        }
    }
}

fn number(ui: &mut Ui, name: &str, parameter: &mut ParameterMut<'_>) {
    let field = match &mut parameter.value {
        ParameterValueMut::Bars(value, _) => widgets::integer_field(value, "bars"),
        ParameterValueMut::Number(value, _) => {
            let speed = (value.abs() * 0.01).max(1e-4);
            DragValue::new(*value).speed(speed).max_decimals(6)
        }
        ParameterValueMut::Timeframe(_) | ParameterValueMut::Feature(_) => return,
    };
    let value = widgets::number(ui, field).on_hover_text(parameter.help);
    widgets::name(&value, egui::Role::SpinButton, name);
}

fn choose_timeframe(ui: &mut Ui, name: &str, timeframe: &mut Timeframe) {
    let combo = ComboBox::from_id_salt(name).selected_text(timeframe.to_string());
    let shown = combo.width(ui.available_width()).show_ui(ui, |ui| {
        for offered in TIMEFRAMES.into_iter().filter_map(Timeframe::from_minutes) {
            ui.selectable_value(timeframe, offered, offered.to_string());
        }
    });
    widgets::name(&shown.response, egui::Role::ComboBox, name);
}

fn choose_feature(ui: &mut Ui, name: &str, inside: &[&FeatureKind], feature: &mut FeatureSpec) {
    let chosen = feature.kind();
    let combo = ComboBox::from_id_salt(name).selected_text(chosen.title);
    let shown = combo.width(ui.available_width()).truncate().show_ui(ui, |ui| {
        for kind in inside {
            let choice = ui.selectable_label(kind.name == chosen.name, kind.title);
            if choice.on_hover_text(kind.formula).clicked() && kind.name != chosen.name {
                *feature = kind.default_feature();
            }
        }
    });
    widgets::name(&shown.response, egui::Role::ComboBox, name);
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
