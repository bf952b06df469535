//! Standing still and going on, folds that begin with the fold before, and the model trained on everything at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use walkforge::domain::{Determinism, Event, EventKind, RunId, RunOutcome, Task, TaskId, TaskRole};
use walkforge::export::{ExportWhat, export_run};
use walkforge::runs::{RunFolder, read_weights};
use walkforge::spec::ExperimentSpec;
use walkforge::workbench::{Command, Update, Workbench};

use crate::support::{folder, prepare, run_to_end};

/// As those that are interrupted, a little longer.
fn experiment(set: &[&str]) -> ExperimentSpec {
    crate::told::experiment(&[&["training.max_epochs=25"], set].concat())
}

/// What has been told of a run so far. Nothing is passed over: what comes together is taken in together.
#[derive(Default)]
struct Told {
    run: Option<RunId>,
    running: BTreeSet<TaskId>,
    /// Tasks that have learnt something since they were last started.
    learning: BTreeSet<TaskId>,
    /// Steps taken by each task that stands still.
    paused: BTreeMap<TaskId, u64>,
    cancelled: BTreeSet<TaskId>,
    failures: Vec<String>,
    outcome: Option<RunOutcome>,
}

impl Told {
    /// Listens until the condition holds.
    fn until(&mut self, workbench: &Workbench, holds: impl Fn(&Self) -> bool) {
        // Far beyond any honest run: only a hang reaches it.
        let until = Instant::now() + Duration::from_mins(10);
        while Instant::now() < until {
            if holds(self) {
                return;
            }
            for update in workbench.wait(Duration::from_secs(1)) {
                match update {
                    Update::RunDone { outcome, .. } => self.outcome = Some(outcome),
                    Update::Event(event) => self.take(*event),
                    Update::StartFailed { message, .. } | Update::RunBroken { message, .. } => {
                        panic!("{message}")
                    }
                    _ => {}
                }
            }
        }
        panic!("nothing came of it in ten minutes");
    }

    fn take(&mut self, event: Event) {
        let Event { run, task: Some(task), kind, .. } = event else { return };
        self.run = Some(run);
        match kind {
            EventKind::Started { .. } => {
                self.running.insert(task.clone());
                self.learning.remove(&task);
                self.paused.remove(&task);
            }
            EventKind::Progress(_) => {
                self.learning.insert(task);
            }
            EventKind::Paused { steps } => {
                self.running.remove(&task);
                self.paused.insert(task, steps);
            }
            EventKind::Finished { .. } => {
                self.running.remove(&task);
            }
            EventKind::Cancelled => {
                self.running.remove(&task);
                self.paused.remove(&task);
                self.cancelled.insert(task);
            }
            EventKind::Failed { message } => {
                self.running.remove(&task);
                self.failures.push(message);
            }
            _ => {}
        }
    }

    /// Listens until so many tasks are learning.
    fn until_learning(&mut self, workbench: &Workbench, tasks: usize) -> RunId {
        self.until(workbench, |told| {
            told.running.intersection(&told.learning).count() >= tasks || told.outcome.is_some()
        });
        self.run.clone().unwrap()
    }

    /// Asks a run to stand still and listens until it does.
    fn pause(&mut self, workbench: &Workbench, run: &RunId) {
        workbench.send(Command::Pause(run.clone()));
        self.until(workbench, |told| told.running.is_empty() && !told.paused.is_empty());
    }
}

/// What each task left, byte for byte.
fn files(folder: &RunFolder, name: &str) -> BTreeMap<TaskId, Vec<u8>> {
    let tasks = folder.manifest().unwrap().plan.tasks;
    let read = |task: &Task| std::fs::read(folder.task(&task.id).join(name)).unwrap();
    tasks.iter().map(|task| (task.id.clone(), read(task))).collect()
}

#[test]
fn a_paused_run_goes_on_from_its_checkpoints_with_the_same_bits() {
    let spec = experiment(&[]);
    let whole = tempfile::tempdir().unwrap();
    let (undisturbed, outcome) = run_to_end(&spec, whole.path());
    assert_eq!(outcome, RunOutcome::Finished);

    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Start(Box::new(spec)));
    let mut told = Told::default();
    let mut run = told.until_learning(&workbench, 2);
    for _ in 0..2 {
        told.pause(&workbench, &run);
        let stored = folder(runs.path(), &run);
        for task in told.paused.keys() {
            assert!(stored.task(task).join("checkpoint.safetensors").exists(), "{task}");
        }
        assert!(told.paused.values().any(|steps| *steps > 0), "{:?}", told.paused);
        workbench.send(Command::Resume(run.clone()));
        run = told.until_learning(&workbench, 1);
    }
    told.until(&workbench, |told| told.outcome.is_some());
    assert_eq!(told.outcome, Some(RunOutcome::Finished));
    let stored = folder(runs.path(), &run);
    for name in ["weights.safetensors", "predictions.parquet"] {
        assert!(files(&undisturbed, name) == files(&stored, name), "{name} differ");
    }
    for task in stored.manifest().unwrap().plan.tasks {
        let report = stored.metadata(&task.id).unwrap().unwrap().report;
        assert_eq!(report.determinism, Determinism::BitForBit);
        assert!(report.peak_memory.is_some());
        assert!(!stored.task(&task.id).join("checkpoint.safetensors").exists(), "it has finished");
    }
}

