use std::borrow::Cow;

use egui::{RichText, Ui};
use serde::{Deserialize, Serialize};

use super::scores::help;
use crate::domain::text::{UNKNOWN, count, day, duration, number, percent};
use crate::domain::{Determinism, Score, Task, TaskReport, TaskRole};
use crate::ui::state::Level;
use crate::ui::theme::{space, strong_family};
use crate::ui::widgets::{Align, Cell, Column, Fitted, Messages, column};

/// A finished task.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finished<'a> {
    pub(super) task: &'a Task,
    pub(super) report: &'a TaskReport,
}

/// Which columns the folds have: all of them would not fit beside each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Columns {
    /// How good it was out of sample, beside the baselines.
    #[default]
    Scores,
    /// How it was learnt.
    Training,
}

const TASK: Column = column("Task", "Symbols, timeframe and fold", 118.0, Align::Left);
const PERIOD: Column = column("Test section", "First day and last day, UTC", 162.0, Align::Left);

const SCORES: [Column; 9] = [
    TASK,
    PERIOD,
    column("IC", help::IC, 52.0, Align::Right),
    column("Ridge IC", "IC of a ridge regression on the same rows", 54.0, Align::Right),
    column("Rank IC", help::RANK_IC, 52.0, Align::Right),
    column("Hit rate", help::HIT_RATE, 52.0, Align::Right),
    column("Net return", help::NET_RETURN, 62.0, Align::Right),
    column("Always long", "Net return of holding the symbol", 66.0, Align::Right),
    column("Sharpe", help::SHARPE, 48.0, Align::Right),
];

const TRAINING: [Column; 9] = [
    TASK,
    column("Train rows", "Rows learnt from", 62.0, Align::Right),
    column("Test rows", help::ROWS, 58.0, Align::Right),
    column("Best epoch", "Whose weights were kept, of all epochs trained", 64.0, Align::Right),
    column("Train loss", "Mean training loss of the best epoch", 58.0, Align::Right),
    column("Validation loss", "Validation loss of the best epoch", 82.0, Align::Right),
    column("Time", "From start to finish", 72.0, Align::Right),
    column("Peak memory", "Most bytes of tensors at once, measured", 76.0, Align::Right),
    column(
        "Repeats",
        "Whether the same task trained again on the same machine gives the same weights bit for bit",
        52.0,
        Align::Right,
    ),
];

/// Every finished fold in a row.
pub(super) fn show(ui: &mut Ui, title: &str, finished: &[Finished<'_>], columns: &mut Columns) {
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(title).family(strong_family()));
        ui.add_space(space::S);
        ui.selectable_value(columns, Columns::Scores, "Scores");
        ui.selectable_value(columns, Columns::Training, "Training");
    });
    let (id, heads): (_, &[Column]) = match columns {
        Columns::Scores => ("fold_scores", &SCORES),
        Columns::Training => ("fold_training", &TRAINING),
    };
    // Only what is in view is laid out, however many there are.
    let table = Fitted { id, columns: heads, rows: finished.len(), most: usize::MAX };
    table.show(ui, |_, row| {
        let Some(fold) = finished.get(row) else { return Vec::new() };
        let texts = match columns {
            Columns::Scores => fold.scores(),
            Columns::Training => fold.training(),
        };
        let why_not =
            |text: &str| (text == NO).then(|| why_not(&fold.report.determinism)).flatten();
        texts
            .into_iter()
            .map(|text| {
                let why_not = why_not(&text);
                Cell::new(text).hover(why_not)
            })
            .collect()
    });
}

impl Finished<'_> {
    fn lead(&self) -> [String; 2] {
        let test = self.task.fold.test;
        // The end is the first moment after.
        let last = test.end.plus_millis(-1);
        let period = match self.task.role {
            TaskRole::Fold => format!("{} → {}", day(test.start), day(last)),
            TaskRole::Refit => "none: refit on all rows".to_owned(),
        };
        [self.task.id.to_string(), period]
    }

    fn scores(&self) -> Vec<String> {
        let model = &self.report.model;
        let baseline = |name: &str, value: fn(&Score) -> Option<f64>| {
            let found = self.report.baselines.iter().find(|baseline| baseline.name == name);
            found.and_then(|baseline| value(&baseline.score))
        };
        let numbers = [
            number(model.ic_ts, 4),
            number(baseline("ridge", |score| score.ic_ts), 4),
            number(model.rank_ic_ts, 4),
            percent(model.hit_rate),
            percent(model.total_return),
            percent(baseline("always_long", |score| score.total_return)),
            number(model.sharpe, 2),
        ];
        self.lead().into_iter().chain(numbers).collect()
    }

    fn training(&self) -> Vec<String> {
        let report = self.report;
        let tested = match self.task.role {
            TaskRole::Fold => count(report.model.rows),
            TaskRole::Refit => UNKNOWN.to_owned(),
        };
        let peak = report.peak_memory.map_or_else(|| UNKNOWN.to_owned(), |peak| peak.to_string());
        let numbers = [
            count(report.rows.train),
            tested,
            format!("{} of {}", report.best_epoch, report.epochs),
            number(Some(report.train_loss), 5),
            number(report.validation_loss, 5),
            duration(report.seconds),
            peak,
            repeats(&report.determinism).to_owned(),
        ];
        std::iter::once(self.task.id.to_string()).chain(numbers).collect()
    }
}

/// In the column that says whether a task repeats.
const NO: &str = "no";

const fn repeats(determinism: &Determinism) -> &'static str {
    match determinism {
        Determinism::Unknown => UNKNOWN,
        Determinism::BitForBit => "yes",
        Determinism::No { .. } => NO,
    }
}

fn why_not(determinism: &Determinism) -> Option<String> {
    match determinism {
        Determinism::No { because } => Some(format!("Not repeatable: {because}")),
        Determinism::Unknown | Determinism::BitForBit => None,
    }
}

/// Failed tasks with what went wrong.
pub(super) fn failures(ui: &mut Ui, failures: &[(&Task, &str)], all: &mut bool) {
    let title = match failures.len() {
        1 => "1 task failed".to_owned(),
        several => format!("{several} tasks failed"),
    };
    let text = |index: usize| match failures.get(index) {
        Some((task, message)) => Cow::from(format!("{}: {message}", task.id)),
        None => Cow::default(),
    };
    Messages { title: &title, icon: None, level: Level::Error, count: failures.len(), text }
        .show(ui, all);
}
