//! What a front end asks for beside runs: previews, folders, experiment files, earlier runs.

use std::cell::RefCell;
use std::path::Path;

use walkforge::dataset::TaskCut;
use walkforge::domain::{FoldIndex, Plan, RunId};
use walkforge::runs::{RunResults, RunStatus, RunStore};
use walkforge::spec::ExperimentSpec;
use walkforge::workbench::{Command, LeakReport, Look, LookAt, Update, Workbench};

use crate::support::{prepare, run_to_end, spec, wait_for};

/// Plans in a moment.
fn small(set: &[&str]) -> ExperimentSpec {
    let common = [
        "validation.max_folds=2",
        "validation.train=500",
        "validation.validation=100",
        "validation.test=100",
        "training.max_epochs=1",
        "resources.device=cpu",
    ];
    spec("linear-return", &common.iter().chain(set).copied().collect::<Vec<_>>())
}

/// Has 5,000 symbols to make up: minutes of work.
fn huge() -> ExperimentSpec {
    let mut spec = small(&["data.source.bars=20000"]);
    spec.data.symbols = (0..5000).map(|index| format!("S{index}").parse().unwrap()).collect();
    spec
}

fn preview(workbench: &Workbench, ticket: u64, spec: ExperimentSpec) {
    workbench.send(Command::Preview { ticket, spec: Box::new(spec) });
}

fn next_preview(workbench: &Workbench) -> (u64, Result<Box<Plan>, String>) {
    wait_for(workbench, |update| match update {
        Update::Previewed { ticket, plan } => Some((ticket, plan)),
        _ => None,
    })
}

fn saved(workbench: &Workbench, spec: &ExperimentSpec, to: &Path) -> Result<(), String> {
    let spec = Box::new(spec.clone());
    workbench.send(Command::SaveExperiment { spec, to: to.to_owned() });
    wait_for(workbench, |update| match update {
        Update::ExperimentSaved { path, saved } => {
            assert_eq!(path, to);
            Some(saved)
        }
        _ => None,
    })
}

fn opened(workbench: &Workbench, from: &Path) -> Result<Box<ExperimentSpec>, String> {
    workbench.send(Command::OpenExperiment(from.to_owned()));
    wait_for(workbench, |update| match update {
        Update::ExperimentOpened { path, spec } => {
            assert_eq!(path, from);
            Some(spec)
        }
        _ => None,
    })
}

fn results(workbench: &Workbench, wanted: &RunId) -> Result<Box<RunResults>, String> {
    workbench.send(Command::LoadResults(wanted.clone()));
    wait_for(workbench, |update| match update {
        Update::ResultsLoaded { run, results } => {
            assert_eq!(run, *wanted);
            Some(results)
        }
        _ => None,
    })
}

#[test]
fn a_preview_is_the_plan_that_would_run() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    for (ticket, set) in [(7, &[][..]), (8, &["model=\"Linear\"", "seed=5"])] {
        let spec = small(set);
        preview(&workbench, ticket, spec.clone());
        let (answered, plan) = next_preview(&workbench);
        assert_eq!((answered, *plan.unwrap()), (ticket, prepare(&spec).plan));
    }
    preview(&workbench, 9, small(&["validation.train=0"]));
    let (ticket, plan) = next_preview(&workbench);
    let message = plan.unwrap_err();
    assert!(ticket == 9 && message.contains("validation.train"), "{message}");
    drop(workbench);
    assert!(RunStore::list(runs.path()).unwrap().0.is_empty(), "no run was made");
}

#[test]
fn of_several_previews_the_latest_wins_and_the_others_are_silent() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    for ticket in 1..=3 {
        preview(&workbench, ticket, huge());
    }
    preview(&workbench, 4, small(&[]));
    let (ticket, plan) = next_preview(&workbench);
    assert_eq!((ticket, plan.is_ok()), (4, true));
    // Begun or still waiting, it is given up with the workbench.
    preview(&workbench, 5, huge());
}

#[test]
fn cancelling_everything_leaves_a_preview_alone() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    preview(&workbench, 1, small(&[]));
    workbench.send(Command::CancelAll);
    assert_eq!(next_preview(&workbench).0, 1);
}

fn look(workbench: &Workbench, ticket: u64, spec: ExperimentSpec, column: &str) {
    let (symbol, timeframe) = ("SYN_A".parse().unwrap(), "1h".parse().unwrap());
    let at = LookAt { symbol, timeframe, pooled: false, column: column.to_owned(), fold: None };
    workbench.send(Command::Look { ticket, spec: Box::new(spec), at });
}

