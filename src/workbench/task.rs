use std::sync::Arc;
use std::time::Instant;

use super::scoring::{self, ScoringError, SymbolPredictions, fit_ridge, mean_score, split};
use crate::dataset::{DatasetError, ResidentCache, Series, SeriesScaler, TaskCut, TaskData};
use crate::domain::{
    BaselineScore, Cancel, Determinism, Device, EpochRecord, Score, Stage, Task, TaskReport,
    TaskRole,
};
use crate::models::{BuildError, InputShape, NamedWeights, Network, NetworkDesign, OutputUnit};
use crate::runs::{PredictionRows, StoreError};
use crate::spec::{ExperimentSpec, LabelSpec};
use crate::torch::{MemoryMeter, TorchError, empty_cache};
use crate::training::{
    Checkpoints, NoCheckpoints, Observer, Signals, TaskSeeds, TrainError, Trainer, predict,
};

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
    /// The device had no room for what the task begins with.
    #[error(
        "out of memory while {doing}: {message}; choose fewer symbols or features, lower `window` or the model's width, or let fewer tasks run at once (resources.workers)"
    )]
    OutOfMemory {
        /// At what.
        doing: &'static str,
        /// What libtorch said.
        message: String,
    },
    /// What it needs of another task cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(#[from] TorchError),
}

