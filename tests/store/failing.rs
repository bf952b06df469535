//! Writes that begin to fail: a clear error, nothing corrupted, and the run can be resumed.

use walkforge::runs::{RunIndex, RunStatus, RunStore, StoreError, check_index};

use crate::child::Other;
use crate::support::{entries, open, plan};

/// A limit on the size of files stands for a full disk, which root could not be given otherwise.
#[test]
fn a_disk_that_fills_up_is_told_and_nothing_is_lost() {
    let mut failed_late = 0;
    // In the shell's units, whatever they are: from nothing works to some tasks finish.
    for blocks in [100, 400, 500, 600, 800, 1000] {
        let root = tempfile::tempdir().unwrap();
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}");
        let mut other = Other::start_after(root.path(), "work", &limit);
        let (mut finished, mut errors) = (0, Vec::new());
        while let Some(line) = other.says() {
            finished += u64::from(line.contains(" finished "));
            errors.extend(line.strip_prefix("error ").map(ToOwned::to_owned));
        }
        other.kill();
        if errors.is_empty() {
            continue;
        }
        for error in &errors {
            assert!(
                error.contains("cannot be written") && error.contains("free disk space"),
                "{error}"
            );
        }
        failed_late += u64::from(finished > 0);
        let store = open(root.path());
        assert!(store.warnings().is_empty(), "{:?}", store.warnings());
        assert_eq!(check_index(root.path()).unwrap(), [""; 0], "{blocks}");
        if let Some(entry) = entries(root.path()).into_iter().next() {
            assert!(entry.finished >= finished, "{entry:?}, told {finished}");
            assert_ne!(entry.status, RunStatus::Running);
            let resumed = store.resume(&entry.id).unwrap();
            for task in plan().tasks.iter().filter(|task| !resumed.finished.contains(&task.id)) {
                crate::support::train(&resumed.folder, &resumed.log, task).unwrap();
            }
            crate::support::end(
                &resumed.folder,
                &resumed.log,
                walkforge::domain::RunOutcome::Finished,
            )
            .unwrap();
            assert_eq!(entries(root.path())[0].status, RunStatus::Finished);
        }
    }
    assert!(failed_late > 0, "no limit struck in the middle of a run");
}

#[test]
fn a_place_that_cannot_hold_an_index_is_named() {
    let root = tempfile::tempdir().unwrap();
    let under_a_file = root.path().join("file/runs");
    std::fs::write(root.path().join("file"), "").unwrap();
    let error = RunStore::open(&under_a_file, |_| {}).unwrap_err().to_string();
    assert!(error.contains("file/runs: cannot be written") && error.contains("--runs"), "{error}");
    let with_a_folder = root.path().join("runs");
    std::fs::create_dir_all(with_a_folder.join("index.sqlite3/x")).unwrap();
    for error in [
        RunStore::open(&with_a_folder, |_| {}).unwrap_err(),
        RunIndex::open(&with_a_folder).unwrap_err(),
    ] {
        let is_named = matches!(
            &error,
            StoreError::Write { path, .. } | StoreError::Read { path, .. } if path.ends_with("index.sqlite3")
        );
        assert!(is_named, "{error}");
    }
    assert!(with_a_folder.join("index.sqlite3/x").is_dir());
}
