//! Whether an experiment's numbers can be believed: every feature, label, fold and fitted statistic is put to a test that a leak fails, and
//! the same experiment is held against what shuffled folds would have made of it.

mod contrast;
mod features;
mod fits;
mod folds;
mod labels;
mod report;

pub use report::{Contrast, LeakCheck, LeakReport, PredictorContrast, Subject};

use super::PlanError;
use super::load::{Sources, prepare};
use super::planner::{check, divide};
use super::task::TaskError;
use crate::dataset::DatasetError;
use crate::devices::Inventory;
use crate::domain::{Cancel, UtcMillis};
use crate::market::Bars;
use crate::spec::{ExperimentSpec, SpecError};

/// Moments at which the future is taken away.
const CUTS: usize = 6;

/// Why a leak check came to no result.
#[derive(Debug, thiserror::Error)]
pub enum LeakCheckError {
    /// The experiment cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A fold's data cannot be built.
    #[error("{task}: {source}")]
    Dataset {
        /// Which fold.
        task: String,
        /// Why.
        source: DatasetError,
    },
    /// A fold of the contrast cannot be trained.
    #[error(
        "the contrast with shuffled folds: {0}; check without it, or mend what the message names"
    )]
    Training(#[from] TaskError),
    /// Somebody asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl LeakCheckError {
    /// Whether it ended because somebody asked.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled | Self::Plan(PlanError::Cancelled) => true,
            Self::Training(error) => error.is_cancelled(),
            Self::Plan(_) | Self::Dataset { .. } => false,
        }
    }
}

/// Checks an experiment for leaks. `stage` is told in words what is being done. With `contrast` the experiment is also trained, on its own folds
/// and on shuffled ones, which takes as long as that takes.
///
/// # Errors
/// [`LeakCheckError`] when the experiment cannot be planned or trained, or somebody asked to stop. A leak is no error but what the report is for.
pub fn check_leaks(
    spec: &ExperimentSpec,
    contrast: bool,
    cancel: &Cancel,
    stage: &mut dyn FnMut(String),
) -> Result<LeakReport, LeakCheckError> {
    spec.validate().map_err(|issues| PlanError::from(SpecError::Invalid(issues)))?;
    let inventory = Inventory::detect();
    let device = check(spec, &inventory)?;
    stage("reading bars, computing features and labels".to_owned());
    let sources = Sources::find(spec)?;
    let (bars, _origins) = sources.bars(spec, cancel)?;
    let series = prepare(&bars, spec, cancel)?;
    let prepared = divide(spec, &series, sources.warnings, (device, &inventory), cancel)?;

    let mut checks = Vec::new();
    let panels: Vec<Vec<&Bars>> = bars
        .chunk_by(|a, b| a.timeframe() == b.timeframe())
        .map(|panel| panel.iter().collect())
        .collect();
    checks.extend(features::check(spec, &panels, cancel, stage)?);
    checks.extend(labels::check(spec, &panels, cancel, stage)?);
    stage(format!("looking for overlaps in {} folds", prepared.plan.tasks.len()));
    checks.extend(folds::check(&prepared, cancel)?);
    stage(format!("fitting {} folds again on changed rows", prepared.plan.tasks.len()));
    checks.extend(fits::check(&prepared, cancel)?);
    let contrast =
        if contrast { Some(contrast::contrast(&prepared, cancel, stage)?) } else { None };
    Ok(LeakReport { experiment: spec.name.clone(), checks, contrast })
}

/// Moments spread over the time that the panel covers: inside bars and at their very ends.
fn cuts(panel: &[&Bars]) -> Vec<UtcMillis> {
    let first = panel.iter().filter_map(|bars| bars.open_time().first()).min();
    let last = panel.iter().filter_map(|bars| bars.open_time().last()).max();
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    let timeframe = panel.first().map_or(1, |bars| bars.timeframe().millis());
    let bars = (last.0 - first.0) / timeframe;
    (1..=CUTS as i64)
        .map(|cut| {
            let closed = first.plus_millis(bars * cut / (CUTS as i64 + 1) * timeframe);
            // Every other cut falls inside a bar.
            if cut % 2 == 0 { closed } else { closed.plus_millis(timeframe / 3) }
        })
        .collect()
}

fn not_cancelled(cancel: &Cancel) -> Result<(), LeakCheckError> {
    if cancel.is_cancelled() { Err(LeakCheckError::Cancelled) } else { Ok(()) }
}
