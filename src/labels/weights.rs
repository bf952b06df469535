use crate::domain::{Timeframe, UtcMillis};
use crate::spec::WeightSpec;

/// The train rows of one series, and when their labels live.
#[derive(Debug, Clone, Copy)]
pub struct WeightedRows<'a> {
    /// Length of a bar.
    pub timeframe: Timeframe,
    /// When each bar of the series closes.
    pub decision: &'a [UtcMillis],
    /// When the label of each bar is known.
    pub end_time: &'a [UtcMillis],
    /// The train rows, rising.
    pub rows: &'a [u32],
}

/// A weight for each train row of each series, 1 on average over all of them; `None` where every row counts alike.
///
/// Uniqueness is that of [`uniqueness`], series by series. Time decay (López de Prado 2018, §4.7) is a piecewise linear factor of the
/// uniqueness gathered up to a row, in the order of decisions of all series together; rows of the same moment get the same factor.
#[must_use]
pub fn sample_weights(spec: WeightSpec, series: &[WeightedRows<'_>]) -> Option<Vec<Vec<f64>>> {
    if spec.is_none() {
        return None;
    }
    let mut weights: Vec<Vec<f64>> = series
        .iter()
        .map(|part| if spec.uniqueness { uniqueness(part) } else { vec![1.0; part.rows.len()] })
        .collect();
    if let Some(oldest) = spec.time_decay {
        decay(&mut weights, series, oldest);
    }
    let count: usize = weights.iter().map(Vec::len).sum();
    let sum: f64 = weights.iter().flatten().sum();
    let scale = count as f64 / sum;
    for weight in weights.iter_mut().flatten() {
        *weight *= scale;
    }
    Some(weights)
}

/// Average uniqueness (López de Prado 2018, §4.4): over the bars in which a row's label lives, the mean of 1 / the number of labels of these
/// rows that live in the same bar. Above 0, and 1 for a label that meets no other.
///
/// The label of row t lives in bar t+1 and in every later one that opens before the label is known. O(bars + rows · log bars): counts come from
/// a sum of beginnings and ends, means from a running sum of their reciprocals.
#[must_use]
pub fn uniqueness(part: &WeightedRows<'_>) -> Vec<f64> {
    let lives: Vec<(usize, usize)> =
        part.rows.iter().map(|&row| life(part, row as usize)).collect();
    let bars = lives.iter().map(|(_, after)| *after).max().unwrap_or(0);
    let mut changes = vec![0_i64; bars + 1];
    for &(first, after) in &lives {
        changes[first] += 1;
        changes[after] -= 1;
    }
    // shares[i]: the sum of 1 / labels over the bars before i. Where no label lives, none asks.
    let mut shares = Vec::with_capacity(bars + 1);
    let (mut labels, mut sum) = (0_i64, 0.0);
    for change in changes {
        shares.push(sum);
        labels += change;
        if labels > 0 {
            sum += 1.0 / labels as f64;
        }
    }
    let mean =
        |(first, after): (usize, usize)| (shares[after] - shares[first]) / (after - first) as f64;
    lives.into_iter().map(mean).collect()
}

/// The bars in which the row's label lives: from the first up to and without the second; never none.
fn life(part: &WeightedRows<'_>, row: usize) -> (usize, usize) {
    let known = part.end_time[row].plus_millis(part.timeframe.millis());
    let later = &part.decision[row + 1..];
    (row + 1, row + 1 + later.partition_point(|close| *close < known).max(1))
}

fn decay(weights: &mut [Vec<f64>], series: &[WeightedRows<'_>], oldest: f64) {
    let mut rows: Vec<(UtcMillis, usize, usize)> = Vec::new();
    for (position, part) in series.iter().enumerate() {
        let of_part = part.rows.iter().enumerate();
        rows.extend(of_part.map(|(place, row)| (part.decision[*row as usize], position, place)));
    }
    rows.sort_unstable();
    let total: f64 = rows.iter().map(|&(_, part, place)| weights[part][place]).sum();
    let slope = if oldest >= 0.0 { (1.0 - oldest) / total } else { 1.0 / ((oldest + 1.0) * total) };
    let mut gathered = 0.0;
    for moment in rows.chunk_by(|a, b| a.0 == b.0) {
        gathered += moment.iter().map(|&(_, part, place)| weights[part][place]).sum::<f64>();
        // 1 for the newest.
        let factor = (1.0 - slope * (total - gathered)).max(0.0);
        for &(_, part, place) in moment {
            weights[part][place] *= factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000;

    /// Hourly bars with holes, train rows among them, and labels that end up to some bars later.
    #[derive(Debug, Clone)]
    struct Market {
        open: Vec<UtcMillis>,
        decision: Vec<UtcMillis>,
        end_time: Vec<UtcMillis>,
        rows: Vec<u32>,
    }

    impl Market {
        fn part(&self) -> WeightedRows<'_> {
            WeightedRows {
                timeframe: "1h".parse().unwrap(),
                decision: &self.decision,
                end_time: &self.end_time,
                rows: &self.rows,
            }
        }
    }

    fn markets() -> impl Strategy<Value = Market> {
        let bar = (
            prop_oneof![5 => Just(1_i64), 1 => 2..60_i64],
            1..12_usize,
            any::<bool>(),
            any::<bool>(),
        );
        prop::collection::vec(bar, 16..120).prop_map(|bars| {
            let open: Vec<UtcMillis> = bars
                .iter()
                .scan(0, |now, (gap, ..)| {
                    *now += gap * HOUR;
                    Some(UtcMillis(*now))
                })
                .collect();
            let decision: Vec<UtcMillis> = open.iter().map(|at| at.plus_millis(HOUR)).collect();
            let count = open.len();
            // At an open, as a horizon ends, or at a close, as a barrier does.
            let end = |t: usize| {
                let bar = (t + bars[t].1).min(count - 1);
                if bars[t].2 { decision[bar] } else { open[bar] }
            };
            let end_time = (0..count).map(end).collect();
            let rows = (0..count - 13).filter(|t| bars[*t].3).map(|t| t as u32).collect();
            Market { open, decision, end_time, rows }
        })
    }

    /// The bars in which a row's label lives, one by one.
    fn life_of(market: &Market, row: usize) -> Vec<usize> {
        let bars = row + 1..market.open.len();
        let lives: Vec<usize> =
            bars.filter(|bar| market.open[*bar] < market.end_time[row]).collect();
        if lives.is_empty() { vec![row + 1] } else { lives }
    }

    /// As the book reads: count the labels in each bar, average the reciprocals.
    fn plain(market: &Market) -> Vec<f64> {
        let lives: Vec<Vec<usize>> =
            market.rows.iter().map(|row| life_of(market, *row as usize)).collect();
        let labels = |bar: &usize| lives.iter().filter(|life| life.contains(bar)).count() as f64;
        let mean = |life: &Vec<usize>| {
            life.iter().map(|bar| 1.0 / labels(bar)).sum::<f64>() / life.len() as f64
        };
        lives.iter().map(mean).collect()
    }

    /// Snippet 4.11 of the book.
    fn plain_decay(weights: &[f64], oldest: f64) -> Vec<f64> {
        let mut cumulated: Vec<f64> =
            (1..=weights.len()).map(|count| weights[..count].iter().sum()).collect();
        let total = cumulated.last().copied().unwrap_or(0.0);
        let slope =
            if oldest >= 0.0 { (1.0 - oldest) / total } else { 1.0 / ((oldest + 1.0) * total) };
        let constant = 1.0 - slope * total;
        for value in &mut cumulated {
            *value = (constant + slope * *value).max(0.0);
        }
        cumulated
    }

    fn close(ours: &[f64], theirs: &[f64]) -> bool {
        ours.len() == theirs.len()
            && ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() <= 1e-10 * b.abs().max(1.0))
    }

    proptest! {
        #[test]
        fn uniqueness_is_what_the_book_counts(market in markets()) {
            let (ours, plain) = (uniqueness(&market.part()), plain(&market));
            prop_assert!(close(&ours, &plain), "{:?} {:?}", ours, plain);
            prop_assert!(ours.iter().all(|share| *share > 0.0 && *share <= 1.0 + 1e-12));
        }

        #[test]
        fn weights_are_uniqueness_times_decay_and_1_on_average(market in markets(), oldest in -0.9..1.0_f64) {
            prop_assume!(!market.rows.is_empty());
            let spec = WeightSpec { uniqueness: true, time_decay: Some(oldest) };
            let ours = sample_weights(spec, &[market.part()]).unwrap().remove(0);
            let unique = plain(&market);
            let decay = plain_decay(&unique, oldest);
            let product: Vec<f64> = unique.iter().zip(decay).map(|(a, b)| a * b).collect();
            let mean = product.iter().sum::<f64>() / product.len() as f64;
            let expected: Vec<f64> = product.iter().map(|weight| weight / mean).collect();
            prop_assert!(close(&ours, &expected), "{:?} {:?}", ours, expected);
            prop_assert!((ours.iter().sum::<f64>() / ours.len() as f64 - 1.0).abs() < 1e-9);
        }

        #[test]
        fn a_series_does_not_make_another_less_unique(first in markets(), second in markets()) {
            prop_assume!(!first.rows.is_empty() && !second.rows.is_empty());
            let spec = WeightSpec { uniqueness: true, time_decay: None };
            let both = sample_weights(spec, &[first.part(), second.part()]).unwrap();
            let scale = both[0][0] / uniqueness(&first.part())[0];
            for (part, weights) in [&first, &second].into_iter().zip(&both) {
                let alone: Vec<f64> = uniqueness(&part.part()).iter().map(|share| share * scale).collect();
                prop_assert!(close(weights, &alone));
            }
        }
    }

    #[test]
    fn labels_that_do_not_meet_are_unique_and_those_that_do_share() {
        let hours =
            |hours: &[i64]| hours.iter().map(|hour| UtcMillis(hour * HOUR)).collect::<Vec<_>>();
        let open = hours(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let decision = hours(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        // Horizon 2: the label of row t lives in the bars t+1 and t+2.
        let end_time = hours(&[3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        for (rows, expected) in [
            (vec![0, 2, 4], vec![1.0, 1.0, 1.0]),
            (vec![0, 1], vec![0.75, 0.75]),
            (vec![0, 1, 2], vec![0.75, 0.5, 0.75]),
        ] {
            let (open, decision, end_time) = (open.clone(), decision.clone(), end_time.clone());
            let market = Market { open, decision, end_time, rows };
            assert_eq!(uniqueness(&market.part()), expected);
        }
    }

    #[test]
    fn what_decides_together_fades_together() {
        let hours =
            |hours: &[i64]| hours.iter().map(|hour| UtcMillis(hour * HOUR)).collect::<Vec<_>>();
        let (decision, end_time) = (hours(&[1, 2, 3, 4]), hours(&[2, 3, 4, 5]));
        let part = |rows| WeightedRows {
            timeframe: "1h".parse().unwrap(),
            decision: &decision,
            end_time: &end_time,
            rows,
        };
        let spec = WeightSpec { uniqueness: false, time_decay: Some(0.0) };
        // Three rows at two moments: 2/3 and 1 of what is gathered in all.
        let found = sample_weights(spec, &[part(&[0, 1]), part(&[0])]).unwrap();
        let scale = 3.0 / (2.0 / 3.0 + 1.0 + 2.0 / 3.0);
        assert!(close(&found[0], &[scale * 2.0 / 3.0, scale]), "{found:?}");
        assert!(close(&found[1], &[scale * 2.0 / 3.0]), "{found:?}");
        assert_eq!(sample_weights(WeightSpec::default(), &[part(&[0, 1])]), None);
    }
}
