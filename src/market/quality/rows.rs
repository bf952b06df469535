use super::super::{BarColumns, BarProblem, Price};
use super::report::{Ledger, MOST_EXAMPLES, Sight};
use crate::domain::Problem;

/// The rows that can be bars, oldest first, one for each open time. What goes, and what is out of order, is reported.
pub(super) fn in_order(columns: BarColumns, ledger: &mut Ledger) -> BarColumns {
    let count = columns.open_time.len();
    let mut kept: Vec<usize> = Vec::with_capacity(count);
    for row in 0..count {
        match columns.check_values(row) {
            Ok(()) => kept.push(row),
            Err(problem) => ledger.drop_row(kind(&problem), || Sight {
                row: Some(row),
                at: columns.open_time[row],
                what: problem.to_string(),
            }),
        }
    }
    if !is_sorted(&columns, &kept, ledger) {
        // Stable, so that of equal rows the first in the file comes first.
        kept.sort_by_key(|&row| columns.open_time[row]);
    }
    let kept = one_for_each_time(&columns, kept, ledger);
    let is_whole = kept.len() == count && kept.is_sorted();
    if is_whole { columns } else { columns.take(&kept) }
}

const fn kind(problem: &BarProblem) -> Problem {
    match problem {
        BarProblem::NotFinite { .. } | BarProblem::UnequalLengths { .. } => Problem::NotFinite,
        BarProblem::NotPositive { .. } => Problem::NotPositive,
        BarProblem::NegativeVolume { .. } => Problem::NegativeVolume,
        BarProblem::HighBelow { than: Price { name, .. }, .. } if is_low(name) => {
            Problem::HighBelowLow
        }
        BarProblem::HighBelow { .. } | BarProblem::LowAbove { .. } => Problem::OutsideRange,
        BarProblem::DuplicateTime { .. } => Problem::Conflict,
        BarProblem::OutOfOrder { .. } => Problem::Disorder,
    }
}

const fn is_low(name: &str) -> bool {
    matches!(name.as_bytes(), b"low")
}

/// Whether the rows rise in time; each one that is older than the one before it is reported.
fn is_sorted(columns: &BarColumns, rows: &[usize], ledger: &mut Ledger) -> bool {
    let at = |row: usize| columns.open_time[row];
    let mut count = 0;
    let mut sights = Vec::new();
    for pair in rows.windows(2).filter(|pair| at(pair[1]) < at(pair[0])) {
        count += 1;
        if sights.len() < MOST_EXAMPLES {
            let what = format!("{} follows {}", at(pair[1]), at(pair[0]));
            sights.push(Sight { row: Some(pair[1]), at: at(pair[1]), what });
        }
    }
    ledger.add(Problem::Disorder, count, 0, sights);
    count == 0
}

/// Of rows with one open time the first, where all hold the same, and none where they do not.
fn one_for_each_time(columns: &BarColumns, rows: Vec<usize>, ledger: &mut Ledger) -> Vec<usize> {
    let at = |row: usize| columns.open_time[row];
    if rows.windows(2).all(|pair| at(pair[0]) < at(pair[1])) {
        return rows;
    }
    let values = |row: usize| {
        let BarColumns { open, high, low, close, volume, .. } = columns;
        [open, high, low, close, volume].map(|column| column[row].to_bits())
    };
    let mut kept = Vec::with_capacity(rows.len());
    for same in rows.chunk_by(|a, b| at(*a) == at(*b)) {
        let (first, others) = (same[0], &same[1..]);
        let differing = others.iter().find(|other| values(**other) != values(first));
        if let Some(&other) = differing {
            for &row in same {
                ledger.drop_row(Problem::Conflict, || Sight {
                    row: Some(row),
                    at: at(row),
                    what: format!(
                        "{} stands in {} rows, with a close of {} and of {}",
                        at(row),
                        same.len(),
                        columns.close[first],
                        columns.close[other]
                    ),
                });
            }
            continue;
        }
        kept.push(first);
        for &row in others {
            ledger.drop_row(Problem::Duplicate, || Sight {
                row: Some(row),
                at: at(row),
                what: format!("{} is there again with the same values", at(row)),
            });
        }
    }
    kept
}
