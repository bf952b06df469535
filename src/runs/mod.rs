//! Runs on disk: a folder per run with its specification, manifest, event log and, per task, weights, history and
//! predictions, and the equity of all of them.
//!
//! Uses rooms up to `training`. It owns one thread, the writer of the event logs: an event is durable before anyone is told. It must never
//! know how tasks are scheduled or shown. Files are replaced atomically: a reader sees the old one or the new one, never half of one.

mod checkpoint;
mod compare;
mod comparison;
mod entry;
mod equity;
mod error;
mod files;
mod folder;
mod log;
mod manifest;
mod model_entry;
mod results;
mod store;
mod tables;

pub use checkpoint::CheckpointFiles;
pub use compare::compare;
pub use comparison::{ComparedFigure, ComparedRun, ComparedSetting, Comparison, SeedGroup};
pub use entry::{RunEntry, RunFilter};
pub use error::StoreError;
pub use files::{read_weights, write_atomically, write_weights};
pub use folder::{RunFolder, RunStatus, TaskMetadata};
pub use log::RunLog;
pub use manifest::{Manifest, Outcome, Owner};
pub use model_entry::{ModelEntry, ModelStage};
pub use results::{RunResults, TaskResult};
pub use store::RunStore;
pub use tables::{PredictionRows, write_history, write_predictions};
