//! Features that compare symbols: of the values of all symbols at one moment.

use crate::domain::{UtcMillis, mean_ranks};
use crate::market::{Alignment, Bars};
use crate::spec::FeatureSpec;

/// Fewer values than this are no cross-section.
const LEAST_MEMBERS: usize = 5;

/// Replaces each value in `columns[symbol][column][bar]` by what it is among the symbols whose bar closes at the same moment. Missing
/// values do not take part.
pub(super) fn compare(spec: &FeatureSpec, panel: &[&Bars], columns: &mut [Vec<Vec<f64>>]) {
    let among: fn(&mut [Value]) = match spec {
        FeatureSpec::CrossRank { .. } => rank,
        FeatureSpec::CrossZScore { .. } => z_score,
        _ => demean,
    };
    let closes: Vec<Vec<UtcMillis>> =
        panel.iter().map(|bars| (0..bars.len()).map(|t| bars.close_time(t)).collect()).collect();
    let closes: Vec<&[UtcMillis]> = closes.iter().map(Vec::as_slice).collect();
    let aligned = Alignment::of(&closes);
    let mut values: Vec<Value> = Vec::with_capacity(panel.len());
    for column in 0..columns.first().map_or(0, Vec::len) {
        for members in aligned.moments() {
            values.clear();
            for member in members {
                let (symbol, row) = (member.series as usize, member.row as usize);
                let place = &mut columns[symbol][column][row];
                if place.is_finite() {
                    values.push(Value { symbol, row, number: *place });
                }
                *place = f64::NAN;
            }
            if values.len() >= LEAST_MEMBERS {
                among(&mut values);
                for Value { symbol, row, number } in &values {
                    columns[*symbol][column][*row] = *number;
                }
            }
        }
    }
}

/// A symbol's value at the moment.
struct Value {
    symbol: usize,
    row: usize,
    number: f64,
}

/// From -0.5 for the lowest to 0.5 for the highest; equal values share the mean of their ranks.
fn rank(values: &mut [Value]) {
    let numbers: Vec<f64> = values.iter().map(|value| value.number).collect();
    let last = (values.len() - 1) as f64;
    for (value, rank) in values.iter_mut().zip(mean_ranks(&numbers)) {
        value.number = (rank - 1.0) / last - 0.5;
    }
}

fn demean(values: &mut [Value]) {
    // Measured from one of them, so that equal values differ by exactly 0.
    let origin = values[0].number;
    let mean = values.iter().map(|value| value.number - origin).sum::<f64>() / values.len() as f64;
    for member in values {
        member.number = member.number - origin - mean;
    }
}

fn z_score(values: &mut [Value]) {
    demean(values);
    let squares: f64 = values.iter().map(|value| value.number * value.number).sum();
    let std = (squares / (values.len() - 1) as f64).sqrt();
    if std > 0.0 {
        for member in values {
            member.number /= std;
        }
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    fn among(work: fn(&mut [Value]), numbers: &[f64]) -> Vec<f64> {
        let values = numbers.iter().enumerate();
        let mut values: Vec<Value> =
            values.map(|(symbol, value)| Value { symbol, row: 0, number: *value }).collect();
        work(&mut values);
        values.sort_by_key(|value| value.symbol);
        values.into_iter().map(|value| value.number).collect()
    }

    #[test]
    fn equal_values_share_their_rank() {
        assert_eq!(among(rank, &[3.0, 1.0, 2.0, 5.0, 4.0]), [0.0, -0.5, -0.25, 0.5, 0.25]);
        assert_eq!(among(rank, &[1.0, 7.0, 1.0, 7.0, 1.0]), [-0.25, 0.375, -0.25, 0.375, -0.25]);
        assert_eq!(among(rank, &[0.0, -0.0, 0.0, -0.0, 0.0]), [0.0; 5]);
    }

    #[test]
    fn equal_values_do_not_differ_from_their_mean() {
        assert_eq!(among(demean, &[0.1; 7]), [0.0; 7]);
        assert_eq!(among(z_score, &[0.1; 7]), [0.0; 7]);
        assert_eq!(among(demean, &[1.0, 2.0, 3.0, 4.0, 5.0]), [-2.0, -1.0, 0.0, 1.0, 2.0]);
        let z_scores = among(z_score, &[1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_relative_eq!(z_scores[4], 2.0 / 2.5_f64.sqrt(), max_relative = 1e-15);
    }
}
