use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::contain::contain_panic;
use super::keeper::Keeper;
use super::kept;
use super::memory::Memory;
use super::planner::Prepared;
use super::recorder::Recorder;
use super::refit;
use super::retry::{Retries, Trouble, save_patiently};
use super::scheduler::AtWork;
use super::scoring::SymbolPredictions;
use super::task::{TaskContext, TaskError, TaskObserver, TaskOutput, run_cut};
use super::task_queue::{Ended, Next, TaskFlags, TaskQueue};
use super::twins::Twins;
use crate::dataset::{ResidentCache, TaskCut};
use crate::devices::{DevicePool, DeviceSet, Refused};
use crate::domain::{
    Cancel, Device, EventKind, Pause, Priority, RunId, Stage, StoredTask, Task, TaskId, TaskRole,
};
use crate::runs::{RunFolder, RunIndex, RunLog, StoreError, read_weights};
use crate::spec::{ExperimentSpec, Precision};
use crate::torch::{MathGuard, MathMode, StreamGuard, set_threads_of_this_thread};
use crate::training::{Observer, Signals};

/// One run at work: its plan, where it is written, the flags that stop it, and what has become of its tasks.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: RunId,
    queue: TaskQueue,
    pub(super) cancel: Cancel,
    pub(super) pause: Pause,
    pub(super) prepared: Prepared,
    pub(super) folder: RunFolder,
    pub(super) log: RunLog,
    flags: BTreeMap<TaskId, TaskFlags>,
    priority: Mutex<Priority>,
    /// Where all runs were written to, to find results that are taken over.
    store: std::path::PathBuf,
    /// Tasks that need not be trained: by whom they were.
    kept: BTreeMap<TaskId, Option<StoredTask>>,
    machine: Arc<Machine>,
    /// What tasks turned out to take.
    memory: Memory,
    retries: Retries,
    /// Of the tasks that have finished, whatever their order.
    pub(super) predictions: Mutex<Vec<SymbolPredictions>>,
}

/// What all runs at work share.
#[derive(Debug)]
pub(super) struct Machine {
    /// Who may use which memory.
    pub(super) pool: Arc<DevicePool>,
    /// What lies on the devices, shared by the folds of the same series.
    pub(super) resident: ResidentCache,
    /// Which tasks are at work.
    pub(super) twins: Arc<Twins>,
}

/// What a run begins with.
pub(super) struct Beginning {
    pub(super) id: RunId,
    pub(super) prepared: Prepared,
    pub(super) folder: RunFolder,
    pub(super) log: RunLog,
    pub(super) cancel: Cancel,
    pub(super) pause: Pause,
    pub(super) store: std::path::PathBuf,
    pub(super) kept: BTreeMap<TaskId, Option<StoredTask>>,
    pub(super) memory: Memory,
}

/// How an attempt at a task ended.
enum Attempt {
    Ended(Ended, Vec<SymbolPredictions>),
    /// It stands still at a checkpoint, or is to be tried again.
    PutBack,
}

impl AtWork for Run {
    fn id(&self) -> &RunId {
        &self.id
    }

    fn workers(&self) -> u32 {
        self.prepared.plan.workers
    }

    fn at_once(&self) -> u32 {
        self.prepared.at_once
    }

    fn threads_per_task(&self) -> u32 {
        self.prepared.plan.threads_per_task
    }

    fn priority(&self) -> Priority {
        *self.priority.lock()
    }

    fn is_paused(&self) -> bool {
        self.pause.is_paused()
    }

    fn queue(&self) -> &TaskQueue {
        &self.queue
    }
}

impl Run {
    /// A run of which nobody knows yet.
    pub(super) fn new(beginning: Beginning, machine: Arc<Machine>) -> Self {
        let Beginning { id, prepared, folder, log, cancel, pause, store, kept, memory } = beginning;
        let tasks = &prepared.plan.tasks;
        let own = || TaskFlags { cancel: cancel.child(), pause: pause.child() };
        let flags: BTreeMap<_, _> = tasks.iter().map(|task| (task.id.clone(), own())).collect();
        let own_kept = kept.iter().filter(|(_, from)| from.is_none()).map(|(task, _)| task);
        let twins = prepared.spec.resources.reuse.then(|| Arc::clone(&machine.twins));
        Self {
            queue: TaskQueue::new(tasks, &flags, &own_kept.collect(), twins),
            retries: Retries::default(),
            predictions: Mutex::default(),
            priority: Mutex::default(),
            id,
            cancel,
            pause,
            prepared,
            folder,
            log,
            flags,
            store,
            kept,
            machine,
            memory,
        }
    }

    /// Records what the run will do. Its tasks may be taken from its queue after this.
    ///
    /// # Errors
    /// When the run's log cannot be written.
    pub(super) fn announce(&self) -> Result<(), StoreError> {
        let plan = Box::new(self.prepared.plan.clone());
        self.log.record(None, EventKind::Planned { plan })?;
        let tasks = &self.prepared.plan.tasks;
        self.log.record_all(tasks.iter().map(|task| (Some(&task.id), EventKind::Queued)))
    }