#[test]
fn a_run_that_stands_still_can_be_cancelled_and_closed() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Start(Box::new(experiment(&["training.max_epochs=1000000"]))));
    let mut told = Told::default();
    let run = told.until_learning(&workbench, 1);
    told.pause(&workbench, &run);
    let first = told.paused.keys().next().unwrap().clone();
    workbench.send(Command::CancelTask(run.clone(), first.clone()));
    told.until(&workbench, |told| told.cancelled.contains(&first));
    drop(workbench);
    let stored = folder(runs.path(), &run).outcome().unwrap().unwrap();
    assert_eq!(stored.outcome, RunOutcome::Cancelled);
}

#[test]
fn a_checkpoint_now_and_then_changes_nothing() {
    let bits = |secs: u32| {
        let runs = tempfile::tempdir().unwrap();
        let secs = format!("resources.checkpoint_secs={secs}");
        let (stored, outcome) = run_to_end(&experiment(&[&secs]), runs.path());
        assert_eq!(outcome, RunOutcome::Finished);
        files(&stored, "weights.safetensors")
    };
    assert!(bits(0) == bits(1));
}

#[test]
fn a_warm_start_begins_where_the_fold_before_ended_whatever_the_workers() {
    // Too few and small steps to get anywhere from where they begin.
    let few = ["training.max_epochs=1", "training.learning_rate=1e-9", "training.warm_start=true"];
    let runs = tempfile::tempdir().unwrap();
    let (stored, outcome) = run_to_end(&experiment(&few), runs.path());
    assert_eq!(outcome, RunOutcome::Finished);
    let tasks = stored.manifest().unwrap().plan.tasks;
    let first = |task: &Task| {
        let weights = read_weights(&stored.task(&task.id).join("weights.safetensors")).unwrap();
        Vec::<f32>::try_from(weights["head.weight"].flatten(0, -1)).unwrap()
    };
    for pair in tasks.windows(2) {
        assert_eq!(pair[1].after, [pair[0].id.clone()]);
        let (before, after) = (first(&pair[0]), first(&pair[1]));
        let moved = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(moved < 1e-5, "{}: {moved}", pair[1].id);
    }
    let bits = |workers: u32| {
        let runs = tempfile::tempdir().unwrap();
        let workers = format!("resources.workers={workers}");
        let set = [workers.as_str(), "training.max_epochs=2", "training.warm_start=true"];
        files(&run_to_end(&experiment(&set), runs.path()).0, "weights.safetensors")
    };
    assert!(bits(1) == bits(3));
    // Another beginning is another task.
    let keys = |set: &[&str]| -> Vec<_> {
        prepare(&experiment(set)).plan.tasks.into_iter().map(|task| task.key).collect()
    };
    assert!(keys(&["training.warm_start=true"])[1..] != keys(&[])[1..]);
}

#[test]
fn what_waits_for_a_cancelled_fold_fails_and_says_why() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    let set = ["training.warm_start=true", "training.max_epochs=1000000"];
    workbench.send(Command::Start(Box::new(experiment(&set))));
    let mut told = Told::default();
    let run = told.until_learning(&workbench, 1);
    let first = folder(runs.path(), &run).manifest().unwrap().plan.tasks[0].id.clone();
    workbench.send(Command::CancelTask(run, first.clone()));
    told.until(&workbench, |told| !told.failures.is_empty());
    let message = &told.failures[0];
    assert!(message.contains(first.as_str()) && message.contains("warm_start"), "{message}");
}

#[test]
fn a_refit_learns_from_every_row_for_the_median_of_the_best_epochs() {
    let set = ["training.refit=true", "training.max_epochs=4"];
    let runs = tempfile::tempdir().unwrap();
    let (stored, outcome) = run_to_end(&experiment(&set), runs.path());
    assert_eq!(outcome, RunOutcome::Finished);
    let tasks = stored.manifest().unwrap().plan.tasks;
    let (refit, folds) = tasks.split_last().unwrap();
    assert_eq!((refit.role, refit.id.as_str()), (TaskRole::Refit, "SYN_A-1h-refit"));
    assert_eq!(refit.after.len(), folds.len());
    let report = |task: &Task| stored.metadata(&task.id).unwrap().unwrap().report;
    let mut best: Vec<u32> = folds.iter().map(|task| report(task).best_epoch).collect();
    best.sort_unstable();
    let report = report(refit);
    assert_eq!(report.epochs, best[best.len() / 2]);
    assert_eq!((report.validation_loss, report.rows.validation, report.rows.test), (None, 0, 0));
    // Nearly all of the 2,600 bars; what is missing is warm-up and the last label.
    assert!(report.rows.train > 2400, "{:?}", report.rows);
    assert_eq!(report.model.ic_ts, None, "there is nothing to be tested on");
    // The folds' results are what they are without it.
    let runs = tempfile::tempdir().unwrap();
    let (without, _) = run_to_end(&experiment(&["training.max_epochs=4"]), runs.path());
    let (with, without) = (stored.outcome().unwrap().unwrap(), without.outcome().unwrap().unwrap());
    assert_eq!(with.summary, without.summary);
    let exported = tempfile::tempdir().unwrap();
    let folders =
        export_run(&stored, &ExportWhat::All, exported.path(), &walkforge::domain::Cancel::new())
            .unwrap();
    assert_eq!(folders.len(), tasks.len());
    assert!(exported.path().join("SYN_A-1h-refit/model.pt").exists());
}
