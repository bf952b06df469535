mod buttons;
mod facts;
mod waiting;

use egui::{Align as EguiAlign, ComboBox, Layout, ProgressBar, Ui};

use super::run_picker;
use crate::domain::text::{UNKNOWN, duration, number};
use crate::domain::{EpochRecord, RunOutcome, Stage, UtcMillis};
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::{RunView, State, TaskState};
use crate::ui::theme::{Palette, Themed, space};
use crate::ui::widgets::{self, Align, Cell, Column, Sorting, Table, column};

const COLUMNS: [Column; 9] = [
    column("Task", "Symbols, timeframe and fold", 122.0, Align::Left),
    column("State", "Running tasks stand first, then failed ones", 88.0, Align::Left),
    column("Device", "Where it trains", 44.0, Align::Left),
    column("Epoch", "Epoch at work, or trained; of at most", 58.0, Align::Right),
    column("Train loss", "Mean over the last epoch's batches, while learning", 64.0, Align::Right),
    column("Validation", "Validation loss after the last epoch", 64.0, Align::Right),
    column("Best", "Epoch whose weights are kept", 34.0, Align::Right),
    column("Samples/s", "Training samples a second", 58.0, Align::Right),
    column(
        "Time",
        "Left to the last epoch at the pace so far, which early stopping may end sooner (≤); or what it took",
        74.0,
        Align::Right,
    ),
];

/// Every task of a run: what it is doing, and a way to stop it.
#[derive(Debug, Default)]
pub(in crate::ui) struct QueuePanel {
    /// Show only tasks in this state.
    only: Option<TaskState>,
    /// What waits is listed.
    waiting_open: bool,
}

impl QueuePanel {
    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let Some(run) = state.shown_run() else {
            waiting::show(ui, state, &mut self.waiting_open, commands);
            let (title, next) = if !state.resuming.is_empty() {
                ("The run is taken up again", "Its tasks appear here in a moment.")
            } else if !state.launches.is_empty() {
                ("The experiment is being planned", "Its tasks appear here in a moment.")
            } else {
                (
                    "Nothing is queued",
                    "Press Start: every fold of every symbol becomes a task here.",
                )
            };
            widgets::empty_state(ui, icons::QUEUE, title, next);
            return;
        };
        waiting::show(ui, state, &mut self.waiting_open, commands);
        self.header(ui, state, run, commands);
        let mut order: Vec<usize> = (0..run.tasks.len())
            .filter(|&index| self.only.is_none_or(|only| run.tasks[index].state == only))
            .collect();
        // Stable: within a state the order of the plan stays.
        order.sort_by_key(|&index| run.tasks[index].state);
        let selected = state.selected_task.as_ref();
        let is_selected = |row: usize| Some(&run.tasks[order[row]].id) == selected;
        let table = Table {
            id: "queue",
            columns: &COLUMNS,
            leading: None,
            trailing: Some(60.0),
            rows: order.len(),
            selected: &is_selected,
            sorting: Sorting::No,
            clickable: true,
            scrolls: true,
        };
        let palette = ui.palette();
        let clicked = table.show(
            ui,
            |_, row| cells(run, order[row], state.now, palette),
            |ui, row| buttons::of_task(ui, run, &run.tasks[order[row]], commands),
        );
        if let Some(row) = clicked {
            let task = &run.tasks[order[row]].id;
            let again = state.selected_task.as_ref() == Some(task);
            commands.send(Command::SelectTask((!again).then(|| task.clone())));
        }
    }

    fn header(&mut self, ui: &mut Ui, state: &State, run: &RunView, commands: &mut Commands) {
        ui.horizontal(|ui| {
            run_picker::show(ui, state, run, commands);
            ui.with_layout(Layout::right_to_left(EguiAlign::Center), |ui| {
                // Under each other with those of the table's rows, which leave room for its scroll bar.
                ui.add_space(ui.spacing().scroll.allocated_width());
                buttons::of_run(ui, state, run, commands);
                self.filter(ui, run);
                ui.with_layout(Layout::left_to_right(EguiAlign::Center), |ui| {
                    progress(ui, state, run);
                });
            });
        });
        if let Some(message) = &run.broken {
            widgets::problem(ui, message);
        }
        let selected = state.selected_task.as_ref();
        let selected = run.tasks.iter().position(|task| Some(&task.id) == selected);
        if let Some(index) = selected {
            match &run.tasks[index].failure {
                Some(failure) => widgets::problem(ui, failure),
                None => facts::show(ui, run, index),
            }
        }
        ui.add_space(space::XS);
    }

    fn filter(&mut self, ui: &mut Ui, run: &RunView) {
        let shown = self.only.map_or("all states", |only| word(only));
        let combo = ComboBox::from_id_salt("state").selected_text(shown).width(88.0);
        let combo = combo.show_ui(ui, |ui| {
            let all = format!("all states ({})", run.tasks.len());
            ui.selectable_value(&mut self.only, None, all);
            for state in TaskState::ALL {
                let text = format!("{} ({})", word(state), run.count(state));
                ui.selectable_value(&mut self.only, Some(state), text);
            }
        });
        widgets::name(&combo.response, egui::Role::ComboBox, "Show tasks in state");
    }
}

