//! The one training loop: optimizers, schedules, losses and precision; early stopping with the best weights restored; checkpoints at any step;
//! recovery where memory is short; cancel and pause at every step.
//!
//! Uses rooms up to `models`. It must never know runs, files, screens or threads; it reports through [`Observer`] and keeps through [`Checkpoints`].

mod checkpoint;
mod early_stopping;
mod error;
mod evaluate;
#[cfg(test)]
mod fixture_tests;
#[cfg(test)]
mod golden;
mod learner;
mod loss;
mod monitor;
mod optimizer;
mod order;
mod run;
mod scaler;
mod schedule;
mod seeds;
mod sums;
mod trainer;
mod trial;

pub use checkpoint::{Checkpoint, Checkpoints, NoCheckpoints, Position};
pub use error::{Divergence, TrainError};
pub use evaluate::{EVALUATION_BATCH, predict};
pub use learner::{Learner, StepOutcome, autocast_kind};
pub use loss::{Batch, Loss, Moments};
pub use optimizer::Optimizer;
pub use seeds::TaskSeeds;
pub use trainer::{Observer, Signals, Trained, Trainer, train};
pub use trial::samples_per_second;

#[cfg(test)]
mod tests;
