use std::collections::BTreeSet;

use super::{TaskState, TaskView};
use crate::domain::TaskReport;

/// What is counted of a run's tasks as their events come, so that no panel goes through thousands of them in every frame.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// By [`TaskState`].
    counts: [usize; TaskState::ALL.len()],
    /// The places of the tasks that have begun and not ended.
    under_way: BTreeSet<usize>,
    /// What each task that was trained here and has finished took, in seconds, sorted.
    took: Vec<f64>,
    /// Tasks that wait and need training: those whose result will be taken over take no time.
    to_train: usize,
}

/// What is remembered of a task while an event changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stood {
    state: TaskState,
    is_under_way: bool,
}

impl Tally {
    /// Of tasks that all wait; `to_train` of them need training.
    pub(super) fn new(tasks: usize, to_train: usize) -> Self {
        let mut tally = Self { to_train, ..Self::default() };
        tally.counts[TaskState::Queued as usize] = tasks;
        tally
    }

    /// The task at a place was changed by an event. `is_reused` says whether its result was planned to be taken over.
    pub(super) fn changed(&mut self, place: usize, before: Stood, now: &TaskView, is_reused: bool) {
        let after = Stood::of(now);
        if before.is_under_way != after.is_under_way {
            if after.is_under_way {
                self.under_way.insert(place);
            } else {
                self.under_way.remove(&place);
            }
        }
        if before.state == after.state {
            return;
        }
        self.counts[before.state as usize] -= 1;
        self.counts[after.state as usize] += 1;
        if !is_reused {
            match (before.waits(), after.waits()) {
                (true, false) => self.to_train -= 1,
                (false, true) => self.to_train += 1,
                _ => {}
            }
        }
    }

    /// A task that was trained here has finished.
    pub(super) fn finished(&mut self, report: &TaskReport) {
        let took = report.seconds;
        if took.is_finite() {
            let place = self.took.partition_point(|other| *other < took);
            self.took.insert(place, took);
        }
    }

    pub(super) const fn count(&self, state: TaskState) -> usize {
        self.counts[state as usize]
    }

    /// Tasks that have ended, however.
    pub(super) fn ended(&self) -> usize {
        TaskState::ALL.iter().filter(|state| !state.is_open()).map(|state| self.count(*state)).sum()
    }

    /// The places of the tasks that have begun and not ended, in the plan's order.
    pub(super) fn under_way(&self) -> impl Iterator<Item = usize> + '_ {
        self.under_way.iter().copied()
    }

    /// What each task that was trained here and has finished took, in seconds, the shortest first.
    pub(super) fn took(&self) -> &[f64] {
        &self.took
    }

    /// Tasks that have not begun and need training.
    pub(super) const fn to_train(&self) -> usize {
        self.to_train
    }
}

impl Stood {
    pub(super) const fn of(task: &TaskView) -> Self {
        // One that was paused before it began has no share.
        let is_under_way = match task.state {
            TaskState::Running => true,
            TaskState::Paused => task.progress.is_some(),
            _ => false,
        };
        Self { state: task.state, is_under_way }
    }

    const fn waits(self) -> bool {
        matches!(self.state, TaskState::Queued)
    }
}
