use egui_plot::PlotPoint;

/// Most points a curve keeps: more than there are pixels across.
const CAPACITY: usize = 4096;

/// A growing line that stays cheap to draw. Beyond its capacity neighbours are merged, keeping the lowest and the highest of each group, so
/// no spike is lost and the cost of drawing does not grow with the length of training.
#[derive(Debug, Clone)]
pub(crate) struct Curve {
    points: Vec<PlotPoint>,
    /// Values that stand behind each pair of points; 1 while nothing has been merged.
    group: usize,
    /// The group being filled.
    open: Vec<PlotPoint>,
}

impl Default for Curve {
    fn default() -> Self {
        Self { points: Vec::new(), group: 1, open: Vec::new() }
    }
}

impl Curve {
    /// Adds a point to the right; one that is not finite cannot be drawn and is left out.
    pub(crate) fn push(&mut self, x: f64, y: f64) {
        if !(x.is_finite() && y.is_finite()) {
            return;
        }
        let point = PlotPoint::new(x, y);
        if self.group == 1 {
            self.points.push(point);
        } else {
            self.open.push(point);
            if self.open.len() == self.group {
                let [low, high] = extremes(&self.open);
                self.points.extend([low, high]);
                self.open.clear();
            }
        }
        if self.points.len() >= CAPACITY {
            let merged: Vec<PlotPoint> = self.points.chunks(4).flat_map(extremes).collect();
            self.group = if self.group == 1 { 4 } else { self.group * 2 };
            self.points = merged;
        }
    }

    /// Drops what lies at `x` and right of it: it is learnt once more.
    pub(crate) fn cut(&mut self, x: f64) {
        self.points.retain(|point| point.x < x);
        self.open.retain(|point| point.x < x);
    }

    /// The value that was in force at `x`: that of the last point up to there.
    pub(crate) fn at(&self, x: f64) -> Option<f64> {
        let after = self.points.partition_point(|point| point.x <= x);
        Some(self.points.get(after.checked_sub(1)?)?.y)
    }

    /// The points to draw, left to right.
    pub(crate) fn points(&self) -> &[PlotPoint] {
        &self.points
    }
}

/// Lowest and highest of some points, in the order they stand.
fn extremes(points: &[PlotPoint]) -> [PlotPoint; 2] {
    let by = |a: &&PlotPoint, b: &&PlotPoint| a.y.total_cmp(&b.y);
    let low = *points.iter().min_by(by).expect("a group is never empty");
    let high = *points.iter().max_by(by).expect("a group is never empty");
    if low.x <= high.x { [low, high] } else { [high, low] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_stays_small_and_keeps_its_spikes() {
        let mut curve = Curve::default();
        for i in 0..1_000_000_u32 {
            let y = match i {
                123_456 => 9.0,
                777_777 => -9.0,
                _ => f64::from(i % 7),
            };
            curve.push(f64::from(i), y);
        }
        let points = curve.points();
        assert!((CAPACITY / 4..CAPACITY).contains(&points.len()), "{}", points.len());
        assert!(points.iter().any(|point| point.y == 9.0 && point.x == 123_456.0));
        assert!(points.iter().any(|point| point.y == -9.0 && point.x == 777_777.0));
        assert!(points.is_sorted_by(|a, b| a.x <= b.x));
        assert!(points.last().unwrap().x > 990_000.0);
    }

    #[test]
    fn what_is_learnt_once_more_takes_the_place_of_what_was() {
        let mut curve = Curve::default();
        for x in [1.0, 2.0, 3.0] {
            curve.push(x, 1.0);
        }
        curve.cut(2.0);
        curve.push(2.0, 5.0);
        let found: Vec<_> = curve.points().iter().map(|point| (point.x, point.y)).collect();
        assert_eq!(found, [(1.0, 1.0), (2.0, 5.0)]);
    }

    #[test]
    fn a_short_curve_is_kept_as_it_is() {
        let mut curve = Curve::default();
        for (x, y) in [(1.0, 2.0), (2.0, f64::NAN), (3.0, 1.0)] {
            curve.push(x, y);
        }
        let found: Vec<_> = curve.points().iter().map(|point| (point.x, point.y)).collect();
        assert_eq!(found, [(1.0, 2.0), (3.0, 1.0)]);
        assert_eq!(
            [0.5, 1.0, 2.9, 9.0].map(|x| curve.at(x)),
            [None, Some(2.0), Some(2.0), Some(1.0)]
        );
    }
}