    pub(super) fn prioritise(&self, priority: Priority) {
        *self.priority.lock() = priority;
    }

    /// Whether every task has ended: its end is being written.
    pub(super) fn is_over(&self) -> bool {
        self.queue.is_over()
    }

    /// Lets those of the tasks that failed be tried again.
    pub(super) fn retry(&self, tasks: &BTreeSet<TaskId>) {
        self.queue.ask_again(tasks);
    }

    /// What stops a task.
    pub(super) fn flags(&self, task: &TaskId) -> Option<&TaskFlags> {
        self.flags.get(task)
    }

    /// Tells the user something about the whole run.
    pub(super) fn warn(&self, message: String) {
        // A log that cannot be written fails the task at its next lifecycle event.
        let _told_later = self.log.record(None, EventKind::Warning { message });
    }

    /// Does what the queue gave out, on the calling worker.
    pub(super) fn work(&self, next: Next) {
        match next {
            Next::Run(index) => self.settle(index, self.attempt(index)),
            Next::Impossible(index, message) => {
                self.settle(index, self.end(index, EventKind::Failed { message }));
            }
            Next::Again(all) => match self.record_of(&all, |task| self.retries.asked(task)) {
                Ok(()) => all.into_iter().for_each(|index| self.queue.put_back(index)),
                Err(_already_told) => self.all_ended(all, Ended::Failed),
            },
            Next::Cancelled(all) => {
                let recorded = self.record_of(&all, |_| EventKind::Cancelled);
                self.all_ended(all, recorded.map_or(Ended::Failed, |()| Ended::Cancelled));
            }
        }
    }

    /// Records an event of each of these tasks, and waits for the disk once.
    fn record_of(
        &self,
        all: &[usize],
        kind: impl Fn(&TaskId) -> EventKind,
    ) -> Result<(), StoreError> {
        let task = |&index: &usize| &self.prepared.plan.tasks[index].id;
        self.log.record_all(all.iter().map(task).map(|task| (Some(task), kind(task))))
    }

    fn all_ended(&self, all: Vec<usize>, how: Ended) {
        for index in all {
            self.queue.ended(index, how);
        }
    }

    fn settle(&self, index: usize, attempt: Attempt) {
        match attempt {
            Attempt::PutBack => self.queue.put_back(index),
            Attempt::Ended(how, predictions) => {
                self.predictions.lock().extend(predictions);
                self.queue.ended(index, how);
            }
        }
    }

    /// Runs one task to its end, or to a pause, and records it. A log that cannot be written fails the task: its result could not be told.
    fn attempt(&self, index: usize) -> Attempt {
        let task = &self.prepared.plan.tasks[index];
        let result = contain_panic(|| self.keep_or_train(index))
            .unwrap_or_else(|message| Err(EventKind::Failed { message }));
        match result {
            Ok((predictions, kind)) => match self.log.record(Some(&task.id), kind) {
                Ok(()) => Attempt::Ended(Ended::Finished, predictions),
                Err(error) => self.end(index, EventKind::Failed { message: error.to_string() }),
            },
            Err(kind) => self.end(index, kind),
        }
    }

    /// Records how an attempt ended without a result.
    fn end(&self, index: usize, kind: EventKind) -> Attempt {
        let task = &self.prepared.plan.tasks[index].id;
        if let EventKind::Failed { message } = &kind {
            self.retries.failed(task, message);
            self.queue.failing(index);
        }
        let attempt = match kind {
            EventKind::Cancelled => Attempt::Ended(Ended::Cancelled, Vec::new()),
            EventKind::Paused { .. } | EventKind::Retrying { .. } => Attempt::PutBack,
            _ => Attempt::Ended(Ended::Failed, Vec::new()),
        };
        match self.log.record(Some(task), kind) {
            Ok(()) => attempt,
            Err(_already_told) => Attempt::Ended(Ended::Failed, Vec::new()),
        }
    }

    /// The task's predictions and the event of its end, or the event that says why there are none.
    fn keep_or_train(
        &self,
        index: usize,
    ) -> Result<(Vec<SymbolPredictions>, EventKind), EventKind> {
        let task = &self.prepared.plan.tasks[index];
        set_threads_of_this_thread(self.threads_per_task());
        let planned = self.kept.get(&task.id).cloned();
        if let Some(from) = planned.or_else(|| self.trained_since(task).map(Some)) {
            let series = &self.prepared.series[index];
            let spec = &self.prepared.spec;
            let places = (&self.folder, self.store.as_path(), from.as_ref());
            // A damaged file can make the library that reads it panic.
            let taken = contain_panic(|| {
                let taken = kept::take(task, spec, series, places, &self.machine.resident);
                taken.map_err(|error| error.to_string())
            });
            match taken.flatten() {
                Ok((predictions, report)) => {
                    return Ok((predictions, EventKind::Kept { report: Box::new(report), from }));
                }
                Err(error) => self.recorder(task).warning(format!(
                    "what was trained before cannot be kept, so it is trained again: {error}"
                )),
            }
        }
        self.train_and_save(index)
    }

