//! Lines with more points than there are pixels across.

use egui_plot::PlotPoint;

/// The last point up to `x`; there is none outside the curve.
pub(super) fn last_until(points: &[PlotPoint], x: f64) -> Option<PlotPoint> {
    let after = points.partition_point(|point| point.x <= x);
    let point = points.get(after.checked_sub(1)?)?;
    (points.last()?.x >= x).then_some(*point)
}

/// The points in view, of each group of neighbours only what `keep` takes, so that about as many groups are left as asked for. The first
/// and the last point in view are kept.
pub(super) fn thinned<const N: usize>(
    points: &[PlotPoint],
    (from, until): (f64, f64),
    groups: usize,
    keep: fn(&[PlotPoint]) -> [PlotPoint; N],
) -> Vec<PlotPoint> {
    // One more on either side: the line goes on beyond the edge.
    let first = points.partition_point(|point| point.x < from).saturating_sub(1);
    let after = (points.partition_point(|point| point.x <= until) + 1).min(points.len());
    let visible = points.get(first..after).unwrap_or_default();
    let group = visible.len().div_ceil(groups.max(1));
    if group <= N {
        return visible.to_vec();
    }
    let ends = (visible.first().copied(), visible.last().copied());
    let kept = visible.chunks(group).flat_map(keep);
    ends.0.into_iter().chain(kept).chain(ends.1).collect()
}

/// Lowest and highest of some points, in the order they stand.
pub(super) fn extremes(points: &[PlotPoint]) -> [PlotPoint; 2] {
    let mut low = points[0];
    let mut high = points[0];
    for point in points {
        if point.y < low.y {
            low = *point;
        }
        if point.y > high.y {
            high = *point;
        }
    }
    if low.x <= high.x { [low, high] } else { [high, low] }
}

/// The last of some points: a dashed line through extremes would be a blur.
pub(super) fn last(points: &[PlotPoint]) -> [PlotPoint; 1] {
    [points[points.len() - 1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zigzag(count: u32) -> Vec<PlotPoint> {
        let y = |i: u32| if i == count / 2 { 9.0 } else { f64::from(i % 3) };
        (0..count).map(|i| PlotPoint::new(f64::from(i), y(i))).collect()
    }

    #[test]
    fn a_long_curve_is_thinned_to_the_width_and_keeps_spikes_and_ends() {
        let points = zigzag(4000);
        let solid = thinned(&points, (0.0, 3999.0), 700, extremes);
        assert!(solid.len() <= 2 * 700 + 2, "{}", solid.len());
        assert!(solid.iter().any(|point| point.y == 9.0));
        let dashed = thinned(&points, (0.0, 3999.0), 350, last);
        assert!(dashed.len() <= 350 + 2, "{}", dashed.len());
        for line in [solid, dashed] {
            assert_eq!((line[0].x, line[line.len() - 1].x), (0.0, 3999.0));
            assert!(line.is_sorted_by(|a, b| a.x <= b.x));
        }
    }

    #[test]
    fn what_is_out_of_view_is_left_out_and_the_line_still_reaches_the_edge() {
        let points = zigzag(100);
        let line = thinned(&points, (20.5, 23.5), 700, extremes);
        let found: Vec<f64> = line.iter().map(|point| point.x).collect();
        assert_eq!(found, [20.0, 21.0, 22.0, 23.0, 24.0]);
        assert!(thinned(&[], (0.0, 1.0), 700, extremes).is_empty());
    }

    #[test]
    fn a_reading_is_the_last_value_known_then_and_none_outside_the_curve() {
        let points = [(1.0, 1.1), (2.0, 1.2), (5.0, 0.9)].map(|(x, y)| PlotPoint::new(x, y));
        for (x, value) in [(0.5, None), (1.0, Some(1.1)), (4.9, Some(1.2)), (5.0, Some(0.9))] {
            assert_eq!(last_until(&points, x).map(|point| point.y), value, "{x}");
        }
        assert_eq!(last_until(&points, 5.1), None);
        assert_eq!(last_until(&[], 1.0), None);
    }
}
