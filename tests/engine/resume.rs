//! Runs that stop before their end and are taken up again, results that are taken over, and several runs at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use walkforge::domain::{
    Determinism, EventKind, Priority, RunId, RunOutcome, SweepMember, TaskId, TaskRole,
};
use walkforge::runs::{RunEntry, RunFilter, RunFolder, RunIndex, RunStatus};
use walkforge::spec::{DataSource, ExperimentSpec, SweepAxis, SweepSpec};
use walkforge::workbench::{Command, Update, Workbench};

use crate::support::{folder, run_to_end, spec};

/// Five folds of one symbol, with dropout, long enough to be interrupted.
fn experiment(set: &[&str]) -> ExperimentSpec {
    let common = [
        r#"data.source={"Synthetic":{"market":{"Planted":{"ic":0.3}},"bars":2600,"seed":5}}"#,
        r#"data.symbols=["SYN_A"]"#,
        "validation.train=1000",
        "validation.validation=300",
        "validation.test=300",
        "training.max_epochs=20",
        "training.patience=null",
        "training.batch_size=16",
        r#"model={"Mlp":{"hidden":[32,16],"activation":"Relu","dropout":0.3}}"#,
        "resources.device=cpu",
        "resources.workers=2",
        "resources.reuse=false",
    ];
    let all: Vec<&str> = common.iter().chain(set).copied().collect();
    spec("mlp-return", &all)
}

/// Everything told until a condition holds, by task.
#[derive(Default)]
struct Told {
    runs: Vec<RunId>,
    learning: BTreeSet<(RunId, TaskId)>,
    /// Tasks that have most of their training before them.
    young: BTreeSet<TaskId>,
    paused: BTreeSet<TaskId>,
    trained: BTreeSet<(RunId, TaskId)>,
    kept: BTreeMap<(RunId, TaskId), Option<RunId>>,
    ended: Vec<(RunId, RunOutcome)>,
    /// In the order in which tasks began.
    begun: Vec<RunId>,
    refused: Option<String>,
    /// Numbers of what waits or is being planned, as told last.
    waiting: Vec<u64>,
    withdrawn: u32,
    stopped: bool,
    warnings: Vec<String>,
}

impl Told {
    fn until(&mut self, workbench: &Workbench, holds: impl Fn(&Self) -> bool) {
        // Far beyond any honest run: only a hang reaches it.
        let until = Instant::now() + Duration::from_mins(10);
        while Instant::now() < until {
            if holds(self) {
                return;
            }
            for update in workbench.wait(Duration::from_secs(1)) {
                self.take(update);
            }
        }
        panic!("nothing came of it in ten minutes");
    }

    fn take(&mut self, update: Update) {
        match update {
            Update::StartFailed { cancelled: true, .. } => self.withdrawn += 1,
            Update::Waiting(waiting) => {
                self.waiting = waiting.iter().map(|waiting| waiting.number).collect();
            }
            Update::StartFailed { message, .. } | Update::RunBroken { message, .. } => {
                panic!("{message}")
            }
            Update::RunDone { run, outcome } => self.ended.push((run, outcome)),
            Update::ResumeFailed { message, .. } => self.refused = Some(message),
            Update::Stopped => self.stopped = true,
            Update::Event(event) => match (event.task, event.kind) {
                (None, EventKind::Planned { .. }) => self.runs.push(event.run),
                (Some(_), EventKind::Started { .. }) => self.begun.push(event.run),
                (Some(task), EventKind::Progress(progress)) => {
                    if progress.share() < 0.3 {
                        self.young.insert(task.clone());
                    } else {
                        self.young.remove(&task);
                    }
                    self.learning.insert((event.run, task));
                }
                (Some(task), EventKind::Paused { .. }) => {
                    self.paused.insert(task);
                }
                (Some(task), EventKind::Finished { .. }) => {
                    self.trained.insert((event.run, task));
                }
                (Some(task), EventKind::Kept { from, .. }) => {
                    self.kept.insert((event.run, task), from.map(|from| from.run));
                }
                (_, EventKind::Warning { message }) => self.warnings.push(message),
                _ => {}
            },
            _ => {}
        }
    }
}

