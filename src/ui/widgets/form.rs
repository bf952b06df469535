mod mark;
mod number;
mod row;

use std::cell::RefCell;

use egui::{ComboBox, Label, Layout, RichText, Sense, Ui};

pub(in crate::ui) use self::number::{integer_field, number, real_field};
pub(in crate::ui) use self::row::Row;
use super::issue;
use crate::spec::Difference;
use crate::ui::state::Draft;
use crate::ui::theme::Themed;

/// Width of the names at the left of a form.
const NAME_WIDTH: f32 = 112.0;
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

/// Rows of a form: name, control, and under it what is wrong with the field. Before the name stands a mark where the field is not what it was
/// when the draft began; over the name help is shown.
#[derive(Clone, Copy)]
pub(in crate::ui) struct Form<'a> {
    draft: &'a Draft,
    /// Where fields that are to be as they were are put; `None` where none can.
    undone: Option<&'a RefCell<Vec<Difference>>>,
}

impl<'a> Form<'a> {
    pub(in crate::ui) const fn new(draft: &'a Draft) -> Self {
        Self { draft, undone: None }
    }

    /// The same, whose marks take a change back: what was pressed is added to `undone`.
    pub(in crate::ui) const fn with_undo(
        draft: &'a Draft,
        undone: &'a RefCell<Vec<Difference>>,
    ) -> Self {
        Self { draft, undone: Some(undone) }
    }

    /// The row of a field that the table of fields knows: title, unit, range and help come from there.
    pub(in crate::ui) fn of(self, path: &'a str) -> Row<'a> {
        Row::new(self, path)
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
        let difference = self.draft.difference(field);
        let palette = ui.palette();
        let color = match (message, &difference) {
            (Some(_), _) => palette.error,
            (None, Some(_)) => palette.text,
            (None, None) => palette.text_weak,
        };
        ui.horizontal(|ui| {
            let size = egui::vec2(NAME_WIDTH, ui.spacing().interact_size.y);
            let layout = Layout::left_to_right(egui::Align::Center);
            let label = ui.allocate_ui_with_layout(size, layout, |ui| {
                ui.set_min_width(NAME_WIDTH);
                if let Some(difference) = &difference {
                    mark::show(ui, self, name, difference);
                }
                let text = Label::new(RichText::new(name).color(color)).truncate();
                let label = ui.add(text.sense(Sense::hover()));
                label.on_hover_ui(|ui| mark::help(ui, self, (field, help), difference.as_ref()))
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

    /// Whether a field is not what it was when the draft began.
    pub(in crate::ui) fn differs(self, field: &str) -> bool {
        self.draft.difference(field).is_some()
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
