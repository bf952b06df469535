use std::cell::Cell;
use std::collections::BTreeMap;

use super::*;

/// Every file below a folder with what it holds.
fn state(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.insert(path.clone(), String::new());
            found.extend(state(&path));
        } else {
            found.insert(path.clone(), std::fs::read_to_string(&path).unwrap());
        }
    }
    found
}

fn write(folder: &Path, content: &str) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(FILES.torchscript), content).unwrap();
}

/// A folder with exports `a` and `b` of an earlier time.
fn earlier() -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    write(&to.path().join("a"), "old");
    write(&to.path().join("b"), "old");
    to
}

/// New exports of `a`, `b` and `c`, built.
fn built(to: &Path) -> Staging {
    let mut staging = Staging::begin(to).unwrap();
    for name in ["a", "b", "c"] {
        let folder = staging.folder(name).unwrap();
        write(&folder, "new");
        std::fs::write(folder.join(FILES.onnx), "new").unwrap();
    }
    staging
}

#[test]
fn new_exports_take_the_place_of_old_ones() {
    let to = earlier();
    write(&to.path().join("another"), "stays");
    let folders = built(to.path()).put_in_place().unwrap();
    assert_eq!(folders, ["a", "b", "c"].map(|name| to.path().join(name)));
    let found = state(to.path());
    let content = |file: &str| found[&to.path().join(file)].as_str();
    assert_eq!([content("a/model.pt"), content("c/model.onnx")], ["new", "new"]);
    assert_eq!(content("another/model.pt"), "stays");
    assert_eq!(found.len(), 4 + 3 * 2 + 1, "nothing is left beside them: {found:?}");
}

/// A failing disk: this rename fails, the others do what they say.
fn failing_at(step: usize) -> impl Fn(&Path, &Path) -> io::Result<()> {
    let calls = Cell::new(0);
    move |from, to| {
        calls.set(calls.get() + 1);
        if calls.get() == step {
            return Err(io::Error::other("the disk is gone"));
        }
        std::fs::rename(from, to)
    }
}

/// Aside, two earlier ones, three new ones, done.
const STEPS: usize = 1 + 2 + 3 + 1;

#[test]
fn whichever_step_fails_the_old_ones_stand() {
    for step in 1..=STEPS {
        let to = earlier();
        let old = state(to.path());
        let error = built(to.path()).put_in_place_by(failing_at(step)).unwrap_err();
        assert_eq!(error.to_string(), "the disk is gone", "step {step}");
        assert_eq!(state(to.path()), old, "step {step}");
    }
    let to = earlier();
    built(to.path()).put_in_place_by(failing_at(STEPS + 1)).unwrap();
}

#[test]
fn what_was_begun_by_one_that_died_is_undone_by_the_next() {
    for step in 1..=STEPS {
        let to = earlier();
        let old = state(to.path());
        // From this step on nothing works any more, as if the process were gone.
        let calls = Cell::new(0);
        let error = built(to.path()).put_in_place_by(|from, to| {
            calls.set(calls.get() + 1);
            if calls.get() >= step {
                return Err(io::Error::other("gone"));
            }
            std::fs::rename(from, to)
        });
        let error = error.unwrap_err().to_string();
        let is_half_way = to.path().join(BEFORE).exists();
        assert_eq!(is_half_way, error.contains(BEFORE), "step {step}: {error}");
        assert!(is_half_way || state(to.path()) == old, "step {step}");
        drop(Staging::begin(to.path()).unwrap());
        assert_eq!(state(to.path()), old, "step {step}");
    }
}

#[test]
fn a_users_file_is_never_lost() {
    let to = earlier();
    std::fs::write(to.path().join("b/notes.txt"), "mine").unwrap();
    let old = state(to.path());
    let error = built(to.path()).put_in_place().unwrap_err().to_string();
    assert!(error.contains("b holds `notes.txt`"), "{error}");
    assert_eq!(state(to.path()), old);
    // Nor one that was put into a half-made export before it is undone.
    write(&to.path().join(BEFORE).join("b"), "older");
    let error = Staging::begin(to.path()).map(drop).unwrap_err().to_string();
    assert!(error.contains("b holds `notes.txt`"), "{error}");
}

#[test]
fn what_nobody_builds_any_more_is_swept_away_and_what_somebody_builds_is_not() {
    let to = earlier();
    let old = state(to.path());
    let at_work = built(to.path());
    let abandoned = to.path().join(format!("{BUILDING}abc"));
    write(&abandoned.join("a"), "half");
    drop(Staging::begin(to.path()).unwrap());
    assert!(!abandoned.exists() && at_work.built.path().join("c").exists());
    drop(at_work);
    assert_eq!(state(to.path()), old);
}

#[test]
fn exports_at_the_same_time_end_with_one_of_them() {
    let to = earlier();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let name = format!("walkforge-test-{number}");
            let work = || built(to.path()).put_in_place().unwrap();
            std::thread::Builder::new().name(name).spawn_scoped(scope, work).unwrap();
        }
    });
    let found = state(to.path());
    assert_eq!(found.len(), 3 + 3 * 2, "{found:?}");
}

#[test]
fn folders_made_for_an_export_that_fails_are_removed() {
    let root = tempfile::tempdir().unwrap();
    let to = root.path().join("some/where");
    drop(built(&to));
    assert!(!root.path().join("some").exists());
    built(&to).put_in_place().unwrap();
    assert!(to.join("c").exists());
}

#[test]
fn exports_of_every_version_are_ours_and_nothing_else_is() {
    let root = tempfile::tempdir().unwrap();
    for name in FILES.all() {
        std::fs::write(root.path().join(name), "").unwrap();
    }
    assert_eq!(foreign_file(root.path()).unwrap(), None);
    std::fs::write(root.path().join("notes.txt"), "").unwrap();
    assert_eq!(foreign_file(root.path()).unwrap(), Some("notes.txt".into()));
}
