//! One column of an experiment's features, looked at: over the price, and as it is distributed in the sections of a fold, beside the label.

mod curve;
mod distribution;

pub use curve::{Curve, Trace};
pub use distribution::{Distribution, SectionDistribution};

use std::sync::Arc;

use self::distribution::Sample;
use super::PlanError;
use super::load::Sources;
use super::loaded::SeriesCache;
use super::planner::{describe, folds_of, groups};
use crate::dataset::{Section, Series, TaskCut};
use crate::domain::{Cancel, FoldIndex, FoldPlan, Symbol, TimeSpan, Timeframe};
use crate::spec::{ExperimentSpec, LabelSpec, SpecError};
use crate::validation::{Sections, ValidationError};

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookAt {
    /// Whose price and feature are drawn over time.
    pub symbol: Symbol,
    /// The bar length.
    pub timeframe: Timeframe,
    /// Whether the distributions are those of every series that shares a model with this one, or of this one alone.
    pub pooled: bool,
    /// A column of the feature matrix, by its name.
    pub column: String,
    /// The fold whose sections are compared; `None`: the latest.
    pub fold: Option<FoldIndex>,
}

/// A column as it is in an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// What was asked for, the fold being the one that was found.
    pub at: LookAt,
    /// Where the fold's sections lie.
    pub fold: FoldPlan,
    /// Series behind the distributions.
    pub series: usize,
    /// The price and the feature over time.
    pub curve: Curve,
    /// The column, unscaled, in each section of the fold.
    pub feature: Distribution,
    /// The label in each section of the fold.
    pub label: Distribution,
    /// What the label's values stand for, where it has two: their share of each section's rows.
    pub classes: Vec<ClassShare>,
}

/// One of a label's classes.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassShare {
    /// What it stands for.
    pub name: &'static str,
    /// Share of the train, validation and test rows, a fraction; `None` without rows.
    pub shares: [Option<f64>; 3],
}

/// Why there is nothing to see.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error("{symbol} {timeframe} is not part of the experiment; choose a series that is")]
    NoSeries { symbol: Symbol, timeframe: Timeframe },
    #[error("the experiment has no column `{found}`; it has {}", .known.join(", "))]
    NoColumn { found: String, known: Vec<String> },
    #[error("{series} has no fold {fold}; it has {count}, counted from 0")]
    NoFold { series: String, fold: u32, count: usize },
}

/// Looks at a column. Series that are at hand are not read again.
pub(super) fn look(
    spec: &ExperimentSpec,
    at: &LookAt,
    cache: &SeriesCache,
    cancel: &Cancel,
) -> Result<Look, LookError> {
    spec.validate().map_err(|issues| PlanError::from(SpecError::Invalid(issues)))?;
    let sources = Sources::find(spec)?;
    let (series, _origins) = cache.series(spec, &sources, cancel)?;
    let is_wanted =
        |series: &Arc<Series>| *series.symbol() == at.symbol && series.timeframe() == at.timeframe;
    let group = groups(spec, &series).find(|group| group.iter().any(is_wanted));
    let shown = group.and_then(|group| group.iter().find(|series| is_wanted(series)));
    let (Some(group), Some(shown)) = (group, shown) else {
        let (symbol, timeframe) = (at.symbol.clone(), at.timeframe);
        return Err(LookError::NoSeries { symbol, timeframe });
    };
    let names = shown.matrix().names();
    let Some(column) = names.iter().position(|name| *name == at.column) else {
        return Err(LookError::NoColumn { found: at.column.clone(), known: names.to_vec() });
    };
    let fold = fold_of(spec, group, at.fold)?;
    let drawn = Curve::of(shown, column);
    stop_if(cancel)?;
    let cut = TaskCut::of(group, &fold, spec.label);
    let members: Vec<(&Series, &Sections)> = group
        .iter()
        .zip(&cut.sections)
        .filter(|(series, _)| at.pooled || Arc::ptr_eq(series, shown))
        .map(|(series, sections)| (series.as_ref(), sections))
        .collect();
    let feature = distribution(&members, &fold, |series| {
        series.matrix().column(column).map(f64::from).collect()
    });
    stop_if(cancel)?;
    let labels = |series: &Series| -> Vec<f64> {
        cut.labels(series, spec.label).into_iter().map(f64::from).collect()
    };
    let label = distribution(&members, &fold, labels);
    let at = LookAt { fold: Some(fold.index), ..at.clone() };
    let classes = classes(spec.label, |class| {
        let is_it = |value: f64| if value.is_nan() { value } else { f64::from(value == class) };
        let found =
            distribution(&members, &fold, |series| labels(series).into_iter().map(is_it).collect());
        // The mean of zeros and ones is the share of ones.
        found.sections.each_ref().map(|section| section.mean)
    });
    Ok(Look { at, fold, series: members.len(), curve: drawn, feature, label, classes })
}

fn stop_if(cancel: &Cancel) -> Result<(), PlanError> {
    if cancel.is_cancelled() { Err(PlanError::Cancelled) } else { Ok(()) }
}

/// The fold asked for, as the planner cuts it.
fn fold_of(
    spec: &ExperimentSpec,
    group: &[Arc<Series>],
    wanted: Option<FoldIndex>,
) -> Result<FoldPlan, LookError> {
    let misfit =
        |source: ValidationError| PlanError::Validation { series: describe(group), source };
    let folds = folds_of(spec, group).map_err(misfit)?;
    let found = match wanted {
        Some(wanted) => folds.iter().find(|fold| fold.index == wanted),
        None => folds.last(),
    };
    found.cloned().ok_or_else(|| LookError::NoFold {
        series: describe(group),
        fold: wanted.map_or(0, |fold| fold.0),
        count: folds.len(),
    })
}

/// Collects the rows of each section from every series, with the rows that a task would learn from and be tested on; `values` gives one
/// value per bar.
fn distribution(
    series: &[(&Series, &Sections)],
    fold: &FoldPlan,
    values: impl Fn(&Series) -> Vec<f64>,
) -> Distribution {
    let mut samples = [Sample::default(), Sample::default(), Sample::default()];
    for (series, rows) in series {
        let values = values(series);
        let parts = [
            (&rows.train, fold.train.as_slice()),
            (&rows.validation, std::slice::from_ref(&fold.validation)),
            (&rows.test, std::slice::from_ref(&fold.test)),
        ];
        for (sample, (rows, spans)) in samples.iter_mut().zip(parts) {
            let at = |row: &u32| values[*row as usize];
            sample.values.extend(rows.iter().map(at).filter(|value| value.is_finite()));
            let bars = spans.iter().flat_map(|span| bars_of(series, *span));
            sample.missing += bars.filter(|bar| !values[*bar].is_finite()).count() as u64;
        }
    }
    Distribution::of(samples, [Section::Train, Section::Validation, Section::Test])
}

/// Every bar that closes inside the span, used or not.
fn bars_of(series: &Series, span: TimeSpan) -> std::ops::Range<usize> {
    let decision = series.decision();
    let first = decision.partition_point(|at| *at < span.start);
    first..decision.partition_point(|at| *at < span.end).max(first)
}

/// The share of each class, the best outcome first.
fn classes(label: LabelSpec, shares: impl Fn(f64) -> [Option<f64>; 3]) -> Vec<ClassShare> {
    let classes = (0_u32..).zip(label.class_names()).map(|(class, name)| (f64::from(class), *name));
    let mut classes: Vec<ClassShare> =
        classes.map(|(class, name)| ClassShare { name, shares: shares(class) }).collect();
    classes.reverse();
    classes
}
