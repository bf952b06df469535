//! The next-open sign backtest of one symbol, with costs.
//!
//! A decision at bar t's close is filled at the open of bar t+1 and holds until the open of bar t+2, when the next row's
//! decision takes over. So row t earns `position(t) × (open(t+2) / open(t+1) - 1)` and nothing earlier. Every change of
//! position pays fee and half-spread on the fraction of equity traded; the position is closed, and that paid for, at the
//! end of every contiguous section. Exposure is a constant fraction of equity: keeping it there as prices drift is free.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::count_as_f64;
use super::performance::{Performance, compound};

/// What trading costs, in basis points (1/10,000) of the amount traded, one way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Exchange or broker fee.
    pub fee_bps: f64,
    /// Half of the bid-ask spread.
    pub half_spread_bps: f64,
}

impl Costs {
    /// No costs, to see what they take. Never the default.
    pub const FREE: Self = Self { fee_bps: 0.0, half_spread_bps: 0.0 };

    /// Cost of trading the whole equity once, as a fraction of it. A flip from long to short trades it twice.
    #[must_use]
    pub fn fraction(self) -> f64 {
        (self.fee_bps + self.half_spread_bps) / 10_000.0
    }
}

/// A run of rows whose bars follow each other without a gap; one row per bar, in time order.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Decision time of each row, the close of its bar t, milliseconds UTC.
    pub times_ms: &'a [i64],
    /// Position decided at each row, as a fraction of equity in `[-1, 1]`; 0 is flat, also for a missing prediction.
    pub positions: &'a [f64],
    /// Simple return from open(t+1) to open(t+2) of each row. A last row whose open(t+2) is unknown must be left out.
    pub returns: &'a [f64],
}

/// Splits rows into runs of consecutive bars: each range indexes `bars`, which holds the rows' bar indices.
///
/// Whether bars follow each other is the market's knowledge (a weekend is no gap), so it is read from the bar index and not
/// from the clock. A range ends where the next bar index is not one higher.
#[must_use]
pub fn contiguous_ranges(bars: &[usize]) -> Vec<Range<usize>> {
    let mut start = 0;
    bars.chunk_by(|&bar, &next| bar.checked_add(1) == Some(next))
        .map(|run| {
            let range = start..start + run.len();
            start = range.end;
            range
        })
        .collect()
}

/// The result of [`backtest`]; one entry a row over all segments, in time order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backtest {
    /// Decision time of each row, milliseconds UTC. Row i's net return is complete two bar opens later.
    pub times_ms: Vec<i64>,
    /// Return of equity over each row after costs, never below -1; 0 after ruin.
    pub net_returns: Vec<f64>,
    /// Compounded equity after each row, after a leading 1; one longer than `net_returns`. Once it reaches 0 it stays there.
    pub equity: Vec<f64>,
    /// What the curve adds up to.
    pub performance: Performance,
    /// Sum of |change of position| over all rows and closings, in multiples of equity: 1 to enter, 2 to flip.
    pub turnover: f64,
    /// Positions opened: entries from flat and flips. Changing the size of a position is none.
    pub trades: usize,
    /// Costs charged, in units of the starting equity: Σ equity before the row × cost of the row.
    pub cost_paid: f64,
    /// Mean |position| over rows, in `[0, 1]`. `None` without rows.
    pub exposure: Option<f64>,
}

/// Why a backtest was refused. Segments and rows count from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BacktestError {
    /// The slices of a segment differ in length.
    #[error(
        "segment {segment} has {times} times, {positions} positions and {returns} returns; give each row one of each"
    )]
    LengthMismatch {
        /// Which segment.
        segment: usize,
        /// Length of its times.
        times: usize,
        /// Length of its positions.
        positions: usize,
        /// Length of its returns.
        returns: usize,
    },
    /// A row is not later than the row before it, in its own segment or at the end of the one before.
    #[error(
        "segment {segment}, row {row}: time {time_ms} ms is not after the previous row's {previous_ms} ms; sort the rows \
         and drop duplicates"
    )]
    TimesOutOfOrder {
        /// Which segment.
        segment: usize,
        /// Which row of it.
        row: usize,
        /// Its time, milliseconds UTC.
        time_ms: i64,
        /// The time before it, milliseconds UTC.
        previous_ms: i64,
    },
    /// A position is NaN or outside `[-1, 1]`.
    #[error(
        "segment {segment}, row {row}: position {position} is not in [-1, 1]; use 0 where there is no prediction"
    )]
    Position {
        /// Which segment.
        segment: usize,
        /// Which row of it.
        row: usize,
        /// What was found.
        position: f64,
    },
    /// A return is NaN, infinite or below -1.
    #[error(
        "segment {segment}, row {row}: return {value} is not a simple return of at least -1; leave out rows whose next two \
         opens are unknown"
    )]
    Return {
        /// Which segment.
        segment: usize,
        /// Which row of it.
        row: usize,
        /// What was found.
        value: f64,
    },
    /// Costs are NaN, infinite or negative.
    #[error(
        "costs of {fee_bps} bp fee and {half_spread_bps} bp half-spread: both must be finite and at least 0"
    )]
    Costs {
        /// The fee, basis points.
        fee_bps: f64,
        /// The half-spread, basis points.
        half_spread_bps: f64,
    },
}

