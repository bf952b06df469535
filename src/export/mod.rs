//! Trained models for other programs: bundles with TorchScript, ONNX, safetensors and what it takes to score with them; TensorBoard's event files.
//!
//! Uses rooms up to `runs`. It must never know how runs are scheduled or shown.

mod bundle;
mod onnx;
mod tensorboard;
mod torchscript;

use std::path::{Path, PathBuf};

use bundle::Staging;
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
use crate::runs::{Manifest, RunFolder, StoreError, TaskMetadata};

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
    /// The run's specification is not the one that the task was trained with.
    #[error(
        "{}: is not what {task} was trained with: {difference}; restore it from a copy", path.display()
    )]
    SpecChanged {
        /// The specification.
        path: PathBuf,
        /// The task.
        task: TaskId,
        /// What differs, in words.
        difference: String,
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
/// a folder `TASK-SYMBOL-TIMEFRAME`, for each of them. Earlier exports of the same names are
/// replaced, all of them or none; where a folder holds anything else, nothing is exported.
///
/// # Errors
/// [`ExportError`]; everything is then as it was before.
pub fn export_run(
    run: &RunFolder,
    what: &ExportWhat,
    to: &Path,
    cancel: &Cancel,
) -> Result<Vec<PathBuf>, ExportError> {
    let (manifest, finished) = finished(run, what)?;
    let spec = read_spec(run)?;
    let refused = |source: std::io::Error| StoreError::write(to, &source);
    let mut staging = Staging::begin(to).map_err(refused)?;
    for metadata in &finished {
        for scaled in variants(metadata) {
            if cancel.is_cancelled() {
                return Err(ExportError::Cancelled);
            }
            let name = folder_name(&metadata.task.id, scaled);
            let folder = staging.folder(&name).map_err(refused)?;
            bundle::build((run, &manifest, &spec), (metadata, scaled), &folder)?;
        }
    }
    if cancel.is_cancelled() {
        return Err(ExportError::Cancelled);
    }
    Ok(staging.put_in_place().map_err(refused)?)
}

/// A finished task's models as [`Bundle::open`] would give them after an export, without one.
///
/// # Errors
/// [`ExportError`], as [`export_run`].
pub fn models_of(run: &RunFolder, task: &TaskId) -> Result<Vec<Bundle>, ExportError> {
    let (manifest, finished) = finished(run, &ExportWhat::Task(task.clone()))?;
    let spec = read_spec(run)?;
    let of = |metadata| {
        let models = variants(metadata).into_iter();
        models.map(|scaled| Bundle::of((run, &manifest, &spec), (metadata, scaled)))
    };
    finished.iter().flat_map(of).collect()
}

fn read_spec(run: &RunFolder) -> Result<spec::ExperimentSpec, StoreError> {
    let path = run.spec_path();
    spec::read(&path).map_err(|source| StoreError::damaged(&path, &source))
}

/// The finished tasks that are wanted, of which there is at least one.
fn finished(
    folder: &RunFolder,
    what: &ExportWhat,
) -> Result<(Manifest, Vec<TaskMetadata>), ExportError> {
    let manifest = folder.manifest()?;
    let finished = folder.finished(&manifest.plan)?;
    let names: Vec<&str> = finished.iter().map(|found| found.task.id.as_str()).collect();
    let run = manifest.run.to_string();
    let nothing = match what {
        _ if finished.is_empty() => ExportError::NothingFinished { run },
        ExportWhat::Task(task) => {
            ExportError::NotFinished { run, task: task.clone(), finished: names.join(", ") }
        }
        ExportWhat::All | ExportWhat::Refit => ExportError::NoRefit { run },
    };
    let wanted = finished.into_iter().filter(|found| what.includes(&found.task));
    let wanted: Vec<TaskMetadata> = wanted.collect();
    if wanted.is_empty() { Err(nothing) } else { Ok((manifest, wanted)) }
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