    /// Another run's task of the same key that has finished since this run was planned. An index that cannot be read knows of none.
    fn trained_since(&self, task: &Task) -> Option<StoredTask> {
        if !self.prepared.spec.resources.reuse {
            return None;
        }
        let index = RunIndex::open(&self.store).ok()?;
        index.finished(&[task.key]).ok()?.remove(&task.key).filter(|stored| stored.run != self.id)
    }

    fn train_and_save(
        &self,
        index: usize,
    ) -> Result<(Vec<SymbolPredictions>, EventKind), EventKind> {
        let task = &self.prepared.plan.tasks[index];
        let flags = &self.flags[&task.id];
        // A setting of the process: tasks that differ in it wait for each other.
        let tf32 = self.prepared.spec.training.precision == Precision::Tf32;
        let mode = MathMode { deterministic: false, tf32 };
        let may_wait = || !flags.cancel.is_cancelled() && !flags.pause.is_paused();
        let Some(_mode) = MathGuard::acquire(mode, may_wait) else {
            return Err(flags.interrupted());
        };
        let series = &self.prepared.series[index];
        let mut request = self.memory.request(task, series);
        request.on = DeviceSet::of(&self.devices());
        let most = self.machine.pool.largest(&request);
        request.bytes = self.retries.enlarged(&task.id, request.bytes, most);
        let lease = self.machine.pool.lease_while(request, may_wait).map_err(|refused| {
            if refused == Refused::Cancelled { flags.interrupted() } else { failed(&refused) }
        })?;
        let device = lease.device();
        self.log
            .record(Some(&task.id), EventKind::Started { device })
            .map_err(|error| failed(&error))?;
        let mut observer = self.recorder(task);
        let spec = &self.prepared.spec;
        let (mut keeper, refused) =
            Keeper::open(&self.folder, task, spec.resources.checkpoint_secs);
        for error in refused {
            observer.warning(format!("a checkpoint is passed over: {error}"));
        }
        let _stream = StreamGuard::enter(device).map_err(|error| failed(&error))?;
        let output = self.train(index, device, &mut keeper, &mut observer);
        // While the lease still speaks for it.
        self.machine.resident.free_unused();
        let output = output.map_err(|error| self.after(task, device, &error))?;
        self.memory.learn(task, output.report.peak_memory);
        observer.stage(Stage::Saving);
        save_patiently(&flags.cancel, || self.save(task, &output), |text| observer.warning(text))
            .map_err(|error| failed(&error))?;
        if let Err(error) = keeper.finish() {
            observer.warning(format!("an old checkpoint stays: {error}"));
        }
        let kind = EventKind::Finished { report: Box::new(output.report) };
        Ok((output.by_symbol, kind))
    }

    fn devices(&self) -> Vec<Device> {
        self.prepared.pool.iter().map(|device| device.device).collect()
    }

    fn recorder<'a>(&'a self, task: &'a Task) -> Recorder<'a> {
        Recorder { log: &self.log, task: &task.id }
    }

    /// The event of an attempt that left no result: a pause, a cancellation, another attempt, or a failure for good.
    fn after(&self, task: &Task, device: Device, error: &TaskError) -> EventKind {
        if let Some(steps) = error.paused_after() {
            return EventKind::Paused { steps };
        }
        if error.is_cancelled() {
            return EventKind::Cancelled;
        }
        if error.is_device_lost() {
            self.machine.pool.mark_lost(device, &error.to_string());
        }
        let trouble = Trouble::of(error, device);
        self.retries.again(&task.id, trouble, error).unwrap_or_else(|| failed(error))
    }

    fn train(
        &self,
        index: usize,
        device: Device,
        keeper: &mut Keeper<'_>,
        observer: &mut Recorder<'_>,
    ) -> Result<TaskOutput, TaskError> {
        let task = &self.prepared.plan.tasks[index];
        let spec: ExperimentSpec = match task.role {
            TaskRole::Fold => self.prepared.spec.clone(),
            TaskRole::Refit => refit::spec(task, &self.prepared.spec, &self.folder)?,
        };
        let begin_with = match (task.role, task.after.first()) {
            (TaskRole::Fold, Some(before)) => {
                Some(read_weights(&self.folder.task(before).join("weights.safetensors"))?)
            }
            _ => None,
        };
        let series = self.prepared.series[index].as_slice();
        let cut = TaskCut::of(series, &task.fold, spec.label);
        let TaskFlags { cancel, pause } = self.flags[&task.id].clone();
        let signals = Signals { cancel, pause };
        let resident = &self.machine.resident;
        let context = TaskContext { device, signals, checkpoints: keeper, resident, begin_with };
        run_cut(task, &spec, (series, &cut), context, observer)
    }
}

fn failed(error: &dyn std::fmt::Display) -> EventKind {
    EventKind::Failed { message: error.to_string() }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
