use serde::{Deserialize, Serialize};

use super::{Bytes, Symbol, Timeframe};

/// Rows of one task's sections, after warm-up, broken windows and missing labels were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRows {
    /// Rows learnt from.
    pub train: u64,
    /// Rows early stopping saw.
    pub validation: u64,
    /// Rows tested on.
    pub test: u64,
    /// Rows dropped because their label reaches a later section, or because they follow an earlier one too soon.
    pub purged: u64,
    /// Train and validation rows whose outcome is too small to learn a direction from.
    #[serde(default)]
    pub inside_dead_zone: u64,
}

/// Out-of-sample quality of one predictor. `None` means it could not be computed (too few rows, no variance), never zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Test rows it was computed on.
    pub rows: u64,
    /// Pearson correlation of prediction and forward return over one symbol's test rows.
    pub ic_ts: Option<f64>,
    /// The same on ranks (Spearman).
    pub rank_ic_ts: Option<f64>,
    /// Share of rows whose predicted direction came true, 0 to 1.
    pub hit_rate: Option<f64>,
    /// Return of the next-open sign backtest after costs, as a fraction of the starting equity.
    pub total_return: Option<f64>,
    /// Annualised Sharpe ratio of the net bar returns, risk-free rate 0.
    pub sharpe: Option<f64>,
    /// Largest fall from a peak of the equity, a fraction from 0 to 1.
    pub max_drawdown: Option<f64>,
    /// Units of equity traded: 1 is an entry from flat, 2 a flip.
    pub turnover: Option<f64>,
}

/// A baseline's name and its score on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineScore {
    /// `always_long`, `last_return` or `ridge`.
    pub name: String,
    /// Its quality.
    pub score: Score,
}

/// What a finished task has to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// Rows by section.
    pub rows: TaskRows,
    /// Epochs trained.
    pub epochs: u32,
    /// The epoch whose weights were kept, from 1.
    pub best_epoch: u32,
    /// Mean training loss of that epoch, in the loss's own unit (labels standardised).
    pub train_loss: f64,
    /// Validation loss of that epoch; `None` where nothing was validated on, as in a refit.
    pub validation_loss: Option<f64>,
    /// Whether training ended because validation stopped improving.
    pub stopped_early: bool,
    /// Training steps taken.
    pub steps: u64,
    /// Time from start to finish, in seconds.
    pub seconds: f64,
    /// The model's out-of-sample score. For a pooled task: the mean over its symbols.
    pub model: Score,
    /// The baselines on the same rows.
    pub baselines: Vec<BaselineScore>,
    /// Whether the same task gives the same bits again.
    #[serde(default)]
    pub determinism: Determinism,
    /// Most bytes of tensors at once, measured; `None` where they were not.
    #[serde(default)]
    pub peak_memory: Option<Bytes>,
}

/// Whether a task trained again on the same machine, with the same libtorch, gives the same weights bit for bit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Determinism {
    /// Written before this was recorded.
    #[default]
    Unknown,
    /// It does: on the CPU, and nothing that depends on the moment came between.
    BitForBit,
    /// It need not.
    No {
        /// Why, in words.
        because: String,
    },
}

impl Determinism {
    /// Of several tasks together: repeatable only where each of them is, and not where one is known not to be.
    #[must_use]
    pub fn of_all<'a>(each: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut reasons: Vec<&str> = Vec::new();
        let (mut tasks, mut known) = (0, 0);
        for one in each {
            tasks += 1;
            match one {
                Self::Unknown => {}
                Self::BitForBit => known += 1,
                Self::No { because } => {
                    if !reasons.contains(&because.as_str()) {
                        reasons.push(because);
                    }
                }
            }
        }
        if !reasons.is_empty() {
            Self::No { because: reasons.join("; ") }
        } else if tasks > 0 && known == tasks {
            Self::BitForBit
        } else {
            Self::Unknown
        }
    }
}

/// All folds of one symbol at one timeframe, stitched in time order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesSummary {
    /// The instrument.
    pub symbol: Symbol,
    /// The bar length.
    pub timeframe: Timeframe,
    /// Folds whose test sections are in it.
    pub folds: u32,
    /// The model over all test rows.
    pub model: Score,
    /// The baselines over the same rows.
    pub baselines: Vec<BaselineScore>,
}

/// One predictor's correlations across symbols at each moment, averaged over time. Needs at least ten symbols at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossSectionScore {
    /// The bar length.
    pub timeframe: Timeframe,
    /// `model`, or the baseline's name.
    #[serde(default = "model")]
    pub predictor: String,
    /// Moments with enough symbols.
    pub timestamps: u64,
    /// Mean of the correlations.
    pub ic_cs: f64,
    /// Mean of the rank correlations.
    pub rank_ic_cs: f64,
    /// Mean over standard deviation of the correlations.
    pub icir: Option<f64>,
    /// Mean over standard deviation of the rank correlations.
    pub rank_icir: Option<f64>,
    /// Student's t of the mean rank correlation, by Newey and West's variance: neighbouring moments are not independent, because their
    /// labels overlap.
    #[serde(default)]
    pub rank_ic_t: Option<f64>,
    /// Lags that variance allows for, in moments.
    #[serde(default)]
    pub t_lags: u64,
}

fn model() -> String {
    "model".to_owned()
}

/// A run's out-of-sample result, model beside baselines.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// One entry per symbol and timeframe with at least one finished fold.
    pub series: Vec<SeriesSummary>,
    /// The model and the baselines that tell symbols apart, for each timeframe with at least ten symbols.
    pub cross_sections: Vec<CrossSectionScore>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_tasks_are_repeatable_only_where_each_of_them_is() {
        let no = |because: &str| Determinism::No { because: because.to_owned() };
        let (yes, unknown) = (Determinism::BitForBit, Determinism::Unknown);
        for (each, expected) in [
            (vec![], unknown.clone()),
            (vec![yes.clone(), yes.clone()], yes.clone()),
            (vec![yes.clone(), unknown.clone()], unknown),
            (vec![yes, no("a GPU"), no("a GPU"), no("a time limit")], no("a GPU; a time limit")),
        ] {
            assert_eq!(Determinism::of_all(&each), expected, "{each:?}");
        }
    }
}
