use super::barred::Barred;
use super::gaps::{Gaps, between};
use crate::domain::{FoldGap, FoldPlan, GapKind, GapPlace, TimeSpan, UtcMillis};

/// The rows of one symbol in one fold, by index and in rising order. No row is in two sections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections {
    /// Rows learnt from.
    pub train: Vec<u32>,
    /// Rows early stopping sees.
    pub validation: Vec<u32>,
    /// Rows seen once, at the end.
    pub test: Vec<u32>,
    /// Learnable train and validation rows that were dropped because their label reaches a later section, or because they follow an earlier one
    /// too soon.
    pub purged: usize,
}

/// What of one series decides its rows' sections: every slice describes the same rows, and `decision` rises.
#[derive(Debug, Clone, Copy)]
pub struct RowTimes<'a> {
    /// When each row is decided.
    pub decision: &'a [UtcMillis],
    /// When its label is known.
    pub label_end: &'a [UtcMillis],
    /// Whether it can be tested on.
    pub scorable: &'a [bool],
    /// Whether it can be learnt from.
    pub learnable: &'a [bool],
}

/// Sorts the rows of the series that share a model into the fold's sections by their decision times, leaving out those that cannot be used.
///
/// Dropped from train and validation is a row that
/// - is decided before a section and whose label ends at or after that section's first decision, or
/// - is decided after a section, but before its last label (of any of the series) has ended and the fold's embargo has passed since.
///
/// A section starts at the same moment for every series, whether or not the series has a bar there. The cost is that of the sections' own rows.
///
/// # Panics
/// If a series' slices differ in length, or hold more than `u32::MAX` rows.
#[must_use]
pub fn sections(fold: &FoldPlan, series: &[RowTimes<'_>]) -> Vec<Sections> {
    cut(fold, series).0
}

/// The same, and what is left out beside the sections: rows that were dropped, and all bars between two sections.
///
/// # Panics
/// As [`sections`].
#[must_use]
pub fn cut(fold: &FoldPlan, series: &[RowTimes<'_>]) -> (Vec<Sections>, Vec<FoldGap>) {
    for rows in series {
        assert_eq!(rows.decision.len(), rows.label_end.len(), "one label end per decision");
        assert_eq!(rows.decision.len(), rows.scorable.len(), "one scorable flag per decision");
        assert_eq!(rows.decision.len(), rows.learnable.len(), "one learnable flag per decision");
        assert!(u32::try_from(rows.decision.len()).is_ok(), "rows are counted in u32");
    }
    let mut sections: Vec<Sections> = series
        .iter()
        .map(|rows| Sections {
            test: inside(rows, rows.scorable, fold.test),
            ..Sections::default()
        })
        .collect();
    let places = (GapPlace::BeforeTest, GapPlace::AfterTest);
    let test = Barred::new((fold.test, places), fold.embargo, series, &sections, |part| &part.test);
    let mut gaps = Gaps::default();
    for (position, (rows, part)) in series.iter().zip(&mut sections).enumerate() {
        part.validation = inside(rows, rows.learnable, fold.validation);
        part.purged +=
            keep(&mut part.validation, (rows, &mut gaps), |row| test.why_not(rows, position, row));
    }
    let places = (GapPlace::BeforeValidation, GapPlace::AfterValidation);
    let of = (fold.validation, places);
    let validation = Barred::new(of, fold.embargo, series, &sections, |part| &part.validation);
    for (position, (rows, part)) in series.iter().zip(&mut sections).enumerate() {
        part.train =
            fold.train.iter().flat_map(|span| inside(rows, rows.learnable, *span)).collect();
        part.purged += keep(&mut part.train, (rows, &mut gaps), |row| {
            // Where both stand in the way, it is the nearer one: validation, unless that has ended already.
            validation.why_not(rows, position, row).or_else(|| test.why_not(rows, position, row))
        });
    }
    for gap in between(fold) {
        let barred = [&validation, &test];
        let barred = barred.into_iter().find(|barred| gap.after == Some(barred.places.1));
        for (position, rows) in series.iter().enumerate() {
            for row in positions(rows, gap.span) {
                let found = match (barred.filter(|_| !fold.embargo.is_none()), gap.before) {
                    // Where labels have ended earlier than the plan could know, more is kept free than they ask for.
                    (Some(barred), _) => barred
                        .why_not(rows, position, row)
                        .or(Some((GapKind::Embargo, barred.places.1))),
                    // Where the plan itself leaves room, that is the embargo.
                    (None, place) => place.or(gap.after).map(|place| (GapKind::Embargo, place)),
                };
                if let Some(found) = found {
                    gaps.add(found, rows, row);
                }
            }
        }
    }
    (sections, gaps.into_list())
}

/// The flagged rows decided inside the span.
fn inside(rows: &RowTimes<'_>, flags: &[bool], span: TimeSpan) -> Vec<u32> {
    positions(rows, span).filter(|row| flags[*row]).map(|row| row as u32).collect()
}

/// The rows decided inside the span.
fn positions(rows: &RowTimes<'_>, span: TimeSpan) -> std::ops::Range<usize> {
    let first = rows.decision.partition_point(|at| *at < span.start);
    first..rows.decision.partition_point(|at| *at < span.end).max(first)
}

/// Drops the rows of a series that something speaks against; how many.
fn keep(
    kept: &mut Vec<u32>,
    (rows, gaps): (&RowTimes<'_>, &mut Gaps),
    why_not: impl Fn(usize) -> Option<(GapKind, GapPlace)>,
) -> usize {
    let before = kept.len();
    kept.retain(|row| {
        let found = why_not(*row as usize);
        if let Some(found) = found {
            gaps.add(found, rows, *row as usize);
        }
        found.is_none()
    });
    before - kept.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Embargo, FoldIndex};

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
    fn fold() -> FoldPlan {
        FoldPlan {
            index: FoldIndex(0),
            train: vec![span(1, 11)],
            validation: span(11, 15),
            test: span(15, 19),
            embargo: Embargo::default(),
        }
    }

    /// Of one series whose rows can be learnt from wherever they can be tested on.
    fn sections_of(
        fold: &FoldPlan,
        decision: &[UtcMillis],
        label_end: &[UtcMillis],
        usable: &[bool],
    ) -> Sections {
        let rows = RowTimes { decision, label_end, scorable: usable, learnable: usable };
        sections(fold, &[rows]).remove(0)
    }

    #[test]
    fn as_many_rows_as_the_horizon_has_bars_are_purged_before_a_later_section() {
        for horizon in 1..4_u32 {
            let (decision, end) = contiguous(40, horizon.into());
            let found = sections_of(&fold(), &decision, &end, &[true; 40]);
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
        let found = sections_of(&fold(), &decision, &end, &[true; 4]);
        assert_eq!((found.train, found.validation, found.purged), (vec![0], vec![2], 2));
    }

    #[test]
    fn a_train_label_that_jumps_over_the_validation_section_is_purged() {
        // The symbol has no bar between 9 and 16: its label of one bar ends inside the test section.
        let found = sections_of(
            &fold(),
            &[8, 9, 16].map(UtcMillis),
            &[9, 15, 17].map(UtcMillis),
            &[true; 3],
        );
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
        let found = sections_of(&fold(), &decision, &end, &usable);
        assert_eq!(found.train, (1..8).collect::<Vec<_>>());
        assert_eq!((found.validation, found.test), (vec![10], vec![14, 16, 17]));
        assert_eq!(found.purged, 3);
    }

    #[test]
    fn a_row_without_a_label_is_tested_on_and_not_learnt_from() {
        let (decision, end) = contiguous(40, 1);
        let mut learnable = [true; 40];
        for row in [3, 12, 16] {
            learnable[row] = false;
        }
        let rows = RowTimes {
            decision: &decision,
            label_end: &end,
            scorable: &[true; 40],
            learnable: &learnable,
        };
        let found = sections(&fold(), &[rows]).remove(0);
        assert_eq!(found.train, [0, 1, 2, 4, 5, 6, 7, 8]);
        assert_eq!((found.validation, found.test), (vec![10, 11], vec![14, 15, 16, 17]));
    }

    #[test]
    fn rows_after_a_section_wait_for_its_last_label_and_the_embargo() {
        // Test rows 10..14 first, then validation, then train; labels of two bars end at the opens of hours 13 to 17.
        let (decision, end) = contiguous(60, 2);
        let plan = |bars, time: Option<&str>| FoldPlan {
            train: vec![span(31, 61)],
            validation: span(15, 31),
            test: span(11, 15),
            embargo: Embargo { bars, time: time.map(|time| time.parse().unwrap()) },
            ..fold()
        };
        let first = |plan: &FoldPlan, label_end: &[UtcMillis]| {
            let found = sections_of(plan, &decision, label_end, &[true; 60]);
            (found.validation[0], found.train[0])
        };
        // The last test label (row 13) ends at hour 16: row 15 decides then. The last validation label ends at 32: row 31.
        assert_eq!(first(&plan(0, None), &end), (15, 32 - 1));
        assert_eq!(first(&plan(4, None), &end), (19, 35));
        let late: Vec<UtcMillis> =
            (0..60).map(|t| if t == 12 { UtcMillis(20) } else { end[t] }).collect();
        assert_eq!(first(&plan(4, None), &late), (23, 35), "a label of the section that ends late");
        // Times here are milliseconds, so any calendar time is beyond the end.
        let found = sections_of(&plan(0, Some("1m")), &decision, &end, &[true; 60]);
        assert_eq!((found.validation, found.train), (vec![], vec![]));
    }

    #[test]
    fn the_last_label_of_any_series_is_waited_for() {
        let (decision, end) = contiguous(60, 1);
        let late: Vec<UtcMillis> = end.iter().map(|end| end.plus_millis(7)).collect();
        let rows = |label_end| RowTimes {
            decision: &decision,
            label_end,
            scorable: &[true; 60],
            learnable: &[true; 60],
        };
        let plan = FoldPlan {
            train: vec![span(1, 6), span(15, 61)],
            validation: span(6, 11),
            test: span(11, 15),
            ..fold()
        };
        let alone = sections(&plan, &[rows(&end)]).remove(0);
        let both = sections(&plan, &[rows(&end), rows(&late)]).remove(0);
        let after = |found: &Sections| found.train.iter().copied().find(|row| *row > 10);
        // The last test row is 13: its label ends at 15, or at 22.
        assert_eq!((after(&alone), after(&both)), (Some(14), Some(21)));
    }

    fn gaps_of(
        fold: &FoldPlan,
        bars: i64,
        horizon: i64,
    ) -> Vec<(GapKind, GapPlace, i64, i64, u64)> {
        let (decision, end) = contiguous(bars, horizon);
        let usable = vec![true; bars as usize];
        let rows = RowTimes {
            decision: &decision,
            label_end: &end,
            scorable: &usable,
            learnable: &usable,
        };
        let gaps = cut(fold, &[rows]).1;
        let gap = |gap: FoldGap| (gap.kind, gap.place, gap.span.start.0, gap.span.end.0, gap.bars);
        gaps.into_iter().map(gap).collect()
    }

    #[test]
    fn what_is_purged_and_what_is_embargo_is_told_with_its_bars() {
        use GapKind::Purge;
        use GapPlace::{AfterTest, AfterValidation, BeforeTest, BeforeValidation};
        // Sections that touch: as many bars as the horizon before each of the two.
        assert_eq!(
            gaps_of(&fold(), 40, 2),
            [(Purge, BeforeValidation, 9, 11, 2), (Purge, BeforeTest, 13, 15, 2)]
        );
        // With room between them nothing is purged: the labels end in it.
        let apart = FoldPlan { validation: span(14, 18), test: span(21, 25), ..fold() };
        assert_eq!(
            gaps_of(&apart, 40, 2),
            [
                (GapKind::Embargo, BeforeValidation, 11, 14, 3),
                (GapKind::Embargo, BeforeTest, 18, 21, 3)
            ]
        );
        // K-fold: after the test section wait for its last label, and then for the embargo.
        let around = FoldPlan {
            train: vec![span(1, 11), span(24, 41)],
            embargo: Embargo { bars: 3, time: None },
            ..fold()
        };
        assert_eq!(
            gaps_of(&around, 40, 2),
            [
                (Purge, BeforeValidation, 9, 11, 2),
                (Purge, BeforeTest, 13, 15, 2),
                (Purge, AfterTest, 19, 20, 1),
                // One more than asked for: the plan rounds up.
                (GapKind::Embargo, AfterTest, 20, 24, 4),
            ]
        );
        let first = FoldPlan {
            train: vec![span(31, 41)],
            validation: span(15, 25),
            test: span(11, 15),
            index: FoldIndex(0),
            embargo: Embargo { bars: 2, time: None },
        };
        let found = gaps_of(&first, 40, 1);
        assert!(
            found.iter().all(|gap| gap.1 == AfterTest || gap.1 == AfterValidation),
            "{found:?}"
        );
        assert!(found.iter().any(|gap| gap.0 == GapKind::Embargo), "{found:?}");
    }
}
