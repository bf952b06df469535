//! Features of a window of the last bars, each computed from that window's own bars.

use super::per_bar;
use crate::market::Bars;

/// `ln(close[t] / close[t - lag])`.
pub(super) fn log_return(close: &[f64], lag: usize) -> Vec<f64> {
    per_bar(close.len(), lag, |t| (close[t] / close[t - lag]).ln())
}

/// Sample standard deviation (divided by `window - 1`) of the last `window` one-bar log returns, per bar.
pub(super) fn realized_volatility(close: &[f64], window: usize) -> Vec<f64> {
    let returns = log_return(close, 1);
    per_bar(close.len(), window, |t| Moments::of(&returns[t + 1 - window..=t]).std)
}

/// `(v - mean) / std` of `v = ln(1 + volume)` over the last `window` bars, bar t included; std divided by `window - 1`. 0 where std is 0.
pub(super) fn volume_z_score(volume: &[f64], window: usize) -> Vec<f64> {
    let log_volume: Vec<f64> = volume.iter().map(|volume| volume.ln_1p()).collect();
    per_bar(volume.len(), window - 1, |t| {
        let Moments { last_above_mean, std } = Moments::of(&log_volume[t + 1 - window..=t]);
        if std == 0.0 { 0.0 } else { last_above_mean / std }
    })
}

/// `(close - lowest low) / (highest high - lowest low)` of the last `window` bars; 0.5 where there is no range.
pub(super) fn range_position(bars: &Bars, window: usize) -> Vec<f64> {
    let (high, low, close) = (bars.high(), bars.low(), bars.close());
    per_bar(bars.len(), window - 1, |t| {
        let first = t + 1 - window;
        let top = high[first..=t].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let bottom = low[first..=t].iter().copied().fold(f64::INFINITY, f64::min);
        let range = top - bottom;
        if range == 0.0 { 0.5 } else { (close[t] - bottom) / range }
    })
}

/// What the formulas above need of a window of at least two values.
struct Moments {
    /// The last value less the mean.
    last_above_mean: f64,
    /// Sample standard deviation.
    std: f64,
}

impl Moments {
    /// Two passes over the differences from the last value: no cancellation, and equal values give a deviation of exactly 0.
    fn of(window: &[f64]) -> Self {
        let count = count_as_f64(window.len());
        let last = window[window.len() - 1];
        let mean = window.iter().map(|value| value - last).sum::<f64>() / count;
        let squares: f64 = window.iter().map(|value| (value - last - mean).powi(2)).sum();
        Self { last_above_mean: -mean, std: (squares / (count - 1.0)).sqrt() }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "windows stay far below 2^53 bars, where f64 is exact"
)]
const fn count_as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;
    use crate::features::golden::bars_of;

    #[test]
    fn a_window_holds_its_own_bars_and_no_other() {
        let close = [1.0, 2.0, 8.0, 8.0, 4.0];
        let returns = log_return(&close, 2);
        assert!(returns[0].is_nan() && returns[1].is_nan());
        assert_relative_eq!(returns[2], 8_f64.ln());
        assert_relative_eq!(returns[4], -2_f64.ln());

        let volatility = realized_volatility(&close, 2);
        assert!(volatility[1].is_nan());
        let (a, b) = (2_f64.ln(), 4_f64.ln());
        assert_relative_eq!(volatility[2], (b - a) / 2_f64.sqrt(), max_relative = 1e-14);
    }

    #[test]
    fn what_never_changes_has_no_deviation_at_all() {
        // 0.1 is no binary fraction: a mean of equal values would be off by a rounding error, and the z-score be noise over noise.
        let constant = vec![0.1; 50];
        assert!(volume_z_score(&constant, 7).iter().skip(6).all(|z| *z == 0.0));
        assert!(realized_volatility(&constant, 7).iter().skip(7).all(|std| *std == 0.0));
        let mut burst = constant.clone();
        burst[20] = 1e9;
        let after = volume_z_score(&burst, 7);
        assert!(after.iter().skip(27).all(|z| *z == 0.0), "a running sum would remember the burst");
    }

    #[test]
    fn the_close_is_placed_in_the_range_of_the_window() {
        let bars = bars_of(&[
            [5.0, 9.0, 1.0, 5.0, 1.0],
            [5.0, 6.0, 4.0, 6.0, 1.0],
            [6.0, 6.0, 5.0, 5.0, 1.0],
            [7.0, 7.0, 7.0, 7.0, 1.0],
        ]);
        let position = range_position(&bars, 2);
        assert!(position[0].is_nan());
        assert_relative_eq!(position[1], 5.0 / 8.0);
        assert_relative_eq!(position[2], 0.5);
        assert_relative_eq!(position[3], 1.0);
        assert_relative_eq!(range_position(&bars, 1)[3], 0.5);
    }
}
