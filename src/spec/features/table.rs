use serde::{Deserialize, Serialize};

use super::macros::feature_table;
use super::parameter::ParameterType;
use super::{FeatureGroup, FeatureKind, Parameter, ParameterMut};
use crate::domain::Timeframe;

/// Longest window taken, in bars: far beyond any use, near enough to stop a slip of the finger.
const MOST: u32 = 100_000;

/// Longest window of what must look at every bar of it.
const FEW: u32 = 5_000;

const FOUR_HOURS: Timeframe =
    Timeframe::from_minutes(240).expect("four hours are between a minute and 52 weeks");

/// The windows of [`FeatureSpec::Alpha158`], in bars.
pub const ALPHA158_WINDOWS: [u32; 5] = [5, 10, 20, 30, 60];

const ALPHA158_BAR: [&str; 9] =
    ["KMID", "KLEN", "KMID2", "KUP", "KUP2", "KLOW", "KLOW2", "KSFT", "KSFT2"];

const ALPHA158_PRICES: [&str; 4] = ["OPEN0", "HIGH0", "LOW0", "VWAP0"];

/// What is computed of each window.
const ALPHA158_WINDOW: [&str; 29] = [
    "ROC", "MA", "STD", "BETA", "RSQR", "RESI", "MAX", "MIN", "QTLU", "QTLD", "RANK", "RSV",
    "IMAX", "IMIN", "IMXD", "CORR", "CORD", "CNTP", "CNTN", "CNTD", "SUMP", "SUMN", "SUMD", "VMA",
    "VSTD", "WVMA", "VSUMP", "VSUMN", "VSUMD",
];

/// The feature that a feature of features begins with.
const fn any_feature() -> FeatureSpec {
    FeatureSpec::LogReturn { lag: 4 }
}

/// The columns of a feature inside another, each with what is done to it in front.
fn prefixed(prefix: &str, of: &FeatureSpec) -> Vec<String> {
    of.columns().iter().map(|column| format!("{prefix}_{column}")).collect()
}

