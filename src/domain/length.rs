use std::fmt;
use std::str::FromStr;

use chrono::Months;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::UtcMillis;

/// How long a section of time is: so many bars, or calendar time. Written as a number, or as text: `3000`, `"180d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Length {
    /// Decisions on the time axis. Closed hours have none.
    Bars(u32),
    /// Time on the calendar, closed hours included.
    Time(CalendarTime),
}

impl Length {
    /// Whether nothing is that short.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        match self {
            Self::Bars(bars) => bars == 0,
            Self::Time(time) => time.count == 0,
        }
    }

    /// Whether this is shorter than the other; `None` where bars stand against calendar time, and days against months.
    #[must_use]
    pub fn is_below(self, other: Self) -> Option<bool> {
        match (self, other) {
            (Self::Bars(a), Self::Bars(b)) => Some(a < b),
            (Self::Time(a), Self::Time(b)) => match (a.millis(), b.millis()) {
                (Some(a), Some(b)) => Some(a < b),
                (None, None) => Some(a.months() < b.months()),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A whole number of minutes, hours, days, weeks, months or years. Written `90m`, `12h`, `180d`, `26w`, `6mo`, `2y`.
///
/// Days and weeks are 24 and 168 hours of UTC. Months and years follow the calendar: a month after 31 January is the last of February.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CalendarTime {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: CalendarUnit,
}

/// A unit of [`CalendarTime`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CalendarUnit {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// A month of the calendar.
    Month,
    /// A year of the calendar.
    Year,
}

/// A text that is no length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no length; expected a whole number of bars as in 3000, or calendar time as in \"12h\", \"180d\", \"26w\", \"6mo\", \"2y\""
)]
pub struct InvalidLength(String);

impl CalendarUnit {
    /// Every unit, the shortest first.
    pub const ALL: [Self; 6] =
        [Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    /// As it is written behind a number.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Minute => "m",
            Self::Hour => "h",
            Self::Day => "d",
            Self::Week => "w",
            Self::Month => "mo",
            Self::Year => "y",
        }
    }

    /// Its length in milliseconds; months and years have none of their own.
    const fn millis(self) -> Option<i64> {
        match self {
            Self::Minute => Some(60_000),
            Self::Hour => Some(3_600_000),
            Self::Day => Some(86_400_000),
            Self::Week => Some(604_800_000),
            Self::Month | Self::Year => None,
        }
    }
}

impl CalendarTime {
    /// The moment so much later, counted `times` over; clamped to what the calendar knows.
    #[must_use]
    pub fn after(self, at: UtcMillis, times: u32) -> UtcMillis {
        if let Some(millis) = self.millis() {
            return at.plus_millis(millis.saturating_mul(i64::from(times)));
        }
        let months = Months::new(self.months().saturating_mul(times));
        let later = at.to_datetime().and_then(|at| at.checked_add_months(months));
        later.map_or(UtcMillis(i64::MAX), |later| UtcMillis(later.timestamp_millis()))
    }

    /// The moment so much earlier.
    #[must_use]
    pub fn before(self, at: UtcMillis) -> UtcMillis {
        if let Some(millis) = self.millis() {
            return at.plus_millis(-millis);
        }
        let months = Months::new(self.months());
        let earlier = at.to_datetime().and_then(|at| at.checked_sub_months(months));
        earlier.map_or(UtcMillis(i64::MIN), |earlier| UtcMillis(earlier.timestamp_millis()))
    }

    /// The length in milliseconds, where it does not depend on the calendar.
    fn millis(self) -> Option<i64> {
        self.unit.millis().map(|unit| unit.saturating_mul(i64::from(self.count)))
    }

    const fn months(self) -> u32 {
        match self.unit {
            CalendarUnit::Year => self.count.saturating_mul(12),
            _ => self.count,
        }
    }
}

impl fmt::Display for CalendarTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}{}", self.count, self.unit.suffix()))
    }
}

impl fmt::Display for Length {
    /// `3000 bars`, `180d`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bars(1) => f.pad("1 bar"),
            Self::Bars(bars) => f.pad(&format!("{bars} bars")),
            Self::Time(time) => time.fmt(f),
        }
    }
}

