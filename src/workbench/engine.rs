use std::collections::{BTreeMap, VecDeque};
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
use super::memory::Memory;
use super::planner::plan;
use super::preview::{PreviewRequest, preview_all};
use super::run::Run;
use super::viewer::{LookRequest, look_all};
use super::{Command, Update};
use crate::dataset::ResidentCache;
use crate::devices::DevicePool;
use crate::domain::{Cancel, Pause, RunId, TaskId};
use crate::export::{ExportWhat, export_run};
use crate::runs::{RunStore, StoreError};
use crate::spec::ExperimentSpec;

/// Experiments, exports and small jobs that may wait, of each; more than a person starts by hand.
const WAITING_JOBS: usize = 256;
const BUSY: &str = "too much is waiting already; try again when something has ended";

/// The engine behind every front end. Dropping it cancels what runs and waits until everything is safe on disk.
pub struct Workbench {
    shared: Arc<Shared>,
    starts: Option<Sender<Start>>,
    exports: Option<Sender<ExportJob>>,
    desk: Option<Sender<DeskJob>>,
    previews: Arc<LatestSlot<PreviewRequest>>,
    checks: Arc<LatestSlot<CheckRequest>>,
    looks: Arc<LatestSlot<LookRequest>>,
    closing: Cancel,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    runs: PathBuf,
    mailbox: Arc<Mailbox>,
    /// Everything that can be cancelled now.
    cancels: Mutex<Cancels>,
}

#[derive(Default)]
struct Cancels {
    /// One per experiment that waits, is being planned, or runs.
    experiments: VecDeque<Cancel>,
    runs: BTreeMap<RunId, AtWork>,
    /// Of the exports asked for since everything was last cancelled.
    export: Cancel,
}

/// The flags of a run at work.
struct AtWork {
    cancel: Cancel,
    tasks: BTreeMap<TaskId, Cancel>,
    pause: Pause,
}

struct Start {
    spec: Box<ExperimentSpec>,
    cancel: Cancel,
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
        let shared = Arc::new(Shared { runs: runs.to_owned(), mailbox, cancels: Mutex::default() });
        let (starts, waiting) = bounded(WAITING_JOBS);
        let (exports, waiting_exports) = bounded(WAITING_JOBS);
        let (desk, waiting_jobs) = bounded(WAITING_JOBS);
        let closing = Cancel::new();
        let previews = Arc::new(LatestSlot::default());
        let checks = Arc::new(LatestSlot::default());
        let looks = Arc::new(LatestSlot::default());
        let cache = Arc::new(SeriesCache::default());
        let threads = vec![
            spawn("walkforge-runner", runs, {
                let shared = Arc::clone(&shared);
                move || shared.run_all(&store, &waiting)
            })?,
            spawn("walkforge-exporter", runs, {
                let shared = Arc::clone(&shared);
                move || shared.export_all(&waiting_exports)
            })?,
            spawn("walkforge-desk", runs, {
                let mailbox = Arc::clone(&shared.mailbox);
                let desk = Desk { runs: runs.to_owned(), mailbox, closing: closing.clone() };
                move || desk.work(&waiting_jobs)
            })?,
            spawn("walkforge-planner", runs, {
                let (slot, mailbox) = (Arc::clone(&previews), Arc::clone(&shared.mailbox));
                let cache = Arc::clone(&cache);
                move || preview_all(&slot, &cache, &mailbox)
            })?,
            spawn("walkforge-checker", runs, {
                let (slot, mailbox) = (Arc::clone(&checks), Arc::clone(&shared.mailbox));
                move || check_all(&slot, &mailbox)
            })?,
            spawn("walkforge-viewer", runs, {
                let (slot, mailbox) = (Arc::clone(&looks), Arc::clone(&shared.mailbox));
                move || look_all(&slot, &cache, &mailbox)
            })?,
        ];
        let (starts, exports, desk) = (Some(starts), Some(exports), Some(desk));
        Ok(Self { shared, starts, exports, desk, previews, checks, looks, closing, threads })
    }

    /// Takes a command and returns at once; what comes of it is told by updates. Cancelling works before this returns.
    pub fn send(&self, command: Command) {
        match command {
            Command::Start(spec) => {
                let cancel = Cancel::new();
                // Locked until both are done: the runner removes what it took from the same list.
                let mut cancels = self.shared.cancels.lock();
                match enqueue(self.starts.as_ref(), Start { spec, cancel: cancel.clone() }) {
                    Ok(()) => cancels.experiments.push_back(cancel),
                    Err(refused) => self.shared.mailbox.post(Update::StartFailed {
                        experiment: refused.spec.name,
                        message: BUSY.to_owned(),
                        cancelled: false,
                    }),
                }
            }
            Command::Export { run, what, to } => {
                let cancel = self.shared.cancels.lock().export.clone();
                if enqueue(self.exports.as_ref(), ExportJob { run, what, to, cancel }).is_err() {
                    let message = BUSY.to_owned();
                    self.shared.mailbox.post(Update::ExportFailed { message, cancelled: false });
                }
            }
            Command::Cancel(run) => {
                if let Some(at_work) = self.shared.cancels.lock().runs.get(&run) {
                    at_work.cancel.cancel();
                }
            }
            Command::Pause(run) => {
                if let Some(at_work) = self.shared.cancels.lock().runs.get(&run) {
                    at_work.pause.pause();
                }
            }
            Command::Resume(run) => {
                if let Some(at_work) = self.shared.cancels.lock().runs.get(&run) {
                    at_work.pause.resume();
                }
            }
            Command::CancelTask(run, task) => {
                let cancels = self.shared.cancels.lock();
                if let Some(cancel) =
                    cancels.runs.get(&run).and_then(|at_work| at_work.tasks.get(&task))
                {
                    cancel.cancel();
                }
            }
            Command::CancelAll => {
                self.shared.cancel_all();
                self.stop_check();
                if let Some(waiting) = self.looks.withdraw() {
                    self.shared.mailbox.post(waiting.stopped());
                }
            }
            Command::Preview { ticket, spec } => {
                let _silent = self.previews.ask(PreviewRequest { ticket, spec });
            }
            Command::CheckLeaks { ticket, spec, contrast } => {
                if let Some(replaced) = self.checks.ask(CheckRequest { ticket, spec, contrast }) {
                    self.shared.mailbox.post(replaced.stopped());
                }
            }
            Command::StopCheck => self.stop_check(),
            Command::Look { ticket, spec, at } => {
                let _silent = self.looks.ask(LookRequest { ticket, spec, at });
            }
            Command::Scan(folder) => self.ask_desk(DeskJob::Scan(folder)),
            Command::OpenExperiment(path) => self.ask_desk(DeskJob::Open(path)),
            Command::SaveExperiment { spec, to } => self.ask_desk(DeskJob::Save { spec, to }),
            Command::ListRuns => self.ask_desk(DeskJob::ListRuns),
            Command::LoadResults(run) => self.ask_desk(DeskJob::LoadResults(run)),
            _ => {}
        }
    }

    /// Everything there is to know since the last call, oldest first.
    #[must_use]
    pub fn drain(&self) -> Vec<Update> {
        self.shared.mailbox.drain()
    }

    /// Like [`Self::drain`], but waits until there is something or the time is over.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> Vec<Update> {
        self.shared.mailbox.wait(timeout)
    }

    fn stop_check(&self) {
        // One at work answers itself.
        if let Some(waiting) = self.checks.withdraw() {
            self.shared.mailbox.post(waiting.stopped());
        }
    }

    fn ask_desk(&self, job: DeskJob) {
        if let Err(refused) = enqueue(self.desk.as_ref(), job) {
            self.shared.mailbox.post(refused.answer_with(BUSY));
        }
    }
}

