use serde::Serialize;

use crate::domain::{TaskId, UtcMillis};

/// Something that happened in a run, as the index remembers it: everything but progress and epochs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// Counts up within the run; gaps are events that were measurements.
    pub seq: u64,
    /// When.
    pub at: UtcMillis,
    /// The task, where it concerns one.
    pub task: Option<TaskId>,
    /// The event's kind as its JSON has it, as in `finished`.
    pub kind: String,
    /// What there is to say: a warning, a failure, a device, a stage.
    pub message: Option<String>,
}
