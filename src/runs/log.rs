use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Sender, bounded};
use parking_lot::Mutex;

use super::writer::Message;
use super::{Ending, RunFolder, StoreError, TaskEnding};
use crate::domain::{Event, EventKind, RunId, RunOutcome, TaskId};

/// The log of one run, kept in the index. Cheap to clone; used from every worker.
#[derive(Debug, Clone)]
pub struct RunLog {
    pub(super) run: Arc<LoggedRun>,
    pub(super) writer: Sender<Message>,
}

/// A run as its writer knows it.
#[derive(Debug)]
pub(super) struct LoggedRun {
    pub(super) run: RunId,
    /// The index.
    pub(super) index: PathBuf,
    /// Only the writer thread changes it.
    pub(super) state: Mutex<LogState>,
    /// The first failure, told to whoever records next.
    pub(super) failure: Mutex<Option<StoreError>>,
}

#[derive(Debug)]
pub(super) struct LogState {
    /// Rows of the run and its tasks.
    pub(super) row: i64,
    pub(super) tasks: BTreeMap<TaskId, TaskState>,
    pub(super) next_seq: u64,
    /// How tasks ended, in that order.
    pub(super) endings: Vec<TaskEnding>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct TaskState {
    pub(super) row: i64,
    /// The last epoch that may be in the index; `None` where nobody has looked.
    pub(super) last_epoch: Option<u32>,
}

impl RunLog {
    /// Writes the event and then tells the front end. A lifecycle event is on disk when this returns; a measurement will be soon.
    ///
    /// # Errors
    /// When this event, or an earlier one of the run, could not be written: whoever records should stop. A success is then not told.
    pub fn record(&self, task: Option<&TaskId>, kind: EventKind) -> Result<(), StoreError> {
        let (written, wait) = kind.is_lifecycle().then(|| bounded(1)).unzip();
        let run = Arc::clone(&self.run);
        let sent = self.writer.send(Message::Record { run, task: task.cloned(), kind, written });
        // An error means that the writer is gone.
        let is_written = sent.is_ok() && wait.is_none_or(|wait| wait.recv().unwrap_or(false));
        let failure = self.run.failure.lock().clone();
        match failure {
            Some(error) => Err(error),
            None if is_written => Ok(()),
            None => Err(StoreError::write(&self.run.index, &"the writer has stopped")),
        }
    }

    /// The same for several events at once, which are waited for together.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn record_all<'a>(
        &self,
        events: impl IntoIterator<Item = (Option<&'a TaskId>, EventKind)>,
    ) -> Result<(), StoreError> {
        let mut events = events.into_iter().peekable();
        while let Some((task, kind)) = events.next() {
            if events.peek().is_none() {
                return self.record(task, kind);
            }
            let (run, task) = (Arc::clone(&self.run), task.cloned());
            let message = Message::Record { run, task, kind, written: None };
            // An error means that the writer is gone, which the last event tells.
            let _gone = self.writer.send(message);
        }
        Ok(())
    }

    /// How the run's tasks have ended so far, in that order: what `outcome.json` is to tell.
    #[must_use]
    pub fn endings(&self) -> Vec<TaskEnding> {
        self.run.state.lock().endings.clone()
    }
}

impl LoggedRun {
    /// Where the run's files are.
    pub(super) fn folder(&self) -> RunFolder {
        RunFolder::new(self.index.with_file_name(self.run.as_str()))
    }
}

impl LogState {
    /// Takes note of what is in the index now.
    pub(super) fn note(&mut self, event: &Event) {
        let Some(task) = &event.task else { return };
        let (ending, failure) = match &event.kind {
            EventKind::Finished { .. } | EventKind::Kept { .. } => (Some(Ending::Finished), None),
            EventKind::Failed { message } => (Some(Ending::Failed), Some(message.clone())),
            EventKind::Cancelled => (Some(Ending::Cancelled), None),
            EventKind::Started { .. } => (None, None),
            _ => return,
        };
        // As in the index: what finished stays so, unless another attempt began.
        let is_result =
            |ended: &TaskEnding| ended.task == *task && ended.ending == Ending::Finished;
        let is_without = matches!(ending, Some(Ending::Failed | Ending::Cancelled));
        if is_without && self.endings.iter().any(is_result) {
            return;
        }
        self.endings.retain(|ended| ended.task != *task);
        let task = task.clone();
        self.endings.extend(ending.map(|ending| TaskEnding { task, ending, failure }));
    }
}

/// What may be told of an event that is not on disk: no success that could not be found again.
pub(super) fn without_record(event: Event) -> Option<Event> {
    match event.kind {
        EventKind::Finished { .. } | EventKind::Kept { .. } => None,
        EventKind::RunEnded { summary, .. } => {
            let kind = EventKind::RunEnded { outcome: RunOutcome::Failed, summary };
            Some(Event { kind, ..event })
        }
        _ => Some(event),
    }
}
