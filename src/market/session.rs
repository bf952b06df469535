use std::ops::Range;

use super::Bars;
use crate::domain::UtcMillis;

const WEEK_MILLIS: i64 = 7 * 86_400_000;
/// 1970-01-05, a Monday.
const FIRST_MONDAY_MILLIS: i64 = 4 * 86_400_000;
/// Fewer weeks than this teach no pattern.
const MIN_WEEKS: usize = 4;
/// How many traded weeks on either side decide what is usual in a week.
const WEEKS_AROUND: usize = 4;

/// When a symbol usually trades, learnt from its own bars: which slots of the week (UTC, from Monday 00:00) have a bar.
///
/// A slot is usual in a week when at least half of the nine traded weeks around it have a bar there. Judging by the weeks nearby lets a
/// session move with daylight saving time or a change of trading hours; a week without any bar does not count, so that a long
/// outage makes nothing unusual. Sessions describe the file, not a decision: they only say which windows are whole.
///
/// With fewer than four traded weeks, or a timeframe that does not divide the week, every slot is usual: a closed weekend then
/// counts as a break, which costs windows but never joins what does not belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPattern {
    slots: Slots,
    /// Traded weeks in order, with one flag for each slot; none where every slot is usual.
    weeks: Vec<(i64, Vec<bool>)>,
}

impl SessionPattern {
    /// Learns the pattern of these bars.
    #[must_use]
    pub fn of(bars: &Bars) -> Self {
        let slots = Slots { timeframe_millis: bars.timeframe().millis() };
        let Some(per_week) = slots.per_week() else { return Self { slots, weeks: Vec::new() } };
        let traded = traded_weeks(bars.open_time(), slots, per_week);
        if traded.len() < MIN_WEEKS {
            return Self { slots, weeks: Vec::new() };
        }
        let usual = (0..traded.len()).map(|week| {
            let around =
                week.saturating_sub(WEEKS_AROUND)..(week + WEEKS_AROUND + 1).min(traded.len());
            (traded[week].number, usual_slots(&traded[around], per_week))
        });
        Self { slots, weeks: usual.collect() }
    }

    /// For each bar, whether at least one usual slot between the bar before and this one has no bar. Never at the first bar.
    #[must_use]
    pub fn breaks(&self, bars: &Bars) -> Vec<bool> {
        let mut breaks = vec![false; bars.len()];
        for (pair, is_break) in bars.open_time().windows(2).zip(breaks.iter_mut().skip(1)) {
            let missing = self.slots.of(pair[0]) + 1..self.slots.of(pair[1]);
            *is_break = self.expects_any(missing);
        }
        breaks
    }

    /// Every stretch between two bars in which usual slots have no bar, in order.
    pub(super) fn gaps(&self, bars: &Bars) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (row, pair) in (1..).zip(bars.open_time().windows(2)) {
            let missing = self.slots.of(pair[0]) + 1..self.slots.of(pair[1]);
            if !missing.is_empty() && self.expects_any(missing.clone()) {
                gaps.push(self.gap(row, missing));
            }
        }
        gaps
    }

    /// Whether the market is regularly closed at some time within a gap.
    pub(super) fn spans_closed_hours(&self, bars: &Bars, gap: Gap) -> bool {
        let opens = bars.open_time();
        let slots = self.slots.of(opens[gap.row]) - self.slots.of(opens[gap.row - 1]) - 1;
        u64::try_from(slots).is_ok_and(|slots| gap.missing < slots)
    }

    fn gap(&self, row: usize, missing: Range<i64>) -> Gap {
        let length = u64::try_from(missing.end - missing.start).unwrap_or(0);
        let Some(per_week) = self.slots.per_week().filter(|_| !self.weeks.is_empty()) else {
            return Gap { row, missing: length, per_day: None };
        };
        let usual_of = |week: &[bool]| week.iter().filter(|usual| **usual).count() as u64;
        let mut usual = 0;
        let mut from = missing.start;
        while from < missing.end {
            let (number, place) = week_and_place(from, per_week);
            let nearest = self.nearest(number);
            let whole_weeks = (missing.end - from) / to_i64(per_week);
            if place == 0 && whole_weeks > 0 {
                // All whole weeks up to the next known one look the same.
                let until = match self.weeks.get(nearest) {
                    Some((known, _)) if *known > number => (known - number).min(whole_weeks),
                    Some((known, _)) if *known < number => whole_weeks,
                    _ => 1,
                };
                usual += usual_of(&self.weeks[nearest].1) * u64::try_from(until).unwrap_or(0);
                from += until * to_i64(per_week);
            } else {
                let rest = (per_week - place).min(usize::try_from(missing.end - from).unwrap_or(0));
                usual += usual_of(&self.weeks[nearest].1[place..place + rest]);
                from += to_i64(rest);
            }
        }
        let (number, _) = week_and_place(missing.start, per_week);
        let week = &self.weeks[self.nearest(number)].1;
        let per_day = (!week.iter().all(|usual| *usual)).then(|| slots_of_a_day(week));
        Gap { row, missing: usual, per_day }
    }

    fn expects_any(&self, missing: Range<i64>) -> bool {
        let Some(per_week) = self.slots.per_week().filter(|_| !self.weeks.is_empty()) else {
            return !missing.is_empty();
        };
        let has_whole_week = missing.end.saturating_sub(missing.start) >= to_i64(per_week);
        has_whole_week || missing.into_iter().any(|slot| self.is_usual(slot, per_week))
    }

    fn is_usual(&self, slot: i64, per_week: usize) -> bool {
        let (number, place) = week_and_place(slot, per_week);
        self.weeks[self.nearest(number)].1[place]
    }

    /// Position of the first traded week from this one on, or of the last one.
    fn nearest(&self, number: i64) -> usize {
        self.weeks.partition_point(|(week, _)| *week < number).min(self.weeks.len() - 1)
    }
}

