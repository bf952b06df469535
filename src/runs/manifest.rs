use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Owner, StoreError};
use crate::domain::{Plan, RunId, RunOutcome, RunSummary, SweepMember, TaskId, UtcMillis};

/// `manifest.json`: what was to be done, by which program, on which machine. Written before the first task; later only its owner changes.
///
/// The plan has the data's hashes and the rows dropped of every series, the tasks' seeds and keys, the devices and the threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this file's format.
    pub schema: u32,
    /// The run: the name of its folder.
    pub run: RunId,
    /// When it was started.
    pub created: UtcMillis,
    /// This program's version.
    pub walkforge: String,
    /// How this program was built; `None` in files of versions that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// The libtorch it used.
    pub libtorch: String,
    /// Operating system and architecture, as in `linux x86_64`.
    pub platform: String,
    /// The process that runs it; `None` once that has let go of it.
    #[serde(default)]
    pub owner: Option<Owner>,
    /// The experiment's seed, from which the tasks' are made; `None` in files of versions that left it to the specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Which variant of which sweep it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepMember>,
    /// What is done.
    pub plan: Plan,
}

/// How a program was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// `debug` where assertions and overflow checks are on, else `release`.
    pub profile: String,
    /// The commit, where whoever built it gave one (`WALKFORGE_COMMIT` in the environment of the build).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// Version of the files in a run's folder.
pub(super) const FOLDER_SCHEMA: u32 = 2;

impl Manifest {
    /// # Errors
    /// [`StoreError::Read`], [`StoreError::Damaged`] or [`StoreError::NewerRun`] naming the file.
    pub(super) fn read(path: &Path) -> Result<Self, StoreError> {
        /// What every version's file has.
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
        }
        let text = std::fs::read(path).map_err(|source| StoreError::read(path, &source))?;
        let damaged = |source: serde_json::Error| StoreError::damaged(path, &source);
        // First: what else there is in a newer one, nobody knows here.
        let Version { schema: found } = serde_json::from_slice(&text).map_err(damaged)?;
        if found > FOLDER_SCHEMA {
            return Err(StoreError::NewerRun {
                path: path.to_owned(),
                found,
                known: FOLDER_SCHEMA,
            });
        }
        serde_json::from_slice(&text).map_err(damaged)
    }
}

impl Build {
    /// This program's.
    #[must_use]
    pub fn this_program() -> Self {
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        let commit = option_env!("WALKFORGE_COMMIT").filter(|commit| !commit.is_empty());
        Self { profile: profile.to_owned(), commit: commit.map(ToOwned::to_owned) }
    }
}

/// `outcome.json`: how the run ended. Written once, after the last task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// When.
    pub ended: UtcMillis,
    /// How.
    pub outcome: RunOutcome,
    /// What the finished tasks add up to.
    pub summary: RunSummary,
    /// How each task ended, in the order they did ([`super::RunLog::endings`]); empty in files of versions that did not say.
    #[serde(default)]
    pub tasks: Vec<TaskEnding>,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEnding {
    /// The task.
    pub task: TaskId,
    /// How.
    pub ending: Ending,
    /// Why, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// The ways a task ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Its result is on disk.
    Finished,
    /// It failed and was not tried again.
    Failed,
    /// It was stopped on request.
    Cancelled,
}

impl Ending {
    /// As the index and `outcome.json` have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}
