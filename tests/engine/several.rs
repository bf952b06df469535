//! Several runs at once: sweeps, turns, priorities, cancelling one among others.

use walkforge::domain::{Priority, RunOutcome, SweepMember};
use walkforge::runs::{RunFilter, RunIndex, RunStatus};
use walkforge::spec::{ExperimentSpec, SweepAxis, SweepSpec};
use walkforge::workbench::{Command, Workbench};

use crate::support::folder;
use crate::told::{Told, experiment};

#[test]
fn a_sweep_is_a_run_for_each_variant_and_they_share_the_machine() {
    let axis = |path: &str, values: &[&str]| SweepAxis {
        path: path.to_owned(),
        values: values.iter().map(|&value| value.to_owned()).collect(),
    };
    let axes = vec![
        axis("training.learning_rate", &["0.01", "0.003", "0.001"]),
        axis("model.hidden", &["[8]", "[16,8]"]),
    ];
    let mut spec = experiment(&["training.max_epochs=1", "validation.max_folds=2"]);
    spec.sweep = SweepSpec { axes, seeds: vec![1, 2], ..SweepSpec::default() };
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Start(Box::new(spec)));
    let mut told = Told::default();
    told.until(&workbench, |told| told.ended.len() == 12);
    assert!(told.ended.iter().all(|(_, outcome)| *outcome == RunOutcome::Finished));
    let entries = RunIndex::open(runs.path()).unwrap();
    let entries = entries.runs(&RunFilter::default()).unwrap();
    let mut members: Vec<SweepMember> =
        entries.iter().map(|entry| entry.sweep.clone().unwrap()).collect();
    members.sort_by_key(|member| member.variant);
    assert!(members.iter().all(|member| member.sweep == members[0].sweep && member.variants == 12));
    assert!(members.iter().zip(0..).all(|(member, place)| member.variant == place));
    let settings: Vec<String> = members[7].settings.iter().map(ToString::to_string).collect();
    assert_eq!(settings.join(" "), "training.learning_rate=0.003 model.hidden=[16,8] seed=2");
    let id = &entries.iter().find(|entry| entry.sweep.as_ref().unwrap().variant == 7).unwrap().id;
    let stored = walkforge::spec::read(&folder(runs.path(), id).path().join("spec.ron")).unwrap();
    assert_eq!((stored.training.learning_rate, stored.seed), (0.003, 2));
    assert!(stored.sweep.is_empty());
}

/// A sweep of six runs that do not end by themselves.
fn endless_sweep() -> ExperimentSpec {
    let mut spec = experiment(&["training.max_epochs=1000000", "validation.max_folds=1"]);
    spec.sweep = SweepSpec { seeds: (1..=6).collect(), ..SweepSpec::default() };
    spec
}

#[test]
fn a_run_of_a_sweep_is_cancelled_alone_and_all_of_them_stop_at_checkpoints() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Start(Box::new(endless_sweep())));
    let mut told = Told::default();
    told.until(&workbench, |told| told.runs.len() == 4 && told.waiting.len() == 2);
    let first = told.runs[0].clone();
    workbench.send(Command::Cancel(first.clone()));
    // Its place goes to the next variant; the others go on.
    told.until(&workbench, |told| told.runs.len() == 5);
    assert_eq!(told.ended, [(first, RunOutcome::Cancelled)]);
    told.until(&workbench, |told| told.learning.len() >= 2 && told.waiting.len() == 1);
    workbench.send(Command::CheckpointAndStop);
    told.until(&workbench, |told| told.stopped);
    assert_eq!((told.ended.len(), told.withdrawn), (1, 1), "nothing else was cancelled");
    let index = RunIndex::open(runs.path()).unwrap();
    let entries = index.runs(&RunFilter::default()).unwrap();
    let interrupted = entries.iter().filter(|entry| entry.status == RunStatus::Interrupted);
    assert_eq!((entries.len(), interrupted.count()), (5, 4));
}

