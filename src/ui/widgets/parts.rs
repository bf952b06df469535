use egui::{Color32, Label, Layout, RichText, Ui};

use crate::ui::icons;
use crate::ui::state::Level;
use crate::ui::theme::{Themed, space, strong_family};

/// A heading within a panel, with room above it.
pub(in crate::ui) fn section(ui: &mut Ui, title: &str) {
    if ui.layout().is_vertical() {
        ui.add_space(space::XS);
    }
    ui.label(RichText::new(title).family(strong_family()));
}

/// What a panel shows while there is nothing to show: what is missing, and the next step.
pub(in crate::ui) fn empty_state(ui: &mut Ui, icon: &str, title: &str, next_step: &str) {
    let weak = ui.palette().text_weak;
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() / 2.0 - 48.0).clamp(space::S, 160.0));
        ui.label(RichText::new(icon).size(28.0).color(weak));
        ui.label(RichText::new(title).family(strong_family()));
        ui.add(Label::new(RichText::new(next_step).color(weak)).wrap());
    });
}

/// What is wrong with the field above it.
pub(in crate::ui) fn issue(ui: &mut Ui, message: &str) {
    let text = RichText::new(format!("{}  {message}", icons::WARNING)).color(ui.palette().error);
    let response = ui.add(Label::new(text.text_style(egui::TextStyle::Small)).wrap());
    super::name(&response, egui::Role::Label, message);
}

/// What should be known of the field above it: nothing is wrong.
pub(in crate::ui) fn hint(ui: &mut Ui, message: &str) {
    let text = RichText::new(format!("{}  {message}", icons::INFO)).color(ui.palette().text_weak);
    let response = ui.add(Label::new(text.text_style(egui::TextStyle::Small)).wrap());
    super::name(&response, egui::Role::Label, message);
}

/// Something that went wrong, in full, where it can be mended.
pub(in crate::ui) fn problem(ui: &mut Ui, message: &str) {
    let palette = ui.palette();
    let frame = egui::Frame::new()
        .fill(palette.raised)
        .stroke(egui::Stroke::new(1.0, palette.error))
        .corner_radius(4)
        .inner_margin(space::S);
    frame.show(ui, |ui| {
        ui.with_layout(Layout::left_to_right(egui::Align::Min), |ui| {
            ui.label(RichText::new(icons::X_CIRCLE).color(palette.error).size(16.0));
            ui.add(Label::new(message).wrap().selectable(true));
        });
    });
}

/// A name on the left and what is known of it on the right.
pub(in crate::ui) fn value_row(ui: &mut Ui, name: &str, value: &str) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(name).color(ui.palette().text_weak));
        ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
            ui.add(Label::new(value).truncate());
        });
    });
}

/// The sign and colour of a level.
pub(in crate::ui) fn level_icon(ui: &Ui, level: Level) -> (&'static str, Color32) {
    let palette = ui.palette();
    match level {
        Level::Info => (icons::INFO, palette.text_weak),
        Level::Success => (icons::CHECK_CIRCLE, palette.success),
        Level::Warning => (icons::WARNING, palette.warning),
        Level::Error => (icons::X_CIRCLE, palette.error),
    }
}
