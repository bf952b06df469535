//! What is wrong with a file's rows, and what the experiment's policies do about it.
//!
//! One bad row in a million costs a line of the report and not the file. Nothing is repaired and no price is invented: a row stays as it is,
//! or goes, or the file is refused. Rows are judged one by one first ([`rows`]), then put in order, and what is left is judged as a series:
//! its time grid, stretches without trading or movement ([`odd`]), jumps ([`splits`]) and gaps ([`gaps`]).

mod gaps;
mod odd;
mod report;
mod rows;
mod splits;

#[cfg(test)]
mod real_tests;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use report::{Example, Finding, QualityReport};

use self::report::Ledger;
use super::read::Table;
use super::{BarColumns, Bars, MarketError};
use crate::domain::{Problem, Symbol, Timeframe};
use crate::spec::{Policy, QualitySpec};

/// Bars that are left of a file, and what was found in it.
#[derive(Debug)]
pub(super) struct Checked {
    pub bars: Bars,
    pub report: QualityReport,
}

/// Judges the rows of a table by these policies.
///
/// # Errors
/// [`MarketError::Rejected`], [`MarketError::TooManyDropped`] and [`MarketError::NothingLeft`], as the policies have it, and
/// [`MarketError::WrongTimeframe`] for bars that lie closer together than they are long.
pub(super) fn check(
    table: Table,
    path: &Path,
    symbol: Symbol,
    timeframe: Timeframe,
    policies: &QualitySpec,
) -> Result<Checked, MarketError> {
    let Table { columns, places, unreadable, .. } = table;
    let mut ledger = Ledger::new(columns.open_time.len() as u64 + unreadable.count);
    ledger.unreadable(unreadable);
    let columns = rows::in_order(columns, &mut ledger);
    let spacing = common_spacing_millis(&columns);
    if let Some(spacing) = spacing.filter(|spacing| *spacing < timeframe.millis()) {
        return Err(MarketError::wrong_timeframe(path, spacing, timeframe));
    }
    let columns = without_odd(columns, timeframe, policies, &mut ledger);
    let bars = Bars::new(symbol, timeframe, columns)
        .expect("rows that are no bars are gone and the rest rises in time");
    splits::find(&bars, &mut ledger);
    gaps::find(&bars, &mut ledger);
    let report = ledger.verdict(path, &places, bars.len() as u64, policies)?;
    Ok(Checked { bars, report })
}

/// Reports what is odd and drops what the policies drop.
fn without_odd(
    columns: BarColumns,
    timeframe: Timeframe,
    policies: &QualitySpec,
    ledger: &mut Ledger,
) -> BarColumns {
    let odd = [
        (Problem::OffGrid, odd::off_grid(&columns, timeframe)),
        (Problem::ZeroVolume, odd::zero_volume(&columns)),
        (Problem::Stale, odd::stale(&columns)),
    ];
    let mut goes = vec![false; columns.open_time.len()];
    for (problem, found) in odd {
        let mut dropped = 0;
        if policies.policy(problem) == Policy::Drop {
            for row in found.rows {
                dropped += u64::from(!goes[row]);
                goes[row] = true;
            }
        }
        ledger.add(problem, found.count, dropped, found.examples);
    }
    if !goes.contains(&true) {
        return columns;
    }
    let kept: Vec<usize> = (0..goes.len()).filter(|&row| !goes[row]).collect();
    columns.take(&kept)
}

/// The most common distance between two rows that rise in time; the smaller of two that are equally common.
fn common_spacing_millis(columns: &BarColumns) -> Option<i64> {
    let spacings = columns.open_time.windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].0));
    let counts = odd::counted(spacings);
    let most = *counts.values().max()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(spacing, _)| spacing)
}
