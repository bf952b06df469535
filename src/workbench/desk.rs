use std::cell::{Cell, RefCell};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::contain::contain_panic;
use super::curve_file::write_curves;
use super::mailbox::Mailbox;
use super::picture::write_png;
use super::{ModelChange, Picture, Update};
use crate::domain::{Cancel, RunId};
use crate::market::{Cache, Catalog};
use crate::runs::{
    RunEntry, RunFilter, RunIndex, RunResults, RunStore, StoreError, annotate_model, annotate_run,
    compare, delete_run, register_model, remove_model, set_stage, write_atomically,
};
use crate::spec::{self, ExperimentSpec};

/// No experiment is larger; what is, was chosen by mistake, and is not read into memory.
const LARGEST_EXPERIMENT_BYTES: u64 = 16 << 20;

/// How often it is looked whether another program has changed the runs.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The small things a front end asks for that touch the disk, done one after another.
pub(super) struct Desk {
    runs: PathBuf,
    mailbox: Arc<Mailbox>,
    /// Raised when nobody waits for answers any more.
    closing: Cancel,
    /// Opened when it is first needed.
    index: RefCell<Option<RunIndex>>,
    /// What the list of runs was told of last, where somebody has asked for it.
    told: Cell<Option<u64>>,
}

/// One of them.
pub(super) enum DeskJob {
    Scan(PathBuf),
    Open(PathBuf),
    Save { spec: Box<ExperimentSpec>, to: PathBuf },
    SaveCurves { run: RunId, to: PathBuf },
    SavePicture { picture: Picture, to: PathBuf },
    ListRuns,
    LoadResults(RunId),
    LoadCurves(RunId),
    Compare(Vec<RunId>),
    DeleteRuns(Vec<RunId>),
    AnnotateRun { run: RunId, tags: Vec<String>, notes: String },
    ListModels,
    ChangeModels(ModelChange),
}

impl DeskJob {
    /// The answer where it cannot be done at all.
    pub(super) fn answer_with(self, message: &str) -> Update {
        let message = message.to_owned();
        match self {
            Self::Scan(folder) => Update::Scanned { folder, catalog: Err(message) },
            Self::Open(path) => Update::ExperimentOpened { path, spec: Err(message) },
            Self::Save { to, .. } => Update::ExperimentSaved { path: to, saved: Err(message) },
            Self::SaveCurves { to, .. } | Self::SavePicture { to, .. } => {
                Update::FileSaved { path: to, saved: Err(message) }
            }
            Self::ListRuns => not_listed(message),
            Self::LoadResults(run) => Update::ResultsLoaded { run, results: Err(message) },
            Self::LoadCurves(run) => Update::CurvesLoaded { run, curves: Err(message) },
            Self::Compare(_) => Update::Compared(Err(message)),
            Self::DeleteRuns(_) => {
                Update::RunsDeleted { runs: Vec::new(), problems: vec![message] }
            }
            Self::AnnotateRun { run, .. } => Update::AnnotateFailed { run, message },
            Self::ListModels => Update::ModelsListed { models: Err(message), problem: None },
            Self::ChangeModels(_) => {
                Update::ModelsListed { models: Err(message.clone()), problem: Some(message) }
            }
        }
    }