/// How far the run is, as a bar and in words.
fn progress(ui: &mut Ui, state: &State, run: &RunView) {
    // Of a run that has ended only what it kept counts.
    let share = if run.is_over() {
        run.count(TaskState::Finished) as f64 / run.tasks.len().max(1) as f64
    } else {
        run.share()
    };
    // Where several runs can be chosen from, the name of the one in view says how far it is as well.
    let bar = ProgressBar::new(share as f32)
        .desired_width(if state.runs.len() > 1 { 40.0 } else { 140.0 })
        .desired_height(8.0);
    let bar = ui.add(bar.fill(ui.palette().accent));
    widgets::name(&bar, egui::Role::ProgressIndicator, "Progress of the run");
    ui.add(egui::Label::new(summary(run, state.now)).truncate());
}

/// How far the run is, in one line.
fn summary(run: &RunView, now: UtcMillis) -> String {
    let (ended, all) = (run.ended(), run.tasks.len());
    let took = duration(run.elapsed_seconds(now));
    let failed = match run.count(TaskState::Failed) {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    match run.outcome {
        Some(RunOutcome::Finished) => format!("finished: {all} tasks in {took}"),
        Some(RunOutcome::Failed) => format!("ended: {ended} of {all} tasks{failed}"),
        Some(RunOutcome::Cancelled) => {
            format!("cancelled: {} of {all} tasks are kept{failed}", run.count(TaskState::Finished))
        }
        None if run.is_paused() => format!("paused: {ended} of {all} tasks{failed}, {took}"),
        None if run.pausing => format!("pausing: {ended} of {all} tasks{failed}, {took}"),
        None => {
            let left = run.seconds_left().map(|left| format!(", about {} left", duration(left)));
            format!("{ended} of {all} tasks{failed}, {took}{}", left.unwrap_or_default())
        }
    }
}

const fn word(state: TaskState) -> &'static str {
    match state {
        TaskState::Running => "running",
        TaskState::Paused => "paused",
        TaskState::Queued => "queued",
        TaskState::Finished => "finished",
        TaskState::Failed => "failed",
        TaskState::Cancelled => "cancelled",
    }
}

fn state_cell(run: &RunView, index: usize, palette: &Palette) -> Cell {
    let task = &run.tasks[index];
    let (icon, color) = match task.state {
        TaskState::Running => (icons::PLAY, palette.accent),
        TaskState::Paused => (icons::PAUSE, palette.warning),
        TaskState::Queued => (icons::HOURGLASS_MEDIUM, palette.text_weak),
        TaskState::Finished => (icons::CHECK_CIRCLE, palette.success),
        TaskState::Failed => (icons::X_CIRCLE, palette.error),
        TaskState::Cancelled => (icons::PROHIBIT, palette.text_weak),
    };
    let text = match (task.state, task.stage) {
        (TaskState::Running | TaskState::Paused, _) if task.stopping => "stopping",
        (TaskState::Running, _) if run.pausing || task.pausing => "pausing",
        (TaskState::Running, Some(Stage::Dataset)) => "reading data",
        (TaskState::Running, Some(Stage::Evaluation)) => "evaluating",
        (TaskState::Running, Some(Stage::Saving)) => "saving",
        (TaskState::Running, _) => "training",
        (TaskState::Queued, _) if task.retry.is_some() => "tried again",
        (TaskState::Finished, _) if task.taken_from.is_some() => "taken over",
        (other, _) => word(other),
    };
    let hover = match (&task.retry, &task.taken_from) {
        (Some((attempt, why)), _) if task.state.is_open() => {
            Some(format!("Attempt {attempt}, because the one before failed: {why}"))
        }
        (_, Some(from)) => Some(format!("It had been trained before, in {}", from.run)),
        _ => None,
    };
    match run.waits_for(index) {
        Some(other) => {
            // The whole name would not fit; the series is the task's own.
            let name = other.id.as_str();
            let short = name.rsplit('-').next().unwrap_or(name);
            let text = format!("{icon}  after {short}");
            let why = format!("Waits for {name}: it begins with what that one learns");
            Cell::new(text).color(color).hover(Some(why))
        }
        None => Cell::new(format!("{icon}  {text}")).color(color).hover(hover),
    }
}

