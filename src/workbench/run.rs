use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;

use super::contain::contain_panic;
use super::keeper::Keeper;
use super::memory::Memory;
use super::planner::Prepared;
use super::refit;
use super::scoring::SymbolPredictions;
use super::summary::summarise;
use super::task::{TaskContext, TaskError, TaskObserver, TaskOutput, run_cut};
use super::task_queue::{Ended, Next, TaskQueue};
use crate::dataset::{ResidentCache, TaskCut};
use crate::devices::DevicePool;
use crate::domain::{
    Cancel, EpochRecord, EventKind, Pause, Progress, RunOutcome, Stage, Task, TaskId, TaskRole,
    UtcMillis,
};
use crate::runs::{
    Outcome, RunFolder, RunLog, StoreError, TaskMetadata, read_weights, write_history,
    write_predictions, write_weights,
};
use crate::spec::{ExperimentSpec, Precision};
use crate::torch::{MathGuard, MathMode, StreamGuard, set_threads_of_this_thread};
use crate::training::{Observer, Signals};

/// One run at work: its plan, where it is written, and the flags that stop it.
pub(super) struct Run<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) folder: &'a RunFolder,
    pub(super) log: &'a RunLog,
    pub(super) cancel: &'a Cancel,
    pub(super) task_cancels: &'a BTreeMap<TaskId, Cancel>,
    pub(super) pause: &'a Pause,
    /// Who may use which memory.
    pub(super) pool: Arc<DevicePool>,
    /// What tasks turned out to take.
    pub(super) memory: Memory,
    /// What lies on the devices, shared by the folds of the same series.
    pub(super) resident: ResidentCache,
}

/// How an attempt at a task ended.
enum Attempt {
    Finished(Vec<SymbolPredictions>),
    Failed,
    Cancelled,
    /// It stands still at a checkpoint.
    Paused,
}

/// Results of the tasks that have ended, whatever their order.
#[derive(Default)]
struct Endings {
    predictions: Vec<SymbolPredictions>,
    failed: bool,
    cancelled: bool,
}

