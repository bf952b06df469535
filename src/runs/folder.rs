use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::database::{index_path, open_for_reading};
use super::equity::{read_equity, write_equity};
use super::files::{can_be_written, check_weights, read_json, sync_folder, write_json};
use super::index::failures;
use super::{Ending, Manifest, Outcome, Owner, StoreError, write_atomically};
use crate::dataset::SeriesScaler;
use crate::domain::{
    ContentHash, EquityCurve, Event, EventKind, Plan, RunId, RunOutcome, Task, TaskId, TaskReport,
    TaskRole,
};
use crate::models::NetworkDesign;
use crate::spec::{ExperimentSpec, LabelSpec, WeightSpec};

/// One run's folder: `spec.ron`, `manifest.json`, `annotations.json`, `equity.parquet`, `outcome.json` and `tasks/TASK/…`. Older versions logged
/// into `events.jsonl` there.
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
    /// The hash of `weights.safetensors`; `None` in files of versions that did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_hash: Option<ContentHash>,
    /// Its result.
    pub report: TaskReport,
}

/// `annotations.json`: what somebody noted about a run, so that it survives the loss of the index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Annotations {
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) notes: String,
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
            None if manifest.owner.as_ref().is_some_and(Owner::is_alive) => Self::Running,
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

    /// The run's name.
    pub(super) fn run(&self) -> RunId {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        RunId::new(name.to_string_lossy().into_owned())
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
            _ => sync_folder(&self.path.join("tasks")).map(|()| path),
        }
    }

    /// Writes what a run begins with.
    pub(super) fn write_start(
        &self,
        spec: &ExperimentSpec,
        manifest: &Manifest,
    ) -> Result<(), StoreError> {
        write_atomically(&self.spec_path(), |file| Ok(file.write_all(spec.to_ron().as_bytes())?))?;
        let tasks = self.path.join("tasks");
        std::fs::create_dir(&tasks).map_err(|source| StoreError::write(&tasks, &source))?;
        // Last: a folder with a manifest is a run.
        self.write_manifest(manifest)
    }

    /// Where the run's specification is.
    #[must_use]
    pub fn spec_path(&self) -> PathBuf {
        self.path.join("spec.ron")
    }

    pub(super) fn write_manifest(&self, manifest: &Manifest) -> Result<(), StoreError> {
        write_json(&self.path.join("manifest.json"), manifest)
    }

    /// Writes a finished task's metadata; everything else of the task must be there already.
    ///
    /// # Errors
    /// [`StoreError::Write`] naming the file.
    pub fn write_metadata(&self, metadata: &TaskMetadata) -> Result<(), StoreError> {
        write_json(&self.task(&metadata.task.id).join("metadata.json"), metadata)
    }

    /// Removes a task's metadata where there is any: its files do not count as whole any more.
    ///
    /// # Errors
    /// [`StoreError::Write`] naming the file.
    pub fn remove_metadata(&self, task: &TaskId) -> Result<(), StoreError> {
        let path = self.task(task).join("metadata.json");
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::write(&path, &source))
            }
            _ => Ok(()),
        }
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
        write_json(&self.outcome_path(), outcome)?;
        // One that stays does no harm: the newer one counts.
        let _of_no_worth = std::fs::remove_file(self.previous_outcome_path());
        Ok(())
    }

    /// Makes room for another outcome, and keeps the one before until it is there.
    pub(super) fn put_outcome_aside(&self) -> Result<(), StoreError> {
        rename_if_there(&self.outcome_path(), &self.previous_outcome_path())
    }

    /// Undoes [`Self::put_outcome_aside`].
    pub(super) fn take_outcome_back(&self) -> Result<(), StoreError> {
        if self.outcome_path().exists() {
            return Ok(());
        }
        rename_if_there(&self.previous_outcome_path(), &self.outcome_path())
    }

    /// Whether it is written down how the run ended.
    pub(super) fn has_outcome(&self) -> bool {
        self.outcome_path().exists()
    }

    fn outcome_path(&self) -> PathBuf {
        self.path.join("outcome.json")
    }

    fn previous_outcome_path(&self) -> PathBuf {
        self.path.join("outcome.previous.json")
    }

    /// What was to be done.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
    pub fn manifest(&self) -> Result<Manifest, StoreError> {
        let manifest = Manifest::read(&self.path.join("manifest.json"))?;
        // A folder that was copied or renamed is a run of its own.
        Ok(Manifest { run: self.run(), ..manifest })
    }

    /// How it ended; `None` while it has not.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
    pub fn outcome(&self) -> Result<Option<Outcome>, StoreError> {
        let path = self.outcome_path();
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

    /// The metadata of every task that has finished, in the plan's order.
    ///
    /// # Errors
    /// As [`Self::metadata`].
    pub fn finished(&self, plan: &Plan) -> Result<Vec<TaskMetadata>, StoreError> {
        plan.tasks.iter().filter_map(|task| self.metadata(&task.id).transpose()).collect()
    }

    /// The metadata of a task whose files are all there; `None` where one is missing or the folder has another task of that name.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
    pub fn whole(&self, task: &Task) -> Result<Option<TaskMetadata>, StoreError> {
        let folder = self.task(&task.id);
        let mut files = vec!["weights.safetensors", "history.parquet"];
        if task.role == TaskRole::Fold {
            files.push("predictions.parquet");
        }
        if !files.iter().all(|file| folder.join(file).is_file()) {
            return Ok(None);
        }
        self.result(task)
    }

    /// Makes sure that a task's weights are those that its metadata speak of; where these do not say which, that they can be read as weights.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
    pub fn check_weights(&self, task: &Task, metadata: &TaskMetadata) -> Result<(), StoreError> {
        check_weights(&self.task(&task.id).join("weights.safetensors"), metadata.weights_hash)
    }

    /// The metadata of this very task; `None` where it has not finished or the folder has another task of that name.
    pub(super) fn result(&self, task: &Task) -> Result<Option<TaskMetadata>, StoreError> {
        Ok(self.metadata(&task.id)?.filter(|metadata| metadata.task.key == task.key))
    }

    /// What somebody noted about the run; nothing where nobody did.
    pub(super) fn annotations(&self) -> Result<Annotations, StoreError> {
        let path = self.annotations_path();
        if path.exists() { read_json(&path) } else { Ok(Annotations::default()) }
    }

    pub(super) fn write_annotations(&self, annotations: &Annotations) -> Result<(), StoreError> {
        write_json(&self.annotations_path(), annotations)
    }

    fn annotations_path(&self) -> PathBuf {
        self.path.join("annotations.json")
    }

    /// The messages of failed tasks, in the order they failed: of the outcome, or of the index while the run has not ended.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
    pub fn failures(&self) -> Result<Vec<(TaskId, String)>, StoreError> {
        if let Some(outcome) = self.outcome()?
            && !outcome.tasks.is_empty()
        {
            let failed = outcome.tasks.into_iter().filter(|task| task.ending == Ending::Failed);
            return Ok(failed.map(|task| (task.task, task.failure.unwrap_or_default())).collect());
        }
        let logged = self.logged_failures()?;
        let root = self.path.parent();
        match root.map(open_for_reading).transpose() {
            Ok(Some(Some(connection))) if logged.is_empty() => failures(&connection, &self.run())
                .map_err(|error| error.reading(&index_path(root.unwrap_or(&self.path)))),
            // Of a folder that cannot be written, an index that cannot be opened is no news.
            Err(error) if root.is_none_or(can_be_written) => Err(error),
            _ => Ok(logged),
        }
    }

    /// Those in the log of older versions.
    fn logged_failures(&self) -> Result<Vec<(TaskId, String)>, StoreError> {
        let events = self.logged_events()?.into_iter();
        Ok(events
            .filter_map(|event| match (event.task, event.kind) {
                (Some(task), EventKind::Failed { message }) => Some((task, message)),
                _ => None,
            })
            .collect())
    }

    /// What older versions logged into the folder, in order. A line cut short by a crash is passed over; no log has no events to tell.
    pub(super) fn logged_events(&self) -> Result<Vec<Event>, StoreError> {
        let path = self.path.join("events.jsonl");
        let text = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            // Results do not depend on the log.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::read(&path, &error)),
        };
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

fn rename_if_there(from: &Path, to: &Path) -> Result<(), StoreError> {
    match std::fs::rename(from, to) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::write(from, &source))
        }
        _ => Ok(()),
    }
}
