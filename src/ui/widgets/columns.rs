use std::collections::BTreeSet;

use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{PopupCloseBehavior, Ui};
use serde::{Deserialize, Serialize};

use super::Heading;
use crate::ui::icons;

/// The columns of a table that somebody does not want to see, by their titles. The first column is never among those hidden: it says what a
/// row is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::ui) struct HiddenColumns(BTreeSet<String>);

impl HiddenColumns {
    /// The places of the columns that are shown, in order.
    pub(super) fn shown(&self, columns: &[Heading<'_>]) -> Vec<usize> {
        let is_shown = |index: &usize| *index == 0 || !self.0.contains(columns[*index].title);
        (0..columns.len()).filter(is_shown).collect()
    }

    /// The button that opens the list of columns, each with a tick. `of` says which table's: `the queue`.
    pub(in crate::ui) fn menu(&mut self, ui: &mut Ui, of: &str, columns: &[Heading<'_>]) {
        let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        let button = MenuButton::new(icons::SLIDERS_HORIZONTAL).config(config);
        let (response, _) = button.ui(ui, |ui| {
            for column in columns.iter().skip(1) {
                let mut is_shown = !self.0.contains(column.title);
                let tick = ui.checkbox(&mut is_shown, column.title).on_hover_text(column.help);
                super::name_toggle(&tick, is_shown, &format!("Show column {}", column.title));
                if tick.clicked() {
                    self.show(column.title, is_shown);
                }
            }
            ui.separator();
            let all = super::button(ui, "", "Show all columns", !self.0.is_empty());
            if all.clicked() {
                self.0.clear();
            }
        });
        let name = format!("Columns of {of}");
        super::name(&response, egui::Role::Button, &name);
        response.on_hover_text("Choose the columns");
    }

    fn show(&mut self, title: &str, is_shown: bool) {
        if is_shown {
            self.0.remove(title);
        } else {
            self.0.insert(title.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widgets::{Align, Column, column};

    const COLUMNS: [Column; 3] = [
        column("A", "", 1.0, Align::Left),
        column("B", "", 1.0, Align::Left),
        column("C", "", 1.0, Align::Left),
    ];

    #[test]
    fn the_first_column_stays_and_the_others_keep_their_places() {
        let mut hidden = HiddenColumns::default();
        assert_eq!(hidden.shown(&COLUMNS), [0, 1, 2]);
        for title in ["A", "B", "one of an earlier version"] {
            hidden.show(title, false);
        }
        assert_eq!(hidden.shown(&COLUMNS), [0, 2]);
        let text = ron::to_string(&hidden).unwrap();
        assert_eq!(ron::from_str::<HiddenColumns>(&text).unwrap(), hidden);
        hidden.show("B", true);
        assert_eq!(hidden.shown(&COLUMNS), [0, 1, 2]);
    }
}
