use egui_plot::PlotPoint;

/// Most points the finest level keeps. 5,000 epochs stay whole; of a line that is longer the finest level is dropped, so that memory does not
/// grow with the length of training.
const CAPACITY: usize = 8192;
/// The same of a line that is rarely looked at closely.
const COARSE_CAPACITY: usize = 1024;
/// A level with no more points needs no coarser one above it: no line is drawn with fewer.
pub(crate) const COARSEST: usize = 24;

/// A growing line as a min/max pyramid: each level stands for the whole line with about half the points of the one below, made of the lowest
/// and the highest of each group of values, so that no spike is lost however coarsely it is drawn. Adding a point costs one step per level;
/// what is drawn is borrowed.
#[derive(Debug, Clone)]
pub(crate) struct Curve {
    /// The finest first. Never empty.
    levels: Vec<Level>,
    capacity: usize,
    /// Values that were pushed and are finite, also those that were cut again.
    pushed: u64,
    /// How often its end was cut off.
    cuts: u32,
}

#[derive(Debug, Clone)]
struct Level {
    /// Left to right: one point for each value, or up to two for each group of values.
    points: Vec<PlotPoint>,
    /// Values behind each group; 1 where every value has its own point.
    group: u64,
    /// Values in the last group, so far.
    filled: u64,
    /// Where the last group begins.
    last: usize,
}

impl Level {
    const fn new(group: u64) -> Self {
        Self { points: Vec::new(), group, filled: group, last: 0 }
    }

    /// Takes a value to the right, which stands for `values` of the line.
    fn push(&mut self, point: PlotPoint, values: u64) {
        if self.filled + values > self.group {
            (self.filled, self.last) = (0, self.points.len());
        }
        self.filled += values;
        self.points.push(point);
        if self.points.len() - self.last > 2 {
            let extremes = extremes(&self.points[self.last..]);
            self.points.truncate(self.last);
            self.points.extend(extremes);
        }
    }

    /// The next coarser level of what it holds.
    fn coarser(&self) -> Self {
        let mut coarser = Self::new(if self.group == 1 { 4 } else { self.group * 2 });
        // Of whole groups, so that both levels begin their groups together; a group has up to two points.
        let points = if self.group == 1 { 1 } else { 2 };
        let values = self.group;
        for group in self.points.chunks(points) {
            for (position, point) in group.iter().enumerate() {
                coarser.push(*point, if position == 0 { values } else { 0 });
            }
        }
        // The last group may not be full yet.
        coarser.filled -= self.group - self.filled;
        coarser
    }
}

impl Default for Curve {
    fn default() -> Self {
        Self { levels: vec![Level::new(1)], capacity: CAPACITY, pushed: 0, cuts: 0 }
    }
}

impl Curve {
    /// An empty line that merges neighbours early.
    pub(crate) fn coarse() -> Self {
        Self { capacity: COARSE_CAPACITY, ..Self::default() }
    }

    /// Adds a point to the right; one that is not finite cannot be drawn and is left out.
    pub(crate) fn push(&mut self, x: f64, y: f64) {
        if !(x.is_finite() && y.is_finite()) {
            return;
        }
        self.pushed += 1;
        for level in &mut self.levels {
            level.push(PlotPoint::new(x, y), 1);
        }
        if self.coarsest().points.len() > COARSEST {
            self.levels.push(self.coarsest().coarser());
        }
        if self.levels[0].points.len() >= self.capacity {
            self.levels.remove(0);
        }
    }

    fn coarsest(&self) -> &Level {
        self.levels.last().expect("there is always one level")
    }

    /// Drops what lies at `x` and right of it: it is learnt once more.
    pub(crate) fn cut(&mut self, x: f64) {
        let finest = &mut self.levels[0];
        let kept = finest.points.partition_point(|point| point.x < x);
        if kept == finest.points.len() {
            return;
        }
        finest.points.truncate(kept);
        let group = if finest.group == 1 { 1 } else { 2 };
        if let Some(last) = finest.points.last().copied().filter(|_| kept % group != 0) {
            // Half a group: once more, so that groups go on beginning at even places.
            finest.points.push(last);
        }
        // What is left of the group that was cut counts as full.
        (finest.filled, finest.last) = (finest.group, finest.points.len().saturating_sub(group));
        self.cuts += 1;
        self.levels.truncate(1);
        while self.coarsest().points.len() > COARSEST {
            self.levels.push(self.coarsest().coarser());
        }
    }

