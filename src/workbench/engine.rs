use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use super::contain::contain_panic;
use super::mailbox::Mailbox;
use super::planner::plan;
use super::run::Run;
use crate::domain::{Cancel, Event, RunId, RunOutcome, TaskId};
use crate::export::export_run;
use crate::runs::{RunStore, StoreError};
use crate::spec::ExperimentSpec;

/// Experiments and exports that may wait; more than a person starts by hand.
const WAITING_JOBS: usize = 256;

/// What a front end can ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Plan the experiment and run it, after those started before.
    Start(Box<ExperimentSpec>),
    /// Stop a run within a batch of each of its tasks. Finished tasks are kept.
    Cancel(RunId),
    /// Stop one task; the others go on.
    CancelTask(RunId, TaskId),
    /// Stop everything: what runs, what is being planned, what waits, and exports.
    CancelAll,
    /// Write a run's trained models to a folder.
    Export {
        /// Which run; the start of its name is enough where only one fits.
        run: String,
        /// Where to.
        to: PathBuf,
    },
}

/// What the workbench has to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// Something happened to a run.
    Event(Box<Event>),
    /// An experiment could not be started; there is no run.
    StartFailed {
        /// The experiment's name.
        experiment: String,
        /// Why, where, and the next step.
        message: String,
        /// Whether somebody asked to stop while it was being planned.
        cancelled: bool,
    },
    /// The run's folder could not be written to its end.
    RunBroken {
        /// The run.
        run: RunId,
        /// Why, where, and the next step.
        message: String,
    },
    /// A run is completely over: its outcome, and nothing more comes of it.
    RunDone {
        /// The run.
        run: RunId,
        /// How it ended.
        outcome: RunOutcome,
    },
    /// Models were exported.
    Exported {
        /// The folders written, one for each task.
        folders: Vec<PathBuf>,
    },
    /// Models could not be exported.
    ExportFailed {
        /// Why, where, and the next step.
        message: String,
        /// Whether somebody asked to stop.
        cancelled: bool,
    },
    /// The command was not taken: too many are waiting.
    Busy,
}

/// The engine behind every front end. Dropping it cancels what runs and waits until everything is safe on disk.
pub struct Workbench {
    shared: Arc<Shared>,
    starts: Option<Sender<Start>>,
    exports: Option<Sender<ExportJob>>,
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
    runs: BTreeMap<RunId, (Cancel, BTreeMap<TaskId, Cancel>)>,
    /// Of the exports asked for since everything was last cancelled.
    export: Cancel,
}

struct Start {
    spec: Box<ExperimentSpec>,
    cancel: Cancel,
}

struct ExportJob {
    run: String,
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
        let threads = vec![
            spawn("walkforge-runner", runs, {
                let shared = Arc::clone(&shared);
                move || shared.run_all(&store, &waiting)
            })?,
            spawn("walkforge-exporter", runs, {
                let shared = Arc::clone(&shared);
                move || shared.export_all(&waiting_exports)
            })?,
        ];
        Ok(Self { shared, starts: Some(starts), exports: Some(exports), threads })
    }

    /// Takes a command and returns at once; what comes of it is told by updates. Cancelling works before this returns.
    pub fn send(&self, command: Command) {
        match command {
            Command::Start(spec) => {
                let cancel = Cancel::new();
                // Locked until both are done: the runner removes what it took from the same list.
                let mut cancels = self.shared.cancels.lock();
                if self.enqueue(self.starts.as_ref(), Start { spec, cancel: cancel.clone() }) {
                    cancels.experiments.push_back(cancel);
                }
            }
            Command::Export { run, to } => {
                let cancel = self.shared.cancels.lock().export.clone();
                self.enqueue(self.exports.as_ref(), ExportJob { run, to, cancel });
            }
            Command::Cancel(run) => {
                if let Some((cancel, _)) = self.shared.cancels.lock().runs.get(&run) {
                    cancel.cancel();
                }
            }
            Command::CancelTask(run, task) => {
                let cancels = self.shared.cancels.lock();
                if let Some(cancel) = cancels.runs.get(&run).and_then(|(_, tasks)| tasks.get(&task))
                {
                    cancel.cancel();
                }
            }
            Command::CancelAll => self.shared.cancel_all(),
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

    fn enqueue<T>(&self, queue: Option<&Sender<T>>, job: T) -> bool {
        let taken = queue.is_some_and(|queue| queue.try_send(job).is_ok());
        if !taken {
            self.shared.mailbox.post(Update::Busy);
        }
        taken
    }
}

impl Drop for Workbench {
    fn drop(&mut self) {
        self.shared.cancel_all();
        self.starts = None;
        self.exports = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so on its way; the others still have files to finish.
            let _panicked = thread.join();
        }
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
        self.cancels.lock().runs.insert(run.clone(), (start.cancel.clone(), task_cancels.clone()));
        let outcome =
            Run { prepared: &prepared, folder: &folder, log: &log, task_cancels: &task_cancels }
                .execute();
        store.flush();
        self.mailbox.post(match outcome {
            Ok(outcome) => Update::RunDone { run, outcome },
            Err(error) => Update::RunBroken { run, message: error.to_string() },
        });
    }

    fn export_all(&self, waiting: &Receiver<ExportJob>) {
        for job in waiting {
            let export = || {
                let run = RunStore::find(&self.runs, &job.run)?;
                export_run(&run, &job.to, &job.cancel)
            };
            let exported = contain_panic(|| {
                export().map_err(|error| (error.to_string(), error.is_cancelled()))
            });
            self.mailbox.post(match exported.unwrap_or_else(|message| Err((message, false))) {
                Ok(folders) => Update::Exported { folders },
                Err((message, cancelled)) => Update::ExportFailed { message, cancelled },
            });
        }
    }
}
