//! Statistics of the last one-bar log returns, and where bars and prices stand in their own past.

use super::momentum::since_extremes;
use super::per_bar;
use super::returns::{from_second_bar, one_bar_returns};
use super::window::{
    Moments, PairMoments, for_each_sorted_window, highest, lowest, mean, over_windows, quantile,
    rank,
};
use crate::market::Bars;

/// Mean of the last `window` returns.
pub(super) fn return_mean(close: &[f64], window: usize) -> Vec<f64> {
    of_returns(close, |returns| mean(returns, window))
}

/// The lowest of the last `window` returns.
pub(super) fn return_min(close: &[f64], window: usize) -> Vec<f64> {
    of_returns(close, |returns| lowest(returns, window))
}

/// The highest of the last `window` returns.
pub(super) fn return_max(close: &[f64], window: usize) -> Vec<f64> {
    of_returns(close, |returns| highest(returns, window))
}

/// The z-score of the return among the last `window`, itself included; 0 where they do not vary.
pub(super) fn return_z_score(close: &[f64], window: usize) -> Vec<f64> {
    of_returns(close, |returns| {
        let moments = |t: usize| Moments::of(returns[t]);
        over_windows(returns.len(), window, moments, Moments::join, |t, m| m.z_score(returns[t]))
    })
}

/// Sample skewness (adjusted Fisher-Pearson, as pandas); 0 where the returns do not vary.
pub(super) fn return_skewness(close: &[f64], window: usize) -> Vec<f64> {
    shape(close, window, Powers::skewness)
}

/// Sample excess kurtosis (unbiased for a normal distribution, as pandas); 0 where the returns do not vary.
pub(super) fn return_kurtosis(close: &[f64], window: usize) -> Vec<f64> {
    shape(close, window, Powers::kurtosis)
}

fn shape(close: &[f64], window: usize, number: fn(Powers) -> f64) -> Vec<f64> {
    of_returns(close, |returns| {
        let powers = |t: usize| Powers::of(returns[t]);
        over_windows(returns.len(), window, powers, Powers::join, |_, powers| number(powers))
    })
}

/// A quantile of the last `window` returns, linear between two of them.
pub(super) fn return_quantile(close: &[f64], window: usize, share: f64) -> Vec<f64> {
    of_sorted_returns(close, window, |_, sorted| quantile(sorted, share))
}

/// The return's rank among the last `window`, itself included, over their count: in (0, 1].
pub(super) fn return_rank(close: &[f64], window: usize) -> Vec<f64> {
    of_sorted_returns(close, window, |value, sorted| rank(sorted, value))
}

/// Correlation of the last `window` returns with those `lag` bars before; 0 where they do not vary.
pub(super) fn return_autocorrelation(close: &[f64], window: usize, lag: usize) -> Vec<f64> {
    of_returns(close, |returns| {
        let later = returns.get(lag..).unwrap_or_default();
        let pair = |t: usize| PairMoments::of_known(returns[t], later[t]);
        let correlations =
            over_windows(later.len(), window, pair, PairMoments::join, |_, pairs| {
                pairs.correlation().unwrap_or(0.0)
            });
        let mut column = vec![f64::NAN; returns.len() - later.len()];
        column.extend(correlations);
        column
    })
}

fn of_returns(close: &[f64], column: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    from_second_bar(column(&one_bar_returns(close)), close.len())
}

fn of_sorted_returns(
    close: &[f64],
    window: usize,
    number: impl Fn(f64, &[f64]) -> f64,
) -> Vec<f64> {
    of_returns(close, |returns| {
        let mut column = vec![f64::NAN; returns.len()];
        for_each_sorted_window(returns, window, |t, sorted| {
            if sorted.len() == window {
                column[t] = number(returns[t], sorted);
            }
        });
        column
    })
}

/// Count, mean and sums of the second to fourth power of the differences from it; joined as by Pébay (2008).
#[derive(Clone, Copy)]
struct Powers {
    count: f64,
    mean: f64,
    second: f64,
    third: f64,
    fourth: f64,
}

impl Powers {
    const fn of(value: f64) -> Self {
        Self { count: 1.0, mean: value, second: 0.0, third: 0.0, fourth: 0.0 }
    }

