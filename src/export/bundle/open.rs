use std::path::{Path, PathBuf};

use serde::Deserialize;
use tch::Tensor;

use super::example::Example;
use super::manifest::{ExportManifest, FILES, FileHash, MANIFEST_SCHEMA};
use super::write::Model;
use crate::dataset::SeriesScaler;
use crate::domain::{Cancel, Device};
use crate::export::ExportError;
use crate::features::FeatureMatrix;
use crate::models::{BuildError, Network, estimate_evaluation_pass};
use crate::runs::{Manifest, RunFolder, StoreError, TaskMetadata, read_weights};
use crate::spec::ExperimentSpec;
use crate::torch::TorchError;

/// Rows predicted at once, where memory allows.
const BATCH: usize = 4096;
/// What a batch may take: attention over a long window takes the square of it.
const BATCH_BYTES: u64 = 512 << 20;

/// An exported model, read and found whole, ready to predict on the CPU.
#[derive(Debug)]
pub struct Bundle {
    manifest: ExportManifest,
    network: Network,
}

/// Why an exported model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file is not there or is no manifest.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is none.
    #[error(
        "{}: is no exported model: it has no manifest.json; name a folder that `walkforge runs export` wrote", path.display()
    )]
    NoBundle {
        /// What was named.
        path: PathBuf,
    },
    /// Another version wrote it.
    #[error(
        "{}: has format {found}, and this program reads format {MANIFEST_SCHEMA}; export the model again (`walkforge runs export`)", path.display()
    )]
    Schema {
        /// The manifest.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// A file is not the one that was exported.
    #[error(
        "{}: is not the file that was exported: its hash differs from the one in manifest.json; copy the bundle again, or export the model again", path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The manifest describes another network than the one that was exported.
    #[error(
        "{}: describes another model than the one that was exported: what it predicts for example.json differs by {difference:e}; copy the bundle again, or export the model again", path.display()
    )]
    AnotherModel {
        /// The manifest.
        path: PathBuf,
        /// Largest absolute difference.
        difference: f64,
    },
    /// The features are not the model's.
    #[error(
        "the model wants the columns {expected}, and there are {found}; this is a defect of ours, please report it"
    )]
    Columns {
        /// Comma-separated.
        expected: String,
        /// Comma-separated.
        found: String,
    },
    /// The weights do not fit.
    #[error("{}: {source}", path.display())]
    Network {
        /// The bundle.
        path: PathBuf,
        /// Why.
        source: BuildError,
    },
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(#[from] TorchError),
    /// Somebody asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl From<tch::TchError> for BundleError {
    fn from(error: tch::TchError) -> Self {
        Self::Torch(error.into())
    }
}

