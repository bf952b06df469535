use super::{BarColumns, Bars};
use crate::domain::{Timeframe, UtcMillis};

/// 1970-01-05, a Monday: weeks begin on Mondays, and every shorter grid that divides the day has an edge here too.
const GRID_START_MILLIS: i64 = 4 * 86_400_000;

/// A timeframe that these bars cannot be put together to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "bars of {to} cannot be made from bars of {from}; expected a multiple of {from}, or finer bars"
)]
pub struct ResampleError {
    /// The length of the bars there are.
    pub from: Timeframe,
    /// The length that was asked for.
    pub to: Timeframe,
}

/// Puts bars together to longer ones: the first open, the highest high, the lowest low, the last close, the sum of the volumes.
///
/// The longer bars lie on the UTC grid: from 00:00 UTC on, weeks from Monday 00:00 UTC on. A bar counts for the longer bar in which it
/// *closes*. Where the bars lie on the grid themselves that is also the one in which it opens. A broker's day that opens on Sunday 22:00 and
/// closes on Monday 22:00 counts for the week that begins on Monday, so no longer bar knows a price from after its own close.
///
/// A longer bar is there as soon as one of its bars is: hours in which the market is closed, or that the file lacks, make it no smaller than
/// what was traded, and nothing is invented for a stretch without any. Stocks traded from 14:30 to 21:00 UTC thus give 4-hour bars at 12:00,
/// 16:00 and 20:00, the first and the last of them short. The last longer bar is left out where the series ends before its close, also when
/// only closed hours would follow: resampling the first part of a series gives the first part of the whole.
///
/// # Errors
/// [`ResampleError`] for a timeframe that is no multiple of the bars' own.
pub fn resample(bars: &Bars, to: Timeframe) -> Result<Bars, ResampleError> {
    let from = bars.timeframe();
    if !to.minutes().is_multiple_of(from.minutes()) {
        return Err(ResampleError { from, to });
    }
    if to == from {
        return Ok(bars.clone());
    }
    let length = to.millis();
    let slot_of = |row: usize| {
        // The last moment inside the bar: a bar that closes on the edge belongs to what ends there.
        bars.close_time(row).0.saturating_sub(1 + GRID_START_MILLIS).div_euclid(length)
    };
    let mut columns = BarColumns::default();
    let mut row = 0;
    while row < bars.len() {
        let slot = slot_of(row);
        let open_time = UtcMillis(slot.saturating_mul(length).saturating_add(GRID_START_MILLIS));
        let first = row;
        let (mut high, mut low, mut volume) = (bars.high()[row], bars.low()[row], 0.0);
        while row < bars.len() && slot_of(row) == slot {
            high = high.max(bars.high()[row]);
            low = low.min(bars.low()[row]);
            volume += bars.volume()[row];
            row += 1;
        }
        let is_over = row < bars.len() || bars.close_time(row - 1) >= open_time.plus_millis(length);
        if is_over {
            columns.open_time.push(open_time);
            columns.open.push(bars.open()[first]);
            columns.high.push(high);
            columns.low.push(low);
            columns.close.push(bars.close()[row - 1]);
            // The sum of many large volumes may leave the numbers that a bar can hold.
            columns.volume.push(volume.min(f64::MAX));
        }
    }
    let resampled = Bars::new(bars.symbol().clone(), to, columns);
    Ok(resampled.expect("prices come from valid bars and slots rise with close times"))
}

/// For each bar the last of the longer bars that has closed when it closes: all that may be known of them by then. `None` before the first.
#[must_use]
pub fn last_closed(bars: &Bars, longer: &Bars) -> Vec<Option<usize>> {
    let mut closed = 0;
    (0..bars.len())
        .map(|row| {
            while closed < longer.len() && longer.close_time(closed) <= bars.close_time(row) {
                closed += 1;
            }
            closed.checked_sub(1)
        })
        .collect()
}

#[cfg(test)]
#[path = "resample_tests.rs"]
mod tests;
