use std::collections::BTreeMap;

use super::database::open_for_reading;
use super::rows::run_row;
use super::{Manifest, RunFolder, RunStatus, StoreError};
use crate::domain::{EquityCurve, RunId, RunSummary, Task, TaskId, TaskReport};

/// Everything of a run that is worth looking at, read from its folder at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct RunResults {
    /// The run.
    pub run: RunId,
    /// How it stands.
    pub status: RunStatus,
    /// What was to be done.
    pub manifest: Manifest,
    /// What the finished tasks add up to; `None` while the run has not ended.
    pub summary: Option<RunSummary>,
    /// Every task of the plan, in its order.
    pub tasks: Vec<TaskResult>,
    /// Per symbol and timeframe, and per timeframe with at least two symbols all of them; empty while the run has not ended, and for runs
    /// of versions that did not write them.
    pub equity: Vec<EquityCurve>,
}

/// One task of a run and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskResult {
    /// The task.
    pub task: Task,
    /// Its result; `None` where it did not finish.
    pub report: Option<TaskReport>,
    /// Why it failed, where it did.
    pub failure: Option<String>,
}

impl RunFolder {
    /// The run's results as they are now.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
    pub fn results(&self) -> Result<RunResults, StoreError> {
        let manifest = self.manifest()?;
        // First: once a run has ended, what is read after it is whole.
        let indexed = self.indexed_status();
        let outcome = self.outcome()?;
        let status = indexed.unwrap_or_else(|| RunStatus::of(&manifest, outcome.as_ref()));
        let mut failures: BTreeMap<TaskId, String> = self.failures()?.into_iter().collect();
        let mut tasks = Vec::with_capacity(manifest.plan.tasks.len());
        for task in &manifest.plan.tasks {
            let report = self.metadata(&task.id)?.map(|metadata| metadata.report);
            let failure = failures.remove(&task.id);
            tasks.push(TaskResult { task: task.clone(), report, failure });
        }
        let summary = outcome.map(|outcome| outcome.summary);
        let equity = self.equity()?;
        Ok(RunResults { run: manifest.run.clone(), status, manifest, summary, tasks, equity })
    }

    /// How the run stands in the index of its folder, so that whoever lists it and whoever shows it say the same; `None` where there is no index,
    /// or one that does not know the run.
    fn indexed_status(&self) -> Option<RunStatus> {
        // One that cannot be read is dealt with by whoever lists.
        let connection = open_for_reading(self.path().parent()?).ok()??;
        let row = run_row(&connection, self.run().as_str()).ok()??;
        Some(match row.outcome {
            Some(outcome) => outcome.into(),
            None if row.owner.is_some_and(|owner| owner.is_alive()) => RunStatus::Running,
            None => RunStatus::Interrupted,
        })
    }
}
