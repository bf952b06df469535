use super::folds::{Axis, ValidationError};
use crate::domain::{Embargo, FoldIndex, FoldPlan, Length, UtcMillis};
use crate::spec::ValidationSpec;

/// Walk-forward: train, embargo, validation, embargo, test, moved on by the step. Anchored, the train section keeps its start.
///
/// The first fold starts with the axis and fold k `k × step` later, so that folds stay what they are when data is appended; what does not fill
/// a whole fold at the end is in none. Calendar lengths are counted from the first decision, closed hours included, whether or not there
/// is a bar at their ends. `max_folds` keeps the latest ones, numbered from 0.
pub(super) fn walk_forward(
    axis: &Axis<'_>,
    spec: &ValidationSpec,
) -> Result<Vec<FoldPlan>, ValidationError> {
    let ValidationSpec::WalkForward { anchored, train, validation, test, step, embargo, max_folds } =
        *spec
    else {
        return Ok(Vec::new());
    };
    check(axis, spec)?;
    let step_length = step.unwrap_or(test);
    let mut folds = Vec::new();
    for number in 0_u32.. {
        let Some(start) = start_of(axis, step_length, number) else { break };
        let ends = || {
            let train = axis.after(start, train)?;
            let validation_from = axis.after(train, embargo)?;
            let validation = axis.after(validation_from, validation)?;
            let test_from = axis.after(validation, embargo)?;
            Some([train, validation_from, validation, test_from, axis.after(test_from, test)?])
        };
        let Some(ends) = ends() else { break };
        let [train, validation_from, validation, test_from, test] =
            ends.map(|at| axis.position(at));
        let first = if anchored { 0 } else { axis.position(start) };
        folds.push(FoldPlan {
            index: FoldIndex(number),
            train: vec![axis.span(first, train)],
            validation: axis.span(validation_from, validation),
            test: axis.span(test_from, test),
            embargo: Embargo::default(),
        });
    }
    if folds.is_empty() {
        return Err(too_long(axis, [train, validation, test], embargo));
    }
    part_tests(&mut folds, step.is_none())?;
    let kept = max_folds.map_or(folds.len(), |most| folds.len().min(most as usize));
    let mut folds = folds.split_off(folds.len() - kept);
    for (index, fold) in (0..).zip(&mut folds) {
        fold.index = FoldIndex(index);
    }
    Ok(folds)
}

/// Where the fold of this number starts; `None` beyond the axis.
fn start_of(axis: &Axis<'_>, step: Length, number: u32) -> Option<UtcMillis> {
    match step {
        Length::Bars(bars) => {
            let position = (bars as usize).checked_mul(number as usize)?;
            (position < axis.len()).then(|| axis.moment(position))
        }
        // From the first decision on each time: months would lose days one by one.
        Length::Time(time) => {
            Some(time.after(axis.first(), number)).filter(|at| *at <= axis.last())
        }
    }
}

/// Sees to it that test sections do not overlap. A step of its own that is too short is refused; where the step is the test section itself,
/// months of unequal length may make two of them meet, and the earlier one ends where the later begins.
fn part_tests(folds: &mut [FoldPlan], may_cut: bool) -> Result<(), ValidationError> {
    for later in 1..folds.len() {
        let next = folds[later].test.start;
        let earlier = &mut folds[later - 1];
        if earlier.test.end > next {
            if !may_cut {
                return Err(ValidationError::TestsOverlap {
                    fold: earlier.index.0,
                    end: earlier.test.end,
                    next,
                });
            }
            earlier.test.end = next;
        }
    }
    Ok(())
}

fn check(axis: &Axis<'_>, spec: &ValidationSpec) -> Result<(), ValidationError> {
    let ValidationSpec::WalkForward { train, validation, test, step, embargo, max_folds, .. } =
        *spec
    else {
        return Ok(());
    };
    let lengths = [
        ("validation.train", Some(train)),
        ("validation.validation", Some(validation)),
        ("validation.test", Some(test)),
        ("validation.step", step),
        ("validation.max_folds", max_folds.map(Length::Bars)),
    ];
    let zero = lengths.into_iter().find(|(_, length)| length.is_some_and(Length::is_zero));
    if let Some((field, _)) = zero {
        return Err(ValidationError::Zero { field });
    }
    // Said at once where it can be known: the first fold is as long as any.
    match too_long(axis, [train, validation, test], embargo) {
        error @ ValidationError::TooLong { needed, available, .. } if needed > available => {
            Err(error)
        }
        _ => Ok(()),
    }
}

fn too_long(
    axis: &Axis<'_>,
    [train, validation, test]: [Length; 3],
    embargo: Length,
) -> ValidationError {
    let available = axis.len() as u64;
    let lengths = (train, validation, test, embargo);
    let (Length::Bars(a), Length::Bars(b), Length::Bars(c), Length::Bars(gap)) = lengths else {
        return ValidationError::TooLongInTime {
            train,
            validation,
            test,
            embargo,
            bars: available,
            from: axis.first(),
            until: axis.last(),
        };
    };
    let needed = [a, b, c].map(u64::from).into_iter().sum::<u64>() + 2 * u64::from(gap);
    ValidationError::TooLong { needed, available, train: a, validation: b, test: c, embargo: gap }
}