/// A stretch in which bars are missing against the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// The bar after it.
    pub row: usize,
    /// Usual slots without a bar; all slots where nothing is known of sessions.
    pub missing: u64,
    /// Slots of an ordinary trading day; `None` in a market that does not close.
    pub per_day: Option<u64>,
}

/// Usual slots of a week by the days that have some. At timeframes from a day on a slot is a day.
fn slots_of_a_day(week: &[bool]) -> u64 {
    let per_day = week.len().div_ceil(7);
    let of_days = week.chunks(per_day).map(|day| day.iter().filter(|usual| **usual).count() as u64);
    of_days.max().unwrap_or(1).max(1)
}

/// Numbers the slots of all time, from the first Monday on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slots {
    timeframe_millis: i64,
}

impl Slots {
    fn of(self, open: UtcMillis) -> i64 {
        open.0.saturating_sub(FIRST_MONDAY_MILLIS).div_euclid(self.timeframe_millis)
    }

    fn per_week(self) -> Option<usize> {
        (WEEK_MILLIS % self.timeframe_millis == 0)
            .then(|| usize::try_from(WEEK_MILLIS / self.timeframe_millis).ok())
            .flatten()
    }
}

fn week_and_place(slot: i64, per_week: usize) -> (i64, usize) {
    let per_week = to_i64(per_week);
    let place = usize::try_from(slot.rem_euclid(per_week)).unwrap_or(0);
    (slot.div_euclid(per_week), place)
}

fn to_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A week in which the symbol has a bar.
struct TradedWeek {
    number: i64,
    has_bar: Vec<bool>,
    /// The slots that lie within the data: the first and the last week may be cut.
    known: Range<usize>,
}

fn traded_weeks(opens: &[UtcMillis], slots: Slots, per_week: usize) -> Vec<TradedWeek> {
    let mut weeks: Vec<TradedWeek> = Vec::new();
    for &open in opens {
        let (number, place) = week_and_place(slots.of(open), per_week);
        if weeks.last().is_none_or(|week| week.number != number) {
            let known = if weeks.is_empty() { place..per_week } else { 0..per_week };
            weeks.push(TradedWeek { number, has_bar: vec![false; per_week], known });
        }
        if let Some(week) = weeks.last_mut() {
            week.has_bar[place] = true;
        }
    }
    if let (Some(week), Some(&last)) = (weeks.last_mut(), opens.last()) {
        week.known.end = week_and_place(slots.of(last), per_week).1 + 1;
    }
    weeks
}

