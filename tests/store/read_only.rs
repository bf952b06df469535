//! A folder in which nothing can be written, as on a disk mounted read-only, can be looked at.

use std::path::Path;
use std::process::Command;

use walkforge::runs::{RunFilter, RunIndex, RunStatus, RunStore, register_model};

use crate::support::{finished, id, interrupted, open, sqlite, task_ids};

/// A second, read-only view of a folder; nothing else stops root from writing.
struct ReadOnly<'a>(&'a Path);

impl<'a> ReadOnly<'a> {
    /// `None` where this may not be made.
    fn of(folder: &Path, at: &'a Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mount = |options: &[&str]| {
            let done = Command::new("mount").args(options).arg(at).output();
            done.is_ok_and(|done| done.status.success())
        };
        if !mount(&["--bind", folder.to_str().unwrap()]) {
            return None;
        }
        let view = Self(at);
        mount(&["-o", "remount,ro,bind"]).then_some(view)
    }
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg(self.0).status();
    }
}

/// The index's version, after it was set.
fn version(folder: &Path, set: Option<i64>) -> i64 {
    let connection = sqlite(folder);
    if let Some(version) = set {
        connection.pragma_update(None, "user_version", version).unwrap();
    }
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

/// As a process leaves the index that is killed: its last writes are in the log alone, and what readers share is gone with the machine.
fn leave_a_log(folder: &Path) {
    let [file, log] = ["index.sqlite3", "index.sqlite3-wal"].map(|name| folder.join(name));
    let connection = sqlite(folder);
    connection.execute("UPDATE runs SET notes = notes || '+'", []).unwrap();
    let (file_then, log_then) = (std::fs::read(&file).unwrap(), std::fs::read(&log).unwrap());
    assert!(!log_then.is_empty());
    drop(connection);
    std::fs::write(file, file_then).unwrap();
    std::fs::write(log, log_then).unwrap();
}

#[test]
fn runs_are_looked_at_where_nothing_can_be_written() {
    let root = tempfile::tempdir().unwrap();
    let (folder, view) = (root.path().join("runs"), root.path().join("view"));
    let run = id(&finished(&folder));
    register_model(&folder, "gold", &run, &task_ids(1)[0]).unwrap();
    let halted = id(&interrupted(&folder, 2));
    // As a process that ended in peace leaves the index; one that was killed, with its last writes in the log; one of older programs; none.
    for state in ["whole", "with a log", "older", "none"] {
        let index = folder.join("index.sqlite3");
        let newest = version(&folder, None);
        match state {
            "with a log" => leave_a_log(&folder),
            "older" => drop(version(&folder, Some(1))),
            "none" => std::fs::remove_file(&index).unwrap(),
            _ => {}
        }
        let Some(mounted) = ReadOnly::of(&folder, &view) else {
            crate::skip!("nothing may be mounted here")
        };
        let looking = RunIndex::open(&view).unwrap();
        for _again in 0..2 {
            let runs = looking.runs(&RunFilter::default()).unwrap();
            let found: Vec<_> =
                runs.iter().map(|run| (&run.id, run.status, run.finished)).collect();
            let expected = [(&halted, RunStatus::Interrupted, 2), (&run, RunStatus::Finished, 10)];
            assert_eq!(found, expected, "{state}");
            assert_eq!(looking.curves(&run).unwrap().len(), 10, "{state}");
            assert_eq!(looking.models().unwrap().len(), 1, "{state}");
        }
        let results = RunStore::find(&view, halted.as_str()).unwrap().results().unwrap();
        assert_eq!(results.status, RunStatus::Interrupted, "{state}");
        let error = RunStore::open(&view, |_| {}).unwrap_err().to_string();
        assert!(error.contains("view: cannot be written"), "{error}");
        drop((looking, mounted));
        if state == "older" {
            version(&folder, Some(newest));
        }
        drop(open(&folder));
    }
}
