//! Mean, standard deviation and t statistic of a few numbers, such as one metric over seeds, folds or timestamps.

use serde::{Deserialize, Serialize};

use super::{count_as_f64, finite};

/// What [`mean_and_t`] found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanAndT {
    /// How many values went in.
    pub count: usize,
    /// Arithmetic mean, in the unit of the values. `None` without values, or if one is NaN or infinite.
    pub mean: Option<f64>,
    /// Sample standard deviation (divides by `count - 1`), in the unit of the values. `None` below two values.
    pub std: Option<f64>,
    /// `mean / (std / √count)`, Student's one-sample t against zero. It takes the values as independent, which those of
    /// overlapping labels are not. `None` below two values and where all values are equal.
    pub t: Option<f64>,
}

/// Mean, sample standard deviation and Student's t against zero (Student 1908).
#[must_use]
pub fn mean_and_t(values: &[f64]) -> MeanAndT {
    let mean = mean(values);
    let std = sample_std(values);
    let t = match (mean, std) {
        (Some(mean), Some(std)) if std > 0.0 => {
            finite(mean / (std / count_as_f64(values.len()).sqrt()))
        }
        _ => None,
    };
    MeanAndT { count: values.len(), mean, std, t }
}

/// Mean in two passes: the second adds back what rounding took from the first.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let count = count_as_f64(values.len());
    let rough = values.iter().sum::<f64>() / count;
    let correction = values.iter().map(|value| value - rough).sum::<f64>() / count;
    finite(rough + correction)
}

/// Standard deviation with `n - 1`, in two passes; exactly 0 where all values are equal, `None` below two values.
pub(super) fn sample_std(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    if values.len() < 2 {
        return None;
    }
    if is_constant(values) {
        return Some(0.0);
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    finite((squares / (count_as_f64(values.len()) - 1.0)).sqrt())
}

/// Whether no value differs from another. The mean of equal values can miss them by a rounding error, so a variance
/// computed from it is no test.
pub(super) fn is_constant(values: &[f64]) -> bool {
    let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    smallest >= largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_or_unusable_values_give_none() {
        let nothing = MeanAndT { count: 0, mean: None, std: None, t: None };
        assert_eq!(mean_and_t(&[]), nothing);
        assert_eq!(mean_and_t(&[2.0]), MeanAndT { count: 1, mean: Some(2.0), ..nothing });
        assert_eq!(mean_and_t(&[1.0, f64::NAN]), MeanAndT { count: 2, ..nothing });
        assert_eq!(mean_and_t(&[f64::INFINITY, 1.0]), MeanAndT { count: 2, ..nothing });
    }

    #[test]
    fn equal_values_have_no_t_even_when_their_mean_rounds() {
        let found = mean_and_t(&[0.1; 7]);
        assert_eq!(found.std, Some(0.0));
        assert_eq!(found.t, None);
    }

    #[test]
    fn a_large_offset_does_not_cancel_the_deviation() {
        let found = mean_and_t(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0]);
        assert_eq!(found.std, Some(1.0));
    }
}
