use serde::{Deserialize, Serialize};

use crate::domain::text::{count, duration};
use crate::ui::state::{Curve, TaskView};

/// What training curves are drawn over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::ui) enum XAxis {
    #[default]
    Epoch,
    /// Optimizer steps.
    Step,
    /// Time at work, without pauses.
    Time,
}

impl XAxis {
    pub(in crate::ui) const ALL: [Self; 3] = [Self::Epoch, Self::Step, Self::Time];

    pub(in crate::ui) const fn name(self) -> &'static str {
        match self {
            Self::Epoch => "epoch",
            Self::Step => "step",
            Self::Time => "time",
        }
    }

    /// A place on the axis, in words; nothing between two epochs or steps.
    pub(in crate::ui) fn mark(self, value: f64) -> String {
        let is_whole = (value - value.round()).abs() < 1e-6;
        match self {
            Self::Time if value >= 0.0 => duration(value),
            Self::Epoch | Self::Step if is_whole && value >= 0.0 => count(value.round() as u64),
            _ => String::new(),
        }
    }
}

/// Where a task's epochs lie on an axis.
#[derive(Debug, Clone, Copy)]
pub(in crate::ui) enum XScale<'a> {
    Epoch,
    /// So many steps an epoch.
    Steps(f64),
    /// Seconds at work until the end of each epoch.
    Seconds(&'a Curve),
}

impl<'a> XScale<'a> {
    /// Of a task; `None` where its steps are not known yet, as before one that is taken up again goes on.
    pub(in crate::ui) fn of(axis: XAxis, task: &'a TaskView) -> Option<Self> {
        match axis {
            XAxis::Epoch => Some(Self::Epoch),
            XAxis::Step => task.steps_per_epoch().map(Self::Steps),
            XAxis::Time => Some(Self::Seconds(&task.curves.elapsed)),
        }
    }

    /// The place of an epoch.
    pub(in crate::ui) fn place(self, epoch: f64) -> f64 {
        match self {
            Self::Epoch => epoch,
            Self::Steps(steps) => epoch * steps,
            Self::Seconds(elapsed) => elapsed.between(epoch).unwrap_or(0.0),
        }
    }

    /// The epoch at a place: of seconds the one that was being learnt then.
    pub(in crate::ui) fn epoch(self, place: f64) -> f64 {
        match self {
            Self::Epoch => place,
            Self::Steps(steps) => place / steps.max(1.0),
            Self::Seconds(elapsed) => elapsed.reaches(place).unwrap_or(f64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_lie_where_steps_and_seconds_say_and_are_found_again() {
        let mut elapsed = Curve::default();
        for (epoch, seconds) in [(1.0, 10.0), (2.0, 12.0), (3.0, 20.0)] {
            elapsed.push(epoch, seconds);
        }
        for (scale, places) in [
            (XScale::Epoch, [1.0, 2.0, 3.0]),
            (XScale::Steps(40.0), [40.0, 80.0, 120.0]),
            (XScale::Seconds(&elapsed), [10.0, 12.0, 20.0]),
        ] {
            assert_eq!([1.0, 2.0, 3.0].map(|epoch| scale.place(epoch)), places);
            assert_eq!(places.map(|place| scale.epoch(place)), [1.0, 2.0, 3.0]);
        }
        assert_eq!(XScale::Seconds(&elapsed).place(2.5), 16.0);
        assert_eq!(XScale::Seconds(&elapsed).epoch(13.0), 3.0, "the third epoch was at work");
        assert_eq!(XScale::Seconds(&elapsed).epoch(99.0), f64::MAX);
    }

    #[test]
    fn a_task_of_which_no_steps_are_known_has_no_place_among_steps() {
        let run = crate::ui::testing::run_of(1);
        let known = XAxis::ALL.map(|axis| XScale::of(axis, &run.tasks[0]).is_some());
        assert_eq!(known, [true, false, true]);
    }

    #[test]
    fn marks_are_whole_epochs_and_steps_and_times_in_words() {
        let marks = |axis: XAxis| [0.5, 3.0, 12_000.0, 90.0].map(|value| axis.mark(value));
        assert_eq!(marks(XAxis::Epoch), ["", "3", "12\u{202f}000", "90"]);
        assert_eq!(XAxis::Time.mark(90.0), duration(90.0));
        assert_eq!(XAxis::Time.mark(-1.0), "");
    }
}