    /// Whether it is done even when nobody waits for the answer any more: what somebody wanted kept or gone.
    const fn outlives_the_asker(&self) -> bool {
        matches!(
            self,
            Self::Save { .. }
                | Self::SaveCurves { .. }
                | Self::SavePicture { .. }
                | Self::DeleteRuns(_)
                | Self::AnnotateRun { .. }
                | Self::ChangeModels(_)
        )
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
    pub(super) fn new(runs: &Path, mailbox: Arc<Mailbox>, closing: Cancel) -> Self {
        let (index, told) = (RefCell::default(), Cell::default());
        Self { runs: runs.to_owned(), mailbox, closing, index, told }
    }

    /// Does the jobs until their queue is closed. What was to be kept is kept even then; what was only to be looked at is not.
    pub(super) fn work(&self, waiting: &Receiver<DeskJob>) {
        loop {
            match waiting.recv_timeout(LOOK_AGAIN) {
                Ok(job) if job.outlives_the_asker() || !self.closing.is_cancelled() => {
                    self.answer(job);
                }
                Ok(_nobody_waits_for_it) => {}
                Err(RecvTimeoutError::Timeout) => self.tell_changes(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Lists the runs again where somebody has seen them and they have changed since.
    fn tell_changes(&self) {
        let Some(told) = self.told.get() else { return };
        let now = self.with_index(RunIndex::generation);
        if now.is_ok_and(|now| now != told) {
            self.answer(DeskJob::ListRuns);
        }
    }

    /// Does something with the index, which is kept open.
    fn with_index<T>(
        &self,
        act: impl FnOnce(&RunIndex) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut index = self.index.borrow_mut();
        let index = match &mut *index {
            Some(index) => index,
            none => none.insert(RunIndex::open(&self.runs)?),
        };
        act(index)
    }

    fn answer(&self, job: DeskJob) {
        let lists_runs_again = matches!(job, DeskJob::DeleteRuns(_) | DeskJob::AnnotateRun { .. });
        if let Some(update) = self.do_job(job) {
            self.mailbox.post(update);
        }
        if lists_runs_again {
            self.answer(DeskJob::ListRuns);
        }
    }

    fn do_job(&self, job: DeskJob) -> Option<Update> {
        Some(match job {
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
            DeskJob::SaveCurves { run, to } => {
                let saved = attempt(|| {
                    let curves = self.with_index(|index| index.curves(&run))?;
                    write_curves(&to, &curves)
                });
                Update::FileSaved { path: to, saved }
            }
            DeskJob::SavePicture { picture, to } => {
                let saved = attempt(|| write_png(&to, &picture));
                Update::FileSaved { path: to, saved }
            }
            DeskJob::ListRuns => self.list_runs(),
            DeskJob::LoadResults(run) => {
                let results = attempt(|| load_results(&self.runs, &run).map(Box::new));
                Update::ResultsLoaded { run, results }
            }
            DeskJob::LoadCurves(run) => {
                let curves = attempt(|| self.with_index(|index| index.curves(&run)));
                Update::CurvesLoaded { run, curves }
            }
            DeskJob::Compare(runs) => {
                Update::Compared(attempt(|| compare(&self.runs, &runs).map(Box::new)))
            }
            DeskJob::DeleteRuns(runs) => {
                let (mut gone, mut problems) = (Vec::new(), Vec::new());
                for run in runs {
                    match attempt(|| delete_run(&self.runs, &run)) {
                        Ok(()) => gone.push(run),
                        Err(problem) => problems.push(problem),
                    }
                }
                Update::RunsDeleted { runs: gone, problems }
            }
            DeskJob::AnnotateRun { run, tags, notes } => {
                let annotated = attempt(|| annotate_run(&self.runs, &run, &tags, &notes));
                Update::AnnotateFailed { run, message: annotated.err()? }
            }
            DeskJob::ListModels => self.list_models(None),
            DeskJob::ChangeModels(change) => {
                let changed = attempt(|| change_models(&self.runs, change));
                self.list_models(changed.err())
            }
        })
    }

    fn list_runs(&self) -> Update {
        let listed = attempt(|| {
            self.with_index(|index| {
                // Before the list: what changes meanwhile is told again.
                let generation = index.generation()?;
                let runs = index.runs(&RunFilter::default())?;
                let broken = index.broken()?;
                let broken = broken.iter().map(ToString::to_string).chain(index.warnings());
                Ok((generation, runs, broken.collect()))
            })
        });
        match listed {
            Ok((generation, runs, broken)) => {
                self.told.set(Some(generation));
                let searched = runs.iter().map(search_text).collect();
                Update::RunsListed { runs: Ok(runs), searched, broken }
            }
            Err(message) => not_listed(message),
        }
    }

    fn list_models(&self, problem: Option<String>) -> Update {
        let models = attempt(|| self.with_index(RunIndex::models));
        Update::ModelsListed { models, problem }
    }
}

const fn not_listed(message: String) -> Update {
    Update::RunsListed { runs: Err(message), searched: Vec::new(), broken: Vec::new() }
}

/// Everything of a run that words are looked for in, in small letters. Made here and not by the front end: there may be ten thousand runs.
#[must_use]
pub fn search_text(entry: &RunEntry) -> String {
    let settings = entry.sweep.iter().flat_map(|member| &member.settings);
    let settings = settings.map(ToString::to_string);
    let parts = [entry.id.to_string(), entry.experiment.clone(), entry.notes.clone()];
    let parts = parts.into_iter().chain(entry.tags.iter().cloned()).chain(settings);
    parts.collect::<Vec<_>>().join(" ").to_lowercase()
}

fn change_models(runs: &Path, change: ModelChange) -> Result<(), StoreError> {
    match change {
        ModelChange::Register { name, run, task } => {
            register_model(runs, &name, &run, &task).map(|_entry| ())
        }
        ModelChange::Stage { name, version, stage } => set_stage(runs, &name, version, stage),
        ModelChange::Annotate { name, version, tags, notes } => {
            annotate_model(runs, &name, version, &tags, &notes)
        }
        ModelChange::Remove { name, version } => remove_model(runs, &name, version),
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
        let desk = Desk::new(folder.path(), mailbox, closing);
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
