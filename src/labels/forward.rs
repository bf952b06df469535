use crate::domain::UtcMillis;
use crate::market::Bars;
use crate::spec::LabelSpec;

/// The labels of one symbol's bars: one entry per bar in every column.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    /// What the model learns: the forward return as a fraction, or 1 for up and 0 for not up. NaN where there is no label.
    pub value: Vec<f32>,
    /// `open[t+1+h] / open[t+1] - 1`, the simple return of holding for the horizon, as a fraction. NaN where there is no label.
    pub outcome: Vec<f64>,
    /// The open time of bar t+1+h: the moment the label is known. `UtcMillis(i64::MAX)` where there is no label, so that such a row reaches
    /// every later section.
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

/// Labels every bar. The last `horizon + 1` bars have no label: their horizon ends beyond the data.
#[must_use]
pub fn compute(spec: LabelSpec, bars: &Bars) -> Labels {
    let horizon = spec.horizon() as usize;
    let outcome = returns_after(bars.open(), horizon);
    let value = outcome.iter().map(|outcome| label_of(spec, *outcome)).collect();
    let end_time =
        outcome
            .iter()
            .enumerate()
            .map(|(t, outcome)| {
                if outcome.is_nan() {
                    UtcMillis(i64::MAX)
                } else {
                    bars.open_time()[t + 1 + horizon]
                }
            })
            .collect();
    Labels { value, outcome, end_time, next_bar_return: returns_after(bars.open(), 1) }
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

#[expect(clippy::cast_possible_truncation, reason = "labels are f32 by design; outcomes stay f64")]
fn label_of(spec: LabelSpec, outcome: f64) -> f32 {
    match spec {
        LabelSpec::ForwardReturn { .. } => outcome as f32,
        LabelSpec::Direction { .. } if outcome.is_nan() => f32::NAN,
        LabelSpec::Direction { .. } => f32::from(u8::from(outcome > 0.0)),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::market::BarColumns;

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
        let labels =
            compute(LabelSpec::Direction { horizon: 1 }, &bars(&[0, 1, 2, 3, 4, 5], &OPEN));
        assert_eq!(labels.value[..4], [1.0, 0.0, 0.0, 1.0]);
        assert!(labels.value[4..].iter().all(|value| value.is_nan()));
        assert!(same(&labels.outcome[..4], &[1.0, -0.5, 0.0, 0.5]), "the outcome stays a return");
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
            let labels =
                compute(LabelSpec::Direction { horizon: 1 }, &bars(&hours, &OPEN[..count]));
            assert_eq!((labels.len(), labels.is_empty()), (count, count == 0));
            let no_label = labels.value.iter().all(|value| value.is_nan());
            assert!(no_label || count > 2, "{count}");
        }
    }

    #[derive(Deserialize)]
    struct Golden {
        walk: Series,
    }

    #[derive(Deserialize)]
    struct Series {
        open: Vec<f64>,
        forward_return_1: Vec<Option<f64>>,
        forward_return_4: Vec<Option<f64>>,
    }

    #[test]
    fn forward_returns_agree_with_pandas() {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/features.json"));
        let series = serde_json::from_str::<Golden>(text).unwrap().walk;
        let hours: Vec<i64> = (0..).take(series.open.len()).collect();
        let bars = bars(&hours, &series.open);
        for (horizon, expected) in [(1, &series.forward_return_1), (4, &series.forward_return_4)] {
            let ours = compute(LabelSpec::ForwardReturn { horizon }, &bars).outcome;
            for (t, (ours, theirs)) in ours.iter().zip(expected).enumerate() {
                match theirs {
                    Some(theirs) => assert!((ours - theirs).abs() < 1e-14, "{horizon}, {t}"),
                    None => assert!(ours.is_nan(), "{horizon}, {t}"),
                }
            }
        }
    }
}
