//! Files that a front end asks for by their path.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::PathKind;
use crate::market::{Format, MarketError, OVERRIDES_FILE, Overrides};
use crate::runs::{StoreError, write_atomically};
use crate::spec::{self, ExperimentSpec};

/// No experiment is larger; what is, was chosen by mistake, and is not read into memory.
const LARGEST_EXPERIMENT_BYTES: u64 = 16 << 20;

/// Why a file could not be opened, saved or looked at.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("{}: is a folder; name a file in it, as in {}", .0.display(), .0.join("experiment.ron").display())]
    Folder(PathBuf),
    #[error("{}: is no regular file; choose another name", .0.display())]
    NoFile(PathBuf),
    #[error("{}: holds {found} bytes, more than any experiment; choose a .ron file", path.display())]
    TooLarge { path: PathBuf, found: u64 },
    #[error("{}: cannot be written: {message}; check the path, its permissions and the free disk space, or save it elsewhere", path.display())]
    Write { path: PathBuf, message: String },
    #[error("{}: {message}; check that it is still there and may be read", path.display())]
    Look { path: PathBuf, message: String },
    #[error("{}: has been changed since it was read, and was left as it is; look at the series again, then write", .0.display())]
    Changed(PathBuf),
    #[error(transparent)]
    Spec(#[from] spec::SpecError),
    #[error(transparent)]
    Market(#[from] MarketError),
}

pub(super) fn open(path: &Path) -> Result<ExperimentSpec, FileError> {
    // What cannot be looked at is reported by reading it.
    if let Ok(metadata) = std::fs::metadata(path) {
        if metadata.is_dir() {
            return Err(FileError::Folder(path.to_owned()));
        }
        // A pipe would keep the desk waiting for whoever writes to it.
        if !metadata.is_file() {
            return Err(FileError::NoFile(path.to_owned()));
        }
        if metadata.len() > LARGEST_EXPERIMENT_BYTES {
            return Err(FileError::TooLarge { path: path.to_owned(), found: metadata.len() });
        }
    }
    Ok(spec::read(path)?)
}

pub(super) fn save(spec: &ExperimentSpec, to: &Path) -> Result<(), FileError> {
    if let Ok(metadata) = std::fs::metadata(to) {
        if metadata.is_dir() {
            return Err(FileError::Folder(to.to_owned()));
        }
        // It would be replaced by a file.
        if !metadata.is_file() {
            return Err(FileError::NoFile(to.to_owned()));
        }
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, error.to_string()))?;
    }
    write_text(to, &spec.to_ron())
}

pub(super) fn kind_of(path: &Path) -> Result<PathKind, FileError> {
    let metadata = std::fs::metadata(path)
        .map_err(|error| FileError::Look { path: path.to_owned(), message: error.to_string() })?;
    let is_experiment = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("ron"));
    Ok(match () {
        () if metadata.is_dir() => PathKind::Folder,
        () if is_experiment => PathKind::Experiment,
        () if Format::of(path).is_some() => PathKind::MarketFile,
        () => PathKind::Other,
    })
}

/// A text that makes no sense is refused, and the file there is stays; so it does where it is not what it was `before`.
pub(super) fn save_overrides(
    folder: &Path,
    before: Option<&str>,
    text: &str,
) -> Result<(), FileError> {
    let to = folder.join(OVERRIDES_FILE);
    Overrides::parse(text, &to)?;
    let now = std::fs::read(&to).ok();
    if now.as_deref() != before.map(str::as_bytes) {
        return Err(FileError::Changed(to));
    }
    write_text(&to, text)
}

fn unwritable(path: &Path, message: String) -> FileError {
    FileError::Write { path: path.to_owned(), message }
}

fn write_text(to: &Path, text: &str) -> Result<(), FileError> {
    let written = write_atomically(to, |file| Ok(file.write_all(text.as_bytes())?));
    written.map_err(|error| not_written(to, error))
}

/// Of a file that somebody named. The store's own advice is about the folder of runs.
pub(super) fn not_written(to: &Path, error: StoreError) -> FileError {
    match error {
        StoreError::Write { path, message } => unwritable(&path, message),
        other => unwritable(to, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_by_what_is_there_and_by_its_ending() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["A-1h.csv", "mine.RON", "picture.png"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        std::fs::create_dir(folder.path().join("data.ron")).unwrap();
        let kind = |name: &str| kind_of(&folder.path().join(name)).map_err(|e| e.to_string());
        assert_eq!(kind("A-1h.csv"), Ok(PathKind::MarketFile));
        assert_eq!(kind("mine.RON"), Ok(PathKind::Experiment));
        assert_eq!(kind("picture.png"), Ok(PathKind::Other));
        assert_eq!(kind("data.ron"), Ok(PathKind::Folder));
        assert!(kind("gone").unwrap_err().contains("still there"));
    }

    #[test]
    fn only_a_text_that_makes_sense_is_written_beside_market_files() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join(OVERRIDES_FILE);
        let ten = "(all: (price_divisor: 10))";
        save_overrides(folder.path(), None, ten).unwrap();
        let wrong = "(all: (price_divisor: -1))";
        let refused = save_overrides(folder.path(), Some(ten), wrong).unwrap_err();
        assert!(refused.to_string().contains("price_divisor is -1"), "{refused}");
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "(all: (price_divisor: 10))");
        for before in [None, Some("()")] {
            let refused = save_overrides(folder.path(), before, "()").unwrap_err();
            assert!(refused.to_string().contains("changed since it was read"), "{refused}");
        }
        assert_eq!(std::fs::read_to_string(&to).unwrap(), ten);
        save_overrides(folder.path(), Some(ten), "()").unwrap();
        let nowhere = save_overrides(&folder.path().join("none"), None, "()").unwrap_err();
        assert!(nowhere.to_string().contains("cannot be written"), "{nowhere}");
    }
}
