use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{Grid, PopupCloseBehavior, RichText, ScrollArea, TextEdit, TextStyle, Ui};

use crate::runs::RunQuery;
use crate::ui::icons;
use crate::ui::theme::{Themed, space};
use crate::ui::widgets;

/// Height of the list of what can be searched for, in points.
const HELP_HEIGHT: f32 = 380.0;

/// What is written in the search field, and what it means.
#[derive(Debug, Default)]
pub(super) struct Search {
    text: String,
    /// Of the last text that is a query: while one is being written the list stays as it was.
    query: RunQuery,
    /// Why the text is no query.
    problem: Option<String>,
}

impl Search {
    pub(super) const fn query(&self) -> &RunQuery {
        &self.query
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn field(&mut self, ui: &mut Ui) {
        let hint = format!("{}  words, tag:good, sharpe>1…", icons::MAGNIFYING_GLASS);
        let field = TextEdit::singleline(&mut self.text).hint_text(hint).desired_width(220.0);
        let field = ui.add(field);
        widgets::name(&field, egui::Role::SearchInput, "Search runs");
        let help = "Words in name, tags, notes and swept settings, and what columns hold; all of it must fit";
        let has_changed = field.changed();
        field.on_hover_text(help);
        if self.help(ui) || has_changed {
            self.read();
        }
    }

    /// Why the text is no query, under the field.
    pub(super) fn problem(&self, ui: &mut Ui) {
        if let Some(problem) = &self.problem {
            widgets::issue(ui, problem);
        }
    }

    fn read(&mut self) {
        match self.text.parse() {
            Ok(query) => (self.query, self.problem) = (query, None),
            Err(error) => self.problem = Some(error.to_string()),
        }
    }

    /// The list of columns with an example of each; whether one was added to the text.
    fn help(&mut self, ui: &mut Ui) -> bool {
        let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        let button = MenuButton::new(icons::QUESTION).config(config);
        let mut added = false;
        let (response, _) = button.ui(ui, |ui| {
            ui.set_max_width(460.0);
            let weak = ui.palette().text_weak;
            let rules = "All terms must hold; a minus before one turns it round. Words in quotes stand together. Operators are : (contains), =, !=, <, <=, > and >=. A press on an example adds it.";
            ui.label(RichText::new(rules).small().color(weak));
            ui.add_space(space::XS);
            ScrollArea::vertical().max_height(HELP_HEIGHT).show(ui, |ui| {
                Grid::new("query_columns").num_columns(2).show(ui, |ui| {
                    let settings = ("training.learning_rate=0.001", "a setting that a sweep varies");
                    let columns = RunQuery::columns().iter();
                    let columns = columns.map(|column| (column.example, column.help));
                    for (example, help) in columns.chain([settings]) {
                        let text = RichText::new(example).text_style(TextStyle::Monospace);
                        if ui.link(text).clicked() {
                            self.add(example);
                            added = true;
                        }
                        ui.label(RichText::new(help).small().color(weak));
                        ui.end_row();
                    }
                });
            });
        });
        widgets::name(&response, egui::Role::Button, "What can be searched for");
        response.on_hover_text("What can be searched for, with examples");
        added
    }

    fn add(&mut self, term: &str) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
        self.text.push_str(term);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_a_query_is_being_written_the_one_before_it_holds() {
        let mut search = Search::default();
        let write = |search: &mut Search, text: &str| {
            text.clone_into(&mut search.text);
            search.read();
        };
        write(&mut search, "sharpe>1");
        let before = search.query().clone();
        assert!(before != RunQuery::default() && search.problem.is_none());
        write(&mut search, "sharpe>1 sharp>");
        assert_eq!(*search.query(), before);
        assert!(search.problem.as_ref().is_some_and(|problem| problem.contains("`sharp>`")));
        search.text.clear();
        search.add("tag:good");
        search.add("seed=7");
        assert_eq!(search.text, "tag:good seed=7");
        search.read();
        assert!(search.problem.is_none());
        search.clear();
        assert_eq!(*search.query(), RunQuery::default());
    }
}
