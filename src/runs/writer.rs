use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rusqlite::Connection;

use super::database::{Index, transact};
use super::error::Trouble;
use super::log::{LoggedRun, RunLog, without_record};
use super::record::{apply, count_events};
use super::{Owner, StoreError};
use crate::domain::{Event, EventKind, TaskId, UtcMillis};

/// Events waiting for the disk; a full queue slows training down rather than losing an event.
const QUEUE_EVENTS: usize = 1024;
/// Measurements are written at the latest so long after they were made.
const LINGER: Duration = Duration::from_millis(250);
/// Or when there are so many of them.
const MOST_PENDING: usize = 4096;
/// How long is waited before an event is tried again whose writing failed for a reason that may pass: a full disk that somebody clears, a share
/// that is away for a moment. A run that failed is a dear thing beside a few seconds.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3)];

pub(super) enum Message {
    Record {
        run: Arc<LoggedRun>,
        task: Option<TaskId>,
        kind: EventKind,
        /// Asks whether it is on disk.
        written: Option<Sender<bool>>,
    },
    /// Something else that needs the only connection that writes.
    Work(Box<dyn FnOnce(&mut Connection) + Send>),
    Flush(Sender<()>),
    Stop,
}

/// The one thread of a store that writes. Stops when it is dropped, after writing what waits.
pub(super) struct LogWriter {
    sender: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl LogWriter {
    /// Starts the thread; `tell` is called with every event, in order, a lifecycle event once it is in the index, and must return at once.
    /// `pause` lets time pass before something is tried again.
    pub(super) fn start(
        index: Index,
        tell: impl Fn(Event) + Send + 'static,
        pause: impl Fn(Duration) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = bounded(QUEUE_EVENTS);
        let mut writer = Writer {
            index,
            owner: Owner::this_process(),
            tell: Box::new(tell),
            pause: Box::new(pause),
            is_relaxed: false,
            pending: Vec::new(),
            due: None,
            owed: Vec::new(),
        };
        let thread = std::thread::Builder::new()
            .name("walkforge-run-writer".to_owned())
            .spawn(move || writer.work(&receiver))?;
        Ok(Self { sender, thread: Some(thread) })
    }

    /// The log of a run that is in the index.
    pub(super) fn log(&self, run: LoggedRun) -> RunLog {
        RunLog { run: Arc::new(run), writer: self.sender.clone() }
    }

    /// Does something with the connection, after everything recorded before; `None` where the writer has stopped.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Option<T> {
        let (done, wait) = bounded(1);
        let work = move |connection: &mut Connection| {
            // Nobody waits any more when this fails.
            let _gone = done.send(work(connection));
        };
        self.sender.send(Message::Work(Box::new(work))).ok()?;
        wait.recv().ok()
    }

    /// Waits until everything recorded before has been written and told.
    pub(super) fn flush(&self) {
        let (done, wait) = bounded(1);
        if self.sender.send(Message::Flush(done)).is_ok() {
            // An error means the writer is gone, and with it everything there was to wait for.
            let _stopped = wait.recv();
        }
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        // A `RunLog` that is still around finds nobody.
        let _stopped = self.sender.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so on its way.
            let _panicked = thread.join();
        }
    }
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogWriter").finish_non_exhaustive()
    }
}

/// What the thread works with.
struct Writer {
    index: Index,
    /// This process.
    owner: Owner,
    tell: Box<dyn Fn(Event) + Send>,
    pause: Box<dyn Fn(Duration) + Send>,
    /// Whether the connection waits for the disk less than what is told needs.
    is_relaxed: bool,
    /// Measurements that have been told and are not in the index yet.
    pending: Vec<Record>,
    /// When they have to be.
    due: Option<Instant>,
    /// Ends of runs that could not be written: tried again until they are, so that no run seems to go on for ever.
    owed: Vec<Record>,
}

/// An event on its way into the index.
struct Record {
    run: Arc<LoggedRun>,
    event: Event,
    written: Option<Sender<bool>>,
}

