use super::TaskCurves;
use crate::domain::{
    Device, EpochRecord, EventKind, Progress, Stage, StoredTask, TaskId, TaskReport, UtcMillis,
};

/// How a task stands, in the order in which tasks are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TaskState {
    Running,
    Paused,
    Failed,
    Queued,
    Finished,
    Cancelled,
}

impl TaskState {
    pub(crate) const ALL: [Self; 6] =
        [Self::Running, Self::Paused, Self::Queued, Self::Finished, Self::Failed, Self::Cancelled];

    /// Whether something can still come of it.
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Queued)
    }
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
    /// The epoch whose weights are kept, so far.
    pub(crate) best: Option<EpochRecord>,
    pub(crate) curves: TaskCurves,
    pub(crate) report: Option<Box<TaskReport>>,
    pub(crate) failure: Option<String>,
    /// When it was last given a device.
    pub(crate) started_at: Option<UtcMillis>,
    /// Milliseconds at work before its last pause.
    worked_before: i64,
    pub(crate) stopping: bool,
    /// Somebody asked it to pause, and nobody since to go on.
    pub(crate) pausing: bool,
    /// Why the attempt before this one failed, and which attempt this is.
    pub(crate) retry: Option<(u32, String)>,
    /// Whose result it has, where it was not trained for this run.
    pub(crate) taken_from: Option<StoredTask>,
    /// The first epoch that was told by an event: what was before comes from the store.
    told_from: Option<u32>,
}

impl TaskView {
    pub(super) fn new(id: TaskId) -> Self {
        Self {
            id,
            state: TaskState::Queued,
            device: None,
            stage: None,
            progress: None,
            last_epoch: None,
            best: None,
            curves: TaskCurves::default(),
            report: None,
            failure: None,
            started_at: None,
            worked_before: 0,
            stopping: false,
            pausing: false,
            retry: None,
            taken_from: None,
            told_from: None,
        }
    }

    pub(super) fn apply(&mut self, at: UtcMillis, kind: EventKind) {
        match kind {
            EventKind::Started { device } => {
                self.state = TaskState::Running;
                self.device = Some(device);
                self.started_at = Some(at);
            }
            EventKind::Stage { stage } => self.stage = Some(stage),
            EventKind::Progress(progress) => self.progress = Some(progress),
            EventKind::Epoch(record) => {
                self.told_from.get_or_insert(record.epoch);
                self.learn(record);
            }
            EventKind::Finished { report } => {
                self.state = TaskState::Finished;
                self.report = Some(report);
            }
            EventKind::Kept { report, from } => {
                self.state = TaskState::Finished;
                self.report = Some(report);
                self.taken_from = from;
            }
            EventKind::Failed { message } => {
                self.state = TaskState::Failed;
                self.failure = Some(message);
            }
            EventKind::Cancelled => self.state = TaskState::Cancelled,
            EventKind::Paused { .. } => {
                let since = self.started_at.unwrap_or(at);
                self.worked_before += (at.0 - since.0).max(0);
                self.state = TaskState::Paused;
                self.device = None;
            }
            EventKind::Retrying { message, attempt } => {
                self.state = TaskState::Queued;
                self.device = None;
                self.retry = Some((attempt, message));
            }
            EventKind::Planned { .. }
            | EventKind::Queued
            | EventKind::Warning { .. }
            | EventKind::RunEnded { .. } => {}
        }
    }

    /// Takes the epochs that were stored before this session told any.
    pub(super) fn remember(&mut self, stored: &[EpochRecord]) {
        let until = self.told_from.unwrap_or(u32::MAX);
        let before: Vec<EpochRecord> =
            stored.iter().copied().filter(|record| record.epoch < until).collect();
        if before.is_empty() {
            return;
        }
        let mut told = std::mem::take(&mut self.curves);
        let (best, last) = (self.best.take(), self.last_epoch.take());
        for record in before {
            self.learn(record);
        }
        self.curves.extend(&mut told, until);
        // What was told is newer, where anything was.
        if self.told_from.is_some() {
            (self.best, self.last_epoch) = (best.or(self.best), last.or(self.last_epoch));
        }
    }

    fn learn(&mut self, record: EpochRecord) {
        if self.last_epoch.is_some_and(|last| last.epoch >= record.epoch) {
            // Another attempt, or a checkpoint from before.
            self.curves.cut(record.epoch);
        }
        self.curves.push(&record);
        if record.is_best {
            self.best = Some(record);
        }
        self.last_epoch = Some(record);
    }

    /// Seconds left at most, at the task's own pace; early stopping may end it sooner. Unknown while it does not run.
    pub(crate) fn seconds_left(&self, now: UtcMillis) -> Option<f64> {
        let progress = self.progress.filter(|_| self.state == TaskState::Running)?;
        let share = progress.share();
        let done = share - self.done_before(progress);
        let worked = self.worked_before + (now.0 - self.started_at?.0).max(0);
        (done > 0.02).then(|| worked as f64 / 1000.0 * (1.0 - share) / done)
    }

    /// The share that was done before this session: a task that is taken up again did not do it in the time it has worked here.
    fn done_before(&self, progress: Progress) -> f64 {
        let first = match (self.told_from, self.last_epoch) {
            (Some(told), _) => told,
            // What is known comes from the store: it is in its first epoch here.
            (None, Some(_)) => progress.epoch,
            (None, None) => 1,
        };
        Progress { epoch: first, batch: 0, ..progress }.share()
    }

    /// Optimizer steps in an epoch; unknown until it has begun to train.
    pub(crate) fn steps_per_epoch(&self) -> Option<f64> {
        let told = self.progress.map(|progress| f64::from(progress.batches));
        let known = told.or_else(|| {
            let report = self.report.as_ref()?;
            Some(report.steps as f64 / f64::from(report.epochs.max(1)))
        });
        known.filter(|steps| *steps >= 1.0)
    }
}
