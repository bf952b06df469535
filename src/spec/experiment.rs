use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{
    FeatureSpec, LabelSpec, ModelSpec, QualitySpec, Scaling, SweepSpec, TrainingSpec,
    ValidationSpec, WeightSpec,
};
use crate::domain::{ContentHash, Device, Symbol, Timeframe, UtcMillis};

/// The version of the file format. Files of version 1 are converted on reading, those of any other are refused.
pub const SCHEMA_VERSION: u32 = 2;

/// A whole experiment: what data, which model, how it is validated and trained. Immutable once started and hashed by content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentSpec {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema: u32,
    /// A short name; part of the run's name.
    pub name: String,
    /// Free text for people.
    #[serde(default)]
    pub notes: String,
    /// The bars.
    pub data: DataSpec,
    /// The columns of the feature matrix, in order.
    pub features: Vec<FeatureSpec>,
    /// Bars in the window the model sees, at least 1; the last one is the bar decided on.
    pub window: u32,
    /// Whose rows the scaler is fitted on.
    #[serde(default)]
    pub scaling: Scaling,
    /// What is predicted.
    pub label: LabelSpec,
    /// How much each train row counts.
    #[serde(default)]
    pub weights: WeightSpec,
    /// How time is cut into folds.
    pub validation: ValidationSpec,
    /// The network.
    pub model: ModelSpec,
    /// How it learns.
    pub training: TrainingSpec,
    /// What a trade costs in every backtest.
    #[serde(default)]
    pub costs: CostSpec,
    /// What the run may use.
    #[serde(default)]
    pub resources: ResourceSpec,
    /// Every random choice follows from it.
    pub seed: u64,
    /// Variants of all this, each a run of its own.
    #[serde(default)]
    pub sweep: SweepSpec,
}

impl ExperimentSpec {
    /// Hash of everything that decides the result: without name, notes, sweep, worker count and the folder's place on disk.
    ///
    /// # Panics
    /// Never: every field serialises.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        let mut spec = self.clone();
        spec.name.clear();
        spec.notes.clear();
        spec.sweep = SweepSpec::default();
        let resources = ResourceSpec { device: spec.resources.device, ..ResourceSpec::default() };
        spec.resources =
            ResourceSpec { threads_per_task: spec.resources.threads_per_task, ..resources };
        if let DataSource::Folder(path) = &mut spec.data.source {
            *path = PathBuf::new();
        }
        let json =
            serde_json::to_vec(&spec).expect("a spec has only string keys and finite floats");
        ContentHash::of(&json)
    }
}

/// Where bars come from and which of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// A folder on disk or a built-in synthetic market.
    pub source: DataSource,
    /// The symbols; empty means every one the source has at the timeframes.
    #[serde(default)]
    pub symbols: Vec<Symbol>,
    /// The bar lengths; empty means every one the source has.
    #[serde(default)]
    pub timeframes: Vec<Timeframe>,
    /// One model per symbol, or one for all.
    #[serde(default)]
    pub pooling: Pooling,
    /// Only bars that open at or after this moment.
    #[serde(default)]
    pub from: Option<UtcMillis>,
    /// Only bars that open before this moment.
    #[serde(default)]
    pub until: Option<UtcMillis>,
    /// What is done about rows that are no bars, and bars that look odd.
    #[serde(default)]
    pub quality: QualitySpec,
}

/// Where bars come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum DataSource {
    /// Every market file in this folder.
    Folder(PathBuf),
    /// A market made up from a seed, the same on every machine.
    Synthetic(SyntheticSpec),
}

/// A deterministic made-up market.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyntheticSpec {
    /// What there is to find in it.
    pub market: SyntheticMarket,
    /// Bars of each symbol.
    pub bars: u32,
    /// Each symbol's random numbers follow from it and the symbol's name.
    pub seed: u64,
}

/// What a synthetic market holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SyntheticMarket {
    /// The next return depends on the bar's volume surprise; their correlation is `ic`. Price history alone predicts nothing.
    Planted {
        /// Correlation of the best possible prediction with the outcome at horizon 1, between -1 and 1.
        ic: f64,
    },
    /// A random walk: nothing predicts anything.
    Null,
}

/// Which symbols share a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pooling {
    /// A model of its own for each symbol.
    #[default]
    PerSymbol,
    /// One model for all symbols of a timeframe, cut on one UTC time axis.
    Pooled,
    /// One model for all symbols and timeframes, cut on one UTC time axis. Lengths in bars count the decisions of all of them together.
    PooledTimeframes,
}

/// What trading costs, charged on every change of position. On by default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostSpec {
    /// Fee in basis points of the traded value.
    pub fee_bps: f64,
    /// Half the bid-ask spread in basis points of the price.
    pub half_spread_bps: f64,
}

impl Default for CostSpec {
    /// 5 bp fee and 1 bp half-spread: a liquid crypto pair for a taker.
    fn default() -> Self {
        Self { fee_bps: 5.0, half_spread_bps: 1.0 }
    }
}

/// What a run may use of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceSpec {
    /// Where to compute.
    #[serde(default)]
    pub device: DeviceChoice,
    /// Tasks that train at the same time; absent: as many as the cores allow. Never changes a result.
    #[serde(default)]
    pub workers: Option<u32>,
    /// Threads libtorch uses within a task. Part of the result: sums are split by it.
    #[serde(default = "one")]
    pub threads_per_task: u32,
    /// The share of each memory that this program may use of what others leave, above 0 to 1. Never changes a result.
    #[serde(default = "most_memory")]
    pub memory_fraction: f64,
    /// Seconds between two checkpoints of a task; 0 for none but those of a pause. Never changes a result.
    #[serde(default = "a_minute")]
    pub checkpoint_secs: u32,
    /// Take over what an earlier run in the same folder has trained, where everything that decides a task's result is the same. Never changes a
    /// result that is repeatable.
    #[serde(default = "yes")]
    pub reuse: bool,
}

const fn yes() -> bool {
    true
}

const fn most_memory() -> f64 {
    0.9
}

const fn a_minute() -> u32 {
    60
}

const fn one() -> u32 {
    1
}

impl Default for ResourceSpec {
    fn default() -> Self {
        Self {
            device: DeviceChoice::Auto,
            workers: None,
            threads_per_task: one(),
            memory_fraction: most_memory(),
            checkpoint_secs: a_minute(),
            reuse: yes(),
        }
    }
}

/// The user's wish for a device. Written `auto`, `cpu`, `cuda:0`, `mps`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceChoice {
    /// CUDA before MPS before CPU.
    #[default]
    Auto,
    /// This one and no other.
    Only(Device),
}

impl std::str::FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => text.parse().map(Self::Only).map_err(|_invalid: String| {
                format!("`{text}` is no device; expected auto, cpu, cuda:N or mps")
            }),
        }
    }
}

impl std::fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Only(device) => device.fmt(f),
        }
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}
