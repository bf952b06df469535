use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use super::StoreError;
use crate::domain::{Event, EventKind, RunId, RunOutcome, TaskId, UtcMillis};

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
    Record {
        log: Arc<LogFile>,
        task: Option<TaskId>,
        kind: EventKind,
        written: Option<Sender<bool>>,
    },
    Flush(Sender<()>),
}

impl RunLog {
    /// Writes the event and then tells the front end. A lifecycle event is on disk when this returns; a measurement will be soon.
    ///
    /// # Errors
    /// When this event, or an earlier one of the run, could not be written: whoever records should stop. A success is then not told.
    pub fn record(&self, task: Option<&TaskId>, kind: EventKind) -> Result<(), StoreError> {
        let (written, wait) = kind.is_lifecycle().then(|| bounded(1)).unzip();
        let log = Arc::clone(&self.file);
        let sent = self.writer.send(Message::Record { log, task: task.cloned(), kind, written });
        // An error means that the writer is gone.
        let is_written = sent.is_ok() && wait.is_none_or(|wait| wait.recv().unwrap_or(false));
        let failure = self.file.failure.lock().clone();
        match failure {
            Some(message) => Err(StoreError::write(&self.file.path, &message)),
            None if is_written => Ok(()),
            None => Err(StoreError::write(&self.file.path, &"the writer has stopped")),
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
            Message::Record { log, task, kind, written } => {
                let (event, is_written) = log.write(task, kind);
                if let Some(event) = event {
                    tell(event);
                }
                if let Some(written) = written {
                    // Nobody waits any more when this fails.
                    let _gone = written.send(is_written);
                }
            }
            Message::Flush(done) => {
                // Nobody waits any more when this fails.
                let _gone = done.send(());
            }
        }
    }
}

impl LogFile {
    /// The event to tell, if any, and whether it is in the file. After a failure nothing more is written: the file ends in the stump of a line.
    fn write(&self, task: Option<TaskId>, kind: EventKind) -> (Option<Event>, bool) {
        let mut state = self.state.lock();
        let event =
            Event { run: self.run.clone(), task, seq: state.next_seq, at: UtcMillis::now(), kind };
        state.next_seq += 1;
        let mut failure = self.failure.lock();
        if failure.is_none() {
            *failure = state.append(&event).err().map(|error| error.to_string());
        }
        match *failure {
            None => (Some(event), true),
            Some(_) => (without_record(event), false),
        }
    }
}

impl LogState {
    fn append(&mut self, event: &Event) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        if event.kind.is_lifecycle() { self.file.sync_data() } else { Ok(()) }
    }
}

/// What may be told of an event that is not on disk: no success that could not be found again.
fn without_record(event: Event) -> Option<Event> {
    match event.kind {
        EventKind::Finished { .. } => None,
        EventKind::RunEnded { summary, .. } => {
            let kind = EventKind::RunEnded { outcome: RunOutcome::Failed, summary };
            Some(Event { kind, ..event })
        }
        _ => Some(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer_and_told() -> (LogWriter, Receiver<Event>) {
        let (tell, told) = bounded(16);
        let writer = LogWriter::start(move |event| tell.send(event).expect("the test listens"));
        (writer.unwrap(), told)
    }

    #[test]
    fn an_event_is_in_the_file_before_it_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let (writer, told) = writer_and_told();
        let log = writer.log(RunId::new("run"), path.clone(), File::create(&path).unwrap());
        for seq in 0..3 {
            log.record(Some(&TaskId::new("task")), EventKind::Queued).unwrap();
            let event = told.recv().unwrap();
            assert_eq!(event.seq, seq);
            let text = std::fs::read_to_string(&path).unwrap();
            let last: Event = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            assert_eq!((last, text.lines().count() as u64), (event, seq + 1));
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_told_to_whoever_records() {
        let path = PathBuf::from("/dev/full");
        let (writer, told) = writer_and_told();
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        let log = writer.log(RunId::new("run"), path, file);
        assert!(log.record(None, EventKind::Queued).is_err());
        assert_eq!(told.recv().unwrap().kind, EventKind::Queued, "no success, so it may be told");
        let ended = EventKind::RunEnded { outcome: RunOutcome::Finished, summary: Box::default() };
        let error = log.record(None, ended).unwrap_err().to_string();
        let told = told.recv().unwrap().kind;
        assert!(
            matches!(told, EventKind::RunEnded { outcome: RunOutcome::Failed, .. }),
            "{told:?}"
        );
        assert!(error.contains("/dev/full") && error.contains("free disk space"), "{error}");
    }
}
