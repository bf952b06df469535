use std::collections::BTreeMap;
use std::sync::Arc;

use super::{TaskState, TaskView};
use crate::domain::{
    Determinism, EpochRecord, Event, EventKind, Plan, Priority, RunId, RunOutcome, RunSummary,
    TaskId, UtcMillis,
};
use crate::spec::Monitor;

/// One run of this session as its events tell it.
#[derive(Debug)]
pub(crate) struct RunView {
    pub(crate) id: RunId,
    pub(crate) plan: Arc<Plan>,
    /// One for each task of the plan, in its order.
    pub(crate) tasks: Vec<TaskView>,
    index: BTreeMap<TaskId, usize>,
    /// What says which epoch is the best one; unknown for a run that this window did not start.
    pub(crate) monitor: Option<Monitor>,
    pub(crate) planned_at: UtcMillis,
    pub(crate) ended_at: Option<UtcMillis>,
    /// How it ended; `None` while it has not.
    pub(crate) outcome: Option<RunOutcome>,
    pub(crate) summary: Option<Box<RunSummary>>,
    /// Why its folder could not be written to its end.
    pub(crate) broken: Option<String>,
    /// The first list of the stored runs that was asked for after its end: from that one on, the list knows better how it stands.
    pub(crate) listed_from: Option<u64>,
    /// A list has had it.
    pub(crate) was_listed: bool,
    /// Somebody asked it to stop.
    pub(crate) stopping: bool,
    /// Somebody asked it to pause, and nobody since to go on.
    pub(crate) pausing: bool,
    /// Whose tasks come first.
    pub(crate) priority: Priority,
    /// Since when no task is at work because they were paused.
    stands_since: Option<UtcMillis>,
    /// Milliseconds for which it stood still before.
    stood: i64,
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
            monitor: None,
            planned_at,
            ended_at: None,
            outcome: None,
            summary: None,
            broken: None,
            listed_from: None,
            was_listed: false,
            stopping: false,
            pausing: false,
            priority: Priority::default(),
            stands_since: None,
            stood: 0,
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
                let Some(&index) = self.index.get(&task) else { return };
                let before = self.tasks[index].state;
                self.tasks[index].apply(at, kind);
                if self.tasks[index].state != before {
                    self.mind_standing(at);
                }
            }
            (None, _) => {}
        }
    }

    /// Takes the epochs of its tasks that were stored before this session told any.
    pub(crate) fn remember(&mut self, curves: &BTreeMap<TaskId, Vec<EpochRecord>>) {
        for (task, epochs) in curves {
            if let Some(&index) = self.index.get(task) {
                self.tasks[index].remember(epochs);
            }
        }
    }

    /// Time in which all that had begun was paused is no time of the run.
    fn mind_standing(&mut self, at: UtcMillis) {
        let stands = self.count(TaskState::Running) == 0 && self.count(TaskState::Paused) > 0;
        match self.stands_since {
            None if stands => self.stands_since = Some(at),
            Some(since) if !stands => {
                self.stood += (at.0 - since.0).max(0);
                self.stands_since = None;
            }
            _ => {}
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
        self.tasks.iter().filter(|task| !task.state.is_open()).count()
    }

    /// Whether its clock stands still: all that had begun was paused.
    pub(crate) const fn stands(&self) -> bool {
        self.stands_since.is_some()
    }

    /// Whether it was asked to pause and nothing is at work any more.
    pub(crate) fn is_paused(&self) -> bool {
        self.pausing && !self.is_over() && self.count(TaskState::Running) == 0
    }

    /// The first of the tasks that the one at `index` still waits for, because it begins with what that one learns.
    pub(crate) fn waits_for(&self, index: usize) -> Option<&TaskView> {
        let waits = self.tasks.get(index)?.state == TaskState::Queued;
        let after = &self.plan.tasks.get(index).filter(|_| waits)?.after;
        let mut open = after.iter().filter_map(|id| self.task(id));
        open.find(|task| task.state.is_open())
    }

    /// What the metric that is watched is called, where it is not the loss.
    pub(crate) fn watched_name(&self) -> &'static str {
        let named = self.monitor.filter(|monitor| *monitor != Monitor::Loss);
        named.map_or("watched metric", Monitor::name)
    }

    /// How repeatable what has finished is.
    pub(crate) fn determinism(&self) -> Determinism {
        let reports = self.tasks.iter().filter_map(|task| task.report.as_deref());
        Determinism::of_all(reports.map(|report| &report.determinism))
    }

    /// How much of the run is done at most, 0 to 1.
    pub(crate) fn share(&self) -> f64 {
        let running: f64 = self
            .tasks
            .iter()
            .filter(|task| matches!(task.state, TaskState::Running | TaskState::Paused))
            .filter_map(|task| task.progress)
            .map(|progress| progress.share())
            .sum();
        (self.ended() as f64 + running) / (self.tasks.len().max(1) as f64)
    }

    /// Seconds since it was planned, until now or its end, without those in which it stood still.
    pub(crate) fn elapsed_seconds(&self, now: UtcMillis) -> f64 {
        let until = self.stands_since.or(self.ended_at).unwrap_or(now);
        (until.0 - self.planned_at.0 - self.stood).max(0) as f64 / 1000.0
    }

    /// Seconds left at the pace of the tasks that have finished; unknown before the first one has, and while the run is paused.
    pub(crate) fn seconds_left(&self) -> Option<f64> {
        let finished: Vec<f64> = self
            .tasks
            .iter()
            .filter_map(|task| task.report.as_ref())
            .map(|report| report.seconds)
            .collect();
        if finished.is_empty() || self.is_over() || self.pausing {
            return None;
        }
        let mean = finished.iter().sum::<f64>() / finished.len() as f64;
        let left = (1.0 - self.share()) * self.tasks.len() as f64;
        Some(mean * left / f64::from(self.plan.workers.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Device, EpochRecord, Progress};
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
        let progress = Progress {
            epoch: 3,
            max_epochs: 8,
            batch: 0,
            batches: 5,
            samples_per_second: 1.0,
            times: None,
        };
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
        assert_eq!(run.tasks[1].curves.validation_loss.points().len(), 3);
        let failed = event(&run, 1, 0, EventKind::Failed { message: "why".to_owned() });
        run.apply(failed);
        assert_eq!((run.count(TaskState::Failed), run.ended()), (1, 1));
        assert_eq!(run.tasks[1].failure.as_deref(), Some("why"));
    }

    #[test]
    fn stored_epochs_stand_before_those_that_are_told() {
        let mut run = run();
        let record = |epoch: u32, loss: f64| EpochRecord {
            epoch,
            train_loss: loss,
            validation_loss: Some(loss),
            monitor: None,
            learning_rate: 0.1,
            gradient_norm: 1.0,
            seconds: 1.0,
            is_best: epoch == 2,
        };
        // It goes on from the checkpoint after epoch 2, although epoch 3 had been trained as well.
        let told = event(&run, 0, 9, EventKind::Epoch(record(3, 0.5)));
        run.apply(told);
        let stored = vec![record(1, 0.9), record(2, 0.8), record(3, 0.7)];
        let curves = run.tasks.iter().map(|task| (task.id.clone(), stored.clone())).collect();
        run.remember(&curves);
        let losses = |task: &TaskView| -> Vec<(f64, f64)> {
            task.curves.validation_loss.points().iter().map(|point| (point.x, point.y)).collect()
        };
        assert_eq!(losses(&run.tasks[0]), [(1.0, 0.9), (2.0, 0.8), (3.0, 0.5)]);
        assert_eq!(run.tasks[0].best.unwrap().epoch, 2);
        assert_eq!(losses(&run.tasks[1]), [(1.0, 0.9), (2.0, 0.8), (3.0, 0.7)]);
        // A second attempt begins anew.
        let told = event(&run, 1, 9, EventKind::Epoch(record(1, 0.4)));
        run.apply(told);
        assert_eq!(losses(&run.tasks[1]), [(1.0, 0.4)]);
    }

    #[test]
    fn what_is_paused_takes_no_time_and_keeps_its_pace() {
        let mut run = run();
        let tell = |run: &mut RunView, seconds: i64, kind: EventKind| {
            let event = event(run, 0, seconds, kind);
            run.apply(event);
        };
        let progress = Progress {
            epoch: 3,
            max_epochs: 8,
            batch: 0,
            batches: 5,
            samples_per_second: 1.0,
            times: None,
        };
        tell(&mut run, 10, EventKind::Started { device: Device::Cpu });
        tell(&mut run, 19, EventKind::Progress(progress));
        run.pausing = true;
        assert!(!run.is_paused(), "a task is still at work");
        tell(&mut run, 20, EventKind::Paused { steps: 10 });
        assert!(run.is_paused());
        assert_eq!((run.count(TaskState::Paused), run.ended()), (1, 0));
        assert_eq!(run.share(), 0.125, "what was done stays done");
        let later = UtcMillis(500_000);
        assert_eq!((run.tasks[0].seconds_left(later), run.seconds_left()), (None, None));
        assert_eq!(run.elapsed_seconds(later), 20.0);

        run.pausing = false;
        tell(&mut run, 520, EventKind::Started { device: Device::Cpu });
        assert!(!run.is_paused());
        // A quarter took ten seconds before the pause and ten after it.
        let now = UtcMillis(530_000);
        assert_eq!(run.tasks[0].seconds_left(now), Some(60.0));
        assert_eq!(run.elapsed_seconds(now), 30.0);
    }

    #[test]
    fn a_task_says_which_one_it_waits_for_until_that_has_ended() {
        let mut run = run();
        let mut plan = Plan::clone(&run.plan);
        plan.tasks[1].after = vec![plan.tasks[0].id.clone()];
        run.plan = Arc::new(plan);
        let waits = |run: &RunView, index| run.waits_for(index).map(|task| task.id.clone());
        assert_eq!((waits(&run, 0), waits(&run, 1)), (None, Some(run.tasks[0].id.clone())));
        let failed = event(&run, 0, 1, EventKind::Failed { message: String::new() });
        run.apply(failed);
        assert_eq!(waits(&run, 1), None);
    }

    #[test]
    fn the_curve_of_a_refit_is_its_train_loss() {
        let mut run = run();
        let record = EpochRecord {
            epoch: 1,
            train_loss: 0.9,
            validation_loss: None,
            monitor: None,
            learning_rate: 0.1,
            gradient_norm: 1.0,
            seconds: 1.0,
            is_best: true,
        };
        assert!(run.tasks[0].curves.is_empty());
        let record = event(&run, 0, 1, EventKind::Epoch(record));
        run.apply(record);
        let curves = &run.tasks[0].curves;
        assert!(!curves.is_empty() && curves.validation_loss.points().is_empty());
        assert_eq!(curves.learning_rate.at(1.0), Some(0.1));
        assert_eq!(curves.monitor.at(1.0), None);
    }
}
