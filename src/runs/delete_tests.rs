use std::io::Error;

use super::super::check::check_index;
use super::super::testing::{create, created_and_released};
use super::super::{RunFilter, RunStore};
use super::*;

fn runs(root: &Path) -> Vec<RunId> {
    let entries = RunIndex::open(root).unwrap().runs(&RunFilter::default()).unwrap();
    entries.into_iter().map(|entry| entry.id).collect()
}

/// Everything below the folder but the index's own files.
fn files(root: &Path) -> Vec<String> {
    let mut names: Vec<String> = root
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.contains("index"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_deletion_that_fails_before_it_is_committed_leaves_the_run_as_it_was() {
    for step in [Step::Rename, Step::Commit] {
        let root = tempfile::tempdir().unwrap();
        let run = created_and_released(root.path()).run();
        let fail = |at: Step| if at == step { Err(Error::other("no luck")) } else { Ok(()) };
        let error = delete(root.path(), &run, &fail).unwrap_err().to_string();
        assert!(error.contains(run.as_str()) && error.contains("no luck"), "{error}");
        assert_eq!(runs(root.path()), std::slice::from_ref(&run), "{step:?}");
        assert_eq!(files(root.path()), [run.as_str()], "{step:?}");
        let found = RunIndex::open(root.path()).unwrap().find(run.as_str()).unwrap();
        assert!(found.manifest().is_ok());
        assert_eq!(check_index(root.path()).unwrap(), [""; 0]);
        delete_run(root.path(), &run).unwrap();
        assert_eq!((runs(root.path()), files(root.path())), (vec![], vec![]));
    }
}

#[test]
fn what_could_not_be_removed_is_gone_from_the_list_and_swept_later() {
    let root = tempfile::tempdir().unwrap();
    let run = created_and_released(root.path()).run();
    let fail = |at: Step| if at == Step::Remove { Err(Error::other("busy")) } else { Ok(()) };
    delete(root.path(), &run, &fail).unwrap();
    assert_eq!(runs(root.path()), []);
    assert_eq!(files(root.path()), [format!(".trash-{run}")]);
    drop(RunStore::open(root.path(), |_| {}).unwrap());
    assert_eq!(files(root.path()), [""; 0]);
}

#[test]
fn nobody_is_kept_from_writing_while_a_deleted_run_is_swept() {
    let root = tempfile::tempdir().unwrap();
    let run = created_and_released(root.path()).run();
    let fail = |at: Step| if at == Step::Remove { Err(Error::other("busy")) } else { Ok(()) };
    delete(root.path(), &run, &fail).unwrap();
    let mut index = Index::open(root.path()).unwrap();
    let swept = std::cell::Cell::new(false);
    let remove = |trash: &Path| {
        let other = Connection::open(index_path(root.path())).unwrap();
        other.busy_timeout(std::time::Duration::ZERO).unwrap();
        other.execute_batch("BEGIN IMMEDIATE; ROLLBACK").expect("nobody else is writing");
        swept.set(true);
        std::fs::remove_dir_all(trash)
    };
    sweep_with(root.path(), &mut index.connection, &remove).unwrap();
    assert!(swept.get());
    assert_eq!(files(root.path()), [""; 0]);
}

#[test]
fn a_process_killed_between_rename_and_commit_leaves_the_run_as_it_was() {
    let root = tempfile::tempdir().unwrap();
    let folder = created_and_released(root.path());
    // What such a process leaves: the folder is renamed, the row is still there.
    std::fs::rename(folder.path(), trash(root.path(), &folder.run())).unwrap();
    drop(RunStore::open(root.path(), |_| {}).unwrap());
    assert_eq!(runs(root.path()), [folder.run()]);
    assert!(folder.manifest().is_ok());
    assert_eq!(files(root.path()), [folder.run().as_str()]);
}

#[test]
fn a_run_at_work_is_not_deleted_and_an_unknown_one_is_told() {
    let root = tempfile::tempdir().unwrap();
    let store = RunStore::open(root.path(), |_| {}).unwrap();
    let (run, folder, _log) = create(&store);
    let error = delete_run(root.path(), &run).unwrap_err();
    assert_eq!(error, StoreError::Owned { run, pid: std::process::id() });
    assert!(folder.manifest().is_ok());
    let error = delete_run(root.path(), &RunId::new("nothing")).unwrap_err();
    assert!(matches!(error, StoreError::UnknownRun { .. }), "{error}");
}

#[test]
fn a_run_deleted_by_hand_while_it_is_at_work_is_told_to_whoever_records() {
    let root = tempfile::tempdir().unwrap();
    let store = RunStore::open(root.path(), |_| {}).unwrap();
    let (run, folder, log) = create(&store);
    std::fs::remove_dir_all(folder.path()).unwrap();
    assert_eq!(runs(root.path()), []);
    let error = log.record(None, crate::domain::EventKind::Queued).unwrap_err();
    assert_eq!(error, StoreError::NotOwned { run });
}