    /// Adds what a later line has from `from` on, each value raised: both become one other line.
    pub(super) fn take_over(&mut self, later: &Self, from: f64, raised: f64) {
        for point in later.points().iter().filter(|point| point.x >= from) {
            self.push(point.x, point.y + raised);
        }
        // Whoever followed the later one has to begin anew.
        self.cuts = later.cuts + 1;
    }

    /// The value that was in force at `x`: that of the last point up to there.
    pub(crate) fn at(&self, x: f64) -> Option<f64> {
        let points = self.points();
        // Epochs count up one by one, mostly: then there is nothing to search.
        let guess = (x - points.first()?.x) as usize;
        if let Some(point) = points.get(guess).filter(|point| point.x == x) {
            return Some(point.y);
        }
        let after = points.partition_point(|point| point.x <= x);
        Some(points.get(after.checked_sub(1)?)?.y)
    }

    /// The value at `x`, on a straight line between neighbours, and the nearest value beyond the ends.
    pub(crate) fn between(&self, x: f64) -> Option<f64> {
        let points = self.points();
        let after = points.partition_point(|point| point.x <= x);
        let Some(left) = after.checked_sub(1).map(|before| points[before]) else {
            return points.first().map(|first| first.y);
        };
        let Some(right) = points.get(after) else { return Some(left.y) };
        Some(left.y + (right.y - left.y) * (x - left.x) / (right.x - left.x))
    }

    /// The finest points there are, left to right.
    pub(crate) fn points(&self) -> &[PlotPoint] {
        &self.levels[0].points
    }

    /// The points to draw between two places: of the finest level that has at most `most` there, else of the coarsest. One more on either side,
    /// because the line goes on beyond the edge. Nothing where the places stand the other way round.
    pub(crate) fn view(&self, (from, until): (f64, f64), most: usize) -> &[PlotPoint] {
        let visible = |level: &Level| {
            // All of it, mostly: then there is nothing to search.
            let whole = level.points.first().zip(level.points.last());
            if whole.is_some_and(|(first, last)| from <= first.x && last.x <= until) {
                return 0..level.points.len();
            }
            let first = level.points.partition_point(|point| point.x < from).saturating_sub(1);
            let after = level.points.partition_point(|point| point.x <= until) + 1;
            first..after.min(level.points.len()).max(first)
        };
        let fits = |level: &&Level| visible(level).len() <= most;
        let level = self.levels.iter().find(fits).unwrap_or_else(|| self.coarsest());
        &level.points[visible(level)]
    }

    /// Lowest and highest value; unknown of an empty line.
    pub(crate) fn extent(&self) -> Option<(f64, f64)> {
        let all = &self.coarsest().points;
        let [low, high] = (!all.is_empty()).then(|| extremes(all))?;
        Some((low.y.min(high.y), low.y.max(high.y)))
    }

    /// Where a line that only rises reaches `y`.
    pub(crate) fn reaches(&self, y: f64) -> Option<f64> {
        let points = self.points();
        points.get(points.partition_point(|point| point.y < y)).map(|point| point.x)
    }

