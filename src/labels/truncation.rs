use super::{Labels, compute_panel};
use crate::domain::{Symbol, UtcMillis};
use crate::market::Bars;
use crate::spec::LabelSpec;

/// A label that claims to be known before it is.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "the label of {symbol} decided at {decision} leaks: it says that it is known at {end} and is {value}, but with other prices after \
     that it is {changed}; its end time is too early, so the purge would leave it in"
)]
pub struct LabelLeak {
    /// Whose.
    pub symbol: Symbol,
    /// The row, from 0.
    pub row: usize,
    /// When that row's bar closes.
    pub decision: UtcMillis,
    /// When the label claims to be known.
    pub end: UtcMillis,
    /// Its value, or its outcome where that is what differs.
    pub value: f64,
    /// The same with other prices after `end`.
    pub changed: f64,
}

/// Computes the labels again with other prices after each moment, and wants every label that claims to be known by then to be the same, bit for
/// bit. Says how many labels were compared.
///
/// # Errors
/// [`LabelLeak`]: the first label that differs.
pub fn check_end_times(
    spec: LabelSpec,
    panel: &[&Bars],
    moments: &[UtcMillis],
) -> Result<u64, LabelLeak> {
    check_end_times_of(|panel| compute_panel(spec, panel), panel, moments)
}

/// [`check_end_times`] of any computation of labels, one [`Labels`] for each series of the panel.
///
/// # Errors
/// As for [`check_end_times`].
pub fn check_end_times_of(
    labels: impl Fn(&[&Bars]) -> Vec<Labels>,
    panel: &[&Bars],
    moments: &[UtcMillis],
) -> Result<u64, LabelLeak> {
    let whole = labels(panel);
    let mut compared = 0;
    for &moment in moments {
        let others: Vec<Bars> = panel.iter().map(|bars| bars.with_changed_future(moment)).collect();
        let others = labels(&others.iter().collect::<Vec<_>>());
        for ((bars, whole), other) in panel.iter().zip(&whole).zip(&others) {
            for row in (0..whole.len()).filter(|&row| whole.end_time[row] <= moment) {
                compared += 1;
                if let Some((value, changed)) = difference(whole, other, row) {
                    return Err(LabelLeak {
                        symbol: bars.symbol().clone(),
                        row,
                        decision: bars.close_time(row),
                        end: whole.end_time[row],
                        value,
                        changed,
                    });
                }
            }
        }
    }
    Ok(compared)
}

/// What differs at this row, and how.
fn difference(whole: &Labels, other: &Labels, row: usize) -> Option<(f64, f64)> {
    let value = |labels: &Labels| f64::from(labels.value[row]);
    let outcome = |labels: &Labels| labels.outcome[row];
    [(value(whole), value(other)), (outcome(whole), outcome(other))]
        .into_iter()
        .find(|(a, b)| a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::BarColumns;

    const HOUR: i64 = 3_600_000;

    fn bars(symbol: &str, close: &[f64]) -> Bars {
        let count = close.len();
        let open: Vec<f64> = (0..count).map(|t| close[t.saturating_sub(1)]).collect();
        let most = |a: f64, b: f64| a.max(b) * 1.01;
        let least = |a: f64, b: f64| a.min(b) * 0.99;
        let columns = BarColumns {
            open_time: (0..).take(count).map(|hour: i64| UtcMillis(hour * HOUR)).collect(),
            high: open.iter().zip(close).map(|(a, b)| most(*a, *b)).collect(),
            low: open.iter().zip(close).map(|(a, b)| least(*a, *b)).collect(),
            open,
            close: close.to_vec(),
            volume: vec![1.0; count],
        };
        Bars::new(symbol.parse().unwrap(), "1h".parse().unwrap(), columns).unwrap()
    }

    fn wave(symbol: &str, phase: f64) -> Bars {
        let close: Vec<f64> = (0..120)
            .map(|t| 100.0 + 7.0 * (f64::from(t) * 0.7 + phase).sin() + f64::from(t % 5))
            .collect();
        bars(symbol, &close)
    }

    fn moments() -> Vec<UtcMillis> {
        (10..130).step_by(7).map(|hour| UtcMillis(hour * HOUR)).collect()
    }

    #[test]
    fn every_kind_of_label_ends_when_it_is_known() {
        let (a, b) = (wave("A", 0.0), wave("B", 1.0));
        let kinds = [
            r"ForwardReturn(horizon: 3)",
            r"ScaledReturn(horizon: 3, volatility_window: 5)",
            r"DemeanedReturn(horizon: 3, minimum_symbols: 2)",
            r"RankedReturn(horizon: 3, minimum_symbols: 2)",
            r"Direction(horizon: 1)",
            r"Direction(horizon: 2, dead_zone: Bps(20.0), inside: Flat)",
            r"TripleBarrier(horizon: 6, profit_take: 1.0, stop_loss: 1.0, volatility_window: 5)",
            r"TripleBarrier(horizon: 6, profit_take: 1.0, stop_loss: 1.0, volatility_window: 5, timeout: Class)",
        ];
        for kind in kinds {
            let spec: LabelSpec = ron::from_str(kind).unwrap();
            let compared = check_end_times(spec, &[&a, &b], &moments()).unwrap();
            assert!(compared > 1000, "{kind}: {compared} labels are few");
        }
    }

    #[test]
    fn a_label_that_ends_a_bar_too_early_is_caught() {
        let spec = LabelSpec::ForwardReturn { horizon: 3 };
        let early = |panel: &[&Bars]| {
            let mut labels = compute_panel(spec, panel);
            for end in labels.iter_mut().flat_map(|labels| &mut labels.end_time) {
                *end = end.plus_millis(-HOUR);
            }
            labels
        };
        let leak = check_end_times_of(early, &[&wave("A", 0.0)], &moments()).unwrap_err();
        assert!(leak.changed != leak.value && leak.end <= UtcMillis(10 * HOUR), "{leak}");
        assert!(leak.to_string().contains("the label of A"), "{leak}");
    }

    #[test]
    fn a_label_that_looks_at_the_close_of_the_bar_whose_open_ends_it_is_caught() {
        let spec = LabelSpec::ForwardReturn { horizon: 3 };
        let peeking = |panel: &[&Bars]| {
            let mut labels = compute_panel(spec, panel);
            for (labels, bars) in labels.iter_mut().zip(panel) {
                for t in 0..bars.len().saturating_sub(4) {
                    labels.outcome[t] = bars.close()[t + 4] / bars.open()[t + 1] - 1.0;
                }
            }
            labels
        };
        assert!(check_end_times_of(peeking, &[&wave("A", 0.0)], &moments()).is_err());
    }

    #[test]
    fn a_label_standardised_over_the_whole_series_is_caught() {
        let spec = LabelSpec::ForwardReturn { horizon: 1 };
        let scaled = |panel: &[&Bars]| {
            let mut labels = compute_panel(spec, panel);
            for labels in &mut labels {
                let largest =
                    labels.value.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
                labels.value.iter_mut().for_each(|value| *value /= largest);
            }
            labels
        };
        assert!(check_end_times_of(scaled, &[&wave("A", 0.0)], &moments()).is_err());
    }
}
