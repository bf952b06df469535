use serde::{Deserialize, Serialize};

use super::{Device, Plan, RunId, RunSummary, StoredTask, TaskId, TaskReport, UtcMillis};

/// Something that happened, told to every front end alike. One JSON line with `--json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The run.
    pub run: RunId,
    /// The task, where it concerns one.
    pub task: Option<TaskId>,
    /// Counts up within the run, from 0. A gap means metric events were coalesced.
    pub seq: u64,
    /// When, by the engine's clock.
    pub at: UtcMillis,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    /// The run exists on disk and this is what it will do.
    Planned {
        /// The resolved plan.
        plan: Box<Plan>,
    },
    /// The task waits for a worker.
    Queued,
    /// The task runs.
    Started {
        /// Where.
        device: Device,
    },
    /// The task entered a stage.
    Stage {
        /// Which.
        stage: Stage,
    },
    /// How far training is. May be coalesced.
    Progress(Progress),
    /// An epoch ended.
    Epoch(EpochRecord),
    /// Something the user should know; the task goes on.
    Warning {
        /// What, and what to do.
        message: String,
    },
    /// The task is done and its files are on disk.
    Finished {
        /// The result.
        report: Box<TaskReport>,
    },
    /// The task ended without a result; the others go on.
    Failed {
        /// What went wrong, where, and the next step.
        message: String,
    },
    /// The task stopped because somebody asked.
    Cancelled,
    /// The task stopped at a checkpoint and gave its device back; it goes on with another `Started`.
    Paused {
        /// Optimizer steps taken so far.
        steps: u64,
    },
    /// The task need not be trained: its result was there already.
    Kept {
        /// The result.
        report: Box<TaskReport>,
        /// The task of another run with the same key; `None` where this very run had finished it before it was interrupted.
        from: Option<StoredTask>,
    },
    /// An attempt failed for a reason that may pass, or somebody asked for another one; the task is tried again.
    Retrying {
        /// What went wrong, and what is done about it.
        message: String,
        /// Which attempt comes next, from 2.
        attempt: u32,
    },
    /// Every task of the run has ended.
    RunEnded {
        /// How.
        outcome: RunOutcome,
        /// What the finished tasks add up to.
        summary: Box<RunSummary>,
    },
}

impl EventKind {
    /// Whether a newer event of the same task makes this one worthless.
    #[must_use]
    pub const fn is_coalescible(&self) -> bool {
        matches!(self, Self::Progress(_))
    }

    /// Whether the event must be on disk before anyone is told: everything but measurements.
    #[must_use]
    pub const fn is_lifecycle(&self) -> bool {
        !matches!(self, Self::Progress(_) | Self::Epoch(_) | Self::Stage { .. })
    }
}

/// What a task is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Building sections, scaler and tensors.
    Dataset,
    /// Learning.
    Training,
    /// Predicting and scoring the test section, and the baselines.
    Evaluation,
    /// Writing files.
    Saving,
}

/// How far a task's training is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The current epoch, from 1.
    pub epoch: u32,
    /// The last epoch there can be; early stopping may end sooner.
    pub max_epochs: u32,
    /// Batches done in this epoch.
    pub batch: u32,
    /// Batches in an epoch.
    pub batches: u32,
    /// Training samples a second since the task's training began.
    pub samples_per_second: f64,
    /// Where the time of this attempt's steps went; unknown in what older versions wrote.
    #[serde(default)]
    pub times: Option<StepTimes>,
}

/// Where the time of training steps went, in seconds, as the thread that trains sees it. A graphics card works behind it: there a part is what
/// it takes to ask for the work, and waiting for the answer counts as something else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct StepTimes {
    /// Gathering windows, labels and weights.
    pub data: f64,
    /// Through the network to the loss.
    pub forward: f64,
    /// Gradients.
    pub backward: f64,
    /// Clipping, scaling and the step itself.
    pub optimizer: f64,
    /// Everything since training began: these four, validation, checkpoints, waiting.
    pub total: f64,
}

impl Progress {
    /// How much of the training is done at most, 0 to 1: early stopping may end it sooner.
    #[must_use]
    pub fn share(&self) -> f64 {
        let epochs = f64::from(self.epoch.max(1) - 1)
            + f64::from(self.batch) / f64::from(self.batches.max(1));
        (epochs / f64::from(self.max_epochs.max(1))).min(1.0)
    }
}

/// One line of a task's history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Which, from 1.
    pub epoch: u32,
    /// Mean loss over the epoch's training batches, measured while learning.
    pub train_loss: f64,
    /// Loss on the validation rows after the epoch; `None` where there are none, as in a refit.
    pub validation_loss: Option<f64>,
    /// The validation metric that is watched, where it is not the loss and could be computed.
    #[serde(default)]
    pub monitor: Option<f64>,
    /// The learning rate used.
    pub learning_rate: f64,
    /// Mean norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Duration, in seconds.
    pub seconds: f64,
    /// Whether these are the best weights so far.
    pub is_best: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Every task finished.
    Finished,
    /// At least one task failed.
    Failed,
    /// Stopped on request; finished tasks are kept.
    Cancelled,
}
