//! What is drawn with axes: prices, folds on a time axis, equity curves, training curves, distributions, a feature over the price.

mod axes;
pub(super) mod band;
mod base;
pub(super) mod candles;
pub(super) mod curves;
pub(super) mod equity;
pub(super) mod feature;
pub(super) mod folds;
pub(super) mod heat;
pub(super) mod histogram;
pub(super) mod legend;
pub(super) mod overlay;
pub(super) mod scale;
pub(super) mod smooth;
pub(super) mod stroke;
mod thinning;
mod time_axis;
