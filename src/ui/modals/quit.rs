use egui::{Label, Ui};

use super::buttons;
use crate::ui::closing::Quitting;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::{State, TaskState};
use crate::ui::theme::space;
use crate::ui::widgets;

/// Asks what becomes of what runs when the window closes.
pub(super) fn show(
    ui: &mut Ui,
    state: &State,
    quitting: Option<Quitting>,
    commands: &mut Commands,
) {
    match quitting {
        None => {}
        Some(Quitting::Checkpointing) => {
            ui.heading("Writing checkpoints…");
            ui.label("Each task stops at its next step. The window closes when all is on disk.");
            ui.add_space(space::M);
            buttons(ui, |ui| {
                if widgets::button(ui, icons::STOP, "Stop without checkpoints", true).clicked() {
                    commands.send(Command::StopAndQuit);
                }
            });
            return;
        }
        Some(stopping @ (Quitting::Stopping(_) | Quitting::Done)) => {
            ui.heading("Stopping…");
            ui.label("The window closes when everything is safe on disk.");
            if stopping.is_overdue(state.now) {
                ui.add_space(space::S);
                paragraph(
                    ui,
                    "This takes longer than it should. Whoever closes the window now loses nothing that has finished; what still works is found \
                     as interrupted by the next start.",
                );
                ui.add_space(space::M);
                buttons(ui, |ui| {
                    if widgets::button(ui, icons::X, "Close anyway", true).clicked() {
                        commands.send(Command::CloseAnyway);
                    }
                });
            }
            return;
        }
    }
    let open = || state.runs.iter().filter(|run| !run.is_over());
    let count = |wanted: TaskState| open().map(|run| run.count(wanted)).sum::<usize>();
    let begun = open().count() + state.resuming.len();
    ui.heading("Quit while something runs?");
    ui.add_space(space::XS);
    if begun > 0 {
        let at_work = count(TaskState::Running) + count(TaskState::Paused);
        let (finished, queued) = (count(TaskState::Finished), count(TaskState::Queued));
        let runs = if begun == 1 { "1 run is".to_owned() } else { format!("{begun} runs are") };
        paragraph(
            ui,
            &format!(
                "{runs} open: {finished} tasks finished, {at_work} at work, {queued} not begun."
            ),
        );
        paragraph(
            ui,
            "Checkpoint and quit: tasks at work write a checkpoint and stop. The runs stay as interrupted; the next start offers to resume \
             them, and nothing is lost.",
        );
        paragraph(
            ui,
            "Stop and quit: tasks stop at once and the runs end as cancelled. What has finished is kept; what was learnt since a task's last \
             checkpoint is lost.",
        );
    }
    let either_way = if begun > 0 { " either way" } else { "" };
    match state.launches.len() {
        0 => {}
        1 => paragraph(
            ui,
            &format!("An experiment that waits or is being planned is given up{either_way}."),
        ),
        several => paragraph(
            ui,
            &format!(
                "{several} experiments that wait or are being planned are given up{either_way}."
            ),
        ),
    }
    if state.exporting {
        paragraph(ui, "An export is being written; it stops after the model at work.");
    }
    ui.add_space(space::M);
    buttons(ui, |ui| {
        // Without a run there is nothing that could write a checkpoint.
        if begun > 0
            && widgets::primary_button(ui, icons::FLOPPY_DISK, "Checkpoint and quit", true)
                .clicked()
        {
            commands.send(Command::CheckpointAndQuit);
        }
        if widgets::button(ui, icons::STOP, "Stop and quit", true).clicked() {
            commands.send(Command::StopAndQuit);
        }
        let keep = if begun > 0 { "Keep training" } else { "Go on" };
        if widgets::button(ui, icons::PLAY, keep, true).clicked() {
            commands.send(Command::CloseModal);
        }
    });
}

fn paragraph(ui: &mut Ui, text: &str) {
    ui.add(Label::new(text).wrap());
}
