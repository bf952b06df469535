/// Answers, for a column of numbers, where from some row on the first one is that reaches a bound: O(log n) at most, and O(log d) for an answer
/// d rows away.
///
/// Level k holds the largest of each 2^k neighbours, aligned. Memory: twice the column.
pub(super) struct FirstTouch {
    levels: Vec<Vec<f64>>,
}

impl FirstTouch {
    /// `reach`: the longest search, in rows. Levels beyond it would never serve.
    pub(super) fn new(values: Vec<f64>, reach: usize) -> Self {
        let mut levels = vec![values];
        let mut span = 1;
        while span < reach && levels[levels.len() - 1].len() > 1 {
            let below = &levels[levels.len() - 1];
            levels.push(
                below
                    .chunks(2)
                    .map(|pair| pair.iter().copied().fold(f64::NEG_INFINITY, f64::max))
                    .collect(),
            );
            span *= 2;
        }
        Self { levels }
    }

    /// The first row of `from..until` whose value is at least `bound`.
    pub(super) fn at_least(&self, bound: f64, from: usize, until: usize) -> Option<usize> {
        let (mut row, mut level) = (from, 0);
        while row < until {
            if self.levels[level][row >> level] >= bound {
                let Some(below) = level.checked_sub(1) else { return Some(row) };
                level = below;
                continue;
            }
            // Nothing here: on, by ever larger steps as long as they stay aligned.
            row += 1 << level;
            while level + 1 < self.levels.len() && row.is_multiple_of(2 << level) {
                level += 1;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_finds_what_a_scan_finds(
            values in prop::collection::vec(0..20_i32, 1..200), bound in 0..22_i32, from in 0..200_usize,
            length in 0..120_usize,
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let from = from.min(values.len());
            let until = (from + length).min(values.len());
            let bound = f64::from(bound);
            let scanned = (from..until).find(|row| values[*row] >= bound);
            let found = FirstTouch::new(values.clone(), length).at_least(bound, from, until);
            prop_assert_eq!(found, scanned);
        }
    }
}
