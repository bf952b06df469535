use crate::spec::DeadZone;

/// The absolute return up to which a row is not learnt from; `None` where every row is. A quantile is that of the absolute outcomes of the train
/// rows given, between two of them in proportion (NumPy's default); `None` where there are none.
#[must_use]
pub fn dead_zone_threshold(
    zone: DeadZone,
    train_outcomes: impl Iterator<Item = f64>,
) -> Option<f64> {
    match zone {
        DeadZone::None => None,
        DeadZone::Bps(bps) => Some(bps / 1e4),
        DeadZone::TrainQuantile(share) => quantile(train_outcomes.map(f64::abs).collect(), share),
    }
}

/// Whether a row with this outcome is learnt from.
#[must_use]
pub fn is_learnable(outcome: f64, threshold: Option<f64>) -> bool {
    threshold.is_none_or(|threshold| outcome.abs() > threshold)
}

/// The class of a row of three in a fold: 1 where its outcome is inside the fold's dead zone, else what the label says. NaN stays NaN.
#[must_use]
pub fn class_in_fold(value: f32, outcome: f64, threshold: Option<f64>) -> f32 {
    if value.is_nan() || is_learnable(outcome, threshold) { value } else { 1.0 }
}

fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    let place = share * values.len().checked_sub(1)? as f64;
    let (_, below, rest) = values.select_nth_unstable_by(place as usize, f64::total_cmp);
    let below = *below;
    let above = rest.iter().copied().min_by(f64::total_cmp).unwrap_or(below);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantile_lies_between_two_values_in_proportion() {
        for (values, share, expected) in [
            (&[0.3, -0.1, 0.2, 0.4, 0.0][..], 0.5, Some(0.2)),
            (&[0.3, -0.1, 0.2, 0.4], 0.5, Some(0.25)),
            (&[0.3, -0.1], 0.9, Some(0.28)),
            (&[0.3], 0.2, Some(0.3)),
            (&[], 0.2, None),
        ] {
            let found = dead_zone_threshold(DeadZone::TrainQuantile(share), values.iter().copied());
            let same = match (found, expected) {
                (Some(found), Some(expected)) => f64::abs(found - expected) < 1e-15,
                (found, expected) => found == expected,
            };
            assert!(same, "{values:?} {share}: {found:?}");
        }
    }

    #[test]
    fn what_lies_inside_is_not_learnt_from() {
        let bps = dead_zone_threshold(DeadZone::Bps(10.0), std::iter::empty());
        assert_eq!(bps, Some(0.001));
        assert!(!is_learnable(0.001, bps) && !is_learnable(-0.0005, bps));
        assert!(is_learnable(-0.0011, bps) && is_learnable(0.002, bps));
        assert_eq!(dead_zone_threshold(DeadZone::None, std::iter::empty()), None);
        assert!(is_learnable(0.0, None));
    }

    #[test]
    fn what_lies_inside_may_be_a_class_of_its_own() {
        let zone = Some(0.001);
        for (value, outcome, class) in
            [(2.0, 0.002, 2.0), (2.0, 0.001, 1.0), (0.0, -0.0005, 1.0), (0.0, -0.002, 0.0)]
        {
            assert_eq!(class_in_fold(value, outcome, zone), class, "{outcome}");
            assert_eq!(class_in_fold(value, outcome, None), value, "{outcome}");
        }
        assert!(class_in_fold(f32::NAN, f64::NAN, zone).is_nan());
    }
}
