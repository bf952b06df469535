use egui::{Align, ComboBox, Layout, Ui, UiBuilder};

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
    if !task.state.is_open() || task.stopping || run.stopping || run.is_over() {
        return;
    }
    // Named by the task and not by the row: rows move, and neither a press that has begun nor the focus may go over to another task.
    let named = UiBuilder::new().id_salt(&task.id).layout(Layout::right_to_left(Align::Center));
    ui.scope_builder(named, |ui| {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::run_of;

    /// What the button at the right edge sends when it is pressed over one task's row and let go when another one's has come in its place.
    fn sent(pressed: usize, released: usize) -> Vec<Command> {
        let (run, ctx) = (run_of(2), egui::Context::default());
        let row = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(60.0, 20.0));
        let at = row.right_center() - egui::vec2(6.0, 0.0);
        let button = |pressed| egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        };
        let mut commands = Commands::default();
        for (place, event) in [
            (pressed, egui::Event::PointerMoved(at)),
            (pressed, button(true)),
            (released, egui::Event::PointerMoved(at)),
            (released, button(false)),
        ] {
            let input = egui::RawInput { events: vec![event], ..egui::RawInput::default() };
            let mut drawn = ctx.run_ui(input, |ui| {
                ui.scope_builder(UiBuilder::new().id_salt("row").max_rect(row), |ui| {
                    of_task(ui, &run, &run.tasks[place], &mut commands);
                });
            });
            // Nobody has a texture of it.
            drawn.textures_delta.clear();
        }
        commands.commands
    }

    #[test]
    fn a_press_that_began_on_one_task_does_not_cancel_the_one_that_took_its_row() {
        let run = run_of(2);
        let cancel =
            |place: usize| Command::CancelTasks(run.id.clone(), vec![run.tasks[place].id.clone()]);
        assert_eq!(sent(1, 1), [cancel(1)]);
        assert_eq!(sent(0, 1), []);
    }
}