#[test]
fn a_run_is_cancelled_at_once_although_every_worker_is_busy_with_another() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    let endless = experiment(&["training.max_epochs=1000000"]);
    workbench.send(Command::Start(Box::new(endless.clone())));
    let mut told = Told::default();
    told.until(&workbench, |told| told.learning.len() == 2);
    workbench.send(Command::Start(Box::new(endless)));
    told.until(&workbench, |told| told.runs.len() == 2);
    let second = told.runs[1].clone();
    workbench.send(Command::Cancel(second.clone()));
    told.until(&workbench, |told| !told.ended.is_empty());
    assert_eq!(told.ended, [(second.clone(), RunOutcome::Cancelled)]);
    assert!(!told.begun.contains(&second), "no worker had a moment for it");
}

#[test]
fn a_small_run_does_not_wait_for_a_large_one_and_a_waiting_one_can_be_withdrawn() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Start(Box::new(experiment(&[
        "training.max_epochs=1000000",
        "validation.max_folds=2",
    ]))));
    let mut told = Told::default();
    told.until(&workbench, |told| told.learning.len() == 2);
    let large = told.runs[0].clone();
    let small = experiment(&["training.max_epochs=1", "validation.max_folds=1"]);
    workbench.send(Command::Start(Box::new(small)));
    told.until(&workbench, |told| told.runs.len() == 2);
    // Both workers are taken, and the large run has no third task: the first that is free goes to the small one.
    let (_, task) = told.learning.iter().next().unwrap().clone();
    workbench.send(Command::PauseTask(large.clone(), task.clone()));
    told.until(&workbench, |told| !told.ended.is_empty());
    assert_eq!(told.ended, [(told.runs[1].clone(), RunOutcome::Finished)]);
    // More than are put to work at once: the rest waits, and is withdrawn.
    for _ in 0..5 {
        workbench.send(Command::Start(Box::new(experiment(&["training.max_epochs=1000000"]))));
    }
    told.until(&workbench, |told| told.runs.len() == 5 && told.waiting.len() == 2);
    workbench.send(Command::CancelWaiting(told.waiting.clone()));
    told.until(&workbench, |told| told.waiting.is_empty() && told.withdrawn == 2);
    workbench.send(Command::Prioritise(large.clone(), Priority::High));
    workbench.send(Command::ResumeTask(large.clone(), task));
    workbench.send(Command::CancelAll);
    told.until(&workbench, |told| told.ended.len() == 5);
    assert!(told.ended[1..].iter().all(|(_, outcome)| *outcome == RunOutcome::Cancelled));
    assert!(told.ended.iter().any(|(run, _)| *run == large));
}

#[test]
fn a_sweep_keeps_neither_another_experiment_nor_an_urgent_one_waiting() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Start(Box::new(endless_sweep())));
    let mut told = Told::default();
    told.until(&workbench, |told| told.runs.len() == 4 && told.waiting.len() == 2);
    let mut single = experiment(&["training.max_epochs=1", "validation.max_folds=1"]);
    for name in ["second", "urgent"] {
        name.clone_into(&mut single.name);
        workbench.send(Command::Start(Box::new(single.clone())));
    }
    told.until(&workbench, |told| told.waiting.len() == 4);
    let urgent = *told.waiting.last().unwrap();
    workbench.send(Command::PrioritiseWaiting(vec![urgent], Priority::High));
    // Four of the sweep are at work, and it comes beside them.
    told.until(&workbench, |told| told.runs.len() == 5);
    assert!(told.runs[4].as_str().contains("urgent"), "{:?}", told.runs);
    // A place goes to whoever has not had one yet.
    for run in &told.runs[..4] {
        workbench.send(Command::Cancel(run.clone()));
    }
    told.until(&workbench, |told| told.runs.len() > 5);
    assert!(told.runs[5].as_str().contains("second"), "{:?}", told.runs);
    workbench.send(Command::CancelAll);
    told.until(&workbench, |told| told.waiting.is_empty() && told.ended.len() == told.runs.len());
}
