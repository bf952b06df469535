use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::mailbox::Mailbox;
use super::{Update, Waiting};
use crate::domain::{Cancel, Priority, RunId, SweepMember};
use crate::spec::ExperimentSpec;

/// Experiments that may wait; more than the largest sweep.
const MOST: usize = 20_000;
/// Of those that wait, so many are told: nobody reads more.
const TOLD: usize = 200;
/// How often it is looked whether there is room for what waits.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What has been asked for and is no run at work yet.
///
/// The highest priority comes first. Of the same priority every request takes its turn, so that an experiment does not wait for the whole of a sweep
/// that was asked for before it; those of one request come in order.
pub(super) struct Starts {
    list: Mutex<List>,
    changed: Condvar,
    mailbox: Arc<Mailbox>,
}

#[derive(Default)]
struct List {
    /// In the order of asking.
    waiting: VecDeque<Start>,
    /// What is being planned, so that it can be cancelled.
    planning: Option<(Waiting, Cancel)>,
    next_number: u64,
    /// Runs given out so far.
    turns: u64,
    /// The turn at which each request that still waits was served last.
    served: BTreeMap<u64, u64>,
    closed: bool,
}

/// One of them.
pub(super) struct Start {
    pub(super) number: u64,
    /// Which request it came of: all variants of a sweep are of one.
    request: u64,
    /// The turn at which it was asked for.
    asked: u64,
    pub(super) what: What,
    pub(super) cancel: Cancel,
    pub(super) priority: Priority,
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

    /// Puts this behind what waits, or gives it back where too much does.
    pub(super) fn add(&self, what: What) -> Result<(), What> {
        let mut list = self.list.lock();
        let is_stop = matches!(what, What::Stop);
        if !is_stop && (list.closed || list.waiting.len() >= MOST) {
            return Err(what);
        }
        let (number, asked) = (list.next_number, list.turns);
        list.next_number += 1;
        let (cancel, priority) = (Cancel::new(), Priority::default());
        list.waiting.push_back(Start { number, request: number, asked, what, cancel, priority });
        self.tell(&list);
        drop(list);
        self.changed.notify_all();
        Ok(())
    }

    /// Puts these in the place of the one that is being planned, each to be cancelled alone. False, and nothing done, where that one has been
    /// cancelled.
    pub(super) fn replace(&self, planning: &Start, by: Vec<What>) -> bool {
        let mut list = self.list.lock();
        if planning.cancel.is_cancelled() {
            return false;
        }
        let first = list.next_number;
        list.next_number += by.len() as u64;
        for (number, what) in (first..).zip(by).collect::<Vec<_>>().into_iter().rev() {
            let Start { request, asked, priority, .. } = *planning;
            let cancel = Cancel::new();
            list.waiting.push_front(Start { number, request, asked, what, cancel, priority });
        }
        true
    }

    /// The next one that may start now, which counts as being planned until this or [`Self::hand_over`] is called. One that was cancelled is given out
    /// at once, to be answered. Waits for something to come and for room. `None` once the list is closed and empty.
    pub(super) fn next(&self, has_room: impl Fn(&Start) -> bool) -> Option<Start> {
        let mut list = self.list.lock();
        if list.planning.take().is_some() {
            self.tell(&list);
        }
        loop {
            if let Some(start) = list.take_next(&has_room) {
                let waiting = Waiting { is_planning: true, ..start.told() };
                list.planning = Some((waiting, start.cancel.clone()));
                self.tell(&list);
                return Some(start);
            }
            if !list.waiting.is_empty() {
                self.changed.wait_for(&mut list, LOOK_AGAIN);
            } else if list.closed {
                return None;
            } else {
                self.changed.wait(&mut list);
            }
        }
    }

    /// Lets go of what is being planned while it is put to work, so that whoever stops what waits and then what is at work meets it exactly once.
    pub(super) fn hand_over<T>(&self, put_to_work: impl FnOnce() -> T) -> T {
        let mut list = self.list.lock();
        let done = put_to_work();
        list.planning = None;
        self.tell(&list);
        done
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.list.lock().waiting.is_empty()
    }

    /// Cancels those that `which` says by their numbers: one that is being planned stops soon.
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
        drop(list);
        self.changed.notify_all();
    }

    /// Lets those that `which` says by their numbers come before or after others. One that is being planned has had its turn.
    pub(super) fn prioritise(&self, which: impl Fn(u64) -> bool, priority: Priority) {
        let mut list = self.list.lock();
        for start in list.waiting.iter_mut().filter(|start| which(start.number)) {
            start.priority = priority;
        }
        self.tell(&list);
        drop(list);
        self.changed.notify_all();
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

impl List {
    fn take_next(&mut self, has_room: impl Fn(&Start) -> bool) -> Option<Start> {
        let place = self.next_place(has_room)?;
        let start = self.waiting.remove(place)?;
        if start.what.is_run() && !start.cancel.is_cancelled() {
            self.turns += 1;
            self.served.insert(start.request, self.turns);
        }
        if !self.waiting.iter().any(|other| other.request == start.request) {
            self.served.remove(&start.request);
        }
        Some(start)
    }

    fn next_place(&self, has_room: impl Fn(&Start) -> bool) -> Option<usize> {
        // A stop waits for what was asked for before it, and keeps what was asked for after it waiting.
        let stop = self.waiting.iter().position(|start| matches!(start.what, What::Stop));
        if stop == Some(0) {
            return stop;
        }
        let before_stop = || self.waiting.iter().take(stop.unwrap_or(usize::MAX));
        let at_once = |start: &Start| start.cancel.is_cancelled() || !start.what.is_run();
        before_stop().position(at_once).or_else(|| {
            let turn = |start: &Start| {
                let last = self.served.get(&start.request).copied();
                let since = last.unwrap_or(start.asked);
                (Reverse(start.priority), since, last.is_some(), start.number)
            };
            let may_start = before_stop().enumerate().filter(|(_, start)| has_room(start));
            may_start.min_by_key(|(_, start)| turn(start)).map(|(place, _)| place)
        })
    }
}

impl What {
    /// Whether it takes a place among the runs at work.
    const fn is_run(&self) -> bool {
        matches!(self, Self::New { .. } | Self::Stored(_))
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
        let (number, priority) = (self.number, self.priority);
        Waiting { number, experiment, sweep, priority, is_planning: false }
    }
}

#[cfg(test)]
#[path = "starts_tests.rs"]
mod tests;
