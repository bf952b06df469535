//! Wilder's indicators (Wilder 1978, *New Concepts in Technical Trading Systems*) with TA-Lib's start: a plain mean of the first `period`
//! changes, then `average += (change - average) / period`.

use kand::KandError;
use kand::ohlcv;

use crate::market::Bars;

/// Relative strength index of the close as a fraction, 0 ..= 1: `gain / (gain + loss)` of the averages. NaN at the first `period` rows.
///
/// Without any movement since the first bar it is 0, as in TA-Lib. kand's own ratio says 100 there, so only its averages are used.
pub(super) fn rsi(close: &[f64], period: usize) -> Result<Vec<f64>, KandError> {
    let mut rsi = vec![f64::NAN; close.len()];
    if close.len() <= period {
        return Ok(rsi);
    }
    let (mut gain, mut loss) = (rsi.clone(), rsi.clone());
    ohlcv::rsi::rsi(close, period, &mut rsi, &mut gain, &mut loss)?;
    for (rsi, (gain, loss)) in rsi.iter_mut().zip(gain.into_iter().zip(loss)) {
        let movement = gain + loss;
        *rsi = if movement == 0.0 { 0.0 } else { gain / movement };
    }
    Ok(rsi)
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
