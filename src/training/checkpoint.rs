use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::early_stopping::EarlyStopping;
use super::schedule::Schedule;
use crate::domain::EpochRecord;

/// A moment between two optimizer steps: everything that training needs to go on as if it had never stopped.
#[derive(Debug)]
pub struct Checkpoint {
    /// Where in the task training is.
    pub position: Position,
    /// Weights, best weights, optimizer, dropout generator, loss scaler, the epoch's sums: by name, on the CPU.
    pub tensors: BTreeMap<String, Tensor>,
}

/// Where in a task training is, in plain numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// The epoch, from 1.
    pub epoch: u32,
    /// Optimizer steps done in it.
    pub step: u32,
    /// Optimizer steps done in all.
    pub steps: u64,
    /// Samples learnt from.
    pub(super) samples: u64,
    /// Time spent training, in seconds.
    pub(super) seconds: f64,
    /// Time spent in this epoch, in seconds.
    pub(super) epoch_seconds: f64,
    pub(super) history: Vec<EpochRecord>,
    pub(super) stopping: EarlyStopping,
    pub(super) schedule: Schedule,
    /// Samples that go through the network at once, after what memory allowed.
    pub(super) micro_batch: i64,
    /// Times that memory was short.
    pub(super) shortages: u32,
    /// Why the result is not repeatable, where it is not.
    pub(super) not_repeatable: Option<String>,
}

/// Who keeps checkpoints. Called on the training thread.
pub trait Checkpoints {
    /// Whether it is time for one.
    fn is_due(&mut self) -> bool;

    /// Keeps it, so that it outlives the process, in the place of an older one.
    ///
    /// # Errors
    /// Why it could not be kept, in words; the older one is still there.
    fn keep(&mut self, checkpoint: &Checkpoint) -> Result<(), String>;

    /// The newest one there is to go on from. Asked once, before the first step.
    fn newest(&mut self) -> Option<Checkpoint>;
}

/// Keeps none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCheckpoints;

impl Checkpoints for NoCheckpoints {
    fn is_due(&mut self) -> bool {
        false
    }

    fn keep(&mut self, _: &Checkpoint) -> Result<(), String> {
        Err("no checkpoints are kept here".to_owned())
    }

    fn newest(&mut self) -> Option<Checkpoint> {
        None
    }
}
