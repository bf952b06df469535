use std::fmt::Write;

use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{Align, Layout, PopupCloseBehavior, RichText, ScrollArea, Ui};

use super::unused;
use crate::spec::{FEATURES, FeatureGroup, FeatureKind, FeatureSpec};
use crate::ui::icons;
use crate::ui::theme::Themed;
use crate::ui::widgets;

const WIDTH: f32 = 320.0;
const HEIGHT: f32 = 420.0;

/// The button that opens the list of all features. It stays open, so that several can be added; a click beside it or Escape closes it.
pub(super) fn add_button(ui: &mut Ui, features: &mut Vec<FeatureSpec>) {
    let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    let button = MenuButton::new(format!("{}  Add", icons::PLUS)).config(config);
    let (response, _) = button.ui(ui, |ui| {
        ui.set_width(WIDTH);
        let found = search(ui);
        ui.separator();
        ScrollArea::vertical().max_height(HEIGHT).auto_shrink([false, true]).show(ui, |ui| {
            if found.is_empty() {
                ui.weak("No feature has all these words in its name, formula or source.");
            }
            for group in FeatureGroup::ALL {
                let mut kinds = found.iter().filter(|kind| kind.group == group).peekable();
                if kinds.peek().is_some() {
                    widgets::section(ui, group.title());
                }
                for kind in kinds {
                    entry(ui, kind, features);
                }
            }
        });
    });
    widgets::name(&response, egui::Role::Button, "Add a feature");
}

/// The search field, and what it finds. What is typed is kept while the window is open.
fn search(ui: &mut Ui) -> Vec<&'static FeatureKind> {
    let id = egui::Id::unique("feature search");
    let mut text: String = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let field = egui::TextEdit::singleline(&mut text)
        .hint_text("search: rsi, volume, TA-Lib…")
        .desired_width(f32::INFINITY);
    let response = ui.add(field);
    widgets::name(&response, egui::Role::TextInput, "Search features");
    if response.changed() {
        ui.data_mut(|data| data.insert_temp(id, text.clone()));
    }
    FEATURES.iter().filter(|kind| kind.is_found_by(&text)).collect()
}

fn entry(ui: &mut Ui, kind: &FeatureKind, features: &mut Vec<FeatureSpec>) {
    let listed = features.iter().filter(|feature| feature.kind().name == kind.name).count();
    ui.horizontal(|ui| {
        let button = egui::Button::new(kind.title).frame_when_inactive(false).truncate();
        let response = ui.add(button).on_hover_ui(|ui| help(ui, kind));
        widgets::name(&response, egui::Role::Button, &format!("Add {}", kind.title));
        if response.clicked() {
            features.push(unused(kind.default_feature(), features));
        }
        if listed > 0 {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.weak(format!("{listed} in the list"));
            });
        }
    });
}

/// What is known of a kind of feature.
pub(super) fn help(ui: &mut Ui, kind: &FeatureKind) {
    ui.set_max_width(WIDTH);
    ui.label(kind.formula);
    let mut rest = format!("Unit: {}. Warm-up: {} bars.", kind.unit, kind.lookback);
    if !kind.source.is_empty() {
        // Writing to a string does not fail.
        let _written = write!(rest, " Source: {}.", kind.source);
    }
    ui.label(RichText::new(rest).color(ui.palette().text_weak).small());
    let example = RichText::new(kind.default_feature().to_string()).monospace().small();
    ui.label(example);
}
