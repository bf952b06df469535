use serde::{Deserialize, Serialize};

use super::{
    Bytes, ContentHash, Device, FoldIndex, ProblemCount, Symbol, TaskId, Timeframe, UtcMillis,
};

/// A half-open span of decision times: a bar belongs to it when it closes at or after `start` and before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSpan {
    /// The first moment inside.
    pub start: UtcMillis,
    /// The first moment after.
    pub end: UtcMillis,
}

impl TimeSpan {
    /// Whether the moment lies inside.
    #[must_use]
    pub fn contains(self, at: UtcMillis) -> bool {
        self.start <= at && at < self.end
    }
}

/// One walk-forward fold: where its sections lie on the UTC time axis. The gaps between them are the embargo; the purge comes on top, row
/// by row, from the label end times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldPlan {
    /// Position in the plan, from 0.
    pub index: FoldIndex,
    /// What the model learns from.
    pub train: TimeSpan,
    /// What early stopping and model choice see.
    pub validation: TimeSpan,
    /// What is seen once, at the end.
    pub test: TimeSpan,
}

/// One unit of training: a model for these symbols at this timeframe on this fold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Name within the run.
    pub id: TaskId,
    /// What decides the result: equal keys give equal weights on the same machine.
    pub key: ContentHash,
    /// The symbols the model is trained on: one, or all of them where pooled.
    pub symbols: Vec<Symbol>,
    /// The bar length.
    pub timeframe: Timeframe,
    /// The sections.
    pub fold: FoldPlan,
    /// Seeds initial weights, batch order and dropout: a hash of the experiment's seed and the task's identity, never of its position.
    pub seed: u64,
    /// Where it computes, resolved.
    pub device: Device,
    /// Parameters to be learnt.
    pub parameters: u64,
    /// Estimated peak of tensors at work: the resident matrix, weights, gradients, optimizer state, activations.
    pub memory: Bytes,
}

/// What was found of one symbol's bars at one timeframe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesPlan {
    /// The instrument.
    pub symbol: Symbol,
    /// The bar length.
    pub timeframe: Timeframe,
    /// Bars read.
    pub bars: u64,
    /// Open time of the first bar.
    pub first_open: UtcMillis,
    /// Open time of the last bar.
    pub last_open: UtcMillis,
    /// Hash of the bars.
    pub data: ContentHash,
    /// What was wrong with the file's rows, and how many were dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quality: Vec<ProblemCount>,
    /// The bar length of the file, where the bars were put together from shorter ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_from: Option<Timeframe>,
}

/// Everything that will be done, with every choice resolved. Nothing in it is guessed later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The experiment's name.
    pub experiment: String,
    /// Hash of the resolved specification.
    pub spec: ContentHash,
    /// Where the tasks compute.
    pub device: Device,
    /// Why there.
    pub device_reason: String,
    /// Tasks that train at the same time.
    pub workers: u32,
    /// Threads libtorch uses within one task.
    pub threads_per_task: u32,
    /// Columns of the feature matrix, in order.
    pub features: Vec<String>,
    /// The series read.
    pub series: Vec<SeriesPlan>,
    /// The tasks, in the order they are queued.
    pub tasks: Vec<Task>,
    /// What the user should know before starting.
    pub warnings: Vec<String>,
}
