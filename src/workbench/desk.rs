use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::contain::contain_panic;
use super::curve_file::write_curves;
use super::desk_files::{kind_of, not_written, open, save, save_overrides};
use super::mailbox::Mailbox;
use super::picture::write_png;
use super::{ModelChange, Picture, Update};
use crate::domain::{Cancel, RunId};
use crate::market::{Cache, Catalog};
use crate::runs::{
    RunFilter, RunIndex, RunOutline, RunResults, RunStore, StoreError, annotate_model,
    annotate_run, compare, delete_run, register_model, remove_model, search_text, set_stage,
};
use crate::spec::ExperimentSpec;

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
    SaveOverrides { folder: PathBuf, before: Option<String>, text: String },
    LookForFolders(Vec<PathBuf>),
    LookAtPath(PathBuf),
    Open(PathBuf),
    Save { spec: Box<ExperimentSpec>, to: PathBuf },
    SaveCurves { run: RunId, to: PathBuf },
    SavePicture { picture: Picture, to: PathBuf },
    ListRuns,
    LoadResults(RunId),
    LoadCurves(RunId),
    LoadOutline(RunId),
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
            Self::SaveOverrides { folder, .. } => {
                Update::OverridesSaved { folder, saved: Err(message) }
            }
            // Nobody has seen that they are gone.
            Self::LookForFolders(_) => Update::FoldersLookedFor { missing: Vec::new() },
            Self::LookAtPath(path) => Update::PathLookedAt { path, kind: Err(message) },
            Self::Open(path) => Update::ExperimentOpened { path, spec: Err(message) },
            Self::Save { to, .. } => Update::ExperimentSaved { path: to, saved: Err(message) },
            Self::SaveCurves { to, .. } | Self::SavePicture { to, .. } => {
                Update::FileSaved { path: to, saved: Err(message) }
            }
            Self::ListRuns => not_listed(message),
            Self::LoadResults(run) => Update::ResultsLoaded { run, results: Err(message) },
            Self::LoadCurves(run) => Update::CurvesLoaded { run, curves: Err(message) },
            Self::LoadOutline(run) => Update::OutlineLoaded { run, outline: Err(message) },
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
                | Self::SaveOverrides { .. }
                | Self::SaveCurves { .. }
                | Self::SavePicture { .. }
                | Self::DeleteRuns(_)
                | Self::AnnotateRun { .. }
                | Self::ChangeModels(_)
        )
    }
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
            DeskJob::SaveOverrides { folder, before, text } => {
                let saved = attempt(|| save_overrides(&folder, before.as_deref(), &text));
                Update::OverridesSaved { folder, saved }
            }
            DeskJob::LookForFolders(folders) => {
                let missing = folders.into_iter().filter(|folder| !folder.is_dir()).collect();
                Update::FoldersLookedFor { missing }
            }
            DeskJob::LookAtPath(path) => {
                let kind = attempt(|| kind_of(&path));
                Update::PathLookedAt { path, kind }
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
                let saved =
                    attempt(|| write_png(&to, &picture).map_err(|error| not_written(&to, error)));
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
            DeskJob::LoadOutline(run) => {
                let outline = attempt(|| self.load_outline(&run).map(Box::new));
                Update::OutlineLoaded { run, outline }
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

    fn load_outline(&self, run: &RunId) -> Result<RunOutline, StoreError> {
        let curves = self.with_index(|index| index.curves(run))?;
        let equity = RunStore::find(&self.runs, run.as_str())?.equity()?;
        Ok(RunOutline::of(&curves, equity))
    }

    fn list_models(&self, problem: Option<String>) -> Update {
        let models = attempt(|| self.with_index(RunIndex::models));
        Update::ModelsListed { models, problem }
    }
}

const fn not_listed(message: String) -> Update {
    Update::RunsListed { runs: Err(message), searched: Vec::new(), broken: Vec::new() }
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

fn load_results(runs: &Path, run: &RunId) -> Result<RunResults, StoreError> {
    RunStore::find(runs, run.as_str())?.results()
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;

    use super::*;
    use crate::spec;

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
