use egui::{ComboBox, DragValue, Label, Layout, RichText, Sense, Ui};

use super::issue;
use crate::ui::state::Draft;
use crate::ui::theme::Themed;

/// Width of the names at the left of a form.
const NAME_WIDTH: f32 = 112.0;
/// Width of every number.
const NUMBER_WIDTH: f32 = 92.0;

/// One of the options of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ui) struct Offered<T> {
    pub(in crate::ui) value: T,
    pub(in crate::ui) text: String,
    /// Why it does not fit here, in a few words that stand beside it.
    pub(in crate::ui) but: Option<String>,
}

impl<T> Offered<T> {
    pub(in crate::ui) fn new(value: T, text: impl Into<String>, but: Option<&str>) -> Self {
        Self { value, text: text.into(), but: but.map(str::to_owned) }
    }
}

/// Rows of a form: name, control, and under it what is wrong with the field. Help is shown over the name.
#[derive(Clone, Copy)]
pub(in crate::ui) struct Form<'a> {
    draft: &'a Draft,
}

impl<'a> Form<'a> {
    pub(in crate::ui) const fn new(draft: &'a Draft) -> Self {
        Self { draft }
    }

    /// A row with any control. `field` is the path that [`Draft::issue`] knows; what `add` draws is named by the row.
    pub(in crate::ui) fn row(
        self,
        ui: &mut Ui,
        name: &str,
        field: &str,
        help: &str,
        add: impl FnOnce(&mut Ui),
    ) {
        self.labelled_row(ui, name, field, help, |ui, label| ui.label_inputs_by(label, add));
    }

    /// The same for a control that brings a hint and must be told its label: `labelled_by`.
    pub(in crate::ui) fn labelled_row(
        self,
        ui: &mut Ui,
        name: &str,
        field: &str,
        help: &str,
        add: impl FnOnce(&mut Ui, egui::Id),
    ) {
        let message = self.draft.issue(field);
        let color = if message.is_some() { ui.palette().error } else { ui.palette().text_weak };
        ui.horizontal(|ui| {
            let size = egui::vec2(NAME_WIDTH, ui.spacing().interact_size.y);
            let layout = Layout::left_to_right(egui::Align::Center);
            let label = ui.allocate_ui_with_layout(size, layout, |ui| {
                ui.set_min_width(NAME_WIDTH);
                let text = Label::new(RichText::new(name).color(color)).truncate();
                ui.add(text.sense(Sense::hover())).on_hover_text(help)
            });
            add(ui, label.inner.id);
        });
        if let Some(message) = message {
            issue(ui, message);
        }
    }

    /// Whether something is wrong with a field.
    pub(in crate::ui) fn is_wrong(self, field: &str) -> bool {
        self.draft.issue(field).is_some()
    }

    /// What is wrong with a field that has no row of its own.
    pub(in crate::ui) fn note(self, ui: &mut Ui, field: &str) {
        if let Some(message) = self.draft.issue(field) {
            issue(ui, message);
        }
    }

    /// A whole number with its unit.
    pub(in crate::ui) fn integer(
        self,
        ui: &mut Ui,
        name: &str,
        field: &str,
        (unit, help): (&str, &str),
        value: &mut u32,
    ) {
        self.labelled_row(ui, name, field, help, |ui, label| {
            number(ui, integer_field(value, unit)).labelled_by(label);
        });
    }

    /// A number with its unit.
    pub(in crate::ui) fn real(
        self,
        ui: &mut Ui,
        name: &str,
        field: &str,
        (unit, help): (&str, &str),
        value: &mut f64,
    ) {
        self.labelled_row(ui, name, field, help, |ui, label| {
            number(ui, real_field(value, unit)).labelled_by(label);
        });
    }

    /// A whole number that may be absent; `absent` says what happens then, `initial` is what a tick begins with.
    pub(in crate::ui) fn optional_integer(
        self,
        ui: &mut Ui,
        name: &str,
        field: &str,
        (unit, help, absent): (&str, &str, &str),
        initial: u32,
        value: &mut Option<u32>,
    ) {
        self.optional(ui, name, field, (help, absent), initial, value, |ui, value, label| {
            number(ui, integer_field(value, unit)).labelled_by(label);
        });
    }

    /// A number that may be absent.
    pub(in crate::ui) fn optional_real(
        self,
        ui: &mut Ui,
        name: &str,
        field: &str,
        (unit, help, absent): (&str, &str, &str),
        initial: f64,
        value: &mut Option<f64>,
    ) {
        self.optional(ui, name, field, (help, absent), initial, value, |ui, value, label| {
            number(ui, real_field(value, unit)).labelled_by(label);
        });
    }

