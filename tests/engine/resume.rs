//! Runs that stop before their end and are taken up again.

use std::collections::BTreeSet;
use std::path::Path;

use walkforge::domain::{Determinism, RunId, RunOutcome};
use walkforge::runs::{RunEntry, RunFilter, RunIndex, RunStatus};
use walkforge::spec::ExperimentSpec;
use walkforge::workbench::{Command, Workbench};

use crate::support::{folder, run_to_end};
use crate::told::{Told, experiment, of_folder, results, write_bars};

/// Starts the experiment, lets it train for a while, and stops it at checkpoints.
fn stopped(spec: &ExperimentSpec, runs: &Path) -> (RunId, Told) {
    let workbench = Workbench::open(runs, || {}).unwrap();
    workbench.send(Command::Start(Box::new(spec.clone())));
    let mut told = Told::default();
    told.until(&workbench, |told| !told.trained.is_empty() && !told.young.is_empty());
    workbench.send(Command::CheckpointAndStop);
    told.until(&workbench, |told| told.stopped);
    assert!(told.ended.is_empty(), "it has not ended");
    (told.runs[0].clone(), told)
}

/// The only run there is.
fn entry(runs: &Path) -> RunEntry {
    let mut entries = RunIndex::open(runs).unwrap().runs(&RunFilter::default()).unwrap();
    assert_eq!(entries.len(), 1);
    entries.remove(0)
}

fn status(runs: &Path) -> RunStatus {
    entry(runs).status
}

#[test]
fn a_run_stopped_at_checkpoints_is_resumed_by_another_program_with_the_same_bits() {
    let spec = experiment(&["training.refit=true", "training.max_epochs=80"]);
    let whole = tempfile::tempdir().unwrap();
    let (undisturbed, outcome) = run_to_end(&spec, whole.path());
    assert_eq!(outcome, RunOutcome::Finished);

    let runs = tempfile::tempdir().unwrap();
    let (run, first) = stopped(&spec, runs.path());
    assert_eq!(status(runs.path()), RunStatus::Interrupted);
    let tasks = folder(runs.path(), &run).manifest().unwrap().plan.tasks.len();
    assert!(first.trained.len() < tasks, "something is left to do");
    assert!(!first.paused.is_empty(), "something was at work");
    for task in &first.paused {
        let path = folder(runs.path(), &run).task(task).join("checkpoint.safetensors");
        assert!(path.exists(), "{}", path.display());
    }

    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Resume(run.clone()));
    workbench.send(Command::Resume(run.clone()));
    let mut told = Told::default();
    told.until(&workbench, |told| !told.ended.is_empty() || told.refused.is_some());
    assert_eq!((told.refused, told.warnings), (None, Vec::new()));
    assert_eq!(told.ended, [(run.clone(), RunOutcome::Finished)]);
    let kept: BTreeSet<_> = told.kept.keys().cloned().collect();
    assert_eq!(kept, first.trained, "what had finished is kept, and nothing else");
    assert_eq!(told.trained.len() + kept.len(), tasks);
    let resumed = folder(runs.path(), &run);
    assert!(results(&undisturbed) == results(&resumed));
    for task in resumed.manifest().unwrap().plan.tasks {
        let report = resumed.metadata(&task.id).unwrap().unwrap().report;
        assert_eq!(report.determinism, Determinism::BitForBit, "{}", task.id);
    }
    // There is nothing left to resume.
    workbench.send(Command::Resume(run));
    let mut told = Told::default();
    told.until(&workbench, |told| told.refused.is_some());
    assert_eq!(status(runs.path()), RunStatus::Finished);
}

#[test]
fn a_cancelled_run_goes_on_where_it_was() {
    let spec = experiment(&["resources.checkpoint_secs=1"]);
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Start(Box::new(spec.clone())));
    let mut told = Told::default();
    told.until(&workbench, |told| !told.trained.is_empty());
    let run = told.runs[0].clone();
    workbench.send(Command::Cancel(run.clone()));
    told.until(&workbench, |told| !told.ended.is_empty());
    assert_eq!(told.ended, [(run.clone(), RunOutcome::Cancelled)]);
    workbench.send(Command::Resume(run.clone()));
    told.until(&workbench, |told| told.ended.len() == 2 || told.refused.is_some());
    assert_eq!(told.refused, None);
    assert_eq!(told.ended[1], (run.clone(), RunOutcome::Finished));
    let whole = tempfile::tempdir().unwrap();
    let (undisturbed, _) = run_to_end(&spec, whole.path());
    assert!(results(&undisturbed) == results(&folder(runs.path(), &run)));
}

#[test]
fn a_cancelled_run_that_cannot_be_resumed_is_still_the_cancelled_run() {
    let data = tempfile::tempdir().unwrap();
    write_bars(data.path(), ("AAA", 1), 2600, 100.0);
    let path = data.path().join("AAA-1h.csv");
    let spec = of_folder(data.path(), &[]);
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Start(Box::new(spec)));
    let mut told = Told::default();
    told.until(&workbench, |told| !told.trained.is_empty());
    let run = told.runs[0].clone();
    workbench.send(Command::Cancel(run.clone()));
    told.until(&workbench, |told| !told.ended.is_empty());
    let outcome = || folder(runs.path(), &run).outcome().unwrap();
    let entry = || entry(runs.path());
    let (outcome_before, entry_before) = (outcome(), entry());
    assert!(outcome_before.is_some() && entry_before.score.is_some());
    let stands = |entry: &RunEntry| (entry.status, entry.finished, entry.score);
    std::fs::rename(&path, data.path().join("away")).unwrap();
    workbench.send(Command::Resume(run.clone()));
    told.until(&workbench, |told| told.refused.is_some());
    assert_eq!(outcome(), outcome_before);
    assert_eq!(stands(&entry()), stands(&entry_before));
}