/// The answer to a request, whatever is told of those that gave way to it.
fn looked(workbench: &Workbench, wanted: u64) -> Result<Box<Look>, String> {
    wait_for(workbench, |update| match update {
        Update::Looked { ticket, look } if ticket == wanted => Some(look),
        _ => None,
    })
}

#[test]
fn a_look_shows_the_rows_the_plan_counts() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    for set in [&[][..], &["data.pooling=Pooled"]] {
        let spec = small(set);
        let prepared = prepare(&spec);
        let (task, series) = (prepared.plan.tasks.last().unwrap(), prepared.series.last().unwrap());
        let (column, symbol) = (prepared.plan.features[1].clone(), task.symbols[0].clone());
        let at = LookAt {
            symbol: symbol.clone(),
            timeframe: task.timeframes[0],
            pooled: true,
            column,
            fold: None,
        };
        workbench.send(Command::Look { ticket: 1, spec: Box::new(spec), at: at.clone() });
        let look = looked(&workbench, 1).unwrap();
        assert_eq!((&look.fold, look.series), (&task.fold, task.symbols.len()), "{set:?}");
        let rows = TaskCut::of(series, &task.fold, prepared.spec.label).rows();
        for found in [&look.feature, &look.label] {
            let counted = found.sections.each_ref().map(|section| section.rows);
            assert_eq!(counted, [rows.train, rows.validation, rows.test], "{set:?}");
        }
        assert_eq!((&look.curve.symbol, look.curve.bars), (&symbol, series[0].close().len()));
        let of_one = LookAt { pooled: false, fold: Some(FoldIndex(0)), ..at };
        let spec = Box::new(small(set));
        workbench.send(Command::Look { ticket: 2, spec, at: of_one });
        let one = looked(&workbench, 2).unwrap();
        let fold = &prepared.plan.tasks[prepared.plan.tasks.len() - 2].fold;
        let rows = TaskCut::of(&series[..1], fold, prepared.spec.label).rows();
        assert_eq!((one.series, one.feature.sections[2].rows), (1, rows.test), "{set:?}");
    }
}

#[test]
fn what_cannot_be_looked_at_says_what_can() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    look(&workbench, 1, small(&[]), "nonsense");
    let message = looked(&workbench, 1).unwrap_err();
    let known = prepare(&small(&[])).plan.features.join(", ");
    assert!(message.contains("`nonsense`") && message.contains(&known), "{message}");
    look(&workbench, 2, small(&["data.symbols=[\"SYN_B\"]"]), "nonsense");
    let message = looked(&workbench, 2).unwrap_err();
    assert!(message.contains("SYN_A 1h is not part of the experiment"), "{message}");
    look(&workbench, 3, small(&["validation.train=0"]), "nonsense");
    let message = looked(&workbench, 3).unwrap_err();
    assert!(message.contains("validation.train"), "{message}");
}

#[test]
fn of_several_looks_the_latest_wins_and_everything_cancelled_is_told() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    for ticket in 1..=3 {
        look(&workbench, ticket, huge(), "log_return_1");
    }
    let column = prepare(&small(&[])).plan.features[0].clone();
    look(&workbench, 4, small(&[]), &column);
    assert!(looked(&workbench, 4).is_ok());
    look(&workbench, 5, huge(), &column);
    workbench.send(Command::CancelAll);
    let message = looked(&workbench, 5).unwrap_err();
    assert!(message.contains("ask for it again"), "{message}");
    // Begun or still waiting, it is given up with the workbench.
    look(&workbench, 6, huge(), &column);
}

fn check(workbench: &Workbench, ticket: u64, spec: ExperimentSpec) {
    workbench.send(Command::CheckLeaks { ticket, spec: Box::new(spec), contrast: false });
}

/// What is told of a check until it is answered: its stages and the answer.
fn checked(
    workbench: &Workbench,
    wanted: u64,
) -> (Vec<String>, Result<Box<LeakReport>, String>, bool) {
    let stages = RefCell::new(Vec::new());
    let (report, cancelled) = wait_for(workbench, |update| match update {
        Update::CheckingLeaks { ticket, stage } if ticket == wanted => {
            stages.borrow_mut().push(stage);
            None
        }
        Update::LeaksChecked { ticket, report, cancelled } if ticket == wanted => {
            Some((report, cancelled))
        }
        _ => None,
    });
    (stages.into_inner(), report, cancelled)
}

