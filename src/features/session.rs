//! The symbol's opening hours as far as its past tells them.

use crate::market::Bars;

const WEEK_MILLIS: i64 = 7 * 86_400_000;
/// 1970-01-05, a Monday.
const FIRST_MONDAY_MILLIS: i64 = 4 * 86_400_000;
const HOUR_MILLIS: f64 = 3_600_000.0;
/// Traded weeks before the bar's own from which the hours are learnt.
const WEEKS: usize = 4;

/// Hours from the opening of the session to the bar's close, and from there to the session's close.
///
/// A slot of the week (UTC) belongs to a session when at least two of the last four traded weeks before the bar's own had a bar there; the
/// bar's own slot always does. A session is a run of such slots. Both are 0 in a market that never closes; NaN before there are four weeks
/// (not counting the one in which the series begins), and where the timeframe does not divide the week.
pub(super) fn hours(bars: &Bars) -> [Vec<f64>; 2] {
    let mut columns = [Vec::with_capacity(bars.len()), Vec::with_capacity(bars.len())];
    let length = bars.timeframe().millis();
    if WEEK_MILLIS % length != 0 {
        return columns.map(|_| vec![f64::NAN; bars.len()]);
    }
    let slots = usize::try_from(WEEK_MILLIS / length).expect("a week has few slots");
    let place = |t: usize| {
        let slot = (bars.open_time()[t].0.saturating_sub(FIRST_MONDAY_MILLIS)).div_euclid(length);
        let slots = i64::try_from(slots).expect("a week has few slots");
        (slot.div_euclid(slots), slot.rem_euclid(slots) as usize)
    };
    // The traded weeks before the current one, newest last; not the first, which the series may begin within.
    let mut past: Vec<Vec<bool>> = Vec::new();
    let mut current: Option<(i64, Vec<bool>)> = None;
    let mut is_first_week = true;
    let mut usual = Vec::new();
    for t in 0..bars.len() {
        let (week, slot) = place(t);
        if current.as_ref().is_none_or(|(number, _)| *number != week) {
            if let Some((_, traded)) = current.take() {
                if !is_first_week {
                    past.push(traded);
                }
                is_first_week = false;
            }
            if past.len() > WEEKS {
                past.remove(0);
            }
            usual = (0..slots).map(|slot| is_usual(&past, slot)).collect();
            current = Some((week, vec![false; slots]));
        }
        if let Some((_, traded)) = &mut current {
            traded[slot] = true;
        }
        let hours = if past.len() < WEEKS {
            [f64::NAN; 2]
        } else {
            let [before, after] = around(&usual, slot);
            let never_closes = before + after + 1 >= slots;
            let hours = if never_closes { 0.0 } else { length as f64 / HOUR_MILLIS };
            [(before + 1) as f64 * hours, after as f64 * hours]
        };
        for (column, hours) in columns.iter_mut().zip(hours) {
            column.push(hours);
        }
    }
    columns
}

fn is_usual(weeks: &[Vec<bool>], slot: usize) -> bool {
    2 * weeks.iter().filter(|week| week[slot]).count() >= weeks.len().max(1)
}

/// Usual slots in a row before this one and after it, round the end of the week; at most all.
fn around(usual: &[bool], slot: usize) -> [usize; 2] {
    let slots = usual.len();
    let run = |place: &dyn Fn(usize) -> usize| (1..slots).take_while(|i| usual[place(*i)]).count();
    [run(&|i| (slot + slots - i) % slots), run(&|i| (slot + i) % slots)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::golden::bars_at_hours;

    /// From Thursday, 1970-01-01: bars at these hours of every weekday.
    fn weekday_bars(days: i64, hours: std::ops::Range<i64>) -> Vec<i64> {
        let is_weekday = |day: &i64| (day + 3) % 7 < 5;
        (0..days)
            .filter(is_weekday)
            .flat_map(|day| hours.clone().map(move |hour| day * 24 + hour))
            .collect()
    }

    #[test]
    fn hours_are_counted_within_the_session() {
        let opens = weekday_bars(50, 14..21);
        let [since, to] = hours(&bars_at_hours(&opens));
        let first = since.iter().position(|value| !value.is_nan()).unwrap();
        // Four whole weeks from Monday the 5th on.
        assert_eq!(opens[first], (4 + 28) * 24 + 14);
        assert_eq!(since[first..first + 8], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 1.0]);
        assert_eq!(to[first..first + 8], [6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0, 6.0]);
    }

    #[test]
    fn a_market_that_never_closes_has_no_session() {
        let opens: Vec<i64> = (0..24 * 40).collect();
        let [since, to] = hours(&bars_at_hours(&opens));
        let known = (4 + 28) * 24;
        assert!(since[..known].iter().all(|value| value.is_nan()));
        assert!(since[known..].iter().chain(&to[known..]).all(|value| *value == 0.0));
    }

    #[test]
    fn a_bar_outside_the_usual_hours_is_a_session_of_its_own() {
        let mut opens = weekday_bars(50, 14..21);
        let odd = (4 + 28 + 1) * 24 + 3;
        opens.push(odd);
        opens.sort_unstable();
        let [since, to] = hours(&bars_at_hours(&opens));
        let t = opens.iter().position(|open| *open == odd).unwrap();
        assert_eq!((since[t], to[t]), (1.0, 0.0));
    }
}
