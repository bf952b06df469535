use std::path::{Path, PathBuf};

use crate::domain::{RunId, TaskId};

/// Something on disk could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Writing failed.
    #[error("{}: cannot be written: {message}; check the path, its permissions and the free disk space, or choose another folder with --runs (for an export, --to)", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// Reading failed.
    #[error("{}: cannot be read: {message}; check that it is there and that you may read it", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// A file is not what it should be.
    #[error("{}: is damaged or not walkforge's: {message}; restore it from a copy, or train the run again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        message: String,
    },
    /// The index is not what it should be.
    #[error("{}: is damaged: {message}; close every walkforge that uses this folder and start it again: it moves the file aside and makes a new index of the runs' folders", path.display())]
    DamagedIndex {
        /// The index.
        path: PathBuf,
        /// What was found.
        message: String,
    },
    /// The index is a newer program's. It was not touched.
    #[error("{}: was made by a newer walkforge (version {found} of the index, this program knows {known}); use that walkforge, or choose another folder with --runs", path.display())]
    NewerIndex {
        /// The index.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// Another living process has the run, or this one.
    #[error("run `{run}` is at work in process {pid}; cancel it there, or wait until it has ended")]
    Owned {
        /// The run.
        run: RunId,
        /// The process.
        pid: u32,
    },
    /// A run that is to be worked on belongs to nobody, or to another process.
    #[error(
        "run `{run}` is no longer this process's; see `walkforge runs list`, and resume it there if it is interrupted"
    )]
    NotOwned {
        /// The run.
        run: RunId,
    },
    /// Every task of the run has finished.
    #[error(
        "run `{run}` has finished: there is nothing to resume; see `walkforge runs show {run}`"
    )]
    NothingToResume {
        /// The run.
        run: RunId,
    },
    /// A named model comes from the run.
    #[error(
        "run `{run}` cannot be deleted: model `{model}` comes from it; remove the model first (`walkforge models remove {model}`)"
    )]
    HasModel {
        /// The run.
        run: RunId,
        /// The model, as in `gold@3`.
        model: String,
    },
    /// A model's name that cannot be one.
    #[error(
        "`{name}` cannot be a model's name: {problem}; use letters, digits, `-`, `_` and `.`, as in `gold-1h`"
    )]
    ModelName {
        /// What was asked for.
        name: String,
        /// Why not.
        problem: &'static str,
    },
    /// No model has this name or version.
    #[error("there is no model `{name}` in {}; see `walkforge models list --runs {}`", root.display(), root.display())]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        root: PathBuf,
    },
    /// The task's result is not there.
    #[error("task `{task}` of run `{run}` has no finished model; see `walkforge runs show {run}`")]
    NotFinished {
        /// The run.
        run: RunId,
        /// The task.
        task: TaskId,
    },
    /// Several runs begin with this.
    #[error("`{run}` begins more than one run: {fitting}; give more of the name")]
    AmbiguousRun {
        /// What was asked for.
        run: String,
        /// The runs that fit.
        fitting: String,
    },
    /// No run has this name.
    #[error("there is no run `{run}` in {}; see `walkforge runs list --runs {}`", root.display(), root.display())]
    UnknownRun {
        /// What was asked for.
        run: String,
        /// Where it was looked for.
        root: PathBuf,
    },
}

impl StoreError {
    /// Writing `path` failed with `source`.
    pub fn write(path: &Path, source: &dyn std::fmt::Display) -> Self {
        Self::Write { path: path.to_owned(), message: source.to_string() }
    }

    /// Reading `path` failed with `source`.
    pub fn read(path: &Path, source: &dyn std::fmt::Display) -> Self {
        Self::Read { path: path.to_owned(), message: source.to_string() }
    }

    /// The file it is about, and what is wrong with it.
    pub(super) fn file_and_message(&self) -> (PathBuf, String) {
        match self {
            Self::Write { path, message }
            | Self::Read { path, message }
            | Self::Damaged { path, message }
            | Self::DamagedIndex { path, message } => (path.clone(), message.clone()),
            other => (PathBuf::new(), other.to_string()),
        }
    }

    /// Whether it is about this folder or something in it.
    pub(super) fn is_within(&self, folder: &Path) -> bool {
        match self {
            Self::Write { path, .. } | Self::Read { path, .. } | Self::Damaged { path, .. } => {
                path.starts_with(folder)
            }
            _ => false,
        }
    }

    /// `path` holds something else than expected.
    pub fn damaged(path: &Path, found: &dyn std::fmt::Display) -> Self {
        Self::Damaged { path: path.to_owned(), message: found.to_string() }
    }
}

/// What can go wrong between a statement and its transaction: the place is only known further out.
#[derive(Debug)]
pub(super) enum Trouble {
    Sql(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Trouble {
    /// Whether the same may work a little later: the index is busy, or its disk full or away.
    pub(super) fn may_pass(&self) -> bool {
        use rusqlite::ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure,
        };
        let Self::Sql(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(CannotOpen | DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure)
        )
    }

    /// While `index` was being read.
    pub(super) fn reading(self, index: &Path) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sql(error) if is_damage(&error) => damaged_index(index, &error),
            Self::Sql(error) => StoreError::read(index, &in_words(&error)),
        }
    }

    /// While `index` was being written.
    pub(super) fn writing(self, index: &Path) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sql(error) if is_damage(&error) => damaged_index(index, &error),
            Self::Sql(error) => StoreError::write(index, &in_words(&error)),
        }
    }
}

/// Whether the file itself is at fault.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

fn damaged_index(index: &Path, error: &rusqlite::Error) -> StoreError {
    super::guard::suspect(index);
    StoreError::DamagedIndex { path: index.to_owned(), message: error.to_string() }
}

/// `SQLite`'s own words are terse.
fn in_words(error: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode::{DatabaseBusy, DiskFull};
    match error.sqlite_error_code() {
        Some(DatabaseBusy) => "another process has been writing for too long".to_owned(),
        Some(DiskFull) => format!("the disk is full ({error})"),
        _ => error.to_string(),
    }
}
