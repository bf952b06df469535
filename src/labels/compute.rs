use super::barrier::{Barriers, triple_barrier};
use super::volatility::causal_volatility;
use crate::domain::UtcMillis;
use crate::market::Bars;
use crate::spec::{InsideDeadZone, LabelSpec};

/// The labels of one symbol's bars: one entry per bar in every column.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    /// What the model learns, as [`LabelSpec`] defines it: a return, a multiple of the volatility, 1 and 0 for yes and no, or 0, 1 and 2 for worse,
    /// neither and better. NaN where there is nothing to learn. Which rows are inside a dead zone that is a class of its own is not known here:
    /// [`super::class_in_fold`] says it for a fold.
    pub value: Vec<f32>,
    /// The simple return, as a fraction, of the position that the label stands for: bought at `open[t+1]`, sold at `open[t+1+horizon]`, or at a
    /// barrier before. NaN where the data end before it is known. It may be known where `value` is not.
    pub outcome: Vec<f64>,
    /// The moment `value` and `outcome` are known. `UtcMillis(i64::MAX)` where there is no outcome, so that such a row reaches every later
    /// section.
    pub end_time: Vec<UtcMillis>,
    /// `open[t+2] / open[t+1] - 1`, what a position taken at the decision earns in its first bar, as a fraction; for the backtest. NaN at
    /// the last two bars.
    pub next_bar_return: Vec<f64>,
}

impl Labels {
    /// Bars.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.value.len()
    }

    /// Whether there are no bars.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.value.is_empty()
    }
}

/// Labels every bar of one symbol. The last `horizon + 1` bars have no label: their horizon ends beyond the data.
///
/// A demeaned return needs the other symbols: of one alone, [`super::compute_panel`] makes it.
#[must_use]
pub fn compute(spec: LabelSpec, bars: &Bars) -> Labels {
    let horizon = spec.horizon() as usize;
    let next_bar_return = returns_after(bars.open(), 1);
    if let LabelSpec::TripleBarrier { profit_take, stop_loss, volatility_window, timeout, .. } =
        spec
    {
        let volatility_window = volatility_window as usize;
        let barriers = Barriers { horizon, profit_take, stop_loss, volatility_window, timeout };
        return Labels { next_bar_return, ..triple_barrier(barriers, bars) };
    }
    let outcome = returns_after(bars.open(), horizon);
    let value = match spec {
        LabelSpec::ScaledReturn { volatility_window, .. } => {
            let volatility = causal_volatility(bars.close(), volatility_window as usize);
            let horizon = f64::from(spec.horizon()).sqrt();
            let scaled = outcome.iter().zip(volatility);
            scaled.map(|(outcome, volatility)| stored(outcome / (volatility * horizon))).collect()
        }
        LabelSpec::Direction { inside, .. } => {
            let up = match inside {
                InsideDeadZone::LeaveOut => 1.0,
                InsideDeadZone::Flat => 2.0,
            };
            outcome.iter().map(|outcome| up * is_up(*outcome)).collect()
        }
        _ => outcome.iter().map(|outcome| stored(*outcome)).collect(),
    };
    let end = |(t, outcome): (usize, &f64)| {
        if outcome.is_nan() { UtcMillis(i64::MAX) } else { bars.open_time()[t + 1 + horizon] }
    };
    let end_time = outcome.iter().enumerate().map(end).collect();
    Labels { value, outcome, end_time, next_bar_return }
}

/// `open[t+1+bars_held] / open[t+1] - 1` for every t, NaN where that is beyond the data or no finite number.
fn returns_after(open: &[f64], bars_held: usize) -> Vec<f64> {
    let entries = open.iter().skip(1);
    let exits = open.iter().skip(bars_held.saturating_add(1));
    let mut returns: Vec<f64> = entries
        .zip(exits)
        .map(|(entry, exit)| exit / entry - 1.0)
        .map(|held| if held.is_finite() { held } else { f64::NAN })
        .collect();
    returns.resize(open.len(), f64::NAN);
    returns
}

/// 1 where the return is above zero, else 0; NaN where there is none.
pub(super) fn is_up(outcome: f64) -> f32 {
    if outcome.is_nan() { f32::NAN } else { f32::from(u8::from(outcome > 0.0)) }
}

