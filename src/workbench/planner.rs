use std::sync::Arc;

use super::load::Sources;
use crate::dataset::{PrepareError, Series, TaskData};
use crate::devices::{ChosenDevice, DeviceError, Inventory, choose};
use crate::domain::{
    Cancel, ContentHash, Device, FoldPlan, Plan, SeriesPlan, Task, TaskId, TaskRows, UtcMillis,
};
use crate::market::MarketError;
use crate::models::{InputShape, estimate_memory, parameter_count};
use crate::spec::{ExperimentSpec, Pooling, SpecError};
use crate::training::EVALUATION_BATCH;
use crate::validation::{ValidationError, decision_axis, walk_forward};

/// A plan and the data it was made from, ready to run.
#[derive(Debug)]
pub struct Prepared {
    /// The specification, as validated.
    pub spec: ExperimentSpec,
    /// What will be done.
    pub plan: Plan,
    /// For each task of the plan, in order, the series it trains on.
    pub series: Vec<Vec<Arc<Series>>>,
}

/// Why an experiment cannot start.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The specification is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The data cannot be read.
    #[error(transparent)]
    Market(#[from] MarketError),
    /// Features cannot be computed.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// No fold fits.
    #[error("{series}: {source}")]
    Validation {
        /// Symbols and timeframe.
        series: String,
        /// Why.
        source: ValidationError,
    },
    /// The device is not there.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Folds fit, but every one of them lacks rows.
    #[error(
        "there is no task to run: in every fold a section is left without a usable row; lower `window`, label.horizon and the features' lookbacks, or raise validation.train_bars, validation_bars and test_bars"
    )]
    NoTasks,
    /// Threads could not be started.
    #[error(
        "threads for reading data could not be started: {0}; close other programs and try again"
    )]
    Threads(String),
    /// Somebody asked to stop.
    #[error("cancelled")]
    Cancelled,
}

/// Reads the data, cuts the folds, chooses the device and writes every decision down. Trains nothing.
///
/// # Errors
/// [`PlanError`], with the place and the next step.
pub fn plan(spec: &ExperimentSpec, cancel: &Cancel) -> Result<Prepared, PlanError> {
    spec.validate().map_err(SpecError::Invalid)?;
    let inventory = Inventory::detect();
    let device = check(spec, &inventory)?;
    let sources = Sources::find(spec)?;
    let series = sources.read(spec, cancel)?;
    divide(spec, &series, sources.warnings, (device, inventory.cpu.cores), cancel)
}

/// The device of a specification that has been validated. Asked before anything is read: a device that is not there is told at once.
pub(super) fn check(
    spec: &ExperimentSpec,
    inventory: &Inventory,
) -> Result<ChosenDevice, PlanError> {
    Ok(choose(spec.resources.device, inventory)?)
}

/// Cuts what was loaded into folds and tasks and writes every decision down. Reads nothing.
pub(super) fn divide(
    spec: &ExperimentSpec,
    series: &[Arc<Series>],
    mut warnings: Vec<String>,
    (chosen, cores): (ChosenDevice, u32),
    cancel: &Cancel,
) -> Result<Prepared, PlanError> {
    let ChosenDevice { device, reason } = chosen;
    let mut tasks = Vec::new();
    let mut task_series = Vec::new();
    let mut first_misfit = None;
    for group in groups(spec, series) {
        let folds = match folds_of(spec, group) {
            Ok(folds) => folds,
            Err(source) => {
                let misfit = PlanError::Validation { series: describe(group), source };
                if !spec.data.symbols.is_empty() {
                    // Whoever names a symbol wants it trained, not left out.
                    return Err(misfit);
                }
                warnings.push(format!("left out: {misfit}"));
                first_misfit.get_or_insert(misfit);
                continue;
            }
        };
        for fold in folds {
            if cancel.is_cancelled() {
                return Err(PlanError::Cancelled);
            }
            let rows = TaskData::count_rows(group, &fold);
            if let Some(empty) = empty_section(rows) {
                warnings.push(format!(
                    "left out: {} fold {}: no usable {empty} row (warm-up, broken windows, purge)",
                    describe(group),
                    fold.index
                ));
                continue;
            }
            tasks.push(task(spec, group, fold, device));
            task_series.push(group.to_vec());
        }
    }
    if tasks.is_empty() {
        return Err(first_misfit.unwrap_or(PlanError::NoTasks));
    }
    let plan = Plan {
        experiment: spec.name.clone(),
        spec: spec.content_hash(),
        device,
        device_reason: reason,
        workers: workers(spec, device, cores, tasks.len()),
        threads_per_task: spec.resources.threads_per_task,
        features: series[0].matrix().names().to_vec(),
        series: series.iter().map(|series| series_plan(series)).collect(),
        tasks,
        warnings,
    };
    Ok(Prepared { spec: spec.clone(), plan, series: task_series })
}

