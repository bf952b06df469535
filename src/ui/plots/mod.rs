//! What is drawn with axes: folds on a time axis, equity curves, losses.

pub(super) mod equity;
pub(super) mod folds;
pub(super) mod losses;
mod thinning;
mod time_axis;
