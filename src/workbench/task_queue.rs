use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::domain::{Cancel, Pause, Task, TaskId, TaskRole};

/// How often a waiting worker looks at the flags that nobody wakes it for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Which of a run's tasks wait, which may start, and how the others ended. Workers take tasks from it, in the plan's order but for those that wait
/// for others.
pub(super) struct TaskQueue<'a> {
    tasks: &'a [Task],
    cancels: &'a BTreeMap<TaskId, Cancel>,
    pause: &'a Pause,
    states: Mutex<Vec<State>>,
    changed: Condvar,
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

impl<'a> TaskQueue<'a> {
    pub(super) fn new(
        tasks: &'a [Task],
        cancels: &'a BTreeMap<TaskId, Cancel>,
        pause: &'a Pause,
    ) -> Self {
        let states = Mutex::new(vec![State::Waiting; tasks.len()]);
        Self { tasks, cancels, pause, states, changed: Condvar::new() }
    }

    /// The next thing to do; waits while all that is left waits for others or stands still. `None` when every task has ended.
    pub(super) fn next(&self) -> Option<Next> {
        let mut states = self.states.lock();
        loop {
            if states.iter().all(|state| matches!(state, State::Ended(_))) {
                return None;
            }
            if let Some(next) = self.ready(&states) {
                let (Next::Run(index) | Next::Cancelled(index) | Next::Impossible(index, _)) = next;
                states[index] = State::Running;
                return Some(next);
            }
            self.changed.wait_for(&mut states, LOOK_AGAIN);
        }
    }

    /// The task ended; those that wait for it may start.
    pub(super) fn ended(&self, index: usize, how: Ended) {
        self.states.lock()[index] = State::Ended(how);
        self.changed.notify_all();
    }

    /// The task was interrupted and is to be taken up again.
    pub(super) fn put_back(&self, index: usize) {
        self.states.lock()[index] = State::Waiting;
        self.changed.notify_all();
    }

    fn ready(&self, states: &[State]) -> Option<Next> {
        let waiting = (0..self.tasks.len()).filter(|index| states[*index] == State::Waiting);
        for index in waiting {
            let task = &self.tasks[index];
            if self.cancels[&task.id].is_cancelled() {
                return Some(Next::Cancelled(index));
            }
            match self.standing(task, states) {
                Standing::Waits => {}
                Standing::Impossible(why) => return Some(Next::Impossible(index, why)),
                Standing::MayStart if self.pause.is_paused() => {}
                Standing::MayStart => return Some(Next::Run(index)),
            }
        }
        None
    }

    fn standing(&self, task: &Task, states: &[State]) -> Standing {
        let before: Vec<(&TaskId, State)> = task
            .after
            .iter()
            .filter_map(|id| {
                let place = self.tasks.iter().position(|task| task.id == *id)?;
                Some((id, states[place]))
            })
            .collect();
        if before.iter().any(|(_, state)| !matches!(state, State::Ended(_))) {
            return Standing::Waits;
        }
        let finished = |state: &State| *state == State::Ended(Ended::Finished);
        match task.role {
            TaskRole::Fold => match before.iter().find(|(_, state)| !finished(state)) {
                Some((id, _)) => Standing::Impossible(format!(
                    "it begins with the weights of {id}, which did not finish; run it again, or switch training.warm_start off"
                )),
                None => Standing::MayStart,
            },
            TaskRole::Refit if before.iter().any(|(_, state)| finished(state)) => {
                Standing::MayStart
            }
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
mod tests;
