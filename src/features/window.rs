//! Windows of the last bars, each summed up from its own bars in constant time.
//!
//! The bars are cut into blocks as long as the window. A window is then the end of one block joined with the beginning of the next (van Herk
//! 1992), so every bar is joined about three times, however long the window is. No sum is carried beyond its block: nothing drifts, a burst
//! leaves nothing behind, and equal values have a deviation of exactly 0.

/// Sums up each window of the last `window` values: `join` joins what came earlier (left) with what came later (right).
///
/// Calls `each(t, summary)` for every t; before there are `window` values, the summary is that of the values there are.
pub(super) fn for_each_window<T: Copy>(
    count: usize,
    window: usize,
    value: impl Fn(usize) -> T,
    join: impl Fn(T, T) -> T,
    mut each: impl FnMut(usize, T),
) {
    // What the block before holds from each of its places to its end.
    let mut ends: Vec<T> = Vec::with_capacity(window.min(count));
    for begin in (0..count).step_by(window) {
        let end = (begin + window).min(count);
        let mut so_far: Option<T> = None;
        for t in begin..end {
            let here = value(t);
            let sum = so_far.map_or(here, |so_far| join(so_far, here));
            so_far = Some(sum);
            // The window begins one place after t in the block before, if there is one and the window is not this whole block.
            match ends.get(t - begin + 1) {
                Some(&before) => each(t, join(before, sum)),
                None => each(t, sum),
            }
        }
        if end - begin == window && end < count {
            ends.clear();
            for t in (begin..end).rev() {
                let here = value(t);
                ends.push(ends.last().map_or(here, |&after| join(here, after)));
            }
            ends.reverse();
        }
    }
}

/// One number for each window, NaN before the first whole one.
pub(super) fn over_windows<T: Copy>(
    count: usize,
    window: usize,
    value: impl Fn(usize) -> T,
    join: impl Fn(T, T) -> T,
    number: impl Fn(usize, T) -> f64,
) -> Vec<f64> {
    let mut column = vec![f64::NAN; count];
    for_each_window(count, window, value, join, |t, summary| {
        if t + 1 >= window {
            column[t] = number(t, summary);
        }
    });
    column
}

/// The mean of each window.
pub(super) fn mean(values: &[f64], window: usize) -> Vec<f64> {
    over_windows(values.len(), window, |t| Moments::of(values[t]), Moments::join, |_, m| m.mean)
}

/// The sum of each window.
pub(super) fn sum(values: &[f64], window: usize) -> Vec<f64> {
    over_windows(values.len(), window, |t| values[t], |a, b| a + b, |_, sum| sum)
}

/// The largest value of each window.
pub(super) fn highest(values: &[f64], window: usize) -> Vec<f64> {
    over_windows(values.len(), window, |t| values[t], f64::max, |_, value| value)
}

/// The smallest value of each window.
pub(super) fn lowest(values: &[f64], window: usize) -> Vec<f64> {
    over_windows(values.len(), window, |t| values[t], f64::min, |_, value| value)
}

/// Calls `each(t, sorted)` with the values of every window in rising order; before there are `window` values, with those there are.
/// None of them is NaN.
pub(super) fn for_each_sorted_window(
    values: &[f64],
    window: usize,
    mut each: impl FnMut(usize, &[f64]),
) {
    let mut sorted: Vec<f64> = Vec::with_capacity(window.min(values.len()) + 1);
    for (t, &value) in values.iter().enumerate() {
        if let Some(left) = t.checked_sub(window) {
            sorted.remove(sorted.partition_point(|other| *other < values[left]));
        }
        sorted.insert(sorted.partition_point(|other| *other < value), value);
        each(t, &sorted);
    }
}

/// The quantile of sorted values, linear between two of them, as in pandas.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - place.floor())
}

/// The mean rank of a value among sorted values of which it is one, over their count: in (0, 1], as pandas' `rank(pct=True)`.
pub(super) fn rank(sorted: &[f64], value: f64) -> f64 {
    let below = sorted.partition_point(|other| *other < value);
    let equal = sorted[below..].partition_point(|other| *other <= value);
    (below as f64 + f64::midpoint(equal as f64, 1.0)) / sorted.len() as f64
}

/// Count, mean and sum of squared differences from the mean; joined as by Chan and others (1979).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    pub(super) count: f64,
    pub(super) mean: f64,
    squares: f64,
}

impl Moments {
    pub(super) const fn of(value: f64) -> Self {
        Self { count: 1.0, mean: value, squares: 0.0 }
    }

    /// None where the value is missing.
    pub(super) fn of_known(value: f64) -> Self {
        if value.is_finite() { Self::of(value) } else { Self::default() }
    }

