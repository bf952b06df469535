use super::report::{LeakCheck, Subject};
use super::{LeakCheckError, not_cancelled};
use crate::dataset::TaskCut;
use crate::domain::Cancel;
use crate::domain::text::count;
use crate::features;
use crate::validation::{RowTimes, overlaps};
use crate::workbench::Prepared;

/// The rows of every fold, held against each other pair by pair, whatever the fold's plan says.
pub(super) fn check(
    prepared: &Prepared,
    cancel: &Cancel,
) -> Result<Vec<LeakCheck>, LeakCheckError> {
    let spec = &prepared.spec;
    let tasks = prepared.folds();
    let check = tasks.map(|(task, series)| {
        not_cancelled(cancel)?;
        let cut = TaskCut::of(series, &task.fold, spec.label);
        let rows: Vec<RowTimes<'_>> = series.iter().map(|series| series.row_times()).collect();
        let longest = series.iter().map(|series| {
            features::lookback(&spec.features, series.timeframe()) + spec.window as usize - 1
        });
        let back = longest.max().unwrap_or(0) as u32;
        let found = overlaps(&rows, &cut.sections, back);
        let total = cut.rows();
        let culprit = found.first().map(|first| {
            let series = &series[first.series];
            format!(
                "{} of {}: the {} row decided at {} knows of {} to {} and so of the {} section; {} such rows",
                series.symbol(),
                task.id,
                first.section,
                series.decision()[first.row as usize],
                first.from,
                first.until,
                first.reaches,
                count(found.len() as u64)
            )
        });
        Ok(LeakCheck {
            subject: Subject::Fold,
            name: task.id.to_string(),
            evidence: format!(
                "{} train and {} validation rows against {} test rows; {} had been purged",
                count(total.train),
                count(total.validation),
                count(total.test),
                count(total.purged)
            ),
            culprit,
        })
    });
    check.collect()
}
