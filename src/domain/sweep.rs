use serde::{Deserialize, Serialize};

use super::SweepId;

/// Which variant of which sweep a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepMember {
    /// The sweep.
    pub sweep: SweepId,
    /// Which variant, from 0, in the order of the sweep's table.
    pub variant: u32,
    /// How many variants there are.
    pub variants: u32,
    /// What this variant sets, in the order of the sweep's columns.
    pub settings: Vec<Setting>,
}

/// One field of an experiment and its value, both as `--set` takes them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Setting {
    /// As in `training.learning_rate`.
    pub path: String,
    /// As in `0.001`.
    pub value: String,
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.path, self.value)
    }
}