    pub(super) fn join(self, later: Self) -> Self {
        let count = self.count + later.count;
        if count == 0.0 {
            return self;
        }
        let share = later.count / count;
        let step = later.mean - self.mean;
        Self {
            count,
            mean: self.mean + step * share,
            squares: self.squares + later.squares + step * step * self.count * share,
        }
    }

    /// Sample standard deviation (divided by `count - 1`); NaN of one value.
    pub(super) fn std(self) -> f64 {
        (self.squares / (self.count - 1.0)).sqrt()
    }

    /// Standard deviation of the population (divided by `count`).
    pub(super) fn population_std(self) -> f64 {
        (self.squares / self.count).sqrt()
    }

    /// How many standard deviations the value lies above the mean; 0 where there is no deviation.
    pub(super) fn z_score(self, value: f64) -> f64 {
        let std = self.std();
        if std > 0.0 { (value - self.mean) / std } else { 0.0 }
    }
}

/// The moments of pairs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PairMoments {
    pub(super) count: f64,
    mean: [f64; 2],
    squares: [f64; 2],
    products: f64,
}

impl PairMoments {
    /// None where either value is missing.
    pub(super) fn of_known(x: f64, y: f64) -> Self {
        if x.is_finite() && y.is_finite() {
            Self { count: 1.0, mean: [x, y], squares: [0.0; 2], products: 0.0 }
        } else {
            Self::default()
        }
    }

    pub(super) fn join(self, later: Self) -> Self {
        let count = self.count + later.count;
        if count == 0.0 {
            return self;
        }
        let share = later.count / count;
        let step = [later.mean[0] - self.mean[0], later.mean[1] - self.mean[1]];
        let weight = self.count * share;
        let squares = |i: usize| self.squares[i] + later.squares[i] + step[i] * step[i] * weight;
        Self {
            count,
            mean: [self.mean[0] + step[0] * share, self.mean[1] + step[1] * share],
            squares: [squares(0), squares(1)],
            products: self.products + later.products + step[0] * step[1] * weight,
        }
    }

    /// Pearson's correlation; `None` where one of the two does not vary.
    pub(super) fn correlation(self) -> Option<f64> {
        let [x, y] = self.squares;
        (x > 0.0 && y > 0.0).then(|| self.products / (x.sqrt() * y.sqrt()))
    }
}

/// A straight line through consecutive values, fitted by least squares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) count: f64,
    pub(super) mean: f64,
    /// Of the value.
    squares: f64,
    /// Of place and value.
    products: f64,
}

impl Line {
    pub(super) const fn of(value: f64) -> Self {
        Self { count: 1.0, mean: value, squares: 0.0, products: 0.0 }
    }

    pub(super) fn join(self, later: Self) -> Self {
        let count = self.count + later.count;
        let share = later.count / count;
        let step = later.mean - self.mean;
        let weight = self.count * share;
        // The middles of two neighbouring stretches are half of both apart.
        let apart = count / 2.0;
        Self {
            count,
            mean: self.mean + step * share,
            squares: self.squares + later.squares + step * step * weight,
            products: self.products + later.products + step * apart * weight,
        }
    }

    /// Sample standard deviation of the values; NaN of one value.
    pub(super) fn std(self) -> f64 {
        (self.squares / (self.count - 1.0)).sqrt()
    }

    /// Rise per place; NaN of one value.
    pub(super) fn slope(self) -> f64 {
        let n = self.count;
        self.products / (n * (n * n - 1.0) / 12.0)
    }

    /// The line at the last place.
    pub(super) fn end(self) -> f64 {
        self.mean + self.slope() * (self.count - 1.0) / 2.0
    }

    /// Share of the variance that the line explains; `None` where the values do not vary.
    pub(super) fn r_squared(self) -> Option<f64> {
        let n = self.count;
        let places = n * (n * n - 1.0) / 12.0;
        (self.squares > 0.0)
            .then(|| (self.products / places.sqrt() / self.squares.sqrt()).powi(2).min(1.0))
    }

