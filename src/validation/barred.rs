use super::{RowTimes, Sections};
use crate::domain::{Embargo, GapKind, GapPlace, TimeSpan, UtcMillis};

/// The time that a section bars to others: from its first decision until they may resume.
pub(super) struct Barred {
    start: UtcMillis,
    /// When its last label has ended.
    ended: UtcMillis,
    /// What lies before it and after it.
    pub(super) places: (GapPlace, GapPlace),
    /// By series: the first row that may follow it.
    resumes: Vec<usize>,
    /// The first moment at which any may follow it.
    resumes_at: UtcMillis,
}

impl Barred {
    pub(super) fn new(
        (span, places): (TimeSpan, (GapPlace, GapPlace)),
        embargo: Embargo,
        series: &[RowTimes<'_>],
        sections: &[Sections],
        rows_of: impl Fn(&Sections) -> &Vec<u32>,
    ) -> Self {
        let ends = series
            .iter()
            .zip(sections)
            .flat_map(|(rows, part)| rows_of(part).iter().map(|row| rows.label_end[*row as usize]));
        let ended = ends.max().unwrap_or(span.end).max(span.end);
        let resumes = series.iter().map(|rows| {
            let first = rows.decision.partition_point(|at| *at < ended);
            first.saturating_add(embargo.bars as usize)
        });
        let resumes_at = embargo.time.map_or(ended, |time| time.after(ended, 1));
        Self { start: span.start, ended, places, resumes: resumes.collect(), resumes_at }
    }

    /// Why a row cannot be used beside the section; `None` where it can.
    pub(super) fn why_not(
        &self,
        rows: &RowTimes<'_>,
        series: usize,
        row: usize,
    ) -> Option<(GapKind, GapPlace)> {
        let (before, after) = self.places;
        let decision = rows.decision[row];
        if decision < self.start {
            (rows.label_end[row] >= self.start).then_some((GapKind::Purge, before))
        } else if row >= self.resumes[series] && decision >= self.resumes_at {
            None
        } else if decision < self.ended {
            Some((GapKind::Purge, after))
        } else {
            Some((GapKind::Embargo, after))
        }
    }
}