/// Labels are f32 by design; outcomes stay f64. What is no finite number is no label.
pub(super) fn stored(value: f64) -> f32 {
    let value = value as f32;
    if value.is_finite() { value } else { f32::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::BarColumns;
    use crate::spec::DeadZone;

    /// Bars that open at these hours with these opens; the other prices are of no consequence.
    fn bars(hours: &[i64], open: &[f64]) -> Bars {
        let columns = BarColumns {
            open_time: hours.iter().map(|hour| UtcMillis(hour * 3_600_000)).collect(),
            open: open.to_vec(),
            high: open.to_vec(),
            low: open.to_vec(),
            close: open.to_vec(),
            volume: vec![1.0; open.len()],
        };
        Bars::new("TEST".parse().unwrap(), "1h".parse().unwrap(), columns).unwrap()
    }

    /// Equal, where NaN equals NaN.
    fn same(found: &[f64], expected: &[f64]) -> bool {
        found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-15 || a.is_nan() && b.is_nan())
    }

    const OPEN: [f64; 6] = [1.0, 2.0, 4.0, 2.0, 2.0, 3.0];
    const NONE: f64 = f64::NAN;
    const UP: LabelSpec = LabelSpec::Direction {
        horizon: 1,
        dead_zone: DeadZone::None,
        inside: InsideDeadZone::LeaveOut,
    };

    #[test]
    fn a_label_spans_from_the_next_open_to_the_open_after_the_horizon() {
        let hours = [0, 1, 2, 3, 4, 5];
        for (horizon, outcome, ends) in [
            // Decide at the close of bar 0, buy at open[1] = 2, sell at open[2] = 4.
            (
                1,
                [1.0, -0.5, 0.0, 0.5, NONE, NONE],
                [Some(2), Some(3), Some(4), Some(5), None, None],
            ),
            (2, [0.0, -0.5, 0.5, NONE, NONE, NONE], [Some(3), Some(4), Some(5), None, None, None]),
            (4, [0.5, NONE, NONE, NONE, NONE, NONE], [Some(5), None, None, None, None, None]),
            (5, [NONE; 6], [None; 6]),
            (u32::MAX, [NONE; 6], [None; 6]),
        ] {
            let labels = compute(LabelSpec::ForwardReturn { horizon }, &bars(&hours, &OPEN));
            assert!(same(&labels.outcome, &outcome), "{horizon}: {:?}", labels.outcome);
            let ends = ends.map(|hour: Option<i64>| hour.map_or(i64::MAX, |hour| hour * 3_600_000));
            assert_eq!(labels.end_time, ends.map(UtcMillis), "{horizon}");
            assert!(same(&labels.next_bar_return, &[1.0, -0.5, 0.0, 0.5, NONE, NONE]));
            let value: Vec<f64> = labels.value.iter().copied().map(f64::from).collect();
            assert!(same(&value, &outcome), "these numbers are exact in f32");
        }
    }

    #[test]
    fn the_direction_is_up_only_when_the_price_rose() {
        let labels = compute(UP, &bars(&[0, 1, 2, 3, 4, 5], &OPEN));
        assert_eq!(labels.value[..4], [1.0, 0.0, 0.0, 1.0]);
        assert!(labels.value[4..].iter().all(|value| value.is_nan()));
        assert!(same(&labels.outcome[..4], &[1.0, -0.5, 0.0, 0.5]), "the outcome stays a return");
        let (dead_zone, inside) = (DeadZone::Bps(5.0), InsideDeadZone::Flat);
        let three = LabelSpec::Direction { horizon: 1, dead_zone, inside };
        let labels = compute(three, &bars(&[0, 1, 2, 3, 4, 5], &OPEN));
        assert_eq!(labels.value[..4], [2.0, 0.0, 0.0, 2.0], "what is flat is for the fold to say");
        assert!(labels.value[4..].iter().all(|value| value.is_nan()));
    }

    #[test]
    fn a_gap_inside_the_horizon_makes_the_label_end_later() {
        let labels =
            compute(LabelSpec::ForwardReturn { horizon: 2 }, &bars(&[0, 1, 2, 50, 51, 52], &OPEN));
        let hours: Vec<i64> = labels.end_time[..3].iter().map(|end| end.0 / 3_600_000).collect();
        assert_eq!(hours, [50, 51, 52]);
        assert!(same(&labels.outcome[..3], &[0.0, -0.5, 0.5]), "the horizon counts bars");
    }

    #[test]
    fn few_bars_have_no_labels() {
        for count in 0..3 {
            let hours: Vec<i64> = (0..).take(count).collect();
            let labels = compute(UP, &bars(&hours, &OPEN[..count]));
            assert_eq!((labels.len(), labels.is_empty()), (count, count == 0));
            let no_label = labels.value.iter().all(|value| value.is_nan());
            assert!(no_label || count > 2, "{count}");
        }
    }
}
