use egui::{ComboBox, Ui};

use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::{RunView, State, TaskState};
use crate::ui::widgets;

/// Runs of a long sweep are not all named here; the runs panel has them.
const MOST: usize = 60;

/// Which run of this session Queue and Training show; there only where there are several.
pub(super) fn show(ui: &mut Ui, state: &State, shown: &RunView, commands: &mut Commands) {
    if state.runs.len() < 2 {
        return;
    }
    // A list that has grown would keep the height it had when it was first opened.
    let combo = ComboBox::from_id_salt(("run", state.runs.len())).selected_text(name(shown));
    let combo = combo.width(180.0).truncate().show_ui(ui, |ui| {
        let open = state.runs.iter().filter(|run| !run.is_over());
        let over = state.runs.iter().rev().filter(|run| run.is_over());
        for run in open.chain(over).take(MOST) {
            let label = ui.selectable_label(run.id == shown.id, name(run));
            if label.on_hover_text(run.id.as_str()).clicked() {
                commands.send(Command::ShowRun(run.id.clone()));
            }
        }
    });
    let response = combo.response.on_hover_text(shown.id.as_str());
    widgets::name(&response, egui::Role::ComboBox, "Run in view");
}

/// How it stands, what it is and how far.
fn name(run: &RunView) -> String {
    let icon = match run.outcome {
        Some(crate::domain::RunOutcome::Finished) => icons::CHECK_CIRCLE,
        Some(crate::domain::RunOutcome::Cancelled) => icons::PROHIBIT,
        Some(crate::domain::RunOutcome::Failed) => icons::X_CIRCLE,
        None if run.broken.is_some() => icons::X_CIRCLE,
        None if run.is_paused() => icons::PAUSE,
        None if run.count(TaskState::Running) > 0 => icons::PLAY,
        None => icons::HOURGLASS_MEDIUM,
    };
    let letters = run.id.as_str().rsplit('-').next().unwrap_or_default();
    let (ended, all) = (run.ended(), run.tasks.len());
    format!("{icon}  {} · {letters} · {ended}/{all}", run.plan.experiment)
}
