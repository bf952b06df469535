//! How often the position was on the right side.

use serde::{Deserialize, Serialize};

use super::count_as_f64;

/// What [`hit_rate`] found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HitRate {
    /// `hits / rows`, in `[0, 1]`. `None` without rows.
    pub rate: Option<f64>,
    /// Rows where position and outcome have the same sign.
    pub hits: usize,
    /// Rows with a position and an outcome, neither of them zero.
    pub rows: usize,
}

/// Share of rows where the sign of the position equals the sign of the outcome.
///
/// Left out are rows whose outcome is exactly 0 (neither side was right), whose position is 0 (no side was taken), and
/// rows where one of them is missing (NaN). Raw predictions may stand in for positions: only the sign counts.
///
/// # Panics
/// If the slices differ in length.
#[must_use]
pub fn hit_rate(positions: &[f64], outcomes: &[f64]) -> HitRate {
    assert_eq!(positions.len(), outcomes.len(), "each position needs its outcome");
    let (mut hits, mut rows) = (0, 0);
    for (&position, &outcome) in positions.iter().zip(outcomes) {
        let (up, down) = (position > 0.0, position < 0.0);
        let (rose, fell) = (outcome > 0.0, outcome < 0.0);
        if (up || down) && (rose || fell) {
            rows += 1;
            hits += usize::from(up == rose);
        }
    }
    HitRate { rate: (rows > 0).then(|| count_as_f64(hits) / count_as_f64(rows)), hits, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rows_with_two_signs_count() {
        let table: [(&[f64], &[f64], HitRate); 4] = [
            (&[], &[], HitRate { rate: None, hits: 0, rows: 0 }),
            (&[0.0, 1.0, -0.0], &[1.0, 0.0, -1.0], HitRate { rate: None, hits: 0, rows: 0 }),
            (
                &[1.0, -1.0, 1.0, -1.0],
                &[0.1, -0.1, -0.1, 0.1],
                HitRate { rate: Some(0.5), hits: 2, rows: 4 },
            ),
            (
                &[f64::NAN, 0.2, -0.3, 1.0],
                &[0.1, 1e-9, -5.0, f64::NAN],
                HitRate { rate: Some(1.0), hits: 2, rows: 2 },
            ),
        ];
        for (positions, outcomes, expected) in table {
            assert_eq!(hit_rate(positions, outcomes), expected, "{positions:?} {outcomes:?}");
        }
    }
}
