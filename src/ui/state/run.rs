use std::collections::BTreeMap;
use std::sync::Arc;

use super::Curve;
use crate::domain::{
    Device, EpochRecord, Event, EventKind, Plan, Progress, RunId, RunOutcome, RunSummary, Stage,
    TaskId, TaskReport, UtcMillis,
};

/// One run of this session as its events tell it.
#[derive(Debug)]
pub(crate) struct RunView {
    pub(crate) id: RunId,
    pub(crate) plan: Arc<Plan>,
    /// One for each task of the plan, in its order.
    pub(crate) tasks: Vec<TaskView>,
    index: BTreeMap<TaskId, usize>,
    pub(crate) planned_at: UtcMillis,
    pub(crate) ended_at: Option<UtcMillis>,
    /// How it ended; `None` while it has not.
    pub(crate) outcome: Option<RunOutcome>,
    pub(crate) summary: Option<Box<RunSummary>>,
    /// Why its folder could not be written to its end.
    pub(crate) broken: Option<String>,
    /// Somebody asked it to stop.
    pub(crate) stopping: bool,
}

/// How a task stands, in the order in which tasks are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TaskState {
    Running,
    Failed,
    Queued,
    Finished,
    Cancelled,
}

/// One task as its events tell it.
#[derive(Debug)]
pub(crate) struct TaskView {
    pub(crate) id: TaskId,
    pub(crate) state: TaskState,
    pub(crate) device: Option<Device>,
    pub(crate) stage: Option<Stage>,
    pub(crate) progress: Option<Progress>,
    pub(crate) last_epoch: Option<EpochRecord>,
    /// The epoch with the lowest validation loss so far.
    pub(crate) best: Option<EpochRecord>,
    pub(crate) train_loss: Curve,
    pub(crate) validation_loss: Curve,
    pub(crate) report: Option<Box<TaskReport>>,
    pub(crate) failure: Option<String>,
    pub(crate) started_at: Option<UtcMillis>,
    pub(crate) stopping: bool,
}

impl RunView {
    /// Of a run that was just planned.
    pub(crate) fn new(id: RunId, plan: Plan, planned_at: UtcMillis) -> Self {
        let tasks: Vec<TaskView> =
            plan.tasks.iter().map(|task| TaskView::new(task.id.clone())).collect();
        let index =
            tasks.iter().enumerate().map(|(index, task)| (task.id.clone(), index)).collect();
        Self {
            id,
            plan: Arc::new(plan),
            tasks,
            index,
            planned_at,
            ended_at: None,
            outcome: None,
            summary: None,
            broken: None,
            stopping: false,
        }
    }

    /// Takes an event of this run.
    pub(crate) fn apply(&mut self, event: Event) {
        let Event { task, at, kind, .. } = event;
        match (task, kind) {
            (None, EventKind::RunEnded { outcome, summary }) => {
                self.outcome = Some(outcome);
                self.summary = Some(summary);
                self.ended_at = Some(at);
            }
            (Some(task), kind) => {
                if let Some(&index) = self.index.get(&task) {
                    self.tasks[index].apply(at, kind);
                }
            }
            (None, _) => {}
        }
    }

    pub(crate) fn task(&self, id: &TaskId) -> Option<&TaskView> {
        self.index.get(id).map(|&index| &self.tasks[index])
    }

    pub(crate) fn task_mut(&mut self, id: &TaskId) -> Option<&mut TaskView> {
        self.index.get(id).map(|&index| &mut self.tasks[index])
    }

    pub(crate) const fn is_over(&self) -> bool {
        self.outcome.is_some() || self.broken.is_some()
    }

    pub(crate) fn count(&self, state: TaskState) -> usize {
        self.tasks.iter().filter(|task| task.state == state).count()
    }

    /// Tasks that have ended, however.
    pub(crate) fn ended(&self) -> usize {
        self.tasks.len() - self.count(TaskState::Queued) - self.count(TaskState::Running)
    }

    /// How much of the run is done at most, 0 to 1.
    pub(crate) fn share(&self) -> f64 {
        let running: f64 = self
            .tasks
            .iter()
            .filter(|task| task.state == TaskState::Running)
            .filter_map(|task| task.progress)
            .map(|progress| progress.share())
            .sum();
        (self.ended() as f64 + running) / (self.tasks.len().max(1) as f64)
    }

    /// Seconds since it was planned, until now or its end.
    pub(crate) fn elapsed_seconds(&self, now: UtcMillis) -> f64 {
        let until = self.ended_at.unwrap_or(now);
        (until.0 - self.planned_at.0).max(0) as f64 / 1000.0
    }

