//! Features of longer bars, seen from the bars of the series.

use super::FeatureError;
use super::compute::columns_of;
use crate::domain::Timeframe;
use crate::market::{Bars, last_closed, resample};
use crate::spec::FeatureSpec;

/// Computes a feature on the symbol's own bars put together to `timeframe`. At each bar stands the value of the last longer bar that had
/// closed by then; NaN before the first.
pub(super) fn of_longer_bars(
    timeframe: Timeframe,
    of: &FeatureSpec,
    bars: &Bars,
) -> Result<Vec<Vec<f64>>, FeatureError> {
    let longer = resample(bars, timeframe)?;
    let closed = last_closed(bars, &longer);
    let columns = columns_of(of, &longer)?;
    Ok(columns.into_iter().map(|column| joined(&column, &closed)).collect())
}

fn joined(column: &[f64], closed: &[Option<usize>]) -> Vec<f64> {
    closed.iter().map(|row| row.map_or(f64::NAN, |row| column[row])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::golden::hourly_bars;

    #[test]
    fn a_longer_bar_is_seen_from_its_close_on() {
        // The first bar opens at 00:00; the one that opens at 03:00 closes with the first 4-hour bar.
        let bars = hourly_bars(12);
        let of = FeatureSpec::BarReturn;
        let column = &of_longer_bars("4h".parse().unwrap(), &of, &bars).unwrap()[0];
        assert!(column[..3].iter().all(|value| value.is_nan()));
        let change = |first: usize| (bars.close()[first + 3] / bars.open()[first]).ln();
        for (t, first) in [(3, 0), (6, 0), (7, 4), (10, 4), (11, 8)] {
            assert_eq!(column[t], change(first), "bar {t}");
        }
    }

    #[test]
    fn a_timeframe_that_does_not_fit_is_refused() {
        let error =
            of_longer_bars("90m".parse().unwrap(), &FeatureSpec::BarReturn, &hourly_bars(12));
        assert!(error.unwrap_err().to_string().contains("90m"));
    }
}
