//! Trained models for other programs: TorchScript with the scaler inside, safetensors, and a manifest with an example to check against.
//!
//! Uses rooms up to `runs`. It must never know how runs are scheduled or shown.

mod manifest;
mod onnx;
mod torchscript;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use manifest::{Example, ExportManifest, FILES, ModelSeries};
pub use onnx::{ONNX_INPUT, ONNX_OUTPUT, OnnxTexts, onnx};
pub use torchscript::{TOLERANCE, trace};

use crate::dataset::SeriesScaler;
use crate::domain::{Cancel, Device, TaskId};
use crate::models::{BuildError, Network};
use crate::runs::{RunFolder, StoreError, TaskMetadata, read_weights, write_atomically};
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

/// Exports every finished task of a run, a folder each, and returns the folders. A task whose series have scalers of their own makes a model, and
/// a folder `TASK-SYMBOL-TIMEFRAME`, for each of them. An earlier export of the same name is
/// replaced whole; a folder that holds anything else is left alone and refused.
///
/// # Errors
/// [`ExportError`]; folders written before it are whole.
pub fn export_run(
    run: &RunFolder,
    to: &Path,
    cancel: &Cancel,
) -> Result<Vec<PathBuf>, ExportError> {
    let manifest = run.manifest()?;
    let mut written = Vec::new();
    for task in &manifest.plan.tasks {
        if cancel.is_cancelled() {
            return Err(ExportError::Cancelled);
        }
        if let Some(metadata) = run.metadata(&task.id)? {
            for scaled in variants(&metadata) {
                let folder = to.join(folder_name(&task.id, scaled));
                export_model((run, &manifest), (&metadata, scaled), &folder)?;
                written.push(folder);
            }
        }
    }
    if written.is_empty() {
        return Err(ExportError::NothingFinished { run: manifest.run.to_string() });
    }
    Ok(written)
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

fn export_model(
    (run, run_manifest): (&RunFolder, &crate::runs::Manifest),
    (metadata, scaled): (&TaskMetadata, Option<&SeriesScaler>),
    folder: &Path,
) -> Result<(), ExportError> {
    let task = &metadata.task.id;
    let torch = |source| ExportError::Torch { task: task.clone(), source };
    let stored = run.task(task).join("weights.safetensors");
    let mut design = metadata.design.clone();
    if let Some(own) = scaled {
        // While it learnt, its windows came scaled by the very numbers that it now applies itself.
        design.scaler = own.scaler.clone();
    }
    let network = Network::from_weights(design.clone(), Device::Cpu, read_weights(&stored)?)
        .map_err(|source| ExportError::Network { task: task.clone(), source })?;
    let module = trace(&network).map_err(torch)?;
    if let Some((batch, difference)) =
        torchscript::first_mismatch(&network, &module).map_err(torch)?
    {
        return Err(ExportError::Mismatch { task: task.clone(), batch, difference });
    }
    let example = Example::of(&network).map_err(torch)?;

    let to = folder.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(to).map_err(|source| StoreError::write(to, &source))?;
    // Built aside and put in place whole: a folder never holds files of two models.
    let aside = tempfile::Builder::new()
        .prefix(".walkforge-")
        .tempdir_in(to)
        .map_err(|source| StoreError::write(to, &source))?;
    torchscript::save(&module, &aside.path().join(FILES.torchscript))?;
    write_atomically(&aside.path().join(FILES.weights), |file| {
        std::io::copy(&mut std::fs::File::open(&stored)?, file)?;
        Ok(())
    })?;
    let manifest = ExportManifest::new((metadata, scaled), (&design, example), run_manifest);
    write_atomically(&aside.path().join(FILES.manifest), |file| {
        Ok(serde_json::to_writer_pretty(file, &manifest)?)
    })?;
    put_in_place(aside, folder).map_err(|source| StoreError::write(folder, &source).into())
}

/// Replaces the folder by the one built aside. Only an earlier export is replaced: whatever else lies there is the user's.
fn put_in_place(aside: tempfile::TempDir, folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(aside.path(), std::fs::Permissions::from_mode(0o755))?;
    }
    if folder.exists() {
        if let Some(name) = foreign_file(folder)? {
            return Err(std::io::Error::other(format!(
                "it holds `{}`, which is no part of an exported model, and would be lost; move it away",
                name.display()
            )));
        }
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::rename(aside.path(), folder)?;
    // Its files are in place; there is nothing left to delete.
    let _moved = aside.keep();
    Ok(())
}

/// The first entry of an existing folder that an export does not write.
fn foreign_file(folder: &Path) -> std::io::Result<Option<OsString>> {
    let ours = [FILES.torchscript, FILES.weights, FILES.manifest];
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if ours.iter().all(|file| name != *file) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
