use serde::{Deserialize, Serialize};

use crate::domain::UtcMillis;

const DAY_MILLIS: i64 = 86_400_000;

/// In which order day, month and year stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// `2024-06-30`, `2024.06.30`, `20240630`.
    YearMonthDay,
    /// `30.06.2024`.
    DayMonthYear,
    /// `06/30/2024`.
    MonthDayYear,
}

/// A moment as a file writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970-01-01, in UTC or by the clock of the file's zone.
    pub millis: i64,
    /// Whether it is UTC: numbers since 1970 are, and texts that name a zone.
    pub is_utc: bool,
}

impl Moment {
    const fn utc(at: UtcMillis) -> Self {
        Self { millis: at.0, is_utc: true }
    }

    const fn local(millis: i64) -> Self {
        Self { millis, is_utc: false }
    }
}

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

/// A whole number that stands for a moment: `20240630` as a day, `20240630140000` to the second, anything else since 1970.
pub fn from_number(number: i64) -> Option<Moment> {
    let as_date = match number {
        18_000_101..=22_001_231 => from_compact_day(number).map(|days| days * DAY_MILLIS),
        18_000_101_000_000..=22_001_231_235_959 => from_compact_day(number / 1_000_000)
            .zip(seconds_of_day(number / 10_000 % 100, number / 100 % 100, number % 100))
            .map(|(days, seconds)| days * DAY_MILLIS + seconds * 1000),
        _ => None,
    };
    as_date.map(Moment::local).or_else(|| from_epoch(number).map(Moment::utc))
}

/// Reads a date with or without a time, in the given order, or a number since 1970.
///
/// Dates are separated by `-`, `.`, `/` or, from the year on, by nothing. A time follows after a space, `T` or a comma: `14:00`, `14:00:05.250`,
/// `140005`, `2:00 PM`, `09-AM`; a zone after that: `Z`, `UTC`, `GMT+0100`, `+02:00`.
pub fn from_text(text: &[u8], order: DateOrder) -> Option<Moment> {
    if order == DateOrder::YearMonthDay
        && let Some(millis) = from_usual_text(text)
    {
        return Some(Moment::local(millis));
    }
    let whole = text.strip_suffix(b".0").unwrap_or(text);
    if whole.len() > 6 && whole.iter().all(u8::is_ascii_digit) {
        return from_number(number(whole)?);
    }
    let mut rest = Rest(text);
    let days = rest.date(order)?;
    let at = days.checked_mul(DAY_MILLIS)?;
    if rest.0.is_empty() {
        return Some(Moment::local(at));
    }
    rest.any_of(b" T,")?;
    rest.skip_spaces();
    let at = at + rest.time()?;
    let offset = rest.zone().ok()?;
    Some(Moment { millis: at - offset.unwrap_or(0), is_utc: offset.is_some() })
}

/// Milliseconds since midnight of `14:00`, `14:00:05`, `1400`, `2:00 PM`.
pub fn time_of_day(text: &[u8]) -> Option<i64> {
    let mut rest = Rest(text);
    let millis = rest.time()?;
    rest.0.is_empty().then_some(millis)
}

/// How this text writes its moment, as in `yyyy-MM-dd HH:mm`.
pub fn describe(text: &str, order: DateOrder) -> String {
    let whole = text.strip_suffix(".0").unwrap_or(text);
    if whole.bytes().all(|byte| byte.is_ascii_digit()) {
        let since = |unit: &str| format!("{unit} since 1970");
        return match whole.len() {
            8 => "yyyyMMdd".to_owned(),
            14 => "yyyyMMddHHmmss".to_owned(),
            ..12 => since("seconds"),
            12..15 => since("milliseconds"),
            15..18 => since("microseconds"),
            _ => since("nanoseconds"),
        };
    }
    let date = match order {
        DateOrder::YearMonthDay => ["yyyy", "MM", "dd"],
        DateOrder::DayMonthYear => ["dd", "MM", "yyyy"],
        DateOrder::MonthDayYear => ["MM", "dd", "yyyy"],
    };
    let mut parts = date.into_iter().chain(["HH", "mm", "ss", "S"]);
    let mut pattern = String::new();
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if !byte.is_ascii_digit() {
            pattern.push(char::from(byte));
            continue;
        }
        let mut digits = 1;
        while bytes.next_if(u8::is_ascii_digit).is_some() {
            digits += 1;
        }
        let is_start = pattern.is_empty();
        let mut push = |count| (0..count).for_each(|_| pattern.extend(parts.next()));
        match digits {
            8 if is_start => push(3),
            6 => push(3),
            4 if !is_start && order == DateOrder::YearMonthDay => push(2),
            _ => push(1),
        }
    }
    pattern
}

