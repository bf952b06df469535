use chrono::{DateTime, MappedLocalTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::domain::UtcMillis;

const DAY_MILLIS: i64 = 86_400_000;

/// The clock by which a file's dates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// UTC, or moments that name their own zone.
    Utc,
    /// One zone throughout.
    Zone(Tz),
    /// One zone before a moment of the clock (milliseconds since 1970), another one from then on.
    Changed {
        /// The zone at first.
        before: Tz,
        /// When it changed.
        at: i64,
        /// The zone since.
        after: Tz,
    },
}

impl Clock {
    /// The clock of an IANA zone; `None` for a name that is none.
    pub fn named(name: &str) -> Option<Self> {
        match name.parse().ok()? {
            Tz::UTC | Tz::Etc__UTC | Tz::GMT | Tz::Etc__GMT => Some(Self::Utc),
            zone => Some(Self::Zone(zone)),
        }
    }

    /// The zone in words.
    pub fn name(self) -> String {
        match self {
            Self::Utc => "UTC".to_owned(),
            Self::Zone(zone) => zone.name().to_owned(),
            Self::Changed { before, at, after } => {
                let day = UtcMillis(at).to_string();
                let day = day.split('T').next().unwrap_or_default();
                format!("{after} ({before} before {day})")
            }
        }
    }

    /// Turns moments by this clock into UTC. They should be oldest first.
    ///
    /// Where the clock is set back and a moment comes twice, it is the first one unless that is not after the row before; where the clock is set
    /// forward, a moment that never was is read by the clock of before.
    pub fn to_utc(self, moments: &mut [UtcMillis]) {
        if self == Self::Utc {
            return;
        }
        let mut days = DayOffsets { clock: self, day: i64::MIN, offset: None };
        let mut last = i64::MIN;
        for moment in moments {
            let (first, second) = days.candidates(moment.0);
            last = if first > last { first } else { second };
            *moment = UtcMillis(last);
        }
    }

    fn zone_at(self, local: i64) -> Option<Tz> {
        match self {
            Self::Utc => None,
            Self::Zone(zone) => Some(zone),
            Self::Changed { before, at, after } => Some(if local < at { before } else { after }),
        }
    }
}

/// Remembers the offset of the last day on which the clock was not set.
struct DayOffsets {
    clock: Clock,
    day: i64,
    offset: Option<i64>,
}

impl DayOffsets {
    /// The moments in UTC that this reading of the clock may be: nearly always the same one twice.
    fn candidates(&mut self, local: i64) -> (i64, i64) {
        let day = local.div_euclid(DAY_MILLIS);
        if day != self.day {
            self.day = day;
            self.offset = self.offset_of_day(day);
        }
        if let Some(offset) = self.offset {
            let at = local.saturating_sub(offset);
            return (at, at);
        }
        let Some(zone) = self.clock.zone_at(local) else { return (local, local) };
        candidates(zone, local)
    }

    /// The offset, where it is the same from a day before to a day after.
    fn offset_of_day(&self, day: i64) -> Option<i64> {
        let start = day.checked_mul(DAY_MILLIS)?;
        let (first, last) = (start.checked_sub(DAY_MILLIS)?, start.checked_add(2 * DAY_MILLIS)?);
        let zone = self.clock.zone_at(first)?;
        if self.clock.zone_at(last)? != zone {
            return None;
        }
        let offset = offset_at(zone, first)?;
        let is_steady =
            (1..=6).all(|half| offset_at(zone, first + half * DAY_MILLIS / 2) == Some(offset));
        is_steady.then_some(offset)
    }
}

/// How far the zone is ahead of UTC at a moment of UTC, in milliseconds.
fn offset_at(zone: Tz, utc: i64) -> Option<i64> {
    let at = DateTime::from_timestamp_millis(utc)?;
    let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    Some(i64::from(offset.local_minus_utc()) * 1000)
}