/// The columns of [`FeatureSpec::Alpha158`] in Qlib's order.
fn alpha158() -> Vec<String> {
    let of_windows = ALPHA158_WINDOW
        .iter()
        .flat_map(|name| ALPHA158_WINDOWS.map(|window| format!("{name}{window}")));
    owned(&ALPHA158_BAR).into_iter().chain(owned(&ALPHA158_PRICES)).chain(of_windows).collect()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

const fn bars_of_a_week(base: Timeframe) -> usize {
    10_080_u32.div_ceil(base.minutes()) as usize
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

    /// `close[t] / close[t - period] - 1`.
    RateOfChange {
        /// Bars back.
        period: u32 = 10, 1..=MOST;
    }
    => Returns, "Rate of change",
    unit: "fraction",
    source: "TA-Lib ROCP",
    lookback: period,
    columns: vec![format!("rate_of_change_{period}")];

    /// `ln(close[t] / open[t])`.
    BarReturn
    => Returns, "Return within the bar",
    unit: "log ratio",
    source: "",
    lookback: 0,
    columns: vec!["bar_return".to_owned()];

    /// `ln(open[t] / close[t - 1])`.
    Gap
    => Returns, "Gap",
    unit: "log ratio",
    source: "",
    lookback: 1,
    columns: vec!["gap".to_owned()];

    // Trend

    /// `close / average - 1` with the simple moving average.
    SmaDistance {
        /// Bars.
        period: u32 = 20, 2..=MOST;
    }
    => Trend, "Distance from SMA",
    unit: "fraction",
    source: "TA-Lib SMA",
    lookback: period - 1,
    columns: vec![format!("sma_distance_{period}")];

    /// `close / average - 1` with the exponential average, `alpha = 2 / (period + 1)`.
    EmaDistance {
        /// Bars.
        period: u32 = 20, 2..=MOST;
    }
    => Trend, "Distance from EMA",
    unit: "fraction",
    source: "TA-Lib EMA",
    lookback: period - 1,
    columns: vec![format!("ema_distance_{period}")];

    /// `close / average - 1` with the average whose weights rise linearly to the newest close.
    WmaDistance {
        /// Bars.
        period: u32 = 20, 2..=MOST;
    }
    => Trend, "Distance from WMA",
    unit: "fraction",
    source: "TA-Lib WMA",
    lookback: period - 1,
    columns: vec![format!("wma_distance_{period}")];

    /// `close / average - 1` with the double exponential average.
    DemaDistance {
        /// Bars.
        period: u32 = 20, 2..=MOST;
    }
    => Trend, "Distance from DEMA",
    unit: "fraction",
    source: "TA-Lib DEMA (Mulloy 1994)",
    lookback: 2 * (period - 1),
    columns: vec![format!("dema_distance_{period}")];

    /// `close / average - 1` with the triple exponential average.
    TemaDistance {
        /// Bars.
        period: u32 = 20, 2..=MOST;
    }
    => Trend, "Distance from TEMA",
    unit: "fraction",
    source: "TA-Lib TEMA (Mulloy 1994)",
    lookback: 3 * (period - 1),
    columns: vec![format!("tema_distance_{period}")];

    /// `close / average - 1` with Kaufman's adaptive average, between an EMA of 2 and one of 30 bars.
    KamaDistance {
        /// Bars.
        period: u32 = 10, 2..=MOST;
    }
    => Trend, "Distance from KAMA",
    unit: "fraction",
    source: "TA-Lib KAMA (Kaufman 1995)",
    lookback: period,
    columns: vec![format!("kama_distance_{period}")];

    /// Three columns: `EMA(fast) - EMA(slow)`, its exponential average, and the difference of the two, each over the close.
    Macd {
        /// Bars of the fast average.
        fast: u32 = 12, 2..=MOST;
        /// Bars of the slow average.
        slow: u32 = 26, 3..=MOST;
        /// Bars of the average of the line.
        signal: u32 = 9, 2..=MOST;
    }
    => Trend, "MACD",
    unit: "fraction of the close",
    source: "TA-Lib MACD / close (Appel 1979)",
    lookback: slow + signal - 2,
    columns: vec![format!("macd_{fast}_{slow}_{signal}"), format!("macd_signal_{fast}_{slow}_{signal}"), format!("macd_histogram_{fast}_{slow}_{signal}")],
    needs: fast < slow;

    /// `EMA(fast) / EMA(slow) - 1`.
    Ppo {
        /// Bars of the fast average.
        fast: u32 = 12, 2..=MOST;
        /// Bars of the slow average.
        slow: u32 = 26, 3..=MOST;
    }
    => Trend, "Percentage price oscillator",
    unit: "fraction",
    source: "TA-Lib PPO (EMA) / 100",
    lookback: slow - 1,
    columns: vec![format!("ppo_{fast}_{slow}")],
    needs: fast < slow;

    /// Wilder's average directional index: how strong the trend is, whichever way.
    Adx {
        /// Bars of Wilder's average.
        period: u32 = 14, 2..=MOST;
    }
    => Trend, "ADX",
    unit: "0 to 1",
    source: "TA-Lib ADX / 100 (Wilder 1978)",
    lookback: 2 * period - 1,
    columns: vec![format!("adx_{period}")];

    /// Two columns: Wilder's directional indicators +DI and -DI, upward and downward movement over the true range.
    DirectionalIndex {
        /// Bars of Wilder's average.
        period: u32 = 14, 2..=MOST;
    }
    => Trend, "Directional indicators +DI and -DI",
    unit: "0 to 1",
    source: "TA-Lib PLUS_DI, MINUS_DI / 100 (Wilder 1978)",
    lookback: period,
    columns: vec![format!("plus_di_{period}"), format!("minus_di_{period}")];

    /// Two columns, up and down: how recently the last `period + 1` bars had their highest high and their lowest low, 1 at this bar; of
    /// equal ones the last.
    Aroon {
        /// Bars.
        period: u32 = 14, 2..=MOST;
    }
    => Trend, "Aroon",
    unit: "0 to 1",
    source: "TA-Lib AROON / 100 (Chande 1995)",
    lookback: period,
    columns: vec![format!("aroon_up_{period}"), format!("aroon_down_{period}")];

    /// `close / SAR - 1` with the parabolic stop and reverse.
    SarDistance {
        /// Growth of the pace with each new extreme.
        acceleration: f64 = 0.02, 0.0001..=1.0;
        /// Highest pace.
        maximum: f64 = 0.2, 0.0001..=1.0;
    }
    => Trend, "Distance from parabolic SAR",
    unit: "fraction",
    source: "TA-Lib SAR (Wilder 1978)",
    lookback: 1,
    columns: vec![format!("sar_distance_{acceleration}_{maximum}")],
    needs: acceleration <= maximum;

    /// Slope of the least-squares line through the last closes, per bar, over the close.
    LinearRegressionSlope {
        /// Bars.
        window: u32 = 14, 2..=MOST;
    }
    => Trend, "Regression slope",
    unit: "fraction of the close per bar",
    source: "TA-Lib LINEARREG_SLOPE / close",
    lookback: window - 1,
    columns: vec![format!("linear_regression_slope_{window}")];

    /// The regression slope in percent of the close per bar as an angle, over a right angle.
    LinearRegressionAngle {
        /// Bars.
        window: u32 = 14, 2..=MOST;
    }
    => Trend, "Regression angle",
    unit: "-1 to 1",
    source: "TA-Lib LINEARREG_ANGLE of the close in percent",
    lookback: window - 1,
    columns: vec![format!("linear_regression_angle_{window}")];

    /// Share of the variance of the last closes that the least-squares line explains; 0 where the price stands still.
    LinearRegressionR2 {
        /// Bars.
        window: u32 = 14, 3..=MOST;
    }
    => Trend, "Regression R²",
    unit: "0 to 1",
    source: "squared TA-Lib CORREL of close and time",
    lookback: window - 1,
    columns: vec![format!("linear_regression_r2_{window}")];

    /// The close less the end of the least-squares line, over the close.
    LinearRegressionDistance {
        /// Bars.
        window: u32 = 14, 3..=MOST;
    }
    => Trend, "Distance from regression",
    unit: "fraction of the close",
    source: "TA-Lib LINEARREG",
    lookback: window - 1,
    columns: vec![format!("linear_regression_distance_{window}")];

    /// Distance over path, `|close[t] - close[t - period]|` over the sum of the one-bar changes: how straightly the price moved; 0
    /// where it did not.
    EfficiencyRatio {
        /// Bars.
        period: u32 = 10, 2..=MOST;
    }
    => Trend, "Efficiency ratio",
    unit: "0 to 1",
    source: "Kaufman 1995",
    lookback: period,
    columns: vec![format!("efficiency_ratio_{period}")];

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

    /// `(close[t] - close[t - period]) / close[t]`.
    Momentum {
        /// Bars back.
        period: u32 = 10, 1..=MOST;
    }
    => Momentum, "Momentum",
    unit: "fraction of the close",
    source: "TA-Lib MOM / close",
    lookback: period,
    columns: vec![format!("momentum_{period}")];

    /// Two columns, %K and %D: where the close lies in the high-low range of `window` bars (0 without a range), averaged over
    /// `smooth_k` bars, and that over `smooth_d`.
    Stochastic {
        /// Bars of the range.
        window: u32 = 14, 1..=MOST;
        /// Bars of the average that makes %K.
        smooth_k: u32 = 3, 1..=MOST;
        /// Bars of the average that makes %D.
        smooth_d: u32 = 3, 1..=MOST;
    }
    => Momentum, "Stochastic %K and %D",
    unit: "0 to 1",
    source: "TA-Lib STOCH / 100 (Lane 1984)",
    lookback: window + smooth_k + smooth_d - 3,
    columns: vec![format!("stochastic_k_{window}_{smooth_k}_{smooth_d}"), format!("stochastic_d_{window}_{smooth_k}_{smooth_d}")];

    /// Two columns, %K and %D: where the RSI lies in its own range of `window` bars (0 without a range), and the average of that over
    /// `smooth_d`.
    StochasticRsi {
        /// Bars of the RSI.
        period: u32 = 14, 2..=MOST;
        /// Bars of the range.
        window: u32 = 14, 1..=MOST;
        /// Bars of the average that makes %D.
        smooth_d: u32 = 3, 1..=MOST;
    }
    => Momentum, "Stochastic RSI",
    unit: "0 to 1",
    source: "TA-Lib STOCHRSI / 100 (Chande and Kroll 1994)",
    lookback: period + window + smooth_d - 2,
    columns: vec![format!("stochastic_rsi_k_{period}_{window}_{smooth_d}"), format!("stochastic_rsi_d_{period}_{window}_{smooth_d}")];

    /// `(close - highest high) / (highest high - lowest low)` of the last bars; 0 without a range.
    WilliamsR {
        /// Bars.
        period: u32 = 14, 2..=MOST;
    }
    => Momentum, "Williams %R",
    unit: "-1 to 0",
    source: "TA-Lib WILLR / 100",
    lookback: period - 1,
    columns: vec![format!("williams_r_{period}")];

    /// Typical price less its mean, over 1.5 mean absolute deviations (the usual 0.015 in hundreds); 0 without any.
    Cci {
        /// Bars.
        period: u32 = 20, 2..=FEW;
    }
    => Momentum, "CCI",
    unit: "unbounded, mostly -2 to 2",
    source: "TA-Lib CCI / 100 (Lambert 1980)",
    lookback: period - 1,
    columns: vec![format!("cci_{period}")];

    /// `(gain - loss) / (gain + loss)` of Wilder's averages, as TA-Lib computes it: 2 RSI - 1; 0 without any movement.
    Cmo {
        /// Bars of Wilder's average.
        period: u32 = 14, 2..=MOST;
    }
    => Momentum, "Chande momentum oscillator",
    unit: "-1 to 1",
    source: "TA-Lib CMO / 100",
    lookback: period,
    columns: vec![format!("cmo_{period}")];

    /// One-bar rate of change of the triple exponential average of the close.
    Trix {
        /// Bars.
        period: u32 = 15, 2..=MOST;
    }
    => Momentum, "TRIX",
    unit: "fraction",
    source: "TA-Lib TRIX / 100 (Hutson 1983)",
    lookback: 3 * period - 2,
    columns: vec![format!("trix_{period}")];

    /// Buying pressure over true range on three horizons, weighted 4, 2 and 1.
    UltimateOscillator {
        /// Bars of the shortest horizon.
        short: u32 = 7, 1..=MOST;
        /// Bars of the middle horizon.
        medium: u32 = 14, 1..=MOST;
        /// Bars of the longest horizon.
        long: u32 = 28, 1..=MOST;
    }
    => Momentum, "Ultimate oscillator",
    unit: "0 to 1",
    source: "TA-Lib ULTOSC / 100 (Williams 1985)",
    lookback: long,
    columns: vec![format!("ultimate_oscillator_{short}_{medium}_{long}")],
    needs: short < medium && medium < long;

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

    /// `max(high, close[t - 1]) - min(low, close[t - 1])` over the close.
    TrueRange
    => Volatility, "True range",
    unit: "fraction of the close, 0 and above",
    source: "TA-Lib TRANGE / close",
    lookback: 1,
    columns: vec!["true_range".to_owned()];

    /// Where the close lies between the Bollinger bands, 0 at the lower and 1 at the upper one; 0.5 where they touch.
    BollingerPosition {
        /// Bars.
        window: u32 = 20, 2..=MOST;
        /// Standard deviations to either band.
        deviations: f64 = 2.0, 0.01..=100.0;
    }
    => Volatility, "Bollinger %B",
    unit: "0 to 1 within the bands",
    source: "TA-Lib BBANDS (Bollinger 1992)",
    lookback: window - 1,
    columns: vec![format!("bollinger_position_{window}_{deviations}")];

    /// Distance of the Bollinger bands over their middle.
    BollingerBandwidth {
        /// Bars.
        window: u32 = 20, 2..=MOST;
        /// Standard deviations to either band.
        deviations: f64 = 2.0, 0.01..=100.0;
    }
    => Volatility, "Bollinger bandwidth",
    unit: "fraction, 0 and above",
    source: "TA-Lib BBANDS (Bollinger 1992)",
    lookback: window - 1,
    columns: vec![format!("bollinger_bandwidth_{window}_{deviations}")];

    /// Where the close lies in the channel of an EMA with average true ranges on either side, 0 at the lower and 1 at the upper edge;
    /// 0.5 without a range.
    KeltnerPosition {
        /// Bars of the EMA.
        period: u32 = 20, 2..=MOST;
        /// Bars of the average true range.
        atr_period: u32 = 10, 2..=MOST;
        /// Average true ranges to either edge.
        multiple: f64 = 2.0, 0.01..=100.0;
    }
    => Volatility, "Keltner position",
    unit: "0 to 1 within the channel",
    source: "TA-Lib EMA and ATR (Keltner 1960, Raschke)",
    lookback: atr_period.max(period - 1),
    columns: vec![format!("keltner_position_{period}_{atr_period}_{multiple}")];

    /// Root of the mean of `ln(high / low)² / (4 ln 2)`, per bar.
    ParkinsonVolatility {
        /// Bars.
        window: u32 = 24, 2..=MOST;
    }
    => Volatility, "Parkinson volatility",
    unit: "log return per bar, 0 and above",
    source: "Parkinson 1980",
    lookback: window - 1,
    columns: vec![format!("parkinson_volatility_{window}")];

    /// Root of the mean of `ln(high / low)² / 2 - (2 ln 2 - 1) ln(close / open)²`, per bar.
    GarmanKlassVolatility {
        /// Bars.
        window: u32 = 24, 2..=MOST;
    }
    => Volatility, "Garman-Klass volatility",
    unit: "log return per bar, 0 and above",
    source: "Garman and Klass 1980",
    lookback: window - 1,
    columns: vec![format!("garman_klass_volatility_{window}")];

    /// Root of the mean of `ln(high / close) ln(high / open) + ln(low / close) ln(low / open)`, per bar.
    RogersSatchellVolatility {
        /// Bars.
        window: u32 = 24, 2..=MOST;
    }
    => Volatility, "Rogers-Satchell volatility",
    unit: "log return per bar, 0 and above",
    source: "Rogers and Satchell 1991",
    lookback: window - 1,
    columns: vec![format!("rogers_satchell_volatility_{window}")];

    /// Root of the variance of the gaps, plus k times that of open to close, plus 1 - k times the mean of Rogers and Satchell, per bar;
    /// `k = 0.34 / (1.34 + (n + 1) / (n - 1))`.
    YangZhangVolatility {
        /// Bars.
        window: u32 = 24, 2..=MOST;
    }
    => Volatility, "Yang-Zhang volatility",
    unit: "log return per bar, 0 and above",
    source: "Yang and Zhang 2000",
    lookback: window,
    columns: vec![format!("yang_zhang_volatility_{window}")];

    // Volume

    /// `(v - mean) / std` of `v = ln(1 + volume)` with the sample standard deviation over the last `window` bars, the current one
    /// included; 0 where the volume did not change.
    VolumeZScore {
        /// Bars.
        window: u32 = 48, 2..=MOST;
    }
    => Volume, "Volume z-score",
    unit: "standard deviations",
    source: "",
    lookback: window - 1,
    columns: vec![format!("volume_z_score_{window}")];

    /// Volume over its mean of the last `window` bars; 0 where nothing was traded.
    RelativeVolume {
        /// Bars.
        window: u32 = 24, 2..=MOST;
    }
    => Volume, "Relative volume",
    unit: "multiple of the mean, 0 and above",
    source: "",
    lookback: window - 1,
    columns: vec![format!("relative_volume_{window}")];

    /// Slope of the on-balance volume per bar, over the mean volume of the window; 0 where nothing was traded.
    ObvSlope {
        /// Bars.
        window: u32 = 24, 2..=MOST;
    }
    => Volume, "On-balance volume slope",
    unit: "mean volumes per bar",
    source: "TA-Lib OBV, LINEARREG_SLOPE",
    lookback: window - 1,
    columns: vec![format!("obv_slope_{window}")];

    /// The z-score of the on-balance volume among its last `window` values; 0 where it did not change.
    ObvZScore {
        /// Bars.
        window: u32 = 48, 2..=MOST;
    }
    => Volume, "On-balance volume z-score",
    unit: "standard deviations",
    source: "TA-Lib OBV",
    lookback: window - 1,
    columns: vec![format!("obv_z_score_{window}")];

    /// The z-score of Chaikin's accumulation/distribution line among its last `window` values; 0 where it did not change.
    AccumulationZScore {
        /// Bars.
        window: u32 = 48, 2..=MOST;
    }
    => Volume, "Accumulation/distribution z-score",
    unit: "standard deviations",
    source: "TA-Lib AD",
    lookback: window - 1,
    columns: vec![format!("accumulation_z_score_{window}")];

    /// Sum of volume times where each close lies in its bar (-1 at the low, 1 at the high, 0 without a range), over the sum of the
    /// volume; 0 where nothing was traded.
    ChaikinMoneyFlow {
        /// Bars.
        window: u32 = 20, 1..=MOST;
    }
    => Volume, "Chaikin money flow",
    unit: "-1 to 1",
    source: "Chaikin",
    lookback: window - 1,
    columns: vec![format!("chaikin_money_flow_{window}")];

    /// Share of the money (typical price times volume) that went with a rising typical price; 0 where none flowed.
    Mfi {
        /// Bars.
        period: u32 = 14, 2..=MOST;
    }
    => Volume, "Money flow index",
    unit: "0 to 1",
    source: "TA-Lib MFI / 100 (Quong and Soudack 1989)",
    lookback: period,
    columns: vec![format!("mfi_{period}")];

    /// `close / VWAP - 1` with the window's volume-weighted typical price, `(high + low + close) / 3`; not defined where nothing was
    /// traded.
    VwapDistance {
        /// Bars.
        window: u32 = 24, 1..=MOST;
    }
    => Volume, "Distance from VWAP",
    unit: "fraction",
    source: "",
    lookback: window - 1,
    columns: vec![format!("vwap_distance_{window}")];

    /// Amihud's illiquidity: `ln(1 + 1e6 mean)` of `|log return| / (close volume)` over the bars with a volume; not defined where there
    /// is none.
    Amihud {
        /// Returns.
        window: u32 = 24, 1..=MOST;
    }
    => Volume, "Amihud illiquidity",
    unit: "log of return per million traded, 0 and above",
    source: "Amihud 2002",
    lookback: window,
    columns: vec![format!("amihud_{window}")];

    /// Correlation of log return and `ln(1 + volume)`; 0 where one of the two does not change.
    PriceVolumeCorrelation {
        /// Returns.
        window: u32 = 24, 3..=MOST;
    }
    => Volume, "Return-volume correlation",
    unit: "-1 to 1",
    source: "pandas rolling.corr",
    lookback: window,
    columns: vec![format!("price_volume_correlation_{window}")];

    // Price position

    /// Where the close lies in the high-low range (Donchian channel) of the last `window` bars: 0 at the low, 1 at the high, 0.5 where
    /// there is no range.
    RangePosition {
        /// Bars.
        window: u32 = 24, 1..=MOST;
    }
    => Position, "Range position",
    unit: "0 to 1",
    source: "Donchian channel",
    lookback: window - 1,
    columns: vec![format!("range_position_{window}")];

    /// How far the close lies below the highest high of the last `window` bars, `close / high - 1`.
    Drawdown {
        /// Bars.
        window: u32 = 48, 1..=MOST;
    }
    => Position, "Drawdown from high",
    unit: "fraction, 0 and below",
    source: "",
    lookback: window - 1,
    columns: vec![format!("drawdown_{window}")];

    /// How far the close lies above the lowest low of the last `window` bars, `close / low - 1`.
    RunUp {
        /// Bars.
        window: u32 = 48, 1..=MOST;
    }
    => Position, "Run-up from low",
    unit: "fraction, 0 and above",
    source: "",
    lookback: window - 1,
    columns: vec![format!("run_up_{window}")];

    /// Bars since the highest high of the last `window` bars, over `window - 1`; of equal ones the last.
    BarsSinceHigh {
        /// Bars.
        window: u32 = 48, 2..=MOST;
    }
    => Position, "Bars since high",
    unit: "0 to 1",
    source: "TA-Lib MAXINDEX",
    lookback: window - 1,
    columns: vec![format!("bars_since_high_{window}")];

    /// Bars since the lowest low of the last `window` bars, over `window - 1`; of equal ones the last.
    BarsSinceLow {
        /// Bars.
        window: u32 = 48, 2..=MOST;
    }
    => Position, "Bars since low",
    unit: "0 to 1",
    source: "TA-Lib MININDEX",
    lookback: window - 1,
    columns: vec![format!("bars_since_low_{window}")];

    /// Share of the last `window` bars that closed above the bar before.
    UpBarRatio {
        /// Bars.
        window: u32 = 24, 1..=MOST;
    }
    => Position, "Up-bar ratio",
    unit: "0 to 1",
    source: "",
    lookback: window,
    columns: vec![format!("up_bar_ratio_{window}")];

    /// `(close - open) / (high - low)`; 0 without a range.
    BodyRatio
    => Position, "Body ratio",
    unit: "-1 to 1",
    source: "TA-Lib BOP (balance of power)",
    lookback: 0,
    columns: vec!["body_ratio".to_owned()];

    /// Two columns: the upper and the lower shadow as shares of the bar's range; 0 without a range.
    ShadowRatio
    => Position, "Shadow ratios",
    unit: "0 to 1",
    source: "",
    lookback: 0,
    columns: vec!["upper_shadow_ratio".to_owned(), "lower_shadow_ratio".to_owned()];

    // Statistics

    /// Mean of the last `window` one-bar log returns.
    ReturnMean {
        /// Returns.
        window: u32 = 24, 2..=MOST;
    }
    => Statistics, "Mean return",
    unit: "log return per bar",
    source: "pandas rolling.mean",
    lookback: window,
    columns: vec![format!("return_mean_{window}")];

    /// Sample skewness of the last `window` one-bar log returns; 0 where they do not differ.
    ReturnSkewness {
        /// Returns.
        window: u32 = 48, 3..=MOST;
    }
    => Statistics, "Skewness",
    unit: "none",
    source: "pandas rolling.skew",
    lookback: window,
    columns: vec![format!("return_skewness_{window}")];

    /// Sample excess kurtosis of the last `window` one-bar log returns; 0 where they do not differ.
    ReturnKurtosis {
        /// Returns.
        window: u32 = 48, 4..=MOST;
    }
    => Statistics, "Kurtosis",
    unit: "none",
    source: "pandas rolling.kurt",
    lookback: window,
    columns: vec![format!("return_kurtosis_{window}")];

    /// The lowest of the last `window` one-bar log returns.
    ReturnMin {
        /// Returns.
        window: u32 = 24, 2..=MOST;
    }
    => Statistics, "Lowest return",
    unit: "log ratio",
    source: "pandas rolling.min",
    lookback: window,
    columns: vec![format!("return_min_{window}")];

    /// The highest of the last `window` one-bar log returns.
    ReturnMax {
        /// Returns.
        window: u32 = 24, 2..=MOST;
    }
    => Statistics, "Highest return",
    unit: "log ratio",
    source: "pandas rolling.max",
    lookback: window,
    columns: vec![format!("return_max_{window}")];

    /// The z-score of the one-bar log return among the last `window`, itself included; 0 where they do not differ.
    ReturnZScore {
        /// Returns.
        window: u32 = 48, 2..=MOST;
    }
    => Statistics, "Return z-score",
    unit: "standard deviations",
    source: "pandas rolling",
    lookback: window,
    columns: vec![format!("return_z_score_{window}")];

    /// A quantile of the last `window` one-bar log returns, linear between two of them.
    ReturnQuantile {
        /// Returns.
        window: u32 = 48, 2..=FEW;
        /// Share of returns below.
        quantile: f64 = 0.05, 0.0..=1.0;
    }
    => Statistics, "Return quantile",
    unit: "log ratio",
    source: "pandas rolling.quantile",
    lookback: window,
    columns: vec![format!("return_quantile_{window}_{quantile}")];

    /// Rank of the one-bar log return among the last `window`, itself included, over their count; equal ones share their mean rank.
    ReturnRank {
        /// Returns.
        window: u32 = 48, 2..=FEW;
    }
    => Statistics, "Return rank",
    unit: "0 (exclusive) to 1",
    source: "pandas rolling.rank(pct=True)",
    lookback: window,
    columns: vec![format!("return_rank_{window}")];

    /// Correlation of the last `window` one-bar log returns with those `lag` bars before; 0 where they do not differ.
    ReturnAutocorrelation {
        /// Returns.
        window: u32 = 48, 3..=MOST;
        /// Bars between.
        lag: u32 = 1, 1..=MOST;
    }
    => Statistics, "Autocorrelation",
    unit: "-1 to 1",
    source: "pandas rolling.corr",
    lookback: window + lag,
    columns: vec![format!("return_autocorrelation_{window}_{lag}")];

    // Calendar

    /// Two columns: sine and cosine of the bar's close time (hour and minute) within the UTC day.
    TimeOfDay
    => Calendar, "Time of day",
    unit: "-1 to 1",
    source: "",
    lookback: 0,
    columns: vec!["time_of_day_sin".to_owned(), "time_of_day_cos".to_owned()];

    /// Two columns: sine and cosine of the day of the week (UTC, from Monday) at which the bar closes.
    DayOfWeek
    => Calendar, "Day of week",
    unit: "-1 to 1",
    source: "",
    lookback: 0,
    columns: vec!["day_of_week_sin".to_owned(), "day_of_week_cos".to_owned()];

    /// Two columns: sine and cosine of the day of the month (UTC) at which the bar closes, over the length of the month.
    DayOfMonth
    => Calendar, "Day of month",
    unit: "-1 to 1",
    source: "",
    lookback: 0,
    columns: vec!["day_of_month_sin".to_owned(), "day_of_month_cos".to_owned()];

    /// Two columns: sine and cosine of the month (UTC) in which the bar closes.
    MonthOfYear
    => Calendar, "Month",
    unit: "-1 to 1",
    source: "",
    lookback: 0,
    columns: vec!["month_of_year_sin".to_owned(), "month_of_year_cos".to_owned()];

    /// 1 where the bar closes on a Saturday or a Sunday (UTC), else 0.
    IsWeekend
    => Calendar, "Weekend",
    unit: "0 or 1",
    source: "",
    lookback: 0,
    columns: vec!["is_weekend".to_owned()];

    // Session

    /// `ln(1 + missing)` with the number of bar lengths missing before this bar: 0 when the previous bar is the one just before. Not
    /// defined at the first bar.
    TimeGap
    => Session, "Time gap",
    unit: "log bars, 0 and above",
    source: "",
    lookback: 1,
    columns: vec!["time_gap".to_owned()];

    /// Hours from the opening of the session to the bar's close. The hours are learnt from the symbol's own past: a slot of the week
    /// belongs to a session when at least two of the last four traded weeks had a bar there. 0 in a market that never closes.
    TimeSinceSessionOpen
    => Session, "Time since session open",
    unit: "hours, 0 and above",
    source: "",
    lookback: 6 * bars_of_a_week(base),
    columns: vec!["time_since_session_open".to_owned()];

    /// Hours from the bar's close to the close of the session. The hours are learnt from the symbol's own past: a slot of the week
    /// belongs to a session when at least two of the last four traded weeks had a bar there. 0 in a market that never closes.
    TimeToSessionClose
    => Session, "Time to session close",
    unit: "hours, 0 and above",
    source: "",
    lookback: 6 * bars_of_a_week(base),
    columns: vec!["time_to_session_close".to_owned()];

    // Cross-section

    /// Rank of the symbol's value among the symbols whose bar closes at the same moment, from -0.5 (lowest) to 0.5 (highest); equal
    /// values share their mean rank. Not defined with fewer than 5 values.
    CrossRank {
        /// The feature that is compared.
        of: Box<FeatureSpec> = Box::new(any_feature()), ();
    }
    => CrossSection, "Cross-sectional rank",
    unit: "-0.5 to 0.5",
    source: "pandas rank",
    lookback: of,
    columns: prefixed("cross_rank", of);

    /// The symbol's value less the mean, over the sample standard deviation, of the symbols whose bar closes at the same moment; 0
    /// where all are equal. Not defined with fewer than 5 values.
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

    // Higher timeframe

    /// A feature of the symbol's own bars put together to longer ones. At each bar stands the value of the last longer bar that has
    /// closed by then.
    Higher {
        /// Length of the longer bars: a multiple of the bars.
        timeframe: Timeframe = FOUR_HOURS, ();
        /// The feature of the longer bars.
        of: Box<FeatureSpec> = Box::new(FeatureSpec::Rsi { period: 14 }), ();
    }
    => HigherTimeframe, "Higher timeframe",
    unit: "that of the feature inside",
    source: "",
    lookback: timeframe * (of + 2),
    columns: prefixed(&timeframe.to_string(), of);

    // Alpha158

    /// All 158 features of Qlib's set: those of the bar, of the prices, and of windows of 5, 10, 20, 30 and 60 bars, with VWAP = (high + low
    /// + close) / 3. Windows are whole after the lookback; before it they are as long as there are bars, as in Qlib.
    Alpha158
    => Alpha158, "Alpha158",
    unit: "see Qlib",
    source: "Qlib Alpha158",
    lookback: 60,
    columns: alpha158();

    /// Nine features of the bar's shape: KMID, KLEN, KMID2, KUP, KUP2, KLOW, KLOW2, KSFT, KSFT2.
    Alpha158Bar
    => Alpha158, "Alpha158: bar",
    unit: "fraction of the open, or of the range",
    source: "Qlib Alpha158 kbar",
    lookback: 0,
    columns: owned(&ALPHA158_BAR);

    /// Open, high, low and VWAP = (high + low + close) / 3 over the close.
    Alpha158Price
    => Alpha158, "Alpha158: prices",
    unit: "multiple of the close",
    source: "Qlib Alpha158 price",
    lookback: 0,
    columns: owned(&ALPHA158_PRICES);

    /// The 29 features of a window: ROC, MA, STD, BETA, RSQR, RESI, MAX, MIN, QTLU, QTLD, RANK, RSV, IMAX, IMIN, IMXD, CORR, CORD, CNTP, CNTN,
    /// CNTD, SUMP, SUMN, SUMD, VMA, VSTD, WVMA, VSUMP, VSUMN, VSUMD. As in Qlib, RSQR, CORR and CORD are not defined where a deviation in
    /// them is 0.00002 or less, whatever the price.
    Alpha158Rolling {
        /// Bars.
        window: u32 = 20, 2..=FEW;
    }
    => Alpha158, "Alpha158: window",
    unit: "see Qlib",
    source: "Qlib Alpha158 rolling",
    lookback: window,
    columns: ALPHA158_WINDOW.iter().map(|name| format!("{name}{window}")).collect();
}
