use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// How dates with a time are written, `T` or a space between, seconds or not.
const FORMATS: [&str; 4] =
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];

/// A moment in UTC, in milliseconds since 1970-01-01. Written in files and on screen as ISO 8601.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UtcMillis(pub i64);

/// A text that is no moment in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no date; expected ISO 8601 as in 2024-06-30 or 2024-06-30T14:00:00Z")]
pub struct InvalidTimestamp(String);

impl UtcMillis {
    /// This very moment by the system clock.
    #[must_use]
    pub fn now() -> Self {
        Self(Utc::now().timestamp_millis())
    }

    /// The moment `millis` later (earlier where negative), clamped to the range of `i64`.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The moment as a calendar date and time, where the calendar reaches that far (about ±262,000 years).
    #[must_use]
    pub const fn to_datetime(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }
}

impl fmt::Display for UtcMillis {
    /// `2024-06-30T14:00:00Z`, with milliseconds where there are some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precision =
            if self.0 % 1000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
        match self.to_datetime() {
            Some(at) => f.pad(&at.to_rfc3339_opts(precision, true)),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl FromStr for UtcMillis {
    type Err = InvalidTimestamp;

    /// Reads RFC 3339, or a date with or without a time; what names no zone is UTC.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self(at.timestamp_millis()));
        }
        let with_time =
            FORMATS.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
        let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
        with_time
            .or_else(date)
            .map(|at| Self(at.and_utc().timestamp_millis()))
            .ok_or_else(|| InvalidTimestamp(text.to_owned()))
    }
}

impl TryFrom<String> for UtcMillis {
    type Error = InvalidTimestamp;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<UtcMillis> for String {
    fn from(at: UtcMillis) -> Self {
        at.to_string()
    }
}

/// The length of a bar. Written `5m`, `1h`, `4h`, `1d`, `1w`: a whole number of minutes, between one minute and 52 weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timeframe {
    minutes: u32,
}

/// A text that is no bar length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no timeframe; expected a number and m, h, d or w, as in 5m, 1h, 4h, 1d")]
pub struct InvalidTimeframe(String);

const MINUTES_BY_UNIT: [(char, u32); 4] = [('w', 10_080), ('d', 1_440), ('h', 60), ('m', 1)];

impl Timeframe {
    /// A bar of that many minutes; `None` outside 1 ..= 524,160 (52 weeks).
    #[must_use]
    pub const fn from_minutes(minutes: u32) -> Option<Self> {
        if minutes >= 1 && minutes <= 52 * 10_080 { Some(Self { minutes }) } else { None }
    }

    /// The length in minutes.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.minutes
    }

    /// The length in milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.minutes as i64 * 60_000
    }
}

impl fmt::Display for Timeframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, minutes) = MINUTES_BY_UNIT
            .into_iter()
            .find(|(_, minutes)| self.minutes.is_multiple_of(*minutes))
            .unwrap_or(('m', 1));
        f.pad(&format!("{}{unit}", self.minutes / minutes))
    }
}

impl FromStr for Timeframe {
    type Err = InvalidTimeframe;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTimeframe(text.to_owned());
        let unit = text.chars().last().ok_or_else(invalid)?;
        let (_, minutes) =
            MINUTES_BY_UNIT.into_iter().find(|(name, _)| *name == unit).ok_or_else(invalid)?;
        let digits = &text[..text.len() - 1];
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let count: u32 = digits.parse().ok().ok_or_else(invalid)?;
        count.checked_mul(minutes).and_then(Self::from_minutes).ok_or_else(invalid)
    }
}

impl TryFrom<String> for Timeframe {
    type Error = InvalidTimeframe;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Timeframe> for String {
    fn from(timeframe: Timeframe) -> Self {
        timeframe.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeframes_read_and_write_their_usual_names() {
        for (text, minutes, shown) in [
            ("1m", 1, "1m"),
            ("5m", 5, "5m"),
            ("60m", 60, "1h"),
            ("4h", 240, "4h"),
            ("24h", 1440, "1d"),
            ("1d", 1440, "1d"),
            ("1w", 10_080, "1w"),
        ] {
            let timeframe: Timeframe = text.parse().unwrap();
            assert_eq!((timeframe.minutes(), timeframe.to_string().as_str()), (minutes, shown));
            assert_eq!(timeframe.millis(), i64::from(minutes) * 60_000);
        }
        for text in ["", "h", "0h", "-1h", "+1h", "1.5h", "1H", "1M", "53w", "99999999999m", "é"] {
            assert!(text.parse::<Timeframe>().is_err(), "{text}");
        }
    }

    #[test]
    fn timestamps_are_utc_unless_they_name_a_zone() {
        let noon = UtcMillis(1_719_748_800_000);
        for text in [
            "2024-06-30T12:00:00Z",
            "2024-06-30T14:00:00+02:00",
            "2024-06-30 12:00:00",
            "2024-06-30 12:00",
            "2024-06-30T12:00:00.000",
        ] {
            assert_eq!(text.parse(), Ok(noon), "{text}");
        }
        assert_eq!("2024-06-30".parse(), Ok(noon.plus_millis(-12 * 3_600_000)));
        assert_eq!(noon.to_string(), "2024-06-30T12:00:00Z");
        assert_eq!(noon.plus_millis(5).to_string(), "2024-06-30T12:00:00.005Z");
        assert!("30.06.2024".parse::<UtcMillis>().is_err());
    }
}
