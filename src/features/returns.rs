//! Changes of the price from bar to bar.

use super::per_bar;
use crate::market::Bars;

/// `ln(close[t] / close[t - lag])`.
pub(super) fn log_return(close: &[f64], lag: usize) -> Vec<f64> {
    per_bar(close.len(), lag, |t| (close[t] / close[t - lag]).ln())
}

/// The one-bar log returns, the first one that of bar 1.
pub(super) fn one_bar_returns(close: &[f64]) -> Vec<f64> {
    close.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect()
}

/// A column for all bars from one that begins at bar 1.
pub(super) fn from_second_bar(mut column: Vec<f64>, bars: usize) -> Vec<f64> {
    column.splice(0..0, (bars > 0).then_some(f64::NAN));
    column
}

/// `close[t] / close[t - period] - 1`.
pub(super) fn rate_of_change(close: &[f64], period: usize) -> Vec<f64> {
    per_bar(close.len(), period, |t| close[t] / close[t - period] - 1.0)
}

/// `(close[t] - close[t - period]) / close[t]`.
pub(super) fn momentum(close: &[f64], period: usize) -> Vec<f64> {
    per_bar(close.len(), period, |t| (close[t] - close[t - period]) / close[t])
}

/// `ln(open[t] / close[t - 1])`.
pub(super) fn gap(bars: &Bars) -> Vec<f64> {
    per_bar(bars.len(), 1, |t| (bars.open()[t] / bars.close()[t - 1]).ln())
}

/// `ln(close[t] / open[t])`.
pub(super) fn bar_return(bars: &Bars) -> Vec<f64> {
    per_bar(bars.len(), 0, |t| (bars.close()[t] / bars.open()[t]).ln())
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    #[test]
    fn a_return_looks_back_its_own_bars() {
        let close = [1.0, 2.0, 8.0, 8.0, 4.0];
        let returns = log_return(&close, 2);
        assert!(returns[0].is_nan() && returns[1].is_nan());
        assert_relative_eq!(returns[2], 8_f64.ln());
        assert_relative_eq!(returns[4], -2_f64.ln());
        assert_eq!(rate_of_change(&close, 1)[1..], [1.0, 3.0, 0.0, -0.5]);
        assert_eq!(momentum(&close, 1)[1..], [0.5, 0.75, 0.0, -1.0]);
    }

    #[test]
    fn a_column_that_begins_at_the_second_bar_is_filled_up() {
        assert_eq!(from_second_bar(vec![1.0, 2.0], 3)[1..], [1.0, 2.0]);
        assert_eq!(from_second_bar(vec![], 1).len(), 1);
        assert!(from_second_bar(vec![], 0).is_empty());
    }
}
