use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::Mutex;

use super::checker::{CheckRequest, check_all};
use super::contain::contain_panic;
use super::desk::{Desk, DeskJob};
use super::latest::LatestSlot;
use super::loaded::SeriesCache;
use super::mailbox::Mailbox;
use super::preview::{PreviewRequest, preview_all};
use super::run::{Machine, Run};
use super::runner::Floor;
use super::scheduler::Scheduler;
use super::starts::{Starts, What};
use super::surveyor::{
    ExamineRequest, SurveyRequest, TrialRequest, examine_all, survey_all, try_all,
};
use super::task_queue::TaskFlags;
use super::viewer::{LookRequest, look_all};
use super::{Command, Update};
use crate::dataset::ResidentCache;
use crate::devices::DevicePool;
use crate::domain::{Cancel, RunId, TaskId};
use crate::export::{ExportWhat, export_run};
use crate::runs::{RunStore, StoreError};
use crate::spec::ExperimentSpec;

/// Exports and small jobs that may wait, of each; more than a person asks for by hand.
const WAITING_JOBS: usize = 256;
const BUSY: &str = "too much is waiting already; try again when something has ended";

/// The engine behind every front end. Dropping it cancels what runs and waits until everything is safe on disk.
pub struct Workbench {
    floor: Arc<Floor>,
    exports: Option<Sender<ExportJob>>,
    /// Raised for the exports asked for since everything was last cancelled.
    export_cancel: Mutex<Cancel>,
    desk: Option<Sender<DeskJob>>,
    previews: Arc<LatestSlot<PreviewRequest>>,
    checks: Arc<LatestSlot<CheckRequest>>,
    looks: Arc<LatestSlot<LookRequest>>,
    surveys: Arc<LatestSlot<SurveyRequest>>,
    examinations: Arc<LatestSlot<ExamineRequest>>,
    trials: Arc<LatestSlot<TrialRequest>>,
    closing: Cancel,
    threads: Vec<JoinHandle<()>>,
}

struct ExportJob {
    run: String,
    what: ExportWhat,
    to: PathBuf,
    cancel: Cancel,
}

impl Workbench {
    /// Opens the runs folder and starts the engine's threads. `wake` is called whenever there is something to fetch; it may be called from any
    /// thread and must return at once.
    ///
    /// # Errors
    /// [`StoreError`] when the folder cannot be written or threads cannot be started.
    pub fn open(runs: &Path, wake: impl Fn() + Send + Sync + 'static) -> Result<Self, StoreError> {
        let mailbox = Arc::new(Mailbox::new(wake));
        let tell = {
            let mailbox = Arc::clone(&mailbox);
            move |event| mailbox.post(Update::Event(Box::new(event)))
        };
        let store = RunStore::open(runs, tell)?;
        for warning in store.warnings() {
            mailbox.post(Update::StoreMended(warning.clone()));
        }
        let floor = Arc::new(Floor {
            runs: runs.to_owned(),
            store,
            starts: Starts::new(Arc::clone(&mailbox)),
            scheduler: Scheduler::default(),
            machine: Arc::new(Machine {
                pool: DevicePool::new(Vec::new()),
                resident: ResidentCache::default(),
                twins: Arc::default(),
            }),
            mailbox: Arc::clone(&mailbox),
        });
        let (exports, waiting_exports) = bounded(WAITING_JOBS);
        let (desk, waiting_jobs) = bounded(WAITING_JOBS);
        let closing = Cancel::new();
        let previews = Arc::new(LatestSlot::default());
        let checks = Arc::new(LatestSlot::default());
        let looks = Arc::new(LatestSlot::default());
        let surveys = Arc::new(LatestSlot::default());
        let examinations = Arc::new(LatestSlot::default());
        let trials = Arc::new(LatestSlot::default());
        let cache = Arc::new(SeriesCache::default());
        let threads = vec![
            spawn("walkforge-runner", runs, {
                let floor = Arc::clone(&floor);
                move || floor.run_all()
            })?,
            spawn("walkforge-exporter", runs, {
                let (runs, mailbox) = (runs.to_owned(), Arc::clone(&mailbox));
                move || export_all(&runs, &mailbox, &waiting_exports)
            })?,
            spawn("walkforge-desk", runs, {
                let mailbox = Arc::clone(&mailbox);
                let desk = Desk::new(runs, mailbox, closing.clone());
                move || desk.work(&waiting_jobs)
            })?,
            spawn("walkforge-planner", runs, {
                let (slot, mailbox) = (Arc::clone(&previews), Arc::clone(&mailbox));
                let (cache, runs) = (Arc::clone(&cache), runs.to_owned());
                move || preview_all(&slot, (&cache, &runs), &mailbox)
            })?,
            spawn("walkforge-checker", runs, {
                let (slot, mailbox) = (Arc::clone(&checks), Arc::clone(&mailbox));
                move || check_all(&slot, &mailbox)
            })?,
            spawn("walkforge-surveyor", runs, {
                let (slot, mailbox) = (Arc::clone(&surveys), Arc::clone(&mailbox));
                move || survey_all(&slot, &mailbox)
            })?,
            spawn("walkforge-examiner", runs, {
                let (slot, mailbox) = (Arc::clone(&examinations), Arc::clone(&mailbox));
                move || examine_all(&slot, &mailbox)
            })?,
            spawn("walkforge-importer", runs, {
                let (slot, mailbox) = (Arc::clone(&trials), Arc::clone(&mailbox));
                move || try_all(&slot, &mailbox)
            })?,
            spawn("walkforge-viewer", runs, {
                let slot = Arc::clone(&looks);
                move || look_all(&slot, &cache, &mailbox)
            })?,
        ];
        let (exports, desk) = (Some(exports), Some(desk));
        let export_cancel = Mutex::default();
        Ok(Self {
            floor,
            exports,
            export_cancel,
            desk,
            previews,
            checks,
            looks,
            surveys,
            examinations,
            trials,
            closing,
            threads,
        })
    }

