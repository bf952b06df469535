use super::folds::{Axis, ValidationError};
use crate::domain::{Embargo, FoldIndex, FoldPlan, Length, UtcMillis};

/// The lengths of [`crate::spec::ValidationSpec::WalkForward`].
#[derive(Debug, Clone, Copy)]
pub(super) struct WalkForward {
    pub(super) anchored: bool,
    pub(super) train: Length,
    pub(super) validation: Length,
    pub(super) test: Length,
    pub(super) step: Option<Length>,
    pub(super) embargo: Length,
    pub(super) max_folds: Option<u32>,
}

impl WalkForward {
    /// Train, embargo, validation, embargo, test, moved on by the step. Anchored, the train section keeps its start.
    ///
    /// The first fold starts with the axis and fold k `k × step` later, so that folds stay what they are when data is appended; what does not
    /// fill a whole fold at the end is in none. Calendar lengths are counted from the first decision, closed hours included, whether or not
    /// there is a bar at their ends. `max_folds` keeps the latest ones, numbered from 0.
    pub(super) fn folds(self, axis: &Axis<'_>) -> Result<Vec<FoldPlan>, ValidationError> {
        self.check(axis)?;
        let step = self.step.unwrap_or(self.test);
        let starts = (0..).map_while(|number| start_of(axis, step, number));
        let mut folds: Vec<FoldPlan> = starts.map_while(|start| self.fold(axis, start)).collect();
        if folds.is_empty() {
            return Err(self.too_long(axis));
        }
        part_tests(&mut folds, self.step.is_none())?;
        let kept = self.max_folds.map_or(folds.len(), |most| folds.len().min(most as usize));
        let mut folds = folds.split_off(folds.len() - kept);
        for (index, fold) in (0..).zip(&mut folds) {
            fold.index = FoldIndex(index);
        }
        Ok(folds)
    }

    /// The fold that starts here, not numbered yet; `None` where the data do not reach its end.
    fn fold(self, axis: &Axis<'_>, start: UtcMillis) -> Option<FoldPlan> {
        let train = axis.after(start, self.train)?;
        let validation_from = axis.after(train, self.embargo)?;
        let validation = axis.after(validation_from, self.validation)?;
        let test_from = axis.after(validation, self.embargo)?;
        let test = axis.after(test_from, self.test)?;
        let span = |from, until| axis.span(axis.position(from), axis.position(until));
        Some(FoldPlan {
            index: FoldIndex(0),
            train: vec![span(if self.anchored { axis.first() } else { start }, train)],
            validation: span(validation_from, validation),
            test: span(test_from, test),
            embargo: Embargo::default(),
        })
    }

    fn check(self, axis: &Axis<'_>) -> Result<(), ValidationError> {
        let lengths = [
            ("validation.train", Some(self.train)),
            ("validation.validation", Some(self.validation)),
            ("validation.test", Some(self.test)),
            ("validation.step", self.step),
            ("validation.max_folds", self.max_folds.map(Length::Bars)),
        ];
        let zero = lengths.into_iter().find(|(_, length)| length.is_some_and(Length::is_zero));
        if let Some((field, _)) = zero {
            return Err(ValidationError::Zero { field });
        }
        // Said at once where it can be known: the first fold is as long as any.
        match self.too_long(axis) {
            error @ ValidationError::TooLong { needed, available, .. } if needed > available => {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    fn too_long(self, axis: &Axis<'_>) -> ValidationError {
        let Self { train, validation, test, embargo, .. } = self;
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
        ValidationError::TooLong {
            needed,
            available,
            train: a,
            validation: b,
            test: c,
            embargo: gap,
        }
    }
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
                    fold: later as u32 - 1,
                    end: earlier.test.end,
                    next,
                });
            }
            earlier.test.end = next;
        }
    }
    Ok(())
}
