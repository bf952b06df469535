use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::run::Run;
use super::task_queue::{Next, TaskQueue};
use crate::domain::{Cancel, Pause, Priority, RunId};

/// How often a waiting worker looks at the flags that nobody wakes it for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Runs of a priority and those above it at work at once: enough for a small one to pass a large one, few enough that their data fit the memory.
const RUNS_AT_WORK: usize = 4;

/// Hands the tasks of all runs at work to the workers.
///
/// Runs of a higher priority come first; those of the same take turns, so that a small run does not wait for a large one to end. Together the tasks at
/// work use no more threads than the run that asked for most, and no run has more tasks at work than it asked for.
#[derive(Debug)]
pub(super) struct Scheduler<R = Run> {
    book: Mutex<Book<R>>,
    changed: Condvar,
    /// Raised while everything is to write checkpoints and stop.
    pub(super) stop: Pause,
}

/// What the scheduler has to know of a run.
pub(super) trait AtWork {
    fn id(&self) -> &RunId;
    /// Tasks of it that may be at work at once.
    fn workers(&self) -> u32;
    /// Tasks of it and others that may be at work at once.
    fn at_once(&self) -> u32;
    fn threads_per_task(&self) -> u32;
    fn priority(&self) -> Priority;
    /// Whether all of it stands still.
    fn is_paused(&self) -> bool;
    fn queue(&self) -> &TaskQueue;
}

#[derive(Debug)]
struct Book<R> {
    runs: Vec<Active<R>>,
    workers: Vec<JoinHandle<()>>,
    /// Does what needs no device, so that a run that is cancelled ends although every worker is busy with others.
    closer: Option<JoinHandle<()>>,
    /// Counts what was handed out.
    served: u64,
    /// Whether workers are to end once no run is left.
    closing: bool,
}

/// A run at work.
#[derive(Debug)]
struct Active<R> {
    run: Arc<R>,
    /// Tasks that workers have.
    at_work: u32,
    /// When it was served last, by [`Book::served`].
    served: u64,
    /// Whether a worker writes its end.
    is_concluding: bool,
    /// Whether its tasks are given out: not before it has been told of.
    is_open: bool,
}

/// What a thread is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    /// Whatever there is to do.
    Anything,
    /// What needs no device: tasks that were cancelled or cannot run, and the ends of runs.
    Closing,
}

/// What a worker is to do.
#[derive(Debug)]
pub(super) enum Work<R = Run> {
    /// Something about one of the run's tasks.
    Task(Arc<R>, Next),
    /// Every task of the run has ended.
    Conclude(Arc<R>),
}

/// Threads could not be started.
#[derive(Debug, thiserror::Error)]
#[error(
    "only {started} workers could be started: {source}; close other programs, or lower resources.workers"
)]
pub(super) struct TooFewWorkers {
    pub(super) started: usize,
    source: std::io::Error,
}

impl<R> Default for Scheduler<R> {
    fn default() -> Self {
        let book =
            Book { runs: Vec::new(), workers: Vec::new(), closer: None, served: 0, closing: false };
        Self { book: Mutex::new(book), changed: Condvar::new(), stop: Pause::default() }
    }
}

impl<R: AtWork> Scheduler<R> {
    /// Puts a run to work as soon as it is opened; until then it can be stopped already. `work` is what a worker does until it returns; as many are
    /// started as the run wants, where there are not as many yet.
    ///
    /// # Errors
    /// When not all of them could be started: the run is at work all the same where there is any.
    pub(super) fn add(
        &self,
        run: Arc<R>,
        work: impl Fn(Duty) + Clone + Send + 'static,
    ) -> Result<(), TooFewWorkers> {
        let mut book = self.book.lock();
        let mut started = Ok(());
        while started.is_ok() && book.workers.len() < run.at_once() as usize {
            let name = format!("walkforge-worker-{}", book.workers.len() + 1);
            let work = work.clone();
            match thread::Builder::new().name(name).spawn(move || work(Duty::Anything)) {
                Ok(worker) => book.workers.push(worker),
                Err(source) => {
                    started = Err(TooFewWorkers { started: book.workers.len(), source });
                }
            }
        }
        if book.closer.is_none() {
            let closer = thread::Builder::new().name("walkforge-closer".to_owned());
            // Without it a worker does its work, later.
            book.closer = closer.spawn(move || work(Duty::Closing)).ok();
        }
        if !book.workers.is_empty() {
            book.runs.push(Active {
                run,
                at_work: 0,
                served: 0,
                is_concluding: false,
                is_open: false,
            });
        }
        drop(book);
        self.changed.notify_all();
        started
    }

    /// Gives out the run's tasks from now on.
    pub(super) fn open(&self, run: &RunId) {
        if let Some(active) = self.book.lock().find(run) {
            active.is_open = true;
        }
        self.changed.notify_all();
    }