    fn join(self, later: Self) -> Self {
        let (a, b) = (self.count, later.count);
        let n = a + b;
        let step = later.mean - self.mean;
        let step_n = step / n;
        let mixed = step * step_n * a * b;
        Self {
            count: n,
            mean: self.mean + step_n * b,
            second: self.second + later.second + mixed,
            third: self.third
                + later.third
                + mixed * step_n * (a - b)
                + 3.0 * step_n * (a * later.second - b * self.second),
            fourth: self.fourth
                + later.fourth
                + mixed * step_n * step_n * (a * a - a * b + b * b)
                + 6.0 * step_n * step_n * (a * a * later.second + b * b * self.second)
                + 4.0 * step_n * (a * later.third - b * self.third),
        }
    }

    fn skewness(self) -> f64 {
        let n = self.count;
        if self.second <= 0.0 {
            return 0.0;
        }
        n * (n - 1.0).sqrt() / (n - 2.0) * self.third / self.second.powf(1.5)
    }

    fn kurtosis(self) -> f64 {
        let n = self.count;
        if self.second <= 0.0 {
            return 0.0;
        }
        let rest = (n - 2.0) * (n - 3.0);
        let fourth = n * (n + 1.0) * (n - 1.0) / rest * self.fourth / (self.second * self.second);
        fourth - 3.0 * (n - 1.0).powi(2) / rest
    }
}

/// How far the close lies below the highest high of the last `window` bars, a fraction, 0 and below.
pub(super) fn drawdown(bars: &Bars, window: usize) -> Vec<f64> {
    let top = highest(bars.high(), window);
    per_bar(bars.len(), window - 1, |t| bars.close()[t] / top[t] - 1.0)
}

/// How far the close lies above the lowest low of the last `window` bars, a fraction, 0 and above.
pub(super) fn run_up(bars: &Bars, window: usize) -> Vec<f64> {
    let bottom = lowest(bars.low(), window);
    per_bar(bars.len(), window - 1, |t| bars.close()[t] / bottom[t] - 1.0)
}

/// Bars since the highest high and since the lowest low of the last `window` bars, as shares of the window: 0 at this bar, 1 at the first.
pub(super) fn age_of_extremes(bars: &Bars, window: usize) -> [Vec<f64>; 2] {
    let longest = (window - 1) as f64;
    since_extremes(bars, window).map(|since| since.into_iter().map(|age| age / longest).collect())
}

/// Body, upper and lower shadow as shares of the bar's range; the body falls below 0 with the price. All 0 without a range.
pub(super) fn shape_of_bar(bars: &Bars) -> [Vec<f64>; 3] {
    let share = |part: fn([f64; 4]) -> f64| {
        per_bar(bars.len(), 0, |t| {
            let bar = [bars.open()[t], bars.high()[t], bars.low()[t], bars.close()[t]];
            let range = bar[1] - bar[2];
            if range == 0.0 { 0.0 } else { part(bar) / range }
        })
    };
    [
        share(|[open, _, _, close]| close - open),
        share(|[open, high, _, close]| high - open.max(close)),
        share(|[open, _, low, close]| open.min(close) - low),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::golden::bars_of;

    #[test]
    fn returns_that_do_not_vary_have_no_shape() {
        for column in [return_skewness, return_kurtosis, return_z_score] {
            assert_eq!(column(&[3.1; 9], 5)[8], 0.0);
        }
        assert_eq!(return_autocorrelation(&[3.1; 9], 5, 2)[8], 0.0);
        assert_eq!(return_rank(&[3.1; 9], 5)[8], 0.6);
    }

    #[test]
    fn a_bar_is_body_and_shadows() {
        let bars = bars_of(&[[3.0, 5.0, 1.0, 2.0, 1.0], [3.0, 3.0, 3.0, 3.0, 1.0]]);
        let [body, upper, lower] = shape_of_bar(&bars);
        assert_eq!((body[0], upper[0], lower[0]), (-0.25, 0.5, 0.25));
        assert_eq!((body[1], upper[1], lower[1]), (0.0, 0.0, 0.0));
        assert_eq!((drawdown(&bars, 2)[1], run_up(&bars, 2)[1]), (3.0 / 5.0 - 1.0, 2.0));
        let [high, low] = age_of_extremes(&bars, 2);
        assert_eq!((high[1], low[1]), (1.0, 1.0));
    }
}
