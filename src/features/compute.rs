use super::{FeatureError, FeatureMatrix, clock, rolling, wilder};
use crate::market::Bars;
use crate::spec::FeatureSpec;

/// Computes every feature of every bar, in the order of the specification. The formulas are documented at [`FeatureSpec`].
///
/// Too few bars are no error: a feature that is defined nowhere is a column of NaN, and the warm-up is all rows.
///
/// # Errors
/// [`FeatureError`] for an empty list, for a length the formula cannot take, or where the indicator library refuses.
pub fn compute(specs: &[FeatureSpec], bars: &Bars) -> Result<FeatureMatrix, FeatureError> {
    let mut columns = Vec::new();
    for spec in specs {
        columns.extend(columns_of(*spec, bars)?);
    }
    let names = specs.iter().flat_map(|spec| column_names(*spec)).collect();
    let warm_up = specs.iter().map(|spec| lookback(*spec)).max().unwrap_or(0);
    FeatureMatrix::from_columns(names, &columns, warm_up)
}

/// The names of the columns a feature makes: its own name with its length in bars, as in `log_return_4`.
#[must_use]
pub fn column_names(spec: FeatureSpec) -> Vec<String> {
    match spec {
        FeatureSpec::LogReturn { lag } => vec![format!("log_return_{lag}")],
        FeatureSpec::RealizedVolatility { window } => vec![format!("realized_volatility_{window}")],
        FeatureSpec::Rsi { period } => vec![format!("rsi_{period}")],
        FeatureSpec::Atr { period } => vec![format!("atr_{period}")],
        FeatureSpec::VolumeZScore { window } => vec![format!("volume_z_score_{window}")],
        FeatureSpec::RangePosition { window } => vec![format!("range_position_{window}")],
        FeatureSpec::TimeOfDay => vec!["time_of_day_sin".to_owned(), "time_of_day_cos".to_owned()],
        FeatureSpec::TimeGap => vec!["time_gap".to_owned()],
    }
}

/// Bars before bar t that row t needs; rows before that are warm-up. TA-Lib's lookback for RSI and ATR.
///
/// Wilder's averages (RSI, ATR) never forget altogether: a bar `k` bars older than the lookback still weighs `(1 - 1 / period)^k`.
#[must_use]
pub const fn lookback(spec: FeatureSpec) -> usize {
    match spec {
        FeatureSpec::LogReturn { lag: bars }
        | FeatureSpec::RealizedVolatility { window: bars }
        | FeatureSpec::Rsi { period: bars }
        | FeatureSpec::Atr { period: bars } => bars as usize,
        FeatureSpec::VolumeZScore { window } | FeatureSpec::RangePosition { window } => {
            window.saturating_sub(1) as usize
        }
        FeatureSpec::TimeOfDay => 0,
        FeatureSpec::TimeGap => 1,
    }
}

/// The feature's columns in `f64`, each one value per bar.
pub(super) fn columns_of(spec: FeatureSpec, bars: &Bars) -> Result<Vec<Vec<f64>>, FeatureError> {
    let at_least = |field, found, least| {
        if found >= least {
            return Ok(found as usize);
        }
        let column = column_names(spec).swap_remove(0);
        Err(FeatureError::Parameter { column, field, found, least })
    };
    let indicator = |source| FeatureError::Indicator {
        column: column_names(spec).swap_remove(0),
        bars: bars.len(),
        source,
    };
    Ok(match spec {
        FeatureSpec::LogReturn { lag } => {
            vec![rolling::log_return(bars.close(), at_least("lag", lag, 1)?)]
        }
        FeatureSpec::RealizedVolatility { window } => {
            vec![rolling::realized_volatility(bars.close(), at_least("window", window, 2)?)]
        }
        FeatureSpec::Rsi { period } => {
            let period = at_least("period", period, 2)?;
            vec![wilder::rsi(bars.close(), period).map_err(indicator)?]
        }
        FeatureSpec::Atr { period } => {
            let period = at_least("period", period, 2)?;
            vec![wilder::atr(bars, period).map_err(indicator)?]
        }
        FeatureSpec::VolumeZScore { window } => {
            vec![rolling::volume_z_score(bars.volume(), at_least("window", window, 2)?)]
        }
        FeatureSpec::RangePosition { window } => {
            vec![rolling::range_position(bars, at_least("window", window, 1)?)]
        }
        FeatureSpec::TimeOfDay => clock::time_of_day(bars).into(),
        FeatureSpec::TimeGap => vec![clock::time_gap(bars)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::golden::{ALL, hourly_bars};

    #[test]
    fn each_column_is_defined_from_its_lookback_on() {
        let bars = hourly_bars(60);
        for spec in ALL {
            let matrix = compute(&[spec], &bars).unwrap();
            assert_eq!(matrix.names(), column_names(spec));
            assert_eq!(matrix.warm_up(), lookback(spec));
            for column in 0..matrix.cols() {
                let first = matrix.column(column).position(|value| !value.is_nan());
                assert_eq!(first, Some(lookback(spec)), "{spec:?}");
                assert!(matrix.column(column).skip(lookback(spec)).all(f32::is_finite), "{spec:?}");
            }
        }
    }

    #[test]
    fn the_warm_up_is_the_longest_lookback() {
        let matrix = compute(&ALL, &hourly_bars(60)).unwrap();
        let longest = ALL.map(lookback).into_iter().max().unwrap();
        assert_eq!(matrix.warm_up(), longest);
        assert!(matrix.row(longest - 1).iter().any(|value| value.is_nan()));
        assert!(matrix.row(longest).iter().all(|value| value.is_finite()));
        assert_eq!(matrix.cols(), ALL.len() + 1, "the time of day has two columns");
    }

    #[test]
    fn too_few_bars_are_all_warm_up() {
        for count in 0..4 {
            let bars = hourly_bars(count);
            let matrix = compute(&ALL, &bars).unwrap();
            assert_eq!((matrix.rows(), matrix.warm_up()), (bars.len(), bars.len()));
        }
    }

    #[test]
    fn impossible_lengths_name_the_feature_and_the_field() {
        for (spec, message) in [
            (
                FeatureSpec::LogReturn { lag: 0 },
                "feature log_return_0: lag is 0 and must be at least 1",
            ),
            (
                FeatureSpec::RealizedVolatility { window: 1 },
                "feature realized_volatility_1: window is 1 and must be at least 2",
            ),
            (FeatureSpec::Rsi { period: 1 }, "feature rsi_1: period is 1 and must be at least 2"),
            (FeatureSpec::Atr { period: 1 }, "feature atr_1: period is 1 and must be at least 2"),
            (
                FeatureSpec::VolumeZScore { window: 1 },
                "feature volume_z_score_1: window is 1 and must be at least 2",
            ),
            (
                FeatureSpec::RangePosition { window: 0 },
                "feature range_position_0: window is 0 and must be at least 1",
            ),
        ] {
            let error = compute(&[spec], &hourly_bars(20)).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        assert!(matches!(compute(&[], &hourly_bars(20)), Err(FeatureError::NoFeatures)));
    }
}
