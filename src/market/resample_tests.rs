use proptest::prelude::*;
use serde::Deserialize;

use super::*;

const HOUR_MILLIS: i64 = 3_600_000;
/// 2024-01-01, a Monday.
const MONDAY_MILLIS: i64 = 1_704_067_200_000;

/// Bars that open so many hours after Monday 2024-01-01 with one price, and a volume of one.
fn flat(timeframe: &str, rows: &[(f64, f64)]) -> Bars {
    let prices: Vec<f64> = rows.iter().map(|(_, price)| *price).collect();
    let columns = BarColumns {
        open_time: rows
            .iter()
            .map(|(hour, _)| UtcMillis(MONDAY_MILLIS + (hour * HOUR_MILLIS as f64) as i64))
            .collect(),
        open: prices.clone(),
        high: prices.clone(),
        low: prices.clone(),
        close: prices,
        volume: vec![1.0; rows.len()],
    };
    Bars::new("T".parse().unwrap(), timeframe.parse().unwrap(), columns).unwrap()
}

/// Hour after Monday, open, high, low, close and volume of each bar.
fn shown(bars: &Bars) -> Vec<[f64; 6]> {
    let hour = |at: UtcMillis| (at.0 - MONDAY_MILLIS) as f64 / HOUR_MILLIS as f64;
    let row = |i: usize| {
        let numbers = [bars.open()[i], bars.high()[i], bars.low()[i], bars.close()[i]];
        let [open, high, low, close] = numbers;
        [hour(bars.open_time()[i]), open, high, low, close, bars.volume()[i]]
    };
    (0..bars.len()).map(row).collect()
}

#[test]
fn bars_are_put_together_on_the_utc_grid() {
    type Case<'a> = (&'a str, &'a str, &'a [(f64, f64)], &'a [[f64; 6]]);
    let cases: [Case; 8] = [
        // A series that begins and ends within a longer bar: the first is short, the last is left out.
        (
            "1h",
            "2h",
            &[(1.0, 5.0), (2.0, 7.0), (3.0, 6.0), (4.0, 9.0)],
            &[[0.0, 5.0, 5.0, 5.0, 5.0, 1.0], [2.0, 7.0, 7.0, 6.0, 6.0, 2.0]],
        ),
        // A longer bar with a bar missing inside, one with none of its bars, one whose last bar is missing.
        (
            "1h",
            "4h",
            &[(0.0, 5.0), (3.0, 4.0), (8.0, 2.0), (9.0, 3.0), (12.0, 1.0)],
            &[[0.0, 5.0, 5.0, 4.0, 4.0, 2.0], [8.0, 2.0, 3.0, 2.0, 3.0, 2.0]],
        ),
        // Off the grid: the bar from 23:30 closes on the next day.
        (
            "1h",
            "1d",
            &[(22.5, 5.0), (23.5, 6.0), (46.5, 7.0), (47.5, 8.0)],
            &[[0.0, 5.0, 5.0, 5.0, 5.0, 1.0], [24.0, 6.0, 7.0, 6.0, 7.0, 2.0]],
        ),
        // A broker's days, from 22:00 to 22:00 with Sunday's evening in Monday: one trading week in one week.
        (
            "1d",
            "1w",
            &[(-2.0, 1.0), (22.0, 2.0), (46.0, 3.0), (70.0, 4.0), (94.0, 5.0), (166.0, 6.0)],
            &[[0.0, 1.0, 5.0, 1.0, 5.0, 5.0]],
        ),
        // The stock day: three 4-hour bars, the last one only once something closes at or after its end.
        (
            "1h",
            "4h",
            &[(14.0, 1.0), (15.0, 2.0), (16.0, 3.0), (20.0, 4.0), (38.0, 5.0)],
            &[
                [12.0, 1.0, 2.0, 1.0, 2.0, 2.0],
                [16.0, 3.0, 3.0, 3.0, 3.0, 1.0],
                [20.0, 4.0, 4.0, 4.0, 4.0, 1.0],
            ],
        ),
        (
            "1h",
            "1h",
            &[(0.0, 5.0), (5.0, 6.0)],
            &[[0.0, 5.0, 5.0, 5.0, 5.0, 1.0], [5.0, 6.0, 6.0, 6.0, 6.0, 1.0]],
        ),
        ("1h", "1d", &[(0.0, 5.0)], &[]),
        ("1h", "1d", &[], &[]),
    ];
    for (from, to, rows, expected) in cases {
        let resampled = resample(&flat(from, rows), to.parse().unwrap()).unwrap();
        assert_eq!(shown(&resampled), expected, "{from} to {to}: {rows:?}");
        assert_eq!(resampled.timeframe().to_string(), to);
    }
}

#[test]
fn only_multiples_can_be_made() {
    for (from, to) in [("4h", "1h"), ("4h", "6h"), ("1d", "36h")] {
        let error = resample(&flat(from, &[]), to.parse().unwrap()).unwrap_err().to_string();
        let expected =
            format!("bars of {to} cannot be made from bars of {from}; expected a multiple");
        assert!(error.contains(&expected), "{error}");
    }
}

