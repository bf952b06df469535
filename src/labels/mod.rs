//! What is to be predicted at each bar: the label, the return it stands for, and when it is known.
//!
//! The room uses `domain`, `spec` and `market`. It must never know features, folds, libtorch, files, threads or screens: thresholds
//! that are learnt from data, and the purge, belong to those who know which rows are train rows.
//!
//! A decision at bar t is filled no earlier than the open of bar t+1, so a label with horizon H spans open(t+1) → open(t+1+H). H counts
//! bars: a weekend inside does not break a label, it makes it end later.

mod forward;

pub use forward::{Labels, compute};
