use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::equity::{read_equity, write_equity};
use super::files::{read_json, write_json};
use super::{Manifest, Outcome, StoreError, write_atomically};
use crate::dataset::SeriesScaler;
use crate::domain::{EquityCurve, Event, EventKind, RunOutcome, Task, TaskId, TaskReport};
use crate::models::NetworkDesign;
use crate::spec::{ExperimentSpec, LabelSpec, WeightSpec};

/// One run's folder: `spec.ron`, `manifest.json`, `events.jsonl`, `equity.parquet`, `outcome.json` and `tasks/TASK/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

/// `metadata.json` of a finished task: everything but the weights to build its network again. Written last, so that its presence means that
/// the task is whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskMetadata {
    /// The task.
    pub task: Task,
    /// The network without its weights.
    pub design: NetworkDesign,
    /// Names of the feature columns, in the model's order.
    pub features: Vec<String>,
    /// What it predicts.
    pub label: LabelSpec,
    /// How its train rows were weighted.
    #[serde(default)]
    pub weights: WeightSpec,
    /// The absolute outcome up to which train and validation rows were left out, where the label has a dead zone.
    #[serde(default)]
    pub dead_zone: Option<f64>,
    /// Where each series has its own scaler: what its windows go through before the network, whose own scaler then changes nothing.
    #[serde(default)]
    pub series_scalers: Vec<SeriesScaler>,
    /// Its result.
    pub report: TaskReport,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Its process lives.
    Running,
    /// Its process is gone and left no outcome.
    Interrupted,
    /// Every task finished.
    Finished,
    /// At least one task failed.
    Failed,
    /// Stopped on request.
    Cancelled,
}

impl RunStatus {
    /// As people read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl From<RunOutcome> for RunStatus {
    fn from(outcome: RunOutcome) -> Self {
        match outcome {
            RunOutcome::Finished => Self::Finished,
            RunOutcome::Failed => Self::Failed,
            RunOutcome::Cancelled => Self::Cancelled,
        }
    }
}

impl RunStatus {
    /// How a run with this manifest stands, given its outcome where there is one.
    pub(super) fn of(manifest: &Manifest, outcome: Option<&Outcome>) -> Self {
        match outcome {
            Some(outcome) => outcome.outcome.into(),
            None if manifest.owner.is_alive() => Self::Running,
            None => Self::Interrupted,
        }
    }
}

impl RunFolder {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    /// A task's folder.
    #[must_use]
    pub fn task(&self, task: &TaskId) -> PathBuf {
        self.path.join("tasks").join(task.as_str())
    }

    /// Makes a task's folder in a run that is still there, unless it is there already.
    ///
    /// # Errors
    /// [`StoreError::Write`] naming it.
    pub fn create_task(&self, task: &TaskId) -> Result<PathBuf, StoreError> {
        let path = self.task(task);
        match std::fs::create_dir(&path) {
            Err(source) if !path.is_dir() => Err(StoreError::write(&path, &source)),
            _ => Ok(path),
        }
    }

    /// Writes what a run begins with and gives back its event log, open for appending.
    pub(super) fn write_start(
        &self,
        spec: &ExperimentSpec,
        manifest: &Manifest,
    ) -> Result<File, StoreError> {
        write_atomically(&self.path.join("spec.ron"), |file| {
            Ok(file.write_all(spec.to_ron().as_bytes())?)
        })?;
        let tasks = self.path.join("tasks");
        std::fs::create_dir(&tasks).map_err(|source| StoreError::write(&tasks, &source))?;
        let log = self.log_path();
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&log)
            .map_err(|source| StoreError::write(&log, &source))?;
        // Last: a folder with a manifest is a run.
        write_json(&self.path.join("manifest.json"), manifest)?;
        Ok(file)
    }

    /// Writes a finished task's metadata; everything else of the task must be there already.
    ///
    /// # Errors
    /// [`StoreError::Write`] naming the file.
    pub fn write_metadata(&self, metadata: &TaskMetadata) -> Result<(), StoreError> {
        write_json(&self.task(&metadata.task.id).join("metadata.json"), metadata)
    }

    /// Writes how equity went, before [`Self::write_outcome`]; nothing where nothing finished.
    ///
    /// # Errors
    /// [`StoreError::Write`] naming the file.
    pub fn write_equity(&self, curves: &[EquityCurve]) -> Result<(), StoreError> {
        if curves.is_empty() { Ok(()) } else { write_equity(&self.equity_path(), curves) }
    }

    /// How equity went; empty where the run has not ended or nothing finished.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
    pub fn equity(&self) -> Result<Vec<EquityCurve>, StoreError> {
        let path = self.equity_path();
        if path.exists() { read_equity(&path) } else { Ok(Vec::new()) }
    }

    fn equity_path(&self) -> PathBuf {
        self.path.join("equity.parquet")
    }

    /// Writes how the run ended.
    ///
    /// # Errors
    /// [`StoreError::Write`] naming the file.
    pub fn write_outcome(&self, outcome: &Outcome) -> Result<(), StoreError> {
        write_json(&self.path.join("outcome.json"), outcome)
    }

    /// What was to be done.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
    pub fn manifest(&self) -> Result<Manifest, StoreError> {
        read_json(&self.path.join("manifest.json"))
    }

    /// How it ended; `None` while it has not.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
    pub fn outcome(&self) -> Result<Option<Outcome>, StoreError> {
        let path = self.path.join("outcome.json");
        if path.exists() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// A task's metadata; `None` where it has not finished.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
    pub fn metadata(&self, task: &TaskId) -> Result<Option<TaskMetadata>, StoreError> {
        let path = self.task(task).join("metadata.json");
        if path.exists() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// How the run stands now.
    ///
    /// # Errors
    /// As [`Self::outcome`].
    pub fn status(&self, manifest: &Manifest) -> Result<RunStatus, StoreError> {
        Ok(RunStatus::of(manifest, self.outcome()?.as_ref()))
    }

    /// The messages of failed tasks, in the order they failed. A line cut short by a crash is passed over; no
    /// log has no failures to tell.
    ///
    /// # Errors
    /// [`StoreError::Read`] naming the file.
    pub fn failures(&self) -> Result<Vec<(TaskId, String)>, StoreError> {
        let path = self.log_path();
        let text = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            // Results do not depend on the log.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::read(&path, &error)),
        };
        let events = text.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok());
        Ok(events
            .filter_map(|event| match (event.task, event.kind) {
                (Some(task), EventKind::Failed { message }) => Some((task, message)),
                _ => None,
            })
            .collect())
    }
}
