use super::formulas::{self, Problem};
use super::panel::compute_panel;
use super::{FeatureError, FeatureMatrix};
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
    formulas::columns_of(spec, bars).map_err(|problem| match problem {
        Problem::Feature(error) => error,
        Problem::Indicator(source) => FeatureError::Indicator {
            column: spec.columns().swap_remove(0),
            bars: bars.len(),
            source,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::golden::{every_feature, hourly_bars};
    use crate::spec::FeatureGroup;

    /// Whether every bar has enough of what the feature needs, so that it is defined exactly after its lookback.
    fn begins_at_its_lookback(spec: &FeatureSpec) -> bool {
        !matches!(
            spec.kind().group,
            FeatureGroup::CrossSection | FeatureGroup::HigherTimeframe | FeatureGroup::Alpha158
        ) && !spec.columns()[0].contains("session")
    }

    #[test]
    fn each_column_is_defined_from_its_lookback_on() {
        let bars = hourly_bars(1500);
        for spec in every_feature() {
            let matrix = compute(std::slice::from_ref(&spec), &bars).unwrap();
            let lookback = spec.lookback(bars.timeframe());
            assert_eq!(matrix.names(), spec.columns());
            assert_eq!(matrix.warm_up(), lookback);
            if spec.is_cross_sectional() {
                assert!(matrix.as_slice().iter().all(|value| value.is_nan()), "{spec:?}");
                continue;
            }
            for (column, name) in matrix.names().iter().enumerate() {
                let first = matrix.column(column).position(|value| !value.is_nan()).unwrap();
                assert!(first <= lookback, "{name}: {first} <= {lookback}");
                assert!(first == lookback || !begins_at_its_lookback(&spec), "{name}: {first}");
                assert!(matrix.column(column).skip(lookback).all(f32::is_finite), "{name}");
            }
        }
    }

    #[test]
    fn the_warm_up_is_the_longest_lookback() {
        let bars = hourly_bars(60);
        let specs = [FeatureSpec::LogReturn { lag: 3 }, FeatureSpec::Atr { period: 6 }];
        let matrix = compute(&specs, &bars).unwrap();
        assert_eq!((lookback(&specs, bars.timeframe()), matrix.warm_up()), (6, 6));
        assert!(matrix.row(5).iter().any(|value| value.is_nan()));
        assert!(matrix.row(6).iter().all(|value| value.is_finite()));
    }

    #[test]
    fn too_few_bars_are_all_warm_up() {
        for count in 0..40 {
            let bars = hourly_bars(count);
            let matrix = compute(&every_feature(), &bars).unwrap();
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
