use rayon::prelude::*;

use super::compute::{Labels, compute, stored};
use crate::domain::{UtcMillis, mean_ranks};
use crate::market::{Alignment, Bars};
use crate::spec::LabelSpec;

/// Labels every bar of several symbols of one timeframe, in parallel on the caller's pool.
///
/// Only labels that compare symbols need the others: each forward return is held against those of all symbols that have one at the same
/// decision. The outcome stays the forward return, which is what a position earns. Such a label is known when the last one it was held
/// against is.
#[must_use]
pub fn compute_panel(spec: LabelSpec, panel: &[&Bars]) -> Vec<Labels> {
    let mut labels: Vec<Labels> = panel.par_iter().map(|bars| compute(spec, bars)).collect();
    match spec {
        LabelSpec::DemeanedReturn { minimum_symbols, .. } => {
            compare(&mut labels, panel, minimum_symbols as usize, demeaned);
        }
        LabelSpec::RankedReturn { minimum_symbols, .. } => {
            compare(&mut labels, panel, minimum_symbols as usize, ranked);
        }
        _ => {}
    }
    labels
}

/// Makes of the outcomes at each moment what `among` makes of them.
fn compare(labels: &mut [Labels], panel: &[&Bars], minimum: usize, among: fn(&[f64]) -> Vec<f64>) {
    let decisions: Vec<Vec<UtcMillis>> =
        panel.iter().map(|bars| (0..bars.len()).map(|t| bars.close_time(t)).collect()).collect();
    let decisions: Vec<&[UtcMillis]> = decisions.iter().map(Vec::as_slice).collect();
    for members in Alignment::of(&decisions).moments() {
        let mut end = UtcMillis(i64::MIN);
        let (mut places, mut outcomes) = (Vec::new(), Vec::new());
        for member in members {
            let (series, row) = (member.series as usize, member.row as usize);
            let outcome = labels[series].outcome[row];
            if !outcome.is_nan() {
                places.push((series, row));
                outcomes.push(outcome);
                end = end.max(labels[series].end_time[row]);
            }
        }
        let is_section = outcomes.len() >= minimum;
        for ((series, row), value) in places.into_iter().zip(among(&outcomes)) {
            labels[series].end_time[row] = end;
            labels[series].value[row] = if is_section { stored(value) } else { f32::NAN };
        }
    }
}

fn demeaned(outcomes: &[f64]) -> Vec<f64> {
    let mean = outcomes.iter().sum::<f64>() / outcomes.len() as f64;
    outcomes.iter().map(|outcome| outcome - mean).collect()
}

fn ranked(outcomes: &[f64]) -> Vec<f64> {
    let last = (outcomes.len().max(2) - 1) as f64;
    let among = |rank: f64| ((rank - 1.0) / last - 0.5) * 12.0_f64.sqrt();
    mean_ranks(outcomes).into_iter().map(among).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::BarColumns;

    const HOUR: i64 = 3_600_000;

    fn bars(symbol: &str, hours: &[i64], open: &[f64]) -> Bars {
        let columns = BarColumns {
            open_time: hours.iter().map(|hour| UtcMillis(hour * HOUR)).collect(),
            open: open.to_vec(),
            high: open.to_vec(),
            low: open.to_vec(),
            close: open.to_vec(),
            volume: vec![1.0; open.len()],
        };
        Bars::new(symbol.parse().unwrap(), "1h".parse().unwrap(), columns).unwrap()
    }

    #[test]
    fn the_mean_of_the_moment_is_taken_away_and_its_last_label_ends_it() {
        let a = bars("A", &[0, 1, 2, 3, 4], &[1.0, 1.0, 2.0, 2.0, 2.0]);
        let b = bars("B", &[0, 1, 2, 3, 4], &[1.0, 2.0, 3.0, 6.0, 3.0]);
        // C pauses: what it decides in hour 0 is sold in hour 9.
        let c = bars("C", &[0, 1, 9, 10], &[1.0, 2.0, 2.0, 2.0]);
        let spec = LabelSpec::DemeanedReturn { horizon: 1, minimum_symbols: 2 };
        let found = compute_panel(spec, &[&a, &b, &c]);
        // Hour 0: returns 1, 0.5 and 0. Hour 1: A 0, B 1, C 0. Hour 2: A 0 and B -0.5.
        let values: Vec<Vec<f32>> = found.iter().map(|labels| labels.value[..3].to_vec()).collect();
        assert_eq!(values[0], [0.5, -1.0 / 3.0, 0.25]);
        assert_eq!(values[1], [0.0, 2.0 / 3.0, -0.25]);
        assert_eq!(values[2][..2], [-0.5, -1.0 / 3.0]);
        assert!(values[2][2].is_nan(), "C's data end before that label does");
        let ends: Vec<i64> = found[0].end_time[..3].iter().map(|end| end.0 / HOUR).collect();
        assert_eq!(ends, [9, 10, 4]);
        assert_eq!(found[0].outcome[..3], [1.0, 0.0, 0.0], "the outcome stays the return");
    }

    #[test]
    fn too_few_symbols_leave_nothing_to_learn_but_an_outcome() {
        let a = bars("A", &[0, 1, 2, 3], &[1.0, 1.0, 2.0, 2.0]);
        let b = bars("B", &[0, 1, 2], &[1.0, 2.0, 3.0]);
        let spec = LabelSpec::DemeanedReturn { horizon: 1, minimum_symbols: 2 };
        let found = compute_panel(spec, &[&a, &b]);
        assert_eq!(found[0].value[0], 0.25);
        assert!(found[0].value[1].is_nan() && found[0].outcome[1] == 0.0);
        assert!(found[0].value[2].is_nan() && found[0].outcome[2].is_nan());
        assert_eq!(found[0].end_time[2], UtcMillis(i64::MAX));
    }

    #[test]
    fn the_rank_is_centred_and_an_outlier_counts_no_more_than_the_next() {
        let ranks = ranked(&[0.1, 9.0, -0.3, 0.1]);
        let root = 3.0_f64.sqrt();
        assert_eq!((ranks[1], ranks[2]), (root, -root));
        assert!(ranks[0] == 0.0 && ranks[3] == 0.0, "equal returns share the middle: {ranks:?}");
        let a = bars("A", &[0, 1, 2, 3, 4], &[1.0, 1.0, 2.0, 2.0, 2.0]);
        let b = bars("B", &[0, 1, 2, 3, 4], &[1.0, 2.0, 3.0, 6.0, 3.0]);
        let spec = LabelSpec::RankedReturn { horizon: 1, minimum_symbols: 2 };
        let found = compute_panel(spec, &[&a, &b]);
        assert_eq!(found[0].value[..2].to_vec(), [root as f32, -root as f32]);
        assert_eq!(found[0].outcome[0], 1.0, "the outcome stays the return");
    }

    #[test]
    fn other_labels_of_a_panel_are_those_of_each_symbol() {
        let a = bars("A", &[0, 1, 2, 3, 4], &[1.0, 1.0, 2.0, 2.0, 2.0]);
        let b = bars("B", &[0, 1, 2, 3, 4], &[1.0, 2.0, 3.0, 6.0, 3.0]);
        let spec = LabelSpec::ForwardReturn { horizon: 1 };
        let found = compute_panel(spec, &[&a, &b]);
        for (labels, bars) in found.iter().zip([&a, &b]) {
            assert_eq!(format!("{labels:?}"), format!("{:?}", compute(spec, bars)));
        }
    }
}
