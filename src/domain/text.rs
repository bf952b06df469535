//! How numbers and moments are written wherever people read them, in the terminal and in the window alike.

use super::{CrossSectionScore, Plan, Score, TimeSpan, UtcMillis};

/// What is not known is shown as this, never as 0.
pub const UNKNOWN: &str = "—";

/// The number with so many decimals.
#[must_use]
pub fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| format!("{value:.decimals$}"))
}

/// The number with four significant digits, whatever its size: `0.001234`, `12.35`, `65430`, `1.235e-8`; whole where it is longer.
#[must_use]
pub fn significant(value: Option<f64>) -> String {
    const DIGITS: i32 = 4;
    let Some(value) = value.filter(|value| value.is_finite()) else { return UNKNOWN.to_owned() };
    if value == 0.0 {
        return "0".to_owned();
    }
    let power = value.abs().log10().floor() as i32;
    if !(-4..9).contains(&power) {
        return format!("{value:.3e}");
    }
    let decimals = (DIGITS - 1 - power).max(0) as usize;
    format!("{value:.decimals$}")
}

/// The same without zeros at its end: `0.001`, `12.35`, `3e-5`. For what somebody chose, as a learning rate.
#[must_use]
pub fn chosen(value: f64) -> String {
    let text = significant(Some(value));
    let (digits, power) =
        text.split_once('e').map_or((text.as_str(), None), |(digits, power)| (digits, Some(power)));
    let digits = if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    };
    power.map_or_else(|| digits.to_owned(), |power| format!("{digits}e{power}"))
}

/// A fraction as a percentage with one decimal.
#[must_use]
pub fn percent(fraction: Option<f64>) -> String {
    fraction.map_or_else(|| UNKNOWN.to_owned(), |fraction| format!("{:.1} %", 100.0 * fraction))
}

/// A moment to the minute, UTC: `2024-01-31 17:00`.
#[must_use]
pub fn minute(at: UtcMillis) -> String {
    at.to_datetime().map_or_else(|| at.to_string(), |at| at.format("%Y-%m-%d %H:%M").to_string())
}

/// A day, UTC: `2024-01-31`.
#[must_use]
pub fn day(at: UtcMillis) -> String {
    at.to_datetime().map_or_else(|| at.to_string(), |at| at.format("%Y-%m-%d").to_string())
}

/// A time of day, UTC: `17:00:05`.
#[must_use]
pub fn clock(at: UtcMillis) -> String {
    at.to_datetime().map_or_else(|| at.to_string(), |at| at.format("%H:%M:%S").to_string())
}

/// A length of time in the two largest units that matter: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return UNKNOWN.to_owned();
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A count with a thin space between thousands: `1 234 567`.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A score's numbers, rounded as they mean something: IC, rank IC, hit rate, net return, Sharpe ratio, largest drawdown, turnover.
#[must_use]
pub fn score(score: &Score) -> [String; 7] {
    [
        number(score.ic_ts, 4),
        number(score.rank_ic_ts, 4),
        percent(score.hit_rate),
        percent(score.total_return),
        number(score.sharpe, 2),
        percent(score.max_drawdown),
        number(score.turnover, 0),
    ]
}

/// Every device a plan computes on: `cpu`, `cuda:0, cuda:1`.
#[must_use]
pub fn devices(plan: &Plan) -> String {
    let all: Vec<String> = plan.devices.iter().map(ToString::to_string).collect();
    if all.is_empty() { plan.device.to_string() } else { all.join(", ") }
}

/// Where a section begins, to the minute; unknown where it is empty, as the validation and test section of a refit.
#[must_use]
pub fn section_start(span: TimeSpan) -> String {
    if span.is_empty() { UNKNOWN.to_owned() } else { minute(span.start) }
}

/// Names of the cells of [`cross_section`].
pub const CROSS_SECTION_HEADER: [&str; 6] =
    ["moments", "IC", "ICIR", "rank IC", "rank ICIR", "rank IC t"];

/// A cross-section's numbers, in the order of [`CROSS_SECTION_HEADER`].
#[must_use]
pub fn cross_section(section: &CrossSectionScore) -> [String; 6] {
    [
        count(section.timestamps),
        number(Some(section.ic_cs), 4),
        number(section.icir, 3),
        number(Some(section.rank_ic_cs), 4),
        number(section.rank_icir, 3),
        number(section.rank_ic_t, 2),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_the_units_that_matter() {
        for (seconds, shown) in [
            (0.04, "0.0 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.4, "59 s"),
            (60.0, "1 min 00 s"),
            (3599.6, "1 h 00 min"),
            (7800.0, "2 h 10 min"),
            (f64::INFINITY, UNKNOWN),
        ] {
            assert_eq!(duration(seconds), shown, "{seconds}");
        }
    }

    #[test]
    fn numbers_of_any_size_have_four_significant_digits() {
        for (value, shown) in [
            (Some(0.001_234_4), "0.001234"),
            (Some(-12.345_6), "-12.35"),
            (Some(0.5), "0.5000"),
            (Some(65_432.1), "65432"),
            (Some(0.0), "0"),
            (Some(1.234_56e-8), "1.235e-8"),
            (Some(3e12), "3.000e12"),
            (Some(f64::NAN), UNKNOWN),
            (None, UNKNOWN),
        ] {
            assert_eq!(significant(value), shown, "{value:?}");
        }
    }

    #[test]
    fn what_was_chosen_is_shown_without_trailing_zeros() {
        for (value, shown) in [
            (0.001, "0.001"),
            (0.000_333_33, "0.0003333"),
            (3e-5, "3e-5"),
            (1.5e-5, "1.5e-5"),
            (10.0, "10"),
            (0.0, "0"),
            (65_000.0, "65000"),
            (f64::NAN, UNKNOWN),
        ] {
            assert_eq!(chosen(value), shown);
        }
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (value, shown) in [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(count(value).replace('\u{202f}', " "), shown);
        }
    }

    #[test]
    fn unknown_is_never_zero() {
        assert_eq!((number(None, 2), percent(None)), (UNKNOWN.to_owned(), UNKNOWN.to_owned()));
        assert_eq!((number(Some(0.0), 2), percent(Some(0.5))), ("0.00".into(), "50.0 %".into()));
    }
}
