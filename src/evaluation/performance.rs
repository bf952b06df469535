//! What a series of net returns adds up to: return, volatility, ratios and drawdown.
//!
//! Conventions, each checked against quantstats by `tests/golden/make_evaluation.py`:
//! - Annualisation uses the bars a year really had ([`periods_per_year`]), not quantstats' default of 252: crypto trades
//!   all year, and a timeframe is not a day.
//! - The risk-free rate and the target return are 0.
//! - Sortino's downside deviation divides by all rows, not by the losing ones (Sortino & van der Meer 1991), as quantstats.
//! - The drawdown counts from the starting equity of 1, and is a positive fraction; quantstats' is negative.

use serde::{Deserialize, Serialize};

use super::summary::{mean, sample_std};
use super::{count_as_f64, finite};

/// Milliseconds in a year of 365.25 days.
pub const MILLISECONDS_PER_YEAR: f64 = 365.25 * 24.0 * 3600.0 * 1000.0;

/// The metrics of one curve of net returns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// Final equity / starting equity - 1, compounded. 0 without rows, -1 after ruin.
    pub total_return: f64,
    /// Largest fall from a peak as a positive fraction of that peak, in `[0, 1]`; the starting equity is the first peak.
    pub max_drawdown: f64,
    /// Rows a year, from the actual times; see [`periods_per_year`]. `None` makes every annual number `None`.
    pub periods_per_year: Option<f64>,
    /// Compound annual growth rate: final equity ^ (`periods_per_year` / rows) - 1. `None` where a short, steep curve
    /// would overflow.
    pub annual_return: Option<f64>,
    /// Sample standard deviation of the net returns × √`periods_per_year`. `None` below two rows.
    pub annual_volatility: Option<f64>,
    /// Mean / sample standard deviation of the net returns × √`periods_per_year` (Sharpe 1994). `None` where they are all
    /// equal.
    pub sharpe: Option<f64>,
    /// Mean / √(Σ min(return, 0)² / rows) × √`periods_per_year`. `None` without a losing row.
    pub sortino: Option<f64>,
    /// `annual_return` / `max_drawdown` (Young 1991, over the whole curve). `None` without a drawdown.
    pub calmar: Option<f64>,
}

impl Performance {
    /// Measures a curve: `times_ms` and `net_returns` have one entry a row, `equity` one more, starting with 1.
    pub(super) fn measure(times_ms: &[i64], net_returns: &[f64], equity: &[f64]) -> Self {
        let rows = count_as_f64(net_returns.len());
        let final_equity = equity.last().copied().unwrap_or(1.0);
        let max_drawdown = max_drawdown(equity);
        let periods_per_year = periods_per_year(times_ms);
        let annual_scale = periods_per_year.map(f64::sqrt);

        let mean = mean(net_returns);
        let std = sample_std(net_returns);
        let downside =
            (net_returns.iter().map(|value| value.min(0.0).powi(2)).sum::<f64>() / rows).sqrt();
        let annual_ratio = |deviation: Option<f64>| match (mean, deviation, annual_scale) {
            (Some(mean), Some(deviation), Some(scale)) if deviation > 0.0 => {
                finite(mean / deviation * scale)
            }
            _ => None,
        };
        let annual_return =
            periods_per_year.and_then(|periods| finite(final_equity.powf(periods / rows) - 1.0));
        Self {
            total_return: final_equity - 1.0,
            max_drawdown,
            periods_per_year,
            annual_return,
            annual_volatility: std.zip(annual_scale).and_then(|(std, scale)| finite(std * scale)),
            sharpe: annual_ratio(std),
            sortino: annual_ratio(Some(downside)),
            calmar: annual_return
                .filter(|_| max_drawdown > 0.0)
                .and_then(|value| finite(value / max_drawdown)),
        }
    }
}

/// Rows a year: intervals between the rows / years between first and last row, with years of 365.25 days.
///
/// `times_ms` are in time order. Hourly bars without a gap give 8766; weekends, closed hours and gaps between test sections
/// lower it. `None` below two rows or where no time passes.
#[must_use]
pub fn periods_per_year(times_ms: &[i64]) -> Option<f64> {
    let (first, last) = (times_ms.first()?, times_ms.last()?);
    let span_years = span_ms(*first, *last) / MILLISECONDS_PER_YEAR;
    if span_years <= 0.0 {
        return None;
    }
    finite((count_as_f64(times_ms.len()) - 1.0) / span_years)
}

#[expect(clippy::cast_precision_loss, reason = "2^53 milliseconds are 285,000 years")]
fn span_ms(first: i64, last: i64) -> f64 {
    last.saturating_sub(first) as f64
}

/// The next equity after a net return: 0 once it would be 0 or less (ruin), and never beyond the largest float.
pub(super) fn compound(equity: f64, net_return: f64) -> f64 {
    (equity * (1.0 + net_return)).clamp(0.0, f64::MAX)
}

/// How far each equity is below the highest so far, as a positive fraction of that peak. The first equity is positive.
pub fn drawdowns(equity: impl IntoIterator<Item = f64>) -> impl Iterator<Item = f64> {
    equity.into_iter().scan(f64::MIN_POSITIVE, |peak, value| {
        *peak = peak.max(value);
        Some(1.0 - value / *peak)
    })
}

/// Largest fall from a running peak, as a positive fraction of that peak. The first equity is positive.
fn max_drawdown(equity: &[f64]) -> f64 {
    drawdowns(equity.iter().copied()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn regular_hours_make_8766_periods_a_year() {
        let times: Vec<i64> = (0..50).map(|hour| hour * HOUR_MS).collect();
        assert_relative_eq!(periods_per_year(&times).unwrap(), 8766.0, epsilon = 1e-9);
    }

    #[test]
    fn no_time_no_periods() {
        let table: [&[i64]; 4] = [&[], &[5], &[5, 5], &[5, 4]];
        for times in table {
            assert_eq!(periods_per_year(times), None, "{times:?}");
        }
        assert!(
            periods_per_year(&[i64::MIN, i64::MAX]).is_some(),
            "an absurd span does not overflow"
        );
    }

    #[test]
    fn the_starting_equity_is_the_first_peak() {
        assert_relative_eq!(max_drawdown(&[1.0, 0.8, 0.9]), 0.2, epsilon = 1e-15);
        assert_relative_eq!(max_drawdown(&[1.0, 2.0, 1.5, 3.0, 1.2]), 0.6, epsilon = 1e-15);
        assert_relative_eq!(max_drawdown(&[1.0, 0.0]), 1.0);
        let falls: Vec<f64> = drawdowns([1.0, 2.0, 1.5, 3.0, 1.5]).collect();
        assert_eq!(falls, [0.0, 0.0, 0.25, 0.0, 0.5]);
        assert_relative_eq!(max_drawdown(&[1.0, 1.1]), 0.0);
    }

    #[test]
    fn a_steep_short_curve_has_no_annual_return() {
        let found = Performance::measure(&[0, HOUR_MS], &[1.0, 1.0], &[1.0, 2.0, 4.0]);
        assert_eq!((found.annual_return, found.calmar, found.sharpe), (None, None, None));
        assert_relative_eq!(found.total_return, 3.0);
    }

    #[test]
    fn equity_stays_within_the_finite_and_the_solvent() {
        assert_relative_eq!(compound(0.5, -1.5), 0.0);
        assert_relative_eq!(compound(f64::MAX, 1.0), f64::MAX);
        assert_relative_eq!(compound(2.0, 0.5), 3.0);
    }
}