impl TaskError {
    /// What libtorch said, where it was libtorch.
    const fn torch(&self) -> Option<&TorchError> {
        match self {
            Self::Torch(error)
            | Self::Dataset(DatasetError::Torch(error))
            | Self::Build(BuildError::Torch(error))
            | Self::Train(TrainError::Torch(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether the device is of no more use to this process.
    #[must_use]
    pub fn is_device_lost(&self) -> bool {
        self.torch().is_some_and(TorchError::is_device_lost)
    }

    /// Whether the device was full.
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::OutOfMemory { .. } | Self::Train(TrainError::OutOfMemory { .. }))
            || self.torch().is_some_and(TorchError::is_out_of_memory)
    }

    /// Steps taken, where it stands still at a checkpoint.
    #[must_use]
    pub const fn paused_after(&self) -> Option<u64> {
        match self {
            Self::Train(TrainError::Paused { steps }) => Some(*steps),
            _ => None,
        }
    }

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

/// What a task is given besides its own description. What decides its result is the description, and the weights it begins with.
pub(super) struct TaskContext<'a> {
    /// Where to compute: of the task's class of devices.
    pub(super) device: Device,
    /// What may stop it.
    pub(super) signals: Signals,
    /// Where it keeps checkpoints.
    pub(super) checkpoints: &'a mut dyn Checkpoints,
    /// What lies on the devices already.
    pub(super) resident: &'a ResidentCache,
    /// The weights of the fold before, by name, where it begins with them.
    pub(super) begin_with: Option<NamedWeights>,
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
    let cut = TaskCut::of(series, &task.fold, spec.label);
    let context = TaskContext {
        device: task.device,
        signals: Signals { cancel: cancel.clone(), ..Signals::default() },
        checkpoints: &mut NoCheckpoints,
        resident: &ResidentCache::default(),
        begin_with: None,
    };
    run_cut(task, spec, (series, &cut), context, observer)
}

/// The same on rows chosen by other means than the task's fold, with checkpoints and what is shared among tasks.
pub(super) fn run_cut(
    task: &Task,
    spec: &ExperimentSpec,
    (series, cut): (&[Arc<Series>], &TaskCut),
    context: TaskContext<'_>,
    observer: &mut dyn TaskObserver,
) -> Result<TaskOutput, TaskError> {
    let began = Instant::now();
    let TaskContext { device, signals, checkpoints, resident, begin_with } = context;
    observer.stage(Stage::Dataset);
    let data = again_where_short(device, "copying the data to the device", || {
        let resident = resident.get(series, device).map_err(DatasetError::from)?;
        Ok(TaskData::build_from(series, cut, spec, resident)?)
    })?;
    if signals.cancel.is_cancelled() {
        return Err(TrainError::Cancelled { steps: 0 }.into());
    }
    // The matrix is not the task's alone.
    let meter = MemoryMeter::start();
    let seeds = TaskSeeds::new(task.seed);
    let design = NetworkDesign {
        model: spec.model.clone(),
        input: InputShape { window: spec.window, features: data.scaler().mean().len() as u32 },
        scaler: data.network_scaler(),
        output: OutputUnit::of(spec.label, data.label_moments()),
    };
    let network = again_where_short(device, "making the network", || {
        Ok(Network::new(design.clone(), device, &mut seeds.weights())?)
    })?;
    if let Some(weights) = begin_with {
        network.load_weights(&weights)?;
    }

    observer.stage(Stage::Training);
    let trainer = Trainer { network: &network, data: &data, spec, seeds, device };
    let mut trained = trainer.run(&signals, checkpoints, observer)?;
    if signals.cancel.is_cancelled() {
        return Err(TrainError::Cancelled { steps: trained.steps }.into());
    }

    observer.stage(Stage::Evaluation);
    let (by_symbol, (model, baselines)) = match task.role {
        TaskRole::Fold => {
            let (by_symbol, was_short) =
                predict_test(task, (&network, device), (&data, spec.label), &signals.cancel)?;
            if was_short && trained.determinism == Determinism::BitForBit {
                let because =
                    "memory was short, so test rows were predicted in smaller parts".to_owned();
                trained.determinism = Determinism::No { because };
            }
            let scores = score_symbols(&by_symbol, spec)?;
            (by_symbol, scores)
        }
        TaskRole::Refit => Default::default(),
    };
    let report = TaskReport {
        rows: data.rows(),
        epochs: trained.history.len() as u32,
        best_epoch: trained.best.epoch,
        train_loss: trained.best.train_loss,
        validation_loss: trained.best.validation_loss,
        stopped_early: trained.stopped_early,
        steps: trained.steps,
        seconds: trained.earlier_seconds + began.elapsed().as_secs_f64(),
        model,
        baselines,
        determinism: trained.determinism,
        peak_memory: Some(meter.peak(device)),
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

/// Does it again after freeing what libtorch keeps in reserve, where memory is short: other tasks may have freed theirs meanwhile.
fn again_where_short<T>(
    device: Device,
    doing: &'static str,
    mut work: impl FnMut() -> Result<T, TaskError>,
) -> Result<T, TaskError> {
    const TRIES: u32 = 3;
    let mut tried = 1;
    loop {
        match work() {
            Err(error) if error.torch().is_some_and(TorchError::is_out_of_memory) => {
                empty_cache(device);
                if tried == TRIES {
                    let message = error.to_string();
                    return Err(TaskError::OutOfMemory { doing, message });
                }
                tried += 1;
            }
            result => return result,
        }
    }
}

fn predict_test(
    task: &Task,
    (network, device): (&Network, Device),
    (data, label): (&TaskData, LabelSpec),
    cancel: &Cancel,
) -> Result<(Vec<SymbolPredictions>, bool), TaskError> {
    let mut was_short = false;
    let ridge = fit_ridge(data, label).map_err(ScoringError::from)?;
    let tested = data.test().iter().filter(|test| !test.rows.is_empty());
    let predicted = tested
        .map(|test| {
            let latest = data.latest(test.resident());
            let (model, short) = predict(network, data, (test.resident(), device), cancel)?;
            was_short |= short;
            Ok(SymbolPredictions {
                series: Arc::clone(&test.series),
                fold: task.fold.index,
                rows: test.rows.clone(),
                labels: latest.labels,
                model,
                neutral: label.neutral(),
                ridge: ridge.predict(&latest.features).map_err(ScoringError::from)?,
            })
        })
        .collect::<Result<_, TaskError>>()?;
    Ok((predicted, was_short))
}

pub(super) fn score_symbols(
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

#[cfg(test)]
#[path = "task_tests.rs"]
mod tests;
