use egui::{Response, RichText, Role, Ui, WidgetInfo};

use crate::ui::keys;
use crate::ui::theme::{Themed, strong_family};

/// A button with an icon; its name is the text alone.
pub(in crate::ui) fn button(ui: &mut Ui, icon: &str, text: &str, enabled: bool) -> Response {
    let response = ui.add_enabled(enabled, egui::Button::new(joined(icon, text)));
    name(&response, Role::Button, text);
    response
}

/// The one button that goes on.
pub(in crate::ui) fn primary_button(
    ui: &mut Ui,
    icon: &str,
    text: &str,
    enabled: bool,
) -> Response {
    let palette = ui.palette();
    let label = RichText::new(joined(icon, text)).family(strong_family());
    let button = if enabled {
        egui::Button::new(label.color(palette.on_accent)).fill(palette.accent)
    } else {
        egui::Button::new(label)
    };
    let response = ui.add_enabled(enabled, button.min_size(egui::vec2(72.0, 0.0)));
    name(&response, Role::Button, text);
    response
}

/// A small button without text; `text` is its name and belongs into a tooltip as well.
pub(in crate::ui) fn icon_button(ui: &mut Ui, icon: &str, text: &str) -> Response {
    let response = ui.add(egui::Button::new(icon).frame_when_inactive(false));
    name(&response, Role::Button, text);
    response
}

/// The same where it may be unable to do anything, with its tooltip.
pub(in crate::ui) fn icon_action(ui: &mut Ui, icon: &str, text: &str, enabled: bool) -> Response {
    let response = ui.add_enabled_ui(enabled, |ui| icon_button(ui, icon, text));
    response.inner.on_hover_text(text)
}

/// Gives a widget the name that screen readers and tests know it by. Ctrl+F goes to search fields that have one.
pub(in crate::ui) fn name(response: &Response, role: Role, name: &str) {
    if role == Role::SearchInput {
        keys::remember_search(response);
    }
    response.widget_info(|| WidgetInfo::labeled(role, response.enabled(), name));
}

/// The same for something that is on or off.
pub(in crate::ui) fn name_toggle(response: &Response, is_on: bool, name: &str) {
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, response.enabled(), is_on, name));
}

fn joined(icon: &str, text: &str) -> String {
    if icon.is_empty() { text.to_owned() } else { format!("{icon}  {text}") }
}
