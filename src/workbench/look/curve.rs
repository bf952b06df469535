use crate::dataset::Series;
use crate::domain::{Symbol, Timeframe, UtcMillis};

/// Points of a line at most; more would not be seen, and cost the window its time.
const MOST_POINTS: usize = 4_000;

/// The close and one feature of a series over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Whose.
    pub symbol: Symbol,
    /// The bar length.
    pub timeframe: Timeframe,
    /// Bars there are.
    pub bars: usize,
    /// The close, in the price's own unit.
    pub close: Trace,
    /// The feature, unscaled.
    pub feature: Trace,
}

/// A line of at most 4,000 points in time order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// When the bar closes: the moment the value is known.
    pub times: Vec<UtcMillis>,
    /// The values; NaN where there is none, which interrupts the line.
    pub values: Vec<f64>,
    /// Neighbouring bars of which only the lowest, the highest and the first without a value are kept; 1 where every bar is.
    pub merged: usize,
}

impl Curve {
    /// Of a column of the feature matrix.
    pub(super) fn of(series: &Series, column: usize) -> Self {
        let times = series.decision();
        let feature: Vec<f64> = series.matrix().column(column).map(f64::from).collect();
        Self {
            symbol: series.symbol().clone(),
            timeframe: series.timeframe(),
            bars: times.len(),
            close: Trace::thinned(times, series.close(), MOST_POINTS),
            feature: Trace::thinned(times, &feature, MOST_POINTS),
        }
    }
}

impl Trace {
    /// Of more than `most` values as many groups of neighbours, evenly wide, as give no more than `most` points: of each group the lowest and the
    /// highest, so that no spike is lost, and one that is missing, so that no gap is. The first and the last value are kept.
    pub(in crate::workbench) fn thinned(times: &[UtcMillis], values: &[f64], most: usize) -> Self {
        let group = if values.len() <= most {
            1
        } else {
            values.len().div_ceil(most.saturating_sub(2).max(3) / 3)
        };
        let kept: Vec<usize> = if group == 1 {
            (0..values.len()).collect()
        } else {
            let groups = values.chunks(group).enumerate();
            let mut kept: Vec<usize> = vec![0];
            kept.extend(groups.flat_map(|(index, values)| telling(index * group, values)));
            kept.push(values.len() - 1);
            kept.dedup();
            kept
        };
        Self {
            times: kept.iter().map(|&row| times[row]).collect(),
            values: kept.iter().map(|&row| values[row]).collect(),
            merged: group,
        }
    }
}

/// Of some values that begin at a row, the rows of the lowest, the highest and the first missing one, rising.
fn telling(first: usize, values: &[f64]) -> Vec<usize> {
    let rows = || values.iter().enumerate().filter(|(_, value)| !value.is_nan());
    let low = rows().min_by(|a, b| a.1.total_cmp(b.1));
    let high = rows().max_by(|a, b| a.1.total_cmp(b.1));
    let missing = values.iter().enumerate().find(|(_, value)| value.is_nan());
    let mut kept: Vec<usize> =
        [low, high, missing].into_iter().flatten().map(|(row, _)| first + row).collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(values: &[f64], most: usize) -> Trace {
        let times: Vec<UtcMillis> = (0..values.len() as i64).map(UtcMillis).collect();
        Trace::thinned(&times, values, most)
    }

    #[test]
    fn a_short_line_is_kept_as_it_is() {
        let values = [1.0, 5.0, 2.0];
        let found = line(&values, 3);
        assert_eq!((found.values.as_slice(), found.merged), (&values[..], 1));
        assert_eq!(line(&[], 3), Trace { merged: 1, ..Trace::default() });
    }

    #[test]
    fn a_long_line_keeps_its_spikes_gaps_and_ends() {
        let mut values: Vec<f64> = (0..100_000).map(|i| f64::from(i % 7)).collect();
        (values[33_333], values[66_666], values[50_000]) = (99.0, -99.0, f64::NAN);
        let found = line(&values, 4_000);
        assert!(
            found.values.len() <= 4_000 && found.values.len() > 1_500,
            "{}",
            found.values.len()
        );
        let place = |row: i64| found.times.iter().position(|at| at.0 == row).unwrap();
        assert_eq!(found.values[place(33_333)], 99.0);
        assert_eq!(found.values[place(66_666)], -99.0);
        assert!(found.values[place(50_000)].is_nan());
        assert_eq!((found.times[0].0, found.times[found.times.len() - 1].0), (0, 99_999));
    }

    #[test]
    fn a_long_stretch_without_values_is_a_gap() {
        let values: Vec<f64> =
            (0..10_000).map(|i| if (2_000..8_000).contains(&i) { f64::NAN } else { 1.0 }).collect();
        let found = line(&values, 100);
        let inside =
            found.times.iter().zip(&found.values).filter(|(at, _)| (2_500..7_500).contains(&at.0));
        assert!(inside.clone().count() > 5 && inside.clone().all(|(_, value)| value.is_nan()));
    }

    proptest! {
        #[test]
        fn thinning_never_invents_or_loses_extremes(
            values in prop::collection::vec(prop_oneof![9 => (-1e3..1e3_f64).boxed(), 1 => Just(f64::NAN).boxed()], 1..600),
            most in 5..200_usize,
        ) {
            let found = line(&values, most);
            prop_assert!(found.values.len() <= most.max(5));
            prop_assert!(found.times.is_sorted_by(|a, b| a < b));
            for (at, value) in found.times.iter().zip(&found.values) {
                prop_assert_eq!(value.to_bits(), values[at.0 as usize].to_bits());
            }
            let high = |values: &[f64]| values.iter().copied().fold(f64::NAN, f64::max);
            let low = |values: &[f64]| values.iter().copied().fold(f64::NAN, f64::min);
            prop_assert_eq!(high(&found.values).to_bits(), high(&values).to_bits());
            prop_assert_eq!(low(&found.values).to_bits(), low(&values).to_bits());
            let gaps = |values: &[f64]| values.iter().any(|value| value.is_nan());
            prop_assert_eq!(gaps(&found.values), gaps(&values));
        }
    }
}
