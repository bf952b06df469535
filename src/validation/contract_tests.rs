//! The purge contract in every scheme: pooled and not, with holes in calendars, with labels that end late.

use proptest::prelude::*;

use super::{Reach, RowTimes, Sections, decision_axis, folds, overlaps, sections};
use crate::domain::{FoldPlan, Length, UtcMillis};
use crate::spec::{Portion, ValidationSpec};

const HOUR: i64 = 3_600_000;

/// One symbol's rows.
#[derive(Debug, Clone)]
struct Symbol {
    decision: Vec<UtcMillis>,
    label_end: Vec<UtcMillis>,
    scorable: Vec<bool>,
    learnable: Vec<bool>,
}

impl Symbol {
    fn rows(&self) -> RowTimes<'_> {
        RowTimes {
            decision: &self.decision,
            label_end: &self.label_end,
            scorable: &self.scorable,
            learnable: &self.learnable,
        }
    }
}

/// Symbols on one axis that trade at some of its hours, with a holiday for one of them; labels that end after one to `horizon` bars, at an open
/// or, as at a barrier, at a close; rows without a window and rows without a label.
fn markets(horizon: usize) -> impl Strategy<Value = Vec<Symbol>> {
    let hour = (
        prop_oneof![6 => Just(1_i64), 1 => 2..5_i64, 1 => Just(48)],
        any::<[bool; 3]>(),
        any::<u64>(),
    );
    (prop::collection::vec(hour, 40..160), 1..4_usize, 0..100_usize).prop_map(
        move |(hours, symbols, holiday)| {
            let mut decisions = vec![Vec::new(); symbols];
            let mut now = 0;
            for (position, (gap, trades, _)) in hours.iter().enumerate() {
                now += gap * HOUR;
                for (symbol, decision) in decisions.iter_mut().enumerate() {
                    let closed = symbol == 1 && (holiday..holiday + 12).contains(&position);
                    // The first symbol always trades, so that no hour is nobody's.
                    if symbol == 0 || trades[symbol] && !closed {
                        decision.push(UtcMillis(now));
                    }
                }
            }
            let symbol = |decision: Vec<UtcMillis>| {
                let mut symbol = Symbol {
                    label_end: vec![UtcMillis(i64::MAX); decision.len()],
                    scorable: vec![false; decision.len()],
                    learnable: vec![false; decision.len()],
                    decision,
                };
                let labelled = symbol.decision.len().saturating_sub(horizon + 1);
                for (t, &(.., chance)) in hours.iter().enumerate().take(labelled) {
                    let touched = t + 1 + chance as usize % horizon;
                    symbol.label_end[t] = if chance & 0x100 == 0 {
                        symbol.decision[touched]
                    } else {
                        symbol.decision[t + 1 + horizon].plus_millis(-HOUR)
                    };
                    symbol.scorable[t] = chance & 0x7000 != 0;
                    symbol.learnable[t] = symbol.scorable[t] && chance & 0x3_0000 != 0;
                }
                symbol
            };
            decisions.into_iter().map(symbol).collect()
        },
    )
}

fn lengths(most: u32) -> impl Strategy<Value = Length> {
    let time = (1..most, prop_oneof![Just("h"), Just("d")])
        .prop_map(|(count, unit)| format!("{count}{unit}").parse().unwrap());
    prop_oneof![3 => (1..most).prop_map(Length::Bars), 1 => time.prop_map(Length::Time)]
}

fn schemes() -> impl Strategy<Value = ValidationSpec> {
    let walk_forward = (any::<bool>(), lengths(30), lengths(10), lengths(10), lengths(4)).prop_map(
        |(anchored, train, validation, test, embargo)| ValidationSpec::WalkForward {
            anchored,
            train,
            validation,
            test,
            step: None,
            embargo,
            max_folds: None,
        },
    );
    let portion =
        prop_oneof![lengths(12).prop_map(Portion::Length), (0.05..0.5).prop_map(Portion::Share)];
    let k_fold = (2..6_u32, portion, prop::option::of(lengths(20))).prop_map(
        |(folds, validation, embargo)| ValidationSpec::PurgedKFold { folds, validation, embargo },
    );
    let hold_out = (10..80_i64, 5..60_i64, lengths(5)).prop_map(|(from, length, embargo)| {
        ValidationSpec::HoldOut {
            validation_from: UtcMillis(from * HOUR),
            test_from: UtcMillis((from + length) * HOUR),
            embargo,
        }
    });
    prop_oneof![walk_forward, k_fold, hold_out]
}

