//! Features of the bar's times.

use std::f64::consts::TAU;

use chrono::{DateTime, Datelike, Utc};

use super::per_bar;
use crate::market::Bars;

const DAY_MILLIS: i32 = 86_400_000;

/// Sine and cosine of the bar's close time within the UTC day.
pub(super) fn time_of_day(bars: &Bars) -> [Vec<f64>; 2] {
    let angle = |t: usize| {
        let since_midnight = bars.close_time(t).0.rem_euclid(i64::from(DAY_MILLIS));
        TAU * millis_as_f64(since_midnight) / f64::from(DAY_MILLIS)
    };
    [per_bar(bars.len(), 0, |t| angle(t).sin()), per_bar(bars.len(), 0, |t| angle(t).cos())]
}

/// Sine and cosine of the day of the week (from Monday) at which the bar closes.
pub(super) fn day_of_week(bars: &Bars) -> [Vec<f64>; 2] {
    circle(bars, |at| f64::from(at.weekday().num_days_from_monday()) / 7.0)
}

/// Sine and cosine of the day of the month at which the bar closes.
pub(super) fn day_of_month(bars: &Bars) -> [Vec<f64>; 2] {
    circle(bars, |at| f64::from(at.day0()) / f64::from(at.num_days_in_month()))
}

/// Sine and cosine of the month at which the bar closes.
pub(super) fn month_of_year(bars: &Bars) -> [Vec<f64>; 2] {
    circle(bars, |at| f64::from(at.month0()) / 12.0)
}

/// 1 where the bar closes on a Saturday or a Sunday, else 0.
pub(super) fn is_weekend(bars: &Bars) -> Vec<f64> {
    let number = |at: DateTime<Utc>| at.weekday().num_days_from_monday();
    per_bar(bars.len(), 0, |t| {
        let at = bars.close_time(t).to_datetime();
        at.map_or(f64::NAN, |at| if number(at) >= 5 { 1.0 } else { 0.0 })
    })
}

/// A share of a round as sine and cosine; NaN outside the calendar.
fn circle(bars: &Bars, share: fn(DateTime<Utc>) -> f64) -> [Vec<f64>; 2] {
    let angle = |t: usize| bars.close_time(t).to_datetime().map_or(f64::NAN, |at| TAU * share(at));
    [per_bar(bars.len(), 0, |t| angle(t).sin()), per_bar(bars.len(), 0, |t| angle(t).cos())]
}

/// `ln(1 + missing)` with the number of bar lengths missing before this bar: 0 when the previous bar is the one just before, and also
/// when it opened less than a bar length ago (a clock change in the source). NaN at the first bar: what came before it is unknown.
pub(super) fn time_gap(bars: &Bars) -> Vec<f64> {
    let open = bars.open_time();
    let length = bars.timeframe().millis();
    per_bar(bars.len(), 1, |t| log_gap(open[t].0.saturating_sub(open[t - 1].0), length))
}

/// From the time between two opens, and that between two opens of which the first bar is the one just before.
fn log_gap(elapsed_millis: i64, length_millis: i64) -> f64 {
    (millis_as_f64(elapsed_millis) / millis_as_f64(length_millis)).max(1.0).ln()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "spans of market time stay far below 2^53 ms, where f64 is exact"
)]
const fn millis_as_f64(millis: i64) -> f64 {
    millis as f64
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;

    use super::*;
    use crate::features::golden::bars_at_hours;

    #[test]
    fn the_time_of_day_is_that_of_the_close() {
        // Opens at 23:00, 05:00, 11:00 and, before 1970, at 17:00: closes at midnight, 6, 12 and 18 hours.
        for (hour, sine, cosine) in
            [(23, 0.0, 1.0), (5, 1.0, 0.0), (11, 0.0, -1.0), (-7, -1.0, 0.0)]
        {
            let [sin, cos] = time_of_day(&bars_at_hours(&[hour]));
            assert_abs_diff_eq!(sin[0], sine, epsilon = 1e-15);
            assert_abs_diff_eq!(cos[0], cosine, epsilon = 1e-15);
        }
    }

    #[test]
    fn a_gap_counts_the_missing_bars() {
        let gaps = time_gap(&bars_at_hours(&[0, 1, 2, 4, 52]));
        assert!(gaps[0].is_nan());
        assert_eq!(gaps[1..], [0.0, 0.0, 2_f64.ln(), 48_f64.ln()]);
    }

    #[test]
    fn a_bar_that_opens_early_follows_without_a_gap() {
        let hour = 3_600_000;
        assert_abs_diff_eq!(log_gap(3 * hour, 4 * hour), 0.0);
        assert_abs_diff_eq!(log_gap(4 * hour, 4 * hour), 0.0);
        assert!(log_gap(5 * hour, 4 * hour) > 0.0);
    }
}
