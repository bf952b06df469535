//! Information coefficients: correlation of prediction and outcome, over one symbol's time or across symbols at one time.
//!
//! The two answer different questions (timing one symbol, choosing among symbols), so there is no pooled IC that mixes
//! them (Grinold & Kahn 2000, ch. 6).

use serde::{Deserialize, Serialize};

use super::correlation::{pearson, spearman};
use super::finite;
use super::summary::mean_and_t;

/// The fewest symbols at one timestamp that make a cross-section.
pub const MIN_CROSS_SECTION: usize = 10;

/// The information coefficients of one symbol's test rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InformationCoefficient {
    /// Pearson correlation of prediction and outcome; see [`ic_ts`].
    pub ic_ts: Option<f64>,
    /// Spearman correlation of prediction and outcome; see [`rank_ic_ts`].
    pub rank_ic_ts: Option<f64>,
    /// Rows that had both a prediction and an outcome.
    pub rows: usize,
}

/// Both information coefficients of one symbol's test rows, and the rows they rest on.
///
/// A row whose prediction or outcome is missing (NaN or infinite) is left out.
///
/// # Panics
/// If the slices differ in length.
#[must_use]
pub fn information_coefficient(predictions: &[f64], outcomes: &[f64]) -> InformationCoefficient {
    let (predictions, outcomes) = complete_pairs(predictions, outcomes);
    InformationCoefficient {
        ic_ts: pearson(&predictions, &outcomes),
        rank_ic_ts: spearman(&predictions, &outcomes),
        rows: predictions.len(),
    }
}

/// Pearson correlation of prediction and outcome over one symbol's test rows. Rows with a missing side are left out;
/// `None` as for [`pearson`].
///
/// # Panics
/// If the slices differ in length.
#[must_use]
pub fn ic_ts(predictions: &[f64], outcomes: &[f64]) -> Option<f64> {
    let (predictions, outcomes) = complete_pairs(predictions, outcomes);
    pearson(&predictions, &outcomes)
}

/// Spearman correlation of prediction and outcome over one symbol's test rows. Rows with a missing side are left out;
/// `None` as for [`spearman`].
///
/// # Panics
/// If the slices differ in length.
#[must_use]
pub fn rank_ic_ts(predictions: &[f64], outcomes: &[f64]) -> Option<f64> {
    let (predictions, outcomes) = complete_pairs(predictions, outcomes);
    spearman(&predictions, &outcomes)
}

/// The correlation across symbols at one timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossSectionPoint {
    /// Decision time, milliseconds UTC.
    pub time_ms: i64,
    /// Symbols with both a prediction and an outcome at this time, at least [`MIN_CROSS_SECTION`].
    pub symbols: usize,
    /// Pearson correlation across those symbols.
    pub ic: f64,
    /// Spearman correlation across those symbols.
    pub rank_ic: f64,
}

/// The cross-sectional information coefficients of several symbols' test rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossSection {
    /// Mean over timestamps of the Pearson correlation across symbols. `None` without a timestamp to average.
    pub ic_cs: Option<f64>,
    /// The same of the Spearman correlation.
    pub rank_ic_cs: Option<f64>,
    /// Mean / sample standard deviation of the series behind `ic_cs`; per timestamp, not annualised. `None` below two
    /// timestamps or where the series is constant.
    pub icir: Option<f64>,
    /// The same of the Spearman correlation.
    pub rank_icir: Option<f64>,
    /// Timestamps averaged over; the length of `series`.
    pub timestamps: usize,
    /// Timestamps left out because fewer than [`MIN_CROSS_SECTION`] symbols had a complete row.
    pub too_few_symbols: usize,
    /// Timestamps left out because every prediction, or every outcome, was the same.
    pub undefined: usize,
    /// The correlation at each timestamp averaged over, in time order.
    pub series: Vec<CrossSectionPoint>,
}

/// Correlates predictions and outcomes across symbols at each timestamp, then averages over timestamps.
///
/// The three slices describe the same rows, of all symbols together and in any order: row i is one symbol's prediction and
/// outcome at `times_ms[i]`. A symbol may have at most one row a timestamp, which the caller ensures. Rows whose prediction
/// or outcome is missing (NaN or infinite) are left out before symbols are counted.
///
/// # Panics
/// If the slices differ in length.
#[must_use]
pub fn cross_sectional(times_ms: &[i64], predictions: &[f64], outcomes: &[f64]) -> CrossSection {
    assert_eq!(times_ms.len(), predictions.len(), "each prediction needs its time");
    assert_eq!(times_ms.len(), outcomes.len(), "each outcome needs its time");
    let mut order: Vec<usize> = (0..times_ms.len())
        .filter(|&row| predictions[row].is_finite() && outcomes[row].is_finite())
        .collect();
    // Stable, so that the sums, and with them the last bits, do not depend on the sorting algorithm.
    order.sort_by_key(|&row| times_ms[row]);

    let mut series = Vec::new();
    let (mut too_few_symbols, mut undefined) = (0, 0);
    for rows in order.chunk_by(|&a, &b| times_ms[a] == times_ms[b]) {
        if rows.len() < MIN_CROSS_SECTION {
            too_few_symbols += 1;
            continue;
        }
        let predictions: Vec<f64> = rows.iter().map(|&row| predictions[row]).collect();
        let outcomes: Vec<f64> = rows.iter().map(|&row| outcomes[row]).collect();
        match (pearson(&predictions, &outcomes), spearman(&predictions, &outcomes)) {
            (Some(ic), Some(rank_ic)) => {
                series.push(CrossSectionPoint {
                    time_ms: times_ms[rows[0]],
                    symbols: rows.len(),
                    ic,
                    rank_ic,
                });
            }
            _ => undefined += 1,
        }
    }

    let (ic_cs, icir) = mean_and_ratio(series.iter().map(|point| point.ic));
    let (rank_ic_cs, rank_icir) = mean_and_ratio(series.iter().map(|point| point.rank_ic));
    CrossSection {
        ic_cs,
        rank_ic_cs,
        icir,
        rank_icir,
        timestamps: series.len(),
        too_few_symbols,
        undefined,
        series,
    }
}

