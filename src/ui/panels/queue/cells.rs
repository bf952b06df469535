use crate::domain::text::{UNKNOWN, duration, number};
use crate::domain::{EpochRecord, Stage, UtcMillis};
use crate::ui::icons;
use crate::ui::state::{RunView, TaskState, TaskView};
use crate::ui::theme::Palette;
use crate::ui::widgets::{Align, Cell, Column, column};

pub(super) const COLUMNS: [Column; 9] = [
    column("Task", "Symbols, timeframe and fold", 114.0, Align::Left),
    column(
        "State",
        "How it stands; by itself the list has what runs first, then what failed",
        86.0,
        Align::Left,
    ),
    column("Device", "Where it trains", 46.0, Align::Left),
    column("Epoch", "Epoch at work, or trained; of at most", 58.0, Align::Right),
    column("Train loss", "Mean over the last epoch's batches, while learning", 64.0, Align::Right),
    column("Validation", "Validation loss after the last epoch", 66.0, Align::Right),
    column("Best", "Epoch whose weights are kept", 38.0, Align::Right),
    column("Samples/s", "Training samples a second", 62.0, Align::Right),
    column(
        "Time",
        "Left to the last epoch at the pace so far, which early stopping may end sooner (≤); or what it took",
        74.0,
        Align::Right,
    ),
];

pub(super) const fn word(state: TaskState) -> &'static str {
    match state {
        TaskState::Running => "running",
        TaskState::Paused => "paused",
        TaskState::Queued => "queued",
        TaskState::Finished => "finished",
        TaskState::Failed => "failed",
        TaskState::Cancelled => "cancelled",
    }
}

/// How a task stands, in a word or two.
pub(super) const fn state_text(run: &RunView, task: &TaskView) -> &'static str {
    match (task.state, task.stage) {
        (TaskState::Running | TaskState::Paused, _) if task.stopping => "stopping",
        (TaskState::Running, _) if run.pausing || task.pausing => "pausing",
        (TaskState::Running, Some(Stage::Dataset)) => "reading data",
        (TaskState::Running, Some(Stage::Evaluation)) => "evaluating",
        (TaskState::Running, Some(Stage::Saving)) => "saving",
        (TaskState::Running, _) => "training",
        (TaskState::Queued, _) if task.pausing => "held",
        (TaskState::Queued, _) if task.retry.is_some() => "tried again",
        (TaskState::Finished, _) if task.taken_from.is_some() => "taken over",
        (other, _) => word(other),
    }
}

pub(super) fn state_cell(run: &RunView, index: usize, palette: &Palette) -> Cell {
    let task = &run.tasks[index];
    let (icon, color) = match task.state {
        TaskState::Running => (icons::PLAY, palette.accent),
        TaskState::Paused => (icons::PAUSE, palette.warning),
        TaskState::Queued => (icons::HOURGLASS_MEDIUM, palette.text_weak),
        TaskState::Finished => (icons::CHECK_CIRCLE, palette.success),
        TaskState::Failed => (icons::X_CIRCLE, palette.error),
        TaskState::Cancelled => (icons::PROHIBIT, palette.text_weak),
    };
    let text = state_text(run, task);
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

pub(super) fn cells(run: &RunView, index: usize, now: UtcMillis, palette: &Palette) -> Vec<Cell> {
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
pub(super) fn watched(run: &RunView, epoch: EpochRecord) -> Option<String> {
    let (name, value) = (run.watched_name(), number(Some(epoch.monitor?), 4));
    Some(format!("{name} {value} in epoch {}", epoch.epoch))
}