impl Run<'_> {
    /// Runs every task of the plan on named worker threads and tells how it went. A task that fails or panics ends alone.
    ///
    /// # Errors
    /// When the run's folder can no longer be written; what was written before is kept.
    pub(super) fn execute(&self) -> Result<RunOutcome, StoreError> {
        let tasks = &self.prepared.plan.tasks;
        self.log.record(None, EventKind::Planned { plan: Box::new(self.prepared.plan.clone()) })?;
        for task in tasks {
            self.log.record(Some(&task.id), EventKind::Queued)?;
        }
        // Both are settings of the process: runs that differ in them wait for each other.
        let tf32 = self.prepared.spec.training.precision == Precision::Tf32;
        let mode = MathMode { deterministic: false, tf32 };
        let _mode = MathGuard::acquire(mode, || !self.cancel.is_cancelled());

        let queue = TaskQueue::new(tasks, self.task_cancels, self.pause);
        let endings = Mutex::new(Endings::default());
        let threads_per_task = self.prepared.plan.threads_per_task;
        thread::scope(|scope| {
            for worker in 1..=self.prepared.plan.workers {
                let (queue, endings) = (&queue, &endings);
                let work = move || {
                    set_threads_of_this_thread(threads_per_task);
                    self.work(queue, endings);
                };
                let name = format!("walkforge-worker-{worker}");
                if let Err(error) = thread::Builder::new().name(name).spawn_scoped(scope, work) {
                    if worker == 1 {
                        return Err(StoreError::write(self.folder.path(), &error));
                    }
                    // Those that did start do the work.
                    let message = format!("worker {worker} could not be started: {error}");
                    self.log.record(None, EventKind::Warning { message })?;
                    break;
                }
            }
            Ok(())
        })?;
        self.conclude(endings.into_inner())
    }

    fn work(&self, queue: &TaskQueue<'_>, endings: &Mutex<Endings>) {
        while let Some(next) = queue.next() {
            let (index, attempt) = match next {
                Next::Run(index) => (index, self.attempt(index)),
                Next::Cancelled(index) => (index, self.end(index, EventKind::Cancelled)),
                Next::Impossible(index, message) => {
                    (index, self.end(index, EventKind::Failed { message }))
                }
            };
            let how = {
                let mut endings = endings.lock();
                match attempt {
                    Attempt::Finished(predictions) => {
                        endings.predictions.extend(predictions);
                        Ended::Finished
                    }
                    Attempt::Failed => {
                        endings.failed = true;
                        Ended::Failed
                    }
                    Attempt::Cancelled => {
                        endings.cancelled = true;
                        Ended::Cancelled
                    }
                    Attempt::Paused => {
                        queue.put_back(index);
                        continue;
                    }
                }
            };
            queue.ended(index, how);
        }
    }

    /// Runs one task to its end, or to a pause, and records it. A log that cannot be written fails the task: its result could not be told.
    fn attempt(&self, index: usize) -> Attempt {
        let task = &self.prepared.plan.tasks[index];
        let result = contain_panic(|| self.run_and_save(index))
            .unwrap_or_else(|message| Err(EventKind::Failed { message }));
        match result {
            Ok((predictions, kind)) => match self.log.record(Some(&task.id), kind) {
                Ok(()) => Attempt::Finished(predictions),
                Err(error) => self.end(index, EventKind::Failed { message: error.to_string() }),
            },
            Err(kind) => self.end(index, kind),
        }
    }

    /// Records how a task ended without a result.
    fn end(&self, index: usize, kind: EventKind) -> Attempt {
        let attempt = match kind {
            EventKind::Cancelled => Attempt::Cancelled,
            EventKind::Paused { .. } => Attempt::Paused,
            _ => Attempt::Failed,
        };
        match self.log.record(Some(&self.prepared.plan.tasks[index].id), kind) {
            Ok(()) => attempt,
            Err(_already_told) => Attempt::Failed,
        }
    }

    /// The task's predictions and its `Finished` event, or the event that says why there are none.
    fn run_and_save(&self, index: usize) -> Result<(Vec<SymbolPredictions>, EventKind), EventKind> {
        let task = &self.prepared.plan.tasks[index];
        let cancel = &self.task_cancels[&task.id];
        let request = self.memory.request(task, &self.prepared.spec);
        let lease = self.pool.lease(request, cancel).map_err(|refused| {
            if cancel.is_cancelled() { EventKind::Cancelled } else { failed(&refused) }
        })?;
        let device = lease.device();
        self.log
            .record(Some(&task.id), EventKind::Started { device })
            .map_err(|error| failed(&error))?;
        let mut observer = Recorder { log: self.log, task: &task.id };
        let spec = &self.prepared.spec;
        let (mut keeper, refused) = Keeper::open(self.folder, task, spec.resources.checkpoint_secs);
        for error in refused {
            observer.warning(format!("a checkpoint is passed over: {error}"));
        }
        let _stream = StreamGuard::enter(device).map_err(|error| failed(&error))?;
        let output = self.run_on(task, index, device, &mut keeper, &mut observer);
        // While the lease still speaks for it.
        self.resident.free_unused();
        let output = output.map_err(|error| {
            if error.is_device_lost() {
                self.pool.mark_lost(device, &error.to_string());
            }
            match error.paused_after() {
                Some(steps) => EventKind::Paused { steps },
                None if error.is_cancelled() => EventKind::Cancelled,
                None => failed(&error),
            }
        })?;
        self.memory.learn(task, output.report.peak_memory);
        observer.stage(Stage::Saving);
        self.save(task, &output).map_err(|error| failed(&error))?;
        if let Err(error) = keeper.finish() {
            observer.warning(format!("an old checkpoint stays: {error}"));
        }
        let kind = EventKind::Finished { report: Box::new(output.report) };
        Ok((output.by_symbol, kind))
    }

    fn run_on(
        &self,
        task: &Task,
        index: usize,
        device: crate::domain::Device,
        keeper: &mut Keeper<'_>,
        observer: &mut Recorder<'_>,
    ) -> Result<TaskOutput, TaskError> {
        let spec: ExperimentSpec = match task.role {
            TaskRole::Fold => self.prepared.spec.clone(),
            TaskRole::Refit => refit::spec(task, &self.prepared.spec, self.folder)?,
        };
        let begin_with = match (task.role, task.after.first()) {
            (TaskRole::Fold, Some(before)) => {
                Some(read_weights(&self.folder.task(before).join("weights.safetensors"))?)
            }
            _ => None,
        };
        let series = self.prepared.series[index].as_slice();
        let cut = TaskCut::of(series, &task.fold, spec.label);
        let signals =
            Signals { cancel: self.task_cancels[&task.id].clone(), pause: self.pause.clone() };
        let resident = &self.resident;
        let context = TaskContext { device, signals, checkpoints: keeper, resident, begin_with };
        run_cut(task, &spec, (series, &cut), context, observer)
    }

    fn save(&self, task: &Task, output: &TaskOutput) -> Result<(), StoreError> {
        let path = self.folder.create_task(&task.id)?;
        write_weights(&path.join("weights.safetensors"), output.network.parameters())?;
        write_history(&path.join("history.parquet"), &output.history)?;
        if task.role == TaskRole::Fold {
            let predictions = path.join("predictions.parquet");
            write_predictions(&predictions, task.fold.index, &output.predictions)?;
        }
        self.folder.write_metadata(&TaskMetadata {
            task: task.clone(),
            design: output.network.design().clone(),
            features: self.prepared.plan.features.clone(),
            label: self.prepared.spec.label,
            weights: self.prepared.spec.weights,
            dead_zone: output.dead_zone,
            series_scalers: output.series_scalers.clone(),
            report: output.report.clone(),
        })
    }

    fn conclude(&self, endings: Endings) -> Result<RunOutcome, StoreError> {
        let summarised = summarise(endings.predictions, &self.prepared.spec);
        let (summary, equity) = summarised.unwrap_or_else(|error| {
            let message = format!("the finished folds could not be summarised: {error}");
            // A log that cannot be written is told by the next record below.
            let _told_below = self.log.record(None, EventKind::Warning { message });
            Default::default()
        });
        let mut outcome = if endings.cancelled {
            RunOutcome::Cancelled
        } else if endings.failed {
            RunOutcome::Failed
        } else {
            RunOutcome::Finished
        };
        // Before the outcome: where that is, this is too.
        let drawn = self.folder.write_equity(&equity);
        if drawn.is_err() {
            outcome = RunOutcome::Failed;
        }
        let (ended, tasks) = (UtcMillis::now(), self.log.endings());
        let ended = Outcome { ended, outcome, summary: summary.clone(), tasks };
        let written = drawn.and(self.folder.write_outcome(&ended));
        if written.is_err() {
            outcome = RunOutcome::Failed;
        }
        let told =
            self.log.record(None, EventKind::RunEnded { outcome, summary: Box::new(summary) });
        written.and(told).map(|()| outcome)
    }
}

fn failed(error: &dyn std::fmt::Display) -> EventKind {
    EventKind::Failed { message: error.to_string() }
}

/// Sends a task's measurements to the log.
struct Recorder<'a> {
    log: &'a RunLog,
    task: &'a TaskId,
}

impl Recorder<'_> {
    fn record(&self, kind: EventKind) {
        // A log that cannot be written fails the task at its next lifecycle event; a lost measurement is no reason of its own.
        let _told_later = self.log.record(Some(self.task), kind);
    }
}

impl Observer for Recorder<'_> {
    fn progress(&mut self, progress: Progress) {
        self.record(EventKind::Progress(progress));
    }

    fn epoch(&mut self, record: EpochRecord) {
        self.record(EventKind::Epoch(record));
    }

    fn warning(&mut self, message: String) {
        self.record(EventKind::Warning { message });
    }
}

impl TaskObserver for Recorder<'_> {
    fn stage(&mut self, stage: Stage) {
        self.record(EventKind::Stage { stage });
    }
}
