//! What is to be predicted at each bar: the label, the return it stands for, when it is known, and how much each row should count.
//!
//! The room uses `domain`, `spec` and `market`. It must never know features, folds, libtorch, files, threads or screens: thresholds
//! that are learnt from data, and the purge, belong to those who know which rows are train rows.
//!
//! A decision at bar t is filled no earlier than the open of bar t+1, so a label with horizon H spans open(t+1) → open(t+1+H) at most. H
//! counts bars: a weekend inside does not break a label, it makes it end later.

mod barrier;
mod compute;
mod dead_zone;
mod first_touch;
mod moments;
mod panel;
mod truncation;
mod volatility;
mod weights;

pub use compute::{Labels, compute};
pub use dead_zone::{class_in_fold, dead_zone_threshold, is_learnable};
pub use panel::compute_panel;
pub use truncation::{LabelLeak, check_end_times, check_end_times_of};
pub use volatility::causal_volatility;
pub use weights::{WeightedRows, sample_weights, uniqueness};

#[cfg(test)]
mod golden;
