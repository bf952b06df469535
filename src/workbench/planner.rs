use std::sync::Arc;

use super::load::Sources;
use crate::dataset::{PrepareError, Series, TaskCut};
use crate::devices::{ChosenDevice, DeviceError, Inventory, choose};
use crate::domain::{
    Bytes, Cancel, ContentHash, Device, FoldPlan, Plan, SeriesPlan, Symbol, Task, TaskId, TaskRole,
    TaskRows, Timeframe, UtcMillis,
};
use crate::features::lookback;
use crate::market::MarketError;
use crate::models::{InputShape, estimate_memory, parameter_count};
use crate::spec::{ExperimentSpec, Pooling, Scaling, SpecError, ValidationSpec};
use crate::training::EVALUATION_BATCH;
use crate::validation::{Reach, ValidationError, decision_axis, folds};

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
    Prepare(PrepareError),
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
        "there is no task to run: in every fold a section is left without a usable row; lower `window`, label.horizon and the features' lookbacks, or lengthen the sections of `validation`"
    )]
    NoTasks,
    /// The label compares symbols, and there are too few.
    #[error(
        "the label compares at least {needed} symbols at a moment, and at {timeframe} there are {found}; choose more symbols, lower label.minimum_symbols, or choose another label"
    )]
    TooFewSymbols {
        /// The bar length.
        timeframe: Timeframe,
        /// Symbols there are.
        found: usize,
        /// Symbols the label wants.
        needed: u32,
    },
    /// Threads could not be started.
    #[error(
        "threads for reading data could not be started: {0}; close other programs and try again"
    )]
    Threads(String),
    /// Somebody asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl From<PrepareError> for PlanError {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::Cancelled => Self::Cancelled,
            other => Self::Prepare(other),
        }
    }
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
    let (series, origins) = sources.read(spec, cancel)?;
    let device = (device, inventory.cpu.cores);
    let mut prepared = divide(spec, &series, sources.warnings, device, cancel)?;
    origins.tell(&mut prepared.plan);
    Ok(prepared)
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
    check_symbols(spec, series)?;
    if let ValidationSpec::PurgedKFold { .. } = spec.validation {
        warnings.push(
            "purged K-fold learns from bars after its test sections too: good for comparing models, no measure of what could have been earned"
                .to_owned(),
        );
    }
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
            let cut = TaskCut::of(group, &fold, spec.label);
            if let Some(empty) = empty_section(cut.rows()) {
                warnings.push(format!(
                    "left out: {} fold {}: no usable {empty} row (warm-up, broken windows, purge)",
                    describe(group),
                    fold.index
                ));
                continue;
            }
            if spec.scaling == Scaling::PerSymbol {
                warnings.extend(without_scaler(group, &fold, &cut));
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
        devices: Vec::new(),
        decisions: Vec::new(),
        recommendations: Vec::new(),
    };
    Ok(Prepared { spec: spec.clone(), plan, series: task_series })
}

/// Whether a label that compares symbols has enough of them at every timeframe; `series` is ordered by timeframe.
fn check_symbols(spec: &ExperimentSpec, series: &[Arc<Series>]) -> Result<(), PlanError> {
    let Some(needed) = spec.label.minimum_symbols() else { return Ok(()) };
    let mut panels = series.chunk_by(|a, b| a.timeframe() == b.timeframe());
    match panels.find(|panel| panel.len() < needed as usize) {
        Some(panel) => {
            let (timeframe, found) = (panel[0].timeframe(), panel.len());
            Err(PlanError::TooFewSymbols { timeframe, found, needed })
        }
        None => Ok(()),
    }
}

/// The series that share a model: one each, all of a timeframe, or all. `series` is ordered by timeframe.
pub(super) fn groups<'a>(
    spec: &ExperimentSpec,
    series: &'a [Arc<Series>],
) -> Box<dyn Iterator<Item = &'a [Arc<Series>]> + 'a> {
    match spec.data.pooling {
        Pooling::PerSymbol => Box::new(series.chunks(1)),
        Pooling::Pooled => Box::new(series.chunk_by(|a, b| a.timeframe() == b.timeframe())),
        Pooling::PooledTimeframes => Box::new(std::iter::once(series)),
    }
}

pub(super) fn folds_of(
    spec: &ExperimentSpec,
    group: &[Arc<Series>],
) -> Result<Vec<FoldPlan>, ValidationError> {
    let decisions: Vec<&[UtcMillis]> = group.iter().map(|series| series.decision()).collect();
    folds(&decision_axis(&decisions), &spec.validation, reach(spec, group))
}