impl Drop for Workbench {
    fn drop(&mut self) {
        self.shared.cancel_all();
        self.previews.close();
        self.checks.close();
        self.looks.close();
        self.closing.cancel();
        self.starts = None;
        self.exports = None;
        self.desk = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so on its way; the others still have files to finish.
            let _panicked = thread.join();
        }
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

impl Shared {
    fn cancel_all(&self) {
        let mut cancels = self.cancels.lock();
        for cancel in &cancels.experiments {
            cancel.cancel();
        }
        std::mem::take(&mut cancels.export).cancel();
    }

    fn run_all(&self, store: &RunStore, waiting: &Receiver<Start>) {
        for start in waiting {
            if let Err(message) = contain_panic(|| self.run_one(store, &start)) {
                let experiment = start.spec.name.clone();
                self.mailbox.post(Update::StartFailed { experiment, message, cancelled: false });
            }
            // What has ended can no longer be cancelled; runs go one after another.
            let mut cancels = self.cancels.lock();
            cancels.experiments.pop_front();
            cancels.runs.clear();
        }
    }

    fn run_one(&self, store: &RunStore, start: &Start) {
        let failed = |message: String| {
            let cancelled = start.cancel.is_cancelled();
            self.mailbox.post(Update::StartFailed {
                experiment: start.spec.name.clone(),
                message,
                cancelled,
            });
        };
        let prepared = match plan(&start.spec, &start.cancel) {
            Ok(prepared) => prepared,
            Err(error) => return failed(error.to_string()),
        };
        let (run, folder, log) = match store.create(&prepared.spec, &prepared.plan) {
            Ok(created) => created,
            Err(error) => return failed(error.to_string()),
        };
        let task_cancels: BTreeMap<TaskId, Cancel> = prepared
            .plan
            .tasks
            .iter()
            .map(|task| (task.id.clone(), start.cancel.child()))
            .collect();
        let pause = Pause::default();
        let flags = AtWork {
            cancel: start.cancel.clone(),
            tasks: task_cancels.clone(),
            pause: pause.clone(),
        };
        self.cancels.lock().runs.insert(run.clone(), flags);
        let at_work = Run {
            prepared: &prepared,
            folder: &folder,
            log: &log,
            cancel: &start.cancel,
            task_cancels: &task_cancels,
            pause: &pause,
            pool: DevicePool::new(prepared.pool.clone()),
            memory: Memory::default(),
            resident: ResidentCache::default(),
        };
        // A front end knows the run by now, so a panic must end the run, not the start.
        let outcome = contain_panic(|| at_work.execute().map_err(|error| error.to_string()));
        store.flush();
        self.mailbox.post(match outcome.unwrap_or_else(Err) {
            Ok(outcome) => Update::RunDone { run, outcome },
            Err(message) => Update::RunBroken { run, message },
        });
    }

    fn export_all(&self, waiting: &Receiver<ExportJob>) {
        for job in waiting {
            let export = || {
                let run = RunStore::find(&self.runs, &job.run)?;
                export_run(&run, &job.what, &job.to, &job.cancel)
            };
            let exported = contain_panic(|| {
                export().map_err(|error| (error.to_string(), error.is_cancelled()))
            });
            self.mailbox.post(match exported.unwrap_or_else(|message| Err((message, false))) {
                Ok(folders) => Update::Exported { run: job.run, folders },
                Err((message, cancelled)) => Update::ExportFailed { message, cancelled },
            });
        }
    }
}
