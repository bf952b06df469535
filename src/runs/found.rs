use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, params};

use super::curve::replace;
use super::error::Trouble;
use super::rows::{finish_task, import_outcome, insert_run, json, task_rows};
use super::tables::read_history;
use super::{Annotations, Manifest, Outcome, RunFolder, StoreError};
use crate::domain::{EpochRecord, EventKind, TaskId, TaskReport, UtcMillis};

/// Everything a folder tells of its run.
pub(super) struct Found {
    manifest: Manifest,
    pub(super) outcome: Option<Outcome>,
    annotations: Annotations,
    /// Failures that older versions logged in the folder.
    failures: Vec<(TaskId, String)>,
    /// Tasks that have a result.
    pub(super) finished: Vec<FoundTask>,
    curves: BTreeMap<TaskId, Vec<EpochRecord>>,
}

pub(super) struct FoundTask {
    pub(super) task: TaskId,
    pub(super) report: TaskReport,
    pub(super) ended: UtcMillis,
}

impl Found {
    pub(super) fn read(path: &Path) -> Result<Self, StoreError> {
        let folder = RunFolder::new(path.to_owned());
        let manifest = folder.manifest()?;
        let outcome = folder.outcome()?;
        let annotations = folder.annotations()?;
        let mut failures = Vec::new();
        let mut curves: BTreeMap<TaskId, Vec<EpochRecord>> = BTreeMap::new();
        for event in folder.logged_events()? {
            match (event.task, event.kind) {
                (Some(task), EventKind::Failed { message }) => failures.push((task, message)),
                (Some(task), EventKind::Epoch(record)) => {
                    let curve = curves.entry(task).or_default();
                    // A later attempt counts.
                    curve.retain(|earlier| earlier.epoch < record.epoch);
                    curve.push(record);
                }
                _ => {}
            }
        }
        let mut finished = Vec::new();
        for task in &manifest.plan.tasks {
            let at = folder.task(&task.id);
            // Curves are worth having, but a run without them is still one.
            if let Ok(history) = read_history(&at.join("history.parquet")) {
                curves.insert(task.id.clone(), history);
            }
            // What cannot be read has not finished.
            if let Ok(Some(metadata)) = folder.result(task) {
                let ended = modified(&at.join("metadata.json"));
                let task = task.id.clone();
                finished.push(FoundTask { task, report: metadata.report, ended });
            }
        }
        Ok(Self { manifest, outcome, annotations, failures, finished, curves })
    }

    /// Adds the run to an index that does not have it.
    pub(super) fn insert(&self, connection: &Connection) -> Result<(), Trouble> {
        let run = insert_run(connection, &self.manifest)?;
        let rows = task_rows(connection, run)?;
        for (task, message) in &self.failures {
            connection.execute(
                "UPDATE tasks SET state = 'failed', failure = ?3 WHERE run = ?1 AND name = ?2",
                params![run, task.as_str(), message],
            )?;
        }
        for FoundTask { task, report, ended } in &self.finished {
            if let Some(&row) = rows.get(task) {
                finish_task(connection, row, report, (*ended, None))?;
            }
        }
        for (task, &row) in &rows {
            self.insert_curve(connection, task, row)?;
        }
        connection.execute(
            "UPDATE runs SET tags = ?2, notes = ?3 WHERE id = ?1",
            params![run, json(&self.annotations.tags), self.annotations.notes],
        )?;
        match &self.outcome {
            Some(outcome) => import_outcome(connection, run, outcome),
            None => Ok(()),
        }
    }

    /// Replaces a task's curve by the folder's, where that has one.
    pub(super) fn insert_curve(
        &self,
        connection: &Connection,
        task: &TaskId,
        row: i64,
    ) -> Result<(), Trouble> {
        match self.curves.get(task) {
            Some(curve) => replace(connection, row, curve),
            None => Ok(()),
        }
    }
}

/// When a file was last written; 1970 where nobody knows.
pub(super) fn modified(path: &Path) -> UtcMillis {
    let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let since = modified.ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    UtcMillis(since.map_or(0, |since| since.as_millis() as i64))
}
