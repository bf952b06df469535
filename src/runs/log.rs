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
        match written {
            Ok(()) => event,
            Err(error) => {
                let failure = StoreError::write(&self.path, &error).to_string();
                self.failure.lock().get_or_insert_with(|| error.to_string());
                Event { kind: without_record(event.kind, failure), ..event }
            }
        }
    }
}

/// What may be told of an event that is not on disk: no success that could not be found again.
fn without_record(kind: EventKind, failure: String) -> EventKind {
    match kind {
        EventKind::Finished { .. } => EventKind::Failed { message: failure },
        EventKind::RunEnded { summary, .. } => {
            EventKind::RunEnded { outcome: RunOutcome::Failed, summary }
        }
        other => other,
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
    fn a_full_disk_is_told_to_whoever_records_next() {
        let path = PathBuf::from("/dev/full");
        let (writer, told) = writer_and_told();
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        let log = writer.log(RunId::new("run"), path, file);
        // The failure is known once the event has been told.
        let _known_later = log.record(None, EventKind::Queued);
        let _first = told.recv().unwrap();
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
