use serde::Serialize;

use crate::domain::RunId;
use crate::domain::text::{number, percent, significant};

/// Several runs side by side.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// The runs, in the order they were asked for.
    pub runs: Vec<ComparedRun>,
    /// The fields of their specifications that differ, in the order of the specification. `None` where a run's specification has no such field
    /// (another model, say). Each list has a value for every run, in order.
    pub settings: Vec<ComparedSetting>,
    /// Out-of-sample figures, in the order they are shown: the mean over the run's series. Each list has a value for every run, in order.
    pub figures: Vec<ComparedFigure>,
    /// Runs that differ in nothing but their seeds, together; in the order of their first runs. Empty where no two runs do.
    pub seed_groups: Vec<SeedGroup>,
}

/// One of the runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedRun {
    /// The run.
    pub id: RunId,
    /// The experiment's name.
    pub experiment: String,
}

/// A field in which the runs differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedSetting {
    /// As `--set` takes it.
    pub path: String,
    /// As `--set` takes them.
    pub values: Vec<Option<String>>,
}

/// A figure of all runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedFigure {
    /// As in `rank IC`, `Sharpe ratio`, `validation loss`.
    pub name: String,
    /// Whether more is better; `None` where neither is.
    pub more_is_better: Option<bool>,
    /// `None` where it could not be computed.
    pub values: Vec<Option<f64>>,
}

impl ComparedFigure {
    /// One of its values, rounded as it means something.
    #[must_use]
    pub fn shown(&self, value: Option<f64>) -> String {
        match self.name.as_str() {
            "IC" | "rank IC" => number(value, 4),
            "hit rate" | "net return" | "max drawdown" => percent(value),
            "Sharpe ratio" => number(value, 2),
            "turnover" => number(value, 0),
            "validation loss" => number(value, 5),
            _ => significant(value),
        }
    }
}

/// Runs that differ in their seeds only.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeedGroup {
    /// Their places in [`Comparison::runs`]: at least two.
    pub runs: Vec<usize>,
    /// For each figure the mean over the runs that have it.
    pub means: Vec<Option<f64>>,
    /// For each figure the sample standard deviation; `None` where fewer than two runs have it.
    pub deviations: Vec<Option<f64>>,
}
