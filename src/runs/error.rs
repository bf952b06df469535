use std::path::{Path, PathBuf};

/// Something on disk could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Writing failed.
    #[error("{}: cannot be written: {message}; check the path, its permissions and the free disk space, or choose another folder with --runs", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// Reading failed.
    #[error("{}: cannot be read: {message}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// A file is not what it should be.
    #[error("{}: is damaged or not walkforge's: {message}; delete the run folder, or restore the file from a copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        message: String,
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

    /// `path` holds something else than expected.
    pub fn damaged(path: &Path, found: &dyn std::fmt::Display) -> Self {
        Self::Damaged { path: path.to_owned(), message: found.to_string() }
    }
}
