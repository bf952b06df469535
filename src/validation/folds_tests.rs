use proptest::prelude::*;

use super::{Reach, ValidationError, folds};
use crate::domain::{Embargo, FoldPlan, Length, TimeSpan, UtcMillis};
use crate::spec::{Portion, ValidationSpec};

const REACH: Reach = Reach { horizon: 1, back: 0 };

/// Rolling walk-forward in bars.
#[derive(Debug, Clone, Copy)]
struct Bars {
    train: u32,
    validation: u32,
    test: u32,
    embargo: u32,
    step: Option<u32>,
    max_folds: Option<u32>,
}

const fn spec(train: u32, validation: u32, test: u32, embargo: u32) -> Bars {
    Bars { train, validation, test, embargo, step: None, max_folds: None }
}

fn walk_forward(axis: &[UtcMillis], spec: &Bars) -> Result<Vec<FoldPlan>, ValidationError> {
    let spec = ValidationSpec::WalkForward {
        anchored: false,
        train: Length::Bars(spec.train),
        validation: Length::Bars(spec.validation),
        test: Length::Bars(spec.test),
        step: spec.step.map(Length::Bars),
        embargo: Length::Bars(spec.embargo),
        max_folds: spec.max_folds,
    };
    folds(axis, &spec, REACH)
}

fn hours(count: i64) -> Vec<UtcMillis> {
    (0..count).map(UtcMillis).collect()
}

fn spans(fold: &FoldPlan) -> [(i64, i64); 3] {
    [fold.train[0], fold.validation, fold.test].map(|span| (span.start.0, span.end.0))
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
    let stepped = |step| Bars { step: Some(step), ..spec(5, 2, 3, 1) };
    assert_eq!(walk_forward(&hours(16), &stepped(4)).unwrap().len(), 2);
    let error = walk_forward(&hours(16), &stepped(1)).unwrap_err();
    assert!(matches!(error, ValidationError::TestsOverlap { fold: 0, .. }), "{error}");
}

#[test]
fn only_the_latest_folds_are_kept_and_numbered_from_0() {
    let all = walk_forward(&hours(30), &spec(5, 2, 3, 0)).unwrap();
    let limited = Bars { max_folds: Some(2), ..spec(5, 2, 3, 0) };
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
        "a fold needs 4048 bars (validation.train 3000 + validation.validation 500 + validation.test 500 \
         + 2 × validation.embargo 24) but there are 1000; lower these fields by 3048 bars in all, or give more data"
    );
    assert!(walk_forward(&hours(12), &spec(5, 2, 3, 1)).is_ok());
    assert!(walk_forward(&hours(11), &spec(5, 2, 3, 1)).is_err());
    let huge = spec(u32::MAX, u32::MAX, u32::MAX, u32::MAX);
    assert!(matches!(
        walk_forward(&hours(1), &huge),
        Err(ValidationError::TooLong { available: 1, .. })
    ));
}

#[test]
fn impossible_lengths_and_axes_are_refused() {
    let no_step = Bars { step: Some(0), ..spec(1, 1, 1, 0) };
    for (spec, field) in [
        (spec(0, 1, 1, 0), "validation.train"),
        (spec(1, 0, 1, 0), "validation.validation"),
        (spec(1, 1, 0, 0), "validation.test"),
        (no_step, "validation.step"),
    ] {
        assert_eq!(walk_forward(&hours(9), &spec), Err(ValidationError::Zero { field }));
    }
    for (third, position) in [(5, 2), (4, 2)] {
        let axis = [1, 5, third, 9].map(UtcMillis);
        let error = walk_forward(&axis, &spec(1, 1, 1, 0)).unwrap_err();
        assert!(matches!(error, ValidationError::Unsorted { position: at, .. } if at == position));
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
        let spec = Bars {
            step: (extra > 0).then_some(test + extra),
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
            prop_assert_eq!(inside(fold.train[0].start, fold.train[0].end), train as usize);
            prop_assert_eq!(inside(fold.train[0].end, fold.validation.start), embargo as usize);
            prop_assert_eq!(inside(fold.validation.start, fold.validation.end), validation as usize);
            prop_assert_eq!(inside(fold.validation.end, fold.test.start), embargo as usize);
            prop_assert_eq!(inside(fold.test.start, fold.test.end), test as usize);
            prop_assert!(axis.contains(&fold.train[0].start) && axis.contains(&fold.test.start));
            prop_assert!(fold.test.end <= axis[axis.len() - 1].plus_millis(1));
        }
        for pair in folds.windows(2) {
            prop_assert_eq!(inside(pair[0].test.end, pair[1].test.start), extra as usize);
        }
        if max_folds.is_none() {
            prop_assert_eq!(folds[0].train[0].start, axis[0]);
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
            prop_assert_eq!((&before.train, before.validation), (&after.train, after.validation));
        }
        prop_assert!(shorter.len() <= longer.len());
    }
}

