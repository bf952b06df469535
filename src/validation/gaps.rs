use std::collections::BTreeMap;

use super::RowTimes;
use crate::domain::{FoldGap, FoldPlan, GapKind, GapPlace, TimeSpan};

/// What is left out of a fold, gathered bar by bar.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    found: BTreeMap<(GapPlace, GapKind), (TimeSpan, u64)>,
}

impl Gaps {
    /// A bar of a series is left out.
    pub(super) fn add(
        &mut self,
        (kind, place): (GapKind, GapPlace),
        rows: &RowTimes<'_>,
        row: usize,
    ) {
        let start = rows.decision[row];
        let end = rows.decision.get(row + 1).copied().unwrap_or_else(|| start.plus_millis(1));
        let known = self.found.entry((place, kind));
        let (span, bars) = known.or_insert((TimeSpan { start, end }, 0));
        *span = TimeSpan { start: span.start.min(start), end: span.end.max(end) };
        *bars += 1;
    }

    /// In the order of time.
    pub(super) fn into_list(self) -> Vec<FoldGap> {
        let gap = |((place, kind), (span, bars))| FoldGap { kind, place, span, bars };
        let mut list: Vec<FoldGap> = self.found.into_iter().map(gap).collect();
        list.sort_by_key(|gap| gap.span.start);
        list
    }
}

/// What lies between two sections that follow each other: when, which of the two is the later, and which the earlier.
pub(super) struct Between {
    pub(super) span: TimeSpan,
    /// The distance is asked for before this one.
    pub(super) before: Option<GapPlace>,
    /// It follows this one.
    pub(super) after: Option<GapPlace>,
}

/// The spans of a fold that belong to no section.
pub(super) fn between(fold: &FoldPlan) -> Vec<Between> {
    use GapPlace::{AfterTest, AfterValidation, BeforeTest, BeforeValidation};
    let train = fold.train.iter().map(|span| (*span, None));
    let others = [
        (fold.validation, Some((BeforeValidation, AfterValidation))),
        (fold.test, Some((BeforeTest, AfterTest))),
    ];
    let mut sections: Vec<_> = train.chain(others).filter(|(span, _)| !span.is_empty()).collect();
    sections.sort_by_key(|(span, _)| span.start);
    let pairs = sections.windows(2).filter(|pair| pair[0].0.end < pair[1].0.start);
    pairs
        .map(|pair| Between {
            span: TimeSpan { start: pair[0].0.end, end: pair[1].0.start },
            before: pair[1].1.map(|(before, _)| before),
            after: pair[0].1.map(|(_, after)| after),
        })
        .collect()
}