fn cells(run: &RunView, index: usize, now: UtcMillis, palette: &Palette) -> Vec<Cell> {
    let task = &run.tasks[index];
    let epoch = match (&task.report, task.progress) {
        (Some(report), progress) => {
            let most = progress.map_or(report.epochs, |progress| progress.max_epochs);
            format!("{}/{most}", report.epochs)
        }
        (None, Some(progress)) => format!("{}/{}", progress.epoch, progress.max_epochs),
        (None, None) => UNKNOWN.to_owned(),
    };
    let last = task.last_epoch;
    let rate = task.progress.map(|progress| progress.samples_per_second);
    let time = match (&task.report, task.seconds_left(now)) {
        (Some(report), _) => duration(report.seconds),
        (None, Some(left)) => format!("≤ {}", duration(left)),
        (None, None) if task.state == TaskState::Running => UNKNOWN.to_owned(),
        (None, None) => String::new(),
    };
    vec![
        Cell::new(task.id.as_str()),
        state_cell(run, index, palette),
        Cell::new(task.device.map_or_else(|| UNKNOWN.to_owned(), |device| device.to_string())),
        Cell::new(epoch),
        Cell::new(number(last.map(|epoch| epoch.train_loss), 4)),
        Cell::new(number(last.and_then(|epoch| epoch.validation_loss), 4))
            .hover(last.and_then(|last| watched(run, last))),
        Cell::new(task.best.map_or_else(|| UNKNOWN.to_owned(), |best| best.epoch.to_string()))
            .hover(task.best.and_then(|best| watched(run, best))),
        Cell::new(number(rate.filter(|rate| *rate > 0.0), 0)),
        Cell::new(time),
    ]
}

/// The metric that is watched after an epoch, where it is not the loss.
fn watched(run: &RunView, epoch: EpochRecord) -> Option<String> {
    let (name, value) = (run.watched_name(), number(Some(epoch.monitor?), 4));
    Some(format!("{name} {value} in epoch {}", epoch.epoch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cancel, Device, Event, EventKind, RunId};
    use crate::spec::{Monitor, apply, load};

    fn run() -> RunView {
        let one_fold = "validation.max_folds=1".parse().unwrap();
        let spec = apply(&load("linear-return").unwrap(), &[one_fold]).unwrap();
        let plan = crate::workbench::plan(&spec, &Cancel::new()).unwrap().plan;
        RunView::new(RunId::new("r"), plan, UtcMillis(0))
    }

    #[test]
    fn a_paused_run_says_so_and_how_long_it_worked() {
        let mut run = run();
        let task = Some(run.tasks[0].id.clone());
        let tell = |run: &mut RunView, seconds: i64, kind| {
            let (task, at) = (task.clone(), UtcMillis(1000 * seconds));
            run.apply(Event { run: run.id.clone(), task, seq: 0, at, kind });
        };
        tell(&mut run, 1, EventKind::Started { device: Device::Cpu });
        let palette = egui::Visuals::dark().palette();
        let state = |run: &RunView| state_cell(run, 0, palette).text;
        assert!(state(&run).ends_with("training"), "{}", state(&run));
        run.pausing = true;
        assert!(state(&run).ends_with("pausing"), "{}", state(&run));
        assert_eq!(summary(&run, UtcMillis(5000)), "pausing: 0 of 2 tasks, 5.0 s");
        tell(&mut run, 6, EventKind::Paused { steps: 3 });
        assert!(state(&run).starts_with(icons::PAUSE) && state(&run).ends_with("paused"));
        assert_eq!(summary(&run, UtcMillis(99_000)), "paused: 0 of 2 tasks, 6.0 s");
    }

    #[test]
    fn what_is_watched_is_named_where_it_is_known_and_not_the_loss() {
        let mut run = run();
        let mut epoch = EpochRecord {
            epoch: 4,
            train_loss: 1.0,
            validation_loss: Some(1.0),
            monitor: None,
            learning_rate: 0.1,
            gradient_norm: 1.0,
            seconds: 1.0,
            is_best: true,
        };
        assert_eq!(watched(&run, epoch), None);
        epoch.monitor = Some(0.0312);
        assert_eq!(watched(&run, epoch).unwrap(), "watched metric 0.0312 in epoch 4");
        run.monitor = Some(Monitor::RankIc);
        assert_eq!(watched(&run, epoch).unwrap(), "rank IC 0.0312 in epoch 4");
    }
}
