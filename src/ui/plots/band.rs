use super::scale::XScale;
use crate::ui::state::Curve;

/// Fewer curves than this make no band.
const LEAST: usize = 5;
/// Of more a sample is taken.
const MOST: usize = 120;
/// Places along the axis at which it is known.
const COLUMNS: usize = 64;

/// Where the middle 80 % of many curves lie.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::ui) struct Band {
    /// Place, tenth percentile, ninetieth.
    pub(in crate::ui) rows: Vec<(f64, f64, f64)>,
    /// Curves behind it.
    pub(in crate::ui) count: usize,
}

/// Of some tasks' curves on an axis; none where there are too few. It ends where fewer than five are left: the few that go on longest would
/// make it jump.
pub(in crate::ui) fn band<'a>(curves: &[(&'a Curve, XScale<'a>)]) -> Option<Band> {
    let curves: Vec<&(&Curve, XScale<'_>)> =
        curves.iter().filter(|(curve, _)| !curve.points().is_empty()).collect();
    if curves.len() < LEAST {
        return None;
    }
    let curves: Vec<_> = curves.iter().step_by(curves.len().div_ceil(MOST)).collect();
    let ends = |(curve, scale): &(&Curve, XScale<'_>)| {
        let points = curve.points();
        (scale.place(points[0].x), scale.place(points[points.len() - 1].x))
    };
    let mut lasts: Vec<f64> = curves.iter().map(|curve| ends(curve).1).collect();
    lasts.sort_unstable_by(f64::total_cmp);
    let from = curves.iter().map(|curve| ends(curve).0).fold(f64::MAX, f64::min);
    let until = *lasts.get(lasts.len().checked_sub(LEAST)?)?;
    if until <= from {
        return None;
    }
    let whole = curves.iter().all(|(_, scale)| matches!(scale, XScale::Epoch));
    // Between two epochs there is nothing to know.
    let columns = if whole { COLUMNS.min((until - from) as usize + 1) } else { COLUMNS };
    let mut rows = Vec::with_capacity(columns);
    let mut values = Vec::with_capacity(curves.len());
    for column in 0..columns {
        let place = from + (until - from) * column as f64 / (columns - 1).max(1) as f64;
        let place = if whole { place.round() } else { place };
        values.clear();
        values.extend(curves.iter().filter_map(|(curve, scale)| {
            let epoch = scale.epoch(place);
            let has_ended = epoch > curve.points().last()?.x;
            if has_ended { None } else { curve.at(epoch) }
        }));
        if values.len() < LEAST {
            continue;
        }
        values.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        rows.push((place, at(0.1), at(0.9)));
    }
    (rows.len() > 1).then_some(Band { rows, count: curves.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Curves that end one after another, each at a height of its own.
    fn curves(count: u32, epochs: u32) -> Vec<Curve> {
        let curve = |index: u32| {
            let mut curve = Curve::default();
            for epoch in 1..=epochs.saturating_sub(index % 3) {
                curve.push(f64::from(epoch), f64::from(index) + 1.0 / f64::from(epoch));
            }
            curve
        };
        (0..count).map(curve).collect()
    }

    #[test]
    fn the_middle_of_many_curves_is_that_of_their_values_at_each_epoch() {
        let curves = curves(21, 40);
        let lines: Vec<_> = curves.iter().map(|curve| (curve, XScale::Epoch)).collect();
        let band = band(&lines).unwrap();
        assert_eq!((band.count, band.rows.len()), (21, 40));
        for (place, low, high) in &band.rows {
            // Two of twenty-one lie below the tenth percentile.
            let mut all: Vec<f64> = curves
                .iter()
                .filter(|curve| curve.points().last().unwrap().x >= *place)
                .map(|curve| curve.at(*place).unwrap())
                .collect();
            all.sort_by(f64::total_cmp);
            let at = |share: f64| all[((all.len() - 1) as f64 * share).round() as usize];
            assert_eq!((*low, *high), (at(0.1), at(0.9)), "{place}");
        }
    }

    #[test]
    fn few_curves_make_no_band_and_a_long_one_has_few_places() {
        let few = curves(4, 10);
        let lines: Vec<_> = few.iter().map(|curve| (curve, XScale::Epoch)).collect();
        assert_eq!(band(&lines), None);
        let long = curves(6, 5000);
        let lines: Vec<_> = long.iter().map(|curve| (curve, XScale::Steps(7.0))).collect();
        let band = band(&lines).unwrap();
        assert_eq!(band.rows.len(), COLUMNS);
        assert_eq!(band.rows[0].0, 7.0);
        assert!(band.rows.is_sorted_by(|a, b| a.0 < b.0));
    }
}
