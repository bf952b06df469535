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
    /// The places of the tasks that each one waits for.
    after: Vec<Vec<usize>>,
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
        let places: BTreeMap<&TaskId, usize> =
            tasks.iter().enumerate().map(|(place, task)| (&task.id, place)).collect();
        let place = |id: &TaskId| places.get(id).copied();
        let after =
            tasks.iter().map(|task| task.after.iter().filter_map(place).collect()).collect();
        Self { tasks, cancels, pause, after, states, changed: Condvar::new() }
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
            match self.standing(index, states) {
                Standing::Waits => {}
                Standing::Impossible(why) => return Some(Next::Impossible(index, why)),
                Standing::MayStart if self.pause.is_paused() => {}
                Standing::MayStart => return Some(Next::Run(index)),
            }
        }
        None
    }

    fn standing(&self, index: usize, states: &[State]) -> Standing {
        let before = &self.after[index];
        if before.iter().any(|&place| !matches!(states[place], State::Ended(_))) {
            return Standing::Waits;
        }
        let finished = |place: &usize| states[*place] == State::Ended(Ended::Finished);
        match self.tasks[index].role {
            TaskRole::Fold => match before.iter().find(|place| !finished(place)) {
                Some(&place) => Standing::Impossible(format!(
                    "it begins with the weights of {}, which did not finish; run it again, or switch training.warm_start off",
                    self.tasks[place].id
                )),
                None => Standing::MayStart,
            },
            TaskRole::Refit if before.iter().any(finished) => Standing::MayStart,
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
