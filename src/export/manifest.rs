use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::torchscript::{TOLERANCE, windows};
use crate::dataset::SeriesScaler;
use crate::domain::{ContentHash, RunId, Symbol, Task, TaskReport, Timeframe};
use crate::models::{Network, NetworkDesign};
use crate::runs::{Manifest, TaskMetadata};
use crate::spec::{InsideDeadZone, LabelSpec, Timeout};
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
    /// The series that the model is for, where each series of the task has a scaler of its own; `None` where it is for all of them.
    #[serde(default)]
    pub series: Option<ModelSeries>,
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

/// The one series that an exported model is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSeries {
    /// The instrument.
    pub symbol: Symbol,
    /// The bar length.
    pub timeframe: Timeframe,
    /// Whether it had no train row in the fold, so that it is scaled like all series of the task together.
    pub is_scaled_as_all: bool,
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
    pub(super) fn new(
        (metadata, scaled): (&TaskMetadata, Option<&SeriesScaler>),
        (design, example): (&NetworkDesign, Example),
        run: &Manifest,
    ) -> Self {
        let input = design.input;
        Self {
            schema: 1,
            producer: format!("walkforge {}", env!("CARGO_PKG_VERSION")),
            libtorch: run.libtorch.clone(),
            run: run.run.clone(),
            spec: run.plan.spec,
            task: metadata.task.clone(),
            series: scaled.map(|own| ModelSeries {
                symbol: own.symbol.clone(),
                timeframe: own.timeframe,
                is_scaled_as_all: own.is_global,
            }),
            features: metadata.features.clone(),
            input: format!(
                "float32 [batch, {}, {}]: raw features of the last {} bars, oldest first",
                input.window, input.features, input.window
            ),
            output: output_text(metadata.label),
            label: metadata.label,
            design: design.clone(),
            report: metadata.report.clone(),
            example,
        }
    }
}

fn output_text(label: LabelSpec) -> String {
    const HELD: &str = "open[t+1] to open[t+1+horizon]";
    let what = match label {
        LabelSpec::ForwardReturn { .. } => {
            format!("predicted simple return {HELD}, a fraction")
        }
        LabelSpec::ScaledReturn { .. } => format!(
            "predicted simple return {HELD}, in units of the volatility at t over the horizon (standard deviation of one-bar log returns × sqrt(horizon))"
        ),
        LabelSpec::DemeanedReturn { .. } => format!(
            "predicted simple return {HELD} less the mean of all symbols decided at the same time, a fraction"
        ),
        LabelSpec::RankedReturn { .. } => format!(
            "predicted rank of the simple return {HELD} among all symbols decided at the same time, from -sqrt(3) for the lowest to sqrt(3) for the highest"
        ),
        LabelSpec::Direction { inside: InsideDeadZone::Flat, .. } => {
            "probability that open[t+1+horizon] is above open[t+1] by more than the dead zone, less the probability that it is below by more than that, from -1 to 1".to_owned()
        }
        LabelSpec::TripleBarrier { timeout: Timeout::Class, .. } => {
            "expected outcome of the barriers in volatilities of one bar: profit_take × probability of profit first - stop_loss × probability of stop first".to_owned()
        }
        LabelSpec::Direction { .. } => {
            "probability that open[t+1+horizon] is above open[t+1]".to_owned()
        }
        LabelSpec::TripleBarrier { .. } => {
            "probability that the price reaches the profit barrier before the stop barrier"
                .to_owned()
        }
    };
    format!("float32 [batch]: {what}")
}