    /// Takes a command and returns at once; what comes of it is told by updates. Cancelling works before this returns.
    pub fn send(&self, command: Command) {
        match command {
            Command::Start(spec) => self.start(spec),
            Command::CancelWaiting(numbers) => {
                let numbers: BTreeSet<u64> = numbers.into_iter().collect();
                self.floor.starts.cancel(|number| numbers.contains(&number));
            }
            Command::PrioritiseWaiting(numbers, priority) => {
                let numbers: BTreeSet<u64> = numbers.into_iter().collect();
                self.floor.starts.prioritise(|number| numbers.contains(&number), priority);
            }
            Command::Export { run, what, to } => {
                let cancel = self.export_cancel.lock().clone();
                if enqueue(self.exports.as_ref(), ExportJob { run, what, to, cancel }).is_err() {
                    let message = BUSY.to_owned();
                    self.post(Update::ExportFailed { message, cancelled: false });
                }
            }
            Command::Cancel(run) => self.with_run(&run, |run| run.cancel.cancel()),
            Command::Pause(run) => self.with_run(&run, |run| run.pause.pause()),
            Command::Resume(run) => match self.floor.scheduler.run(&run) {
                Some(run) if !run.is_over() => run.pause.resume(),
                // One whose end is being written is waited for.
                _ => self.resume_stored(run),
            },
            Command::CancelTask(run, task) => {
                self.with_task(&run, &task, |flags| flags.cancel.cancel());
            }
            Command::PauseTask(run, task) => {
                self.with_task(&run, &task, |flags| flags.pause.pause());
            }
            Command::ResumeTask(run, task) => {
                self.with_task(&run, &task, |flags| flags.pause.resume());
            }
            Command::RetryTasks(run, tasks) => {
                let tasks: BTreeSet<TaskId> = tasks.into_iter().collect();
                self.with_run(&run, |run| run.retry(&tasks));
            }
            Command::Prioritise(run, priority) => {
                self.with_run(&run, |run| run.prioritise(priority));
            }
            Command::CheckpointAndStop => self.checkpoint_and_stop(),
            Command::CancelAll => {
                self.cancel_all();
                self.stop_check();
                if let Some(waiting) = self.looks.withdraw() {
                    self.post(waiting.stopped());
                }
            }
            Command::Preview { ticket, spec } => {
                let _silent = self.previews.ask(PreviewRequest { ticket, spec });
            }
            Command::CheckLeaks { ticket, spec, contrast } => {
                if let Some(replaced) = self.checks.ask(CheckRequest { ticket, spec, contrast }) {
                    self.post(replaced.stopped());
                }
            }
            Command::StopCheck => self.stop_check(),
            Command::Look { ticket, spec, at } => {
                let _silent = self.looks.ask(LookRequest { ticket, spec, at });
            }
            Command::Survey { ticket, series, policies } => {
                let _silent = self.surveys.ask(SurveyRequest { ticket, series, policies });
            }
            Command::Examine { ticket, series, policies } => {
                let _silent = self.examinations.ask(ExamineRequest { ticket, series, policies });
            }
            Command::TryImport { ticket, file, text } => {
                let _silent = self.trials.ask(TrialRequest { ticket, file, text });
            }
            Command::SaveOverrides { folder, before, text } => {
                self.ask_desk(DeskJob::SaveOverrides { folder, before, text });
            }
            Command::Scan(folder) => self.ask_desk(DeskJob::Scan(folder)),
            Command::LookForFolders(folders) => {
                self.ask_desk(DeskJob::LookForFolders(folders));
            }
            Command::LookAtPath(path) => self.ask_desk(DeskJob::LookAtPath(path)),
            Command::OpenExperiment(path) => self.ask_desk(DeskJob::Open(path)),
            Command::SaveCurves { run, to } => self.ask_desk(DeskJob::SaveCurves { run, to }),
            Command::SavePicture { picture, to } => {
                self.ask_desk(DeskJob::SavePicture { picture, to });
            }
            Command::SaveExperiment { spec, to } => self.ask_desk(DeskJob::Save { spec, to }),
            Command::ListRuns => self.ask_desk(DeskJob::ListRuns),
            Command::LoadResults(run) => self.ask_desk(DeskJob::LoadResults(run)),
            Command::LoadCurves(run) => self.ask_desk(DeskJob::LoadCurves(run)),
            Command::LoadOutline(run) => self.ask_desk(DeskJob::LoadOutline(run)),
            Command::Compare(runs) => self.ask_desk(DeskJob::Compare(runs)),
            Command::DeleteRuns(runs) => self.ask_desk(DeskJob::DeleteRuns(runs)),
            Command::AnnotateRun { run, tags, notes } => {
                self.ask_desk(DeskJob::AnnotateRun { run, tags, notes });
            }
            Command::ListModels => self.ask_desk(DeskJob::ListModels),
            Command::ChangeModels(change) => self.ask_desk(DeskJob::ChangeModels(change)),
        }
    }

