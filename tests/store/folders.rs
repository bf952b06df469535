//! The index follows the folders: runs of versions without an index, copied ones, renamed ones, deleted ones.

use walkforge::domain::{Device, RunId, TaskId};
use walkforge::runs::{RunFilter, RunIndex, RunStatus, RunStore, StoreError, annotate_run};

use crate::support::{
    copy, create, entries, entries_made_again, entry, finished, id, interrupted, open, plan,
    recorded, sqlite,
};

#[test]
fn runs_of_versions_without_an_index_are_taken_in() {
    let root = tempfile::tempdir().unwrap();
    let name = "20260115-093000-mlp-return-5eed";
    copy(&recorded(), &root.path().join(name));
    let index = RunIndex::open(root.path()).unwrap();
    let found = index.runs(&RunFilter::default()).unwrap();
    assert_eq!(found.len(), 1);
    let entry = &found[0];
    assert_eq!((entry.id.as_str(), entry.experiment.as_str()), (name, "mlp-return"));
    assert_eq!((entry.status, entry.tasks, entry.finished), (RunStatus::Finished, 10, 10));
    assert_eq!((entry.device, entry.spec), (Device::Cpu, plan().spec));
    assert!(entry.ended.is_some() && entry.score.unwrap().sharpe.is_some());
    let curves = index.curves(&entry.id).unwrap();
    assert_eq!(curves.len(), 10);
    assert!(curves.values().all(|curve| curve.iter().zip(1..).all(|(epoch, n)| epoch.epoch == n)));
    assert!(curves.values().all(|curve| curve.iter().any(|epoch| epoch.is_best)));
}

/// As above, but killed after a failure: no outcome, a stump of a line, an owner that is gone.
#[test]
fn failures_in_an_old_log_are_taken_in() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("old");
    copy(&recorded(), &folder);
    std::fs::remove_file(folder.join("outcome.json")).unwrap();
    let task = "SYN_B-1h-fold04";
    std::fs::remove_dir_all(folder.join("tasks").join(task)).unwrap();
    let log = folder.join("events.jsonl");
    let mut text = std::fs::read_to_string(&log).unwrap();
    let failed = format!(
        r#"{{"run":"x","task":"{task}","seq":9999,"at":"2026-01-15T09:31:00Z","kind":"failed","message":"diverged"}}"#
    );
    text.push_str(&[failed.as_str(), "\n", &failed[..40]].concat());
    std::fs::write(&log, text).unwrap();
    let entry = entries(root.path()).remove(0);
    assert_eq!((entry.status, entry.finished, entry.failed), (RunStatus::Interrupted, 9, 1));
    let failures = RunIndex::open(root.path()).unwrap().failures(&RunId::new("old")).unwrap();
    assert_eq!(failures, [(TaskId::new(task), "diverged".to_owned())]);
}

#[test]
fn folders_that_come_and_go_are_noticed() {
    let root = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let first = interrupted(root.path(), 1);
    let guest = finished(elsewhere.path());
    let index = RunIndex::open(root.path()).unwrap();
    let ids = || -> Vec<RunId> {
        index.runs(&RunFilter::default()).unwrap().into_iter().map(|entry| entry.id).collect()
    };
    assert_eq!(ids(), [id(&first)]);
    let before = index.generation().unwrap();
    let copied = root.path().join("a-guest");
    copy(guest.path(), &copied);
    assert_ne!(index.generation().unwrap(), before);
    assert_eq!(ids().len(), 2);
    let guest = entry(root.path(), &RunId::new("a-guest"));
    assert_eq!((guest.status, guest.finished), (RunStatus::Finished, 10));
    assert_eq!(index.curves(&guest.id).unwrap().len(), 10);
    std::fs::rename(&copied, root.path().join("renamed")).unwrap();
    assert!(ids().contains(&RunId::new("renamed")) && !ids().contains(&RunId::new("a-guest")));
    std::fs::remove_dir_all(root.path().join("renamed")).unwrap();
    assert_eq!(ids(), [id(&first)]);
    assert!(matches!(index.find("renamed").unwrap_err(), StoreError::UnknownRun { .. }));
    std::fs::remove_dir_all(first.path()).unwrap();
    assert_eq!(ids(), []);
}

