use crate::domain::UtcMillis;
use crate::market::Bars;

/// When each bar's decision is taken: its close time. One entry per bar.
#[must_use]
pub fn decision_times(bars: &Bars) -> Vec<UtcMillis> {
    (0..bars.len()).map(|t| bars.close_time(t)).collect()
}

/// The one time axis of several symbols: every decision time that any of them has, sorted, once each. Calendars may differ.
#[must_use]
pub fn decision_axis(decisions: &[&[UtcMillis]]) -> Vec<UtcMillis> {
    let mut axis: Vec<UtcMillis> = decisions.concat();
    axis.sort_unstable();
    axis.dedup();
    axis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_is_the_union_of_the_calendars() {
        let times = |times: &[i64]| times.iter().copied().map(UtcMillis).collect::<Vec<_>>();
        let (always, weekdays) = (times(&[1, 2, 3, 4, 9]), times(&[0, 2, 4]));
        assert_eq!(decision_axis(&[&always, &weekdays]), times(&[0, 1, 2, 3, 4, 9]));
        assert_eq!(decision_axis(&[]), []);
    }
}
