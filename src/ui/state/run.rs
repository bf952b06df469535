use std::collections::BTreeMap;
use std::sync::Arc;

use super::eta::{AtWork, Pace};
use super::tally::{Stood, Tally};
use super::{TaskState, TaskView, TimeLeft};
use crate::domain::{
    Determinism, EpochRecord, Event, EventKind, Plan, Priority, RunId, RunOutcome, RunSummary,
    TaskId, UtcMillis,
};
use crate::spec::Monitor;

/// One run of this session as its events tell it.
#[derive(Debug)]
pub(crate) struct RunView {
    pub(crate) id: RunId,
    pub(crate) plan: Arc<Plan>,
    /// One for each task of the plan, in its order.
    pub(crate) tasks: Vec<TaskView>,
    index: BTreeMap<TaskId, usize>,
    /// What says which epoch is the best one; unknown for a run that this window did not start.
    pub(crate) monitor: Option<Monitor>,
    pub(crate) planned_at: UtcMillis,
    pub(crate) ended_at: Option<UtcMillis>,
    /// How it ended; `None` while it has not.
    pub(crate) outcome: Option<RunOutcome>,
    pub(crate) summary: Option<Box<RunSummary>>,
    /// Why its folder could not be written to its end.
    pub(crate) broken: Option<String>,
    /// The first list of the stored runs that was asked for after its end: from that one on, the list knows better how it stands.
    pub(crate) listed_from: Option<u64>,
    /// A list has had it.
    pub(crate) was_listed: bool,
    /// Somebody asked it to stop.
    pub(crate) stopping: bool,
    /// Somebody asked it to pause, and nobody since to go on.
    pub(crate) pausing: bool,
    /// Whose tasks come first.
    pub(crate) priority: Priority,
    /// Since when no task is at work because they were paused.
    stands_since: Option<UtcMillis>,
    /// Milliseconds for which it stood still before.
    stood: i64,
    tally: Tally,
    pub(crate) changes: Changes,
}

/// How often something has changed: whoever keeps what was made of it looks here whether it is old.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// How tasks stand, where, at what stage, and what was asked of them.
    pub(crate) standings: u64,
    /// How far tasks are and what they have learnt: many times a second.
    pub(crate) values: u64,
}

impl RunView {
    /// Of a run that was just planned.
    pub(crate) fn new(id: RunId, plan: Plan, planned_at: UtcMillis) -> Self {
        let tasks: Vec<TaskView> =
            plan.tasks.iter().map(|task| TaskView::new(task.id.clone())).collect();
        let index =
            tasks.iter().enumerate().map(|(index, task)| (task.id.clone(), index)).collect();
        let to_train = plan.tasks.iter().filter(|task| task.reuse.is_none()).count();
        Self {
            tally: Tally::new(tasks.len(), to_train),
            changes: Changes::default(),
            id,
            plan: Arc::new(plan),
            tasks,
            index,
            monitor: None,
            planned_at,
            ended_at: None,
            outcome: None,
            summary: None,
            broken: None,
            listed_from: None,
            was_listed: false,
            stopping: false,
            pausing: false,
            priority: Priority::default(),
            stands_since: None,
            stood: 0,
        }
    }

    /// Takes an event of this run.
    pub(crate) fn apply(&mut self, event: Event) {
        let Event { task, at, kind, .. } = event;
        match (task, kind) {
            (None, EventKind::RunEnded { outcome, summary }) => {
                self.outcome = Some(outcome);
                self.summary = Some(summary);
                self.ended_at = Some(at);
            }
            (Some(task), kind) => {
                let Some(&index) = self.index.get(&task) else { return };
                let task = &mut self.tasks[index];
                let (before, doing) = (Stood::of(task), (task.device, task.stage));
                let is_trained_here = matches!(kind, EventKind::Finished { .. });
                if let EventKind::Retrying { .. } = kind {
                    // Somebody asked for another attempt.
                    task.failure = None;
                }
                task.apply(at, kind);
                if let Some(report) = task.report.as_ref().filter(|_| is_trained_here) {
                    self.tally.finished(report);
                }
                self.changes.values += 1;
                self.changes.standings += u64::from((task.device, task.stage) != doing);
                if Stood::of(task) != before {
                    let is_reused = self.plan.tasks.get(index).is_some_and(|t| t.reuse.is_some());
                    self.tally.changed(index, before, &self.tasks[index], is_reused);
                    self.changes.standings += 1;
                    self.mind_standing(at);
                }
            }
            (None, _) => {}
        }
    }

    /// Takes the epochs of its tasks that were stored before this session told any.
    pub(crate) fn remember(&mut self, curves: &BTreeMap<TaskId, Vec<EpochRecord>>) {
        for (task, epochs) in curves {
            if let Some(&index) = self.index.get(task) {
                self.tasks[index].remember(epochs);
            }
        }
        self.changes.values += 1;
    }

    /// Somebody asks tasks to stop.
    pub(crate) fn ask_to_stop(&mut self, tasks: &[TaskId]) {
        self.ask(tasks, |task| task.stopping = true);
    }

