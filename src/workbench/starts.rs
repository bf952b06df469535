use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::mailbox::Mailbox;
use super::{Update, Waiting};
use crate::domain::{Cancel, RunId, SweepMember};
use crate::spec::ExperimentSpec;

/// Experiments that may wait; more than the largest sweep.
const MOST: usize = 20_000;
/// Of those that wait, so many are told: nobody reads more.
const TOLD: usize = 200;

/// What has been asked for and is no run at work yet, in the order of asking.
pub(super) struct Starts {
    list: Mutex<List>,
    changed: Condvar,
    mailbox: Arc<Mailbox>,
}

#[derive(Default)]
struct List {
    waiting: VecDeque<Start>,
    /// What is being planned, so that it can be cancelled.
    planning: Option<(Waiting, Cancel)>,
    next_number: u64,
    closed: bool,
}

/// One of them.
pub(super) struct Start {
    pub(super) number: u64,
    pub(super) what: What,
    pub(super) cancel: Cancel,
}

/// What is to be started.
pub(super) enum What {
    /// An experiment without a sweep, as a new run.
    New { spec: Box<ExperimentSpec>, sweep: Option<SweepMember> },
    /// An experiment with a sweep, to be replaced by its variants.
    Sweep(Box<ExperimentSpec>),
    /// A run on disk that has not finished.
    Stored(RunId),
    /// Nothing: once everything stands still, runs are let go.
    Stop,
}

impl Starts {
    pub(super) fn new(mailbox: Arc<Mailbox>) -> Self {
        Self { list: Mutex::default(), changed: Condvar::new(), mailbox }
    }

    /// Puts these behind what waits, or gives them back where too much does.
    pub(super) fn add(&self, all: Vec<What>) -> Result<(), Vec<What>> {
        let mut list = self.list.lock();
        let is_stop = matches!(all.as_slice(), [What::Stop]);
        if !is_stop && (list.closed || list.waiting.len() + all.len() > MOST) {
            return Err(all);
        }
        for what in all {
            let number = list.next_number;
            list.next_number += 1;
            list.waiting.push_back(Start { number, what, cancel: Cancel::new() });
        }
        self.tell(&list);
        drop(list);
        self.changed.notify_all();
        Ok(())
    }

    /// Puts these in the place of the one that is being planned: before all that waits, each to be cancelled alone. False, and nothing done, where
    /// that one has been cancelled.
    pub(super) fn replace(&self, planning: &Start, by: Vec<What>) -> bool {
        let mut list = self.list.lock();
        if planning.cancel.is_cancelled() {
            return false;
        }
        let first = list.next_number;
        list.next_number += by.len() as u64;
        for (number, what) in (first..).zip(by).collect::<Vec<_>>().into_iter().rev() {
            list.waiting.push_front(Start { number, what, cancel: Cancel::new() });
        }
        true
    }

    /// The next one, which counts as being planned until this is called again. `None` once the list is closed and empty.
    pub(super) fn next(&self) -> Option<Start> {
        let mut list = self.list.lock();
        if list.planning.take().is_some() {
            self.tell(&list);
        }
        loop {
            if let Some(start) = list.waiting.pop_front() {
                let waiting = Waiting { is_planning: true, ..start.told() };
                list.planning = Some((waiting, start.cancel.clone()));
                self.tell(&list);
                return Some(start);
            }
            if list.closed {
                return None;
            }
            self.changed.wait(&mut list);
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.list.lock().waiting.is_empty()
    }

    /// Cancels those that `which` says by their numbers: one that is being planned stops soon, one that waits is answered in its turn.
    pub(super) fn cancel(&self, which: impl Fn(u64) -> bool) {
        let list = self.list.lock();
        for start in &list.waiting {
            if which(start.number) && !matches!(start.what, What::Stop) {
                start.cancel.cancel();
            }
        }
        if let Some((waiting, cancel)) = &list.planning
            && which(waiting.number)
        {
            cancel.cancel();
        }
        self.tell(&list);
    }

    /// Takes no more; what waits is still given out.
    pub(super) fn close(&self) {
        self.list.lock().closed = true;
        self.changed.notify_all();
    }

    fn tell(&self, list: &List) {
        let planning = list.planning.iter().filter(|(_, cancel)| !cancel.is_cancelled());
        let planning = planning.map(|(waiting, _)| waiting.clone());
        let is_told =
            |start: &&Start| !start.cancel.is_cancelled() && !matches!(start.what, What::Stop);
        let waiting = list.waiting.iter().filter(is_told).take(TOLD).map(Start::told);
        let all = planning.filter(|waiting| !waiting.experiment.is_empty()).chain(waiting);
        self.mailbox.post(Update::Waiting(all.collect()));
    }
}

impl Start {
    fn told(&self) -> Waiting {
        let (experiment, sweep) = match &self.what {
            What::New { spec, sweep } => (spec.name.clone(), sweep.clone()),
            What::Sweep(spec) => (spec.name.clone(), None),
            What::Stored(run) => (run.to_string(), None),
            What::Stop => (String::new(), None),
        };
        Waiting { number: self.number, experiment, sweep, is_planning: false }
    }
}
