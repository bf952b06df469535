use egui::{TextEdit, Ui};

use super::buttons;
use crate::ui::commands::{Command, Commands, Noted};
use crate::ui::state::State;
use crate::ui::theme::space;
use crate::ui::widgets;

/// Tags and notes as they are being written.
#[derive(Debug)]
pub(in crate::ui) struct Notes {
    noted: Noted,
    tags: String,
    text: String,
    focused: bool,
}

impl Notes {
    pub(in crate::ui) const fn new(noted: Noted, tags: String, text: String) -> Self {
        Self { noted, tags, text, focused: false }
    }

    pub(super) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        ui.heading("Tags and notes");
        let of = match &self.noted {
            Noted::Run(run) => match state.results.entry(run) {
                Some(entry) => format!("{}, run {run}", entry.experiment),
                None => format!("Run {run}"),
            },
            Noted::Model(name, version) => format!("Model {name}@{version}"),
        };
        ui.weak(of);
        ui.add_space(space::S);
        let label = ui.label("Tags, with commas between them");
        let field = TextEdit::singleline(&mut self.tags).desired_width(f32::INFINITY);
        let field = ui.add(field).labelled_by(label.id);
        if !std::mem::replace(&mut self.focused, true) {
            field.request_focus();
        }
        let submitted = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
        ui.add_space(space::S);
        let label = ui.label("Notes");
        let field = TextEdit::multiline(&mut self.text).desired_width(f32::INFINITY);
        ui.add(field.desired_rows(5)).labelled_by(label.id);
        ui.add_space(space::M);
        buttons(ui, |ui| {
            if widgets::primary_button(ui, "", "Keep notes", true).clicked() || submitted {
                let notes = self.text.trim().to_owned();
                commands.send(Command::Annotate(self.noted.clone(), tags(&self.tags), notes));
            }
            if ui.button("Close").clicked() {
                commands.send(Command::CloseModal);
            }
        });
    }
}

/// The tags in a text, in order, each once.
fn tags(text: &str) -> Vec<String> {
    let mut tags: Vec<String> =
        text.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect();
    tags.sort();
    tags.dedup();
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_parted_at_commas_and_none_is_there_twice() {
        assert_eq!(tags(" baseline, long run ,baseline,, "), ["baseline", "long run"]);
        assert_eq!(tags(" "), Vec::<String>::new());
    }
}
