use super::panel::compute_panel;
use super::{FeatureError, FeatureMatrix, clock, rolling, wilder};
use crate::domain::Timeframe;
use crate::market::Bars;
use crate::spec::FeatureSpec;

/// Computes every feature of every bar of one symbol, in the order of the specification. The formulas are documented at [`FeatureSpec`].
///
/// Too few bars are no error: a feature that is defined nowhere is a column of NaN, and the warm-up is all rows. A feature that compares
/// symbols is NaN throughout: it wants [`compute_panel`].
///
/// # Errors
/// [`FeatureError`] for an empty list, for a parameter the formula cannot take, or where the indicator library refuses.
pub fn compute(specs: &[FeatureSpec], bars: &Bars) -> Result<FeatureMatrix, FeatureError> {
    let mut panel = compute_panel(specs, &[bars]).map_err(|error| error.source)?;
    Ok(panel.pop().expect("one matrix for each symbol"))
}

/// Bars before bar t that row t of these features needs at most, on bars of that length: the longest [`FeatureSpec::lookback`].
#[must_use]
pub fn lookback(specs: &[FeatureSpec], base: Timeframe) -> usize {
    specs.iter().map(|spec| spec.lookback(base)).max().unwrap_or(0)
}

/// The columns of one symbol's feature in `f64`, each one value per bar; of a feature that compares symbols those of the feature inside.
///
/// The parameters have been checked.
pub(super) fn columns_of(spec: &FeatureSpec, bars: &Bars) -> Result<Vec<Vec<f64>>, FeatureError> {
    let indicator = |source| FeatureError::Indicator {
        column: spec.columns().swap_remove(0),
        bars: bars.len(),
        source,
    };
    let n = |bars: u32| bars as usize;
    Ok(match *spec {
        FeatureSpec::LogReturn { lag } => vec![rolling::log_return(bars.close(), n(lag))],
        FeatureSpec::RealizedVolatility { window } => {
            vec![rolling::realized_volatility(bars.close(), n(window))]
        }
        FeatureSpec::Rsi { period } => {
            vec![wilder::rsi(bars.close(), n(period)).map_err(indicator)?]
        }
        FeatureSpec::Atr { period } => vec![wilder::atr(bars, n(period)).map_err(indicator)?],
        FeatureSpec::VolumeZScore { window } => {
            vec![rolling::volume_z_score(bars.volume(), n(window))]
        }
        FeatureSpec::RangePosition { window } => vec![rolling::range_position(bars, n(window))],
        FeatureSpec::TimeOfDay => clock::time_of_day(bars).into(),
        FeatureSpec::TimeGap => vec![clock::time_gap(bars)],
        FeatureSpec::CrossRank { ref of }
        | FeatureSpec::CrossZScore { ref of }
        | FeatureSpec::CrossDemean { ref of } => columns_of(of, bars)?,
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
            let matrix = compute(std::slice::from_ref(&spec), &bars).unwrap();
            let lookback = spec.lookback(bars.timeframe());
            assert_eq!(matrix.names(), spec.columns());
            assert_eq!(matrix.warm_up(), lookback);
            for column in 0..matrix.cols() {
                let first = matrix.column(column).position(|value| !value.is_nan());
                assert_eq!(first, Some(lookback), "{spec:?}");
                assert!(matrix.column(column).skip(lookback).all(f32::is_finite), "{spec:?}");
            }
        }
    }

    #[test]
    fn the_warm_up_is_the_longest_lookback() {
        let bars = hourly_bars(60);
        let matrix = compute(&ALL, &bars).unwrap();
        let longest = lookback(&ALL, bars.timeframe());
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
    fn impossible_parameters_name_the_feature_and_the_field() {
        for (spec, message) in [
            (
                FeatureSpec::LogReturn { lag: 0 },
                "feature log_return_0: lag: 0 must lie between 1 and 100000",
            ),
            (
                FeatureSpec::Rsi { period: 1 },
                "feature rsi_1: period: 1 must lie between 2 and 100000",
            ),
        ] {
            let error = compute(&[spec], &hourly_bars(20)).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        assert!(matches!(compute(&[], &hourly_bars(20)), Err(FeatureError::NoFeatures)));
    }
}
