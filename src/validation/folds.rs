use super::hold_out::hold_out;
use super::k_fold::k_fold;
use super::walk_forward::WalkForward;
use crate::domain::{CalendarTime, FoldPlan, Length, TimeSpan, UtcMillis};
use crate::spec::ValidationSpec;

/// Why time cannot be cut into folds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValidationError {
    /// Not one whole fold fits.
    #[error(
        "a fold needs {needed} bars (validation.train {train} + validation.validation {validation} + validation.test {test} \
         + 2 × validation.embargo {embargo}) but there are {available}; lower these fields by {} bars in all, or give more data",
        needed - available
    )]
    TooLong {
        /// Bars that one fold spans.
        needed: u64,
        /// Bars on the time axis.
        available: u64,
        /// `validation.train`.
        train: u32,
        /// `validation.validation`.
        validation: u32,
        /// `validation.test`.
        test: u32,
        /// `validation.embargo`.
        embargo: u32,
    },
    /// Not one whole fold fits, where at least one length is calendar time.
    #[error(
        "no whole fold (validation.train {train} + validation.validation {validation} + validation.test {test} + 2 × validation.embargo \
         {embargo}) fits into the {bars} bars from {from} to {until}; shorten these fields, or give more data"
    )]
    TooLongInTime {
        /// `validation.train`.
        train: Length,
        /// `validation.validation`.
        validation: Length,
        /// `validation.test`.
        test: Length,
        /// `validation.embargo`.
        embargo: Length,
        /// Decisions on the axis.
        bars: u64,
        /// The first of them.
        from: UtcMillis,
        /// The last of them.
        until: UtcMillis,
    },
    /// Test rows would be seen twice.
    #[error(
        "the test section of fold {fold} ends at {end}, after that of the next one has begun at {next}: test rows would be seen twice; raise \
         validation.step, or leave it out"
    )]
    TestsOverlap {
        /// The earlier fold.
        fold: u32,
        /// Where its test section ends.
        end: UtcMillis,
        /// Where the next one begins.
        next: UtcMillis,
    },
    /// Parts without a decision.
    #[error(
        "{bars} bars cannot be cut into validation.folds {folds} parts with rows to learn from beside each; lower it, lower \
         validation.validation, or give more data"
    )]
    TooManyFolds {
        /// `validation.folds`.
        folds: u32,
        /// Decisions on the axis.
        bars: u64,
    },
    /// A date with no decision before or after it.
    #[error("{field} {at}: {lacks}; the bars' decisions run from {from} to {until}")]
    DateOutside {
        /// The field's path.
        field: &'static str,
        /// The date.
        at: UtcMillis,
        /// Which section is left empty, and what to do.
        lacks: &'static str,
        /// The first decision.
        from: UtcMillis,
        /// The last decision.
        until: UtcMillis,
    },
    /// A length that leaves nothing to do.
    #[error("{field} is 0 and must be at least 1; raise it")]
    Zero {
        /// The field's path.
        field: &'static str,
    },
    /// Nothing to cut.
    #[error("there are no bars to cut into folds; widen data.from and data.until")]
    NoBars,
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

/// How far a row reaches in bars of its own series: what the purge and the embargo of K-fold follow from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Bars that a label spans at most.
    pub horizon: u32,
    /// The model's window and the longest lookback of a feature, together.
    pub back: u32,
}

/// Cuts time into folds as the specification says.
///
/// `axis` holds the decision times (bar close times) in strictly rising order; of pooled symbols their union. A section spans from its first
/// decision up to the first one after it; at the end of the axis up to 1 ms after the last. No decision is in the test sections of two folds.
///
/// # Errors
/// [`ValidationError`] where no fold fits, a length is 0 or the axis does not rise.
pub fn folds(
    axis: &[UtcMillis],
    spec: &ValidationSpec,
    reach: Reach,
) -> Result<Vec<FoldPlan>, ValidationError> {
    let axis = Axis::new(axis)?;
    match *spec {
        ValidationSpec::WalkForward {
            anchored,
            train,
            validation,
            test,
            step,
            embargo,
            max_folds,
        } => {
            let lengths =
                WalkForward { anchored, train, validation, test, step, embargo, max_folds };
            lengths.folds(&axis)
        }
        ValidationSpec::PurgedKFold { folds, validation, embargo } => {
            k_fold(&axis, (folds, validation, embargo), reach)
        }
        ValidationSpec::HoldOut { validation_from, test_from, embargo } => {
            hold_out(&axis, (validation_from, test_from), embargo)
        }
    }
}

/// Decision times that rise, of which there is at least one where anything is asked.
pub(super) struct Axis<'a> {
    times: &'a [UtcMillis],
    /// Up to where the data are known to reach: the shortest distance of two decisions after the last one.
    complete_until: UtcMillis,
}

impl<'a> Axis<'a> {
    fn new(times: &'a [UtcMillis]) -> Result<Self, ValidationError> {
        if let Some(before) = times.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(ValidationError::Unsorted {
                position: before + 1,
                before: times[before],
                after: times[before + 1],
            });
        }
        let last = *times.last().ok_or(ValidationError::NoBars)?;
        let bar = times.windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].0)).min();
        Ok(Self { times, complete_until: last.plus_millis(bar.unwrap_or(1)) })
    }

    pub(super) const fn len(&self) -> usize {
        self.times.len()
    }

    pub(super) const fn first(&self) -> UtcMillis {
        self.times[0]
    }

    pub(super) const fn last(&self) -> UtcMillis {
        self.times[self.times.len() - 1]
    }

    /// Position of the first decision at or after the moment.
    pub(super) fn position(&self, at: UtcMillis) -> usize {
        self.times.partition_point(|time| *time < at)
    }

    /// The decision at this position; 1 ms after the last one where that is the end.
    pub(super) fn moment(&self, position: usize) -> UtcMillis {
        self.times.get(position).copied().unwrap_or_else(|| self.last().plus_millis(1))
    }

    /// The span of the decisions `first..after`.
    pub(super) fn span(&self, first: usize, after: usize) -> TimeSpan {
        TimeSpan { start: self.moment(first), end: self.moment(after) }
    }

    /// The moment so much later; `None` where the data do not reach so far.
    ///
    /// Calendar time may end in closed hours: the data are known to reach there only once a later bar has come.
    pub(super) fn after(&self, at: UtcMillis, length: Length) -> Option<UtcMillis> {
        match length {
            // Where there is no bar, it stays where it is: what is counted from here must not drift.
            Length::Bars(0) => Some(at),
            Length::Bars(bars) => {
                let position = self.position(at).checked_add(bars as usize)?;
                (position <= self.len()).then(|| self.moment(position))
            }
            Length::Time(time) => {
                let later = time.after(at, 1);
                (later <= self.complete_until).then_some(later)
            }
        }
    }

    /// Position of the first decision that is not yet so long before the moment.
    pub(super) fn position_before(&self, at: UtcMillis, length: Length) -> usize {
        match length {
            Length::Bars(bars) => self.position(at).saturating_sub(bars as usize),
            Length::Time(time) => self.position(time.before(at)),
        }
    }

    /// Position of the first decision so long after this one, or the end.
    pub(super) fn position_after(
        &self,
        position: usize,
        bars: u32,
        time: Option<CalendarTime>,
    ) -> usize {
        let by_bars = position.saturating_add(bars as usize);
        let by_time = time.map_or(0, |time| self.position(time.after(self.moment(position), 1)));
        by_bars.max(by_time).min(self.len())
    }
}
