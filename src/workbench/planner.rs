use std::sync::Arc;

use super::load::Sources;
use super::loaded::SeriesCache;
use super::resolve::{Resolved, Shape, at_once, resolve};
use super::tasks::{Part, rows_of, tasks_of};
use crate::dataset::{PrepareError, Series, TaskCut};
use crate::devices::{
    ChosenDevice, DeviceError, Facts, Inventory, PoolDevice, Seen, choose, recommend_with,
};
use crate::domain::{
    Cancel, FoldPlan, Plan, SeriesPlan, Symbol, Task, TaskRole, TaskRows, Timeframe, UtcMillis,
};
use crate::features::lookback;
use crate::market::MarketError;
use crate::spec::{ExperimentSpec, Pooling, Scaling, SpecError, ValidationSpec};
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
    /// The devices the tasks may share, and how much of each.
    pub pool: Vec<PoolDevice>,
    /// Tasks of this run and of others that may train at a time.
    pub at_once: u32,
}

impl Prepared {
    /// The tasks that are folds, each with its series.
    pub(super) fn folds(&self) -> impl Iterator<Item = (&Task, &Vec<Arc<Series>>)> {
        let tasks = self.plan.tasks.iter().zip(&self.series);
        tasks.filter(|(task, _)| task.role == TaskRole::Fold)
    }
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
    /// The device cannot compute like that.
    #[error("training.precision = {precision}: {reason}")]
    Precision {
        /// What was asked for.
        precision: &'static str,
        /// Why not, and what else.
        reason: String,
    },
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

/// Reads the data, cuts the folds, chooses the device and writes every decision down. Trains nothing. Of an experiment with a sweep the first
/// variant is planned.
///
/// # Errors
/// [`PlanError`], with the place and the next step.
pub fn plan(spec: &ExperimentSpec, cancel: &Cancel) -> Result<Prepared, PlanError> {
    plan_from(spec, cancel, &SeriesCache::default())
}

/// The same, with series that are at hand from the experiment before where they are the same.
pub(super) fn plan_from(
    spec: &ExperimentSpec,
    cancel: &Cancel,
    cache: &SeriesCache,
) -> Result<Prepared, PlanError> {
    spec.validate().map_err(SpecError::Invalid)?;
    let inventory = Inventory::detect();
    plan_on(spec, &inventory, cancel, cache)
}

/// The same for the series that were planned before, up to the bars they had then.
pub(super) fn plan_series(
    spec: &ExperimentSpec,
    series: &[SeriesPlan],
    cancel: &Cancel,
    cache: &SeriesCache,
) -> Result<Prepared, PlanError> {
    spec.validate().map_err(SpecError::Invalid)?;
    let inventory = Inventory::detect();
    let device = check(spec, &inventory)?;
    let sources = Sources::find(spec)?.limited_to(series);
    plan_sources(spec, sources, (device, &inventory), cancel, cache)
}

/// The same, on a machine that is known already, for a specification that has been validated.
pub(super) fn plan_on(
    spec: &ExperimentSpec,
    inventory: &Inventory,
    cancel: &Cancel,
    cache: &SeriesCache,
) -> Result<Prepared, PlanError> {
    let first = first_variant(spec)?;
    let spec = first.as_ref().unwrap_or(spec);
    let device = check(spec, inventory)?;
    plan_sources(spec, Sources::find(spec)?, (device, inventory), cancel, cache)
}

fn plan_sources(
    spec: &ExperimentSpec,
    sources: Sources<'_>,
    on: (ChosenDevice, &Inventory),
    cancel: &Cancel,
    cache: &SeriesCache,
) -> Result<Prepared, PlanError> {
    let (series, origins) = cache.series(spec, &sources, cancel)?;
    let mut prepared = divide(spec, &series, sources.warnings, on, cancel)?;
    origins.tell(&mut prepared.plan);
    Ok(prepared)
}

/// What is planned of an experiment with a sweep: its first variant stands for all of them.
fn first_variant(spec: &ExperimentSpec) -> Result<Option<ExperimentSpec>, SpecError> {
    if spec.sweep.is_empty() {
        return Ok(None);
    }
    Ok(spec.variants()?.into_iter().next().map(|variant| variant.spec))
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
    (chosen, inventory): (ChosenDevice, &Inventory),
    cancel: &Cancel,
) -> Result<Prepared, PlanError> {
    check_symbols(spec, series)?;
    if let ValidationSpec::PurgedKFold { .. } = spec.validation {
        warnings.push(
            "purged K-fold learns from bars after its test sections too: good for comparing models, no measure of what could have been earned"
                .to_owned(),
        );
    }
    let mut parts: Vec<Part<'_>> = Vec::new();
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
            let rows = cut.rows();
            parts.push(Part { group, fold, rows, gaps: cut.gaps });
        }
    }
    let Some(shape) = shape_of(&parts) else {
        return Err(first_misfit.unwrap_or(PlanError::NoTasks));
    };
    let resolved = resolve(spec, chosen, shape, inventory)?;
    let tasks = tasks_of(&resolved, &parts);
    let (tasks, task_series): (Vec<Task>, Vec<_>) = tasks.into_iter().unzip();
    let at_once = at_once(&resolved, inventory.cpu.cores);
    let workers = at_once.min(u32::try_from(tasks.len()).unwrap_or(u32::MAX));
    let recommendations = recommendations(&resolved, (&tasks, workers), shape, inventory);
    let pool = resolved.devices.iter().zip(&resolved.budgets);
    let pool = pool.map(|(&device, &limit)| PoolDevice { device, limit, slots: at_once }).collect();
    let Resolved { spec, chosen, devices, decisions, .. } = resolved;
    let plan = Plan {
        experiment: spec.name.clone(),
        spec: spec.content_hash(),
        device: chosen.device,
        device_reason: chosen.reason,
        workers,
        threads_per_task: spec.resources.threads_per_task,
        features: series[0].matrix().names().to_vec(),
        series: series.iter().map(|series| series_plan(series)).collect(),
        tasks,
        warnings,
        devices,
        decisions,
        recommendations,
    };
    Ok(Prepared { spec, plan, series: task_series, pool, at_once })
}

