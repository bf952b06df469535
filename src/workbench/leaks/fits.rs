use std::sync::Arc;

use super::report::{LeakCheck, Subject};
use super::{LeakCheckError, not_cancelled};
use crate::dataset::{Fitted, Series, TaskCut};
use crate::domain::Cancel;
use crate::domain::text::count;
use crate::features::ScalerError;
use crate::spec::ExperimentSpec;
use crate::validation::{RowTimes, Sections, sections};
use crate::workbench::Prepared;

/// What is learnt from a fold's rows before training, learnt again after all but its train rows were changed.
pub(super) fn check(
    prepared: &Prepared,
    cancel: &Cancel,
) -> Result<Vec<LeakCheck>, LeakCheckError> {
    let checks = prepared.folds().map(|(task, series)| {
        not_cancelled(cancel)?;
        let times: Vec<RowTimes<'_>> = series.iter().map(|series| series.row_times()).collect();
        let rows = sections(&task.fold, &times);
        let culprit = culprit_of(fit, series, &rows, &prepared.spec).map_err(|source| {
            LeakCheckError::Dataset { task: task.id.to_string(), source: source.into() }
        })?;
        let train: usize = rows.iter().map(|part| part.train.len()).sum();
        let all: usize = series.iter().map(|series| series.matrix().rows()).sum();
        Ok(LeakCheck {
            subject: Subject::Fit,
            name: task.id.to_string(),
            evidence: format!(
                "scaler, label moments, dead zone and weights of {} train rows, with {} other rows changed",
                count(train as u64),
                count((all - train) as u64)
            ),
            culprit,
        })
    });
    checks.collect()
}

/// As a task does it: the dead zone first, then the rest on the rows that it leaves.
fn fit(
    series: &[Arc<Series>],
    rows: &[Sections],
    spec: &ExperimentSpec,
) -> Result<Fitted, ScalerError> {
    let cut = TaskCut::of_sections(series, rows.to_vec(), spec.label);
    Fitted::of(series, &cut, spec)
}

/// Fits on the series as they are and again with every row changed that is no train row; names the first statistic that is not the same,
/// bit for bit.
fn culprit_of(
    fit: impl Fn(&[Arc<Series>], &[Sections], &ExperimentSpec) -> Result<Fitted, ScalerError>,
    series: &[Arc<Series>],
    rows: &[Sections],
    spec: &ExperimentSpec,
) -> Result<Option<String>, ScalerError> {
    let changed: Vec<Arc<Series>> = series
        .iter()
        .zip(rows)
        .map(|(series, part)| Arc::new(series.with_other_rows_changed(&part.train)))
        .collect();
    let (before, after) = (fit(series, rows, spec)?, fit(&changed, rows, spec)?);
    let columns = series.first().map_or(&[][..], |series| series.matrix().names());
    Ok(before.difference(&after, columns).map(|statistic| {
        format!("{statistic} changed when rows outside the train section did: it is not learnt from train rows alone")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Cancel;
    use crate::spec::{Assignment, apply, load};

    fn prepared(set: &[&str]) -> Prepared {
        let set: Vec<Assignment> = set.iter().map(|set| set.parse().unwrap()).collect();
        let small = [
            "data.source.bars=900",
            "validation.train=400",
            "validation.validation=100",
            "validation.test=100",
            "resources.device=cpu",
        ];
        let small = small.map(|set| set.parse().unwrap());
        let spec = apply(&load("lstm-direction").unwrap(), &[&small[..], &set].concat()).unwrap();
        crate::workbench::plan(&spec, &Cancel::new()).unwrap()
    }

    #[test]
    fn what_a_task_learns_before_training_rests_on_train_rows_alone() {
        for set in [
            &[][..],
            &["data.pooling=Pooled", "scaling=PerSymbol"],
            &[r#"label={"Direction":{"horizon":3,"dead_zone":{"TrainQuantile":0.3}}}"#],
            &["weights.uniqueness=true", "weights.time_decay=0.5"],
        ] {
            let checks = check(&prepared(set), &Cancel::new()).unwrap();
            assert!(checks.len() > 1);
            assert!(checks.iter().all(|check| check.culprit.is_none()), "{set:?}: {checks:?}");
        }
    }

    #[test]
    fn leaky_fits_are_caught_and_named() {
        type Leak = fn(&mut [Sections]);
        let every_row: Leak = |rows| {
            for part in rows {
                let others = [part.validation.as_slice(), &part.test].concat();
                part.train.extend(others);
            }
        };
        let last_row: Leak = |rows| rows[0].train.extend(rows[0].test.last().copied());
        for (set, leak, name) in [
            ("seed=1", every_row, "the scaler's log_return_1"),
            ("seed=1", last_row, "the scaler's log_return_1"),
            ("scaling=PerSymbol", last_row, "the scaler's log_return_1"),
        ] {
            let prepared = prepared(&[set, "data.pooling=Pooled"]);
            let (task, series) = (&prepared.plan.tasks[0], &prepared.series[0]);
            let times: Vec<RowTimes<'_>> = series.iter().map(|series| series.row_times()).collect();
            let rows = sections(&task.fold, &times);
            let leaky = |series: &[Arc<Series>], rows: &[Sections], spec: &ExperimentSpec| {
                let mut rows = rows.to_vec();
                leak(&mut rows);
                fit(series, &rows, spec)
            };
            let culprit = culprit_of(leaky, series, &rows, &prepared.spec).unwrap().unwrap();
            assert!(culprit.starts_with(name), "{culprit}");
        }
    }

    #[test]
    fn a_threshold_or_weights_of_all_rows_are_caught() {
        let prepared =
            prepared(&[r#"label={"Direction":{"horizon":3,"dead_zone":{"TrainQuantile":0.3}}}"#]);
        let (task, series) = (&prepared.plan.tasks[0], &prepared.series[0]);
        let times: Vec<RowTimes<'_>> = series.iter().map(|series| series.row_times()).collect();
        let rows = sections(&task.fold, &times);
        let of_all = |series: &[Arc<Series>], rows: &[Sections], spec: &ExperimentSpec| {
            let mut fitted = fit(series, rows, spec)?;
            let outcomes = series[0].labels().outcome.iter().filter(|outcome| !outcome.is_nan());
            fitted.dead_zone = outcomes.copied().reduce(f64::max);
            Ok(fitted)
        };
        let culprit = culprit_of(of_all, series, &rows, &prepared.spec).unwrap().unwrap();
        assert!(culprit.starts_with("the dead zone's threshold"), "{culprit}");
    }
}
