use egui::{Align, Layout, RichText, Ui};
use serde::{Deserialize, Serialize};

use super::run_picker;
use crate::domain::EpochRecord;
use crate::domain::text::number;
use crate::ui::commands::Commands;
use crate::ui::icons;
use crate::ui::plots::losses::{self, LossPlot};
use crate::ui::state::{RunView, State, TaskState};
use crate::ui::theme::space;
use crate::ui::widgets;

/// Curves drawn in full; the rest becomes a band.
const FULL_CURVES: usize = 12;

/// Live train and validation losses of the tasks at work.
#[derive(Debug)]
pub(in crate::ui) struct TrainingPanel {
    pub(in crate::ui) view: TrainingView,
}

/// How curves are shown; survives a restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct TrainingView {
    /// Logarithmic loss axis.
    log: bool,
    /// Hide the training losses, whose noise is larger.
    validation_only: bool,
}

impl TrainingPanel {
    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let Some(run) = state.shown_run() else {
            let (title, next) = if state.launches.is_empty() {
                (
                    "No training yet",
                    "Press Start (Ctrl+Enter): train and validation losses of every fold appear here as they are learnt.",
                )
            } else {
                ("Planning the experiment", "Reading bars, computing features and cutting folds.")
            };
            widgets::empty_state(ui, icons::CHART_LINE, title, next);
            return;
        };
        let shown = shown_tasks(run, state);
        ui.horizontal(|ui| {
            run_picker::show(ui, state, run, commands);
            ui.label(title(run, &shown, state));
            if let [only] = shown.as_slice()
                && let Some(report) = &run.tasks[*only].report
            {
                widgets::determinism(ui, &report.determinism);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.checkbox(&mut self.view.log, "Log loss");
                ui.checkbox(&mut self.view.validation_only, "Validation only");
                let signs = if self.view.validation_only {
                    "◊ best epoch"
                } else {
                    "solid validation · dashed train · ◊ best"
                };
                ui.add(egui::Label::new(RichText::new(signs).small().weak()).truncate());
            });
        });
        ui.add_space(space::XS);
        let plot = LossPlot {
            run,
            shown: &shown,
            selected: state.selected_task.as_ref(),
            log: self.view.log,
            validation_only: self.view.validation_only,
        };
        losses::show(ui, &plot);
    }
}

/// The tasks drawn in full: the picked one, those at work, then those that ended last.
fn shown_tasks(run: &RunView, state: &State) -> Vec<usize> {
    let has_curve = |index: &usize| run.tasks[*index].has_curve();
    let picked = |index: &usize| state.selected_task.as_ref() == Some(&run.tasks[*index].id);
    if let Some(index) = (0..run.tasks.len()).find(picked) {
        return vec![index];
    }
    let at_work =
        |index: &usize| matches!(run.tasks[*index].state, TaskState::Running | TaskState::Paused);
    let running: Vec<usize> = (0..run.tasks.len()).filter(at_work).take(FULL_CURVES).collect();
    if !running.is_empty() {
        return running;
    }
    let mut ended: Vec<usize> = (0..run.tasks.len()).filter(has_curve).collect();
    ended.sort_by_key(|&index| std::cmp::Reverse(run.tasks[index].started_at));
    ended.truncate(4);
    ended.sort_unstable();
    ended
}

fn title(run: &RunView, shown: &[usize], state: &State) -> String {
    match shown {
        [] => "Waiting for the first epoch…".to_owned(),
        [only] => {
            let task = &run.tasks[*only];
            let best = task.best.map_or_else(String::new, |best| best_epoch(run, best));
            let paused = if task.state == TaskState::Paused { " (paused)" } else { "" };
            format!("{}{paused}{best}", task.id)
        }
        several if run.count(TaskState::Running) > 0 => {
            format!("{} tasks in training", several.len())
        }
        several if run.count(TaskState::Paused) > 0 => format!("{} tasks paused", several.len()),
        several => {
            let pick = if state.selected_task.is_none() { "; pick one in the queue" } else { "" };
            format!("The last {} tasks{pick}", several.len())
        }
    }
}

/// Which epoch's weights are kept, and how good it was.
fn best_epoch(run: &RunView, best: EpochRecord) -> String {
    let epoch = best.epoch;
    let loss = match best.validation_loss {
        Some(loss) => format!("validation loss {}", number(Some(loss), 4)),
        None => format!("train loss {}", number(Some(best.train_loss), 4)),
    };
    match best.monitor {
        Some(value) => {
            let value = number(Some(value), 4);
            format!(", best epoch {epoch} with {} {value}, {loss}", run.watched_name())
        }
        None => format!(", best epoch {epoch} with {loss}"),
    }
}
