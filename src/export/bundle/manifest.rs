use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::features::{BundleFeature, bundle_features};
use super::texts;
use crate::dataset::SeriesScaler;
use crate::domain::{
    ContentHash, RunId, SeriesPlan, Symbol, Task, TaskReport, TimeSpan, Timeframe, UtcMillis,
};
use crate::export::torchscript::TOLERANCE;
use crate::models::NetworkDesign;
use crate::runs::{Manifest, TaskMetadata};
use crate::spec::{DataSource, ExperimentSpec, FeatureSpec, LabelSpec, Scaling};

/// The version of a bundle's `manifest.json`. Version 1 had three files and no experiment in it; its models cannot be fed from raw bars.
pub const MANIFEST_SCHEMA: u32 = 2;

/// Names of the files in an exported model's folder.
pub const FILES: Files = Files {
    torchscript: "model.pt",
    weights: "weights.safetensors",
    onnx: "model.onnx",
    manifest: "manifest.json",
    example: "example.json",
    experiment: "experiment.ron",
    readme: "README.md",
    score: "score.py",
};

/// See [`FILES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Files {
    /// TorchScript with scaler and output unit inside.
    pub torchscript: &'static str,
    /// The bare weights.
    pub weights: &'static str,
    /// ONNX with scaler and output unit inside.
    pub onnx: &'static str,
    /// What they are.
    pub manifest: &'static str,
    /// An input and what the model says to it.
    pub example: &'static str,
    /// The experiment on the model's own series without an end, for `walkforge features`.
    pub experiment: &'static str,
    /// How to use all of it.
    pub readme: &'static str,
    /// A program that scores tables of features.
    pub score: &'static str,
}

impl Files {
    /// All of them.
    #[must_use]
    pub const fn all(self) -> [&'static str; 8] {
        let Self { torchscript, weights, onnx, manifest, example, experiment, readme, score } =
            self;
        [torchscript, weights, onnx, manifest, example, experiment, readme, score]
    }
}

/// `manifest.json` of a bundle: what goes in, what comes out, where it comes from, and what it takes to make its features from raw bars again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportManifest {
    /// [`MANIFEST_SCHEMA`] of the writer.
    pub schema: u32,
    /// The program and version that wrote it.
    pub producer: String,
    /// The libtorch it was trained and exported with.
    pub libtorch: String,
    /// What the model is, in a sentence.
    pub about: String,
    /// The input of the model.
    pub input: TensorText,
    /// The output of the model.
    pub output: TensorText,
    /// Feature columns, in the order of the input's last dimension. Unscaled: the scaler is inside the model.
    pub features: Vec<BundleFeature>,
    /// Bars in a window; the last one is the bar decided on.
    pub window: u32,
    /// What it predicts.
    pub label: LabelSpec,
    /// Bars held at most.
    pub horizon: u32,
    /// The prediction that says neither up nor down.
    pub neutral: f64,
    /// Whose rows the scaler was fitted on.
    pub scaling: Scaling,
    /// The series that the model is for, where each series of the task has a scaler of its own; `None` where it is for all of them.
    #[serde(default)]
    pub series: Option<ModelSeries>,
    /// The absolute outcome up to which train rows were left out, or were a class of their own, where the label has a dead zone.
    pub dead_zone: Option<f64>,
    /// The spans of decision times that it learnt from and was judged on.
    pub periods: Periods,
    /// How well, out of sample.
    pub metrics: TaskReport,
    /// Family, sizes, scaler and output unit.
    pub design: NetworkDesign,
    /// Where it comes from.
    pub lineage: Lineage,
    /// The whole experiment, resolved. The folder of the data is left out: whoever predicts names their own.
    pub experiment: ExperimentSpec,
    /// A loader is right when no prediction differs from the example's by more than this; of one beyond 1, by more than this share of it.
    pub tolerance: f64,
    /// Every other file of the bundle by its name.
    pub files: BTreeMap<String, FileHash>,
}

/// A tensor that goes in or comes out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TensorText {
    /// Its name in ONNX.
    pub name: String,
    /// Always `float32`.
    pub dtype: String,
    /// Sizes of its dimensions; `batch` may be any.
    pub shape: Vec<serde_json::Value>,
    /// What it holds.
    pub text: String,
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

/// The sections of the fold, as spans of decision times; `None` for what a refit does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Periods {
    /// Learnt from.
    pub train: Vec<TimeSpan>,
    /// Seen by early stopping.
    pub validation: Option<TimeSpan>,
    /// Seen once.
    pub test: Option<TimeSpan>,
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// The run.
    pub run: RunId,
    /// When the run was started.
    pub created: UtcMillis,
    /// The program's version that trained it.
    pub walkforge: String,
    /// Where it was trained, as in `linux x86_64`.
    pub platform: String,
    /// Hash of the run's specification.
    pub spec: ContentHash,
    /// The task, with its fold, key and seed.
    pub task: Task,
    /// Every series of the experiment with the hash of its bars: features may compare symbols.
    pub data: Vec<SeriesPlan>,
}

