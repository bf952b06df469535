//! Pearson and Spearman correlation of paired values.

use super::finite;
use super::summary::{is_constant, mean};
use crate::domain::mean_ranks;

/// The fewest pairs a correlation is computed from; two pairs always correlate perfectly.
pub const MIN_PAIRS: usize = 3;

/// Pearson's correlation coefficient, in `[-1, 1]`.
///
/// Deviations from the mean are taken first and products summed after (two passes), with the deviations scaled to one, so
/// neither large offsets nor tiny or huge units lose it.
///
/// `None` below [`MIN_PAIRS`] pairs, where either side is constant but for rounding, and where a value is NaN or infinite.
///
/// # Panics
/// If the slices differ in length.
#[must_use]
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_eq!(x.len(), y.len(), "a correlation needs as many x as y");
    if x.len() < MIN_PAIRS {
        return None;
    }
    if is_noise(x) || is_noise(y) {
        return None;
    }
    let x_deviations = scaled_deviations(x)?;
    let y_deviations = scaled_deviations(y)?;
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x_deviations.iter().zip(&y_deviations) {
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    // Each sum lies between 1 and the number of pairs, so their product cannot overflow.
    finite(xy / (xx * yy).sqrt()).map(|correlation| correlation.clamp(-1.0, 1.0))
}

/// Spearman's rank correlation, in `[-1, 1]`: [`pearson`] of the ranks, where ties share the average of their ranks.
///
/// `None` as for [`pearson`]; an infinite value is refused too, although it could be ranked, because it is never a valid
/// prediction or return.
///
/// # Panics
/// If the slices differ in length.
#[must_use]
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_eq!(x.len(), y.len(), "a correlation needs as many x as y");
    if x.len() < MIN_PAIRS || !x.iter().chain(y).all(|value| value.is_finite()) {
        return None;
    }
    if is_noise(x) || is_noise(y) {
        return None;
    }
    pearson(&mean_ranks(x), &mean_ranks(y))
}

/// Whether values differ by no more than rounding does: such a side has no information to correlate.
fn is_noise(values: &[f64]) -> bool {
    /// Above what one-bar returns of a constant drift show, below any difference an f32 can hold.
    const RELATIVE: f64 = 1e-9;
    let (smallest, largest) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
    largest - smallest <= RELATIVE * smallest.abs().max(largest.abs())
}

/// Deviations from the mean, divided by the largest of them. `None` where they are all zero or not finite.
fn scaled_deviations(values: &[f64]) -> Option<Vec<f64>> {
    if is_constant(values) {
        return None;
    }
    let mean = mean(values)?;
    let mut deviations: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let largest =
        deviations.iter().fold(0.0_f64, |largest, deviation| largest.max(deviation.abs()));
    if !largest.is_finite() || largest <= 0.0 {
        return None;
    }
    for deviation in &mut deviations {
        *deviation /= largest;
    }
    Some(deviations)
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn degenerate_inputs_give_none() {
        let table: [(&str, &[f64], &[f64]); 6] = [
            ("empty", &[], &[]),
            ("two pairs", &[1.0, 2.0], &[3.0, 5.0]),
            ("constant x whose mean rounds", &[0.1, 0.1, 0.1], &[1.0, 2.0, 3.0]),
            ("constant y", &[1.0, 2.0, 3.0], &[0.0, 0.0, 0.0]),
            ("NaN", &[1.0, f64::NAN, 3.0], &[1.0, 2.0, 3.0]),
            ("infinite", &[1.0, 2.0, 3.0], &[1.0, f64::INFINITY, 3.0]),
        ];
        for (name, x, y) in table {
            assert_eq!(pearson(x, y), None, "pearson, {name}");
            assert_eq!(spearman(x, y), None, "spearman, {name}");
        }
    }

    #[test]
    fn extreme_units_do_not_lose_the_correlation() {
        let x = [1.0, 2.0, 4.0, 3.0];
        let y = [2.0, 1.0, 5.0, 4.0];
        let expected = pearson(&x, &y).unwrap();
        for unit in [1e-200, 1e200] {
            let scaled = x.map(|value| value * unit);
            assert_relative_eq!(pearson(&scaled, &y).unwrap(), expected, epsilon = 1e-12);
        }
        let offset = x.map(|value| value + 1e9);
        assert_relative_eq!(pearson(&offset, &y).unwrap(), expected, epsilon = 1e-12);
    }

    fn pairs() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
        // Values on a coarse grid, so that ties are common and an affine map keeps them apart.
        prop::collection::vec((-1000_i32..1000, -20_i32..20), 3..80).prop_map(|pairs| {
            pairs.into_iter().map(|(x, y)| (f64::from(x) / 8.0, f64::from(y) / 4.0)).unzip()
        })
    }

    proptest! {
        #[test]
        fn correlations_are_bounded_and_symmetric((x, y) in pairs()) {
            for correlate in [pearson, spearman] {
                let forward = correlate(&x, &y);
                prop_assert_eq!(forward, correlate(&y, &x));
                if let Some(value) = forward {
                    prop_assert!((-1.0..=1.0).contains(&value));
                }
            }
        }

        #[test]
        fn an_affine_map_keeps_pearson_and_a_negative_one_flips_it((x, y) in pairs(), scale in 0.01_f64..100.0, shift in -100.0_f64..100.0) {
            if let Some(expected) = pearson(&x, &y) {
                let up: Vec<f64> = x.iter().map(|value| value * scale + shift).collect();
                let down: Vec<f64> = x.iter().map(|value| shift - value * scale).collect();
                prop_assert!((pearson(&up, &y).unwrap() - expected).abs() < 1e-9);
                prop_assert!((pearson(&down, &y).unwrap() + expected).abs() < 1e-9);
            }
        }

        #[test]
        fn spearman_is_pearson_of_ranks_and_ignores_monotone_maps((x, y) in pairs()) {
            let expected = spearman(&x, &y);
            prop_assert_eq!(expected, pearson(&mean_ranks(&x), &mean_ranks(&y)));
            let cubed: Vec<f64> = x.iter().map(|value| value.powi(3)).collect();
            prop_assert_eq!(spearman(&cubed, &y), expected);
        }

        #[test]
        fn anything_correlates_perfectly_with_itself((x, _) in pairs()) {
            if let Some(value) = pearson(&x, &x) {
                prop_assert!((value - 1.0).abs() < 1e-12);
            }
        }
    }
}
