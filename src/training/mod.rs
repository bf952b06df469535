//! The one training loop: `AdamW`, gradient clipping, early stopping with the best weights restored, cancel at every batch.
//!
//! Uses rooms up to `models`. It must never know runs, files, screens or threads; it reports through [`Observer`].

mod adamw;
mod early_stopping;
#[cfg(test)]
mod golden;
mod loss;
mod seeds;
mod trainer;

pub use adamw::AdamW;
pub use loss::Loss;
pub use seeds::TaskSeeds;
pub use trainer::{EVALUATION_BATCH, Observer, TrainError, Trained, output_unit, predict, train};
