//! Standing still and going on, folds that begin with the fold before, and the model trained on everything at the end.

use std::collections::BTreeMap;

use walkforge::domain::{Determinism, Event, EventKind, RunId, RunOutcome, Task, TaskId, TaskRole};
use walkforge::runs::{RunFolder, read_weights};
use walkforge::spec::ExperimentSpec;
use walkforge::workbench::{Command, Update, Workbench};

use crate::support::{folder, prepare, run_to_end, spec, wait_for};

/// Five folds of one symbol, with dropout, long enough to be interrupted.
fn experiment(set: &[&str]) -> ExperimentSpec {
    let common = [
        r#"data.source={"Synthetic":{"market":{"Planted":{"ic":0.3}},"bars":2600,"seed":5}}"#,
        r#"data.symbols=["SYN_A"]"#,
        "validation.train=1000",
        "validation.validation=300",
        "validation.test=300",
        "training.max_epochs=12",
        "training.patience=null",
        "training.batch_size=16",
        r#"model={"Mlp":{"hidden":[32,16],"activation":"Relu","dropout":0.3}}"#,
        "resources.device=cpu",
        "resources.workers=2",
    ];
    let all: Vec<&str> = common.iter().chain(set).copied().collect();
    spec("mlp-return", &all)
}

fn event(update: Update) -> Option<Event> {
    match update {
        Update::Event(event) => Some(*event),
        _ => None,
    }
}

/// What each task left, byte for byte.
fn files(folder: &RunFolder, name: &str) -> BTreeMap<TaskId, Vec<u8>> {
    let tasks = folder.manifest().unwrap().plan.tasks;
    let read = |task: &Task| std::fs::read(folder.task(&task.id).join(name)).unwrap();
    tasks.iter().map(|task| (task.id.clone(), read(task))).collect()
}

/// Waits until so many tasks stand still, with what each had learnt by then.
fn wait_for_paused(workbench: &Workbench, tasks: usize) -> BTreeMap<TaskId, u64> {
    let paused = std::cell::RefCell::new(BTreeMap::new());
    wait_for(workbench, |update| {
        if let Some(Event { task: Some(task), kind: EventKind::Paused { steps }, .. }) =
            event(update)
        {
            paused.borrow_mut().insert(task, steps);
        }
        (paused.borrow().len() == tasks).then_some(())
    });
    paused.into_inner()
}

fn wait_for_run(workbench: &Workbench) -> RunId {
    wait_for(workbench, |update| {
        let event = event(update)?;
        matches!(event.kind, EventKind::Progress(_)).then_some(event.run)
    })
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
    let run = wait_for_run(&workbench);
    for _ in 0..2 {
        workbench.send(Command::Pause(run.clone()));
        let paused = wait_for_paused(&workbench, 2);
        let stored = folder(runs.path(), &run);
        for (task, steps) in &paused {
            assert!(*steps > 0 || paused.len() == 2, "{task}");
            assert!(stored.task(task).join("checkpoint.safetensors").exists(), "{task}");
        }
        workbench.send(Command::Resume(run.clone()));
        wait_for(&workbench, |update| {
            matches!(event(update)?.kind, EventKind::Started { .. }).then_some(())
        });
    }
    let outcome = wait_for(&workbench, |update| match update {
        Update::RunDone { outcome, .. } => Some(outcome),
        _ => None,
    });
    assert_eq!(outcome, RunOutcome::Finished);
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
    let run = wait_for_run(&workbench);
    workbench.send(Command::Pause(run.clone()));
    let paused = wait_for_paused(&workbench, 2);
    let first = paused.keys().next().unwrap().clone();
    workbench.send(Command::CancelTask(run.clone(), first.clone()));
    wait_for(&workbench, |update| {
        let event = event(update)?;
        (event.kind == EventKind::Cancelled && event.task.as_ref() == Some(&first)).then_some(())
    });
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
    let run = wait_for_run(&workbench);
    let first = folder(runs.path(), &run).manifest().unwrap().plan.tasks[0].id.clone();
    workbench.send(Command::CancelTask(run, first.clone()));
    let message = wait_for(&workbench, |update| match event(update)?.kind {
        EventKind::Failed { message } => Some(message),
        _ => None,
    });
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
        walkforge::export::export_run(&stored, exported.path(), &walkforge::domain::Cancel::new())
            .unwrap();
    assert_eq!(folders.len(), tasks.len());
    assert!(exported.path().join("SYN_A-1h-refit/model.pt").exists());
}
