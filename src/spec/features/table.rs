use serde::{Deserialize, Serialize};

use super::macros::feature_table;
use super::parameter::ParameterType;
use super::{FeatureGroup, FeatureKind, Parameter, ParameterMut};
use crate::domain::Timeframe;

/// Longest window taken, in bars: far beyond any use, near enough to stop a slip of the finger.
const MOST: u32 = 100_000;

/// The feature that a feature of features begins with.
const fn any_feature() -> FeatureSpec {
    FeatureSpec::LogReturn { lag: 4 }
}

/// The columns of a feature inside another, each with what is done to it in front.
fn prefixed(prefix: &str, of: &FeatureSpec) -> Vec<String> {
    of.columns().iter().map(|column| format!("{prefix}_{column}")).collect()
}

feature_table! { base;

    // Returns

    /// `ln(close[t] / close[t - lag])`.
    LogReturn {
        /// Bars back.
        lag: u32 = 1, 1..=MOST;
    }
    => Returns, "Log return",
    unit: "log ratio",
    source: "",
    lookback: lag,
    columns: vec![format!("log_return_{lag}")];

    // Momentum

    /// Wilder's relative strength index of the close: average gain over average movement; 0 without any movement.
    Rsi {
        /// Bars of Wilder's average.
        period: u32 = 14, 2..=MOST;
    }
    => Momentum, "RSI",
    unit: "0 to 1",
    source: "TA-Lib RSI / 100 (Wilder 1978)",
    lookback: period,
    columns: vec![format!("rsi_{period}")];

    // Volatility

    /// Sample standard deviation of the last `window` one-bar log returns, per bar (not annualised).
    RealizedVolatility {
        /// Returns.
        window: u32 = 24, 2..=MOST;
    }
    => Volatility, "Realised volatility",
    unit: "log return per bar, 0 and above",
    source: "pandas rolling.std",
    lookback: window,
    columns: vec![format!("realized_volatility_{window}")];

    /// Wilder's average true range as a fraction of the close.
    Atr {
        /// Bars of Wilder's average.
        period: u32 = 14, 2..=MOST;
    }
    => Volatility, "ATR",
    unit: "fraction of the close, 0 and above",
    source: "TA-Lib NATR / 100 (Wilder 1978)",
    lookback: period,
    columns: vec![format!("atr_{period}")];

    // Volume

    /// `(v - mean) / std` of `v = ln(1 + volume)` with the sample standard deviation over the last `window` bars, the current one included;
    /// 0 where the volume did not change.
    VolumeZScore {
        /// Bars.
        window: u32 = 48, 2..=MOST;
    }
    => Volume, "Volume z-score",
    unit: "standard deviations",
    source: "",
    lookback: window - 1,
    columns: vec![format!("volume_z_score_{window}")];

    // Price position

    /// Where the close lies in the high-low range (Donchian channel) of the last `window` bars: 0 at the low, 1 at the high, 0.5 where there
    /// is no range.
    RangePosition {
        /// Bars.
        window: u32 = 24, 1..=MOST;
    }
    => Position, "Range position",
    unit: "0 to 1",
    source: "Donchian channel",
    lookback: window - 1,
    columns: vec![format!("range_position_{window}")];

    // Calendar

    /// Two columns: sine and cosine of the bar's close time within the UTC day.
    TimeOfDay
    => Calendar, "Time of day",
    unit: "-1 to 1",
    source: "",
    lookback: 0,
    columns: vec!["time_of_day_sin".to_owned(), "time_of_day_cos".to_owned()];

    // Session

    /// `ln(1 + missing)` with the number of bar lengths missing before this bar: 0 when the previous bar is the one just before. Not defined at
    /// the first bar.
    TimeGap
    => Session, "Time gap",
    unit: "log bars, 0 and above",
    source: "",
    lookback: 1,
    columns: vec!["time_gap".to_owned()];

    // Cross-section

    /// Rank of the symbol's value among the symbols whose bar closes at the same moment, from -0.5 (lowest) to 0.5 (highest); equal values
    /// share their mean rank. Not defined with fewer than 5 values.
    CrossRank {
        /// The feature that is compared.
        of: Box<FeatureSpec> = Box::new(any_feature()), ();
    }
    => CrossSection, "Cross-sectional rank",
    unit: "-0.5 to 0.5",
    source: "pandas rank",
    lookback: of,
    columns: prefixed("cross_rank", of);

    /// The symbol's value less the mean, over the sample standard deviation, of the symbols whose bar closes at the same moment; 0 where all
    /// are equal. Not defined with fewer than 5 values.
    CrossZScore {
        /// The feature that is compared.
        of: Box<FeatureSpec> = Box::new(any_feature()), ();
    }
    => CrossSection, "Cross-sectional z-score",
    unit: "standard deviations",
    source: "",
    lookback: of,
    columns: prefixed("cross_z_score", of);

    /// The symbol's value less the mean of the symbols whose bar closes at the same moment. Not defined with fewer than 5 values.
    CrossDemean {
        /// The feature that is compared.
        of: Box<FeatureSpec> = Box::new(any_feature()), ();
    }
    => CrossSection, "Cross-sectional difference",
    unit: "that of the feature inside",
    source: "",
    lookback: of,
    columns: prefixed("cross_demean", of);
}