impl Bundle {
    /// Reads a bundle, given its folder or a file in it. Weights and example are held to the manifest's hashes, and so are `model.pt` and
    /// `model.onnx` where they are; scaler and output unit, which stand in the manifest itself, to the example.
    ///
    /// # Errors
    /// [`BundleError`], naming the file and the next step.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let folder = if path.is_file() { path.parent().unwrap_or(path) } else { path };
        let manifest = read_manifest(folder)?;
        for name in [FILES.torchscript, FILES.onnx] {
            if folder.join(name).exists() {
                read_checked(folder, &manifest, name)?;
            }
        }
        read_checked(folder, &manifest, FILES.weights)?;
        let weights = read_weights(&folder.join(FILES.weights))?;
        let network = Network::from_weights(manifest.design.clone(), Device::Cpu, weights)
            .map_err(|source| BundleError::Network { path: folder.to_owned(), source })?;
        let example = read_checked(folder, &manifest, FILES.example)?;
        let example: Example = serde_json::from_slice(&example)
            .map_err(|source| StoreError::damaged(&folder.join(FILES.example), &source))?;
        if let Some(difference) = example.contradicts(&network)? {
            return Err(BundleError::AnotherModel {
                path: folder.join(FILES.manifest),
                difference,
            });
        }
        Ok(Self { manifest, network })
    }

    /// A model of a finished task, as it would be exported.
    pub(in crate::export) fn of(
        run: (&RunFolder, &Manifest, &ExperimentSpec),
        of: (&TaskMetadata, Option<&SeriesScaler>),
    ) -> Result<Self, ExportError> {
        let Model { network, manifest, .. } = Model::of(run, of)?;
        Ok(Self { manifest, network })
    }

    /// What the model is and where it comes from.
    #[must_use]
    pub const fn manifest(&self) -> &ExportManifest {
        &self.manifest
    }

    /// Predictions for these rows of a matrix of raw features, in their order, in the model's unit. Each row needs its whole window before it.
    ///
    /// # Errors
    /// [`BundleError::Columns`], [`BundleError::Cancelled`], or libtorch's own.
    ///
    /// # Panics
    /// If a row has no whole window before it.
    pub fn predict(
        &self,
        matrix: &FeatureMatrix,
        rows: &[usize],
        cancel: &Cancel,
    ) -> Result<Vec<f64>, BundleError> {
        if !self.manifest.columns().eq(matrix.names().iter().map(String::as_str)) {
            let expected = self.manifest.columns().collect::<Vec<_>>().join(", ");
            return Err(BundleError::Columns { expected, found: matrix.names().join(", ") });
        }
        let (window, columns) = (self.manifest.window as usize, matrix.cols());
        let mut predictions = Vec::with_capacity(rows.len());
        for part in rows.chunks(self.batch()) {
            if cancel.is_cancelled() {
                return Err(BundleError::Cancelled);
            }
            let mut values = Vec::with_capacity(part.len() * window * columns);
            for &row in part {
                let first = (row + 1).checked_sub(window).expect("a whole window before the row");
                values.extend_from_slice(&matrix.as_slice()[first * columns..(row + 1) * columns]);
            }
            let shape = [part.len() as i64, window as i64, columns as i64];
            let windows = Tensor::f_from_slice(&values)?.f_view(shape)?;
            let predicted: Vec<f32> = self.network.predict(&windows)?.try_into()?;
            predictions.extend(predicted.into_iter().map(f64::from));
        }
        Ok(predictions)
    }
}

impl Bundle {
    fn batch(&self) -> usize {
        let design = &self.manifest.design;
        let shape = (design.input, design.output.outputs());
        let each = estimate_evaluation_pass(&design.model, shape, 1).0.max(1);
        usize::try_from(BATCH_BYTES / each).unwrap_or(BATCH).clamp(1, BATCH)
    }
}

/// A file of the bundle, which must be the one that was exported.
fn read_checked(
    folder: &Path,
    manifest: &ExportManifest,
    name: &str,
) -> Result<Vec<u8>, BundleError> {
    let path = folder.join(name);
    let bytes = std::fs::read(&path).map_err(|source| StoreError::read(&path, &source))?;
    if manifest.files.get(name) != Some(&FileHash::of(&bytes)) {
        return Err(BundleError::Changed { path });
    }
    Ok(bytes)
}

fn read_manifest(folder: &Path) -> Result<ExportManifest, BundleError> {
    #[derive(Deserialize)]
    struct Head {
        schema: u64,
    }

    let path = folder.join(FILES.manifest);
    if !path.is_file() {
        return Err(BundleError::NoBundle { path: folder.to_owned() });
    }
    let text = std::fs::read(&path).map_err(|source| StoreError::read(&path, &source))?;
    let damaged = |source: serde_json::Error| StoreError::damaged(&path, &source);
    let Head { schema } = serde_json::from_slice(&text).map_err(damaged)?;
    if schema != u64::from(MANIFEST_SCHEMA) {
        return Err(BundleError::Schema { path, found: schema });
    }
    Ok(serde_json::from_slice(&text).map_err(damaged)?)
}
