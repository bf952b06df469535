use egui::{Align, ComboBox, Layout, Ui};

use crate::domain::{Priority, RunOutcome};
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::{RunView, State, TaskState, TaskView};
use crate::ui::widgets;

/// What can be done with the run in view.
pub(super) fn of_run(ui: &mut Ui, state: &State, run: &RunView, commands: &mut Commands) {
    if run.is_over() {
        let left = run.tasks.len() - run.count(TaskState::Finished);
        if left > 0 && !state.resuming.contains(&run.id) {
            let text = match run.outcome {
                Some(RunOutcome::Failed) => "Retry failed tasks",
                _ => "Resume this run",
            };
            let help = "Finished tasks are kept, the others go on from their checkpoints or begin";
            if widgets::button(ui, icons::PLAY, text, true).on_hover_text(help).clicked() {
                commands.send(Command::TakeUp(vec![run.id.clone()]));
            }
        }
        return;
    }
    if run.stopping {
        ui.label("Stopping…");
    } else {
        let text = "Cancel this run";
        if widgets::icon_button(ui, icons::STOP, text).on_hover_text(text).clicked() {
            commands.send(Command::CancelRun(run.id.clone()));
        }
    }
    pause(ui, run, commands);
    priority(ui, run, commands);
}

/// Whose tasks come first.
fn priority(ui: &mut Ui, run: &RunView, commands: &mut Commands) {
    let help = "Priority: whose tasks come first; runs of the same priority take turns";
    let chosen = choose_priority(ui, run.priority, ("Priority of the run", help));
    if let Some(priority) = chosen {
        commands.send(Command::Prioritise(run.id.clone(), priority));
    }
}

/// A list of the priorities; another one than there is, where it was chosen.
pub(super) fn choose_priority(
    ui: &mut Ui,
    now: Priority,
    (name, help): (&str, &str),
) -> Option<Priority> {
    let mut chosen = None;
    let combo = ComboBox::from_id_salt(name).selected_text(now.word()).width(72.0);
    let combo = combo.show_ui(ui, |ui| {
        for priority in [Priority::High, Priority::Normal, Priority::Low] {
            let text = format!("{} priority", priority.word());
            if ui.selectable_label(priority == now, text).clicked() && priority != now {
                chosen = Some(priority);
            }
        }
    });
    let response = combo.response.on_hover_text(help);
    widgets::name(&response, egui::Role::ComboBox, name);
    chosen
}

/// Pauses a task or lets it go on, and cancels it.
pub(super) fn of_task(ui: &mut Ui, run: &RunView, task: &TaskView, commands: &mut Commands) {
    if !task.state.is_open() || task.stopping || run.stopping {
        return;
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let name = format!("Cancel {}", task.id);
        let button = widgets::icon_button(ui, icons::X, &name);
        if button.on_hover_text(name).clicked() {
            commands.send(Command::CancelTasks(run.id.clone(), vec![task.id.clone()]));
        }
        let held = task.pausing || task.state == TaskState::Paused;
        if run.pausing || (task.state == TaskState::Queued && !held) {
            // A run that is paused is resumed as a whole, and what has not begun has nothing to pause.
            return;
        }
        let (icon, name) = if held {
            (icons::PLAY, format!("Resume {}", task.id))
        } else {
            (icons::PAUSE, format!("Pause {}", task.id))
        };
        let button = widgets::icon_button(ui, icon, &name);
        if button.on_hover_text(name).clicked() {
            commands.send(Command::HoldTasks(run.id.clone(), vec![task.id.clone()], !held));
        }
    });
}

/// Pauses the run in view, or lets it go on.
fn pause(ui: &mut Ui, run: &RunView, commands: &mut Commands) {
    if run.stopping {
        return;
    }
    let (icon, text, command) = if run.pausing {
        (icons::PLAY, "Resume this run", Command::ResumeRun(run.id.clone()))
    } else {
        (icons::PAUSE, "Pause this run", Command::PauseRun(run.id.clone()))
    };
    if widgets::icon_button(ui, icon, text).on_hover_text(text).clicked() {
        commands.send(command);
    }
}
