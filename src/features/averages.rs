//! Moving averages of the close as TA-Lib begins them, and what is measured from them.

use kand::KandError;
use kand::ohlcv;

use super::per_bar;
use super::window::{Line, Moments, mean, over_windows, sum};

/// How far the close lies above an average, as a fraction of the average.
pub(super) fn distance(close: &[f64], average: &[f64]) -> Vec<f64> {
    close.iter().zip(average).map(|(close, average)| close / average - 1.0).collect()
}

/// Simple moving average.
pub(super) fn simple(values: &[f64], period: usize) -> Vec<f64> {
    mean(values, period)
}

/// Weights that rise from 1 at the oldest value to `period` at the newest.
pub(super) fn weighted(values: &[f64], period: usize) -> Vec<f64> {
    let line = |t: usize| Line::of(values[t]);
    over_windows(values.len(), period, line, Line::join, |_, line| line.weighted_mean())
}

/// Exponential average with `alpha = 2 / (period + 1)` that begins with the plain mean of the first `period` values.
pub(super) fn exponential(values: &[f64], period: usize) -> Result<Vec<f64>, KandError> {
    let mut average = vec![f64::NAN; values.len()];
    if values.len() >= period {
        ohlcv::ema::ema(values, period, None, &mut average)?;
    }
    Ok(average)
}

/// `2 EMA - EMA(EMA)` (Mulloy 1994).
pub(super) fn double_exponential(values: &[f64], period: usize) -> Result<Vec<f64>, KandError> {
    let mut average = vec![f64::NAN; values.len()];
    if values.len() > 2 * (period - 1) {
        let mut scratch = [average.clone(), average.clone()];
        let [once, twice] = &mut scratch;
        ohlcv::dema::dema(values, period, &mut average, once, twice)?;
    }
    Ok(average)
}

/// `3 EMA - 3 EMA(EMA) + EMA(EMA(EMA))` (Mulloy 1994).
pub(super) fn triple_exponential(values: &[f64], period: usize) -> Result<Vec<f64>, KandError> {
    let mut average = vec![f64::NAN; values.len()];
    if values.len() > 3 * (period - 1) {
        let mut scratch = [average.clone(), average.clone(), average.clone()];
        let [once, twice, thrice] = &mut scratch;
        ohlcv::tema::tema(values, period, &mut average, once, twice, thrice)?;
    }
    Ok(average)
}

/// One-bar rate of change of a triple EMA, a fraction.
pub(super) fn trix(values: &[f64], period: usize) -> Result<Vec<f64>, KandError> {
    let mut rate = vec![f64::NAN; values.len()];
    if values.len() > 3 * (period - 1) + 1 {
        let mut scratch = [rate.clone(), rate.clone(), rate.clone()];
        let [once, twice, thrice] = &mut scratch;
        ohlcv::trix::trix(values, period, &mut rate, once, twice, thrice)?;
    }
    Ok(rate.into_iter().map(|percent| percent / 100.0).collect())
}

/// Kaufman's adaptive average (1995): the more straightly the price moves, the faster it follows, between an EMA of 2 and one of 30 bars.
pub(super) fn adaptive(values: &[f64], period: usize) -> Vec<f64> {
    const FAST: f64 = 2.0 / 3.0;
    const SLOW: f64 = 2.0 / 31.0;
    let efficiency = efficiency_ratio(values, period, 1.0);
    let mut average = values.get(period - 1).copied().unwrap_or(f64::NAN);
    per_bar(values.len(), period, |t| t as f64)
        .into_iter()
        .zip(efficiency)
        .zip(values)
        .map(|((t, efficiency), value)| {
            if t.is_nan() {
                return f64::NAN;
            }
            let pace = (efficiency * (FAST - SLOW) + SLOW).powi(2);
            average += (value - average) * pace;
            average
        })
        .collect()
}

/// How straightly the price moved: distance over path, 0 ..= 1; `still` where it did not move.
pub(super) fn efficiency_ratio(values: &[f64], period: usize, still: f64) -> Vec<f64> {
    let steps: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    let path = sum(&steps, period);
    per_bar(values.len(), period, |t| {
        let (distance, path) = ((values[t] - values[t - period]).abs(), path[t - 1]);
        if path == 0.0 { still } else { (distance / path).min(1.0) }
    })
}

/// MACD's line, signal and histogram as fractions of the close. Both averages begin at the same bar, as in TA-Lib.
pub(super) fn macd(
    close: &[f64],
    (fast, slow, signal): (usize, usize, usize),
) -> Result<[Vec<f64>; 3], KandError> {
    let first = slow - 1;
    let [fast, slow] = both(close, fast, slow)?;
    let line: Vec<f64> = fast.iter().zip(&slow).map(|(fast, slow)| fast - slow).collect();
    let known = line.get(first..).unwrap_or_default();
    let mut average = vec![f64::NAN; close.len() - known.len()];
    average.extend(exponential(known, signal)?);
    let lookback = first + signal - 1;
    let column =
        |value: &dyn Fn(usize) -> f64| per_bar(close.len(), lookback, |t| value(t) / close[t]);
    Ok([column(&|t| line[t]), column(&|t| average[t]), column(&|t| line[t] - average[t])])
}

