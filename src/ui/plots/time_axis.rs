//! Where dates stand on a time axis, and how they are written there.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 1970-01-05, the first Monday there is: weeks begin with one.
const MONDAY: i64 = 4 * DAY;
/// No calendar reaches that far, in seconds.
const FAR: f64 = 1e13;

/// The distance between two ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The same number of seconds everywhere.
    Seconds(i64),
    /// Months of the calendar.
    Months(i32),
}

/// Short to long.
const STEPS: [Step; 22] = [
    Step::Seconds(MINUTE),
    Step::Seconds(5 * MINUTE),
    Step::Seconds(15 * MINUTE),
    Step::Seconds(30 * MINUTE),
    Step::Seconds(HOUR),
    Step::Seconds(3 * HOUR),
    Step::Seconds(6 * HOUR),
    Step::Seconds(12 * HOUR),
    Step::Seconds(DAY),
    Step::Seconds(2 * DAY),
    Step::Seconds(7 * DAY),
    Step::Seconds(14 * DAY),
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(6),
    Step::Months(12),
    Step::Months(24),
    Step::Months(60),
    Step::Months(120),
    Step::Months(240),
    Step::Months(1200),
];

impl Step {
    /// Its length in seconds; of months the mean.
    const fn seconds(self) -> i64 {
        match self {
            Self::Seconds(seconds) => seconds,
            Self::Months(months) => months as i64 * 2_629_746,
        }
    }
}

/// A date on the axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tick {
    /// Seconds since 1970.
    pub(super) at: f64,
    /// Distance to the next one in seconds; of months the mean.
    pub(super) step: f64,
}

impl Tick {
    /// As exact as the distance between ticks asks for: `2024`, `2024-03`, `2024-03-14`, `03-14 06:00`.
    pub(super) fn label(self) -> String {
        label(self.at, self.step)
    }
}

/// Dates between two moments (seconds since 1970) at round distances, which are at least `span / most`.
pub(super) fn ticks(from: f64, until: f64, most: usize) -> Vec<Tick> {
    let span = until - from;
    let is_known = from.abs() < FAR && until.abs() < FAR;
    if !(is_known && span > 0.0) || most == 0 {
        return Vec::new();
    }
    let fits = |step: &&Step| span / (step.seconds() as f64) <= most as f64;
    let step = STEPS.iter().find(fits).copied().unwrap_or(Step::Months(1200));
    let tick = |at: i64| Tick { at: at as f64, step: step.seconds() as f64 };
    let inside = |at: &i64| *at as f64 <= until;
    let first = from.ceil() as i64;
    match step {
        Step::Seconds(seconds) => {
            let first = first + (MONDAY - first).rem_euclid(seconds);
            let all = (0_i64..).map(|index| first + index * seconds);
            all.take_while(inside).map(tick).collect()
        }
        Step::Months(months) => {
            let Some(date) = DateTime::<Utc>::from_timestamp_secs(first) else { return Vec::new() };
            let month = date.year() * 12 + date.month0() as i32;
            let first_month = month - month.rem_euclid(months);
            let all = (0_i32..).map_while(|index| month_start(first_month + index * months));
            all.skip_while(|at| *at < first).take_while(inside).map(tick).collect()
        }
    }
}

/// When a month begins, counted from the year 0, in seconds since 1970.
fn month_start(month: i32) -> Option<i64> {
    let date = NaiveDate::from_ymd_opt(month.div_euclid(12), month.rem_euclid(12) as u32 + 1, 1)?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp())
}

/// A moment in seconds since 1970, as exact as ticks so many seconds apart need.
pub(super) fn label(at: f64, step: f64) -> String {
    let format = match step as i64 {
        0..DAY => "%m-%d %H:%M",
        DAY..2_600_000 => "%Y-%m-%d",
        2_600_000..31_000_000 => "%Y-%m",
        _ => "%Y",
    };
    let date = DateTime::<Utc>::from_timestamp_secs(at.round() as i64);
    date.map_or_else(String::new, |date| date.format(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::UtcMillis;

    fn labels(from: &str, until: &str, most: usize) -> Vec<String> {
        let seconds = |text: &str| text.parse::<UtcMillis>().unwrap().0 as f64 / 1000.0;
        ticks(seconds(from), seconds(until), most).into_iter().map(Tick::label).collect()
    }

    #[test]
    fn the_longer_the_span_the_rounder_the_dates() {
        for (from, until, most, shown) in [
            ("2015-06-30", "2024-02-01", 6, vec!["2016", "2018", "2020", "2022", "2024"]),
            ("2021-12-31", "2024-01-01", 4, vec!["2022", "2023", "2024"]),
            (
                "2023-05-17",
                "2024-02-03",
                10,
                vec![
                    "2023-06", "2023-07", "2023-08", "2023-09", "2023-10", "2023-11", "2023-12",
                    "2024-01", "2024-02",
                ],
            ),
            ("2023-05-17", "2024-02-03", 4, vec!["2023-07", "2023-10", "2024-01"]),
            // Mondays.
            ("2024-01-02", "2024-01-25", 4, vec!["2024-01-08", "2024-01-15", "2024-01-22"]),
            ("2024-02-28 12:00", "2024-03-01 12:00", 3, vec!["2024-02-29", "2024-03-01"]),
            (
                "2024-01-02 05:10",
                "2024-01-02 23:00",
                4,
                vec!["01-02 06:00", "01-02 12:00", "01-02 18:00"],
            ),
        ] {
            assert_eq!(labels(from, until, most), shown, "{from} to {until}");
        }
    }

    #[test]
    fn ticks_rise_stay_inside_and_keep_their_distance() {
        for days in [1, 3, 10, 40, 200, 700, 4000, 40_000] {
            let (from, until) = (1.0e9 + 123.0, 1.0e9 + 123.0 + 86_400.0 * f64::from(days));
            for most in [1, 2, 5, 9] {
                let found = ticks(from, until, most);
                assert!(found.len() <= most + 1, "{days} days: {} of {most}", found.len());
                assert!(found.is_sorted_by(|a, b| a.at < b.at));
                assert!(found.iter().all(|tick| from <= tick.at && tick.at <= until));
            }
        }
    }

    #[test]
    fn nothing_and_everything_do_no_harm() {
        assert_eq!(ticks(5.0, 5.0, 8), []);
        assert_eq!(ticks(f64::NAN, 5.0, 8), []);
        assert_eq!(ticks(0.0, f64::INFINITY, 8), []);
        assert_eq!(ticks(-1e18, 1e18, 8), []);
        assert!(ticks(-8e12, 8e12, 8).len() <= 200_000);
    }
}
