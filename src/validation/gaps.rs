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

#[cfg(test)]
mod tests {
    use super::super::{Reach, cut, folds};
    use super::*;
    use crate::domain::{Length, UtcMillis};
    use crate::spec::{Portion, ValidationSpec};

    #[test]
    fn every_bar_that_could_be_used_is_in_one_section_or_one_gap() {
        let bars = Length::Bars;
        let walk_forward = |anchored, embargo| ValidationSpec::WalkForward {
            anchored,
            train: bars(60),
            validation: bars(20),
            test: bars(25),
            step: None,
            embargo: bars(embargo),
            max_folds: None,
        };
        let k_fold = |embargo| ValidationSpec::PurgedKFold {
            folds: 4,
            validation: Portion::Length(bars(15)),
            embargo,
        };
        let hold_out = ValidationSpec::HoldOut {
            validation_from: UtcMillis(120),
            test_from: UtcMillis(160),
            embargo: bars(7),
        };
        let schemes = [
            walk_forward(false, 0),
            walk_forward(true, 6),
            k_fold(None),
            k_fold(Some(bars(12))),
            hold_out,
        ];
        let count = 240_i64;
        let decision: Vec<UtcMillis> = (0..count).map(|t| UtcMillis(t + 1)).collect();
        // Labels of unequal length, as those of barriers are: at most five bars.
        let label_end: Vec<UtcMillis> = (0..count).map(|t| UtcMillis(t + 2 + t * 7 % 5)).collect();
        let usable: Vec<bool> = label_end.iter().map(|end| end.0 <= count).collect();
        let rows = RowTimes {
            decision: &decision,
            label_end: &label_end,
            scorable: &usable,
            learnable: &usable,
        };
        for scheme in schemes {
            let reach = Reach { horizon: 5, back: 4 };
            for fold in folds(&decision, &scheme, reach).unwrap() {
                let (sections, gaps) = cut(&fold, &[rows]);
                let part = &sections[0];
                let used = part.train.len() + part.validation.len() + part.test.len();
                let left_out: u64 = gaps.iter().map(|gap| gap.bars).sum();
                let (start, end) = (fold.start(), fold.end());
                let all = (0..decision.len())
                    .filter(|row| usable[*row] && start <= decision[*row] && decision[*row] < end);
                assert_eq!(used as u64 + left_out, all.count() as u64, "{scheme:?}: {fold:?}");
            }
        }
    }
}
