use crate::domain::{FoldIndex, FoldPlan, TimeSpan, UtcMillis};
use crate::spec::ValidationSpec;

/// Why time cannot be cut into folds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValidationError {
    /// Not one whole fold fits.
    #[error(
        "a fold needs {needed} bars (validation.train_bars {train} + validation.validation_bars {validation} + validation.test_bars {test} \
         + 2 × validation.embargo_bars {embargo}) but there are {available}; lower these fields by {} bars in all, or give more data",
        needed - available
    )]
    TooLong {
        /// Bars that one fold spans.
        needed: u64,
        /// Bars on the time axis.
        available: u64,
        /// `validation.train_bars`.
        train: u32,
        /// `validation.validation_bars`.
        validation: u32,
        /// `validation.test_bars`.
        test: u32,
        /// `validation.embargo_bars`.
        embargo: u32,
    },
    /// A length that leaves nothing to do.
    #[error("{field} is 0 and must be at least 1; raise it")]
    Zero {
        /// The field's path.
        field: &'static str,
    },
    /// The axis is not sorted or repeats a moment.
    #[error(
        "the time axis must rise strictly, but {after} follows {before} at position {position}; sort the decision times and drop duplicates"
    )]
    Unsorted {
        /// Where, from 0.
        position: usize,
        /// The moment before it.
        before: UtcMillis,
        /// The moment there.
        after: UtcMillis,
    },
}

/// Rolling walk-forward: train, embargo, validation, embargo, test, each of a fixed number of bars of the axis, moved on by the step.
///
/// `axis` holds the decision times (bar close times) in strictly rising order; of pooled symbols their union. The first fold starts with
/// the axis and fold k `k × step` bars later, so that folds stay what they are when data is appended; bars at the end that do not fill a
/// whole fold are in none. `max_folds` keeps the latest ones, numbered from 0.
///
/// A section spans from its first decision up to the first one after it; at the end of the axis up to 1 ms after the last.
///
/// # Errors
/// [`ValidationError`] where no fold fits, a length is 0 or the axis does not rise.
pub fn walk_forward(
    axis: &[UtcMillis],
    spec: &ValidationSpec,
) -> Result<Vec<FoldPlan>, ValidationError> {
    check(axis, spec)?;
    let embargo = spec.embargo_bars as usize;
    let train = spec.train_bars as usize;
    let validation = train + embargo;
    let test = validation + spec.validation_bars as usize + embargo;
    let end = test + spec.test_bars as usize;
    let step = spec.step_bars.unwrap_or(spec.test_bars) as usize;

    let fitting = (axis.len() - end) / step + 1;
    let kept = spec.max_folds.map_or(fitting, |most| fitting.min(most as usize));
    let first = fitting - kept;
    let folds = (0..).zip(first..fitting).map(|(index, position)| {
        let span = |from: usize, until: usize| {
            section(axis, position * step + from, position * step + until)
        };
        FoldPlan {
            index: FoldIndex(index),
            train: span(0, train),
            validation: span(validation, test - embargo),
            test: span(test, end),
        }
    });
    Ok(folds.collect())
}

/// The span of the decisions `first..after`, which are on the axis and not none.
fn section(axis: &[UtcMillis], first: usize, after: usize) -> TimeSpan {
    let end = axis.get(after).copied().unwrap_or_else(|| axis[after - 1].plus_millis(1));
    TimeSpan { start: axis[first], end }
}