/// Something else than a zone behind a time.
struct NoZone;

/// What is left of a text.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn digits(&mut self) -> &[u8] {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        digits
    }

    fn any_of(&mut self, accepted: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        accepted.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    fn skip_spaces(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }

    fn word(&mut self, word: &[u8]) -> bool {
        let is_next = self.0.get(..word.len()).is_some_and(|next| next.eq_ignore_ascii_case(word));
        if is_next {
            self.0 = &self.0[word.len()..];
        }
        is_next
    }

    fn date(&mut self, order: DateOrder) -> Option<i64> {
        let first = self.digits();
        if first.len() == 8 && order == DateOrder::YearMonthDay {
            return from_compact_day(number(first)?);
        }
        let (first, digits) = (number(first)?, first.len());
        let separator = self.any_of(b"-./")?;
        let second = number(self.digits())?;
        self.any_of(&[separator])?;
        let third = self.digits();
        let (third, last_digits) = (number(third)?, third.len());
        let (year, month, day, digits) = match order {
            DateOrder::YearMonthDay => (first, second, third, digits),
            DateOrder::DayMonthYear => (third, second, first, last_digits),
            DateOrder::MonthDayYear => (third, first, second, last_digits),
        };
        (digits == 4).then(|| days_since_1970(year, month, day)).flatten()
    }

    /// Milliseconds since midnight.
    fn time(&mut self) -> Option<i64> {
        let first = self.digits();
        let mut hour;
        let (mut minute, mut second, mut millis) = (0, 0, 0);
        match first {
            [h1, h2, m1, m2, rest @ ..] if matches!(rest.len(), 0 | 2) => {
                hour = number(&[*h1, *h2])?;
                minute = number(&[*m1, *m2])?;
                second = number(rest).unwrap_or(0);
            }
            [_] | [_, _] => {
                hour = number(first)?;
                let has_minute = self.any_of(b":").is_some();
                if has_minute {
                    minute = self.two_digits()?;
                    if self.any_of(b":").is_some() {
                        second = self.two_digits()?;
                        if self.any_of(b".").is_some() {
                            millis = self.fraction()?;
                        }
                    }
                } else if !self.0.starts_with(b"-") && !self.0.starts_with(b" ") {
                    return None;
                }
                hour = self.half_of_day(hour, has_minute)?;
            }
            _ => return None,
        }
        Some(seconds_of_day(hour, minute, second)? * 1000 + millis)
    }

    /// The hour after `AM` or `PM`, or as it is. An hour without minutes must have one of them.
    fn half_of_day(&mut self, hour: i64, may_lack: bool) -> Option<i64> {
        let before = self.0;
        self.any_of(b" -");
        let afternoon = match () {
            () if self.word(b"AM") => 0,
            () if self.word(b"PM") => 12,
            () => {
                self.0 = before;
                return may_lack.then_some(hour);
            }
        };
        (1..=12).contains(&hour).then_some(hour % 12 + afternoon)
    }

    fn two_digits(&mut self) -> Option<i64> {
        let digits = self.digits();
        (digits.len() == 2).then(|| number(digits)).flatten()
    }

    /// Milliseconds of the digits behind the point; finer ones are cut.
    fn fraction(&mut self) -> Option<i64> {
        let digits = self.digits();
        let scale = [100, 10, 1];
        let millis = digits.iter().zip(scale).map(|(digit, scale)| i64::from(digit - b'0') * scale);
        (1..=9).contains(&digits.len()).then(|| millis.sum())
    }

    /// The offset from UTC in milliseconds, `None` where no zone is named.
    fn zone(&mut self) -> Result<Option<i64>, NoZone> {
        self.skip_spaces();
        if self.0.is_empty() {
            return Ok(None);
        }
        let is_named = self.word(b"UTC") || self.word(b"GMT") || self.word(b"Z");
        if is_named && self.0.is_empty() {
            return Ok(Some(0));
        }
        self.offset().map(Some).ok_or(NoZone)
    }

    /// `+02:00`, `+0200` or `+02`, in milliseconds.
    fn offset(&mut self) -> Option<i64> {
        let sign = if self.any_of(b"+-")? == b'-' { -1 } else { 1 };
        let digits = self.digits();
        let (hour, minute) = match digits {
            [_, _] => {
                let hour = number(digits)?;
                let minute = if self.any_of(b":").is_some() { self.two_digits()? } else { 0 };
                (hour, minute)
            }
            [h1, h2, m1, m2] => (number(&[*h1, *h2])?, number(&[*m1, *m2])?),
            _ => return None,
        };
        let is_sound = self.0.is_empty() && hour <= 15 && minute < 60;
        is_sound.then_some(sign * (hour * 60 + minute) * 60_000)
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    digits.iter().try_fold(0_i64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

fn seconds_of_day(hour: i64, minute: i64, second: i64) -> Option<i64> {
    (hour < 24 && minute < 60 && second < 60).then_some((hour * 60 + minute) * 60 + second)
}

/// `20240630`.
fn from_compact_day(number: i64) -> Option<i64> {
    days_since_1970(number / 10_000, number / 100 % 100, number % 100)
}

/// `2024-06-30 14:00:00`, `20240630 14:00` and `2024-06-30`, which nearly every row of every file is.
fn from_usual_text(text: &[u8]) -> Option<i64> {
    let (date, time) = match text.len() {
        19 | 16 if matches!(text[10], b' ' | b'T') => (&text[..10], &text[11..]),
        14 if text[8] == b' ' => (&text[..8], &text[9..]),
        10 => (text, &text[..0]),
        _ => return None,
    };
    let pair = |text: &[u8], at: usize| {
        let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
    };
    let days = match date.len() {
        10 if (date[4], date[7]) == (b'-', b'-') => {
            days_since_1970(pair(date, 0)? * 100 + pair(date, 2)?, pair(date, 5)?, pair(date, 8)?)?
        }
        8 => {
            days_since_1970(pair(date, 0)? * 100 + pair(date, 2)?, pair(date, 4)?, pair(date, 6)?)?
        }
        _ => return None,
    };
    let seconds = match time.len() {
        8 if (time[2], time[5]) == (b':', b':') => {
            seconds_of_day(pair(time, 0)?, pair(time, 3)?, pair(time, 6)?)?
        }
        5 if time[2] == b':' => seconds_of_day(pair(time, 0)?, pair(time, 3)?, 0)?,
        0 => 0,
        _ => return None,
    };
    Some(days * DAY_MILLIS + seconds * 1000)
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

    /// 2024-06-30T12:00:00Z.
    const NOON: i64 = 1_719_748_800_000;

    fn read(text: &str, order: DateOrder) -> Option<(i64, bool)> {
        from_text(text.as_bytes(), order).map(|moment| (moment.millis, moment.is_utc))
    }

    #[test]
    fn dates_and_epochs_are_read() {
        for (text, expected) in [
            ("2024-06-30T12:00:00Z", Some((NOON, true))),
            ("2024-06-30 12:00:00", Some((NOON, false))),
            ("2024-06-30T12:00:00", Some((NOON, false))),
            ("2024-06-30 12:00", Some((NOON, false))),
            ("2024-06-30 12:00:00.000", Some((NOON, false))),
            ("2024-06-30 12:00:00.0049", Some((NOON + 4, false))),
            ("2024-06-30 12:00:00+00:00", Some((NOON, true))),
            ("2024-06-30T14:00:00+02:00", Some((NOON, true))),
            ("2024-06-30T14:00:00.000+0200", Some((NOON, true))),
            ("2024-06-30 14:00 +02", Some((NOON, true))),
            ("2024-06-30T07:00:00-05:00", Some((NOON, true))),
            ("2024-06-30 12:00:00 UTC", Some((NOON, true))),
            ("2024/06/30 12:00", Some((NOON, false))),
            ("2024.06.30 12:00", Some((NOON, false))),
            ("2024.06.30 12:00:00", Some((NOON, false))),
            ("20240630 12:00", Some((NOON, false))),
            ("20240630 120000", Some((NOON, false))),
            ("20240630 1200", Some((NOON, false))),
            ("20240630,12:00:00", Some((NOON, false))),
            ("20240630120000", Some((NOON, false))),
            ("2024-06-30 12-PM", Some((NOON, false))),
            ("2024-06-30 11-PM", Some((NOON + 11 * 3_600_000, false))),
            ("2024-06-30 12-AM", Some((NOON - 12 * 3_600_000, false))),
            ("2024-06-30 12 PM", Some((NOON, false))),
            ("2024-06-30 12:00:00 pm", Some((NOON, false))),
            ("2024-6-30 12:00", Some((NOON, false))),
            ("1719748800", Some((NOON, true))),
            ("1719748800.0", Some((NOON, true))),
            ("1719748800000", Some((NOON, true))),
            ("1719748800000000", Some((NOON, true))),
            ("1719748800000000000", Some((NOON, true))),
            ("2024-06-30", Some((NOON - 43_200_000, false))),
            ("20240630", Some((NOON - 43_200_000, false))),
            ("2024-02-30", None),
            ("20240230", None),
            ("2024-06-30 24:00:00", None),
            ("2024-06-30 12:60", None),
            ("2024-06-30 13-PM", None),
            ("2024-06-30 12", None),
            ("2024-06-30 12:00 EST", None),
            ("2024-06-30 12:00:00.", None),
            ("2024-06-30x12:00", None),
            ("24-06-30", None),
            ("30.06.2024", None),
            ("99999999999999999999", None),
            ("12345", None),
            ("-5", None),
            ("", None),
            ("soon", None),
        ] {
            assert_eq!(read(text, DateOrder::YearMonthDay), expected, "{text}");
        }
    }

    #[test]
    fn day_and_month_stand_as_they_are_told() {
        for (text, day_first, month_first) in [
            ("30.06.2024 12:00:00.000", Some((NOON, false)), None),
            ("06/30/2024 12:00", None, Some((NOON, false))),
            ("30.06.2024 13:00:00.000 GMT+0100", Some((NOON, true)), None),
            ("2024-06-30", None, None),
        ] {
            assert_eq!(read(text, DateOrder::DayMonthYear), day_first, "{text}");
            assert_eq!(read(text, DateOrder::MonthDayYear), month_first, "{text}");
        }
    }

    #[test]
    fn formats_are_put_in_words() {
        for (text, order, expected) in [
            ("2024-06-30 12:00:00", DateOrder::YearMonthDay, "yyyy-MM-dd HH:mm:ss"),
            ("20240630 12:00", DateOrder::YearMonthDay, "yyyyMMdd HH:mm"),
            ("20240630 120000", DateOrder::YearMonthDay, "yyyyMMdd HHmmss"),
            ("30.06.2024 12:00:00.000", DateOrder::DayMonthYear, "dd.MM.yyyy HH:mm:ss.S"),
            ("2024-06-30 12-PM", DateOrder::YearMonthDay, "yyyy-MM-dd HH-PM"),
            ("1719748800", DateOrder::YearMonthDay, "seconds since 1970"),
            ("1719748800000", DateOrder::YearMonthDay, "milliseconds since 1970"),
            ("20240630", DateOrder::YearMonthDay, "yyyyMMdd"),
        ] {
            assert_eq!(describe(text, order), expected);
        }
    }

    proptest! {
        #[test]
        fn the_fast_way_agrees_with_the_calendar(seconds in -2_000_000_000_i64..200_000_000_000) {
            let at = UtcMillis(seconds * 1000);
            let text = at.to_string();
            let without_zone = text.trim_end_matches('Z');
            prop_assert_eq!(from_usual_text(without_zone.as_bytes()), Some(at.0));
            prop_assert_eq!(from_usual_text(without_zone.replace('T', " ").as_bytes()), Some(at.0));
            prop_assert_eq!(from_text(text.as_bytes(), DateOrder::YearMonthDay), Some(Moment::utc(at)));
        }

        #[test]
        fn no_text_brings_it_down(text in "[0-9:./TZ +AMP-]{0,32}") {
            for order in [DateOrder::YearMonthDay, DateOrder::DayMonthYear, DateOrder::MonthDayYear] {
                let _either_is_fine = from_text(text.as_bytes(), order);
                let _either_is_fine = describe(&text, order);
            }
        }
    }
}
