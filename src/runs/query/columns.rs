use crate::domain::{Score, SweepId, UtcMillis};
use crate::runs::RunEntry;

/// A column that a query can name.
#[derive(Debug)]
pub struct QueryColumn {
    /// As it is written.
    pub name: &'static str,
    /// Other words for it.
    aliases: &'static [&'static str],
    /// What it holds.
    pub help: &'static str,
    /// A term with it.
    pub example: &'static str,
    pub(super) column: Column,
}

impl PartialEq for QueryColumn {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// What a column holds, and where an entry has it.
#[derive(Debug)]
pub(super) enum Column {
    Text(fn(&RunEntry) -> Vec<String>),
    /// Told by whoever asks.
    Status,
    Number(fn(&RunEntry) -> Option<f64>),
    Moment(fn(&RunEntry) -> Option<UtcMillis>),
    Duration,
}

/// How a run can stand, in the terminal and in the window.
pub(super) const STATUSES: [&str; 7] =
    ["running", "running elsewhere", "paused", "interrupted", "failed", "cancelled", "finished"];

impl QueryColumn {
    /// By its name or another word for it, in small letters.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        COLUMNS.iter().find(|column| column.name == name || column.aliases.contains(&name))
    }

    pub(super) fn texts(&self, entry: &RunEntry) -> Vec<String> {
        match self.column {
            Column::Text(texts) => texts(entry),
            _ => Vec::new(),
        }
    }

    pub(super) fn number(&self, entry: &RunEntry) -> Option<f64> {
        match self.column {
            Column::Number(number) => number(entry),
            _ => None,
        }
    }

    pub(super) fn moment(&self, entry: &RunEntry) -> Option<UtcMillis> {
        match self.column {
            Column::Moment(moment) => moment(entry),
            _ => None,
        }
    }
}

const fn column(
    name: &'static str,
    aliases: &'static [&'static str],
    (help, example): (&'static str, &'static str),
    column: Column,
) -> QueryColumn {
    QueryColumn { name, aliases, help, example, column }
}

fn score(entry: &RunEntry, value: fn(&Score) -> Option<f64>) -> Option<f64> {
    entry.score.as_ref().and_then(value)
}

pub(super) const COLUMNS: &[QueryColumn] = &[
    column(
        "name",
        &[],
        ("the run's own name, or its experiment's", "name:btc"),
        Column::Text(|entry| vec![entry.id.to_string(), entry.experiment.clone()]),
    ),
    column(
        "experiment",
        &["preset"],
        ("the experiment's name: that of its preset unless another was given", "experiment:lstm"),
        Column::Text(|entry| vec![entry.experiment.clone()]),
    ),
    column("status", &["state"], ("how the run stands", "status:failed"), Column::Status),
    column(
        "tag",
        &["tags"],
        ("one of its tags", "tag:good"),
        Column::Text(|entry| entry.tags.clone()),
    ),
    column(
        "note",
        &["notes"],
        ("its notes", "note:\"longer training\""),
        Column::Text(|entry| vec![entry.notes.clone()]),
    ),
    column(
        "device",
        &[],
        ("where it computes", "device:cuda"),
        Column::Text(|entry| vec![entry.device.to_string()]),
    ),
    column(
        "sweep",
        &[],
        ("the sweep it is a variant of", "sweep:20260114"),
        Column::Text(|entry| {
            let sweep = entry.sweep.as_ref().map(|member| &member.sweep);
            sweep.map(SweepId::to_string).into_iter().collect()
        }),
    ),
    column(
        "started",
        &[],
        ("the day or minute it was started, UTC", "started>=2026-01-14"),
        Column::Moment(|entry| Some(entry.created)),
    ),
    column(
        "ended",
        &[],
        ("the day or minute it ended, UTC", "ended<2026-02-01"),
        Column::Moment(|entry| entry.ended),
    ),
    column("duration", &[], ("from start to end", "duration<10m"), Column::Duration),
    column(
        "tasks",
        &[],
        ("tasks planned", "tasks<10"),
        Column::Number(|entry| Some(entry.tasks as f64)),
    ),
    column(
        "finished",
        &[],
        ("tasks finished", "finished=0"),
        Column::Number(|entry| Some(entry.finished as f64)),
    ),
    column(
        "failed",
        &[],
        ("tasks failed", "failed>0"),
        Column::Number(|entry| Some(entry.failed as f64)),
    ),
    column(
        "ic",
        &[],
        ("information coefficient, out of sample", "ic>=0.02"),
        Column::Number(|entry| score(entry, |score| score.ic_ts)),
    ),
    column(
        "rank_ic",
        &[],
        ("the same on ranks", "rank_ic>0.03"),
        Column::Number(|entry| score(entry, |score| score.rank_ic_ts)),
    ),
    column(
        "hit_rate",
        &[],
        ("share of directions that came true", "hit_rate>52%"),
        Column::Number(|entry| score(entry, |score| score.hit_rate)),
    ),
    column(
        "net_return",
        &["return"],
        ("return after costs", "net_return>5%"),
        Column::Number(|entry| score(entry, |score| score.total_return)),
    ),
    column(
        "sharpe",
        &[],
        ("annualised Sharpe ratio after costs", "sharpe > 1"),
        Column::Number(|entry| score(entry, |score| score.sharpe)),
    ),
    column(
        "max_drawdown",
        &["drawdown"],
        ("largest fall of the equity from a peak", "max_drawdown<20%"),
        Column::Number(|entry| score(entry, |score| score.max_drawdown)),
    ),
    column(
        "turnover",
        &[],
        ("units of equity traded", "turnover<500"),
        Column::Number(|entry| score(entry, |score| score.turnover)),
    ),
];
