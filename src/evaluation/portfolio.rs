//! Several symbols' backtests as one curve.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::backtest::Backtest;
use super::count_as_f64;
use super::performance::{Performance, compound};

/// The curve of equally weighted symbols.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Portfolio {
    /// Decision time of each row, milliseconds UTC, rising: every time at which some symbol has a row.
    pub times_ms: Vec<i64>,
    /// Symbols with a row at each time.
    pub symbols: Vec<usize>,
    /// Mean of those symbols' net returns; 0 after ruin.
    pub net_returns: Vec<f64>,
    /// Equity after each row, after a leading 1; one longer than `net_returns`.
    pub equity: Vec<f64>,
    /// What the curve adds up to.
    pub performance: Performance,
}

/// Combines backtests of several symbols, all of one timeframe: at each time the capital is spread equally over the symbols
/// that have a row then.
///
/// Restoring equal weights is free of charge; each symbol's own trading costs are already in its net returns. A symbol
/// without a row at a time neither earns nor dilutes; one whose own backtest was ruined goes on with its zeros.
#[must_use]
pub fn equal_weight(backtests: &[&Backtest]) -> Portfolio {
    let mut by_time: BTreeMap<i64, (f64, usize)> = BTreeMap::new();
    for backtest in backtests {
        for (&time_ms, &net_return) in backtest.times_ms.iter().zip(&backtest.net_returns) {
            let (sum, symbols) = by_time.entry(time_ms).or_default();
            *sum += net_return;
            *symbols += 1;
        }
    }

    let mut value = 1.0;
    let mut equity = vec![value];
    let mut net_returns = Vec::with_capacity(by_time.len());
    for &(sum, symbols) in by_time.values() {
        let net_return = if value > 0.0 { sum / count_as_f64(symbols) } else { 0.0 };
        value = compound(value, net_return);
        net_returns.push(net_return);
        equity.push(value);
    }
    let times_ms: Vec<i64> = by_time.keys().copied().collect();
    let symbols = by_time.values().map(|&(_, symbols)| symbols).collect();
    let performance = Performance::measure(&times_ms, &net_returns, &equity);
    Portfolio { times_ms, symbols, net_returns, equity, performance }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::super::backtest::{Costs, Segment, backtest};
    use super::*;

    fn long(times_ms: &[i64], returns: &[f64]) -> Backtest {
        let positions = vec![1.0; times_ms.len()];
        backtest(&[Segment { times_ms, positions: &positions, returns }], Costs::FREE).unwrap()
    }

    #[test]
    fn each_time_averages_the_symbols_that_have_a_row() {
        let first = long(&[10, 20, 30], &[0.1, -0.2, 0.3]);
        let second = long(&[20, 30, 40], &[0.4, 0.1, 0.5]);
        let found = equal_weight(&[&first, &second]);
        assert_eq!(found.times_ms, [10, 20, 30, 40]);
        assert_eq!(found.symbols, [1, 2, 2, 1]);
        for (found, expected) in found.net_returns.iter().zip([0.1, 0.1, 0.2, 0.5]) {
            assert_relative_eq!(*found, expected, epsilon = 1e-15);
        }
        assert_relative_eq!(
            found.performance.total_return,
            1.1 * 1.1 * 1.2 * 1.5 - 1.0,
            epsilon = 1e-12
        );
    }

    #[test]
    fn one_symbol_is_its_own_portfolio() {
        let only = long(&[10, 20, 30], &[0.1, -0.2, 0.3]);
        let found = equal_weight(&[&only]);
        assert_eq!((found.equity, found.performance), (only.equity.clone(), only.performance));
    }

    #[test]
    fn no_symbols_stay_at_one() {
        let found = equal_weight(&[]);
        assert_eq!(found.equity, [1.0]);
        assert_eq!((found.performance.sharpe, found.performance.annual_return), (None, None));
    }

    #[test]
    fn a_ruined_portfolio_stays_ruined() {
        let ruined = long(&[10, 20], &[-1.0, 0.5]);
        let later = long(&[20, 30], &[0.5, 0.5]);
        let found = equal_weight(&[&ruined, &later]);
        assert_eq!(found.equity, [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(found.net_returns, [-1.0, 0.0, 0.0]);
    }
}
