//! From bars to batches on the device: one prepared series per symbol, one resident unscaled matrix per task, windows gathered by index.
//!
//! Uses rooms up to `devices`. It must never know models, optimizers or runs. No window is ever materialised for more than one batch.

mod series;
mod task_data;

pub use series::{PrepareError, Series};
pub use task_data::{DatasetError, LatestRows, Section, TaskData, TestRows};

#[cfg(test)]
mod tests;
