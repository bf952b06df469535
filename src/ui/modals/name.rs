use egui::{ComboBox, Label, RichText, TextEdit, Ui};

use super::buttons;
use crate::domain::text::{minute, number, section_start};
use crate::domain::{RunId, TaskId, TaskRole};
use crate::runs::TaskResult;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::{Detail, State};
use crate::ui::theme::{Themed, space};
use crate::ui::widgets;
use crate::workbench::ModelChange;

/// A name as it is being given to a trained model.
#[derive(Debug)]
pub(in crate::ui) struct Naming {
    run: RunId,
    task: Option<TaskId>,
    name: String,
    focused: bool,
}

impl Naming {
    pub(in crate::ui) const fn new(run: RunId, task: Option<TaskId>, name: String) -> Self {
        Self { run, task, name, focused: false }
    }

    pub(super) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        ui.heading("Name a trained model");
        ui.weak(format!("Run {}", self.run));
        ui.add_space(space::XS);
        let weak = ui.palette().text_weak;
        let text =
            "It becomes a candidate in Models. A name that is there already gets its next version.";
        ui.add(Label::new(RichText::new(text).color(weak)).wrap());
        ui.add_space(space::S);
        let has_model = self.task(ui, state, commands);
        ui.add_space(space::XS);
        let mut submitted = false;
        ui.horizontal(|ui| {
            let label = ui.label("Model name");
            let field = TextEdit::singleline(&mut self.name).desired_width(f32::INFINITY);
            let field = ui.add(field).labelled_by(label.id);
            if !std::mem::replace(&mut self.focused, true) {
                field.request_focus();
            }
            submitted = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
        });
        let name = self.name.trim();
        let problem = problem(name);
        match problem {
            Some(problem) if !name.is_empty() => widgets::issue(ui, problem),
            _ => {
                let next = state.models.all().iter().filter(|model| model.name == name);
                let next = next.map(|model| model.version).max().map_or(1, |newest| newest + 1);
                let text = if name.is_empty() { String::new() } else { format!("{name}@{next}") };
                ui.weak(text);
            }
        }
        ui.add_space(space::M);
        buttons(ui, |ui| {
            let ready = has_model && problem.is_none();
            let clicked = widgets::primary_button(ui, icons::TAG, "Give the name", ready).clicked();
            if (clicked || submitted)
                && ready
                && let Some(task) = self.task.clone()
            {
                let (name, run) = (name.to_owned(), self.run.clone());
                commands.send(Command::ChangeModels(ModelChange::Register { name, run, task }));
            }
            if ui.button("Close").clicked() {
                commands.send(Command::CloseModal);
            }
        });
    }

    /// Which of the run's models. Whether there is one.
    fn task(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) -> bool {
        if state.details.lacks(&self.run) {
            commands.send(Command::Need(self.run.clone()));
        }
        let detail = match state.details.get(&self.run) {
            Some(Detail::Ready(detail)) => detail,
            Some(Detail::Failed(message)) => {
                widgets::problem(ui, message);
                return false;
            }
            Some(Detail::Loading) | None => {
                ui.weak("Reading which models there are…");
                return false;
            }
        };
        let finished: Vec<&TaskResult> = detail.finished().collect();
        let is_there = |id: &TaskId| finished.iter().any(|task| task.task.id == *id);
        if !self.task.as_ref().is_some_and(is_there) {
            // A refit is what one deploys; else the fold that learnt last.
            let refit = finished.iter().find(|task| task.task.role == TaskRole::Refit);
            self.task = refit.or(finished.last()).map(|task| task.task.id.clone());
        }
        let Some(chosen) = &mut self.task else {
            widgets::issue(ui, "no task of this run has finished, so there is no model to name");
            return false;
        };
        ui.horizontal(|ui| {
            let label = ui.label("Model");
            let combo = ComboBox::from_id_salt("name_task").selected_text(chosen.as_str());
            let combo = combo.width(ui.available_width()).truncate().show_ui(ui, |ui| {
                for task in &finished {
                    let id = &task.task.id;
                    ui.selectable_value(chosen, id.clone(), id.as_str());
                }
            });
            combo.response.labelled_by(label.id);
        });
        if let Some(task) = finished.iter().find(|task| task.task.id == *chosen) {
            ui.weak(facts(task));
        }
        true
    }
}

/// What it learnt from and how well.
fn facts(task: &TaskResult) -> String {
    let fold = &task.task.fold;
    let end = fold.train.last().map_or_else(String::new, |span| minute(span.end));
    let train = format!("trained on {} to {end}", minute(fold.start()));
    if task.task.role == TaskRole::Refit {
        return format!("{train}, all rows; no test of its own");
    }
    let rank_ic = task.report.as_ref().and_then(|report| report.model.rank_ic_ts);
    let test = section_start(fold.test);
    format!("{train}, tested from {test}: rank IC {}", number(rank_ic, 4))
}

/// Why a text cannot be a name.
fn problem(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("a name is needed")
    } else if name.contains('@') || name.contains('/') || name.chars().any(char::is_control) {
        Some("`@`, `/` and line breaks cannot be part of a name: NAME@3 is its third version")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leaves_room_for_its_version() {
        assert!(problem("btc hourly").is_none());
        for wrong in ["", "btc@2", "a/b", "a\nb"] {
            assert!(problem(wrong).is_some(), "{wrong}");
        }
    }
}
