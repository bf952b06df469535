//! From bars to numbers a model can learn: [`compute`] and [`compute_panel`] make a [`FeatureMatrix`] of one row per bar for each symbol,
//! [`Scaler`] standardises it, [`check_truncation`] proves that no row knows the future.
//!
//! What features there are is told by one table, [`FEATURES`](crate::spec::FEATURES); `formulas` says which formula computes which. A new
//! feature is an entry there, a line here and its golden numbers.
//!
//! The room uses `domain`, `spec` and `market`. It must never know labels, folds, libtorch, files, threads or screens: whoever asks for a
//! scaler says which rows it may see.
//!
//! Conventions that hold throughout:
//! - Row t depends on bars that closed at or before bar t's close, and on nothing else: computing on a prefix of the bars gives the same
//!   bits for the rows of that prefix. Every window is summed from its own bars (`window`); what is carried on from the first bar are
//!   exponential averages and running volumes, which shift with where the data begin.
//! - Formulas compute in `f64`; the matrix stores `f32`. What is not defined (too early, or not a finite number) is NaN, never 0.

mod alpha158;
mod averages;
mod clock;
mod compute;
mod cross;
mod error;
mod formulas;
mod higher;
mod matrix;
mod momentum;
mod panel;
mod returns;
mod sar;
mod scaler;
mod session;
mod statistics;
mod truncation;
mod volatility;
mod volume;
mod wilder;
mod window;

#[cfg(test)]
mod golden;

pub use compute::{compute, lookback};
pub use error::FeatureError;
pub use matrix::FeatureMatrix;
pub use panel::{PanelError, compute_panel};
pub use scaler::{Scaler, ScalerError};
pub use truncation::{Leak, TruncationError, check_truncation, check_truncation_of};

/// One value per bar: `value(t)` where `lookback` bars lie before bar t, NaN at the rows before that.
fn per_bar(bars: usize, lookback: usize, value: impl Fn(usize) -> f64) -> Vec<f64> {
    (0..bars).map(|t| if t < lookback { f64::NAN } else { value(t) }).collect()
}
