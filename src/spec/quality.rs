use serde::{Deserialize, Serialize};

use crate::domain::Problem;

/// What is done about each problem of a market file. Never a repair: a row stays as it is, or it goes, or the file is refused.
///
/// A dropped row leaves a bar missing, and a window never spans a missing bar. What no bar can be ([`Problem::NotFinite`] and the like)
/// cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QualitySpec {
    /// Rows that cannot be read: `Reject` or `Drop`.
    pub unreadable: Policy,
    /// Rows with a NaN or an infinity: `Reject` or `Drop`.
    pub not_finite: Policy,
    /// Rows with a price of zero or below: `Reject` or `Drop`.
    pub not_positive: Policy,
    /// Rows with a volume below zero: `Reject` or `Drop`.
    pub negative_volume: Policy,
    /// Rows with the high below the low: `Reject` or `Drop`.
    pub high_below_low: Policy,
    /// Rows with open or close outside of high and low: `Reject` or `Drop`.
    pub outside_range: Policy,
    /// Rows older than the one before: `Reject`, or `Keep`, which sorts them by time.
    pub disorder: Policy,
    /// The same row again: `Reject`, or `Drop`, which keeps one of them.
    pub duplicate: Policy,
    /// Rows of one open time with different values: `Reject`, or `Drop`, which drops all of them, since nobody knows which is right.
    pub conflict: Policy,
    /// Bars off the time grid of nearly all others: `Reject`, `Drop` or `Keep`.
    pub off_grid: Policy,
    /// Bars without volume: `Reject`, `Drop` or `Keep`.
    pub zero_volume: Policy,
    /// Long stretches of one price without range: `Reject`, `Drop` or `Keep`.
    pub stale: Policy,
    /// Jumps that look like unadjusted splits: `Reject` or `Keep`. Dropping the bar would leave the jump between its neighbours.
    pub split: Policy,
    /// Bars missing within the symbol's own trading hours: `Reject` or `Keep`, with windows that end there.
    pub missing: Policy,
    /// The largest share of a file's rows that may be dropped for being no bars, or in conflict; a file with more is refused, since it is
    /// likely not what it seems. One row may always be. Between 0 and 1.
    pub most_dropped: f64,
}

/// What is done about a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Policy {
    /// The file is refused, and with it the experiment.
    Reject,
    /// The rows are left out.
    Drop,
    /// The rows stay as they are.
    Keep,
}

impl Default for QualitySpec {
    /// What is no bar goes, up to one row in a hundred; order is mended, since that invents nothing; what only looks odd stays, and
    /// the plan warns of it.
    fn default() -> Self {
        Self {
            unreadable: Policy::Drop,
            not_finite: Policy::Drop,
            not_positive: Policy::Drop,
            negative_volume: Policy::Drop,
            high_below_low: Policy::Drop,
            outside_range: Policy::Drop,
            disorder: Policy::Keep,
            duplicate: Policy::Drop,
            conflict: Policy::Drop,
            off_grid: Policy::Keep,
            zero_volume: Policy::Keep,
            stale: Policy::Keep,
            split: Policy::Keep,
            missing: Policy::Keep,
            most_dropped: 0.01,
        }
    }
}

