use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::torchscript::{TOLERANCE, windows};
use crate::domain::{ContentHash, RunId, Task, TaskReport};
use crate::models::{Network, NetworkDesign};
use crate::runs::{Manifest, TaskMetadata};
use crate::spec::LabelSpec;
use crate::torch::TorchError;

/// Names of the files in an exported model's folder.
pub const FILES: Files =
    Files { torchscript: "model.pt", weights: "weights.safetensors", manifest: "manifest.json" };

/// See [`FILES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Files {
    /// TorchScript with scaler and output unit inside.
    pub torchscript: &'static str,
    /// The bare weights.
    pub weights: &'static str,
    /// What they are.
    pub manifest: &'static str,
}

/// `manifest.json` beside an exported model: what goes in, what comes out, where it comes from, and an example to check a loader against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportManifest {
    /// Version of this file's format.
    pub schema: u32,
    /// The program and version that wrote it.
    pub producer: String,
    /// The libtorch it was trained and exported with.
    pub libtorch: String,
    /// The run it comes from.
    pub run: RunId,
    /// Hash of the run's specification.
    pub spec: ContentHash,
    /// The task.
    pub task: Task,
    /// Feature columns, in the order of the input's last dimension. Unscaled: the scaler is inside the model.
    pub features: Vec<String>,
    /// The input of `forward`.
    pub input: String,
    /// The output of `forward`.
    pub output: String,
    /// What it predicts.
    pub label: LabelSpec,
    /// Family, sizes, scaler and output unit.
    pub design: NetworkDesign,
    /// How well, out of sample.
    pub report: TaskReport,
    /// An input and what the model says to it.
    pub example: Example,
}

/// A small input and the network's own predictions for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Dimensions of `input`: batch, window, features.
    pub shape: Vec<i64>,
    /// Raw feature values, row-major.
    pub input: Vec<f32>,
    /// One prediction per sample.
    pub output: Vec<f32>,
    /// A loader is right when its largest absolute difference stays below this.
    pub tolerance: f64,
}

impl Example {
    pub(super) fn of(network: &Network) -> Result<Self, TorchError> {
        const BATCH: i64 = 3;
        let input: Tensor = windows(network, BATCH)?;
        Ok(Self {
            shape: input.size(),
            output: network.predict(&input)?.try_into()?,
            input: input.f_flatten(0, -1)?.try_into()?,
            tolerance: TOLERANCE,
        })
    }
}

impl ExportManifest {
    pub(super) fn new(metadata: &TaskMetadata, run: &Manifest, example: Example) -> Self {
        let input = metadata.design.input;
        Self {
            schema: 1,
            producer: format!("walkforge {}", env!("CARGO_PKG_VERSION")),
            libtorch: run.libtorch.clone(),
            run: run.run.clone(),
            spec: run.plan.spec,
            task: metadata.task.clone(),
            features: metadata.features.clone(),
            input: format!("float32 [batch, {}, {}]: raw features of the last {} bars, oldest first", input.window, input.features, input.window),
            output: match metadata.label {
                LabelSpec::ForwardReturn { .. } => {
                    "float32 [batch]: predicted simple return open[t+1] to open[t+1+horizon], a fraction".to_owned()
                }
                LabelSpec::Direction { .. } => {
                    "float32 [batch]: probability that open[t+1+horizon] is above open[t+1]".to_owned()
                }
            },
            label: metadata.label,
            design: metadata.design.clone(),
            report: metadata.report.clone(),
            example,
        }
    }
}