    /// The same for anything else that may be absent; `add` draws it where it is not.
    #[expect(clippy::too_many_arguments, reason = "the callers above name them")]
    pub(in crate::ui) fn optional<T: Copy>(
        self,
        ui: &mut Ui,
        name: &str,
        field: &str,
        (help, absent): (&str, &str),
        initial: T,
        value: &mut Option<T>,
        add: impl FnOnce(&mut Ui, &mut T, egui::Id),
    ) {
        self.labelled_row(ui, name, field, help, |ui, label| {
            let mut present = value.is_some();
            let tick = ui.checkbox(&mut present, "");
            super::name_toggle(&tick, present, &format!("Set {}", name.to_lowercase()));
            if present != value.is_some() {
                *value = present.then_some(initial);
            }
            match value {
                Some(value) => add(ui, value, label),
                None => {
                    ui.weak(absent);
                }
            }
        });
    }

    /// Something that is done or not. Where there is a reason not to, it can only be switched off, and the reason stands beside it.
    pub(in crate::ui) fn toggle(
        self,
        ui: &mut Ui,
        name: &str,
        field: &str,
        (help, why_not): (&str, Option<&str>),
        value: &mut bool,
    ) {
        self.labelled_row(ui, name, field, help, |ui, _label| {
            let enabled = why_not.is_none() || *value;
            let tick = ui.add_enabled(enabled, egui::Checkbox::new(value, ""));
            let tick = tick.on_hover_text(help);
            super::name_toggle(&tick, *value, name);
            if let Some(why_not) = why_not {
                let text = RichText::new(why_not).color(ui.palette().text_weak);
                ui.add(Label::new(text).truncate());
            }
        });
    }

    /// One of several, by name; what does not fit says why and can only be left.
    pub(in crate::ui) fn offer<T: PartialEq + Clone>(
        self,
        ui: &mut Ui,
        name: &str,
        field: &str,
        help: &str,
        options: &[Offered<T>],
        value: &mut T,
    ) {
        self.row(ui, name, field, help, |ui| {
            let chosen = options.iter().find(|option| option.value == *value);
            let chosen = chosen.map_or("", |option| option.text.as_str());
            let combo = ComboBox::from_id_salt(field).selected_text(chosen);
            combo.width(ui.available_width()).truncate().show_ui(ui, |ui| {
                for Offered { value: option, text, but } in options {
                    let text = match but {
                        Some(but) => format!("{text} ({but})"),
                        None => text.clone(),
                    };
                    ui.add_enabled_ui(but.is_none(), |ui| {
                        ui.selectable_value(value, option.clone(), text);
                    });
                }
            });
        });
    }

    /// One of several, by name.
    pub(in crate::ui) fn choice<T: PartialEq + Clone>(
        self,
        ui: &mut Ui,
        name: &str,
        field: &str,
        help: &str,
        options: &[(T, String)],
        value: &mut T,
    ) {
        self.row(ui, name, field, help, |ui| {
            let chosen = options.iter().find(|(option, _)| option == value);
            let chosen = chosen.map_or_else(String::new, |(_, text)| text.clone());
            let combo = ComboBox::from_id_salt(field).selected_text(chosen);
            combo.width(ui.available_width()).truncate().show_ui(ui, |ui| {
                for (option, text) in options {
                    ui.selectable_value(value, option.clone(), text.as_str());
                }
            });
        });
    }
}

/// Draws a number; all of them are equally wide, so that a form has one edge.
pub(in crate::ui) fn number(ui: &mut Ui, value: DragValue<'_>) -> egui::Response {
    let size = egui::vec2(NUMBER_WIDTH, ui.spacing().interact_size.y);
    ui.add(value.min_size(size).update_while_editing(false))
}

pub(in crate::ui) fn integer_field<'a>(value: &'a mut u32, unit: &str) -> DragValue<'a> {
    let speed = (f64::from(*value) * 0.01).max(0.1);
    let unit = if *value == 1 { singular(unit) } else { unit };
    DragValue::new(value).speed(speed).suffix(suffix(unit))
}

/// `epochs` → `epoch`, `batches` → `batch`.
fn singular(unit: &str) -> &str {
    if unit.len() < 2 {
        // Seconds, not a plural of nothing.
        return unit;
    }
    let ends_hissing = unit.ends_with("ches");
    unit.strip_suffix(if ends_hissing { "es" } else { "s" }).unwrap_or(unit)
}

pub(in crate::ui) fn real_field<'a>(value: &'a mut f64, unit: &str) -> DragValue<'a> {
    let speed = (value.abs() * 0.01).max(1e-6);
    // As many digits as the number needs: 0.001, not 0.0010000000.
    DragValue::new(value)
        .speed(speed)
        .custom_formatter(|value, _decimals| format!("{}", round_to_significant(value)))
        .suffix(suffix(unit))
}

fn suffix(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

/// Twelve significant digits: what dragging adds beyond is noise.
fn round_to_significant(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_kind_has_no_plural() {
        for (unit, one) in [("epochs", "epoch"), ("batches", "batch"), ("bp", "bp"), ("", "")] {
            assert_eq!(singular(unit), one);
        }
        assert_eq!(singular("s"), "s");
    }

    #[test]
    fn numbers_are_shown_without_noise() {
        for (value, shown) in [(0.001, "0.001"), (0.1 + 0.2, "0.3"), (1e-5, "0.00001"), (5.0, "5")]
        {
            assert_eq!(round_to_significant(value).to_string(), shown);
        }
    }
}
