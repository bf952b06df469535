//! How much the price moves: from closes, and from the range of each bar.

use std::f64::consts::LN_2;

use kand::KandError;

use super::averages::exponential;
use super::returns::{from_second_bar, one_bar_returns};
use super::window::{Moments, mean, over_windows};
use super::{per_bar, wilder};
use crate::market::Bars;

/// Sample standard deviation (divided by `window - 1`) of the last `window` one-bar log returns, per bar.
pub(super) fn realized(close: &[f64], window: usize) -> Vec<f64> {
    from_second_bar(deviations(&one_bar_returns(close), window, Moments::std), close.len())
}

fn deviations(values: &[f64], window: usize, number: impl Fn(Moments) -> f64) -> Vec<f64> {
    let moments = |t: usize| Moments::of(values[t]);
    over_windows(values.len(), window, moments, Moments::join, |_, moments| number(moments))
}

/// `max(high, close[t - 1]) - min(low, close[t - 1])` as a fraction of the close.
pub(super) fn true_range(bars: &Bars) -> Vec<f64> {
    let (high, low, close) = (bars.high(), bars.low(), bars.close());
    per_bar(bars.len(), 1, |t| (high[t].max(close[t - 1]) - low[t].min(close[t - 1])) / close[t])
}

/// Where the close lies in the Keltner channel, an EMA with `multiple` average true ranges on either side: 0 at the lower, 1 at the upper
/// edge, 0.5 where there is no range.
pub(super) fn keltner_position(
    bars: &Bars,
    (period, atr_period): (usize, usize),
    multiple: f64,
) -> Result<Vec<f64>, KandError> {
    let middle = exponential(bars.close(), period)?;
    let range = wilder::atr(bars, atr_period)?;
    let close = bars.close();
    Ok(per_bar(bars.len(), atr_period.max(period - 1), |t| {
        let width = 2.0 * multiple * range[t] * close[t];
        if width == 0.0 { 0.5 } else { (close[t] - middle[t]) / width + 0.5 }
    }))
}

/// Parkinson (1980): from high and low.
pub(super) fn parkinson(bars: &Bars, window: usize) -> Vec<f64> {
    of_variances(bars, window, |[_, high, low, _]| (high - low).powi(2) / (4.0 * LN_2))
}

/// Garman and Klass (1980): from the whole bar, without drift.
pub(super) fn garman_klass(bars: &Bars, window: usize) -> Vec<f64> {
    of_variances(bars, window, |[open, high, low, close]| {
        0.5 * (high - low).powi(2) - (2.0 * LN_2 - 1.0) * (close - open).powi(2)
    })
}

/// Rogers and Satchell (1991): from the whole bar, with drift.
pub(super) fn rogers_satchell(bars: &Bars, window: usize) -> Vec<f64> {
    of_variances(bars, window, rogers_satchell_variance)
}

fn rogers_satchell_variance([open, high, low, close]: [f64; 4]) -> f64 {
    (high - close) * (high - open) + (low - close) * (low - open)
}

/// The root of the mean of each bar's variance, from the logarithms of open, high, low, close.
fn of_variances(bars: &Bars, window: usize, variance: fn([f64; 4]) -> f64) -> Vec<f64> {
    let variances: Vec<f64> = logs(bars).map(variance).collect();
    // Rounding may leave a variance of nothing just below 0.
    mean(&variances, window).into_iter().map(root).collect()
}

fn root(variance: f64) -> f64 {
    if variance < 0.0 { 0.0 } else { variance.sqrt() }
}

fn logs(bars: &Bars) -> impl Iterator<Item = [f64; 4]> {
    (0..bars.len())
        .map(|t| [bars.open()[t], bars.high()[t], bars.low()[t], bars.close()[t]].map(f64::ln))
}

/// Yang and Zhang (2000): gaps, bars and drift together.
pub(super) fn yang_zhang(bars: &Bars, window: usize) -> Vec<f64> {
    let logs: Vec<[f64; 4]> = logs(bars).collect();
    let gaps: Vec<f64> = logs.windows(2).map(|pair| pair[1][0] - pair[0][3]).collect();
    let changes: Vec<f64> = logs.iter().skip(1).map(|[open, .., close]| close - open).collect();
    let ranges: Vec<f64> = logs.iter().skip(1).map(|bar| rogers_satchell_variance(*bar)).collect();
    let variance = |moments: Moments| moments.std().powi(2);
    let (gaps, changes) =
        (deviations(&gaps, window, variance), deviations(&changes, window, variance));
    let ranges = mean(&ranges, window);
    let n = window as f64;
    let k = 0.34 / (1.34 + (n + 1.0) / (n - 1.0));
    let column = (0..ranges.len()).map(|t| root(gaps[t] + k * changes[t] + (1.0 - k) * ranges[t]));
    from_second_bar(column.collect(), bars.len())
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;
    use crate::features::golden::bars_of;

    #[test]
    fn a_window_holds_its_own_bars_and_no_other() {
        let volatility = realized(&[1.0, 2.0, 8.0, 8.0, 4.0], 2);
        assert!(volatility[0].is_nan() && volatility[1].is_nan());
        let (a, b) = (2_f64.ln(), 4_f64.ln());
        assert_relative_eq!(volatility[2], (b - a) / 2_f64.sqrt(), max_relative = 1e-14);
        assert!(realized(&[0.1; 50], 7).iter().skip(7).all(|std| *std == 0.0));
    }

    #[test]
    fn bars_without_range_have_no_volatility() {
        let bars = bars_of(&[[3.1, 3.1, 3.1, 3.1, 1.0]; 9]);
        for volatility in [parkinson, garman_klass, rogers_satchell, yang_zhang] {
            assert_eq!(volatility(&bars, 4)[8], 0.0);
        }
        assert_eq!(keltner_position(&bars, (4, 3), 2.0).unwrap()[8], 0.5);
        assert_eq!(true_range(&bars)[8], 0.0);
    }
}
