//! Jumps between two bars that look like a stock split for which the prices before were not adjusted.

use super::super::Bars;
use super::report::{Ledger, MOST_EXAMPLES, Sight};
use crate::domain::Problem;

/// New shares for old ones in the splits that are common.
const RATIOS: [(f64, f64); 8] = [
    (2.0, 1.0),
    (3.0, 1.0),
    (3.0, 2.0),
    (4.0, 1.0),
    (5.0, 1.0),
    (7.0, 1.0),
    (10.0, 1.0),
    (20.0, 1.0),
];
/// So far may the market itself move overnight, as a log return: at least, and at most, in between four times its usual move.
const OVERNIGHT: (f64, f64) = (0.02, 0.06);
/// No market multiplies overnight: from this ratio on a jump that is off by a quarter is still a split, in a restless market.
const SURE_RATIO: f64 = 7.0;
const SURE_TOLERANCE: f64 = 0.25;
/// A jump counts from so many of the symbol's own standard deviations on.
const DEVIATIONS: f64 = 8.0;
/// Over so many bars on either side the level is compared.
const LEVEL_BARS: usize = 20;
/// So much of the jump must still be there afterwards.
const STAYS: f64 = 0.65;
/// A median absolute deviation is this part of a normal standard deviation.
const MAD_OF_NORMAL: f64 = 0.674_489_750_196_081_7;
/// Fewer openings after a pause than this teach nothing about them.
const MIN_OPENINGS: usize = 20;

/// Reports jumps from a close to the next open that are near a common ratio, far beyond what the symbol does otherwise, and that stay.
///
/// A crash moves within bars, so that its open is near the close before; a split moves between them.
pub(super) fn find(bars: &Bars, ledger: &mut Ledger) {
    let (open, close) = (bars.open(), bars.close());
    // Anything nearer to 1 is near none of the ratios.
    let factor = 1.5 / OVERNIGHT.1.exp();
    let candidates: Vec<usize> = (1..bars.len())
        .filter(|&row| {
            let ratio = close[row - 1] / open[row];
            ratio >= factor || ratio * factor <= 1.0
        })
        .collect();
    if candidates.is_empty() {
        return;
    }
    let deviation = deviation(close.windows(2).map(|pair| (pair[1] / pair[0]).ln()));
    let tolerance = (4.0 * overnight_deviation(bars)).clamp(OVERNIGHT.0, OVERNIGHT.1);
    let splits: Vec<(usize, String)> = candidates
        .into_iter()
        .filter_map(|row| {
            let jump = (close[row - 1] / open[row]).ln();
            let (new, old) = nearest_ratio(jump.abs(), tolerance)?;
            let is_far = jump.abs() > DEVIATIONS * deviation;
            let stays = level_change(close, row) / jump;
            let stays = (STAYS..=2.0 - STAYS).contains(&stays);
            let ratio = if jump > 0.0 { format!("{new}:{old}") } else { format!("{old}:{new}") };
            (is_far && stays).then_some((row, ratio))
        })
        .collect();
    let sights = splits.iter().take(MOST_EXAMPLES).map(|(row, ratio)| Sight {
        row: None,
        at: bars.open_time()[*row],
        what: format!(
            "opens at {} after a close of {}, as after a {ratio} split",
            open[*row],
            close[*row - 1]
        ),
    });
    ledger.add(Problem::Split, splits.len() as u64, 0, sights.collect());
}

fn nearest_ratio(jump: f64, tolerance: f64) -> Option<(f64, f64)> {
    let distance = |(new, old): &(f64, f64)| (jump - (new / old).ln()).abs();
    let nearest = RATIOS.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    let is_sure = nearest.0 / nearest.1 >= SURE_RATIO;
    let tolerance = if is_sure { SURE_TOLERANCE } else { tolerance };
    (distance(&nearest) <= tolerance).then_some(nearest)
}

/// How far the price fell from before a bar to after it, as a log return, by the medians of some bars on either side.
fn level_change(close: &[f64], row: usize) -> f64 {
    let before = &close[row.saturating_sub(LEVEL_BARS)..row];
    let after = &close[row..(row + LEVEL_BARS).min(close.len())];
    (median(before.to_vec()) / median(after.to_vec())).ln()
}

/// The usual move from a close to an open after a pause in trading; of every open where there are few pauses.
fn overnight_deviation(bars: &Bars) -> f64 {
    let (open, close, at) = (bars.open(), bars.close(), bars.open_time());
    let length = bars.timeframe().millis();
    let jump = |row: usize| (open[row] / close[row - 1]).ln();
    let after_pause: Vec<f64> = (1..bars.len())
        .filter(|&row| at[row].0.saturating_sub(at[row - 1].0) > length)
        .map(jump)
        .collect();
    if after_pause.len() < MIN_OPENINGS {
        return deviation((1..bars.len()).map(jump));
    }
    deviation(after_pause.into_iter())
}

/// The standard deviation, by the median of the absolute values: a few jumps do not change it.
fn deviation(values: impl Iterator<Item = f64>) -> f64 {
    median(values.map(f64::abs).collect()) / MAD_OF_NORMAL
}

/// The upper median; NaN of nothing.
fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}