#[test]
fn a_longer_bar_is_seen_from_its_close_on() {
    let base =
        flat("1h", &[(0.0, 1.0), (2.0, 1.0), (3.0, 1.0), (4.0, 1.0), (7.0, 1.0), (9.0, 1.0)]);
    let longer = resample(&base, "4h".parse().unwrap()).unwrap();
    assert_eq!(last_closed(&base, &longer), [None, None, Some(0), Some(0), Some(1), Some(1)]);
    assert_eq!(last_closed(&longer, &longer), [Some(0), Some(1)]);
    assert_eq!(last_closed(&base, &longer.truncated(0)), [None; 6]);
}

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    from: Timeframe,
    to: Timeframe,
    bars: Table,
    resampled: Table,
}

#[derive(Debug, Deserialize)]
struct Table {
    open_time: Vec<i64>,
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
}

impl Table {
    fn bars(self, timeframe: Timeframe) -> Bars {
        let Self { open_time, open, high, low, close, volume } = self;
        let open_time = open_time.into_iter().map(UtcMillis).collect();
        let columns = BarColumns { open_time, open, high, low, close, volume };
        Bars::new("T".parse().unwrap(), timeframe, columns).unwrap()
    }
}

#[test]
fn resampling_agrees_with_pandas() {
    let golden: Golden =
        serde_json::from_str(include_str!("../../tests/golden/resample.json")).unwrap();
    assert_eq!(golden.cases.len(), 6);
    for case in golden.cases {
        let resampled = resample(&case.bars.bars(case.from), case.to).unwrap();
        let expected = case.resampled.bars(case.to);
        assert!(expected.len() > 5, "{}", case.name);
        assert_eq!(resampled, expected, "{}", case.name);
    }
}

/// Bars on or off the grid, with holes.
fn any_bars() -> impl Strategy<Value = Bars> {
    let bar = (1..6_i64, 1..1000_u32, 0..50_u32, 0..50_u32, 0..1000_u32);
    (-500..500_i64, 0..60_i64, prop::collection::vec(bar, 1..200)).prop_map(
        |(start, minute, rows)| {
            let mut columns = BarColumns::default();
            let mut at = MONDAY_MILLIS + start * HOUR_MILLIS + minute * 60_000;
            for (skip, low, body, top, volume) in rows {
                at += skip * HOUR_MILLIS;
                let (low, body, top) = (f64::from(low), f64::from(body), f64::from(top));
                columns.open_time.push(UtcMillis(at));
                columns.open.push(low);
                columns.close.push(low + body);
                columns.high.push(low + body + top);
                columns.low.push(low);
                columns.volume.push(f64::from(volume));
            }
            Bars::new("T".parse().unwrap(), "1h".parse().unwrap(), columns).unwrap()
        },
    )
}

fn highest(prices: &[f64]) -> f64 {
    prices.iter().copied().fold(0.0, f64::max)
}

fn lowest(prices: &[f64]) -> f64 {
    prices.iter().copied().fold(f64::INFINITY, f64::min)
}

proptest! {
    #[test]
    fn high_low_and_volume_are_conserved(bars in any_bars(), hours in prop::sample::select(vec![2, 3, 4, 5, 24, 168])) {
        let to = Timeframe::from_minutes(60 * hours).unwrap();
        let resampled = resample(&bars, to).unwrap();
        // What lies in the last longer bar, which is not over, is all that is missing.
        let end = resampled.len().checked_sub(1).map(|last| resampled.close_time(last));
        let kept = (0..bars.len()).filter(|&row| Some(bars.close_time(row)) <= end).count();
        let kept = bars.truncated(kept);
        prop_assert_eq!(resampled.volume().iter().sum::<f64>(), kept.volume().iter().sum::<f64>());
        prop_assert_eq!(highest(resampled.high()), highest(kept.high()));
        prop_assert_eq!(lowest(resampled.low()), lowest(kept.low()));
        prop_assert_eq!(resampled.open().first(), kept.open().first());
        prop_assert_eq!(resampled.close().last(), kept.close().last());
    }

    #[test]
    fn the_first_bars_give_the_first_of_the_longer_bars(bars in any_bars(), hours in 1..30_u32, cut in 0.0..1.0) {
        let to = Timeframe::from_minutes(60 * hours).unwrap();
        let whole = resample(&bars, to).unwrap();
        let part = bars.truncated((bars.len() as f64 * cut) as usize);
        let of_part = resample(&part, to).unwrap();
        prop_assert_eq!(&of_part, &whole.truncated(of_part.len()));
        // And nothing known by then is missing.
        let last = part.len().checked_sub(1).map(|row| part.close_time(row));
        let known = (0..whole.len()).filter(|&row| Some(whole.close_time(row)) <= last).count();
        prop_assert_eq!(of_part.len(), known);
        for (row, seen) in last_closed(&bars, &whole).into_iter().enumerate() {
            let by_hand = (0..whole.len()).rfind(|&bar| whole.close_time(bar) <= bars.close_time(row));
            prop_assert_eq!(seen, by_hand);
        }
    }
}