/// `EMA(fast) / EMA(slow) - 1`.
pub(super) fn percentage_oscillator(
    close: &[f64],
    fast: usize,
    slow: usize,
) -> Result<Vec<f64>, KandError> {
    Ok(distance(&exponential(close, fast)?, &exponential(close, slow)?))
}

/// A fast and a slow exponential average that begin at the same bar.
fn both(close: &[f64], fast: usize, slow: usize) -> Result<[Vec<f64>; 2], KandError> {
    let later = (slow - fast).min(close.len());
    let mut begun_late = vec![f64::NAN; later];
    begun_late.extend(exponential(&close[later..], fast)?);
    Ok([begun_late, exponential(close, slow)?])
}

/// Slope of the least-squares line through the last closes, per bar, as a fraction of the close.
pub(super) fn slope(close: &[f64], window: usize) -> Vec<f64> {
    lines(close, window, |t, line| line.slope() / close[t])
}

/// The slope in percent of the close per bar as an angle: -1 straight down, 1 straight up.
pub(super) fn angle(close: &[f64], window: usize) -> Vec<f64> {
    let angle = |slope: f64| (100.0 * slope).atan() / std::f64::consts::FRAC_PI_2;
    lines(close, window, |t, line| angle(line.slope() / close[t]))
}

/// Share of the closes' variance that the line explains; 0 where the price stands still.
pub(super) fn r_squared(close: &[f64], window: usize) -> Vec<f64> {
    lines(close, window, |_, line| line.r_squared().unwrap_or(0.0))
}

/// How far the close lies above the end of the line, as a fraction of the close.
pub(super) fn line_distance(close: &[f64], window: usize) -> Vec<f64> {
    lines(close, window, |t, line| (close[t] - line.end()) / close[t])
}

fn lines(close: &[f64], window: usize, number: impl Fn(usize, Line) -> f64) -> Vec<f64> {
    over_windows(close.len(), window, |t| Line::of(close[t]), Line::join, number)
}

/// Where the close lies between the Bollinger bands, 0 at the lower, 1 at the upper one, 0.5 where they touch.
pub(super) fn bollinger_position(close: &[f64], window: usize, deviations: f64) -> Vec<f64> {
    bollinger(close, window, |t, moments| {
        let width = 2.0 * deviations * moments.population_std();
        if width == 0.0 { 0.5 } else { (close[t] - moments.mean) / width + 0.5 }
    })
}

/// Distance of the Bollinger bands as a fraction of their middle.
pub(super) fn bollinger_bandwidth(close: &[f64], window: usize, deviations: f64) -> Vec<f64> {
    bollinger(close, window, |_, moments| {
        2.0 * deviations * moments.population_std() / moments.mean
    })
}

fn bollinger(close: &[f64], window: usize, number: impl Fn(usize, Moments) -> f64) -> Vec<f64> {
    over_windows(close.len(), window, |t| Moments::of(close[t]), Moments::join, number)
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    #[test]
    fn too_few_values_are_no_error() {
        for count in 0..6 {
            let close: Vec<f64> = (0..count).map(f64::from).map(|t| t + 1.0).collect();
            let missing = |column: Vec<f64>| {
                column.len() == close.len() && column.iter().all(|value| value.is_nan())
            };
            assert!(missing(exponential(&close, 7).unwrap()));
            assert!(missing(double_exponential(&close, 5).unwrap()));
            assert!(missing(triple_exponential(&close, 4).unwrap()));
            assert!(missing(trix(&close, 3).unwrap()));
            assert!(missing(adaptive(&close, 6)));
            assert!(macd(&close, (2, 5, 3)).unwrap().into_iter().all(missing));
            assert!(missing(percentage_oscillator(&close, 3, 6).unwrap()));
        }
    }

    #[test]
    fn a_straight_line_is_found() {
        let close: Vec<f64> = (0..9).map(|t| 2.0 + 0.5 * f64::from(t)).collect();
        assert_relative_eq!(slope(&close, 4)[8], 0.5 / 6.0, max_relative = 1e-14);
        assert_relative_eq!(r_squared(&close, 4)[8], 1.0, max_relative = 1e-14);
        assert_relative_eq!(line_distance(&close, 4)[8], 0.0, epsilon = 1e-15);
        assert_relative_eq!(efficiency_ratio(&close, 4, 0.0)[8], 1.0);
        assert_relative_eq!(efficiency_ratio(&[1.0; 9], 4, 0.0)[8], 0.0);
    }
}
