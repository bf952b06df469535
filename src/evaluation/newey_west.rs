//! A t statistic that does not take neighbouring values for independent (Newey & West 1987).

use super::summary::{is_constant, mean};
use super::{count_as_f64, finite};

/// Student's t of the mean against zero, with a variance that allows for correlation between values up to `lags` apart: Bartlett weights
/// `1 - l / (lags + 1)`, divided by n, without a small-sample correction, as `statsmodels` does with `cov_type="HAC"`.
///
/// Labels that overlap make neighbours alike: use at least as many lags as a label has bars, see [`newey_west_lags`]. The cost is
/// `values × lags`.
///
/// `None` below two values, where all are equal, where one is missing, and where the estimate of the variance is not above 0.
#[must_use]
pub fn newey_west_t(values: &[f64], lags: usize) -> Option<f64> {
    if values.len() < 2 || is_constant(values) {
        return None;
    }
    let mean = mean(values)?;
    let count = count_as_f64(values.len());
    let deviations: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let covariance = |lag: usize| {
        let pairs = deviations.iter().zip(&deviations[lag..]);
        pairs.map(|(a, b)| a * b).sum::<f64>() / count
    };
    let lags = lags.min(values.len() - 1);
    let weighted = (1..=lags)
        .map(|lag| (1.0 - count_as_f64(lag) / count_as_f64(lags + 1)) * covariance(lag))
        .sum::<f64>();
    let variance_of_mean = (covariance(0) + 2.0 * weighted) / count;
    (variance_of_mean > 0.0).then(|| mean / variance_of_mean.sqrt()).and_then(finite)
}

/// Lags for [`newey_west_t`]: the usual `⌊4 (n / 100)^(2/9)⌋` (Newey & West 1994), or the bars a label spans where that is more.
#[must_use]
pub fn newey_west_lags(values: usize, label_bars: usize) -> usize {
    let usual = 4.0 * (count_as_f64(values) / 100.0).powf(2.0 / 9.0);
    label_bars.max(usual as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::mean_and_t;

    #[test]
    fn without_lags_it_is_students_t_with_n_in_place_of_n_minus_1() {
        let values = [1.0, 4.0, 2.0, 5.0];
        let student = mean_and_t(&values).t.unwrap();
        let found = newey_west_t(&values, 0).unwrap();
        assert!((found - student * (4.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn neighbours_that_are_alike_count_for_less() {
        let doubled: Vec<f64> =
            (0..400).flat_map(|i| [(f64::from(i) * 12.9898).sin() + 0.2; 2]).collect();
        let naive = newey_west_t(&doubled, 0).unwrap();
        let honest = newey_west_t(&doubled, 4).unwrap();
        assert!(honest < 0.85 * naive, "{honest}, {naive}");
    }

    #[test]
    fn degenerate_values_have_no_t() {
        assert_eq!(newey_west_t(&[], 3), None);
        assert_eq!(newey_west_t(&[1.0], 3), None);
        assert_eq!(newey_west_t(&[0.1; 7], 3), None);
        assert_eq!(newey_west_t(&[1.0, f64::NAN, 2.0], 1), None);
    }

    #[test]
    fn lags_grow_slowly_and_never_fall_below_the_labels_bars() {
        for (values, bars, lags) in [(100, 1, 4), (4000, 4, 9), (4000, 24, 24), (1, 0, 1)] {
            assert_eq!(newey_west_lags(values, bars), lags, "{values}, {bars}");
        }
    }
}
