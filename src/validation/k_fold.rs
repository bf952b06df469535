use super::folds::{Axis, Reach, ValidationError};
use crate::domain::{Embargo, FoldIndex, FoldPlan, Length, TimeSpan};
use crate::spec::Portion;

/// Purged K-fold (López de Prado 2018, §7.4.1): equal parts of the axis are tested in turn, with validation right before the part that is
/// tested and everything else learnt from. In the first fold nothing lies before: validation follows, after the embargo.
///
/// Where the spans of this plan begin after a test section is a first guess, in decisions of the axis; which rows really do is decided row by
/// row, by `sections`, once the ends of the labels are known.
pub(super) fn k_fold(
    axis: &Axis<'_>,
    (count, validation, embargo): (u32, Portion, Option<Length>),
    reach: Reach,
) -> Result<Vec<FoldPlan>, ValidationError> {
    let too_many = || ValidationError::TooManyFolds { folds: count, bars: axis.len() as u64 };
    if count < 2 || axis.len() < count as usize {
        return Err(too_many());
    }
    let embargo = match embargo {
        None => Embargo { bars: reach.back, time: None },
        Some(Length::Bars(bars)) => Embargo { bars: bars.max(reach.back), time: None },
        Some(Length::Time(time)) => Embargo { bars: reach.back, time: Some(time) },
    };
    let bound = |part: u32| (axis.len() as u64 * u64::from(part) / u64::from(count)) as usize;
    // Position of the first decision that may follow what ends here.
    let resumed = |end: usize| {
        axis.position_after(end, embargo.bars.saturating_add(reach.horizon), embargo.time)
    };
    let fold = |part: u32| {
        let (test_from, test_until) = (bound(part), bound(part + 1));
        let outside = axis.len() - (test_until - test_from);
        let length = match validation {
            Portion::Length(length) => length,
            Portion::Share(share) => Length::Bars((share * outside as f64).round() as u32),
        };
        let (from, until) = if part == 0 {
            let from = resumed(test_until);
            let until = axis.after(axis.moment(from), length).map(|at| axis.position(at));
            (from, until.unwrap_or_else(|| axis.len()))
        } else {
            (axis.position_before(axis.moment(test_from), length), test_from)
        };
        let before = if part == 0 { 0..0 } else { 0..from };
        let after = resumed(if part == 0 { until } else { test_until })..axis.len();
        let spans = [before, after].into_iter().filter(|span| !span.is_empty());
        let train: Vec<TimeSpan> = spans.map(|span| axis.span(span.start, span.end)).collect();
        if train.is_empty() || from >= until {
            return Err(too_many());
        }
        Ok(FoldPlan {
            index: FoldIndex(part),
            train,
            validation: axis.span(from, until),
            test: axis.span(test_from, test_until),
            embargo,
        })
    };
    (0..count).map(fold).collect()
}
