//! Runs on disk: a folder per run with its specification, manifest and, per task, weights, history and predictions, and the equity of all of
//! them; beside the folders one index of all runs, a `SQLite` database, which has the lifecycle, the curves and the registry of named models.
//!
//! Uses rooms up to `training`; no other room knows `SQLite`. It owns one thread for each open store, the only one through which runs at work are
//! written: a lifecycle event is durable before anyone is told. What is rare and small (deleting, notes, named models, taking in folders that came
//! from elsewhere) is written by whoever asks, in a transaction of its own. It must never know how tasks are scheduled or shown. Files are replaced atomically: a reader sees
//! the old one or the new one, never half of one. What the index knows of runs can be made again of their folders.

mod check;
mod checkpoint;
mod compare;
mod comparison;
mod connect;
mod curve;
mod database;
mod delete;
mod entry;
mod equity;
mod error;
mod files;
mod folder;
mod found;
mod guard;
mod import;
mod index;
mod listing;
mod log;
mod log_line;
mod manifest;
mod model_entry;
mod outline;
mod owner;
mod past;
mod query;
mod read_predictions;
mod record;
mod registry;
mod results;
mod resume;
mod rows;
mod store;
mod tables;
#[cfg(test)]
mod testing;
mod writer;

pub use check::check_index;
pub use checkpoint::CheckpointFiles;
pub use compare::compare;
pub use comparison::{ComparedFigure, ComparedRun, ComparedSetting, Comparison, SeedGroup};
pub use delete::{annotate_run, delete_run};
pub use entry::{RunEntry, RunFilter};
pub use error::StoreError;
pub use files::{read_weights, write_atomically, write_weights};
use folder::Annotations;
pub use folder::{RunFolder, RunStatus, TaskMetadata};
pub use index::RunIndex;
pub use log::RunLog;
pub use log_line::LogLine;
pub use manifest::{Build, Ending, Manifest, Outcome, TaskEnding};
pub use model_entry::{ModelEntry, ModelStage};
pub use outline::{EpochSpread, RunOutline, WholeEquity};
pub use owner::Owner;
pub use past::MeasuredCost;
pub use query::{QueryColumn, QueryError, RunQuery, search_text};
pub use read_predictions::read_predictions;
pub use registry::{annotate_model, register_model, remove_model, set_stage};
pub use results::{RunResults, TaskResult};
pub use resume::ResumedRun;
pub use store::{RunStore, fresh_name};
pub use tables::{PredictionRows, write_history, write_predictions};