/// What each task left, byte for byte, and what the run adds up to.
fn results(folder: &RunFolder) -> (BTreeMap<String, Vec<u8>>, String) {
    let mut files = BTreeMap::new();
    for task in folder.manifest().unwrap().plan.tasks {
        for name in ["weights.safetensors", "predictions.parquet"] {
            let path = folder.task(&task.id).join(name);
            // A refit predicts nothing.
            if task.role == TaskRole::Fold || name == "weights.safetensors" {
                files.insert(format!("{}/{name}", task.id), std::fs::read(path).unwrap());
            }
        }
        assert!(!folder.task(&task.id).join("checkpoint.safetensors").exists(), "it has finished");
    }
    let outcome = folder.outcome().unwrap().unwrap();
    let equity = folder.equity().unwrap();
    (files, format!("{:?} {:?} {equity:?}", outcome.outcome, outcome.summary))
}

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
    let path = data.path().join("AAA-1h.csv");
    let mut text = "date,open,high,low,close,volume\n".to_owned();
    for bar in 0..2600 {
        let price = 100.0 + (f64::from(bar) * 0.7).sin();
        let (high, low) = (price + 2.0, price - 2.0);
        let (time, volume) = (1_704_067_200 + bar * 3600, bar % 7 + 1);
        writeln!(text, "{time},{price},{high},{low},{price},{volume}").unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let mut spec = experiment(&[]);
    spec.data.source = DataSource::Folder(data.path().to_owned());
    spec.data.symbols.clear();
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
    let write = |last_close: f64| {
        let mut text = "date,open,high,low,close,volume\n".to_owned();
        for bar in 0..2600 {
            let price = 100.0 + (f64::from(bar) * 0.7).sin();
            let close = if bar == 1200 { last_close } else { price };
            let (high, low) = (price + 2.0, price - 2.0);
            let (time, volume) = (1_704_067_200 + bar * 3600, bar % 7 + 1);
            writeln!(text, "{time},{price},{high},{low},{close},{volume}").unwrap();
        }
        std::fs::write(data.path().join("AAA-1h.csv"), text).unwrap();
    };
    write(100.0);
    let mut spec = experiment(&[]);
    spec.data.source = DataSource::Folder(data.path().to_owned());
    spec.data.symbols.clear();
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
fn what_an_earlier_run_trained_is_taken_over_unless_it_is_to_be_trained_again() {
    let runs = tempfile::tempdir().unwrap();
    let reuse = ["resources.reuse=true", "training.max_epochs=2"];
    let (first, _) = run_to_end(&experiment(&reuse), runs.path());
    let second = |set: &[&str]| {
        let workbench = Workbench::open(runs.path(), || {}).unwrap();
        workbench.send(Command::Start(Box::new(experiment(set))));
        let mut told = Told::default();
        told.until(&workbench, |told| !told.ended.is_empty());
        (folder(runs.path(), &told.runs[0]), told)
    };
    let tasks = first.manifest().unwrap().plan.tasks.len();
    let (taken_over, told) = second(&reuse);
    assert_eq!((told.trained.len(), told.kept.len()), (0, tasks));
    let id = first.manifest().unwrap().run;
    assert!(told.kept.values().all(|from| from.as_ref() == Some(&id)), "{:?}", told.kept);
    assert!(results(&first) == results(&taken_over));
    let manifest = taken_over.manifest().unwrap();
    assert!(manifest.plan.tasks.iter().all(|task| task.reuse.is_some()));
    assert!(manifest.plan.tasks.iter().all(|task| task.expected_ms.is_some_and(|ms| ms > 0)));
    let (dear, told) = second(&[&reuse[..], &["costs.fee_bps=50.0"]].concat());
    assert_eq!((told.trained.len(), told.kept.len()), (0, tasks), "costs change no model");
    let report = |run: &RunFolder| {
        let task = run.manifest().unwrap().plan.tasks[0].id.clone();
        run.metadata(&task).unwrap().unwrap().report
    };
    assert!(report(&dear).model.total_return < report(&first).model.total_return);
    assert_eq!(report(&dear).model.ic_ts, report(&first).model.ic_ts);
    let (again, told) = second(&["resources.reuse=false", "training.max_epochs=2"]);
    assert_eq!((told.trained.len(), told.kept.len()), (tasks, 0));
    assert!(results(&first) == results(&again));
    let (_, told) = second(&["resources.reuse=true", "training.max_epochs=3"]);
    assert_eq!(
        (told.trained.len(), told.kept.len()),
        (tasks, 0),
        "another training is another task"
    );
}

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

#[test]
fn the_other_symbols_of_a_panel_are_part_of_a_tasks_key_where_it_compares_them() {
    let key = |symbols: &str, set: &[&str]| {
        let symbols = format!("data.symbols={symbols}");
        let all: Vec<&str> = [symbols.as_str()].into_iter().chain(set.iter().copied()).collect();
        crate::support::prepare(&experiment(&all)).plan.tasks[0].key
    };
    let named = |count: u8| {
        let names: Vec<String> =
            (b'A'..b'A' + count).map(|c| format!(r#""SYN_{}""#, char::from(c))).collect();
        format!("[{}]", names.join(","))
    };
    let (fewer, more) = (&named(11), &named(12));
    assert_eq!(key(fewer, &[]), key(more, &[]), "each symbol stands for itself");
    let demeaned = [r#"label={"DemeanedReturn":{"horizon":1,"minimum_symbols":2}}"#];
    assert_ne!(key(fewer, &demeaned), key(more, &demeaned));
    let ranked = [r#"features[0]={"CrossRank":{"of":{"LogReturn":{"lag":4}}}}"#];
    assert_ne!(key(fewer, &ranked), key(more, &ranked));
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