/// What trials have to know; `None` where there is no task.
fn shape_of(parts: &[Part<'_>]) -> Option<Shape> {
    let train_rows = parts.iter().map(|part| part.rows.train).min()?;
    let rows = parts.iter().map(|part| rows_of(part.group)).max()?;
    Some(Shape { features: parts[0].group[0].matrix().cols() as u32, rows, train_rows })
}

fn recommendations(
    resolved: &Resolved,
    (tasks, workers): (&[Task], u32),
    shape: Shape,
    inventory: &Inventory,
) -> Vec<String> {
    let spec = &resolved.spec;
    let task_bytes = tasks.iter().map(|task| task.memory).max().unwrap_or_default();
    let facts = Facts {
        device: resolved.chosen.device,
        cores: inventory.cpu.cores,
        workers,
        threads_per_task: spec.resources.threads_per_task,
        tasks: tasks.len() as u32,
        batch_size: spec.training.batch_size,
        train_rows: shape.train_rows,
        task_bytes,
        budget: resolved.budgets.first().copied().flatten(),
        precision: spec.training.precision,
    };
    recommend_with(&facts, &Seen::of(&resolved.devices, inventory))
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
pub(super) fn symbols_of(group: &[Arc<Series>]) -> Vec<Symbol> {
    let mut symbols: Vec<Symbol> = Vec::new();
    for series in group {
        if !symbols.contains(series.symbol()) {
            symbols.push(series.symbol().clone());
        }
    }
    symbols
}

/// Every timeframe once, the shortest first.
pub(super) fn timeframes_of(group: &[Arc<Series>]) -> Vec<Timeframe> {
    let mut timeframes: Vec<Timeframe> = group.iter().map(|series| series.timeframe()).collect();
    timeframes.sort_unstable();
    timeframes.dedup();
    timeframes
}

pub(super) fn timeframe_text(group: &[Arc<Series>]) -> String {
    let texts: Vec<String> = timeframes_of(group).iter().map(ToString::to_string).collect();
    texts.join("+")
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