impl QualitySpec {
    /// Refuses whatever is no bar and whatever is not in order, as for files that are known to be whole. What only looks odd stays.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            unreadable: Policy::Reject,
            not_finite: Policy::Reject,
            not_positive: Policy::Reject,
            negative_volume: Policy::Reject,
            high_below_low: Policy::Reject,
            outside_range: Policy::Reject,
            disorder: Policy::Reject,
            duplicate: Policy::Reject,
            conflict: Policy::Reject,
            ..Self::default()
        }
    }

    /// What is done about this problem. Closed days are always kept: they are no fault of the file.
    #[must_use]
    pub const fn policy(&self, problem: Problem) -> Policy {
        match problem {
            Problem::Unreadable => self.unreadable,
            Problem::NotFinite => self.not_finite,
            Problem::NotPositive => self.not_positive,
            Problem::NegativeVolume => self.negative_volume,
            Problem::HighBelowLow => self.high_below_low,
            Problem::OutsideRange => self.outside_range,
            Problem::Disorder => self.disorder,
            Problem::Duplicate => self.duplicate,
            Problem::Conflict => self.conflict,
            Problem::OffGrid => self.off_grid,
            Problem::ZeroVolume => self.zero_volume,
            Problem::Stale => self.stale,
            Problem::Split => self.split,
            Problem::Missing => self.missing,
            Problem::Closed => Policy::Keep,
        }
    }

    /// What is done about this problem, to be changed; `None` for closed days.
    pub const fn policy_mut(&mut self, problem: Problem) -> Option<&mut Policy> {
        Some(match problem {
            Problem::Unreadable => &mut self.unreadable,
            Problem::NotFinite => &mut self.not_finite,
            Problem::NotPositive => &mut self.not_positive,
            Problem::NegativeVolume => &mut self.negative_volume,
            Problem::HighBelowLow => &mut self.high_below_low,
            Problem::OutsideRange => &mut self.outside_range,
            Problem::Disorder => &mut self.disorder,
            Problem::Duplicate => &mut self.duplicate,
            Problem::Conflict => &mut self.conflict,
            Problem::OffGrid => &mut self.off_grid,
            Problem::ZeroVolume => &mut self.zero_volume,
            Problem::Stale => &mut self.stale,
            Problem::Split => &mut self.split,
            Problem::Missing => &mut self.missing,
            Problem::Closed => return None,
        })
    }

    /// What is wrong with the policies: field and message of each.
    pub(super) fn issues(&self) -> Vec<(String, String)> {
        let mut issues: Vec<(String, String)> = Problem::ALL
            .into_iter()
            .filter(|problem| !Policy::choices(*problem).contains(&self.policy(*problem)))
            .map(|problem| {
                let choices: Vec<String> =
                    Policy::choices(problem).iter().map(|policy| format!("{policy:?}")).collect();
                let message = format!(
                    "{:?} is not possible: {}; choose {}",
                    self.policy(problem),
                    why_not(problem),
                    choices.join(" or ")
                );
                (format!("data.quality.{problem}"), message)
            })
            .collect();
        if !(0.0..=1.0).contains(&self.most_dropped) {
            let message = format!(
                "{} must lie between 0 and 1: it is a share of the rows",
                self.most_dropped
            );
            issues.push(("data.quality.most_dropped".to_owned(), message));
        }
        issues
    }
}

impl Policy {
    /// What can be done about a problem so that valid bars are left. Nothing but keeping for closed days.
    #[must_use]
    pub const fn choices(problem: Problem) -> &'static [Self] {
        match problem {
            Problem::Unreadable
            | Problem::NotFinite
            | Problem::NotPositive
            | Problem::NegativeVolume
            | Problem::HighBelowLow
            | Problem::OutsideRange
            | Problem::Duplicate
            | Problem::Conflict => &[Self::Reject, Self::Drop],
            Problem::Disorder | Problem::Split | Problem::Missing => &[Self::Reject, Self::Keep],
            Problem::OffGrid | Problem::ZeroVolume | Problem::Stale => {
                &[Self::Reject, Self::Drop, Self::Keep]
            }
            Problem::Closed => &[Self::Keep],
        }
    }
}

const fn why_not(problem: Problem) -> &'static str {
    match problem {
        Problem::Disorder => "rows are sorted, which loses none",
        Problem::Split => "without the bar the jump would stand between its neighbours",
        Problem::Missing => "what is missing cannot be dropped",
        Problem::Duplicate | Problem::Conflict => "there can be one bar for each open time",
        _ => "such a row is no bar",
    }
}