    /// Mean with weights that rise from 1 to `count`.
    pub(super) fn weighted_mean(self) -> f64 {
        self.mean + self.products / (self.count * (self.count + 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    use super::*;

    /// The windows that end at each t, newest value last.
    fn plain(values: &[f64], window: usize) -> impl Iterator<Item = &[f64]> {
        (0..values.len()).map(move |t| &values[(t + 1).saturating_sub(window)..=t])
    }

    fn summaries<T: Copy>(
        values: &[f64],
        window: usize,
        of: impl Fn(f64) -> T,
        join: impl Fn(T, T) -> T,
    ) -> Vec<T> {
        let mut all = Vec::new();
        for_each_window(
            values.len(),
            window,
            |t| of(values[t]),
            join,
            |_, summary| all.push(summary),
        );
        all
    }

    #[test]
    fn what_never_changes_has_no_deviation_at_all() {
        // 0.1 is no binary fraction: a running sum of equal values would be off by a rounding error.
        let mut values = vec![0.1; 60];
        values[20] = 1e9;
        let moments = summaries(&values, 7, Moments::of, Moments::join);
        assert!(moments[..20].iter().all(|m| m.std() == 0.0 || m.count == 1.0));
        assert!(moments[27..].iter().all(|m| m.std() == 0.0 && m.mean == 0.1));
        let lines = summaries(&values, 7, Line::of, Line::join);
        assert!(lines[27..].iter().all(|line| line.slope() == 0.0 && line.r_squared().is_none()));
    }

    proptest! {
        #[test]
        fn windows_are_those_of_a_plain_loop(
            values in prop::collection::vec(-1e3..1e3_f64, 0..120),
            window in 1..40_usize,
        ) {
            let moments = summaries(&values, window, Moments::of, Moments::join);
            let lines = summaries(&values, window, Line::of, Line::join);
            let sums = summaries(&values, window, |value| value, |a, b| a + b);
            let highest = summaries(&values, window, |value| value, f64::max);
            prop_assert_eq!(moments.len(), values.len());
            for (t, plain) in plain(&values, window).enumerate() {
                let n = plain.len() as f64;
                let mean = plain.iter().sum::<f64>() / n;
                let middle = (n - 1.0) / 2.0;
                let squares: f64 = plain.iter().map(|value| (value - mean).powi(2)).sum();
                let products: f64 =
                    plain.iter().enumerate().map(|(i, value)| (i as f64 - middle) * (value - mean)).sum();
                assert_relative_eq!(sums[t], mean * n, epsilon = 1e-9);
                assert_relative_eq!(moments[t].count, n);
                assert_relative_eq!(moments[t].mean, mean, epsilon = 1e-9);
                assert_relative_eq!(moments[t].population_std(), (squares / n).sqrt(), epsilon = 1e-9);
                assert_relative_eq!(lines[t].squares, squares, epsilon = 1e-6, max_relative = 1e-9);
                assert_relative_eq!(lines[t].products, products, epsilon = 1e-6, max_relative = 1e-9);
                assert_eq!(highest[t], plain.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            }
        }

        #[test]
        fn sorted_windows_are_sorted(
            values in prop::collection::vec((-5..5_i32).prop_map(f64::from), 0..80),
            window in 1..20_usize,
        ) {
            let mut seen = Vec::new();
            for_each_sorted_window(&values, window, |_, sorted| seen.push(sorted.to_vec()));
            for (sorted, plain) in seen.iter().zip(plain(&values, window)) {
                let mut expected = plain.to_vec();
                expected.sort_by(f64::total_cmp);
                prop_assert_eq!(sorted, &expected);
                let last = plain[plain.len() - 1];
                let below = plain.iter().filter(|value| **value < last).count() as f64;
                let up_to = plain.iter().filter(|value| **value <= last).count() as f64;
                prop_assert_eq!(rank(sorted, last), (below + up_to + 1.0) / 2.0 / plain.len() as f64);
            }
            prop_assert_eq!(seen.len(), values.len());
        }

        #[test]
        fn missing_values_do_not_count(
            values in prop::collection::vec(prop::option::of((-1e3..1e3_f64, -1e3..1e3_f64)), 1..60),
            window in 1..20_usize,
        ) {
            let pair = |t: usize| values[t].map_or(PairMoments::default(), |(x, y)| PairMoments::of_known(x, y));
            for_each_window(values.len(), window, pair, PairMoments::join, |t, pairs| {
                let known: Vec<(f64, f64)> =
                    values[(t + 1).saturating_sub(window)..=t].iter().flatten().copied().collect();
                assert_relative_eq!(pairs.count, known.len() as f64);
                let n = pairs.count;
                if n > 0.0 {
                    let [x, y] = [0, 1].map(|i| {
                        known.iter().map(|pair| if i == 0 { pair.0 } else { pair.1 }).sum::<f64>() / n
                    });
                    let products: f64 = known.iter().map(|pair| (pair.0 - x) * (pair.1 - y)).sum();
                    assert_relative_eq!(pairs.products, products, epsilon = 1e-6, max_relative = 1e-9);
                }
            });
        }
    }
}
