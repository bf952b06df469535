//! What is drawn with axes: folds on a time axis, equity curves, losses.

pub(super) mod losses;