#[test]
fn a_run_whose_data_changed_is_not_resumed_and_stays_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    let write = |close: f64| write_bars(data.path(), ("AAA", 1), 2600, close);
    write(100.0);
    let spec = of_folder(data.path(), &[]);
    let runs = tempfile::tempdir().unwrap();
    let (run, _) = stopped(&spec, runs.path());
    write(101.0);
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Resume(run.clone()));
    let mut told = Told::default();
    told.until(&workbench, |told| told.refused.is_some() || !told.ended.is_empty());
    let refused = told.refused.expect("it is refused");
    assert!(
        refused.contains("would not be the same") && refused.contains(run.as_str()),
        "{refused}"
    );
    assert_eq!(status(runs.path()), RunStatus::Interrupted);
    assert!(folder(runs.path(), &run).outcome().unwrap().is_none());
    write(100.0);
    workbench.send(Command::Resume(run.clone()));
    let mut told = Told::default();
    told.until(&workbench, |told| told.refused.is_some() || !told.ended.is_empty());
    assert_eq!(told.ended, [(run, RunOutcome::Finished)], "{:?}", told.refused);
}

#[test]
fn a_resumed_run_that_is_stopped_at_once_has_lost_nothing() {
    let runs = tempfile::tempdir().unwrap();
    let (run, first) = stopped(&experiment(&[]), runs.path());
    let finished =
        || RunIndex::open(runs.path()).unwrap().runs(&RunFilter::default()).unwrap()[0].finished;
    assert_eq!(finished(), first.trained.len() as u64);
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    // A second press of the button changes nothing.
    workbench.send(Command::Resume(run.clone()));
    workbench.send(Command::Resume(run));
    workbench.send(Command::CheckpointAndStop);
    let mut told = Told::default();
    told.until(&workbench, |told| told.stopped);
    assert_eq!(finished(), first.trained.len() as u64);
    assert_eq!(status(runs.path()), RunStatus::Interrupted);
}

/// Newer bars of every series, of which one lagged behind, and a symbol that was not there.
#[test]
fn what_has_come_since_is_left_out_of_a_resumed_run() {
    let data = tempfile::tempdir().unwrap();
    let write = |more: u32| {
        write_bars(data.path(), ("AAA", 1), 2600 + more, 100.0);
        write_bars(data.path(), ("AAA", 4), 2000 + more, 100.0);
        write_bars(data.path(), ("BBB", 1), 2311 + more, 100.0);
    };
    write(0);
    let set = [r#"data.timeframes=["1h","4h"]"#, "validation.max_folds=2"];
    let spec = of_folder(data.path(), &set);
    let whole = tempfile::tempdir().unwrap();
    let (undisturbed, _) = run_to_end(&spec, whole.path());
    let runs = tempfile::tempdir().unwrap();
    let (run, _) = stopped(&spec, runs.path());
    write(500);
    write_bars(data.path(), ("CCC", 1), 2600, 100.0);
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Resume(run.clone()));
    let mut told = Told::default();
    told.until(&workbench, |told| told.refused.is_some() || !told.ended.is_empty());
    assert_eq!(told.ended, [(run.clone(), RunOutcome::Finished)], "{:?}", told.refused);
    let resumed = folder(runs.path(), &run);
    assert!(results(&undisturbed) == results(&resumed));
    let tasks = resumed.path().join("tasks").read_dir().unwrap().count();
    assert_eq!(tasks, 6, "two folds of each of the three series, and of no other");
}

#[test]
fn a_chain_of_folds_goes_on_in_another_program_with_the_same_bits() {
    let spec = experiment(&["training.warm_start=true"]);
    let whole = tempfile::tempdir().unwrap();
    let (undisturbed, _) = run_to_end(&spec, whole.path());
    let runs = tempfile::tempdir().unwrap();
    let (run, first) = stopped(&spec, runs.path());
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Resume(run.clone()));
    let mut told = Told::default();
    told.until(&workbench, |told| told.refused.is_some() || !told.ended.is_empty());
    assert_eq!(told.ended, [(run.clone(), RunOutcome::Finished)], "{:?}", told.refused);
    assert_eq!(told.kept.len(), first.trained.len());
    assert!(results(&undisturbed) == results(&folder(runs.path(), &run)));
}

#[test]
fn a_resumed_run_that_is_cancelled_at_once_keeps_what_had_finished() {
    let runs = tempfile::tempdir().unwrap();
    let (run, first) = stopped(&experiment(&[]), runs.path());
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Resume(run.clone()));
    let mut told = Told::default();
    told.until(&workbench, |told| !told.runs.is_empty());
    workbench.send(Command::Cancel(run.clone()));
    told.until(&workbench, |told| !told.ended.is_empty());
    assert_eq!(told.ended, [(run.clone(), RunOutcome::Cancelled)]);
    let kept: BTreeSet<_> = told.kept.keys().cloned().collect();
    assert!(kept.is_superset(&first.trained), "{kept:?}");
    let entry = entry(runs.path());
    assert_eq!(entry.finished as usize, kept.len() + told.trained.len());
    assert!(entry.score.is_some(), "what had finished counts");
    let outcome = folder(runs.path(), &run).outcome().unwrap().unwrap();
    assert_eq!(outcome.summary.series.len(), 1);
}
