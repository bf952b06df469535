use std::sync::Arc;
use std::time::Instant;

use super::scoring::{self, ScoringError, SymbolPredictions, fit_ridge, mean_score, split};
use crate::dataset::{DatasetError, ResidentCache, Series, SeriesScaler, TaskCut, TaskData};
use crate::domain::{
    BaselineScore, Cancel, Determinism, EpochRecord, Score, Stage, Task, TaskReport,
};
use crate::models::{BuildError, InputShape, Network, NetworkDesign};
use crate::runs::PredictionRows;
use crate::spec::{ExperimentSpec, LabelSpec};
use crate::torch::TorchError;
use crate::training::{Observer, TaskSeeds, TrainError, output_unit, predict, train};

/// What a task leaves in memory; nothing has been written yet.
#[derive(Debug)]
pub struct TaskOutput {
    /// The network with the best weights.
    pub network: Network,
    /// The result.
    pub report: TaskReport,
    /// One record per epoch.
    pub history: Vec<EpochRecord>,
    /// Out-of-sample predictions of all its symbols, in time order within each.
    pub predictions: PredictionRows,
    /// The scaler of each series where each has its own: the network then takes scaled windows. Empty where it scales them itself.
    pub series_scalers: Vec<SeriesScaler>,
    /// The absolute outcome up to which train and validation rows were left out, where the label has a dead zone.
    pub dead_zone: Option<f64>,
    pub(super) by_symbol: Vec<SymbolPredictions>,
}

/// Why a task ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// Its data cannot be built.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Its network cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// It could not be trained, or somebody asked to stop.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// It could not be scored.
    #[error(transparent)]
    Scoring(#[from] ScoringError),
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(#[from] TorchError),
}

impl TaskError {
    /// Whether it ended because somebody asked.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Train(TrainError::Cancelled { .. }))
    }
}

/// Who watches a task. Called on the worker's thread: must return at once.
pub trait TaskObserver: Observer {
    /// The task entered a stage.
    fn stage(&mut self, stage: Stage);
}

/// Trains one task and scores it out of sample, beside the baselines on the same rows.
///
/// The result depends on the arguments alone, whatever else runs. The calling thread must have its libtorch thread limit set.
///
/// # Errors
/// [`TaskError`] with the reason and the next step.
pub fn run_task(
    task: &Task,
    spec: &ExperimentSpec,
    series: &[Arc<Series>],
    cancel: &Cancel,
    observer: &mut dyn TaskObserver,
) -> Result<TaskOutput, TaskError> {
    run_task_sharing(task, spec, (series, &ResidentCache::default()), cancel, observer)
}

/// The same, with what lies on the device shared among tasks on the same series.
pub(super) fn run_task_sharing(
    task: &Task,
    spec: &ExperimentSpec,
    (series, resident): (&[Arc<Series>], &ResidentCache),
    cancel: &Cancel,
    observer: &mut dyn TaskObserver,
) -> Result<TaskOutput, TaskError> {
    let cut = TaskCut::of(series, &task.fold, spec.label);
    run_cut(task, spec, (series, &cut, resident), cancel, observer)
}

/// The same on rows chosen by other means than the task's fold.
pub(super) fn run_cut(
    task: &Task,
    spec: &ExperimentSpec,
    (series, cut, resident): (&[Arc<Series>], &TaskCut, &ResidentCache),
    cancel: &Cancel,
    observer: &mut dyn TaskObserver,
) -> Result<TaskOutput, TaskError> {
    let began = Instant::now();
    observer.stage(Stage::Dataset);
    let data = TaskData::build_from(series, cut, spec, resident.get(series, task.device)?)?;
    let seeds = TaskSeeds::new(task.seed);
    let design = NetworkDesign {
        model: spec.model.clone(),
        input: InputShape { window: spec.window, features: data.scaler().mean().len() as u32 },
        scaler: data.network_scaler(),
        output: output_unit(spec.label, data.label_moments()),
    };
    let network = Network::new(design, task.device, &mut seeds.weights())?;

    observer.stage(Stage::Training);
    let trained = train(&network, &data, spec, (seeds, task.device), cancel, observer)?;

    observer.stage(Stage::Evaluation);
    let by_symbol = predict_test(task, &network, (&data, spec.label), cancel)?;
    let (model, baselines) = score_symbols(&by_symbol, spec)?;
    let report = TaskReport {
        rows: data.rows(),
        epochs: trained.history.len() as u32,
        best_epoch: trained.best.epoch,
        train_loss: trained.best.train_loss,
        validation_loss: trained.best.validation_loss,
        stopped_early: trained.stopped_early,
        steps: trained.steps,
        seconds: began.elapsed().as_secs_f64(),
        model,
        baselines,
        determinism: Determinism::Unknown,
        peak_memory: None,
    };
    let predictions = prediction_rows(&by_symbol);
    Ok(TaskOutput {
        network,
        report,
        history: trained.history,
        predictions,
        series_scalers: data.series_scalers().to_vec(),
        dead_zone: data.dead_zone(),
        by_symbol,
    })
}

fn predict_test(
    task: &Task,
    network: &Network,
    (data, label): (&TaskData, LabelSpec),
    cancel: &Cancel,
) -> Result<Vec<SymbolPredictions>, TaskError> {
    let ridge = fit_ridge(data, label).map_err(ScoringError::from)?;
    let tested = data.test().iter().filter(|test| !test.rows.is_empty());
    tested
        .map(|test| {
            let latest = data.latest(test.resident());
            Ok(SymbolPredictions {
                series: Arc::clone(&test.series),
                fold: task.fold.index,
                rows: test.rows.clone(),
                labels: latest.labels,
                model: predict(network, data, test.resident(), cancel)?,
                neutral: label.neutral(),
                ridge: ridge.predict(&latest.features).map_err(ScoringError::from)?,
            })
        })
        .collect()
}

fn score_symbols(
    by_symbol: &[SymbolPredictions],
    spec: &ExperimentSpec,
) -> Result<(Score, Vec<BaselineScore>), ScoringError> {
    let scored = by_symbol
        .iter()
        .map(|part| Ok(split(&scoring::score(&[part], spec.costs)?)))
        .collect::<Result<Vec<_>, ScoringError>>()?;
    let model: Vec<Score> = scored.iter().map(|(model, _)| *model).collect();
    let names = scored.first().map_or(&[][..], |(_, baselines)| baselines.as_slice());
    let baselines = names.iter().enumerate().map(|(index, baseline)| {
        let scores: Vec<Score> =
            scored.iter().map(|(_, baselines)| baselines[index].score).collect();
        BaselineScore { name: baseline.name.clone(), score: mean_score(&scores) }
    });
    Ok((mean_score(&model), baselines.collect()))
}

fn prediction_rows(by_symbol: &[SymbolPredictions]) -> PredictionRows {
    let mut table = PredictionRows::default();
    for part in by_symbol {
        let labels = part.series.labels();
        for ((&row, &label), &prediction) in part.rows.iter().zip(&part.labels).zip(&part.model) {
            let row = row as usize;
            table.time.push(part.series.decision()[row]);
            table.symbol.push(part.series.symbol().clone());
            table.timeframe.push(part.series.timeframe());
            table.label.push(label as f32);
            table.outcome.push(labels.outcome[row]);
            table.prediction.push(prediction);
        }
    }
    table
}