fn check(axis: &[UtcMillis], spec: &ValidationSpec) -> Result<(), ValidationError> {
    let lengths = [
        ("validation.train_bars", Some(spec.train_bars)),
        ("validation.validation_bars", Some(spec.validation_bars)),
        ("validation.test_bars", Some(spec.test_bars)),
        ("validation.step_bars", spec.step_bars),
        ("validation.max_folds", spec.max_folds),
    ];
    if let Some((field, _)) = lengths.into_iter().find(|(_, bars)| *bars == Some(0)) {
        return Err(ValidationError::Zero { field });
    }
    if let Some(before) = axis.windows(2).position(|pair| pair[0] >= pair[1]) {
        return Err(ValidationError::Unsorted {
            position: before + 1,
            before: axis[before],
            after: axis[before + 1],
        });
    }
    let sections = [spec.train_bars, spec.validation_bars, spec.test_bars].map(u64::from);
    let needed = sections.into_iter().sum::<u64>() + 2 * u64::from(spec.embargo_bars);
    let available = axis.len() as u64;
    if needed > available {
        return Err(ValidationError::TooLong {
            needed,
            available,
            train: spec.train_bars,
            validation: spec.validation_bars,
            test: spec.test_bars,
            embargo: spec.embargo_bars,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn spec(train: u32, validation: u32, test: u32, embargo: u32) -> ValidationSpec {
        ValidationSpec {
            train_bars: train,
            validation_bars: validation,
            test_bars: test,
            step_bars: None,
            embargo_bars: embargo,
            max_folds: None,
        }
    }

    fn hours(count: i64) -> Vec<UtcMillis> {
        (0..count).map(UtcMillis).collect()
    }

    fn spans(fold: &FoldPlan) -> [(i64, i64); 3] {
        [fold.train, fold.validation, fold.test].map(|span| (span.start.0, span.end.0))
    }

    #[test]
    fn folds_roll_forward_by_the_test_section() {
        let folds = walk_forward(&hours(15), &spec(5, 2, 3, 1)).unwrap();
        assert_eq!(
            folds.iter().map(spans).collect::<Vec<_>>(),
            [[(0, 5), (6, 8), (9, 12)], [(3, 8), (9, 11), (12, 15)],]
        );
        // The end of the axis is 1 ms after its last decision: 14 + 1. With one bar more the third fold still does not fit.
        assert_eq!(walk_forward(&hours(16), &spec(5, 2, 3, 1)).unwrap().len(), 2);
        let stepped = ValidationSpec { step_bars: Some(1), ..spec(5, 2, 3, 1) };
        assert_eq!(walk_forward(&hours(16), &stepped).unwrap().len(), 5);
    }

    #[test]
    fn only_the_latest_folds_are_kept_and_numbered_from_0() {
        let all = walk_forward(&hours(30), &spec(5, 2, 3, 0)).unwrap();
        let limited = ValidationSpec { max_folds: Some(2), ..spec(5, 2, 3, 0) };
        let latest = walk_forward(&hours(30), &limited).unwrap();
        let expected = &all[all.len() - 2..];
        assert_eq!(
            latest.iter().map(spans).collect::<Vec<_>>(),
            expected.iter().map(spans).collect::<Vec<_>>()
        );
        assert_eq!(latest.iter().map(|fold| fold.index.0).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_fold_longer_than_the_data_says_by_how_much() {
        let error = walk_forward(&hours(1000), &spec(3000, 500, 500, 24)).unwrap_err().to_string();
        assert_eq!(
            error,
            "a fold needs 4048 bars (validation.train_bars 3000 + validation.validation_bars 500 + validation.test_bars 500 \
             + 2 × validation.embargo_bars 24) but there are 1000; lower these fields by 3048 bars in all, or give more data"
        );
        assert!(walk_forward(&hours(12), &spec(5, 2, 3, 1)).is_ok());
        assert!(walk_forward(&hours(11), &spec(5, 2, 3, 1)).is_err());
        let huge = spec(u32::MAX, u32::MAX, u32::MAX, u32::MAX);
        assert!(matches!(
            walk_forward(&[], &huge),
            Err(ValidationError::TooLong { available: 0, .. })
        ));
    }

    #[test]
    fn impossible_lengths_and_axes_are_refused() {
        let no_step = ValidationSpec { step_bars: Some(0), ..spec(1, 1, 1, 0) };
        for (spec, field) in [
            (spec(0, 1, 1, 0), "validation.train_bars"),
            (spec(1, 0, 1, 0), "validation.validation_bars"),
            (spec(1, 1, 0, 0), "validation.test_bars"),
            (no_step, "validation.step_bars"),
        ] {
            assert_eq!(walk_forward(&hours(9), &spec), Err(ValidationError::Zero { field }));
        }
        for (third, position) in [(5, 2), (4, 2)] {
            let axis = [1, 5, third, 9].map(UtcMillis);
            let error = walk_forward(&axis, &spec(1, 1, 1, 0)).unwrap_err();
            assert!(
                matches!(error, ValidationError::Unsorted { position: at, .. } if at == position)
            );
        }
    }

    /// Hours with weekends and other holes in them.
    fn axis() -> impl Strategy<Value = Vec<UtcMillis>> {
        prop::collection::vec(prop_oneof![8 => Just(1_i64), 1 => 2..5_i64, 1 => Just(48)], 0..150)
            .prop_map(|gaps| {
                let times = gaps.iter().scan(0, |now, gap| {
                    *now += gap * 3_600_000;
                    Some(UtcMillis(*now))
                });
                times.collect()
            })
    }

    proptest! {
        #[test]
        fn sections_have_their_length_their_order_and_their_embargo(
            axis in axis(), train in 1..30_u32, validation in 1..10_u32, test in 1..10_u32,
            embargo in 0..5_u32, extra in 0..4_u32, max_folds in prop::option::of(1..4_u32),
        ) {
            let spec = ValidationSpec {
                step_bars: (extra > 0).then_some(test + extra),
                max_folds,
                ..spec(train, validation, test, embargo)
            };
            let inside = |from: UtcMillis, until: UtcMillis| {
                axis.iter().filter(|at| TimeSpan { start: from, end: until }.contains(**at)).count()
            };
            let needed = (train + validation + test + 2 * embargo) as usize;
            let folds = match walk_forward(&axis, &spec) {
                Ok(folds) => folds,
                Err(error) => {
                    prop_assert!(axis.len() < needed, "{error}");
                    return Ok(());
                }
            };
            prop_assert!(axis.len() >= needed && !folds.is_empty());
            for fold in &folds {
                prop_assert_eq!(inside(fold.train.start, fold.train.end), train as usize);
                prop_assert_eq!(inside(fold.train.end, fold.validation.start), embargo as usize);
                prop_assert_eq!(inside(fold.validation.start, fold.validation.end), validation as usize);
                prop_assert_eq!(inside(fold.validation.end, fold.test.start), embargo as usize);
                prop_assert_eq!(inside(fold.test.start, fold.test.end), test as usize);
                prop_assert!(axis.contains(&fold.train.start) && axis.contains(&fold.test.start));
                prop_assert!(fold.test.end <= axis[axis.len() - 1].plus_millis(1));
            }
            for pair in folds.windows(2) {
                prop_assert_eq!(inside(pair[0].test.end, pair[1].test.start), extra as usize);
            }
            if max_folds.is_none() {
                prop_assert_eq!(folds[0].train.start, axis[0]);
                let unused = inside(folds[folds.len() - 1].test.end, UtcMillis(i64::MAX));
                prop_assert!(unused < (test + extra) as usize);
            }
        }

        #[test]
        fn appending_data_changes_no_fold(axis in axis(), cut in 0..150_usize) {
            let spec = spec(10, 3, 4, 1);
            let shorter = walk_forward(&axis[..cut.min(axis.len())], &spec).unwrap_or_default();
            let longer = walk_forward(&axis, &spec).unwrap_or_default();
            for (before, after) in shorter.iter().zip(&longer) {
                prop_assert_eq!(before.test.start, after.test.start);
                prop_assert_eq!((before.train, before.validation), (after.train, after.validation));
            }
            prop_assert!(shorter.len() <= longer.len());
        }
    }
}