fn at(text: &str) -> UtcMillis {
    text.parse().unwrap()
}

fn length(text: &str) -> Length {
    text.parse().unwrap()
}

/// Start and end of a span as days.
fn days_of(span: TimeSpan) -> (String, String) {
    let day = |at: UtcMillis| at.to_string()[..10].to_owned();
    (day(span.start), day(span.end))
}

/// Decisions at 21:00 of every working day from Monday 2024-01-01 on, without the holidays.
fn working_days(count: i64, holidays: &[&str]) -> Vec<UtcMillis> {
    let monday = at("2024-01-01T21:00:00");
    (0..count)
        .filter(|day| day % 7 < 5)
        .map(|day| monday.plus_millis(day * 86_400_000))
        .filter(|time| !holidays.iter().any(|day| time.to_string().starts_with(day)))
        .collect()
}

fn in_time(anchored: bool, lengths: [&str; 3], step: Option<&str>) -> ValidationSpec {
    let [train, validation, test] = lengths.map(length);
    ValidationSpec::WalkForward {
        anchored,
        train,
        validation,
        test,
        step: step.map(length),
        embargo: Length::Bars(0),
        max_folds: None,
    }
}

#[test]
fn calendar_lengths_count_closed_days_and_do_not_drift() {
    // Monday 15 January is a holiday: the section begins on Tuesday, and the next one on a Monday again.
    let axis = working_days(70, &["2024-01-15"]);
    let found = folds(&axis, &in_time(false, ["2w", "1w", "1w"], None), REACH).unwrap();
    let tests: Vec<(String, String)> = found.iter().map(|fold| days_of(fold.test)).collect();
    let expected = [("2024-01-22", "2024-01-29"), ("2024-01-29", "2024-02-05")];
    let expected = expected.map(|(from, until)| (from.to_owned(), until.to_owned()));
    assert_eq!(tests[..2], expected);
    assert_eq!(days_of(found[0].validation), ("2024-01-16".into(), "2024-01-22".into()));
    assert_eq!(days_of(found[1].train[0]), ("2024-01-08".into(), "2024-01-22".into()));
    assert_eq!(days_of(found[1].validation), ("2024-01-22".into(), "2024-01-29".into()));
    // 70 days are ten weeks: the tenth ends on a Monday that the data do not reach, since closed days are not known from missing ones.
    assert_eq!(found.len(), 6);
    assert_eq!(
        folds(&working_days(71, &[]), &in_time(false, ["2w", "1w", "1w"], None), REACH)
            .unwrap()
            .len(),
        7
    );
}

#[test]
fn round_the_clock_a_week_is_whole_with_its_last_bar() {
    let axis: Vec<UtcMillis> = (1..=168 * 4).map(|hour| UtcMillis(hour * 3_600_000)).collect();
    let found = folds(&axis, &in_time(false, ["2w", "1w", "1w"], None), REACH).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        folds(&axis[..axis.len() - 1], &in_time(false, ["2w", "1w", "1w"], None), REACH)
            .unwrap_err()
            .to_string(),
        "no whole fold (validation.train 2w + validation.validation 1w + validation.test 1w + 2 × validation.embargo 0 bars) fits into the 671 bars from 1970-01-01T01:00:00Z to 1970-01-28T23:00:00Z; shorten these fields, or give more data"
    );
}

#[test]
fn an_anchored_train_section_keeps_its_start_and_grows() {
    let axis: Vec<UtcMillis> = (0..20).map(UtcMillis).collect();
    let rolling = folds(&axis, &in_time(false, ["6", "2", "3"], None), REACH).unwrap();
    let anchored = folds(&axis, &in_time(true, ["6", "2", "3"], None), REACH).unwrap();
    assert_eq!((rolling.len(), anchored.len()), (4, 4));
    for (rolling, anchored) in rolling.iter().zip(&anchored) {
        assert_eq!(anchored.train[0], TimeSpan { start: axis[0], end: rolling.train[0].end });
        assert_eq!((anchored.validation, anchored.test), (rolling.validation, rolling.test));
    }
}

