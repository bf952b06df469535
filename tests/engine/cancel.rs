//! Stopping: at once, only what was asked for, and nothing that is finished is lost.

use walkforge::domain::{
    Cancel, EpochRecord, Event, EventKind, Progress, RunId, RunOutcome, Stage, TaskId,
};
use walkforge::runs::{RunStatus, RunStore};
use walkforge::spec::ExperimentSpec;
use walkforge::training::{Observer, TrainError};
use walkforge::workbench::{Command, TaskError, TaskObserver, Update, Workbench, run_task};

use crate::support::{folder, prepare, spec, wait_for};

/// Would train for hours.
fn endless(set: &[&str]) -> ExperimentSpec {
    let common = [
        "training.max_epochs=1000000",
        "training.patience=null",
        "resources.workers=2",
        "resources.device=cpu",
    ];
    spec("mlp-return", &common.iter().chain(set).copied().collect::<Vec<_>>())
}

fn event(update: Update) -> Option<Event> {
    match update {
        Update::Event(event) => Some(*event),
        _ => None,
    }
}

fn first_progress(workbench: &Workbench) -> (RunId, TaskId) {
    wait_for(workbench, |update| {
        let event = event(update)?;
        matches!(event.kind, EventKind::Progress(_)).then_some((event.run, event.task?))
    })
}

#[test]
fn a_cancelled_run_stops_and_says_so() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Start(Box::new(endless(&[]))));
    let (run, _) = first_progress(&workbench);
    workbench.send(Command::Cancel(run.clone()));
    let outcome = wait_for(&workbench, |update| match update {
        Update::RunDone { outcome, .. } => Some(outcome),
        _ => None,
    });
    assert_eq!(outcome, RunOutcome::Cancelled);
    let stored = folder(runs.path(), &run).outcome().unwrap().unwrap();
    assert_eq!(stored.outcome, RunOutcome::Cancelled);
}

#[test]
fn a_cancelled_task_stops_alone() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Start(Box::new(endless(&[]))));
    let (run, task) = first_progress(&workbench);
    workbench.send(Command::CancelTask(run.clone(), task.clone()));
    wait_for(&workbench, |update| {
        let event = event(update)?;
        (event.kind == EventKind::Cancelled && event.task.as_ref() == Some(&task)).then_some(())
    });
    // Its worker goes on with the next task.
    let next = wait_for(&workbench, |update| {
        let event = event(update)?;
        matches!(event.kind, EventKind::Started { .. }).then_some(event.task?)
    });
    assert_ne!(next, task);
}

#[test]
fn closing_the_workbench_stops_what_runs_and_what_waits() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Start(Box::new(endless(&[]))));
    workbench.send(Command::Start(Box::new(endless(&[]))));
    let (run, _) = first_progress(&workbench);
    drop(workbench);
    let (entries, broken) = RunStore::list(runs.path()).unwrap();
    assert!(broken.is_empty() && entries.iter().any(|entry| entry.id == run), "{entries:?}");
    for entry in entries {
        assert_eq!((entry.status, entry.finished), (RunStatus::Cancelled, 0), "{}", entry.id);
        let stored = folder(runs.path(), &entry.id).outcome().unwrap().unwrap();
        assert_eq!(stored.outcome, RunOutcome::Cancelled);
    }
}

/// Cancels at the first progress report and remembers which batch that was.
struct CancelAtOnce {
    cancel: Cancel,
    batch: Option<u32>,
}

impl Observer for CancelAtOnce {
    fn progress(&mut self, progress: Progress) {
        assert!(self.batch.is_none(), "a report after the cancel: {progress:?}");
        self.batch = Some(progress.batch);
        self.cancel.cancel();
    }

    fn epoch(&mut self, record: EpochRecord) {
        panic!("an epoch ended after the cancel: {record:?}");
    }
}

impl TaskObserver for CancelAtOnce {
    fn stage(&mut self, stage: Stage) {
        assert!(!self.cancel.is_cancelled(), "{stage:?} began after the cancel");
    }
}

#[test]
fn training_stops_at_the_next_batch() {
    let prepared = prepare(&endless(&["training.batch_size=1"]));
    let cancel = Cancel::new();
    let mut observer = CancelAtOnce { cancel: cancel.clone(), batch: None };
    let (task, series) = (&prepared.plan.tasks[0], &prepared.series[0]);
    let result = run_task(task, &prepared.spec, series, &cancel, &mut observer);
    let Err(TaskError::Train(TrainError::Cancelled { steps })) = result else {
        panic!("{result:?}")
    };
    assert_eq!(
        Some(steps),
        observer.batch.map(u64::from),
        "steps taken, and the batch that was cancelled in"
    );
}
