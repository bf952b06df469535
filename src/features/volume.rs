//! What is traded, and with which price.

use kand::KandError;
use kand::ohlcv;

use super::momentum::typical_price;
use super::per_bar;
use super::returns::{from_second_bar, one_bar_returns};
use super::window::{Line, Moments, PairMoments, mean, over_windows};
use crate::market::Bars;

/// The z-score of `ln(1 + volume)` among the last `window` bars, bar t included; 0 where it does not vary.
pub(super) fn z_score(bars: &Bars, window: usize) -> Vec<f64> {
    let log_volume: Vec<f64> = bars.volume().iter().map(|volume| volume.ln_1p()).collect();
    z_scores(&log_volume, window)
}

fn z_scores(values: &[f64], window: usize) -> Vec<f64> {
    let moments = |t: usize| Moments::of(values[t]);
    over_windows(values.len(), window, moments, Moments::join, |t, m| m.z_score(values[t]))
}

/// Volume over its mean; 0 where nothing was traded.
pub(super) fn relative(bars: &Bars, window: usize) -> Vec<f64> {
    let means = mean(bars.volume(), window);
    per_bar(bars.len(), window - 1, |t| ratio(bars.volume()[t], means[t], 0.0))
}

fn ratio(part: f64, whole: f64, of_nothing: f64) -> f64 {
    if whole == 0.0 { of_nothing } else { part / whole }
}

/// On-balance volume (Granville 1963), begun as TA-Lib does.
fn on_balance(bars: &Bars) -> Result<Vec<f64>, KandError> {
    let mut column = vec![0.0; bars.len()];
    if !bars.is_empty() {
        ohlcv::obv::obv(bars.close(), bars.volume(), &mut column)?;
    }
    Ok(column)
}

/// Slope of the on-balance volume, per bar, in mean volumes of the window; 0 where nothing was traded.
pub(super) fn on_balance_slope(bars: &Bars, window: usize) -> Result<Vec<f64>, KandError> {
    let (balance, means) = (on_balance(bars)?, mean(bars.volume(), window));
    let line = |t: usize| Line::of(balance[t]);
    Ok(over_windows(bars.len(), window, line, Line::join, |t, line| {
        ratio(line.slope(), means[t], 0.0)
    }))
}

/// The z-score of the on-balance volume.
pub(super) fn on_balance_z_score(bars: &Bars, window: usize) -> Result<Vec<f64>, KandError> {
    Ok(z_scores(&on_balance(bars)?, window))
}

/// The z-score of Chaikin's accumulation/distribution line.
pub(super) fn accumulation_z_score(bars: &Bars, window: usize) -> Vec<f64> {
    let mut line = flows(bars);
    let mut sum = 0.0;
    for flow in &mut line {
        sum += *flow;
        *flow = sum;
    }
    z_scores(&line, window)
}

/// Each bar's volume times where its close lies in its range, from -1 at the low to 1 at the high; 0 without a range.
fn flows(bars: &Bars) -> Vec<f64> {
    per_bar(bars.len(), 0, |t| {
        let (high, low, close) = (bars.high()[t], bars.low()[t], bars.close()[t]);
        ratio((close - low) - (high - close), high - low, 0.0) * bars.volume()[t]
    })
}

/// Chaikin's money flow: the flows' share of the volume; 0 where nothing was traded.
pub(super) fn chaikin_money_flow(bars: &Bars, window: usize) -> Vec<f64> {
    let (flows, volumes) = (mean(&flows(bars), window), mean(bars.volume(), window));
    per_bar(bars.len(), window - 1, |t| ratio(flows[t], volumes[t], 0.0))
}

/// How far the close lies above the window's volume-weighted typical price, a fraction; NaN where nothing was traded.
pub(super) fn vwap_distance(bars: &Bars, window: usize) -> Vec<f64> {
    let money: Vec<f64> = typical_price(bars)
        .iter()
        .zip(bars.volume())
        .map(|(price, volume)| price * volume)
        .collect();
    let (money, volume) = (mean(&money, window), mean(bars.volume(), window));
    per_bar(bars.len(), window - 1, |t| {
        bars.close()[t] / ratio(money[t], volume[t], f64::NAN) - 1.0
    })
}

/// Amihud's illiquidity (2002) as `ln(1 + 1e6 × mean)` of `|log return| / (close × volume)` over the bars of the window with a volume; NaN
/// where none has.
pub(super) fn amihud(bars: &Bars, window: usize) -> Vec<f64> {
    let returns = one_bar_returns(bars.close());
    let illiquidity = |t: usize| {
        Moments::of_known(returns[t].abs() / (bars.close()[t + 1] * bars.volume()[t + 1]))
    };
    let column = over_windows(returns.len(), window, illiquidity, Moments::join, |_, moments| {
        if moments.count == 0.0 { f64::NAN } else { (1e6 * moments.mean).ln_1p() }
    });
    from_second_bar(column, bars.len())
}

/// Correlation of log return and `ln(1 + volume)`; 0 where one of the two does not vary.
pub(super) fn price_volume_correlation(bars: &Bars, window: usize) -> Vec<f64> {
    let returns = one_bar_returns(bars.close());
    let pair = |t: usize| PairMoments::of_known(returns[t], bars.volume()[t + 1].ln_1p());
    let column = over_windows(returns.len(), window, pair, PairMoments::join, |_, pairs| {
        pairs.correlation().unwrap_or(0.0)
    });
    from_second_bar(column, bars.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::golden::bars_of;

    #[test]
    fn without_volume_there_is_no_price_of_volume() {
        let bars = bars_of(&[[3.0, 4.0, 2.0, 3.5, 0.0]; 6]);
        assert!(vwap_distance(&bars, 3)[5].is_nan());
        assert!(amihud(&bars, 3)[5].is_nan());
        for column in [relative, chaikin_money_flow, z_score, price_volume_correlation] {
            assert_eq!(column(&bars, 3)[5], 0.0);
        }
        assert_eq!(on_balance_slope(&bars, 3).unwrap()[5], 0.0);
    }

    #[test]
    fn a_burst_is_forgotten_when_it_leaves_the_window() {
        let mut rows = [[0.1, 0.1, 0.1, 0.1, 0.1]; 50];
        rows[20][4] = 1e9;
        let scores = z_score(&bars_of(&rows), 7);
        assert!(scores[6..20].iter().chain(&scores[27..]).all(|z| *z == 0.0));
        assert!(scores[20] > 2.0);
    }
}
