use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::Update;
use super::contain::contain_panic;
use super::mailbox::Mailbox;
use crate::domain::{Cancel, RunId};
use crate::market::{Cache, Catalog};
use crate::runs::{RunEntry, RunResults, RunStore, StoreError, write_atomically};
use crate::spec::{self, ExperimentSpec};

/// No experiment is larger; what is, was chosen by mistake, and is not read into memory.
const LARGEST_EXPERIMENT_BYTES: u64 = 16 << 20;

/// The small things a front end asks for that touch the disk, done one after another.
pub(super) struct Desk {
    pub(super) runs: PathBuf,
    pub(super) mailbox: Arc<Mailbox>,
    /// Raised when nobody waits for answers any more.
    pub(super) closing: Cancel,
}

/// One of them.
pub(super) enum DeskJob {
    Scan(PathBuf),
    Open(PathBuf),
    Save { spec: Box<ExperimentSpec>, to: PathBuf },
    ListRuns,
    LoadResults(RunId),
}

impl DeskJob {
    /// The answer where it cannot be done at all.
    pub(super) fn answer_with(self, message: &str) -> Update {
        let message = message.to_owned();
        match self {
            Self::Scan(folder) => Update::Scanned { folder, catalog: Err(message) },
            Self::Open(path) => Update::ExperimentOpened { path, spec: Err(message) },
            Self::Save { to, .. } => Update::ExperimentSaved { path: to, saved: Err(message) },
            Self::ListRuns => Update::RunsListed { runs: Err(message), broken: Vec::new() },
            Self::LoadResults(run) => Update::ResultsLoaded { run, results: Err(message) },
        }
    }
}

/// Why an experiment's file could not be opened or saved.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("{}: is a folder; name a file in it, as in {}", .0.display(), .0.join("experiment.ron").display())]
    Folder(PathBuf),
    #[error("{}: is no regular file; choose another name", .0.display())]
    NoFile(PathBuf),
    #[error("{}: holds {found} bytes, more than any experiment; choose a .ron file", path.display())]
    TooLarge { path: PathBuf, found: u64 },
    #[error("{}: cannot be written: {message}; check the path, its permissions and the free disk space, or save it elsewhere", path.display())]
    Write { path: PathBuf, message: String },
    #[error(transparent)]
    Spec(#[from] spec::SpecError),
}

impl Desk {
    /// Does the jobs until their queue is closed. What was to be saved is saved even then; what was only to be looked at is not.
    pub(super) fn work(&self, waiting: &Receiver<DeskJob>) {
        for job in waiting {
            let is_save = matches!(job, DeskJob::Save { .. });
            if is_save || !self.closing.is_cancelled() {
                let update = self.answer(job);
                self.mailbox.post(update);
            }
        }
    }

    fn answer(&self, job: DeskJob) -> Update {
        match job {
            DeskJob::Scan(folder) => {
                let catalog = attempt(|| {
                    Catalog::scan(&folder)
                        .map(|catalog| Box::new(catalog.with_known(&Cache::platform())))
                });
                Update::Scanned { folder, catalog }
            }
            DeskJob::Open(path) => {
                let spec = attempt(|| open(&path).map(Box::new));
                Update::ExperimentOpened { path, spec }
            }
            DeskJob::Save { spec, to } => {
                let saved = attempt(|| save(&spec, &to));
                Update::ExperimentSaved { path: to, saved }
            }
            DeskJob::ListRuns => {
                let listed = attempt(|| RunStore::list(&self.runs));
                let (runs, broken): (Result<Vec<RunEntry>, _>, _) = match listed {
                    Ok((runs, broken)) => (Ok(runs), broken),
                    Err(message) => (Err(message), Vec::new()),
                };
                let broken = broken.iter().map(ToString::to_string).collect();
                Update::RunsListed { runs, broken }
            }
            DeskJob::LoadResults(run) => {
                let results = attempt(|| load_results(&self.runs, &run).map(Box::new));
                Update::ResultsLoaded { run, results }
            }
        }
    }
}

/// Runs the work; its error, or a panic in it, becomes a message for the user.
fn attempt<T, E: std::fmt::Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    contain_panic(|| work().map_err(|error| error.to_string())).flatten()
}

fn open(path: &Path) -> Result<ExperimentSpec, FileError> {
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

fn save(spec: &ExperimentSpec, to: &Path) -> Result<(), FileError> {
    if let Ok(metadata) = std::fs::metadata(to) {
        if metadata.is_dir() {
            return Err(FileError::Folder(to.to_owned()));
        }
        // It would be replaced by a file.
        if !metadata.is_file() {
            return Err(FileError::NoFile(to.to_owned()));
        }
    }
    let unwritable =
        |path: &Path, message: String| FileError::Write { path: path.to_owned(), message };
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, error.to_string()))?;
    }
    write_atomically(to, |file| Ok(file.write_all(spec.to_ron().as_bytes())?)).map_err(
        // Its own advice is about the folder of runs.
        |error| match error {
            StoreError::Write { path, message } => unwritable(&path, message),
            other => unwritable(to, other.to_string()),
        },
    )
}

fn load_results(runs: &Path, run: &RunId) -> Result<RunResults, StoreError> {
    RunStore::find(runs, run.as_str())?.results()
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;

    use super::*;

    #[test]
    fn on_closing_what_waits_to_be_saved_is_saved_and_nothing_else_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("mine.ron");
        let spec = spec::load(spec::DEFAULT_PRESET).unwrap();
        let (jobs, waiting) = bounded(8);
        for job in [
            DeskJob::ListRuns,
            DeskJob::Save { spec: Box::new(spec.clone()), to: to.clone() },
            DeskJob::Scan(folder.path().to_owned()),
        ] {
            assert!(jobs.send(job).is_ok());
        }
        drop(jobs);
        let closing = Cancel::new();
        closing.cancel();
        let mailbox = Arc::new(Mailbox::new(|| {}));
        let desk = Desk { runs: folder.path().to_owned(), mailbox, closing };
        desk.work(&waiting);
        let saved = Update::ExperimentSaved { path: to.clone(), saved: Ok(()) };
        assert_eq!(desk.mailbox.drain(), [saved]);
        assert_eq!(spec::read(&to).unwrap(), spec);
    }

    #[test]
    fn a_panic_is_an_answer() {
        let message = attempt(|| -> Result<(), String> { panic!("index 3") }).unwrap_err();
        assert!(message.contains("index 3") && message.contains("please report it"), "{message}");
        assert_eq!(attempt(|| Err::<(), _>("no")), Err("no".to_owned()));
    }
}
