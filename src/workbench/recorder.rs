use super::task::TaskObserver;
use crate::domain::{EpochRecord, EventKind, Progress, Stage, TaskId};
use crate::runs::RunLog;
use crate::training::Observer;

/// Sends a task's measurements to the log.
pub(super) struct Recorder<'a> {
    pub(super) log: &'a RunLog,
    pub(super) task: &'a TaskId,
}

impl Recorder<'_> {
    fn record(&self, kind: EventKind) {
        // A log that cannot be written fails the task at its next lifecycle event; a lost measurement is no reason of its own.
        let _told_later = self.log.record(Some(self.task), kind);
    }
}

impl Observer for Recorder<'_> {
    fn progress(&mut self, progress: Progress) {
        self.record(EventKind::Progress(progress));
    }

    fn epoch(&mut self, record: EpochRecord) {
        self.record(EventKind::Epoch(record));
    }

    fn warning(&mut self, message: String) {
        self.record(EventKind::Warning { message });
    }
}

impl TaskObserver for Recorder<'_> {
    fn stage(&mut self, stage: Stage) {
        self.record(EventKind::Stage { stage });
    }
}
