//! Oscillators of TA-Lib that kand computes otherwise, slowly or not at all.

use kand::KandError;

use super::per_bar;
use super::wilder::rsi;
use super::window::{for_each_window, highest, lowest, mean, over_windows, sum};
use crate::market::Bars;

/// Where the close lies between the lowest low and the highest high of the last `window` bars, 0 ..= 1; `still` where there is no range.
pub(super) fn place_in_range(bars: &Bars, window: usize, still: f64) -> Vec<f64> {
    place(bars.close(), (bars.low(), bars.high()), window, still)
}

fn place(value: &[f64], (low, high): (&[f64], &[f64]), window: usize, still: f64) -> Vec<f64> {
    let (bottom, top) = (lowest(low, window), highest(high, window));
    per_bar(value.len(), window - 1, |t| {
        let range = top[t] - bottom[t];
        if range == 0.0 { still } else { (value[t] - bottom[t]) / range }
    })
}

/// Slow stochastic %K and %D with plain averages, fractions; both from the bar on at which %D is there.
pub(super) fn stochastic(
    bars: &Bars,
    (window, smooth_k, smooth_d): (usize, usize, usize),
) -> [Vec<f64>; 2] {
    let fast = place_in_range(bars, window, 0.0);
    let k = mean_from(&fast, window - 1, smooth_k);
    let first_k = window + smooth_k - 2;
    let d = mean_from(&k, first_k, smooth_d);
    [per_bar(bars.len(), first_k + smooth_d - 1, |t| k[t]), d]
}

/// Fast stochastic %K and %D of the RSI, fractions.
pub(super) fn stochastic_rsi(
    close: &[f64],
    (period, window, smooth_d): (usize, usize, usize),
) -> Result<[Vec<f64>; 2], KandError> {
    let rsi = rsi(close, period)?;
    let known = rsi.get(period..).unwrap_or_default();
    let mut fast = vec![f64::NAN; close.len() - known.len()];
    // Where the price stands still, gain and loss shrink alike and the RSI moves by rounding errors alone: that is no range.
    let is_still: Vec<bool> = lowest(known, window)
        .iter()
        .zip(highest(known, window))
        .map(|(bottom, top)| top - bottom < 1e-12)
        .collect();
    let places = place(known, (known, known), window, 0.0).into_iter().zip(is_still);
    fast.extend(places.map(|(place, is_still)| if is_still { 0.0 } else { place }));
    let first_k = period + window - 1;
    let d = mean_from(&fast, first_k, smooth_d);
    Ok([per_bar(close.len(), first_k + smooth_d - 1, |t| fast[t]), d])
}

/// The mean of each window of a column that is defined from `first` on.
fn mean_from(column: &[f64], first: usize, window: usize) -> Vec<f64> {
    let known = column.get(first..).unwrap_or_default();
    let mut means = vec![f64::NAN; column.len() - known.len()];
    means.extend(mean(known, window));
    means
}

/// Commodity channel index (Lambert 1980) over 100: distance of the typical price from its mean in 0.015 mean absolute deviations.
pub(super) fn commodity_channel(bars: &Bars, period: usize) -> Vec<f64> {
    let typical = typical_price(bars);
    let means = mean(&typical, period);
    per_bar(bars.len(), period - 1, |t| {
        let window = &typical[t + 1 - period..=t];
        // The mean moves from bar to bar, so that the deviations must be summed anew.
        let deviations: f64 = window.iter().map(|price| (price - means[t]).abs()).sum();
        let above = typical[t] - means[t];
        let scale = 0.015 * deviations / period as f64 * 100.0;
        if above == 0.0 || scale == 0.0 { 0.0 } else { above / scale }
    })
}

/// Money flow index: share of the last `period` bars' money that went with a rising typical price; 0 where none flowed.
pub(super) fn money_flow(bars: &Bars, period: usize) -> Vec<f64> {
    let (typical, volume) = (typical_price(bars), bars.volume());
    // Money with a rising price, and with a falling one.
    let flow = |t: usize| {
        let money = typical[t + 1] * volume[t + 1];
        let change = typical[t + 1] - typical[t];
        [if change > 0.0 { money } else { 0.0 }, if change < 0.0 { money } else { 0.0 }]
    };
    let changes = bars.len().saturating_sub(1);
    let column = over_windows(changes, period, flow, add, |_, [up, down]: [f64; 2]| {
        if up + down == 0.0 { 0.0 } else { up / (up + down) }
    });
    super::returns::from_second_bar(column, bars.len())
}

