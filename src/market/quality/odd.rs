//! Bars that are bars and look odd all the same.

use std::collections::BTreeMap;

use super::super::BarColumns;
use super::report::{MOST_EXAMPLES, Sight};
use crate::domain::Timeframe;

/// 1970-01-05, a Monday, from which grids are counted.
const GRID_START_MILLIS: i64 = 4 * 86_400_000;
/// An offset that so large a share of the bars has belongs to the file's grid: daylight saving time gives two, a session that opens at half
/// past one more.
const GRID_SHARE: f64 = 0.05;
/// Fewer bars than this without movement are never called stale.
const SHORTEST_STALE: usize = 5;
/// So many files like this one may be looked at until a stretch is called stale by chance.
const FILES_UNTIL_FALSE_ALARM: f64 = 100.0;
/// From so many still stretches on, their usual length is known.
const KNOWN_STRETCHES: usize = 20;

/// Rows of one problem.
pub(super) struct Odd {
    pub rows: Vec<usize>,
    pub count: u64,
    pub examples: Vec<Sight>,
}

impl Odd {
    fn rows(rows: Vec<usize>, sight: impl Fn(usize) -> Sight) -> Self {
        let examples = rows.iter().take(MOST_EXAMPLES).map(|&row| sight(row)).collect();
        Self { count: rows.len() as u64, examples, rows }
    }
}

/// Bars whose open time, modulo the timeframe, is that of few.
pub(super) fn off_grid(columns: &BarColumns, timeframe: Timeframe) -> Odd {
    let offset = |row: usize| {
        columns.open_time[row].0.saturating_sub(GRID_START_MILLIS).rem_euclid(timeframe.millis())
    };
    let count = columns.open_time.len();
    let offsets = counted((0..count).map(offset));
    let least = count as f64 * GRID_SHARE;
    let is_off = |row: &usize| offsets.get(&offset(*row)).is_none_or(|n| (*n as f64) < least);
    let is_uniform = offsets.values().all(|n| *n as f64 >= least);
    let rows = if is_uniform { Vec::new() } else { (0..count).filter(is_off).collect() };
    Odd::rows(rows, |row| {
        let at = columns.open_time[row];
        Sight { row: None, at, what: format!("opens where few other {timeframe} bars do") }
    })
}

/// How often each value is there.
pub(super) fn counted(values: impl Iterator<Item = i64>) -> BTreeMap<i64, usize> {
    let mut counts = BTreeMap::new();
    let mut run = None;
    for value in values {
        run = match run {
            Some((same, count)) if same == value => Some((same, count + 1)),
            other => {
                if let Some((before, count)) = other {
                    *counts.entry(before).or_default() += count;
                }
                Some((value, 1))
            }
        };
    }
    if let Some((last, count)) = run {
        *counts.entry(last).or_default() += count;
    }
    counts
}

/// Bars in which nothing was traded.
pub(super) fn zero_volume(columns: &BarColumns) -> Odd {
    let volume = &columns.volume;
    let rows = (0..volume.len()).filter(|&row| volume[row] == 0.0).collect();
    Odd::rows(rows, |row| {
        let at = columns.open_time[row];
        Sight { row: None, at, what: format!("volume 0 at a close of {}", columns.close[row]) }
    })
}

/// Bars in stretches of one price without range that are longer than is usual in this file.
///
/// A market that often stands still has long stretches by chance. With `q` the chance that a still bar follows a still one, a file of `n`
/// bars has `n·qᴸ` stretches of length `L` or more, so `L` is chosen such that one file in a hundred has one.
pub(super) fn stale(columns: &BarColumns) -> Odd {
    let stretches = still_stretches(columns);
    let longest_usual = longest_usual(columns.close.len(), &stretches);
    let stale: Vec<&(usize, usize)> =
        stretches.iter().filter(|(_, length)| *length > longest_usual).collect();
    let examples = stale.iter().take(MOST_EXAMPLES).map(|(first, length)| Sight {
        row: None,
        at: columns.open_time[*first],
        what: format!("{length} bars at {} without range", columns.close[*first]),
    });
    let examples = examples.collect();
    let rows: Vec<usize> =
        stale.iter().flat_map(|(first, length)| *first..first + length).collect();
    Odd { count: rows.len() as u64, rows, examples }
}

/// First row and length of every stretch of bars without range at the close of the bar before.
fn still_stretches(columns: &BarColumns) -> Vec<(usize, usize)> {
    let BarColumns { high, low, close, .. } = columns;
    let mut stretches: Vec<(usize, usize)> = Vec::new();
    let mut before_is_still = false;
    for row in 1..close.len() {
        let is_still = high[row] == low[row] && close[row] == close[row - 1];
        match stretches.last_mut() {
            Some((_, length)) if is_still && before_is_still => *length += 1,
            _ if is_still => stretches.push((row, 1)),
            _ => {}
        }
        before_is_still = is_still;
    }
    stretches
}

fn longest_usual(bars: usize, stretches: &[(usize, usize)]) -> usize {
    let still: usize = stretches.iter().map(|(_, length)| length).sum();
    let mut chance = still as f64 / bars.max(1) as f64;
    if stretches.len() >= KNOWN_STRETCHES {
        // Without the longest ones, which may be those that are looked for.
        let mut lengths: Vec<usize> = stretches.iter().map(|(_, length)| *length).collect();
        lengths.sort_unstable();
        lengths.truncate(lengths.len() * 95 / 100);
        let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
        chance = chance.max(1.0 - 1.0 / mean);
    }
    let chance = chance.clamp(1e-6, 0.99);
    let length = (bars as f64 * FILES_UNTIL_FALSE_ALARM).ln() / -chance.ln();
    (length.ceil() as usize).max(SHORTEST_STALE)
}