impl FromStr for CalendarTime {
    type Err = InvalidLength;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidLength(text.to_owned());
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
        let (count, suffix) = text.split_at(digits);
        let count = count.parse().map_err(|_no_number| invalid())?;
        let unit = CalendarUnit::ALL.into_iter().find(|unit| unit.suffix() == suffix);
        Ok(Self { count, unit: unit.ok_or_else(invalid)? })
    }
}

impl TryFrom<String> for CalendarTime {
    type Error = InvalidLength;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CalendarTime> for String {
    fn from(time: CalendarTime) -> Self {
        time.to_string()
    }
}

impl FromStr for Length {
    type Err = InvalidLength;

    /// A bare number is bars.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(bars) => Ok(Self::Bars(bars)),
            Err(_no_number) => text.parse().map(Self::Time),
        }
    }
}

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bars(bars) => serializer.serialize_u32(*bars),
            Self::Time(time) => serializer.collect_str(time),
        }
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LengthVisitor;

        impl Visitor<'_> for LengthVisitor {
            type Value = Length;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of bars, or calendar time as in \"180d\"")
            }

            fn visit_u64<E: Error>(self, bars: u64) -> Result<Length, E> {
                u32::try_from(bars)
                    .map(Length::Bars)
                    .map_err(|_too_many| E::custom(InvalidLength(bars.to_string())))
            }

            fn visit_i64<E: Error>(self, bars: i64) -> Result<Length, E> {
                u32::try_from(bars)
                    .map(Length::Bars)
                    .map_err(|_negative| E::custom(InvalidLength(bars.to_string())))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Length, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(LengthVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcMillis {
        text.parse().unwrap()
    }

    #[test]
    fn lengths_are_numbers_of_bars_or_calendar_time() {
        for (json, shown) in [
            ("3000", "3000 bars"),
            ("1", "1 bar"),
            (r#""12h""#, "12h"),
            (r#""90m""#, "90m"),
            (r#""6mo""#, "6mo"),
        ] {
            let length: Length = serde_json::from_str(json).unwrap();
            assert_eq!(length.to_string(), shown);
            assert_eq!(serde_json::to_string(&length).unwrap(), json);
            let text = ron::to_string(&length).unwrap();
            assert_eq!(ron::from_str::<Length>(&text).unwrap(), length, "{text}");
        }
        for wrong in ["-1", "1.5", "5000000000", r#""d""#, r#""3x""#, r#""-3d""#, "null"] {
            let error = serde_json::from_str::<Length>(wrong).unwrap_err().to_string();
            assert!(error.contains("bars"), "{wrong}: {error}");
        }
    }

    #[test]
    fn months_follow_the_calendar() {
        for (length, from, times, to) in [
            ("1mo", "2024-01-31", 1, "2024-02-29"),
            ("1mo", "2024-01-31", 2, "2024-03-31"),
            ("1y", "2024-02-29", 1, "2025-02-28"),
            ("36h", "2024-01-01", 2, "2024-01-04"),
            ("2w", "2024-01-01", 1, "2024-01-15"),
        ] {
            let length: CalendarTime = length.parse().unwrap();
            assert_eq!(length.after(at(from), times), at(to), "{length} after {from}");
        }
        let month: CalendarTime = "1mo".parse().unwrap();
        assert_eq!(month.before(at("2024-03-31")), at("2024-02-29"));
    }

    #[test]
    fn only_lengths_of_one_kind_can_be_compared() {
        let length = |text: &str| text.parse::<Length>().unwrap();
        for (a, b, below) in [
            ("3", "4", Some(true)),
            ("36h", "1d", Some(false)),
            ("11mo", "1y", Some(true)),
            ("30d", "1mo", None),
            ("30", "1d", None),
        ] {
            assert_eq!(length(a).is_below(length(b)), below, "{a} and {b}");
        }
        assert!(length("0").is_zero() && length("0d").is_zero() && !length("1m").is_zero());
    }
}
