use serde::{Deserialize, Serialize};

/// One feature of a bar, from bars that closed at or before that bar's close. The `features` room computes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum FeatureSpec {
    /// `ln(close[t] / close[t - lag])`.
    LogReturn {
        /// Bars back, at least 1.
        lag: u32,
    },
    /// Sample standard deviation of the last `window` one-bar log returns, per bar (not annualised).
    RealizedVolatility {
        /// Returns, at least 2.
        window: u32,
    },
    /// Wilder's relative strength index of the close (TA-Lib RSI), scaled to 0 ..= 1; 0 without any movement, as TA-Lib.
    Rsi {
        /// Bars, at least 2.
        period: u32,
    },
    /// Wilder's average true range (TA-Lib ATR) as a fraction of the close.
    Atr {
        /// Bars, at least 2.
        period: u32,
    },
    /// `(v - mean) / std` of `v = ln(1 + volume)` with the sample standard deviation over the last `window` bars, the current one included;
    /// 0 where the volume did not change.
    VolumeZScore {
        /// Bars, at least 2.
        window: u32,
    },
    /// Where the close lies in the high-low range of the last `window` bars: 0 at the low, 1 at the high, 0.5 where there is no range.
    RangePosition {
        /// Bars, at least 1.
        window: u32,
    },
    /// Two columns: sine and cosine of the bar's close time within the UTC day.
    TimeOfDay,
    /// `ln(1 + missing)` with the number of bar lengths missing before this bar: 0 when the previous bar is the one just before. Not defined at
    /// the first bar.
    TimeGap,
}
