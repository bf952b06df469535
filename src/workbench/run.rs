use std::collections::BTreeMap;
use std::thread;

use crossbeam_channel::{Receiver, bounded};
use parking_lot::Mutex;

use super::contain::contain_panic;
use super::planner::Prepared;
use super::scoring::SymbolPredictions;
use super::summary::summarise;
use super::task::{TaskError, TaskObserver, TaskOutput, run_task_sharing};
use crate::dataset::ResidentCache;
use crate::domain::{
    Cancel, EpochRecord, EventKind, Progress, RunOutcome, Stage, Task, TaskId, UtcMillis,
};
use crate::runs::{
    Outcome, RunFolder, RunLog, StoreError, TaskMetadata, write_history, write_predictions,
    write_weights,
};
use crate::torch::set_threads_of_this_thread;
use crate::training::Observer;

/// One run at work: its plan, where it is written, and the flags that stop it.
pub(super) struct Run<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) folder: &'a RunFolder,
    pub(super) log: &'a RunLog,
    pub(super) task_cancels: &'a BTreeMap<TaskId, Cancel>,
    /// What lies on the device, shared by the folds of the same series.
    pub(super) resident: ResidentCache,
}

/// How a task ended.
enum Ending {
    Finished(Vec<SymbolPredictions>),
    Failed,
    Cancelled,
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
        let (queue, waiting) = bounded(tasks.len());
        for (index, task) in tasks.iter().enumerate() {
            self.log.record(Some(&task.id), EventKind::Queued)?;
            queue.send(index).expect("the queue has room for every task and its receiver lives");
        }
        drop(queue);

        let endings = Mutex::new(Endings::default());
        let threads_per_task = self.prepared.plan.threads_per_task;
        thread::scope(|scope| {
            for worker in 1..=self.prepared.plan.workers {
                let (waiting, endings) = (waiting.clone(), &endings);
                let work = move || {
                    set_threads_of_this_thread(threads_per_task);
                    self.work(&waiting, endings);
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

    fn work(&self, waiting: &Receiver<usize>, endings: &Mutex<Endings>) {
        for index in waiting {
            let ending = self.attempt(index);
            let mut endings = endings.lock();
            match ending {
                Ending::Finished(predictions) => endings.predictions.extend(predictions),
                Ending::Failed => endings.failed = true,
                Ending::Cancelled => endings.cancelled = true,
            }
        }
    }

    /// Runs one task to its end and records it. A log that cannot be written fails the task: its result could not be told.
    fn attempt(&self, index: usize) -> Ending {
        let task = &self.prepared.plan.tasks[index];
        let cancel = &self.task_cancels[&task.id];
        let result = if cancel.is_cancelled() {
            Err(EventKind::Cancelled)
        } else {
            contain_panic(|| self.run_and_save(index, cancel))
                .unwrap_or_else(|message| Err(EventKind::Failed { message }))
        };
        let kind = match result {
            Ok((predictions, kind)) => match self.log.record(Some(&task.id), kind) {
                Ok(()) => return Ending::Finished(predictions),
                Err(error) => EventKind::Failed { message: error.to_string() },
            },
            Err(kind) => kind,
        };
        let ending = if kind == EventKind::Cancelled { Ending::Cancelled } else { Ending::Failed };
        match self.log.record(Some(&task.id), kind) {
            Ok(()) => ending,
            Err(_already_told) => Ending::Failed,
        }
    }

    /// The task's predictions and its `Finished` event, or the event that says why there are none.
    fn run_and_save(
        &self,
        index: usize,
        cancel: &Cancel,
    ) -> Result<(Vec<SymbolPredictions>, EventKind), EventKind> {
        let task = &self.prepared.plan.tasks[index];
        let failed =
            |error: &dyn std::fmt::Display| EventKind::Failed { message: error.to_string() };
        self.log
            .record(Some(&task.id), EventKind::Started { device: task.device })
            .map_err(|error| failed(&error))?;
        let mut observer = Recorder { log: self.log, task: &task.id };
        let series = &self.prepared.series[index];
        let series = (series.as_slice(), &self.resident);
        let output = run_task_sharing(task, &self.prepared.spec, series, cancel, &mut observer);
        let output = output.map_err(|error: TaskError| {
            if error.is_cancelled() { EventKind::Cancelled } else { failed(&error) }
        })?;
        observer.stage(Stage::Saving);
        self.save(task, &output).map_err(|error| failed(&error))?;
        let kind = EventKind::Finished { report: Box::new(output.report) };
        Ok((output.by_symbol, kind))
    }

    fn save(&self, task: &Task, output: &TaskOutput) -> Result<(), StoreError> {
        let path = self.folder.create_task(&task.id)?;
        write_weights(&path.join("weights.safetensors"), output.network.parameters())?;
        write_history(&path.join("history.parquet"), &output.history)?;
        write_predictions(&path.join("predictions.parquet"), task.fold.index, &output.predictions)?;
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
        let ended = Outcome { ended: UtcMillis::now(), outcome, summary: summary.clone() };
        let written = drawn.and(self.folder.write_outcome(&ended));
        if written.is_err() {
            outcome = RunOutcome::Failed;
        }
        let told =
            self.log.record(None, EventKind::RunEnded { outcome, summary: Box::new(summary) });
        written.and(told).map(|()| outcome)
    }
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
}

impl TaskObserver for Recorder<'_> {
    fn stage(&mut self, stage: Stage) {
        self.record(EventKind::Stage { stage });
    }
}
