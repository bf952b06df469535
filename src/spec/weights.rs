use serde::{Deserialize, Serialize};

use super::validate::Check;

/// How much each train row counts in the loss. Found from the fold's train rows alone, and 1 on average; validation and test rows count alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightSpec {
    /// Rows whose labels overlap share what they say: the average uniqueness of López de Prado 2018, §4.4.
    #[serde(default)]
    pub uniqueness: bool,
    /// Old rows fade, in proportion to the uniqueness gathered since (§4.7). The newest row weighs 1; the oldest this much, from 0 to 1; below
    /// 0, down to above -1, the oldest rows of that share weigh nothing. Absent: no decay, as with 1.
    #[serde(default)]
    pub time_decay: Option<f64>,
}

impl WeightSpec {
    /// Whether every row counts alike.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        !self.uniqueness && self.time_decay.is_none()
    }

    pub(super) fn check(self, check: &mut Check) {
        check.within_or_absent("weights.time_decay", self.time_decay);
    }
}

/// Whose train rows a feature's mean and deviation come from, where several series share a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scaling {
    /// One scaler for all: what differs between symbols stays to be seen.
    #[default]
    Global,
    /// Each symbol and timeframe has its own: what is usual for it is the measure. One without train rows in a fold gets the global one.
    PerSymbol,
}
