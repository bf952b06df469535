use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::domain::{Cancel, EventKind, Pause, Task, TaskId, TaskRole};

/// Which of a run's tasks wait, which may start, and how the others ended. Workers take tasks from it, in the plan's order but for those that wait
/// for others.
#[derive(Debug)]
pub(super) struct TaskQueue {
    entries: Vec<Entry>,
    states: Mutex<Vec<State>>,
}

/// What the queue has to know of a task.
#[derive(Debug)]
struct Entry {
    id: TaskId,
    role: TaskRole,
    flags: TaskFlags,
    /// The places of the tasks that it waits for.
    after: Vec<usize>,
}

/// What stops a task, for good or for a while.
#[derive(Debug, Clone)]
pub(super) struct TaskFlags {
    pub(super) cancel: Cancel,
    pub(super) pause: Pause,
}

impl TaskFlags {
    /// The event of a task that was stopped before it began.
    pub(super) fn interrupted(&self) -> EventKind {
        if self.cancel.is_cancelled() {
            EventKind::Cancelled
        } else {
            EventKind::Paused { steps: 0 }
        }
    }
}

/// How a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Ended(Ended),
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Finished,
    Failed,
    Cancelled,
}

/// What a worker is to do next, by the task's place in the plan.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Run it.
    Run(usize),
    /// Somebody cancelled it before it began.
    Cancelled(usize),
    /// It cannot run: what it waits for did not finish.
    Impossible(usize, String),
}

impl TaskQueue {
    pub(super) fn new(tasks: &[Task], flags: &BTreeMap<TaskId, TaskFlags>) -> Self {
        let places: BTreeMap<&TaskId, usize> =
            tasks.iter().enumerate().map(|(place, task)| (&task.id, place)).collect();
        let entry = |task: &Task| Entry {
            id: task.id.clone(),
            role: task.role,
            flags: flags[&task.id].clone(),
            after: task.after.iter().filter_map(|id| places.get(id).copied()).collect(),
        };
        let entries: Vec<Entry> = tasks.iter().map(entry).collect();
        let states = Mutex::new(vec![State::Waiting; entries.len()]);
        Self { entries, states }
    }

    /// The next thing to do, if there is one now. Without `may_run` only what needs no device is given out.
    pub(super) fn next(&self, may_run: bool) -> Option<Next> {
        let mut states = self.states.lock();
        let next = self.ready(&states, may_run)?;
        let (Next::Run(index) | Next::Cancelled(index) | Next::Impossible(index, _)) = next;
        states[index] = State::Running;
        Some(next)
    }

    /// Whether there is something to do now.
    pub(super) fn has_next(&self, may_run: bool) -> bool {
        self.ready(&self.states.lock(), may_run).is_some()
    }

    /// Whether every task has ended.
    pub(super) fn is_over(&self) -> bool {
        self.states.lock().iter().all(|state| matches!(state, State::Ended(_)))
    }

    /// The task ended; those that wait for it may start.
    pub(super) fn ended(&self, index: usize, how: Ended) {
        self.states.lock()[index] = State::Ended(how);
    }

    /// The task was interrupted and is to be taken up again.
    pub(super) fn put_back(&self, index: usize) {
        self.states.lock()[index] = State::Waiting;
    }

    fn ready(&self, states: &[State], may_run: bool) -> Option<Next> {
        let waiting = (0..self.entries.len()).filter(|index| states[*index] == State::Waiting);
        for index in waiting {
            let flags = &self.entries[index].flags;
            if flags.cancel.is_cancelled() {
                return Some(Next::Cancelled(index));
            }
            match self.standing(index, states) {
                Standing::Waits => {}
                Standing::Impossible(why) => return Some(Next::Impossible(index, why)),
                Standing::MayStart if !may_run || flags.pause.is_paused() => {}
                Standing::MayStart => return Some(Next::Run(index)),
            }
        }
        None
    }

    fn standing(&self, index: usize, states: &[State]) -> Standing {
        let entry = &self.entries[index];
        if entry.after.iter().any(|&place| !matches!(states[place], State::Ended(_))) {
            return Standing::Waits;
        }
        let finished = |place: &usize| states[*place] == State::Ended(Ended::Finished);
        match entry.role {
            TaskRole::Fold => match entry.after.iter().find(|place| !finished(place)) {
                Some(&place) => Standing::Impossible(format!(
                    "it begins with the weights of {}, which did not finish; resume the run, or switch training.warm_start off",
                    self.entries[place].id
                )),
                None => Standing::MayStart,
            },
            TaskRole::Refit if entry.after.iter().any(finished) => Standing::MayStart,
            TaskRole::Refit => Standing::Impossible(
                "the refit trains for the median of the folds' best epochs, and no fold finished"
                    .to_owned(),
            ),
        }
    }
}

enum Standing {
    Waits,
    MayStart,
    Impossible(String),
}

#[cfg(test)]
#[path = "task_queue_tests.rs"]
pub(super) mod tests;