/// Trades one symbol's stitched test rows: a segment per run of consecutive bars, in time order.
///
/// Net return of row t: `p(t)·r(t) - c·|p(t) - p(t-1)|`, where p before a segment is 0 and the last row of a segment also
/// pays `c·|p(t)|` to close; c is [`Costs::fraction`]. Equity compounds it. Where equity would fall to 0 or below (a short
/// whose price doubles), it stops at 0 and nothing trades after.
///
/// No rows are no error: the curve stays at 1 and the ratios are `None`.
///
/// # Errors
/// [`BacktestError`] where slices differ in length, times do not rise, or a position, return or cost is out of range.
pub fn backtest(segments: &[Segment<'_>], costs: Costs) -> Result<Backtest, BacktestError> {
    check(segments, costs)?;
    let rows = segments.iter().map(|segment| segment.times_ms.len()).sum();
    let cost_per_unit = costs.fraction();
    let mut times_ms = Vec::with_capacity(rows);
    let mut net_returns = Vec::with_capacity(rows);
    let mut equity = Vec::with_capacity(rows + 1);
    let mut value = 1.0;
    equity.push(value);
    let (mut turnover, mut trades, mut cost_paid, mut exposure) = (0.0, 0, 0.0, 0.0);

    for segment in segments {
        times_ms.extend_from_slice(segment.times_ms);
        let mut held = 0.0_f64;
        let mut rows = segment.positions.iter().zip(segment.returns).peekable();
        while let Some((&position, &bar_return)) = rows.next() {
            let mut net_return = 0.0;
            if value > 0.0 {
                let opens = position != 0.0 && position * held <= 0.0;
                let closing = if rows.peek().is_none() { position.abs() } else { 0.0 };
                let amount = (position - held).abs() + closing;
                let cost = cost_per_unit * amount;
                net_return = (position * bar_return - cost).max(-1.0);
                trades += usize::from(opens);
                turnover += amount;
                cost_paid += value * cost;
                exposure += position.abs();
                held = position;
                value = compound(value, net_return);
            }
            net_returns.push(net_return);
            equity.push(value);
        }
    }

    let performance = Performance::measure(&times_ms, &net_returns, &equity);
    let exposure = (rows > 0).then(|| exposure / count_as_f64(rows));
    Ok(Backtest {
        times_ms,
        net_returns,
        equity,
        performance,
        turnover,
        trades,
        cost_paid,
        exposure,
    })
}

/// Refuses what would make the arithmetic meaningless.
fn check(segments: &[Segment<'_>], costs: Costs) -> Result<(), BacktestError> {
    let Costs { fee_bps, half_spread_bps } = costs;
    if ![fee_bps, half_spread_bps].iter().all(|cost| cost.is_finite() && *cost >= 0.0) {
        return Err(BacktestError::Costs { fee_bps, half_spread_bps });
    }
    let mut previous_ms = None;
    for (index, segment) in segments.iter().enumerate() {
        let (times, positions, returns) =
            (segment.times_ms.len(), segment.positions.len(), segment.returns.len());
        if times != positions || times != returns {
            return Err(BacktestError::LengthMismatch {
                segment: index,
                times,
                positions,
                returns,
            });
        }
        for (row, &time_ms) in segment.times_ms.iter().enumerate() {
            if let Some(previous_ms) = previous_ms.filter(|&previous_ms| time_ms <= previous_ms) {
                return Err(BacktestError::TimesOutOfOrder {
                    segment: index,
                    row,
                    time_ms,
                    previous_ms,
                });
            }
            previous_ms = Some(time_ms);
        }
        if let Some(row) =
            segment.positions.iter().position(|position| !(-1.0..=1.0).contains(position))
        {
            return Err(BacktestError::Position {
                segment: index,
                row,
                position: segment.positions[row],
            });
        }
        if let Some(row) =
            segment.returns.iter().position(|value| !value.is_finite() || *value < -1.0)
        {
            return Err(BacktestError::Return { segment: index, row, value: segment.returns[row] });
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "backtest_tests.rs"]
mod tests;
