use crate::ui::state::Curve;

/// The exponentially weighted mean of a curve, with the bias of its beginning taken out (as `TensorBoard` smooths): it grows with the curve.
#[derive(Debug, Clone, Default)]
pub(in crate::ui) struct Smoothed {
    pub(in crate::ui) curve: Curve,
    /// Weight of what was, 0 to 1.
    weight: f64,
    /// The curve's revision when it was last looked at.
    revision: (u32, u64),
    /// The last place taken over.
    until: Option<f64>,
    mean: f64,
    /// What the weights of all values so far sum up to.
    norm: f64,
}

impl Smoothed {
    pub(in crate::ui) fn new(weight: f64) -> Self {
        Self { weight, ..Self::default() }
    }

    /// Takes what has come since.
    pub(in crate::ui) fn follow(&mut self, raw: &Curve) {
        let (cuts, pushed) = raw.revision();
        // Cut, or another one in its place.
        if cuts != self.revision.0 || pushed < self.revision.1 {
            *self = Self::new(self.weight);
        }
        self.revision = (cuts, pushed);
        let points = raw.points();
        let after = self.until.map_or(0, |until| points.partition_point(|point| point.x <= until));
        for point in &points[after..] {
            self.mean = self.weight * self.mean + (1.0 - self.weight) * point.y;
            self.norm = self.weight * self.norm + (1.0 - self.weight);
            self.curve.push(point.x, self.mean / self.norm);
            self.until = Some(point.x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_weighted_mean_of_what_was_whether_it_grew_or_came_at_once() {
        let values = [4.0, 2.0, 3.0, 1.0];
        let (mut grown, mut at_once) = (Smoothed::new(0.6), Smoothed::new(0.6));
        let mut raw = Curve::default();
        for (position, value) in values.into_iter().enumerate() {
            raw.push(position as f64 + 1.0, value);
            grown.follow(&raw);
        }
        at_once.follow(&raw);
        let found = |smoothed: &Smoothed| -> Vec<f64> {
            smoothed.curve.points().iter().map(|point| point.y).collect()
        };
        assert_eq!(found(&grown), found(&at_once));
        for (last, smooth) in found(&grown).into_iter().enumerate() {
            let weights = (0..=last).map(|i| 0.6_f64.powi((last - i) as i32));
            let sum: f64 = weights.clone().zip(values).map(|(weight, value)| weight * value).sum();
            let expected = sum / weights.sum::<f64>();
            assert!((smooth - expected).abs() < 1e-12, "{smooth} {expected}");
        }
    }

    #[test]
    fn what_is_learnt_once_more_is_smoothed_once_more() {
        let mut raw = Curve::default();
        for epoch in 1..=5 {
            raw.push(f64::from(epoch), 1.0);
        }
        let mut smoothed = Smoothed::new(0.5);
        smoothed.follow(&raw);
        raw.cut(3.0);
        raw.push(3.0, 9.0);
        smoothed.follow(&raw);
        let mut anew = Smoothed::new(0.5);
        anew.follow(&raw);
        assert_eq!(smoothed.curve.points(), anew.curve.points());
        assert_eq!(smoothed.curve.points().len(), 3);

        // Another attempt has a curve of its own.
        let mut other = Curve::default();
        other.push(1.0, 9.0);
        other.cut(1.0);
        other.push(1.0, 4.0);
        smoothed.follow(&other);
        assert_eq!(smoothed.curve.points().len(), 1);
        assert_eq!(smoothed.curve.points()[0].y, 4.0);
    }
}