    /// Waits for something to do. `None` once the scheduler is closed and no run is left.
    pub(super) fn next(&self, duty: Duty) -> Option<Work<R>> {
        let mut book = self.book.lock();
        loop {
            let may_run = duty == Duty::Anything && !self.stop.is_paused();
            if let Some(work) = book.choose(may_run) {
                return Some(work);
            }
            if book.closing && book.runs.is_empty() {
                return None;
            }
            if book.runs.is_empty() {
                self.changed.wait(&mut book);
            } else {
                self.changed.wait_for(&mut book, LOOK_AGAIN);
            }
        }
    }

    /// The worker is done with what it was given of this run.
    pub(super) fn done(&self, run: &RunId) {
        if let Some(active) = self.book.lock().find(run) {
            active.at_work -= 1;
        }
        self.changed.notify_all();
    }

    /// The run is over, or let go.
    pub(super) fn remove(&self, run: &RunId) {
        self.book.lock().runs.retain(|active| active.run.id() != run);
        self.changed.notify_all();
    }

    /// A run at work.
    pub(super) fn run(&self, run: &RunId) -> Option<Arc<R>> {
        self.book.lock().find(run).map(|active| Arc::clone(&active.run))
    }

    /// All runs at work, the one that was added first in front.
    pub(super) fn runs(&self) -> Vec<Arc<R>> {
        self.book.lock().runs.iter().map(|active| Arc::clone(&active.run)).collect()
    }

    /// Whether another run of this priority may be put to work. Those that are paused, and those of a lower priority, take nobody's place.
    pub(super) fn has_room(&self, priority: Priority) -> bool {
        let counts =
            |active: &&Active<R>| !active.run.is_paused() && active.run.priority() >= priority;
        self.book.lock().runs.iter().filter(counts).count() < RUNS_AT_WORK
    }

    /// Waits until the run's end has been written, where it is at work.
    pub(super) fn wait_until_gone(&self, run: &RunId, cancel: &Cancel) {
        let mut book = self.book.lock();
        while !cancel.is_cancelled() && book.find(run).is_some() {
            self.changed.wait_for(&mut book, LOOK_AGAIN);
        }
    }

    /// Waits until no worker has anything to do, and takes the runs that have not ended out of the scheduler.
    pub(super) fn take_standing(&self) -> Vec<Arc<R>> {
        let mut book = self.book.lock();
        let is_busy = |active: &Active<R>| {
            let queue = active.run.queue();
            let is_at_work = active.at_work > 0 || active.is_concluding || !active.is_open;
            is_at_work || queue.is_over() || queue.has_next(false)
        };
        while book.runs.iter().any(is_busy) {
            self.changed.wait_for(&mut book, LOOK_AGAIN);
        }
        std::mem::take(&mut book.runs).into_iter().map(|active| active.run).collect()
    }

    /// Lets the workers end once no run is left, and waits for them.
    pub(super) fn close(&self) {
        let workers = {
            let mut book = self.book.lock();
            book.closing = true;
            let workers = std::mem::take(&mut book.workers);
            workers.into_iter().chain(book.closer.take()).collect::<Vec<_>>()
        };
        self.changed.notify_all();
        for worker in workers {
            // One that panicked has said so on its way; the others still have files to finish.
            let _panicked = worker.join();
        }
    }
}

impl<R: AtWork> Book<R> {
    fn find(&mut self, run: &RunId) -> Option<&mut Active<R>> {
        self.runs.iter_mut().find(|active| active.run.id() == run)
    }

    fn choose(&mut self, may_run: bool) -> Option<Work<R>> {
        let threads = |active: &Active<R>| active.run.threads_per_task();
        let used: u32 = self.runs.iter().map(|active| active.at_work * threads(active)).sum();
        let most = self.runs.iter().map(|active| active.run.at_once() * threads(active)).max();
        // Threads that a run further in front waits for are not given away, or a run of many threads would never start.
        let mut is_kept_free = false;
        for place in self.in_turn() {
            let active = &mut self.runs[place];
            if !active.is_open {
                continue;
            }
            if active.run.queue().is_over() {
                if active.at_work == 0 && !active.is_concluding {
                    active.is_concluding = true;
                    return Some(Work::Conclude(Arc::clone(&active.run)));
                }
                continue;
            }
            let has_room = used == 0 || used + threads(active) <= most.unwrap_or(0);
            let wants = may_run && active.at_work < active.run.workers();
            let may_run = wants && has_room && !is_kept_free;
            is_kept_free |= wants && !has_room && active.run.queue().has_next(true);
            if let Some(next) = active.run.queue().next(may_run) {
                active.at_work += 1;
                self.served += 1;
                active.served = self.served;
                return Some(Work::Task(Arc::clone(&active.run), next));
            }
        }
        None
    }

    /// Whose turn it is: the highest priority, of those whoever has the fewest tasks at work, of those whoever waits longest.
    fn in_turn(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.runs.len()).collect();
        let key = |place: &usize| {
            let active = &self.runs[*place];
            (std::cmp::Reverse(active.run.priority()), active.at_work, active.served)
        };
        places.sort_by_key(key);
        places
    }
}

#[cfg(test)]
#[path = "scheduler_tests.rs"]
mod tests;