    fn start(&self, spec: Box<ExperimentSpec>) {
        let what =
            if spec.sweep.is_empty() { What::New { spec, sweep: None } } else { What::Sweep(spec) };
        if let Err(What::New { spec, .. } | What::Sweep(spec)) = self.floor.starts.add(what) {
            let (experiment, message) = (spec.name, BUSY.to_owned());
            self.post(Update::StartFailed { experiment, message, cancelled: false });
        }
    }

    fn resume_stored(&self, run: RunId) {
        if self.floor.starts.add(What::Stored(run.clone())).is_err() {
            self.post(Update::ResumeFailed { run, message: BUSY.to_owned() });
        }
    }

    fn checkpoint_and_stop(&self) {
        self.floor.starts.cancel(|_| true);
        self.floor.scheduler.stop.pause();
        let accepted = self.floor.starts.add(What::Stop);
        debug_assert!(accepted.is_ok(), "a stop is never refused");
    }

    fn with_run(&self, run: &RunId, act: impl FnOnce(&Run)) {
        // One that has ended has nothing left to be told.
        if let Some(run) = self.floor.scheduler.run(run) {
            act(&run);
        }
    }

    fn with_task(&self, run: &RunId, task: &TaskId, act: impl FnOnce(&TaskFlags)) {
        self.with_run(run, |run| {
            if let Some(flags) = run.flags(task) {
                act(flags);
            }
        });
    }

    fn cancel_all(&self) {
        self.floor.starts.cancel(|_| true);
        for run in self.floor.scheduler.runs() {
            run.cancel.cancel();
        }
        std::mem::take(&mut *self.export_cancel.lock()).cancel();
    }

    fn post(&self, update: Update) {
        self.floor.mailbox.post(update);
    }

    /// Everything there is to know since the last call, oldest first.
    #[must_use]
    pub fn drain(&self) -> Vec<Update> {
        self.floor.mailbox.drain()
    }

    /// Like [`Self::drain`], but waits until there is something or the time is over.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> Vec<Update> {
        self.floor.mailbox.wait(timeout)
    }

    fn stop_check(&self) {
        // One at work answers itself.
        if let Some(waiting) = self.checks.withdraw() {
            self.floor.mailbox.post(waiting.stopped());
        }
    }

    fn ask_desk(&self, job: DeskJob) {
        if let Err(refused) = enqueue(self.desk.as_ref(), job) {
            self.floor.mailbox.post(refused.answer_with(BUSY));
        }
    }
}

impl Drop for Workbench {
    fn drop(&mut self) {
        self.floor.starts.close();
        self.cancel_all();
        self.previews.close();
        self.checks.close();
        self.looks.close();
        self.surveys.close();
        self.examinations.close();
        self.trials.close();
        self.closing.cancel();
        self.exports = None;
        self.desk = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so on its way; the others still have files to finish.
            let _panicked = thread.join();
        }
        // After the runner: it adds no more runs.
        self.floor.scheduler.close();
    }
}

/// Puts the job into its queue, or gives it back where the queue is full.
fn enqueue<T>(queue: Option<&Sender<T>>, job: T) -> Result<(), T> {
    match queue {
        Some(queue) => queue.try_send(job).map_err(TrySendError::into_inner),
        None => Err(job),
    }
}

fn spawn(
    name: &str,
    runs: &Path,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StoreError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map_err(|source| StoreError::write(runs, &source))
}

fn export_all(runs: &Path, mailbox: &Mailbox, waiting: &Receiver<ExportJob>) {
    for job in waiting {
        let export = || {
            let run = RunStore::find(runs, &job.run)?;
            export_run(&run, &job.what, &job.to, &job.cancel)
        };
        let exported =
            contain_panic(|| export().map_err(|error| (error.to_string(), error.is_cancelled())));
        mailbox.post(match exported.unwrap_or_else(|message| Err((message, false))) {
            Ok(folders) => Update::Exported { run: job.run, folders },
            Err((message, cancelled)) => Update::ExportFailed { message, cancelled },
        });
    }
}