#[test]
fn months_of_unequal_length_never_test_a_row_twice() {
    let first = at("2023-12-31");
    let axis: Vec<UtcMillis> = (0..500).map(|day| first.plus_millis(day * 86_400_000)).collect();
    let found = folds(&axis, &in_time(false, ["2mo", "1mo", "1mo"], None), REACH).unwrap();
    assert!(found.len() > 10);
    assert!(found.windows(2).all(|pair| pair[0].test.end <= pair[1].test.start), "{found:?}");
    assert!(found.iter().all(|fold| fold.test.start < fold.test.end));
    let error = folds(&axis, &in_time(false, ["90", "30", "40"], Some("1mo")), REACH).unwrap_err();
    assert!(matches!(error, ValidationError::TestsOverlap { fold: 0, .. }), "{error}");
    assert!(folds(&axis, &in_time(false, ["90", "30", "28"], Some("1mo")), REACH).is_ok());
}

#[test]
fn a_hold_out_is_cut_at_its_dates() {
    let axis = working_days(100, &[]);
    let spec = |validation_from: &str, test_from: &str, embargo: &str| ValidationSpec::HoldOut {
        validation_from: at(validation_from),
        test_from: at(test_from),
        embargo: length(embargo),
    };
    let found = folds(&axis, &spec("2024-02-01", "2024-03-02", "0"), REACH).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(days_of(found[0].train[0]), ("2024-01-01".into(), "2024-02-01".into()));
    // 2 March is a Saturday.
    assert_eq!(days_of(found[0].validation), ("2024-02-01".into(), "2024-03-04".into()));
    assert_eq!(days_of(found[0].test), ("2024-03-04".into(), "2024-04-09".into()));
    let apart = folds(&axis, &spec("2024-02-01", "2024-03-02", "3"), REACH).unwrap();
    assert_eq!(days_of(apart[0].train[0]), ("2024-01-01".into(), "2024-01-29".into()));
    let apart = folds(&axis, &spec("2024-02-01", "2024-03-02", "1w"), REACH).unwrap();
    assert_eq!(days_of(apart[0].validation), ("2024-02-01".into(), "2024-02-26".into()));
    for (validation_from, test_from, field) in [
        ("2024-01-01", "2024-03-01", "validation.validation_from"),
        ("2024-02-03", "2024-02-04", "validation.test_from"),
        ("2024-02-03", "2025-02-04", "validation.test_from"),
    ] {
        let error = folds(&axis, &spec(validation_from, test_from, "0"), REACH).unwrap_err();
        assert!(error.to_string().starts_with(field), "{error}");
    }
}

#[test]
fn every_part_is_tested_once_with_validation_before_it_and_train_around_it() {
    let axis: Vec<UtcMillis> = (0..100).map(UtcMillis).collect();
    let spec = |validation, embargo| ValidationSpec::PurgedKFold { folds: 4, validation, embargo };
    let reach = Reach { horizon: 2, back: 5 };
    let found = folds(&axis, &spec(Portion::Length(Length::Bars(10)), None), reach).unwrap();
    let pairs = |fold: &FoldPlan| {
        let pair = |span: &TimeSpan| (span.start.0, span.end.0);
        (fold.train.iter().map(pair).collect::<Vec<_>>(), pair(&fold.validation), pair(&fold.test))
    };
    assert_eq!(pairs(&found[0]), (vec![(49, 100)], (32, 42), (0, 25)));
    assert_eq!(pairs(&found[1]), (vec![(0, 15), (57, 100)], (15, 25), (25, 50)));
    assert_eq!(pairs(&found[3]), (vec![(0, 65)], (65, 75), (75, 100)));
    assert!(found.iter().all(|fold| fold.embargo == Embargo { bars: 5, time: None }));
    let share = folds(&axis, &spec(Portion::Share(0.2), Some(Length::Bars(9))), reach).unwrap();
    assert_eq!(pairs(&share[1]), (vec![(0, 10), (61, 100)], (10, 25), (25, 50)));
    assert_eq!(share[1].embargo.bars, 9, "longer than need be");
    let short = folds(&axis, &spec(Portion::Share(0.2), Some(Length::Bars(1))), reach).unwrap();
    assert_eq!(short[1].embargo.bars, 5, "never shorter than window and lookback");
    let wide = spec(Portion::Share(0.9), None);
    assert!(matches!(folds(&axis, &wide, reach), Err(ValidationError::TooManyFolds { .. })));
    assert!(folds(&axis[..3], &spec(Portion::Share(0.2), None), reach).is_err());
}