impl Writer {
    fn work(&mut self, messages: &Receiver<Message>) {
        loop {
            let first = match self.due {
                None => messages.recv().map_err(RecvTimeoutError::from),
                Some(due) => messages.recv_deadline(due),
            };
            let first = match first {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    self.write_pending();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if self.take(first, messages) {
                break;
            }
        }
        self.write_pending();
    }

    /// Deals with a message and what waits behind it, as one group. Whether to stop.
    fn take(&mut self, first: Message, messages: &Receiver<Message>) -> bool {
        let mut group: Vec<Record> = Vec::new();
        for message in std::iter::once(first).chain(messages.try_iter().take(QUEUE_EVENTS)) {
            match message {
                Message::Record { run, task, kind, written } => {
                    let event = next_event(&run, task, kind);
                    group.push(Record { run, event, written });
                }
                Message::Work(work) => {
                    self.write_group(std::mem::take(&mut group));
                    self.write_pending();
                    work(&mut self.index.connection);
                }
                Message::Flush(done) => {
                    self.write_group(std::mem::take(&mut group));
                    self.write_pending();
                    // Nobody waits any more when this fails.
                    let _gone = done.send(());
                }
                Message::Stop => {
                    self.write_group(group);
                    return true;
                }
            }
        }
        self.write_group(group);
        false
    }

    /// Writes what has to be on disk and tells all of it, in order. Measurements alone are told and wait for more.
    fn write_group(&mut self, group: Vec<Record>) {
        if group.is_empty() {
            return;
        }
        if group.iter().all(|record| !record.event.kind.is_lifecycle()) {
            for record in group {
                (self.tell)(record.event.clone());
                if !record.event.kind.is_coalescible() {
                    self.pending.push(record);
                }
            }
            if !self.pending.is_empty() && self.due.is_none() {
                self.due = Some(Instant::now() + LINGER);
            }
            if self.pending.len() >= MOST_PENDING {
                self.write_pending();
            }
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        self.due = None;
        let has_failed = |record: &Record| record.run.failure.lock().is_some();
        let is_sound = !pending.iter().chain(&group).any(has_failed);
        if is_sound && self.write(pending.iter().chain(&group)).is_ok() {
            for record in group {
                record.run.state.lock().note(&record.event);
                self.tell_written(record, true);
            }
        } else {
            self.write_each(pending, group);
        }
        self.pay();
    }

    /// Something stands in the way: finds out whose it is, so that no run suffers for another.
    fn write_each(&mut self, pending: Vec<Record>, group: Vec<Record>) {
        for record in pending {
            self.write_alone(&record);
        }
        for record in group {
            if self.write_alone(&record) {
                record.run.state.lock().note(&record.event);
                self.tell_written(record, true);
                continue;
            }
            let Record { run, event, written } = record;
            let Some(mut told) = without_record(event.clone()) else {
                reply(written, false);
                continue;
            };
            let rescued = Record { run, event, written: None };
            if told.kind.is_lifecycle() {
                // How a run ended stands in its folder already: the index is to say the same, now or later.
                if self.write(std::iter::once(&rescued)).is_ok() {
                    rescued.run.state.lock().note(&rescued.event);
                    told = rescued.event;
                } else if matches!(told.kind, EventKind::RunEnded { .. }) {
                    self.owed.push(rescued);
                }
            }
            (self.tell)(told);
            reply(written, false);
        }
    }

    /// Whether an event of a run that is sound so far could be written; if not, the run is no longer sound.
    fn write_alone(&mut self, record: &Record) -> bool {
        if record.run.failure.lock().is_some() {
            return false;
        }
        match self.write_patiently(record) {
            Ok(()) => true,
            Err(error) => {
                fail(&record.run, error);
                false
            }
        }
    }

    /// Writes an event, if need be after some time.
    fn write_patiently(&mut self, record: &Record) -> Result<(), Trouble> {
        for pause in PAUSES {
            match self.write(std::iter::once(record)) {
                Err(error) if error.may_pass() => (self.pause)(pause),
                done => return done,
            }
        }
        self.write(std::iter::once(record))
    }

    /// Writes events so that they are on disk when this returns.
    fn write<'a>(&mut self, records: impl Iterator<Item = &'a Record>) -> Result<(), Trouble> {
        self.be_strict()?;
        write(&mut self.index.connection, &self.owner, records)
    }

    fn be_strict(&mut self) -> Result<(), Trouble> {
        if self.is_relaxed {
            self.index.connection.pragma_update(None, "synchronous", "FULL")?;
            self.is_relaxed = false;
        }
        Ok(())
    }

    /// Writes the measurements that wait. What a power cut may take of them is no loss: a run goes on from its checkpoint.
    fn write_pending(&mut self) {
        self.due = None;
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            // Where this is refused, the writing only takes longer.
            let relaxed = self.index.connection.pragma_update(None, "synchronous", "NORMAL");
            self.is_relaxed |= relaxed.is_ok();
            let written = write(&mut self.index.connection, &self.owner, pending.iter());
            // For whoever uses the connection next; events that need it ask again.
            let _asked_again = self.be_strict();
            if written.is_err() {
                self.write_each(pending, Vec::new());
            }
        }
        self.pay();
    }

    /// Tries again to write the ends of runs.
    fn pay(&mut self) {
        let owed = std::mem::take(&mut self.owed);
        for record in owed {
            match self.write(std::iter::once(&record)) {
                // One that was deleted meanwhile needs no end.
                Ok(()) | Err(Trouble::Store(StoreError::NotOwned { .. })) => {}
                Err(_not_yet) => self.owed.push(record),
            }
        }
        if !self.owed.is_empty() && self.due.is_none() {
            self.due = Some(Instant::now() + LINGER * 8);
        }
    }

    fn tell_written(&self, record: Record, is_written: bool) {
        (self.tell)(record.event);
        reply(record.written, is_written);
    }
}

fn reply(written: Option<Sender<bool>>, is_written: bool) {
    if let Some(written) = written {
        // Nobody waits any more when this fails.
        let _gone = written.send(is_written);
    }
}

fn fail(run: &LoggedRun, error: Trouble) {
    let error = error.writing(&run.index);
    run.failure.lock().get_or_insert(error);
}

fn next_event(run: &LoggedRun, task: Option<TaskId>, kind: EventKind) -> Event {
    let mut state = run.state.lock();
    let event =
        Event { run: run.run.clone(), task, seq: state.next_seq, at: UtcMillis::now(), kind };
    state.next_seq += 1;
    event
}

/// Writes events in one transaction.
fn write<'a>(
    connection: &mut Connection,
    owner: &Owner,
    records: impl Iterator<Item = &'a Record>,
) -> Result<(), Trouble> {
    transact(connection, |transaction| {
        let mut runs: Vec<&Arc<LoggedRun>> = Vec::new();
        for record in records {
            let mut state = record.run.state.lock();
            // Before its first event: the last one lets go of the run.
            if !runs.iter().any(|run| Arc::ptr_eq(run, &record.run)) {
                count_events(transaction, (&record.run.run, owner), &state)?;
                runs.push(&record.run);
            }
            apply(transaction, (&record.run, &mut state), &record.event)?;
        }
        Ok(())
    })
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