#[test]
fn a_leak_check_tells_its_stages_and_then_what_it_found() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    check(&workbench, 1, small(&[]));
    let (stages, report, cancelled) = checked(&workbench, 1);
    assert!(!stages.is_empty() && stages.iter().all(|stage| !stage.is_empty()), "{stages:?}");
    assert_eq!((report.unwrap().experiment.as_str(), cancelled), ("linear-return", false));
    check(&workbench, 2, small(&["validation.train=0"]));
    let (_, report, cancelled) = checked(&workbench, 2);
    let message = report.unwrap_err();
    assert!(message.contains("validation.train") && !cancelled, "{message}");
}

#[test]
fn a_check_that_waits_is_stopped_and_says_so() {
    let runs = tempfile::tempdir().unwrap();
    let (release, held) = crossbeam_channel::bounded::<()>(0);
    let (tell, begun) = crossbeam_channel::bounded::<()>(1);
    let workbench = Workbench::open(runs.path(), move || {
        if std::thread::current().name() == Some("walkforge-checker") {
            let _told_before = tell.try_send(());
            // Until the other end is dropped.
            let _released = held.recv();
        }
    })
    .unwrap();
    check(&workbench, 1, small(&[]));
    begun.recv().unwrap();
    // The first is at work and told to give up; the second waits and is stopped before it begins, the third gives way to the fourth.
    check(&workbench, 2, small(&[]));
    workbench.send(Command::StopCheck);
    let (_, report, cancelled) = checked(&workbench, 2);
    assert_eq!((report.unwrap_err().as_str(), cancelled), ("cancelled", true));
    check(&workbench, 3, small(&[]));
    check(&workbench, 4, small(&[]));
    let (_, report, cancelled) = checked(&workbench, 3);
    assert_eq!((report.unwrap_err().as_str(), cancelled), ("cancelled", true));
    drop(release);
    let (_, report, cancelled) = checked(&workbench, 4);
    assert!(report.is_ok() && !cancelled);
}

#[test]
fn a_folder_is_listed_or_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(&folder.path().join("runs"), || {}).unwrap();
    let scan = |wanted: &str| {
        let wanted = folder.path().join(wanted);
        workbench.send(Command::Scan(wanted.clone()));
        wait_for(&workbench, |update| match update {
            Update::Scanned { folder, catalog } => {
                assert_eq!(folder, wanted);
                Some(catalog)
            }
            _ => None,
        })
    };
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for name in ["AAA-1h.csv", "BBB-4h.feather", "notes.txt"] {
        std::fs::write(data.join(name), "never opened").unwrap();
    }
    let catalog = scan("data").unwrap();
    let symbols: Vec<&str> = catalog.entries().iter().map(|entry| entry.symbol.as_str()).collect();
    assert_eq!((symbols, catalog.skipped().len()), (vec!["AAA", "BBB"], 1));
    for (wanted, expected) in
        [("nowhere", "nowhere"), ("runs", "no market file"), ("data/notes.txt", "notes.txt")]
    {
        let message = scan(wanted).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn an_experiment_is_saved_and_opened_whatever_its_files_name() {
    let folder = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(&folder.path().join("runs"), || {}).unwrap();
    // One that cannot run is somebody's work all the same.
    for spec in [small(&[]), small(&["validation.train=0", "notes=mine"])] {
        for name in ["mine.ron", "deep/er/mine", "mlp-return"] {
            let path = folder.path().join(name);
            assert_eq!(saved(&workbench, &spec, &path), Ok(()));
            assert_eq!(opened(&workbench, &path).as_deref(), Ok(&spec), "{name}");
        }
    }
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 4, "runs, deep and two files: nothing is left beside them");
}