/// The series that share a model: one each, or all of a timeframe. `series` is ordered by timeframe.
pub(super) fn groups<'a>(
    spec: &ExperimentSpec,
    series: &'a [Arc<Series>],
) -> Box<dyn Iterator<Item = &'a [Arc<Series>]> + 'a> {
    match spec.data.pooling {
        Pooling::PerSymbol => Box::new(series.chunks(1)),
        Pooling::Pooled => Box::new(series.chunk_by(|a, b| a.timeframe() == b.timeframe())),
    }
}

pub(super) fn folds_of(
    spec: &ExperimentSpec,
    group: &[Arc<Series>],
) -> Result<Vec<FoldPlan>, ValidationError> {
    let decisions: Vec<&[UtcMillis]> = group.iter().map(|series| series.decision()).collect();
    walk_forward(&decision_axis(&decisions), &spec.validation)
}

const fn empty_section(rows: TaskRows) -> Option<&'static str> {
    match rows {
        TaskRows { train: 0, .. } => Some("train"),
        TaskRows { validation: 0, .. } => Some("validation"),
        TaskRows { test: 0, .. } => Some("test"),
        _ => None,
    }
}

pub(super) fn describe(group: &[Arc<Series>]) -> String {
    match group {
        [only] => format!("{} {}", only.symbol(), only.timeframe()),
        [first, ..] => format!("{} pooled symbols {}", group.len(), first.timeframe()),
        [] => String::new(),
    }
}

fn task(spec: &ExperimentSpec, group: &[Arc<Series>], fold: FoldPlan, device: Device) -> Task {
    let input = InputShape { window: spec.window, features: group[0].matrix().cols() as u32 };
    let timeframe = group[0].timeframe();
    let name = match group {
        [only] => only.symbol().to_string(),
        _ => format!("pooled{}", group.len()),
    };
    let rows: u64 = group.iter().map(|series| series.matrix().rows() as u64).sum();
    let seed = task_seed(spec, group, &fold);
    Task {
        id: TaskId::new(format!("{name}-{timeframe}-fold{:02}", fold.index.0)),
        key: task_key(spec, group, &fold, seed, device),
        symbols: group.iter().map(|series| series.symbol().clone()).collect(),
        timeframe,
        fold,
        seed,
        device,
        parameters: parameter_count(&spec.model, input),
        memory: estimate_memory(
            &spec.model,
            input,
            rows,
            spec.training.batch_size,
            EVALUATION_BATCH,
        ),
    }
}

/// What the task *is* — symbols, timeframe, the fold's sections — never where it stands in the queue. The test section's end is left out:
/// that of the last fold moves when new bars arrive, so its seed would change without need.
fn identity(group: &[Arc<Series>], fold: &FoldPlan) -> Vec<u8> {
    let mut identity = symbols_of(group);
    identity.extend(json(&(fold.train, fold.validation, fold.test.start)));
    identity
}

fn symbols_of(group: &[Arc<Series>]) -> Vec<u8> {
    let symbols: Vec<&str> = group.iter().map(|series| series.symbol().as_str()).collect();
    json(&(symbols, group[0].timeframe()))
}

fn task_seed(spec: &ExperimentSpec, group: &[Arc<Series>], fold: &FoldPlan) -> u64 {
    let identity = identity(group, fold);
    ContentHash::of_parts([spec.seed.to_le_bytes().as_slice(), &identity]).to_u64()
}

/// Hash of everything that decides the task's weights and predictions: see invariant 8 in `ARCHITECTURE.md`. Costs are not in it: a backtest
/// is repeated in a moment.
fn task_key(
    spec: &ExperimentSpec,
    group: &[Arc<Series>],
    fold: &FoldPlan,
    seed: u64,
    device: Device,
) -> ContentHash {
    let fold = json(fold);
    let data: Vec<ContentHash> = group.iter().map(|series| series.data()).collect();
    let learning = json(&(&spec.features, spec.window, &spec.label, &spec.model, &spec.training));
    let machine = json(&(
        spec.resources.threads_per_task,
        device.class(),
        "f32",
        env!("CARGO_PKG_VERSION"),
        crate::torch::libtorch_version(),
    ));
    let seed = seed.to_le_bytes();
    ContentHash::of_parts([
        &json(&data),
        &symbols_of(group),
        &fold,
        &learning,
        &machine,
        seed.as_slice(),
    ])
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data with string keys serialises")
}

/// As many tasks at a time as the cores allow; one on a GPU, whose memory is not shared out yet.
fn workers(spec: &ExperimentSpec, device: Device, cores: u32, tasks: usize) -> u32 {
    let automatic = match device {
        Device::Cpu => (cores / spec.resources.threads_per_task).max(1),
        Device::Cuda(_) | Device::Mps => 1,
    };
    let most = u32::try_from(tasks).unwrap_or(u32::MAX);
    spec.resources.workers.unwrap_or(automatic).min(most)
}

fn series_plan(series: &Series) -> SeriesPlan {
    let (first_open, last_open) = series.period();
    SeriesPlan {
        symbol: series.symbol().clone(),
        timeframe: series.timeframe(),
        bars: series.matrix().rows() as u64,
        first_open,
        last_open,
        data: series.data(),
    }
}