    /// Changes whenever the line does: how often its end was cut off, and how many values it was given.
    pub(crate) const fn revision(&self) -> (u32, u64) {
        (self.cuts, self.pushed)
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

    fn wave(i: u32) -> f64 {
        match i {
            23_456 => 9.0,
            77_777 => -9.0,
            _ => f64::from(i % 7),
        }
    }

    fn long(values: u32) -> Curve {
        let mut curve = Curve::default();
        for i in 0..values {
            curve.push(f64::from(i), wave(i));
        }
        curve
    }

    #[test]
    fn a_long_curve_stays_small_and_keeps_its_spikes_on_every_level() {
        let curve = long(100_000);
        assert!((CAPACITY / 4..CAPACITY).contains(&curve.points().len()));
        let all: usize = curve.levels.iter().map(|level| level.points.len()).sum();
        assert!(all < 3 * CAPACITY && curve.levels.len() > 4, "{all}");
        for level in &curve.levels {
            let points = &level.points;
            assert!(points.iter().any(|point| point.y == 9.0 && point.x == 23_456.0));
            assert!(points.iter().any(|point| point.y == -9.0 && point.x == 77_777.0));
            assert!(points.is_sorted_by(|a, b| a.x < b.x));
            assert!(points[points.len() - 1].x > 99_999.0 - 2.0 * level.group as f64);
        }
        assert_eq!(curve.extent(), Some((-9.0, 9.0)));
    }

    #[test]
    fn every_level_has_lowest_and_highest_of_each_group_wherever_it_was_made() {
        for values in [257, 1000, 5003, 8191, 9000, 40_001] {
            let curve = long(values);
            for level in curve.levels.iter().filter(|level| level.group > 1) {
                let mut expected = Vec::new();
                for first in (0..u64::from(values)).step_by(level.group as usize) {
                    let group = first..(first + level.group).min(values.into());
                    let group = group.map(|i| wave(i as u32));
                    let (low, high) = group
                        .fold((f64::MAX, f64::MIN), |(low, high), y| (y.min(low), y.max(high)));
                    expected.push((low, high));
                }
                let found: Vec<(f64, f64)> = level
                    .points
                    .chunks(2)
                    .map(|pair| {
                        (
                            pair[0].y.min(pair[pair.len() - 1].y),
                            pair[0].y.max(pair[pair.len() - 1].y),
                        )
                    })
                    .collect();
                assert_eq!(found, expected, "{values} values, groups of {}", level.group);
            }
        }
    }

    #[test]
    fn what_is_drawn_fits_the_room_reaches_the_edges_and_is_exact_where_there_is_room() {
        let curve = long(5000);
        let whole = curve.view((0.0, 4999.0), 700);
        assert!((300..=700).contains(&whole.len()), "{}", whole.len());
        assert!(whole[0].x < 4.0 * 8.0 && whole[whole.len() - 1].x > 4999.0 - 4.0 * 8.0);
        let close = curve.view((100.5, 120.5), 700);
        let found: Vec<f64> = close.iter().map(|point| point.x).collect();
        assert_eq!(found, (100..=121).map(f64::from).collect::<Vec<_>>());
        assert!(Curve::default().view((0.0, 1.0), 700).is_empty());
        assert!(!curve.view((0.0, 4999.0), 1).is_empty(), "the coarsest there is");
        assert!(curve.view((4000.0, 100.0), 700).is_empty(), "what ends before the view");
        for length in [1, 25, 26, 300, 5000, 100_000] {
            let curve = long(length);
            for most in [COARSEST, 100, 700] {
                let drawn = curve.view((f64::MIN, f64::MAX), most).len();
                assert!(drawn <= most, "{drawn} points of {length}, {most} at most");
            }
        }
    }

    #[test]
    fn what_is_learnt_once_more_takes_the_place_of_what_was() {
        let mut curve = Curve::default();
        for x in [1.0, 2.0, 3.0] {
            curve.push(x, 1.0);
        }
        let before = curve.revision();
        curve.cut(2.0);
        curve.push(2.0, 5.0);
        let found: Vec<_> = curve.points().iter().map(|point| (point.x, point.y)).collect();
        assert_eq!(found, [(1.0, 1.0), (2.0, 5.0)]);
        assert_ne!(curve.revision(), before);

        // Also where neighbours have been merged, on whatever side of a group the cut lies.
        for at in [50_000.0, 50_001.0, 50_003.0, 50_006.0] {
            let mut curve = long(100_000);
            curve.cut(at);
            assert!(curve.points().iter().all(|point| point.x < at));
            for i in 0..50_000 {
                curve.push(at + f64::from(i), 100.0 + wave(i));
            }
            for level in &curve.levels {
                let (before, after): (Vec<PlotPoint>, Vec<PlotPoint>) =
                    level.points.iter().copied().partition(|point| point.y < 50.0);
                assert!(
                    before.iter().all(|point| point.x < at)
                        && after.iter().all(|point| point.x >= at)
                );
                assert!(level.points.is_sorted_by(|a, b| a.x <= b.x));
            }
            assert_eq!(curve.extent().unwrap().1, 109.0);
        }
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

    #[test]
    fn a_rising_line_says_where_it_reaches_a_value() {
        let mut curve = Curve::coarse();
        for (epoch, seconds) in [(1.0, 2.0), (2.0, 4.5), (3.0, 9.0)] {
            curve.push(epoch, seconds);
        }
        assert_eq!(
            [1.0, 4.5, 5.0, 9.1].map(|y| curve.reaches(y)),
            [Some(1.0), Some(2.0), Some(3.0), None]
        );
    }
}
