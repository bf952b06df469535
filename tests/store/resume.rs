//! What a run is after it was taken over.

use walkforge::domain::{ContentHash, EventKind, RunOutcome, RunSummary, UtcMillis};
use walkforge::runs::{Outcome, RunFolder, RunIndex, RunStatus, StoreError};

use crate::support::{
    beginning_with, create, end, entry, finished, id, interrupted, open, plan, report, sqlite,
    task_ids, train,
};

#[test]
fn finished_tasks_are_kept_and_the_count_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let run = id(&interrupted(root.path(), 3));
    let index = RunIndex::open(root.path()).unwrap();
    let last = index.log(&run).unwrap().pop().unwrap().seq;
    let store = open(root.path());
    let resumed = store.resume(&run).unwrap();
    assert_eq!(resumed.finished, task_ids(3));
    assert_eq!(resumed.spec, crate::support::spec());
    assert_eq!(resumed.manifest.plan, plan());
    resumed.log.record(None, EventKind::Queued).unwrap();
    assert_eq!(index.log(&run).unwrap().pop().unwrap().seq, last + 1);
    for task in &plan().tasks[3..] {
        train(&resumed.folder, &resumed.log, task).unwrap();
    }
    assert_eq!(resumed.log.endings().len(), 10, "those of before are remembered");
    end(&resumed.folder, &resumed.log, RunOutcome::Finished).unwrap();
    let entry = entry(root.path(), &run);
    assert_eq!((entry.status, entry.finished, entry.failed), (RunStatus::Finished, 10, 0));
    let error = store.resume(&run).unwrap_err();
    assert_eq!(error, StoreError::NothingToResume { run });
}

#[test]
fn a_finished_task_whose_files_are_gone_is_trained_again_with_a_warning() {
    let root = tempfile::tempdir().unwrap();
    let folder = interrupted(root.path(), 3);
    let run = id(&folder);
    std::fs::remove_file(folder.task(&plan().tasks[1].id).join("weights.safetensors")).unwrap();
    std::fs::remove_dir_all(folder.task(&plan().tasks[2].id)).unwrap();
    let store = open(root.path());
    let resumed = store.resume(&run).unwrap();
    assert_eq!(resumed.finished, task_ids(1));
    let log = RunIndex::open(root.path()).unwrap().log(&run).unwrap();
    let warned: Vec<_> = log.into_iter().filter(|line| line.kind == "warning").collect();
    let tasks: Vec<_> = warned.iter().filter_map(|line| line.task.clone()).collect();
    assert_eq!(tasks, task_ids(3)[1..]);
    assert!(warned[0].message.as_ref().unwrap().contains("its files are gone"));
    assert_eq!(entry(root.path(), &run).finished, 1);
}

#[test]
fn how_it_ended_before_is_put_aside_until_it_ends_again() {
    let root = tempfile::tempdir().unwrap();
    for outcome in [RunOutcome::Failed, RunOutcome::Cancelled] {
        let store = open(root.path());
        let (run, folder, log) = create(&store);
        let task = &plan().tasks[0];
        train(&folder, &log, task).unwrap();
        let message = "the device is gone".to_owned();
        let failed = &plan().tasks[1].id;
        log.record(Some(failed), EventKind::Failed { message: message.clone() }).unwrap();
        let ended = entry(root.path(), &run);
        assert_eq!((ended.status, ended.failed), (RunStatus::Running, 1));
        assert_eq!(folder.failures().unwrap(), [(failed.clone(), message.clone())]);
        end(&folder, &log, outcome).unwrap();
        assert_eq!(folder.failures().unwrap(), [(failed.clone(), message)], "of the folder alone");
        let ended = entry(root.path(), &run);
        assert_eq!((ended.status, ended.ended.is_some()), (outcome.into(), true));

        let resumed = store.resume(&run).unwrap();
        assert_eq!(folder.outcome().unwrap(), None);
        assert!(folder.path().join("outcome.previous.json").is_file());
        let running = entry(root.path(), &run);
        assert_eq!((running.status, running.failed, running.ended), (RunStatus::Running, 0, None));
        assert_eq!(folder.failures().unwrap(), []);
        end(&folder, &resumed.log, RunOutcome::Finished).unwrap();
        assert!(!folder.path().join("outcome.previous.json").exists());
        assert_eq!(entry(root.path(), &run).status, RunStatus::Finished);
    }
}

