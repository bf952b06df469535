//! Wilder's indicators (Wilder 1978, *New Concepts in Technical Trading Systems*) with TA-Lib's start: a plain mean of the first `period`
//! changes, then `average += (change - average) / period`.

use kand::KandError;
use kand::ohlcv;

use crate::market::Bars;

/// Relative strength index of the close as a fraction, 0 ..= 1: `gain / (gain + loss)` of the averages. NaN at the first `period` rows.
///
/// Without any movement since the first bar it is 0, as in TA-Lib. kand's own ratio says 100 there, so only its averages are used.
pub(super) fn rsi(close: &[f64], period: usize) -> Result<Vec<f64>, KandError> {
    share_of_movement(close, period, |gain, _| gain)
}

/// Chande's momentum oscillator as TA-Lib computes it: `(gain - loss) / (gain + loss)` of the same averages. NaN at the first `period` rows.
pub(super) fn cmo(close: &[f64], period: usize) -> Result<Vec<f64>, KandError> {
    share_of_movement(close, period, |gain, loss| gain - loss)
}

fn share_of_movement(
    close: &[f64],
    period: usize,
    part: fn(f64, f64) -> f64,
) -> Result<Vec<f64>, KandError> {
    let mut share = vec![f64::NAN; close.len()];
    if close.len() <= period {
        return Ok(share);
    }
    let (mut gain, mut loss) = (share.clone(), share.clone());
    ohlcv::rsi::rsi(close, period, &mut share, &mut gain, &mut loss)?;
    for (share, (gain, loss)) in share.iter_mut().zip(gain.into_iter().zip(loss)) {
        let movement = gain + loss;
        *share = if movement == 0.0 { 0.0 } else { part(gain, loss) / movement };
    }
    Ok(share)
}

/// Average true range as a fraction of the close. NaN at the first `period` rows.
pub(super) fn atr(bars: &Bars, period: usize) -> Result<Vec<f64>, KandError> {
    let mut atr = vec![f64::NAN; bars.len()];
    if bars.len() <= period {
        return Ok(atr);
    }
    ohlcv::atr::atr(bars.high(), bars.low(), bars.close(), period, &mut atr)?;
    for (atr, close) in atr.iter_mut().zip(bars.close()) {
        *atr /= close;
    }
    Ok(atr)
}

/// Average directional index as a fraction: how far the two directional indicators are apart, averaged. NaN at the first `2 period - 1` rows.
///
/// Without any movement it stays what it was, at first 0, as in TA-Lib; kand's is NaN there for good.
pub(super) fn adx(bars: &Bars, period: usize) -> Vec<f64> {
    let [plus, minus] = directional(bars, period);
    let n = period as f64;
    let (mut sum, mut average) = (0.0, f64::NAN);
    let mut adx = vec![f64::NAN; bars.len()];
    for t in period..bars.len() {
        let both = plus[t] + minus[t];
        let apart = (both != 0.0).then(|| (plus[t] - minus[t]).abs() / both);
        if t < 2 * period {
            sum += apart.unwrap_or(0.0);
            average = sum / n;
        } else if let Some(apart) = apart {
            average += (apart - average) / n;
        }
        if t + 1 >= 2 * period {
            adx[t] = average;
        }
    }
    adx
}

/// Directional indicators +DI and -DI as fractions (Wilder 1978): upward and downward movement over the true range, all three smoothed; 0
/// without any range. NaN at the first `period` rows.
pub(super) fn directional(bars: &Bars, period: usize) -> [Vec<f64>; 2] {
    let (high, low, close) = (bars.high(), bars.low(), bars.close());
    let mut columns = [vec![f64::NAN; bars.len()], vec![f64::NAN; bars.len()]];
    // Upward movement, downward movement, true range.
    let mut sums = [0.0; 3];
    for t in 1..bars.len() {
        let (up, down) = (high[t] - high[t - 1], low[t - 1] - low[t]);
        let moved = [
            if up > 0.0 && up > down { up } else { 0.0 },
            if down > 0.0 && down > up { down } else { 0.0 },
            high[t].max(close[t - 1]) - low[t].min(close[t - 1]),
        ];
        for (sum, moved) in sums.iter_mut().zip(moved) {
            *sum += if t < period { moved } else { moved - *sum / period as f64 };
        }
        let [plus, minus, range] = sums;
        if t >= period {
            columns[0][t] = if range == 0.0 { 0.0 } else { plus / range };
            columns[1][t] = if range == 0.0 { 0.0 } else { minus / range };
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rsi_of_a_straight_line_is_an_extreme() {
        let up: Vec<f64> = (1..9).map(f64::from).collect();
        let down: Vec<f64> = up.iter().rev().copied().collect();
        let flat = vec![3.0; 8];
        for (close, expected) in [(up, 1.0), (down, 0.0), (flat, 0.0)] {
            let rsi = rsi(&close, 3).unwrap();
            assert!(rsi[..3].iter().all(|value| value.is_nan()));
            assert_eq!(rsi[3..], [expected; 5]);
        }
    }
}
