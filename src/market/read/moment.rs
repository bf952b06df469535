use crate::domain::UtcMillis;

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size: the same digits in the next unit lie in the
/// first weeks of 1970 or after the year 5000. Numbers below 10^8 are refused, so that `20240630` is not read as a day in 1970.
pub fn from_epoch(number: i64) -> Option<UtcMillis> {
    match number {
        100_000_000..100_000_000_000 => Some(UtcMillis(number * 1000)),
        100_000_000_000..100_000_000_000_000 => Some(UtcMillis(number)),
        100_000_000_000_000..100_000_000_000_000_000 => Some(UtcMillis(number / 1000)),
        100_000_000_000_000_000.. => Some(UtcMillis(number / 1_000_000)),
        _ => None,
    }
}

/// Reads an ISO 8601 date or an epoch, and says whether it names its zone.
pub fn from_text(text: &str) -> Option<(UtcMillis, bool)> {
    if let Some(at) = from_usual_text(text.as_bytes()) {
        return Some((at, false));
    }
    if let Ok(number) = text.strip_suffix(".0").unwrap_or(text).parse() {
        return from_epoch(number).map(|at| (at, true));
    }
    let at = text.parse().ok()?;
    Some((at, names_zone(text)))
}

/// Whether the text ends in `Z` or an offset such as `+02:00`.
fn names_zone(text: &str) -> bool {
    let time = text.split_once([':']).map_or("", |(_, after_hour)| after_hour);
    time.contains(['Z', 'z', '+', '-'])
}

/// `2024-06-30 14:00:00` and `2024-06-30`, which nearly every row of every file is: reading a whole file takes less time so than its dates
/// alone in the general way (22 ms against 56 ms for 57,600 rows).
fn from_usual_text(text: &[u8]) -> Option<UtcMillis> {
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_i64, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
        })
    };
    let (date, seconds) = match text {
        [date @ .., b' ' | b'T', h1, h2, b':', m1, m2, b':', s1, s2] => {
            let (hour, minute, second) =
                (number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?);
            (
                date,
                (hour < 24 && minute < 60 && second < 60)
                    .then_some((hour * 60 + minute) * 60 + second)?,
            )
        }
        date => (date, 0),
    };
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else { return None };
    let days = days_since_1970(
        number(&[*y1, *y2, *y3, *y4])?,
        number(&[*m1, *m2])?,
        number(&[*d1, *d2])?,
    )?;
    Some(UtcMillis((days * 86_400 + seconds) * 1000))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; years start in March, so that leap days come last.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    const DAYS: [i64; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days_in_month = *DAYS.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    let days_in_month = if month == 2 && !is_leap { 28 } else { days_in_month };
    if !(1..=days_in_month).contains(&day) {
        return None;
    }
    let year = if month < 3 { year - 1 } else { year };
    let months_since_march = (month + 9) % 12;
    let day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
    let days =
        year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year;
    Some(days - 719_468)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_and_epochs_are_read() {
        let noon = UtcMillis(1_719_748_800_000);
        for (text, expected) in [
            ("2024-06-30T12:00:00Z", Some((noon, true))),
            ("2024-06-30 12:00:00", Some((noon, false))),
            ("2024-06-30T12:00:00", Some((noon, false))),
            ("2024-06-30 12:00", Some((noon, false))),
            ("2024-06-30 12:00:00.000", Some((noon, false))),
            ("2024-06-30 12:00:00+00:00", Some((noon, true))),
            ("2024-06-30T14:00:00+02:00", Some((noon, true))),
            ("2024-06-30T07:00:00-05:00", Some((noon, true))),
            ("1719748800", Some((noon, true))),
            ("1719748800.0", Some((noon, true))),
            ("1719748800000", Some((noon, true))),
            ("1719748800000000", Some((noon, true))),
            ("1719748800000000000", Some((noon, true))),
            ("2024-06-30", Some((noon.plus_millis(-43_200_000), false))),
            ("20240630", None),
            ("2024-02-30", None),
            ("2024-06-30 24:00:00", None),
            ("2019-10-17 09-AM", None),
            ("30.06.2024", None),
            ("-5", None),
            ("", None),
            ("soon", None),
        ] {
            assert_eq!(from_text(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_fast_way_agrees_with_the_calendar(millis in -2_000_000_000_i64..200_000_000_000) {
            let at = UtcMillis(millis * 1000);
            let text = at.to_string();
            let without_zone = text.trim_end_matches('Z');
            prop_assert_eq!(from_usual_text(without_zone.as_bytes()), Some(at));
            prop_assert_eq!(from_usual_text(without_zone.replace('T', " ").as_bytes()), Some(at));
        }
    }
}