/// What a file of the bundle holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHash {
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal digits, as `sha256sum` prints it.
    pub sha256: String,
}

impl ExportManifest {
    /// Without the files, which are written after it.
    pub(super) fn new(
        (metadata, scaled): (&TaskMetadata, Option<&SeriesScaler>),
        design: &NetworkDesign,
        (run, spec): (&Manifest, &ExperimentSpec),
    ) -> Self {
        let (input, task) = (design.input, &metadata.task);
        let span = |span: TimeSpan| (!span.is_empty()).then_some(span);
        let series = scaled.map(|own| ModelSeries {
            symbol: own.symbol.clone(),
            timeframe: own.timeframe,
            is_scaled_as_all: own.is_global,
        });
        let batch = serde_json::Value::from("batch");
        Self {
            schema: MANIFEST_SCHEMA,
            producer: format!("walkforge {}", env!("CARGO_PKG_VERSION")),
            libtorch: run.libtorch.clone(),
            about: texts::about(metadata, scaled),
            input: TensorText {
                name: crate::export::ONNX_INPUT.to_owned(),
                dtype: "float32".to_owned(),
                shape: vec![batch.clone(), input.window.into(), input.features.into()],
                text: format!("raw features of the last {} bars, oldest first", input.window),
            },
            output: TensorText {
                name: crate::export::ONNX_OUTPUT.to_owned(),
                dtype: "float32".to_owned(),
                shape: vec![batch],
                text: texts::output(metadata.label),
            },
            features: bundle_features(&spec.features),
            window: input.window,
            label: metadata.label,
            horizon: metadata.label.horizon(),
            neutral: metadata.label.neutral(),
            scaling: spec.scaling,
            series,
            dead_zone: metadata.dead_zone,
            periods: Periods {
                train: task.fold.train.clone(),
                validation: span(task.fold.validation),
                test: span(task.fold.test),
            },
            metrics: metadata.report.clone(),
            design: design.clone(),
            lineage: Lineage {
                run: run.run.clone(),
                created: run.created,
                walkforge: run.walkforge.clone(),
                platform: run.platform.clone(),
                spec: run.plan.spec,
                task: task.clone(),
                data: run.plan.series.clone(),
            },
            experiment: without_places(spec),
            tolerance: TOLERANCE,
            files: BTreeMap::new(),
        }
    }

    /// The symbols and bar lengths that the model is for, the shortest first.
    #[must_use]
    pub fn own_series(&self) -> (Vec<Symbol>, Vec<Timeframe>) {
        if let Some(own) = &self.series {
            return (vec![own.symbol.clone()], vec![own.timeframe]);
        }
        let task = &self.lineage.task;
        (task.symbols.clone(), task.timeframes.clone())
    }

    /// The model's experiment on these series and on those that its features compare them with, without an end: newer bars are what a model is for.
    #[must_use]
    pub fn experiment_on<'a>(
        &self,
        symbols: impl IntoIterator<Item = &'a Symbol>,
        timeframes: &[Timeframe],
    ) -> ExperimentSpec {
        let mut spec = self.experiment.clone();
        let mut all: BTreeSet<Symbol> = symbols.into_iter().cloned().collect();
        if spec.features.iter().any(FeatureSpec::is_cross_sectional) {
            let known = &self.lineage.data;
            let beside = known.iter().filter(|series| timeframes.contains(&series.timeframe));
            all.extend(beside.map(|series| series.symbol.clone()));
        }
        spec.data.symbols = all.into_iter().collect();
        spec.data.timeframes = timeframes.to_vec();
        spec.data.until = None;
        spec
    }

    /// The model's experiment on its own series, for `walkforge features --data`. Of a folder, also where it was trained on a made-up market: there
    /// the symbols would be forgotten once a folder is named, and whoever has features that compare symbols would compare all that are in it.
    pub(super) fn own_experiment(&self) -> ExperimentSpec {
        let (symbols, timeframes) = self.own_series();
        let mut spec = self.experiment_on(&symbols, &timeframes);
        spec.data.source = DataSource::Folder(PathBuf::new());
        spec
    }

    /// The names of the feature columns, in the model's order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.features.iter().map(|feature| feature.name.as_str())
    }
}

/// The experiment for other machines: nobody else's folders are named.
fn without_places(spec: &ExperimentSpec) -> ExperimentSpec {
    let mut spec = spec.clone();
    if let DataSource::Folder(path) = &mut spec.data.source {
        path.clear();
    }
    spec
}
