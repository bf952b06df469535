//! Trained models for other programs: bundles with TorchScript, ONNX, safetensors and what it takes to score with them; TensorBoard's event files.
//!
//! Uses rooms up to `runs`. It must never know how runs are scheduled or shown.

mod bundle;
mod onnx;
mod sha256;
mod tensorboard;
mod torchscript;

use std::path::{Path, PathBuf};

pub use bundle::{
    Bundle, BundleError, BundleFeature, Example, ExportManifest, FILES, FileHash, Files, Lineage,
    MANIFEST_SCHEMA, ModelSeries, Periods, TensorText,
};
pub use onnx::{ONNX_INPUT, ONNX_OUTPUT, OnnxTexts, onnx};
pub use tensorboard::EventFiles;
pub use torchscript::{TOLERANCE, trace};

use crate::dataset::SeriesScaler;
use crate::domain::{Cancel, Task, TaskId, TaskRole};
use crate::models::BuildError;
use crate::runs::{RunFolder, StoreError, TaskMetadata};
use crate::spec;
use crate::torch::TorchError;

/// Why a model could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing to export.
    #[error(
        "run {run} has no finished task to export; `walkforge runs show {run}` says what became of them"
    )]
    NothingFinished {
        /// The run.
        run: String,
    },
    /// The task asked for is not there, or did not finish.
    #[error("run {run} has no finished task `{task}` to export; it has {finished}")]
    NotFinished {
        /// The run.
        run: String,
        /// What was asked for.
        task: TaskId,
        /// Those that there are, comma-separated.
        finished: String,
    },
    /// There is no model of all rows.
    #[error(
        "run {run} has no finished refit; set training.refit = true, which trains a model on all rows after the folds, or export its folds"
    )]
    NoRefit {
        /// The run.
        run: String,
    },
    /// The stored weights cannot be used.
    #[error("{task}: {source}")]
    Network {
        /// The task.
        task: TaskId,
        /// Why.
        source: BuildError,
    },
    /// libtorch refused.
    #[error("{task}: libtorch: {source}")]
    Torch {
        /// The task.
        task: TaskId,
        /// What it said.
        source: TorchError,
    },
    /// The exported module does not compute what the network computes.
    #[error(
        "{task}: the exported module differs from the trained network by {difference:e} at batch size {batch}; it was not written; please report this"
    )]
    Mismatch {
        /// The task.
        task: TaskId,
        /// Samples in the batch.
        batch: i64,
        /// Largest absolute difference.
        difference: f64,
    },
    /// ONNX is protobuf, whose readers take no more.
    #[error(
        "{task}: the model is larger than the 2 GiB that an ONNX file may have; train a smaller one"
    )]
    TooLarge {
        /// The task.
        task: TaskId,
    },
    /// TensorBoard's files cannot be written.
    #[error("{}: cannot be written: {message}; check the path and the free disk space, or name another folder with --tensorboard", path.display())]
    EventFile {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// Somebody asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl ExportError {
    /// Whether it ended because somebody asked.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }
}

/// Which models of a run to export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ExportWhat {
    /// Those of all finished tasks.
    #[default]
    All,
    /// That of one task.
    Task(TaskId),
    /// Those that were trained on all rows after the folds.
    Refit,
}

impl ExportWhat {
    fn includes(&self, task: &Task) -> bool {
        match self {
            Self::All => true,
            Self::Task(wanted) => task.id == *wanted,
            Self::Refit => task.role == TaskRole::Refit,
        }
    }
}

/// Exports finished tasks of a run, a bundle each, and returns the folders. A task whose series have scalers of their own makes a model, and
/// a folder `TASK-SYMBOL-TIMEFRAME`, for each of them. An earlier export of the same name is
/// replaced whole; a folder that holds anything else is left alone and refused.
///
/// # Errors
/// [`ExportError`]; folders written before it are whole, and what they replaced is replaced.
pub fn export_run(
    run: &RunFolder,
    what: &ExportWhat,
    to: &Path,
    cancel: &Cancel,
) -> Result<Vec<PathBuf>, ExportError> {
    let manifest = run.manifest()?;
    let mut written = Vec::new();
    let mut spec = None;
    for task in manifest.plan.tasks.iter().filter(|task| what.includes(task)) {
        if cancel.is_cancelled() {
            return Err(ExportError::Cancelled);
        }
        if let Some(metadata) = run.metadata(&task.id)? {
            let spec = match &spec {
                Some(spec) => spec,
                None => spec.insert(read_spec(run)?),
            };
            for scaled in variants(&metadata) {
                let folder = to.join(folder_name(&task.id, scaled));
                bundle::export_model((run, &manifest, spec), (&metadata, scaled), &folder)?;
                written.push(folder);
            }
        }
    }
    if written.is_empty() { Err(nothing(run, &manifest, what)?) } else { Ok(written) }
}

fn read_spec(run: &RunFolder) -> Result<spec::ExperimentSpec, StoreError> {
    let path = run.path().join("spec.ron");
    spec::read(&path).map_err(|source| StoreError::damaged(&path, &source))
}

/// Why there was nothing to export.
fn nothing(
    folder: &RunFolder,
    manifest: &crate::runs::Manifest,
    what: &ExportWhat,
) -> Result<ExportError, StoreError> {
    let run = manifest.run.to_string();
    let mut finished = Vec::new();
    for task in &manifest.plan.tasks {
        if folder.metadata(&task.id)?.is_some() {
            finished.push(task.id.to_string());
        }
    }
    Ok(match what {
        _ if finished.is_empty() => ExportError::NothingFinished { run },
        ExportWhat::Task(task) => {
            ExportError::NotFinished { run, task: task.clone(), finished: finished.join(", ") }
        }
        ExportWhat::All | ExportWhat::Refit => ExportError::NoRefit { run },
    })
}

/// The models of a task: one, or one for each scaler.
fn variants(metadata: &TaskMetadata) -> Vec<Option<&SeriesScaler>> {
    match metadata.series_scalers.as_slice() {
        [] => vec![None],
        own => own.iter().map(Some).collect(),
    }
}

fn folder_name(task: &TaskId, scaled: Option<&SeriesScaler>) -> String {
    scaled
        .map_or_else(|| task.to_string(), |own| format!("{task}-{}-{}", own.symbol, own.timeframe))
}
