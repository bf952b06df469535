use std::path::PathBuf;

use serde::Serialize;

use super::{RunQuery, RunStatus};
use crate::domain::{ContentHash, Device, RunId, Score, SweepId, SweepMember, UtcMillis};

/// One line of `walkforge runs list`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunEntry {
    /// The run.
    pub id: RunId,
    /// The experiment's name.
    pub experiment: String,
    /// Hash of what decides its result.
    pub spec: ContentHash,
    /// When it was started.
    pub created: UtcMillis,
    /// When it ended; `None` while it has not.
    pub ended: Option<UtcMillis>,
    /// How it stands.
    pub status: RunStatus,
    /// Where its tasks compute.
    pub device: Device,
    /// Tasks planned.
    pub tasks: u64,
    /// Tasks whose results are on disk.
    pub finished: u64,
    /// Tasks that failed and were not tried again.
    pub failed: u64,
    /// Which variant of which sweep it is.
    pub sweep: Option<SweepMember>,
    /// The model's out-of-sample score: the mean over the run's series. `None` while the run has not ended or nothing finished.
    pub score: Option<Score>,
    /// Short words for finding it again, in order.
    pub tags: Vec<String>,
    /// Free text.
    pub notes: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Which runs to list. Everything given must fit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFilter {
    /// What must hold of it.
    pub query: RunQuery,
    /// How it stands.
    pub status: Option<RunStatus>,
    /// Of this sweep.
    pub sweep: Option<SweepId>,
    /// At most so many, the newest; `None`: all.
    pub limit: Option<usize>,
}
