use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use super::StoreError;
use crate::domain::{Event, EventKind, RunId, TaskId, UtcMillis};

/// Lines waiting for the disk; a full queue slows training down rather than losing an event.
const QUEUE_LINES: usize = 1024;

/// The event log of one run, `events.jsonl`. Cheap to clone; used from every worker.
#[derive(Debug, Clone)]
pub struct RunLog {
    file: Arc<LogFile>,
    writer: Sender<Message>,
}

#[derive(Debug)]
struct LogFile {
    run: RunId,
    path: PathBuf,
    /// Only the writer thread takes it.
    state: Mutex<LogState>,
    /// The first failure, told to whoever records next.
    failure: Mutex<Option<String>>,
}

#[derive(Debug)]
struct LogState {
    file: File,
    next_seq: u64,
}

enum Message {
    Record { log: Arc<LogFile>, task: Option<TaskId>, kind: EventKind },
    Flush(Sender<()>),
}

impl RunLog {
    /// Writes the event and then tells the front end. Returns before that has happened.
    ///
    /// # Errors
    /// When an earlier line of this run could not be written: whoever records should stop, because its result could not be told either.
    pub fn record(&self, task: Option<&TaskId>, kind: EventKind) -> Result<(), StoreError> {
        let message = Message::Record { log: Arc::clone(&self.file), task: task.cloned(), kind };
        let sent = self.writer.send(message);
        let failure = self.file.failure.lock().clone();
        match (sent, failure) {
            (Ok(()), None) => Ok(()),
            (_, Some(message)) => Err(StoreError::write(&self.file.path, &message)),
            (Err(_), None) => Err(StoreError::write(&self.file.path, &"the writer has stopped")),
        }
    }
}

/// The one thread that writes event logs. Stops when it is dropped, after writing what waits.
pub(super) struct LogWriter {
    sender: Option<Sender<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl LogWriter {
    /// Starts the thread; `tell` is called with every event, in order, once it is in the file, and must return at once.
    pub(super) fn start(tell: impl Fn(Event) + Send + 'static) -> std::io::Result<Self> {
        let (sender, receiver) = bounded(QUEUE_LINES);
        let thread = std::thread::Builder::new()
            .name("walkforge-run-writer".to_owned())
            .spawn(move || write_all(&receiver, &tell))?;
        Ok(Self { sender: Some(sender), thread: Some(thread) })
    }

    /// The log of a run whose file is open for appending.
    pub(super) fn log(&self, run: RunId, path: PathBuf, file: File) -> RunLog {
        let writer = self.sender.clone().expect("the sender is there until drop");
        let state = Mutex::new(LogState { file, next_seq: 0 });
        RunLog { file: Arc::new(LogFile { run, path, state, failure: Mutex::new(None) }), writer }
    }

    /// Waits until everything recorded before has been written and told.
    pub(super) fn flush(&self) {
        let (done, wait) = bounded(1);
        if let Some(sender) = &self.sender
            && sender.send(Message::Flush(done)).is_ok()
        {
            // An error means the writer is gone, and with it everything there was to wait for.
            let _stopped = wait.recv();
        }
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.flush();
        self.sender = None;
        // A `RunLog` that is still around keeps the thread waiting; it ends with the last of them.
        drop(self.thread.take());
    }
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogWriter").finish_non_exhaustive()
    }
}

fn write_all(messages: &Receiver<Message>, tell: &dyn Fn(Event)) {
    for message in messages {
        match message {
            Message::Record { log, task, kind } => tell(log.write(task, kind)),
            Message::Flush(done) => {
                // Nobody waits any more when this fails.
                let _gone = done.send(());
            }
        }
    }
}

impl LogFile {
    fn write(&self, task: Option<TaskId>, kind: EventKind) -> Event {
        let mut state = self.state.lock();
        let event =
            Event { run: self.run.clone(), task, seq: state.next_seq, at: UtcMillis::now(), kind };
        state.next_seq += 1;
        let written =
            serde_json::to_vec(&event).map_err(std::io::Error::other).and_then(|mut line| {
                line.push(b'\n');
                state.file.write_all(&line)?;
                if event.kind.is_lifecycle() { state.file.sync_data() } else { Ok(()) }
            });
        if let Err(error) = written {
            self.failure.lock().get_or_insert_with(|| error.to_string());
        }
        event
    }
}
