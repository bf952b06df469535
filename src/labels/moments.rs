/// Count, mean and sum of squared deviations of some numbers; two of them make those of both (Chan, Golub & `LeVeque` 1983), without the
/// cancellation of sums of squares.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    pub(super) fn of(value: f64) -> Self {
        Self { count: 1.0, mean: value, squares: 0.0 }
    }

    pub(super) fn and(self, other: Self) -> Self {
        if self.count == 0.0 {
            return other;
        }
        if other.count == 0.0 {
            return self;
        }
        let count = self.count + other.count;
        let apart = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + apart * other.count / count,
            squares: self.squares
                + other.squares
                + apart * apart * self.count * other.count / count,
        }
    }

    /// With n - 1 in the denominator.
    pub(super) fn sample_deviation(self) -> f64 {
        (self.squares / (self.count - 1.0)).sqrt()
    }
}
