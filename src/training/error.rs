use crate::torch::TorchError;

/// Why training ended without a model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Somebody asked to stop.
    #[error("cancelled after {steps} steps")]
    Cancelled {
        /// Optimizer steps taken before; 0 where nothing was learning.
        steps: u64,
    },
    /// Somebody asked to stand still, and a checkpoint was kept.
    #[error("paused after {steps} steps")]
    Paused {
        /// Optimizer steps taken before.
        steps: u64,
    },
    /// The loss or the gradient left the numbers, or grew beyond all measure.
    #[error("{0}")]
    Diverged(Box<Divergence>),
    /// Memory was short too often, or a smaller batch would be another loss.
    #[error("out of memory while {doing}: {message}; {advice}")]
    OutOfMemory {
        /// At what.
        doing: &'static str,
        /// What libtorch said.
        message: String,
        /// What may help.
        advice: &'static str,
    },
    /// The stored state does not fit the task.
    #[error(
        "the task's checkpoint cannot be used: {0}; remove the task's folder in the run and start again"
    )]
    Checkpoint(String),
    /// There is no batch.
    #[error(
        "no moment of the train section has rows of three symbols, and the loss compares the symbols of a moment; choose more symbols, or another training.loss"
    )]
    NothingToCompare,
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(#[from] TorchError),
}

impl From<tch::TchError> for TrainError {
    fn from(error: tch::TchError) -> Self {
        Self::Torch(error.into())
    }
}

impl TrainError {
    pub(super) fn out_of_memory(doing: &'static str, error: &TorchError) -> Self {
        let advice = "lower training.batch_size, `window` or the model's width, or let fewer tasks run at once (resources.workers)";
        Self::OutOfMemory { doing, message: error.to_string(), advice }
    }
}

/// Where and how training left the numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// The epoch, from 1.
    pub epoch: u32,
    /// The batches of it among which it happened, from 1; none where it was the validation.
    pub batches: Option<(u32, u32)>,
    /// Batches in the epoch.
    pub of: u32,
    /// What left the numbers: `training loss`, `gradient norm`, `validation loss`.
    pub what: &'static str,
    /// Its value.
    pub value: f64,
    /// The step size then.
    pub learning_rate: f64,
    /// The last epoch that ended well and its training loss.
    pub last_good: Option<(u32, f64)>,
    /// The checkpoint there is to go back to, by epoch and batch.
    pub checkpoint: Option<(u32, u32)>,
}

impl std::fmt::Display for Divergence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { epoch, of, what, value, learning_rate, .. } = self;
        write!(f, "training diverged in epoch {epoch}")?;
        match self.batches {
            Some((first, last)) if first == last => write!(f, ", batch {last} of {of}")?,
            Some((first, last)) => write!(f, ", between batches {first} and {last} of {of}")?,
            None => {}
        }
        write!(f, ": the {what} is {value} at a learning rate of {learning_rate:e}")?;
        match self.last_good {
            Some((good, loss)) => {
                write!(
                    f,
                    "; epoch {good} was the last good one, with a training loss of {loss:.4}"
                )?;
            }
            None => f.write_str("; no epoch ended well before")?,
        }
        if let Some((epoch, batch)) = self.checkpoint {
            write!(f, "; the last good checkpoint is of epoch {epoch}, batch {batch}")?;
        }
        f.write_str(
            "; lower training.learning_rate, set training.gradient_clip_val, or look for extreme values in the data (`walkforge data inspect`)",
        )
    }
}
