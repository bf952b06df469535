//! Metric formulas, the next-open backtest and the baselines that stand beside every result.
//!
//! The room takes plain slices and gives plain structs back. It uses no other room, and must never know libtorch, files,
//! threads or screens: the workbench calls it for out-of-sample reports.
//!
//! Conventions that hold throughout:
//! - Times are `i64` milliseconds UTC of the *decision* (the close of bar t).
//! - Returns are simple returns, `0.01` is one per cent. Correlations and ratios are pure numbers.
//! - What cannot be computed is `None`, never NaN, infinity or 0. Standard deviations divide by `n - 1`.
//! - Slices that describe the same rows must have the same length; where a function has no error type, a mismatch is a
//!   programming error and panics.

mod backtest;
mod baselines;
mod correlation;
mod hit_rate;
mod ic;
mod newey_west;
mod performance;
mod portfolio;
mod ridge;
mod summary;

#[cfg(test)]
mod golden;

pub use backtest::{Backtest, BacktestError, Costs, Segment, backtest, contiguous_ranges};
pub use baselines::{always_long, last_return, sign_positions};
pub use correlation::{MIN_PAIRS, pearson, spearman};
pub use hit_rate::{HitRate, hit_rate};
pub use ic::{
    CrossSection, CrossSectionPoint, InformationCoefficient, MIN_CROSS_SECTION, cross_sectional,
    ic_ts, information_coefficient, rank_ic_ts,
};
pub use newey_west::{newey_west_lags, newey_west_t};
pub use performance::{MILLISECONDS_PER_YEAR, Performance, drawdowns, periods_per_year};
pub use portfolio::{Portfolio, equal_weight};
pub use ridge::{Ridge, RidgeError, RidgeRows};
pub use summary::{MeanAndT, mean_and_t};

/// A row count as a float.
#[expect(
    clippy::cast_precision_loss,
    reason = "row counts stay far below 2^53, where f64 is exact"
)]
const fn count_as_f64(count: usize) -> f64 {
    count as f64
}

/// The number, or `None` where arithmetic left the finite range.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