#[test]
fn a_place_that_cannot_be_written_is_named_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(&folder.path().join("runs"), || {}).unwrap();
    std::fs::write(folder.path().join("file"), "mine").unwrap();
    for (name, expected) in [
        ("runs", "runs: is a folder; name a file in it"),
        ("file/mine.ron", "file: cannot be written"),
        ("file/deep/mine.ron", "cannot be written"),
    ] {
        let message = saved(&workbench, &small(&[]), &folder.path().join(name)).unwrap_err();
        assert!(message.contains(expected) && !message.contains("--runs"), "{name}: {message}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("file")).unwrap(), "mine");
    assert!(folder.path().join("runs").is_dir());
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_no_regular_file_is_neither_opened_nor_replaced() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(folder.path(), || {}).unwrap();
    // Opening a pipe would wait for a writer for ever.
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for message in
        [saved(&workbench, &small(&[]), &pipe).unwrap_err(), opened(&workbench, &pipe).unwrap_err()]
    {
        assert!(message.contains("pipe: is no regular file"), "{message}");
    }
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
}

#[test]
fn a_broken_experiment_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(&folder.path().join("runs"), || {}).unwrap();
    let path = folder.path().join("mine.txt");
    let sound = small(&[]).to_ron();
    let line = sound.lines().position(|line| line.contains("max_epochs")).unwrap() + 1;
    std::fs::write(&path, sound.replace("max_epochs", "max_epoch")).unwrap();
    let message = opened(&workbench, &path).unwrap_err();
    assert!(message.contains(&format!("mine.txt:{line}:")), "{message}");
    for (name, expected) in [("nowhere", "nowhere: cannot be read"), ("runs", "runs: is a folder")]
    {
        let message = opened(&workbench, &folder.path().join(name)).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
    let large = folder.path().join("large");
    std::fs::File::create(&large).unwrap().set_len(1 << 40).unwrap();
    let message = opened(&workbench, &large).unwrap_err();
    assert!(message.contains("1099511627776 bytes"), "{message}");
}

#[test]
fn too_many_small_jobs_are_refused_and_the_others_answered() {
    const QUEUE: usize = 256;
    let runs = tempfile::tempdir().unwrap();
    let (release, held) = crossbeam_channel::bounded::<()>(0);
    let workbench = Workbench::open(runs.path(), move || {
        if std::thread::current().name() == Some("walkforge-desk") {
            // Until the other end is dropped.
            let _released = held.recv();
        }
    })
    .unwrap();
    let is_answer = |update: &Update| matches!(update, Update::RunsListed { .. });
    workbench.send(Command::ListRuns);
    // The desk has answered, and is held while it wakes the front end.
    wait_for(&workbench, |update| is_answer(&update).then_some(()));
    for _ in 0..=QUEUE {
        workbench.send(Command::ListRuns);
    }
    let refused = workbench.drain();
    assert!(
        matches!(refused.as_slice(), [Update::RunsListed { runs: Err(_), .. }]),
        "one more than can wait: {refused:?}"
    );
    drop(release);
    let mut answers = 0;
    while answers < QUEUE {
        let updates = workbench.wait(std::time::Duration::from_mins(10));
        assert!(!updates.is_empty() && updates.iter().all(is_answer), "{updates:?}");
        answers += updates.len();
    }
    assert_eq!(answers, QUEUE);
}

#[test]
fn runs_are_listed_and_their_results_loaded() {
    let runs = tempfile::tempdir().unwrap();
    let (folder, _) = run_to_end(&small(&[]), runs.path());
    let broken = runs.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(broken.join("manifest.json"), "{").unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::ListRuns);
    let (listed, broken) = wait_for(&workbench, |update| match update {
        Update::RunsListed { runs, broken, .. } => Some((runs.unwrap(), broken)),
        _ => None,
    });
    let [entry] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!((entry.path.as_path(), entry.finished), (folder.path(), 4));
    assert!(broken.len() == 1 && broken[0].contains("broken/manifest.json"), "{broken:?}");

    let loaded = results(&workbench, &entry.id).unwrap();
    assert_eq!(*loaded, folder.results().unwrap());
    assert_eq!((&loaded.run, loaded.status), (&entry.id, RunStatus::Finished));
    assert_eq!(loaded.tasks.len(), 4);
    assert!(loaded.tasks.iter().all(|task| task.report.is_some() && task.failure.is_none()));
    assert_eq!(loaded.summary, folder.outcome().unwrap().map(|outcome| outcome.summary));

    let message = results(&workbench, &RunId::new("nothing")).unwrap_err();
    assert!(message.contains("no run `nothing`"), "{message}");
    std::fs::remove_dir_all(runs.path()).unwrap();
    std::fs::write(runs.path(), "").unwrap();
    workbench.send(Command::ListRuns);
    let message = wait_for(&workbench, |update| match update {
        Update::RunsListed { runs, .. } => Some(runs.unwrap_err()),
        _ => None,
    });
    assert!(message.contains("cannot be read"), "{message}");
    std::fs::remove_file(runs.path()).unwrap();
    std::fs::create_dir(runs.path()).unwrap();
}
