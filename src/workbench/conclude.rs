//! The end of a run: what its finished tasks add up to.

use super::retry::save_patiently;
use super::run::Run;
use super::scheduler::AtWork as _;
use super::summary::summarise;
use super::task_queue::Ended;
use crate::domain::{EventKind, RunOutcome, UtcMillis};
use crate::runs::{Outcome, RunFolder, StoreError};

impl Run {
    /// Writes what the finished tasks add up to, once every task has ended, and tells how the run went.
    ///
    /// # Errors
    /// When the run's folder can no longer be written; what was written before is kept.
    pub(super) fn conclude(&self) -> Result<RunOutcome, StoreError> {
        let predictions = std::mem::take(&mut *self.predictions.lock());
        let mut has_failed = self.queue().has_ended(Ended::Failed);
        let summarised = summarise(predictions, &self.prepared.spec);
        let (summary, equity) = summarised.unwrap_or_else(|error| {
            self.warn(format!("the finished folds could not be summarised: {error}"));
            has_failed = true;
            Default::default()
        });
        let mut outcome = if self.queue().has_ended(Ended::Cancelled) {
            RunOutcome::Cancelled
        } else if has_failed {
            RunOutcome::Failed
        } else {
            RunOutcome::Finished
        };
        // Before the outcome: where that is, this is too.
        let drawn = self.write_patiently(|folder| folder.write_equity(&equity));
        if drawn.is_err() {
            outcome = RunOutcome::Failed;
        }
        let (ended, tasks) = (UtcMillis::now(), self.log.endings());
        let ended = Outcome { ended, outcome, summary: summary.clone(), tasks };
        let written = drawn.and(self.write_patiently(|folder| folder.write_outcome(&ended)));
        if written.is_err() {
            outcome = RunOutcome::Failed;
        }
        let told =
            self.log.record(None, EventKind::RunEnded { outcome, summary: Box::new(summary) });
        written.and(told).map(|()| outcome)
    }

    fn write_patiently(
        &self,
        write: impl Fn(&RunFolder) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        save_patiently(&self.cancel, || write(&self.folder), |message| self.warn(message))
    }
}