fn candidates(zone: Tz, local: i64) -> (i64, i64) {
    let Some(naive) = DateTime::from_timestamp_millis(local).map(|at| at.naive_utc()) else {
        return (local, local);
    };
    let before = |offset: i64| local.saturating_sub(offset);
    let ahead = |at: DateTime<Tz>| i64::from(at.offset().fix().local_minus_utc()) * 1000;
    match zone.from_local_datetime(&naive) {
        MappedLocalTime::Single(at) => (before(ahead(at)), before(ahead(at))),
        MappedLocalTime::Ambiguous(first, second) => (before(ahead(first)), before(ahead(second))),
        MappedLocalTime::None => {
            let at = before(offset_at(zone, local.saturating_sub(DAY_MILLIS)).unwrap_or(0));
            (at, at)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utc(clock: Clock, locals: &[&str]) -> Vec<String> {
        let mut moments: Vec<UtcMillis> = locals.iter().map(|text| text.parse().unwrap()).collect();
        clock.to_utc(&mut moments);
        moments.iter().map(|at| at.to_string().trim_end_matches(":00Z").to_owned()).collect()
    }

    fn named(name: &str) -> Clock {
        Clock::named(name).unwrap()
    }

    #[test]
    fn exchange_time_follows_its_own_daylight_saving() {
        let new_york = named("America/New_York");
        let noons = utc(new_york, &["2021-03-12 12:00", "2021-03-15 12:00", "2021-11-08 12:00"]);
        assert_eq!(noons, ["2021-03-12T17:00", "2021-03-15T16:00", "2021-11-08T17:00"]);
        let europe = utc(named("Europe/Athens"), &["2021-03-26 12:00", "2021-03-29 12:00"]);
        assert_eq!(europe, ["2021-03-26T10:00", "2021-03-29T09:00"]);
        assert_eq!(utc(named("Etc/UTC"), &["2021-03-26 12:00"]), ["2021-03-26T12:00"]);
        assert_eq!(Clock::named("Mars/Olympus"), None);
    }

    #[test]
    fn hours_that_never_were_and_hours_that_come_twice() {
        let new_york = named("America/New_York");
        let spring = ["2021-03-14 01:30", "2021-03-14 02:30", "2021-03-14 03:30"];
        assert_eq!(
            utc(new_york, &spring),
            ["2021-03-14T06:30", "2021-03-14T07:30", "2021-03-14T07:30"]
        );
        let autumn =
            ["2021-11-07 00:30", "2021-11-07 01:30", "2021-11-07 01:30", "2021-11-07 02:30"];
        assert_eq!(
            utc(new_york, &autumn),
            ["2021-11-07T04:30", "2021-11-07T05:30", "2021-11-07T06:30", "2021-11-07T07:30"]
        );
    }

    #[test]
    fn a_broker_may_have_moved_its_clock() {
        let at = "2014-11-23".parse::<UtcMillis>().unwrap().0;
        let clock = Clock::Changed { before: Tz::Europe__Berlin, at, after: Tz::Europe__Athens };
        assert_eq!(clock.name(), "Europe/Athens (Europe/Berlin before 2014-11-23)");
        assert_eq!(
            utc(clock, &["2014-11-21 22:00", "2014-11-24 00:00", "2015-07-01 12:00"]),
            ["2014-11-21T21:00", "2014-11-23T22:00", "2015-07-01T09:00"]
        );
    }

    proptest! {
        #[test]
        fn what_the_clock_showed_is_read_back(hours in 0_i64..500_000, count in 1_usize..60) {
            for zone in [Tz::America__New_York, Tz::Europe__Athens, Tz::Asia__Kolkata] {
                let utc: Vec<UtcMillis> =
                    (0..count as i64).map(|step| UtcMillis((hours + step) * 3_600_000)).collect();
                let mut moments: Vec<UtcMillis> =
                    utc.iter().map(|at| UtcMillis(at.0 + offset_at(zone, at.0).unwrap())).collect();
                Clock::Zone(zone).to_utc(&mut moments);
                // Of an hour that comes twice, the first alone is taken for the first: the row before decides.
                let starts_in_second = utc[0] != moments[0];
                if !starts_in_second {
                    prop_assert_eq!(moments, utc);
                }
            }
        }
    }
}