/// Interrupted runs have no outcome that would tell it once more.
#[test]
fn a_run_that_is_given_back_has_its_failures_as_before() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let (run, folder, log) = create(&store);
    train(&folder, &log, &plan().tasks[0]).unwrap();
    let failed = [(plan().tasks[1].id.clone(), "the device is gone".to_owned())];
    let message = failed[0].1.clone();
    log.record(Some(&failed[0].0), EventKind::Failed { message }).unwrap();
    store.release(&run).unwrap();
    for _again in 0..2 {
        assert_eq!(store.resume(&run).unwrap().finished, task_ids(1));
        assert_eq!((entry(root.path(), &run).failed, folder.failures().unwrap()), (0, vec![]));
        store.give_back(&run).unwrap();
        let after = entry(root.path(), &run);
        assert_eq!((after.status, after.finished, after.failed), (RunStatus::Interrupted, 1, 1));
        assert_eq!(folder.failures().unwrap(), failed);
    }
}

#[test]
fn what_a_killed_process_left_half_written_goes_when_its_run_is_taken_over() {
    let root = tempfile::tempdir().unwrap();
    let folder = interrupted(root.path(), 1);
    let task = folder.task(&task_ids(1)[0]);
    for litter in [folder.path().join(".walkforge-a1"), task.join(".walkforge-b2")] {
        std::fs::write(litter, "half of").unwrap();
    }
    // Not ours: somebody keeps an export there.
    std::fs::create_dir(folder.path().join(".walkforge-folder")).unwrap();
    let store = open(root.path());
    let resumed = store.resume(&id(&folder)).unwrap();
    assert_eq!(resumed.finished, task_ids(1));
    assert_eq!(beginning_with(&task, ".walkforge-"), [""; 0].map(std::path::PathBuf::from));
    let left = beginning_with(folder.path(), ".walkforge-");
    assert_eq!(left, [folder.path().join(".walkforge-folder")]);
}

#[test]
fn a_task_that_finished_unnoticed_has_its_costs_and_its_whole_curve_once_it_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let folder = interrupted(root.path(), 0);
    let task = &plan().tasks[0];
    crate::support::write_result(&folder, task).unwrap();
    let run = id(&folder);
    let store = open(root.path());
    store.resume(&run).unwrap();
    let seconds: Option<f64> = sqlite(root.path())
        .query_row("SELECT seconds FROM tasks WHERE name = ?1", [task.id.as_str()], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(seconds, Some(report().seconds));
    let curves = RunIndex::open(root.path()).unwrap().curves(&run).unwrap();
    assert_eq!(curves[&task.id].len(), 2);
}

/// As after an end that is on disk and could not be recorded.
#[test]
fn a_run_whose_outcome_is_on_disk_has_ended_whoever_let_go_of_it() {
    let ended = |folder: &RunFolder| {
        let (ended, outcome) = (UtcMillis::now(), RunOutcome::Finished);
        let (summary, tasks) = (RunSummary::default(), Vec::new());
        folder.write_outcome(&Outcome { ended, outcome, summary, tasks }).unwrap();
    };
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let (run, folder, _log) = create(&store);
    ended(&folder);
    store.release(&run).unwrap();
    assert_eq!(entry(root.path(), &run).status, RunStatus::Finished);

    let folder = interrupted(root.path(), 0);
    ended(&folder);
    assert_eq!(entry(root.path(), &id(&folder)).status, RunStatus::Interrupted);
    drop(open(root.path()));
    assert_eq!(entry(root.path(), &id(&folder)).status, RunStatus::Finished);
}

