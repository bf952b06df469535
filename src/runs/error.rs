use std::path::{Path, PathBuf};

/// Something on disk could not be written or read.
#[derive(Debug, thiserror::Error)]
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

    /// Whether it is about this folder or something in it.
    pub(super) fn is_within(&self, folder: &Path) -> bool {
        match self {
            Self::Write { path, .. } | Self::Read { path, .. } | Self::Damaged { path, .. } => {
                path.starts_with(folder)
            }
            Self::AmbiguousRun { .. } | Self::UnknownRun { .. } => false,
        }
    }

    /// `path` holds something else than expected.
    pub fn damaged(path: &Path, found: &dyn std::fmt::Display) -> Self {
        Self::Damaged { path: path.to_owned(), message: found.to_string() }
    }
}
