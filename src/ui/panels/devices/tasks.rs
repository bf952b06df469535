use egui::{Label, RichText, Ui};

use crate::domain::Device;
use crate::ui::commands::{Command, Commands};
use crate::ui::state::{RunView, State, TaskState, TaskView};
use crate::ui::theme::Themed;
use crate::ui::widgets;

/// Tasks of a device that are listed.
const MOST: usize = 6;

/// A task that trains.
pub(super) struct AtWork<'a> {
    device: Device,
    run: &'a RunView,
    task: &'a TaskView,
}

/// Every task that trains now, and where.
pub(super) fn at_work(state: &State) -> Vec<AtWork<'_>> {
    let runs = state.runs.iter().filter(|run| !run.is_over());
    let tasks = runs.flat_map(|run| run.under_way().map(move |task| (run, task)));
    let at_work = tasks.filter(|(_, task)| task.state == TaskState::Running);
    at_work.filter_map(|(run, task)| Some(AtWork { device: task.device?, run, task })).collect()
}

/// The tasks of one device, each with a way to it in the queue.
pub(super) fn show(ui: &mut Ui, at_work: &[AtWork<'_>], device: Device, commands: &mut Commands) {
    let here: Vec<&AtWork<'_>> = at_work.iter().filter(|at| at.device == device).collect();
    if here.is_empty() {
        return;
    }
    let weak = ui.palette().text_weak;
    ui.label(RichText::new("Trains here").color(weak));
    for AtWork { run, task, .. } in here.iter().take(MOST) {
        let epoch = task.progress.as_ref().map(|progress| progress.epoch);
        let epoch = epoch.map_or_else(String::new, |epoch| format!(", epoch {epoch}"));
        let text = RichText::new(format!("{}{epoch}", task.id)).small();
        let link = ui.add(egui::Button::new(text).frame_when_inactive(false).truncate());
        widgets::name(&link, egui::Role::Button, &format!("Show {} on {device}", task.id));
        let hint = format!("{}: show it in the queue", run.plan.experiment);
        if link.on_hover_text(hint).clicked() {
            commands.send(Command::ShowRun(run.id.clone()));
            commands.send(Command::SelectTask(Some(task.id.clone())));
        }
    }
    if let Some(more) = here.len().checked_sub(MOST).filter(|more| *more > 0) {
        let text = RichText::new(format!("and {more} more")).small().color(weak);
        ui.add(Label::new(text));
    }
}
