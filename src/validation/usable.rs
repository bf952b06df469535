use crate::features::FeatureMatrix;
use crate::labels::Labels;

/// Which rows of one symbol can be samples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsableRows {
    /// Rows that can be decided on and whose outcome is known: tested on.
    pub scorable: Vec<bool>,
    /// Those of them that have a label: learnt from.
    pub learnable: Vec<bool>,
}

/// Finds the rows whose whole window is there and whose outcome is known; see [`whole_windows`].
///
/// # Panics
/// If matrix, breaks and labels differ in length.
#[must_use]
pub fn usable_rows(
    matrix: &FeatureMatrix,
    breaks: &[bool],
    labels: &Labels,
    window: u32,
) -> UsableRows {
    assert_eq!(matrix.rows(), labels.len(), "one label per row of features");
    let whole = whole_windows(matrix, breaks, window).into_iter();
    let scorable: Vec<bool> =
        whole.zip(&labels.outcome).map(|(whole, outcome)| whole && !outcome.is_nan()).collect();
    let has_label =
        scorable.iter().zip(&labels.value).map(|(usable, value)| *usable && !value.is_nan());
    UsableRows { learnable: has_label.collect(), scorable }
}

/// For each row, whether its whole window is there: whether a model can say something at it.
///
/// Row t needs rows `t - window + 1 ..= t` past the warm-up and free of missing values, and no break between two of them. `breaks[i]` says
/// that a bar which the symbol's session pattern expects is missing between bars i-1 and i; regular closed hours are no break. A window
/// of 0 counts as 1.
///
/// # Panics
/// If matrix and breaks differ in length.
#[must_use]
pub fn whole_windows(matrix: &FeatureMatrix, breaks: &[bool], window: u32) -> Vec<bool> {
    assert_eq!(matrix.rows(), breaks.len(), "one break flag per row of features");
    // Rows in a row, up to this one, that a window may span.
    let mut unbroken = 0;
    let rows = (0..matrix.rows()).map(|t| {
        let missing = t < matrix.warm_up() || matrix.row(t).iter().any(|value| value.is_nan());
        unbroken = match (missing, breaks[t]) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => unbroken + 1,
        };
        unbroken >= window.max(1)
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::UtcMillis;

    fn matrix(rows: usize, warm_up: usize, missing: &[usize]) -> FeatureMatrix {
        let column = (0..rows).map(|t| if missing.contains(&t) { f64::NAN } else { 1.0 }).collect();
        FeatureMatrix::from_columns(
            vec!["a".to_owned(), "b".to_owned()],
            &[vec![1.0; rows], column],
            warm_up,
        )
        .unwrap()
    }

    fn labels(rows: usize, without_label: usize) -> Labels {
        let labelled = rows - without_label.min(rows);
        let mut value = vec![1.0; labelled];
        value.resize(rows, f32::NAN);
        let outcome = value.iter().copied().map(f64::from).collect();
        Labels {
            value,
            outcome,
            end_time: vec![UtcMillis(0); rows],
            next_bar_return: vec![0.0; rows],
        }
    }

    fn usable(matrix: &FeatureMatrix, breaks: &[usize], window: u32) -> Vec<usize> {
        let breaks: Vec<bool> = (0..matrix.rows()).map(|t| breaks.contains(&t)).collect();
        let usable = usable_rows(matrix, &breaks, &labels(matrix.rows(), 2), window);
        assert_eq!(usable.scorable, usable.learnable);
        (0..matrix.rows()).filter(|t| usable.scorable[*t]).collect()
    }

    #[test]
    fn a_window_spans_neither_warm_up_nor_missing_values_nor_breaks() {
        for (warm_up, missing, breaks, window, expected) in [
            (0, &[][..], &[][..], 1, vec![0, 1, 2, 3, 4, 5, 6, 7]),
            (0, &[], &[], 0, vec![0, 1, 2, 3, 4, 5, 6, 7]),
            (2, &[], &[], 3, vec![4, 5, 6, 7]),
            (0, &[3], &[], 1, vec![0, 1, 2, 4, 5, 6, 7]),
            (0, &[3], &[], 2, vec![1, 2, 5, 6, 7]),
            // The missing bar lies between rows 3 and 4: a window may end at 3 or start at 4.
            (0, &[], &[4], 1, vec![0, 1, 2, 3, 4, 5, 6, 7]),
            (0, &[], &[4], 3, vec![2, 3, 6, 7]),
            (0, &[4], &[4], 2, vec![1, 2, 3, 6, 7]),
            (0, &[], &[], 9, vec![]),
            (99, &[], &[], 1, vec![]),
        ] {
            let matrix = matrix(10, warm_up, missing);
            let case = format!(
                "warm-up {warm_up}, missing {missing:?}, breaks {breaks:?}, window {window}"
            );
            assert_eq!(usable(&matrix, breaks, window), expected, "{case}");
        }
    }

    #[test]
    fn a_row_with_an_outcome_and_no_label_is_tested_on_only() {
        let mut labels = labels(6, 2);
        labels.value[1] = f32::NAN;
        let usable = usable_rows(&matrix(6, 0, &[]), &[false; 6], &labels, 1);
        assert_eq!(usable.scorable, [true, true, true, true, false, false]);
        assert_eq!(usable.learnable, [true, false, true, true, false, false]);
    }

    proptest! {
        #[test]
        fn it_is_what_the_definition_says(
            rows in prop::collection::vec((prop::bool::weighted(0.1), prop::bool::weighted(0.1)), 0..60),
            warm_up in 0..5_usize, window in 1..8_u32,
        ) {
            let (missing, breaks): (Vec<bool>, Vec<bool>) = rows.into_iter().unzip();
            let count = missing.len();
            let positions: Vec<usize> = (0..count).filter(|t| missing[*t]).collect();
            let usable = usable_rows(&matrix(count, warm_up, &positions), &breaks, &labels(count, 2), window).scorable;
            for (t, usable) in usable.into_iter().enumerate() {
                let whole = (t + 1).checked_sub(window as usize).is_some_and(|first| {
                    (first..=t).all(|row| row >= warm_up && !missing[row])
                        && (first + 1..=t).all(|row| !breaks[row])
                });
                prop_assert_eq!(usable, whole && t + 2 < count, "{}", t);
            }
        }
    }
}
