//! An index that is damaged is moved aside and made again; nothing is deleted, and what is a newer program's is not touched.

use std::path::{Path, PathBuf};

use walkforge::runs::{
    RunFilter, RunIndex, RunStore, StoreError, annotate_run, check_index, register_model,
};

use crate::support::{
    beginning_with, entries, entries_made_again, finished, id, interrupted, open, sqlite, task_ids,
};

/// Two runs, notes and a model, all of it in the index's main file.
fn store(root: &Path) {
    let run = id(&finished(root));
    annotate_run(root, &run, &["kept".to_owned()], "notes").unwrap();
    register_model(root, "gold", &run, &task_ids(1)[0]).unwrap();
    interrupted(root, 2);
    let checkpointed =
        sqlite(root).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    assert_eq!(checkpointed.unwrap(), 0);
}

/// The one index that was moved aside.
#[track_caller]
fn aside(root: &Path) -> PathBuf {
    let mut all = beginning_with(root, "index.damaged-");
    all.retain(|path| path.extension().is_some_and(|ending| ending == "sqlite3"));
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn overwrite(root: &Path, damage: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let path = root.join("index.sqlite3");
    let mut bytes = std::fs::read(&path).unwrap();
    damage(&mut bytes);
    std::fs::write(&path, &bytes).unwrap();
    bytes
}

#[test]
fn a_damaged_index_is_moved_aside_and_made_again() {
    let header = |bytes: &mut Vec<u8>| bytes[..100].fill(0x5a);
    let nothing_of_it =
        |bytes: &mut Vec<u8>| *bytes = b"not a database, whatever it is called".to_vec();
    let schema = |bytes: &mut Vec<u8>| bytes[100..4096].fill(0xff);
    for damage in [header, nothing_of_it, schema] {
        let root = tempfile::tempdir().unwrap();
        store(root.path());
        let before = (
            entries_made_again(root.path()),
            RunIndex::open(root.path()).unwrap().models().unwrap(),
        );
        let damaged = overwrite(root.path(), damage);
        let store = open(root.path());
        let [warning] = store.warnings() else { panic!("{:?}", store.warnings()) };
        let aside = aside(root.path());
        assert!(
            warning.contains("was damaged") && warning.contains(aside.to_str().unwrap()),
            "{warning}"
        );
        assert_eq!(std::fs::read(&aside).unwrap(), damaged, "as it was, for whoever wants to look");
        let after = (
            entries_made_again(root.path()),
            RunIndex::open(root.path()).unwrap().models().unwrap(),
        );
        assert_eq!(after, before);
        assert_eq!(check_index(root.path()).unwrap(), [""; 0]);
        drop(store);
        assert!(open(root.path()).warnings().is_empty(), "told once");
    }
}

/// Damage in the middle shows only to who reads there.
#[test]
fn damage_that_a_reader_meets_is_mended_by_the_reader() {
    let root = tempfile::tempdir().unwrap();
    store(root.path());
    let before = entries_made_again(root.path());
    let index = RunIndex::open(root.path()).unwrap();
    let _damaged = overwrite(root.path(), |bytes| {
        for page in bytes.chunks_mut(4096).skip(1) {
            page.fill(0xff);
        }
    });
    // The old connection's pages may still be in memory; a new one reads the file.
    drop(index);
    let index = RunIndex::open(root.path()).unwrap();
    assert_eq!(index.runs(&RunFilter::default()).unwrap().len(), 2);
    assert_eq!(index.warnings().len(), 1);
    assert_eq!(entries_made_again(root.path()), before);
    assert!(aside(root.path()).is_file());
    assert_eq!(check_index(root.path()).unwrap(), [""; 0]);
}

#[test]
fn a_damaged_index_that_another_walkforge_has_open_is_left_to_it() {
    let root = tempfile::tempdir().unwrap();
    store(root.path());
    let open_elsewhere = open(root.path());
    let damaged = overwrite(root.path(), |bytes| bytes[..100].fill(0x5a));
    let error = RunIndex::open(root.path()).unwrap_err();
    assert!(matches!(error, StoreError::DamagedIndex { .. }), "{error}");
    assert!(error.to_string().contains("close every walkforge"), "{error}");
    assert!(matches!(RunStore::open(root.path(), |_| {}), Err(StoreError::DamagedIndex { .. })));
    assert_eq!(std::fs::read(root.path().join("index.sqlite3")).unwrap(), damaged);
    drop(open_elsewhere);
    assert_eq!(open(root.path()).warnings().len(), 1);
    assert_eq!(entries(root.path()).len(), 2);
}

#[test]
fn a_newer_index_is_refused_and_left_alone() {
    let root = tempfile::tempdir().unwrap();
    store(root.path());
    sqlite(root.path()).pragma_update(None, "user_version", 99).unwrap();
    let before = std::fs::read(root.path().join("index.sqlite3")).unwrap();
    for error in [
        RunStore::open(root.path(), |_| {}).unwrap_err(),
        RunIndex::open(root.path()).unwrap_err(),
        check_index(root.path()).unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::NewerIndex { found: 99, .. }), "{error}");
        let message = error.to_string();
        assert!(message.contains("index.sqlite3: was made by a newer walkforge"), "{message}");
        assert!(message.contains("--runs"), "{message}");
    }
    assert_eq!(std::fs::read(root.path().join("index.sqlite3")).unwrap(), before);
    assert!(beginning_with(root.path(), "index.damaged-").is_empty());
}

#[test]
fn another_programs_database_is_moved_aside_whole() {
    let root = tempfile::tempdir().unwrap();
    sqlite(root.path())
        .execute_batch("CREATE TABLE mine (x); INSERT INTO mine VALUES (42)")
        .unwrap();
    let store = open(root.path());
    assert!(store.warnings()[0].contains("another program's database"), "{:?}", store.warnings());
    let theirs = rusqlite::Connection::open(aside(root.path())).unwrap();
    assert_eq!(theirs.query_row("SELECT x FROM mine", [], |row| row.get::<_, i64>(0)).unwrap(), 42);
}

#[test]
fn the_check_names_what_is_wrong() {
    let root = tempfile::tempdir().unwrap();
    let folder = interrupted(root.path(), 2);
    let task = &task_ids(1)[0];
    std::fs::remove_file(folder.task(task).join("weights.safetensors")).unwrap();
    let problems = check_index(root.path()).unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains(task.as_str()) && problems[0].contains(id(&folder).as_str()));
    std::fs::remove_dir_all(folder.path()).unwrap();
    let problems = check_index(root.path()).unwrap();
    assert!(problems[0].contains("lost its folder"), "{problems:?}");
}