/// The slots with a bar in at least half of the weeks that know about them.
fn usual_slots(weeks: &[TradedWeek], per_week: usize) -> Vec<bool> {
    let mut balance = vec![0_i32; per_week];
    for week in weeks {
        for place in week.known.clone() {
            balance[place] += if week.has_bar[place] { 1 } else { -1 };
        }
    }
    balance.into_iter().map(|balance| balance >= 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::BarColumns;

    const HOUR_MILLIS: i64 = 3_600_000;

    /// Bars that open at these hours after Monday 2024-01-01T00:00Z.
    fn bars(timeframe: &str, hours: impl Iterator<Item = i64>) -> Bars {
        let monday = 1_704_067_200_000;
        let open_time: Vec<_> = hours.map(|hour| UtcMillis(monday + hour * HOUR_MILLIS)).collect();
        let ones = vec![1.0; open_time.len()];
        let columns = BarColumns {
            open_time,
            open: ones.clone(),
            high: ones.clone(),
            low: ones.clone(),
            close: ones.clone(),
            volume: ones,
        };
        Bars::new("T".parse().unwrap(), timeframe.parse().unwrap(), columns).unwrap()
    }

    /// The hours of these bars that are breaks.
    fn break_hours(bars: &Bars) -> Vec<i64> {
        let breaks = SessionPattern::of(bars).breaks(bars);
        let first = 1_704_067_200_000;
        let opens = bars.open_time().iter().zip(breaks);
        opens
            .filter(|(_, is_break)| *is_break)
            .map(|(at, _)| (at.0 - first) / HOUR_MILLIS)
            .collect()
    }

    fn hours(weeks: i64) -> impl Iterator<Item = i64> {
        0..weeks * 168
    }

    fn is_weekday(hour: i64) -> bool {
        hour % 168 < 120
    }

    #[test]
    fn a_round_the_clock_market_breaks_where_a_bar_is_missing() {
        assert!(break_hours(&bars("1h", hours(10))).is_empty());
        let with_holes = hours(10).filter(|hour| !matches!(hour, 500 | 700..=702 | 900..=1200));
        assert_eq!(break_hours(&bars("1h", with_holes)), [501, 703, 1201]);
    }

    #[test]
    fn weekends_and_nights_are_no_breaks_but_holidays_are() {
        let session = |hour: &i64| is_weekday(*hour) && (8..17).contains(&(hour % 24));
        assert!(break_hours(&bars("1h", hours(20).filter(session))).is_empty());
        let holiday = 10 * 168 + 48;
        let with_holiday =
            hours(20).filter(session).filter(|hour| !(holiday..holiday + 24).contains(hour));
        assert_eq!(break_hours(&bars("1h", with_holiday)), [holiday + 24 + 8]);
    }

    #[test]
    fn a_session_may_move_with_daylight_saving_time() {
        let session = |hour: &i64| {
            let start = if (13..33).contains(&(hour / 168)) { 13 } else { 14 };
            is_weekday(*hour) && (start..start + 7).contains(&(hour % 24))
        };
        assert!(break_hours(&bars("1h", hours(52).filter(session))).is_empty());
    }

    #[test]
    fn months_without_data_are_one_break() {
        let outage = |hour: &i64| is_weekday(*hour) && !(12..40).contains(&(hour / 168));
        assert_eq!(break_hours(&bars("1h", hours(52).filter(outage))), [40 * 168]);
    }

    #[test]
    fn few_weeks_teach_nothing_so_every_gap_is_a_break() {
        let weekdays = |weeks| hours(weeks).filter(|hour| is_weekday(*hour));
        assert_eq!(break_hours(&bars("1h", weekdays(3))), [168, 336]);
        assert!(break_hours(&bars("1h", weekdays(4))).is_empty());
    }

    #[test]
    fn cut_weeks_at_the_ends_count_only_where_they_have_data() {
        let cut = hours(6).filter(|hour| is_weekday(*hour)).skip(40).take(460);
        assert!(break_hours(&bars("1h", cut)).is_empty());
    }

    #[test]
    fn days_and_weeks_have_patterns_too() {
        let days = |weeks: i64| (0..weeks * 7).filter(|day| day % 7 < 5).map(|day| day * 24);
        assert!(break_hours(&bars("1d", days(8))).is_empty());
        let holiday = days(8).filter(|hour| *hour != 23 * 24);
        assert_eq!(break_hours(&bars("1d", holiday)), [24 * 24]);
        let weeks = (0..30).filter(|week| *week != 7).map(|week| week * 168 + 5);
        assert_eq!(break_hours(&bars("1w", weeks)), [8 * 168 + 5]);
        let odd = (0..100).filter(|bar| *bar != 50).map(|bar| bar * 5);
        assert_eq!(break_hours(&bars("5h", odd)), [51 * 5]);
    }

    #[test]
    fn a_pattern_serves_other_bars_of_its_symbol() {
        let all = bars("1h", hours(10).filter(|hour| is_weekday(*hour)));
        let late = bars("1h", (1680..3000).filter(|hour| is_weekday(*hour) && *hour != 1700));
        let breaks = SessionPattern::of(&all).breaks(&late);
        assert_eq!(breaks.iter().filter(|is_break| **is_break).count(), 1);
        assert!(SessionPattern::of(&bars("1h", 0..0)).breaks(&all.truncated(0)).is_empty());
    }
}