#[test]
fn a_folder_that_cannot_be_read_is_told_and_taken_in_once_it_can() {
    let root = tempfile::tempdir().unwrap();
    copy(&recorded(), &root.path().join("sound"));
    for file in ["manifest.json", "outcome.json"] {
        let hurt = root.path().join("hurt");
        copy(&recorded(), &hurt);
        std::fs::write(hurt.join(file), "{\"schema\": 1,").unwrap();
        let (listed, broken) = RunStore::list(root.path()).unwrap();
        assert_eq!((listed.len(), broken.len()), (1, 1));
        let message = broken[0].to_string();
        assert!(message.contains(&format!("hurt/{file}: is damaged")), "{message}");
        let error = RunStore::find(root.path(), "hurt").unwrap_err();
        assert_eq!(error, broken[0]);
        std::fs::copy(recorded().join(file), hurt.join(file)).unwrap();
        let (listed, broken) = RunStore::list(root.path()).unwrap();
        assert_eq!((listed.len(), broken.len()), (2, 0), "{file}");
        std::fs::remove_dir_all(hurt).unwrap();
        assert_eq!(RunStore::list(root.path()).unwrap().0.len(), 1);
    }
}

#[test]
fn a_run_of_a_newer_program_is_told_as_one_and_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let newer = root.path().join("newer");
    copy(&recorded(), &newer);
    let manifest = newer.join("manifest.json");
    std::fs::write(&manifest, r#"{"schema": 9, "what else": "nobody knows"}"#).unwrap();
    let (listed, broken) = RunStore::list(root.path()).unwrap();
    assert_eq!((listed.len(), broken.len()), (0, 1));
    let message = broken[0].to_string();
    for piece in ["newer/manifest.json: was written by a newer walkforge", "version 9", "use that"]
    {
        assert!(message.contains(piece), "{message}");
    }
    assert_eq!(RunStore::find(root.path(), "newer").unwrap_err(), broken[0]);
}

/// One that stays open knows the folder's list; a file mended in place does not change that.
#[test]
fn a_folder_mended_in_place_is_noticed_by_whoever_looked_before() {
    let root = tempfile::tempdir().unwrap();
    let hurt = root.path().join("hurt");
    copy(&recorded(), &hurt);
    std::fs::write(hurt.join("manifest.json"), "{").unwrap();
    let index = RunIndex::open(root.path()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2200));
    assert_eq!(index.broken().unwrap().len(), 1);
    std::fs::write(
        hurt.join("manifest.json"),
        std::fs::read(recorded().join("manifest.json")).unwrap(),
    )
    .unwrap();
    assert_eq!(
        (index.runs(&RunFilter::default()).unwrap().len(), index.broken().unwrap().len()),
        (1, 0)
    );
}

#[test]
fn looking_leaves_nothing_behind() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("no run")).unwrap();
    let nowhere = root.path().join("nowhere");
    for folder in [root.path(), &nowhere] {
        assert_eq!(RunStore::list(folder).unwrap(), (vec![], vec![]));
        let index = RunIndex::open(folder).unwrap();
        assert_eq!((index.models().unwrap(), index.generation().is_ok()), (vec![], true));
    }
    assert!(!nowhere.exists());
    assert_eq!(root.path().read_dir().unwrap().count(), 1);
    // What comes later is seen by whoever looked before.
    let index = RunIndex::open(&nowhere).unwrap();
    let run = id(&interrupted(&nowhere, 0));
    assert_eq!(index.runs(&RunFilter::default()).unwrap()[0].id, run);
}

#[test]
fn an_index_that_is_lost_is_made_again_of_the_folders() {
    let root = tempfile::tempdir().unwrap();
    let [ended, halted] = [finished(root.path()), interrupted(root.path(), 2)];
    annotate_run(root.path(), &id(&ended), &["gold".to_owned()], "my notes").unwrap();
    let (before, failures) = (entries_made_again(root.path()), ended.failures().unwrap());
    for file in crate::support::beginning_with(root.path(), "index.sqlite3") {
        std::fs::remove_file(file).unwrap();
    }
    let store = open(root.path());
    assert!(store.warnings().is_empty(), "nothing was damaged");
    assert_eq!(entries_made_again(root.path()), before);
    assert_eq!(ended.failures().unwrap(), failures);
    let index = RunIndex::open(root.path()).unwrap();
    assert_eq!(index.curves(&id(&halted)).unwrap().len(), 2);
    assert_eq!(store.resume(&id(&halted)).unwrap().finished.len(), 2);
}

#[test]
fn a_run_at_work_is_told_by_its_manifest_when_the_index_is_lost() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let (run, ..) = create(&store);
    drop(store);
    sqlite(root.path()).execute("DELETE FROM runs", []).unwrap();
    assert_eq!(entry(root.path(), &run).status, RunStatus::Running, "this process lives");
}