/// How many bars a row's label and its features reach.
pub(super) fn reach(spec: &ExperimentSpec, group: &[Arc<Series>]) -> Reach {
    let lookbacks = group.iter().map(|series| lookback(&spec.features, series.timeframe()));
    let lookback = lookbacks.max().unwrap_or(0);
    let back = u32::try_from(lookback).unwrap_or(u32::MAX).saturating_add(spec.window);
    Reach { horizon: spec.label.horizon(), back }
}

/// Says which series are tested and have no train row to fit a scaler of their own on.
fn without_scaler(group: &[Arc<Series>], fold: &FoldPlan, cut: &TaskCut) -> Option<String> {
    let lacking: Vec<String> = group
        .iter()
        .zip(&cut.sections)
        .filter(|(_, part)| part.train.is_empty() && !part.test.is_empty())
        .map(|(series, _)| format!("{} {}", series.symbol(), series.timeframe()))
        .collect();
    (!lacking.is_empty() && group.len() > 1).then(|| {
        format!(
            "{} fold {}: scaled like all symbols together, for want of train rows of their own: {}",
            describe(group),
            fold.index,
            lacking.join(", ")
        )
    })
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
        [] => String::new(),
        several => {
            format!("{} pooled symbols {}", symbols_of(several).len(), timeframe_text(several))
        }
    }
}

/// Every symbol once, in the order of the series.
fn symbols_of(group: &[Arc<Series>]) -> Vec<Symbol> {
    let mut symbols: Vec<Symbol> = Vec::new();
    for series in group {
        if !symbols.contains(series.symbol()) {
            symbols.push(series.symbol().clone());
        }
    }
    symbols
}

/// Every timeframe once, the shortest first.
fn timeframes_of(group: &[Arc<Series>]) -> Vec<Timeframe> {
    let mut timeframes: Vec<Timeframe> = group.iter().map(|series| series.timeframe()).collect();
    timeframes.sort_unstable();
    timeframes.dedup();
    timeframes
}

fn timeframe_text(group: &[Arc<Series>]) -> String {
    let texts: Vec<String> = timeframes_of(group).iter().map(ToString::to_string).collect();
    texts.join("+")
}

fn task(spec: &ExperimentSpec, group: &[Arc<Series>], fold: FoldPlan, device: Device) -> Task {
    let input = InputShape { window: spec.window, features: group[0].matrix().cols() as u32 };
    let symbols = symbols_of(group);
    let timeframe = timeframe_text(group);
    let name = match group {
        [only] => only.symbol().to_string(),
        _ => format!("pooled{}", symbols.len()),
    };
    let rows: u64 = group.iter().map(|series| series.matrix().rows() as u64).sum();
    let seed = task_seed(spec, group, &fold);
    Task {
        id: TaskId::new(format!("{name}-{timeframe}-fold{:02}", fold.index.0)),
        key: task_key(spec, group, &fold, seed, device),
        symbols,
        timeframes: timeframes_of(group),
        fold,
        seed,
        device,
        resident: Bytes::default(),
        role: TaskRole::Fold,
        after: Vec::new(),
        parameters: parameter_count(&spec.model, input, spec.label.outputs()),
        memory: estimate_memory(
            &spec.model,
            (input, spec.label.outputs()),
            rows,
            spec.training.batch_size,
            EVALUATION_BATCH,
        ),
    }
}

/// What the task *is* — symbols, timeframe, the fold's sections — never where it stands in the queue. The test section's end is left out:
/// that of the last fold moves when new bars arrive, so its seed would change without need.
fn identity(group: &[Arc<Series>], fold: &FoldPlan) -> Vec<u8> {
    let mut identity = series_of(group);
    identity.extend(match fold.train.as_slice() {
        [only] => json(&(only, fold.validation, fold.test.start)),
        several => json(&(several, fold.validation, fold.test.start)),
    });
    identity
}

/// Which series there are: the symbols, and their timeframe, or that of each where there are several.
fn series_of(group: &[Arc<Series>]) -> Vec<u8> {
    let symbols: Vec<&str> = group.iter().map(|series| series.symbol().as_str()).collect();
    if let [only] = timeframes_of(group).as_slice() {
        return json(&(symbols, only));
    }
    let timeframes: Vec<Timeframe> = group.iter().map(|series| series.timeframe()).collect();
    json(&(symbols, timeframes))
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
    let learning = json(&(
        &spec.features,
        spec.window,
        (&spec.label, spec.weights, spec.scaling),
        &spec.model,
        &spec.training,
    ));
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
        &series_of(group),
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
        quality: Vec::new(),
        made_from: None,
    }
}
