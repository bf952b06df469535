use serde::{Deserialize, Serialize};

use super::{Symbol, Timeframe, UtcMillis};

/// How equity went over the test rows of one symbol, or of all symbols of a timeframe, the finished folds stitched in time order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EquityCurve {
    /// The instrument; `None` for all symbols of the timeframe, equally weighted at each moment.
    pub symbol: Option<Symbol>,
    /// The bar length.
    pub timeframe: Timeframe,
    /// When each row was decided, rising: the close of its bar.
    pub times: Vec<UtcMillis>,
    /// The model first, then the baselines on the same rows.
    pub predictors: Vec<PredictorEquity>,
}

/// One predictor's equity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictorEquity {
    /// `model`, `always_long`, `last_return` or `ridge`.
    pub name: String,
    /// Equity after each row, after costs, as a multiple of the starting equity, whose 1 is left out: as long as the curve's times. The
    /// last one is 1 + the `total_return` of the stitched score.
    pub equity: Vec<f64>,
}