#[test]
fn a_run_is_shown_as_it_is_listed() {
    let root = tempfile::tempdir().unwrap();
    let folder = finished(root.path());
    sqlite(root.path()).execute("UPDATE runs SET outcome = 'cancelled'", []).unwrap();
    let listed = entry(root.path(), &id(&folder)).status;
    assert_eq!((listed, folder.results().unwrap().status), (RunStatus::Cancelled, listed));
    // Without an index its own files tell it.
    for file in beginning_with(root.path(), "index.sqlite3") {
        std::fs::remove_file(file).unwrap();
    }
    assert_eq!(folder.results().unwrap().status, RunStatus::Finished);
}

/// A folder in the place of a file stands for a disk that takes nothing.
#[test]
fn a_takeover_that_fails_half_way_leaves_the_run_as_it_was() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let (run, folder, log) = create(&store);
    end(&folder, &log, RunOutcome::Failed).unwrap();
    let before = entry(root.path(), &run);
    let in_the_way = folder.path().join("outcome.previous.json/full");
    std::fs::create_dir_all(&in_the_way).unwrap();
    let error = store.resume(&run).unwrap_err().to_string();
    assert!(error.contains("outcome.json: cannot be written"), "{error}");
    let after = entry(root.path(), &run);
    assert_eq!(
        (after.status, after.score, after.failed),
        (before.status, before.score, before.failed)
    );
    assert!(after.ended.is_some());
    assert_eq!(folder.outcome().unwrap().unwrap().outcome, RunOutcome::Failed);
    std::fs::remove_dir_all(in_the_way.parent().unwrap()).unwrap();
    store.resume(&run).unwrap();
}

#[test]
fn tasks_are_found_by_their_keys_while_their_files_are_there() {
    let root = tempfile::tempdir().unwrap();
    let older = interrupted(root.path(), 2);
    std::thread::sleep(std::time::Duration::from_millis(20));
    let newer = interrupted(root.path(), 1);
    let index = RunIndex::open(root.path()).unwrap();
    let keys: Vec<ContentHash> = plan().tasks.iter().map(|task| task.key).collect();
    let found = index.finished(&keys).unwrap();
    let runs: Vec<_> = found.values().map(|stored| stored.run.clone()).collect();
    assert_eq!(found.len(), 2);
    assert!(runs.contains(&id(&newer)) && runs.contains(&id(&older)), "of several the newest");
    assert_eq!(found[&keys[0]].run, id(&newer));
    let task = &plan().tasks[0].id;
    std::fs::remove_file(newer.task(task).join("weights.safetensors")).unwrap();
    assert_eq!(index.finished(&keys).unwrap()[&keys[0]].run, id(&older), "the newest whole one");
    std::fs::remove_dir_all(older.path()).unwrap();
    assert!(index.finished(&keys).unwrap().is_empty());
    assert!(index.finished(&[]).unwrap().is_empty());
}

#[test]
fn a_task_taken_over_from_another_run_counts_as_finished() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let (run, folder, log) = create(&store);
    let task = &plan().tasks[0];
    crate::support::write_result(&folder, task).unwrap();
    let from = walkforge::domain::StoredTask { run: id(&folder), task: task.id.clone() };
    let kept = EventKind::Kept { report: Box::new(report()), from: Some(from) };
    log.record(Some(&task.id), kept).unwrap();
    assert_eq!(entry(root.path(), &run).finished, 1);
}

#[test]
fn a_finished_run_has_its_score_and_its_times() {
    let root = tempfile::tempdir().unwrap();
    let folder = finished(root.path());
    let entry = entry(root.path(), &id(&folder));
    let summary = folder.outcome().unwrap().unwrap().summary;
    let rows: u64 = summary.series.iter().map(|series| series.model.rows).sum();
    let score = entry.score.unwrap();
    assert_eq!(score.rows, rows);
    let means: f64 = summary.series.iter().filter_map(|series| series.model.sharpe).sum::<f64>()
        / summary.series.len() as f64;
    assert!((score.sharpe.unwrap() - means).abs() < 1e-12);
    assert!(entry.created <= entry.ended.unwrap());
}
