//! From bars to batches on the device: one prepared series per symbol and timeframe, one resident unscaled matrix per device, windows gathered by
//! index.
//!
//! Uses rooms up to `devices`. It must never know models, optimizers or runs. No window is ever materialised for more than one batch.

mod cut;
mod fitted;
mod moments;
mod resident;
mod scaling;
mod series;
mod task_data;

pub use cut::TaskCut;
pub use fitted::Fitted;
pub use resident::{Resident, ResidentCache};
pub use scaling::SeriesScaler;
pub use series::{PrepareError, Series, prepare};
pub use task_data::{DatasetError, LatestRows, Section, TaskData, TestRows};

#[cfg(test)]
mod tests;
