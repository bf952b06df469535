use crate::domain::{FoldPlan, TimeSpan, UtcMillis};

/// The rows of one symbol in one fold, by index and in rising order. No row is in two sections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections {
    /// Rows learnt from.
    pub train: Vec<u32>,
    /// Rows early stopping sees.
    pub validation: Vec<u32>,
    /// Rows seen once, at the end.
    pub test: Vec<u32>,
    /// Usable train and validation rows that were dropped because their label reaches a later section.
    pub purged: usize,
}

/// Sorts the rows of one symbol into the fold's sections by their decision time, leaving out those that cannot be used.
///
/// Purged are train rows whose label ends at or after the validation section's start, and validation rows whose label ends at or after the
/// test section's start: at that moment the first decision of the later section is taken. A section starts at the same moment for
/// every symbol, whether or not the symbol has a bar there.
///
/// `decision[t]`, `label_end[t]` and `usable[t]` describe the same row t; `decision` rises. The cost is that of the sections' own rows.
///
/// # Panics
/// If the slices differ in length, or hold more than `u32::MAX` rows.
#[must_use]
pub fn sections(
    fold: &FoldPlan,
    decision: &[UtcMillis],
    label_end: &[UtcMillis],
    usable: &[bool],
) -> Sections {
    assert_eq!(decision.len(), label_end.len(), "one label end per decision");
    assert_eq!(decision.len(), usable.len(), "one usable flag per decision");
    assert!(u32::try_from(decision.len()).is_ok(), "rows are counted in u32");
    let mut purged = 0;
    let mut rows_of = |section: TimeSpan, next: Option<TimeSpan>| {
        let mut rows = Vec::new();
        let first = decision.partition_point(|at| *at < section.start);
        let end = decision.partition_point(|at| *at < section.end);
        for row in (first..end).filter(|&row| usable[row]) {
            if next.is_some_and(|next| label_end[row] >= next.start) {
                purged += 1;
            } else {
                rows.push(row as u32);
            }
        }
        rows
    };
    // Validation comes before test, so a train label that stays clear of validation stays clear of both.
    let train = rows_of(fold.train, Some(fold.validation));
    let validation = rows_of(fold.validation, Some(fold.test));
    let test = rows_of(fold.test, None);
    Sections { train, validation, test, purged }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::FoldIndex;
    use crate::spec::ValidationSpec;
    use crate::validation::{decision_axis, walk_forward};

    const fn span(start: i64, end: i64) -> TimeSpan {
        TimeSpan { start: UtcMillis(start), end: UtcMillis(end) }
    }

    /// Bar t opens at t and closes at t + 1; the label of horizon h ends at the open of bar t+1+h.
    fn contiguous(bars: i64, horizon: i64) -> (Vec<UtcMillis>, Vec<UtcMillis>) {
        let decision = (0..bars).map(|t| UtcMillis(t + 1)).collect();
        let end = |t| {
            if t + 1 + horizon < bars { UtcMillis(t + 1 + horizon) } else { UtcMillis(i64::MAX) }
        };
        (decision, (0..bars).map(end).collect())
    }

    /// Rows 0..10 train, 10..14 validation, 14..18 test.
    const FOLD: FoldPlan = FoldPlan {
        index: FoldIndex(0),
        train: span(1, 11),
        validation: span(11, 15),
        test: span(15, 19),
    };

    #[test]
    fn as_many_rows_as_the_horizon_has_bars_are_purged_before_a_later_section() {
        for horizon in 1..4_u32 {
            let (decision, end) = contiguous(40, horizon.into());
            let found = sections(&FOLD, &decision, &end, &[true; 40]);
            assert_eq!(found.train, (0..10 - horizon).collect::<Vec<_>>());
            assert_eq!(found.validation, (10..14 - horizon).collect::<Vec<_>>());
            assert_eq!(found.test, (14..18).collect::<Vec<_>>());
            assert_eq!(found.purged, 2 * horizon as usize);
        }
    }

    #[test]
    fn a_label_that_ends_as_the_next_section_decides_is_purged() {
        let decision = [UtcMillis(9), UtcMillis(10), UtcMillis(12), UtcMillis(13)];
        let end = [10, 11, 14, 15].map(UtcMillis);
        let found = sections(&FOLD, &decision, &end, &[true; 4]);
        assert_eq!((found.train, found.validation, found.purged), (vec![0], vec![2], 2));
    }

    #[test]
    fn a_train_label_that_jumps_over_the_validation_section_is_purged() {
        // The symbol has no bar between 9 and 16: its label of one bar ends inside the test section.
        let found =
            sections(&FOLD, &[8, 9, 16].map(UtcMillis), &[9, 15, 17].map(UtcMillis), &[true; 3]);
        assert_eq!(
            (found.train, found.validation, found.test, found.purged),
            (vec![0], vec![], vec![2], 1)
        );
    }

    #[test]
    fn rows_that_cannot_be_used_are_in_no_section_and_not_counted() {
        let (decision, end) = contiguous(40, 2);
        let mut usable = [true; 40];
        for row in [0, 9, 11, 15] {
            usable[row] = false;
        }
        let found = sections(&FOLD, &decision, &end, &usable);
        assert_eq!(found.train, (1..8).collect::<Vec<_>>());
        assert_eq!((found.validation, found.test), (vec![10], vec![14, 16, 17]));
        assert_eq!(found.purged, 3);
    }

    /// Two symbols on one axis: the first trades at some of the hours, the second at others.
    fn calendars() -> impl Strategy<Value = [Vec<UtcMillis>; 2]> {
        let trades = prop::collection::vec((1..4_i64, any::<bool>(), any::<bool>()), 30..150);
        (trades, 0..60_usize).prop_map(|(hours, holiday)| {
            let mut symbols = [Vec::new(), Vec::new()];
            let mut now = 0;
            for (position, (gap, first, second)) in hours.into_iter().enumerate() {
                now += gap * 3_600_000;
                let closed = (holiday..holiday + 12).contains(&position);
                for (symbol, open) in symbols.iter_mut().zip([first && !closed, second || !first]) {
                    if open {
                        symbol.push(UtcMillis(now));
                    }
                }
            }
            symbols
        })
    }

    proptest! {
        #[test]
        fn no_label_reaches_a_later_section_of_any_symbol(
            symbols in calendars(), horizon in 1..6_usize, train in 5..20_u32, validation in 1..8_u32,
            test in 1..8_u32, embargo in 0..4_u32, broken in prop::collection::vec(any::<bool>(), 150),
        ) {
            let spec = ValidationSpec {
                train_bars: train,
                validation_bars: validation,
                test_bars: test,
                step_bars: None,
                embargo_bars: embargo,
                max_folds: None,
            };
            let axis = decision_axis(&[&symbols[0], &symbols[1]]);
            let folds = walk_forward(&axis, &spec).unwrap_or_default();
            let hour = 3_600_000;
            for decision in &symbols {
                let end: Vec<UtcMillis> = (0..decision.len())
                    .map(|t| decision.get(t + 1 + horizon).map_or(UtcMillis(i64::MAX), |at| at.plus_millis(-hour)))
                    .collect();
                let usable: Vec<bool> = (0..decision.len())
                    .map(|t| end[t].0 != i64::MAX && !broken[t])
                    .collect();
                let mut tested = vec![0; decision.len()];
                for fold in &folds {
                    let found = sections(fold, decision, &end, &usable);
                    let at = |row: &u32| decision[*row as usize];
                    let end_of = |row: &u32| end[*row as usize];
                    let later = found.validation.iter().chain(&found.test).map(at).min();
                    prop_assert!(found.train.iter().all(|row| Some(end_of(row)) < later || later.is_none()));
                    prop_assert!(found.train.iter().all(|row| end_of(row) < fold.validation.start));
                    prop_assert!(found.validation.iter().all(|row| end_of(row) < fold.test.start));
                    prop_assert!(found.train.iter().all(|row| fold.train.contains(at(row))));
                    prop_assert!(found.validation.iter().all(|row| fold.validation.contains(at(row))));
                    prop_assert!(found.test.iter().all(|row| fold.test.contains(at(row))));
                    let rows: Vec<u32> =
                        [&found.train[..], &found.validation, &found.test].concat();
                    prop_assert!(rows.windows(2).all(|pair| pair[0] < pair[1]), "{rows:?}");
                    prop_assert!(rows.iter().all(|row| usable[*row as usize]));
                    let spanned = (0..decision.len()).filter(|t| usable[*t]).filter(|t| {
                        [fold.train, fold.validation, fold.test].iter().any(|span| span.contains(decision[*t]))
                    });
                    prop_assert_eq!(rows.len() + found.purged, spanned.count());
                    for row in &found.test {
                        tested[*row as usize] += 1;
                    }
                }
                // Test sections follow one another without a hole: every usable row between the first and the last is tested once.
                let (Some(first), Some(last)) = (folds.first(), folds.last()) else { continue };
                for t in 0..decision.len() {
                    let between = first.test.start <= decision[t] && decision[t] < last.test.end;
                    prop_assert_eq!(tested[t], usize::from(between && usable[t]));
                }
            }
        }
    }
}
