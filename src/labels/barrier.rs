use super::compute::{Labels, is_up};
use super::first_touch::FirstTouch;
use super::volatility::causal_volatility;
use crate::domain::UtcMillis;
use crate::market::Bars;
use crate::spec::Timeout;

/// Where the barriers of [`triple_barrier`] stand, as in [`crate::spec::LabelSpec::TripleBarrier`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Barriers {
    pub(super) horizon: usize,
    pub(super) profit_take: f64,
    pub(super) stop_loss: f64,
    pub(super) volatility_window: usize,
    pub(super) timeout: Timeout,
}

/// The triple barrier of López de Prado 2018, §3.4, for a position bought at the open of bar t+1. `next_bar_return` stays empty.
///
/// - The barriers stand at `open[t+1] × (1 + profit_take × volatility[t])` and `open[t+1] × (1 - stop_loss × volatility[t])` and are watched in
///   the bars t+1 ..= t+horizon.
/// - The first bar that touches one of them ends the label, at that bar's close; it is sold at the barrier, or at the bar's open where that lies
///   beyond. A bar that touches both counts as a stop: which came first is not known.
/// - Where none is touched it is sold at `open[t+1+horizon]`, and the label ends there.
/// - There is no label where there is no volatility, and none in the last `horizon + 1` bars even if a barrier is touched: only those that end
///   early would be left there, and they are no fair sample.
///
/// O(n log horizon).
pub(super) fn triple_barrier(barriers: Barriers, bars: &Bars) -> Labels {
    let Barriers { horizon, profit_take, stop_loss, volatility_window, timeout } = barriers;
    let count = bars.len();
    let mut labels = Labels {
        value: vec![f32::NAN; count],
        outcome: vec![f64::NAN; count],
        end_time: vec![UtcMillis(i64::MAX); count],
        next_bar_return: Vec::new(),
    };
    let volatility = causal_volatility(bars.close(), volatility_window);
    let highs = FirstTouch::new(bars.high().to_vec(), horizon);
    let lows = FirstTouch::new(bars.low().iter().map(|low| -low).collect(), horizon);
    let labelled = count.saturating_sub(horizon.saturating_add(1));
    let profit = match timeout {
        Timeout::Sign | Timeout::LeaveOut => 1.0,
        Timeout::Class => 2.0,
    };
    for (t, &volatility) in volatility.iter().enumerate().take(labelled) {
        if volatility.is_nan() || volatility <= 0.0 {
            continue;
        }
        let (first, after) = (t + 1, t + 1 + horizon);
        let entry = bars.open()[first];
        let upper = entry * (1.0 + profit_take * volatility);
        let lower = entry * (1.0 - stop_loss * volatility);
        let up = highs.at_least(upper, first, after);
        // No later than the profit: where both are touched in one bar, the stop counts.
        let down = lows.at_least(-lower, first, up.map_or(after, |up| up + 1));
        let (exit, end, value) = match (up, down) {
            (_, Some(bar)) => (lower.min(bars.open()[bar]), bars.close_time(bar), Some(0.0)),
            (Some(bar), None) => (upper.max(bars.open()[bar]), bars.close_time(bar), Some(profit)),
            (None, None) => (bars.open()[after], bars.open_time()[after], None),
        };
        let outcome = exit / entry - 1.0;
        if !outcome.is_finite() {
            continue;
        }
        labels.outcome[t] = outcome;
        labels.end_time[t] = end;
        labels.value[t] = match (value, timeout) {
            (Some(value), _) => value,
            (None, Timeout::Sign) => is_up(outcome),
            (None, Timeout::LeaveOut) => f32::NAN,
            (None, Timeout::Class) => 1.0,
        };
    }
    labels
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::market::BarColumns;

    const HOUR: i64 = 3_600_000;

    /// Open, high, low, close of hourly bars.
    fn bars(prices: &[[f64; 4]]) -> Bars {
        let column = |place: usize| prices.iter().map(|price| price[place]).collect::<Vec<_>>();
        let columns = BarColumns {
            open_time: (0..).take(prices.len()).map(|hour: i64| UtcMillis(hour * HOUR)).collect(),
            open: column(0),
            high: column(1),
            low: column(2),
            close: column(3),
            volume: vec![1.0; prices.len()],
        };
        Bars::new("T".parse().unwrap(), "1h".parse().unwrap(), columns).unwrap()
    }

    fn spec(horizon: usize, timeout: Timeout) -> Barriers {
        Barriers { horizon, profit_take: 1.0, stop_loss: 1.0, volatility_window: 2, timeout }
    }

    /// Three bars that give bar 2 a volatility of about 10 %, and then what the position bought at 100 sees.
    fn after(bars_held: &[[f64; 4]]) -> Bars {
        let wild = [[100.0; 4], [100.0, 107.0, 100.0, 107.0], [107.0, 107.0, 99.0, 100.0]];
        bars(&[&wild[..], bars_held].concat())
    }

    #[test]
    fn the_first_touch_decides_and_its_bar_ends_the_label() {
        let calm = [100.0, 101.0, 99.0, 100.0];
        let volatility = causal_volatility(after(&[]).close(), 2)[2];
        let (upper, lower) = (volatility, -volatility);
        assert!(upper > 0.09 && upper < 0.1, "{upper}");
        for (case, held, value, outcome, end) in [
            // It is bought at the open of hour 3.
            (
                "profit in its first bar",
                [[100.0, 120.0, 99.0, 100.0], calm, calm, calm],
                1.0,
                upper,
                4,
            ),
            (
                "stop in its first bar",
                [[100.0, 101.0, 80.0, 100.0], calm, calm, calm],
                0.0,
                lower,
                4,
            ),
            ("both: the worse", [[100.0, 120.0, 80.0, 100.0], calm, calm, calm], 0.0, lower, 4),
            ("profit later", [calm, calm, [100.0, 120.0, 99.0, 100.0], calm], 1.0, upper, 6),
            (
                "stop before profit",
                [calm, [100.0, 101.0, 80.0, 100.0], [100.0, 120.0, 99.0, 100.0], calm],
                0.0,
                lower,
                5,
            ),
            ("opens above", [calm, [130.0, 140.0, 125.0, 130.0], calm, calm], 1.0, 0.3, 5),
            ("opens below", [calm, [70.0, 75.0, 65.0, 70.0], calm, calm], 0.0, -0.3, 5),
            // The resting order would have been filled at the open, but two touches are a stop, without exception.
            (
                "opens above and falls below",
                [calm, [130.0, 140.0, 60.0, 70.0], calm, calm],
                0.0,
                lower,
                5,
            ),
            ("time runs out", [calm, calm, calm, [105.0, 105.0, 99.0, 100.0]], 1.0, 0.05, 6),
            ("time runs out lower", [calm, calm, calm, [95.0, 101.0, 95.0, 100.0]], 0.0, -0.05, 6),
            // The bar at whose open it is sold is watched no more.
            ("touched too late", [calm, calm, calm, [100.0, 150.0, 50.0, 100.0]], 0.0, 0.0, 6),
        ] {
            let labels = triple_barrier(spec(3, Timeout::Sign), &after(&held));
            assert!((labels.outcome[2] - outcome).abs() < 1e-12, "{case}: {}", labels.outcome[2]);
            assert_eq!(
                (labels.value[2], labels.end_time[2]),
                (value, UtcMillis(end * HOUR)),
                "{case}"
            );
            assert!(
                labels.value[3].is_nan() && labels.end_time[3] == UtcMillis(i64::MAX),
                "{case}"
            );
        }
    }

    #[test]
    fn a_timeout_may_be_left_out_and_keeps_its_outcome() {
        let calm = [100.0, 101.0, 99.0, 100.0];
        let held = [calm, calm, calm, [105.0, 105.0, 99.0, 100.0]];
        let labels = triple_barrier(spec(3, Timeout::LeaveOut), &after(&held));
        assert!(labels.value[2].is_nan() && (labels.outcome[2] - 0.05).abs() < 1e-12);
        assert_eq!(labels.end_time[2], UtcMillis(6 * HOUR));
    }

    #[test]
    fn a_timeout_may_be_a_class_of_its_own() {
        let calm = [100.0, 101.0, 99.0, 100.0];
        for (held, class) in [
            ([calm, [100.0, 101.0, 80.0, 100.0], calm, calm], 0.0),
            ([calm, calm, calm, [105.0, 105.0, 99.0, 100.0]], 1.0),
            ([calm, calm, [100.0, 120.0, 99.0, 100.0], calm], 2.0),
        ] {
            let labels = triple_barrier(spec(3, Timeout::Class), &after(&held));
            assert_eq!(labels.value[2], class);
            let signed = triple_barrier(spec(3, Timeout::Sign), &after(&held));
            assert_eq!(labels.outcome[2], signed.outcome[2], "the outcome stays what is earned");
            assert_eq!(labels.end_time, signed.end_time);
        }
    }

    #[test]
    fn without_volatility_there_is_no_barrier() {
        let labels = triple_barrier(spec(2, Timeout::Sign), &bars(&[[5.0; 4]; 20]));
        assert!(labels.outcome.iter().all(|outcome| outcome.is_nan()));
        assert!(triple_barrier(spec(usize::MAX, Timeout::Sign), &bars(&[[5.0; 4]; 3])).len() == 3);
    }

    /// Bar by bar, as the definition reads.
    fn plain(barriers: Barriers, bars: &Bars) -> Vec<(f32, f64, UtcMillis)> {
        let Barriers { horizon, profit_take, stop_loss, volatility_window, timeout } = barriers;
        let volatility = causal_volatility(bars.close(), volatility_window);
        let nothing = (f32::NAN, f64::NAN, UtcMillis(i64::MAX));
        let one = |t: usize| {
            if t + 1 + horizon >= bars.len() || volatility[t].is_nan() || volatility[t] == 0.0 {
                return nothing;
            }
            let entry = bars.open()[t + 1];
            let upper = entry * (1.0 + profit_take * volatility[t]);
            let lower = entry * (1.0 - stop_loss * volatility[t]);
            for bar in t + 1..=t + horizon {
                let open = bars.open()[bar];
                if bars.low()[bar] <= lower {
                    return (0.0, lower.min(open) / entry - 1.0, bars.close_time(bar));
                }
                if bars.high()[bar] >= upper {
                    let profit = if timeout == Timeout::Class { 2.0 } else { 1.0 };
                    return (profit, upper.max(open) / entry - 1.0, bars.close_time(bar));
                }
            }
            let outcome = bars.open()[t + 1 + horizon] / entry - 1.0;
            let value = match timeout {
                Timeout::Sign => f32::from(u8::from(outcome > 0.0)),
                Timeout::LeaveOut => f32::NAN,
                Timeout::Class => 1.0,
            };
            (value, outcome, bars.open_time()[t + 1 + horizon])
        };
        (0..bars.len()).map(one).collect()
    }

    /// Markets that gap, stand still and jump.
    fn markets() -> impl Strategy<Value = Bars> {
        let bar = (-0.03..0.03_f64, -0.03..0.03_f64, 0.0..0.03_f64, 0.0..0.03_f64, 0..4_u8);
        prop::collection::vec(bar, 0..150).prop_map(|steps| {
            let mut close = 100.0_f64;
            let prices = steps.into_iter().map(|(gap, body, above, below, kind)| {
                let open = if kind == 0 { close * (1.0 + gap) } else { close };
                let body = if kind == 1 { 0.0 } else { body };
                close = open * (1.0 + body);
                [open, open.max(close) * (1.0 + above), open.min(close) * (1.0 - below), close]
            });
            bars(&prices.collect::<Vec<_>>())
        })
    }

    proptest! {
        #[test]
        fn it_is_what_the_plain_reading_says(
            bars in markets(), horizon in 1..40_usize, profit_take in 0.1..4.0_f64, stop_loss in 0.1..4.0_f64,
            volatility_window in 2..20_usize,
            timeout in prop::sample::select(vec![Timeout::Sign, Timeout::LeaveOut, Timeout::Class]),
        ) {
            let spec = Barriers { horizon, profit_take, stop_loss, volatility_window, timeout };
            let labels = triple_barrier(spec, &bars);
            for (t, (value, outcome, end)) in plain(spec, &bars).into_iter().enumerate() {
                prop_assert_eq!(labels.value[t].to_bits(), value.to_bits(), "value of {}", t);
                prop_assert_eq!(labels.outcome[t].to_bits(), outcome.to_bits(), "outcome of {}", t);
                prop_assert_eq!(labels.end_time[t], end, "end of {}", t);
            }
        }
    }
}