/// Mean, and mean / sample standard deviation.
fn mean_and_ratio(values: impl Iterator<Item = f64>) -> (Option<f64>, Option<f64>) {
    let values: Vec<f64> = values.collect();
    let summary = mean_and_t(&values);
    let ratio = match (summary.mean, summary.std) {
        (Some(mean), Some(std)) if std > 0.0 => finite(mean / std),
        _ => None,
    };
    (summary.mean, ratio)
}

/// The rows that have both sides.
fn complete_pairs(predictions: &[f64], outcomes: &[f64]) -> (Vec<f64>, Vec<f64>) {
    assert_eq!(predictions.len(), outcomes.len(), "each prediction needs its outcome");
    predictions
        .iter()
        .zip(outcomes)
        .filter(|(prediction, outcome)| prediction.is_finite() && outcome.is_finite())
        .map(|(&prediction, &outcome)| (prediction, outcome))
        .unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `symbols` rows at `time_ms` whose outcome rises with the prediction, or falls for `slope` -1.
    fn rows(time_ms: i64, symbols: u32, slope: f64) -> Vec<(i64, f64, f64)> {
        (0..symbols).map(|symbol| (time_ms, f64::from(symbol), slope * f64::from(symbol))).collect()
    }

    fn evaluate(rows: &[(i64, f64, f64)]) -> CrossSection {
        let times: Vec<i64> = rows.iter().map(|row| row.0).collect();
        let predictions: Vec<f64> = rows.iter().map(|row| row.1).collect();
        let outcomes: Vec<f64> = rows.iter().map(|row| row.2).collect();
        cross_sectional(&times, &predictions, &outcomes)
    }

    #[test]
    fn nine_symbols_are_too_few_and_ten_are_enough() {
        let nine = evaluate(&rows(0, 9, 1.0));
        assert_eq!(
            (nine.ic_cs, nine.rank_ic_cs, nine.timestamps, nine.too_few_symbols),
            (None, None, 0, 1)
        );
        let ten = evaluate(&rows(0, 10, 1.0));
        assert_eq!((ten.rank_ic_cs, ten.timestamps), (Some(1.0), 1));
        assert_eq!(ten.icir, None, "one timestamp has no deviation");
    }

    #[test]
    fn a_missing_prediction_does_not_count_as_a_symbol() {
        let mut all = rows(0, 10, 1.0);
        all[3].1 = f64::NAN;
        assert_eq!(evaluate(&all).too_few_symbols, 1);
    }

    #[test]
    fn row_order_does_not_matter_and_the_series_is_in_time_order() {
        let mut all = rows(5, 12, -1.0);
        all.extend(rows(-5, 11, 1.0));
        let found = evaluate(&all);
        assert_eq!(
            found.series.iter().map(|point| (point.time_ms, point.symbols)).collect::<Vec<_>>(),
            [(-5, 11), (5, 12)]
        );
        assert!(found.ic_cs.unwrap().abs() < 1e-12);
        all.reverse();
        let reversed = evaluate(&all);
        assert_eq!(reversed.rank_ic_cs, found.rank_ic_cs);
    }

    #[test]
    fn a_timestamp_with_equal_predictions_is_undefined_and_left_out() {
        let mut all: Vec<_> =
            rows(0, 10, 1.0).into_iter().map(|(time, _, outcome)| (time, 0.3, outcome)).collect();
        all.extend(rows(1, 10, 1.0));
        let found = evaluate(&all);
        assert_eq!((found.undefined, found.timestamps, found.rank_ic_cs), (1, 1, Some(1.0)));
    }

    #[test]
    fn incomplete_rows_are_left_out_of_the_time_series_form() {
        let predictions = [1.0, f64::NAN, 2.0, 3.0, 4.0];
        let outcomes = [1.0, 5.0, 2.0, 3.0, f64::INFINITY];
        let found = information_coefficient(&predictions, &outcomes);
        assert_eq!(found.rows, 3);
        assert_eq!(found.ic_ts, ic_ts(&predictions, &outcomes));
        assert_eq!(found.rank_ic_ts, Some(1.0));
        assert_eq!(rank_ic_ts(&predictions, &outcomes), Some(1.0));
    }
}