    /// Seconds left at the pace of the tasks that have finished; unknown before the first one has.
    pub(crate) fn seconds_left(&self) -> Option<f64> {
        let finished: Vec<f64> = self
            .tasks
            .iter()
            .filter_map(|task| task.report.as_ref())
            .map(|report| report.seconds)
            .collect();
        if finished.is_empty() || self.is_over() {
            return None;
        }
        let mean = finished.iter().sum::<f64>() / finished.len() as f64;
        let left = (1.0 - self.share()) * self.tasks.len() as f64;
        Some(mean * left / f64::from(self.plan.workers.max(1)))
    }
}

impl TaskView {
    fn new(id: TaskId) -> Self {
        Self {
            id,
            state: TaskState::Queued,
            device: None,
            stage: None,
            progress: None,
            last_epoch: None,
            best: None,
            train_loss: Curve::default(),
            validation_loss: Curve::default(),
            report: None,
            failure: None,
            started_at: None,
            stopping: false,
        }
    }

    fn apply(&mut self, at: UtcMillis, kind: EventKind) {
        match kind {
            EventKind::Started { device } => {
                self.state = TaskState::Running;
                self.device = Some(device);
                self.started_at = Some(at);
            }
            EventKind::Stage { stage } => self.stage = Some(stage),
            EventKind::Progress(progress) => self.progress = Some(progress),
            EventKind::Epoch(record) => {
                let epoch = f64::from(record.epoch);
                self.train_loss.push(epoch, record.train_loss);
                if let Some(loss) = record.validation_loss {
                    self.validation_loss.push(epoch, loss);
                }
                if record.is_best {
                    self.best = Some(record);
                }
                self.last_epoch = Some(record);
            }
            EventKind::Finished { report } => {
                self.state = TaskState::Finished;
                self.report = Some(report);
            }
            EventKind::Failed { message } => {
                self.state = TaskState::Failed;
                self.failure = Some(message);
            }
            EventKind::Cancelled => self.state = TaskState::Cancelled,
            EventKind::Paused { .. } => self.state = TaskState::Queued,
            EventKind::Planned { .. }
            | EventKind::Queued
            | EventKind::Warning { .. }
            | EventKind::RunEnded { .. } => {}
        }
    }

    /// Seconds left at most, at the task's own pace; early stopping may end it sooner.
    pub(crate) fn seconds_left(&self, now: UtcMillis) -> Option<f64> {
        let share = self.progress.filter(|_| self.state == TaskState::Running)?.share();
        let elapsed = (now.0 - self.started_at?.0).max(0) as f64 / 1000.0;
        (share > 0.02).then(|| elapsed * (1.0 - share) / share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{apply, load};

    fn run() -> RunView {
        let one_fold = "validation.max_folds=1".parse().unwrap();
        let spec = apply(&load("linear-return").unwrap(), &[one_fold]).unwrap();
        let plan = crate::workbench::plan(&spec, &crate::domain::Cancel::new()).unwrap().plan;
        RunView::new(RunId::new("r"), plan, UtcMillis(0))
    }

    fn event(run: &RunView, task: usize, seconds: i64, kind: EventKind) -> Event {
        let task = Some(run.tasks[task].id.clone());
        Event { run: run.id.clone(), task, seq: 0, at: UtcMillis(1000 * seconds), kind }
    }

    #[test]
    fn time_left_follows_the_share_done_and_is_unknown_before() {
        let mut run = run();
        assert_eq!(run.tasks.len(), 2, "two symbols");
        let started = event(&run, 0, 10, EventKind::Started { device: Device::Cpu });
        run.apply(started);
        assert_eq!(run.tasks[0].seconds_left(UtcMillis(20_000)), None);
        let progress =
            Progress { epoch: 3, max_epochs: 8, batch: 0, batches: 5, samples_per_second: 1.0 };
        let progress = event(&run, 0, 12, EventKind::Progress(progress));
        run.apply(progress);
        // A quarter took ten seconds.
        assert_eq!(run.tasks[0].seconds_left(UtcMillis(20_000)), Some(30.0));
        assert_eq!(run.share(), 0.125);
        assert_eq!(run.seconds_left(), None);
    }

    #[test]
    fn a_task_keeps_its_best_epoch_and_its_failure() {
        let mut run = run();
        for (epoch, loss, is_best) in [(1, 0.9, true), (2, 0.8, true), (3, 0.85, false)] {
            let record = EpochRecord {
                epoch,
                train_loss: loss,
                validation_loss: Some(loss),
                monitor: None,
                learning_rate: 0.1,
                gradient_norm: 1.0,
                seconds: 1.0,
                is_best,
            };
            let record = event(&run, 1, 0, EventKind::Epoch(record));
            run.apply(record);
        }
        assert_eq!(run.tasks[1].best.unwrap().epoch, 2);
        assert_eq!(run.tasks[1].validation_loss.points().len(), 3);
        let failed = event(&run, 1, 0, EventKind::Failed { message: "why".to_owned() });
        run.apply(failed);
        assert_eq!((run.count(TaskState::Failed), run.ended()), (1, 1));
        assert_eq!(run.tasks[1].failure.as_deref(), Some("why"));
    }
}