/// Ultimate oscillator (Williams 1985): buying pressure over true range on three horizons, weighted 4, 2 and 1, a fraction.
pub(super) fn ultimate(bars: &Bars, windows: [usize; 3]) -> Vec<f64> {
    let (high, low, close) = (bars.high(), bars.low(), bars.close());
    let pressure = |t: usize| {
        let bottom = low[t + 1].min(close[t]);
        [close[t + 1] - bottom, high[t + 1].max(close[t]) - bottom]
    };
    let changes = bars.len().saturating_sub(1);
    let mut column = vec![0.0; changes];
    for (window, weight) in windows.into_iter().zip([4.0, 2.0, 1.0]) {
        for_each_window(changes, window, pressure, add, |t, [bought, range]: [f64; 2]| {
            if range != 0.0 {
                column[t] += weight * bought / range / 7.0;
            }
        });
    }
    let longest = windows.into_iter().max().unwrap_or(0);
    let column = per_bar(changes, longest - 1, |t| column[t]);
    super::returns::from_second_bar(column, bars.len())
}

/// Aroon up and down (Chande 1995): how recently the last `period + 1` bars had their high and their low, 0 ..= 1; of equal ones the last.
pub(super) fn aroon(bars: &Bars, period: usize) -> [Vec<f64>; 2] {
    let since_extremes = since_extremes(bars, period + 1);
    since_extremes.map(|since| since.into_iter().map(|bars| 1.0 - bars / period as f64).collect())
}

/// Bars since the highest high and since the lowest low of the last `window` bars; of equal ones the last.
pub(super) fn since_extremes(bars: &Bars, window: usize) -> [Vec<f64>; 2] {
    let since = |value: &dyn Fn(usize) -> f64| {
        let here = |t: usize| (value(t), t);
        let later_of = |a: (f64, usize), b: (f64, usize)| if b.0 >= a.0 { b } else { a };
        over_windows(bars.len(), window, here, later_of, |t, (_, at)| (t - at) as f64)
    };
    [since(&|t| bars.high()[t]), since(&|t| -bars.low()[t])]
}

/// `(high + low + close) / 3`.
pub(super) fn typical_price(bars: &Bars) -> Vec<f64> {
    let prices = bars.high().iter().zip(bars.low()).zip(bars.close());
    prices.map(|((high, low), close)| (high + low + close) / 3.0).collect()
}

fn add(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] + b[0], a[1] + b[1]]
}

/// Share of the last `window` bars that closed above the bar before.
pub(super) fn up_bar_ratio(close: &[f64], window: usize) -> Vec<f64> {
    let rises: Vec<f64> =
        close.windows(2).map(|pair| if pair[1] > pair[0] { 1.0 } else { 0.0 }).collect();
    let share = sum(&rises, window).into_iter().map(|rises| rises / window as f64).collect();
    super::returns::from_second_bar(share, close.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::golden::bars_of;

    #[test]
    fn of_equal_extremes_the_last_counts() {
        let bars = bars_of(&[
            [5.0, 9.0, 1.0, 5.0, 1.0],
            [5.0, 9.0, 2.0, 6.0, 1.0],
            [6.0, 7.0, 2.0, 5.0, 1.0],
            [7.0, 7.0, 3.0, 7.0, 1.0],
        ]);
        let [high, low] = since_extremes(&bars, 3);
        assert_eq!((high[2], low[2], high[3], low[3]), (1.0, 2.0, 2.0, 1.0));
        let [up, down] = aroon(&bars, 2);
        assert_eq!((up[2], down[2]), (0.5, 0.0));
    }

    #[test]
    fn the_close_is_placed_in_the_range_of_the_window() {
        let bars = bars_of(&[
            [5.0, 9.0, 1.0, 5.0, 1.0],
            [5.0, 6.0, 4.0, 6.0, 1.0],
            [6.0, 6.0, 5.0, 5.0, 1.0],
            [7.0, 7.0, 7.0, 7.0, 1.0],
        ]);
        let position = place_in_range(&bars, 2, 0.5);
        assert!(position[0].is_nan());
        assert_eq!(position[1..], [5.0 / 8.0, 0.5, 1.0]);
        assert_eq!(place_in_range(&bars, 1, 0.5)[3], 0.5);
        assert_eq!(up_bar_ratio(bars.close(), 3)[3], 2.0 / 3.0);
    }
}
