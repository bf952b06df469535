use std::borrow::Cow;

use egui::{ComboBox, Id, Label, RichText, Ui};

use super::{Form, Offered};
use crate::spec::{Field, field};
use crate::ui::theme::Themed;
use crate::ui::widgets;

/// The row of one field, with what the table of fields knows of it.
pub(in crate::ui) struct Row<'a> {
    form: Form<'a>,
    path: &'a str,
    title: Cow<'a, str>,
    unit: &'static str,
    help: &'a str,
}

impl<'a> Row<'a> {
    pub(super) fn new(form: Form<'a>, path: &'a str) -> Self {
        if let Some(&Field { title, unit, help, .. }) = field(path) {
            return Self { form, path, title: Cow::from(title), unit, help };
        }
        let title = Cow::from(widgets::field_title(path));
        Self { form, path, title, unit: "", help: "" }
    }

    /// The same under another name.
    pub(in crate::ui) fn called(self, title: impl Into<Cow<'a, str>>) -> Self {
        Self { title: title.into(), ..self }
    }

    /// The same with other words for what it does, where that depends on more than the field.
    pub(in crate::ui) fn help(self, help: &'a str) -> Self {
        Self { help, ..self }
    }

    /// What the row is called.
    pub(in crate::ui) fn title(&self) -> String {
        self.title.clone().into_owned()
    }

    /// Any control; what `add` draws is named by the row.
    pub(in crate::ui) fn show(self, ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
        self.form.row(ui, &self.title, self.path, self.help, add);
    }

    /// Any control that must be told its label.
    pub(in crate::ui) fn labelled(self, ui: &mut Ui, add: impl FnOnce(&mut Ui, Id)) {
        self.form.labelled_row(ui, &self.title, self.path, self.help, add);
    }

    /// A whole number with its unit.
    pub(in crate::ui) fn integer(self, ui: &mut Ui, value: &mut u32) {
        self.form.integer(ui, &self.title, self.path, (self.unit, self.help), value);
    }

    /// A number with its unit.
    pub(in crate::ui) fn real(self, ui: &mut Ui, value: &mut f64) {
        self.form.real(ui, &self.title, self.path, (self.unit, self.help), value);
    }

    /// A whole number that may be absent; `absent` says what happens then, `initial` is what a tick begins with.
    pub(in crate::ui) fn optional_integer(
        self,
        ui: &mut Ui,
        (absent, initial): (&str, u32),
        value: &mut Option<u32>,
    ) {
        let unit = self.unit;
        self.optional(ui, (absent, initial), value, |ui, value, label| {
            super::number(ui, super::integer_field(value, unit)).labelled_by(label);
        });
    }

    /// A number that may be absent.
    pub(in crate::ui) fn optional_real(
        self,
        ui: &mut Ui,
        (absent, initial): (&str, f64),
        value: &mut Option<f64>,
    ) {
        let unit = self.unit;
        self.optional(ui, (absent, initial), value, |ui, value, label| {
            super::number(ui, super::real_field(value, unit)).labelled_by(label);
        });
    }

    /// Anything else that may be absent; `add` draws it where it is not.
    pub(in crate::ui) fn optional<T: Copy>(
        self,
        ui: &mut Ui,
        (absent, initial): (&str, T),
        value: &mut Option<T>,
        add: impl FnOnce(&mut Ui, &mut T, Id),
    ) {
        let tick_name = format!("Set {}", self.title.to_lowercase());
        self.labelled(ui, |ui, label| {
            let mut present = value.is_some();
            let tick = ui.checkbox(&mut present, "");
            widgets::name_toggle(&tick, present, &tick_name);
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
    pub(in crate::ui) fn toggle(self, ui: &mut Ui, why_not: Option<&str>, value: &mut bool) {
        let (name, help) = (self.title.clone(), self.help);
        self.labelled(ui, |ui, _label| {
            let enabled = why_not.is_none() || *value;
            let tick = ui.add_enabled(enabled, egui::Checkbox::new(value, ""));
            let tick = tick.on_hover_text(help);
            widgets::name_toggle(&tick, *value, &name);
            if let Some(why_not) = why_not {
                let text = RichText::new(why_not).color(ui.palette().text_weak);
                ui.add(Label::new(text).truncate());
            }
        });
    }

    /// One of several, by name.
    pub(in crate::ui) fn choice<T: PartialEq + Clone>(
        self,
        ui: &mut Ui,
        options: &[(T, String)],
        value: &mut T,
    ) {
        self.form.choice(ui, &self.title, self.path, self.help, options, value);
    }

    /// One of several, by name; what does not fit says why and can only be left.
    pub(in crate::ui) fn offer<T: PartialEq + Clone>(
        self,
        ui: &mut Ui,
        options: &[Offered<T>],
        value: &mut T,
    ) {
        let path = self.path;
        self.show(ui, |ui| {
            let chosen = options.iter().find(|option| option.value == *value);
            let chosen = chosen.map_or("", |option| option.text.as_str());
            let combo = ComboBox::from_id_salt(path).selected_text(chosen);
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
}
