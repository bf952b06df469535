//! What is drawn with axes: folds on a time axis, equity curves, losses, distributions, a feature over the price.

mod axes;
pub(super) mod equity;
pub(super) mod feature;
pub(super) mod folds;
pub(super) mod heat;
pub(super) mod histogram;
mod legend;
pub(super) mod losses;
pub(super) mod overlay;
mod stroke;
mod thinning;
mod time_axis;