/// Everything the contract says, row by row, from times alone.
fn keeps_the_contract(
    fold: &FoldPlan,
    symbols: &[Symbol],
    found: &[Sections],
    back: usize,
) -> Result<(), TestCaseError> {
    let of = |rows_of: fn(&Sections) -> &Vec<u32>| -> Vec<(usize, usize)> {
        let rows = found.iter().enumerate();
        rows.flat_map(|(symbol, part)| rows_of(part).iter().map(move |row| (symbol, *row as usize)))
            .collect()
    };
    let (train, validation, test) =
        (of(|part| &part.train), of(|part| &part.validation), of(|part| &part.test));
    let decision = |(symbol, row): (usize, usize)| symbols[symbol].decision[row];
    let end = |(symbol, row): (usize, usize)| symbols[symbol].label_end[row];
    for (earlier, later, span) in [
        (&train, &validation, fold.validation),
        (&train, &test, fold.test),
        (&validation, &test, fold.test),
    ] {
        let last_end = later.iter().map(|row| end(*row)).max();
        for &row in earlier {
            if decision(row) < span.start {
                prop_assert!(end(row) < span.start, "{:?} reaches {:?}", row, span);
                continue;
            }
            prop_assert!(decision(row) >= span.end, "{:?} lies inside", row);
            let Some(last_end) = last_end else { continue };
            let oldest = row.1.checked_sub(back);
            prop_assert!(oldest.is_some(), "{:?}: the embargo counts bars of the symbol", row);
            let oldest = symbols[row.0].decision[row.1 - back];
            prop_assert!(oldest >= last_end, "{:?} follows {} too soon", row, last_end);
        }
    }
    for (rows, spans) in [
        (&train, fold.train.clone()),
        (&validation, vec![fold.validation]),
        (&test, vec![fold.test]),
    ] {
        prop_assert!(rows.iter().all(|row| spans.iter().any(|span| span.contains(decision(*row)))));
    }
    for (symbol, part) in symbols.iter().zip(found) {
        for rows in [&part.train, &part.validation, &part.test] {
            prop_assert!(rows.windows(2).all(|pair| pair[0] < pair[1]));
        }
        prop_assert!(
            part.train.iter().chain(&part.validation).all(|row| symbol.learnable[*row as usize])
        );
        let tested = (0..symbol.decision.len())
            .filter(|row| symbol.scorable[*row] && fold.test.contains(symbol.decision[*row]));
        prop_assert!(
            tested.eq(part.test.iter().map(|row| *row as usize)),
            "test rows are never purged"
        );
        let spanned =
            (0..symbol.decision.len()).filter(|row| symbol.learnable[*row]).filter(|row| {
                let at = symbol.decision[*row];
                fold.validation.contains(at) || fold.train.iter().any(|span| span.contains(at))
            });
        prop_assert_eq!(part.train.len() + part.validation.len() + part.purged, spanned.count());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_that_learns_knows_what_is_tested(
        symbols in markets(6), spec in schemes(), back in 1..8_u32,
    ) {
        let rows: Vec<RowTimes<'_>> = symbols.iter().map(Symbol::rows).collect();
        let decisions: Vec<&[UtcMillis]> = rows.iter().map(|rows| rows.decision).collect();
        let plans = folds(&decision_axis(&decisions), &spec, Reach { horizon: 6, back }).unwrap_or_default();
        for fold in &plans {
            let found = sections(fold, &rows);
            let in_bars = if let ValidationSpec::PurgedKFold { .. } = spec { back } else { 0 };
            keeps_the_contract(fold, &symbols, &found, in_bars as usize)?;
            // What the window reaches begins one bar later than the embargo.
            let leaks = overlaps(&rows, &found, in_bars.saturating_sub(1));
            prop_assert!(leaks.is_empty(), "{:?} in {:?}", leaks, fold);
        }
        // No decision is tested twice.
        for pair in plans.windows(2) {
            prop_assert!(pair[0].test.end <= pair[1].test.start);
        }
    }
}