    /// Somebody asks tasks to pause, or to go on.
    pub(crate) fn ask_to_pause(&mut self, tasks: &[TaskId], pause: bool) {
        self.ask(tasks, |task| task.pausing = pause);
    }

    fn ask(&mut self, tasks: &[TaskId], what: impl Fn(&mut TaskView)) {
        for task in tasks {
            if let Some(&index) = self.index.get(task) {
                what(&mut self.tasks[index]);
            }
        }
        self.changes.standings += 1;
    }

    /// Time in which all that had begun was paused is no time of the run.
    fn mind_standing(&mut self, at: UtcMillis) {
        let stands = self.count(TaskState::Running) == 0 && self.count(TaskState::Paused) > 0;
        match self.stands_since {
            None if stands => self.stands_since = Some(at),
            Some(since) if !stands => {
                self.stood += (at.0 - since.0).max(0);
                self.stands_since = None;
            }
            _ => {}
        }
    }

    pub(crate) fn task(&self, id: &TaskId) -> Option<&TaskView> {
        self.index.get(id).map(|&index| &self.tasks[index])
    }

    /// The place of a task in the plan.
    pub(crate) fn place(&self, id: &TaskId) -> Option<usize> {
        self.index.get(id).copied()
    }

    pub(crate) const fn is_over(&self) -> bool {
        self.outcome.is_some() || self.broken.is_some()
    }

    pub(crate) const fn count(&self, state: TaskState) -> usize {
        self.tally.count(state)
    }

    /// Tasks that have ended, however.
    pub(crate) fn ended(&self) -> usize {
        self.tally.ended()
    }

    /// Tasks that have begun and not ended, in the plan's order.
    pub(crate) fn under_way(&self) -> impl Iterator<Item = &TaskView> {
        self.tally.under_way().map(|place| &self.tasks[place])
    }

    /// Whether its clock stands still: all that had begun was paused.
    pub(crate) const fn stands(&self) -> bool {
        self.stands_since.is_some()
    }

    /// Whether it was asked to pause and nothing is at work any more.
    pub(crate) fn is_paused(&self) -> bool {
        self.pausing && !self.is_over() && self.count(TaskState::Running) == 0
    }

    /// The first of the tasks that the one at `index` still waits for, because it begins with what that one learns.
    pub(crate) fn waits_for(&self, index: usize) -> Option<&TaskView> {
        let waits = self.tasks.get(index)?.state == TaskState::Queued;
        let after = &self.plan.tasks.get(index).filter(|_| waits)?.after;
        let mut open = after.iter().filter_map(|id| self.task(id));
        open.find(|task| task.state.is_open())
    }

    /// What the metric that is watched is called, where it is not the loss.
    pub(crate) fn watched_name(&self) -> &'static str {
        let named = self.monitor.filter(|monitor| *monitor != Monitor::Loss);
        named.map_or("watched metric", Monitor::name)
    }

    /// How repeatable what has finished is.
    pub(crate) fn determinism(&self) -> Determinism {
        let reports = self.tasks.iter().filter_map(|task| task.report.as_deref());
        Determinism::of_all(reports.map(|report| &report.determinism))
    }

    /// How much of the run is done at most, 0 to 1.
    pub(crate) fn share(&self) -> f64 {
        let progress = self.under_way().filter_map(|task| task.progress);
        let running: f64 = progress.map(|progress| progress.share()).sum();
        (self.ended() as f64 + running) / (self.tasks.len().max(1) as f64)
    }

    /// Seconds since it was planned, until now or its end, without those in which it stood still.
    pub(crate) fn elapsed_seconds(&self, now: UtcMillis) -> f64 {
        let until = self.stands_since.or(self.ended_at).unwrap_or(now);
        (until.0 - self.planned_at.0 - self.stood).max(0) as f64 / 1000.0
    }

    /// How long it goes on, as the tasks that have finished let expect; unknown before anything is, and while the run is paused.
    pub(crate) fn time_left(&self, now: UtcMillis) -> Option<TimeLeft> {
        if self.is_over() || self.pausing {
            return None;
        }
        let running = self.under_way().filter(|task| task.state == TaskState::Running);
        let at_work = running.map(|task| at_work(task, now)).collect();
        let pace = Pace {
            took: self.tally.took(),
            at_work,
            // What is paused needs about as long as what has not begun: nobody knows when it goes on.
            waiting: self.tally.to_train() + self.count(TaskState::Paused),
            workers: self.plan.workers as usize,
            elapsed: self.elapsed_seconds(now),
        };
        pace.left()
    }
}

fn at_work(task: &TaskView, now: UtcMillis) -> AtWork {
    let left_at_most = task.seconds_left(now);
    let share = task.progress.map(|progress| progress.share());
    let worked = match (left_at_most, share) {
        // With what it worked before a pause, and before it was taken up again.
        (Some(left), Some(share)) if share < 1.0 => left * share / (1.0 - share),
        _ => task.started_at.map_or(0.0, |since| (now.0 - since.0).max(0) as f64 / 1000.0),
    };
    AtWork { worked, left_at_most }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
