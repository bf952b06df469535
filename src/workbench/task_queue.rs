use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::twins::Twins;
use crate::domain::{Cancel, ContentHash, EventKind, Pause, Task, TaskId, TaskRole};

/// Which of a run's tasks wait, which may start, and how the others ended. Workers take tasks from it, in the plan's order but for those that wait
/// for others.
#[derive(Debug)]
pub(super) struct TaskQueue {
    entries: Vec<Entry>,
    states: Mutex<Vec<State>>,
    /// What others train at the moment, where their results may be taken over.
    twins: Option<Arc<Twins>>,
}

/// What the queue has to know of a task.
#[derive(Debug)]
struct Entry {
    id: TaskId,
    key: ContentHash,
    role: TaskRole,
    flags: TaskFlags,
    /// Whether this run has finished it already: it is only taken note of, also after somebody asked to stop.
    is_kept: bool,
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
    /// A worker writes that it did not run, or that it is tried again.
    Closing,
    /// It failed, which is being told. Whoever hears it may ask for another attempt before it is over.
    Failing {
        asked: bool,
    },
    /// It failed, and somebody asked for another attempt.
    Asked,
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
    /// Somebody cancelled these before they began.
    Cancelled(Vec<usize>),
    /// It cannot run: what it waits for did not finish.
    Impossible(usize, String),
    /// These failed, and somebody asked for another attempt: they are to be put back.
    Again(Vec<usize>),
}

impl TaskQueue {
    /// Tasks of `kept` need no training. Those that a twin is training wait for it.
    pub(super) fn new(
        tasks: &[Task],
        flags: &BTreeMap<TaskId, TaskFlags>,
        kept: &BTreeSet<&TaskId>,
        twins: Option<Arc<Twins>>,
    ) -> Self {
        let places: BTreeMap<&TaskId, usize> =
            tasks.iter().enumerate().map(|(place, task)| (&task.id, place)).collect();
        let entry = |task: &Task| Entry {
            id: task.id.clone(),
            key: task.key,
            role: task.role,
            flags: flags[&task.id].clone(),
            is_kept: kept.contains(&task.id),
            after: task.after.iter().filter_map(|id| places.get(id).copied()).collect(),
        };
        let entries: Vec<Entry> = tasks.iter().map(entry).collect();
        let states = Mutex::new(vec![State::Waiting; entries.len()]);
        Self { entries, states, twins }
    }

    /// The next thing to do, if there is one now. Without `may_run` only what needs no device is given out.
    pub(super) fn next(&self, may_run: bool) -> Option<Next> {
        let mut states = self.states.lock();
        let next = self.ready(&states, may_run)?;
        match &next {
            Next::Run(index) => {
                states[*index] = State::Running;
                if let Some(twins) = self.twins_of(*index) {
                    twins.begin(self.entries[*index].key);
                }
            }
            Next::Impossible(index, _) => states[*index] = State::Closing,
            Next::Cancelled(all) | Next::Again(all) => {
                for &index in all {
                    states[index] = State::Closing;
                }
            }
        }
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

    /// Whether a task ended so.
    pub(super) fn has_ended(&self, how: Ended) -> bool {
        self.states.lock().contains(&State::Ended(how))
    }

    /// Lets those of the tasks that failed be tried again, but for those that somebody cancelled as well. Not once every task has ended: the
    /// run's end may be being written.
    pub(super) fn ask_again(&self, tasks: &BTreeSet<TaskId>) {
        let mut states = self.states.lock();
        if states.iter().all(|state| matches!(state, State::Ended(_))) {
            return;
        }
        for (state, entry) in states.iter_mut().zip(&self.entries) {
            if entry.flags.cancel.is_cancelled() || !tasks.contains(&entry.id) {
                continue;
            }
            match state {
                State::Ended(Ended::Failed) => *state = State::Asked,
                State::Failing { asked } => *asked = true,
                _ => {}
            }
        }
    }

    /// The task has failed, which is about to be told: from now on it can be asked for again.
    pub(super) fn failing(&self, index: usize) {
        self.leave(index, State::Failing { asked: false });
    }

    /// The task ended; those that wait for it may start, unless somebody has asked for it again already.
    pub(super) fn ended(&self, index: usize, how: Ended) {
        self.leave(index, State::Ended(how));
    }

    /// The task was interrupted and is to be taken up again.
    pub(super) fn put_back(&self, index: usize) {
        self.leave(index, State::Waiting);
    }

    fn leave(&self, index: usize, state: State) {
        let mut states = self.states.lock();
        let has_run = states[index] == State::Running;
        let was_asked = states[index] == State::Failing { asked: true };
        let is_again = was_asked && state == State::Ended(Ended::Failed);
        states[index] = if is_again { State::Asked } else { state };
        if let Some(twins) = self.twins_of(index).filter(|_| has_run) {
            twins.end(self.entries[index].key);
        }
    }

    /// Where it is noted that the task is being trained.
    fn twins_of(&self, index: usize) -> Option<&Twins> {
        self.twins.as_deref().filter(|_| !self.entries[index].is_kept)
    }

    fn ready(&self, states: &[State], may_run: bool) -> Option<Next> {
        let waiting = || (0..self.entries.len()).filter(|index| states[*index] == State::Waiting);
        let is_cancelled = |index: &usize| self.entries[*index].flags.cancel.is_cancelled();
        if states.contains(&State::Asked) {
            let is_asked = |index: &usize| states[*index] == State::Asked;
            return Some(Next::Again((0..states.len()).filter(is_asked).collect()));
        }
        for index in waiting() {
            let Entry { flags, is_kept, key, .. } = &self.entries[index];
            if is_cancelled(&index) {
                if *is_kept {
                    return Some(Next::Run(index));
                }
                let is_lost = |index: &usize| is_cancelled(index) && !self.entries[*index].is_kept;
                return Some(Next::Cancelled(waiting().filter(is_lost).collect()));
            }
            match self.standing(index, states) {
                Standing::Waits => {}
                Standing::Impossible(why) => return Some(Next::Impossible(index, why)),
                Standing::MayStart if !may_run || flags.pause.is_paused() => {}
                Standing::MayStart if self.twins_of(index).is_some_and(|twins| twins.has(*key)) => {
                }
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
