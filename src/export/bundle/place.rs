//! Putting a folder that was built aside into its place, so that nobody ever sees half of one.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::manifest::FILES;

/// Replaces the folder by the one built aside. Only an earlier export is replaced: whatever else lies there is the user's.
///
/// The earlier one is moved aside, not deleted, until the new one stands; when that fails it is moved back. A process that dies between the two
/// leaves it under [`aside_of`], where the next export finds it.
pub(super) fn put_in_place(aside: tempfile::TempDir, folder: &Path) -> io::Result<()> {
    put_in_place_by(aside, folder, |from, to| std::fs::rename(from, to))
}

fn put_in_place_by(
    aside: tempfile::TempDir,
    folder: &Path,
    rename: impl Fn(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(aside.path(), std::fs::Permissions::from_mode(0o755))?;
    }
    let before = aside_of(folder);
    recover(folder, &before)?;
    sync(aside.path())?;
    let replaces = folder.exists();
    if replaces {
        if let Some(name) = foreign_file(folder)? {
            return Err(io::Error::other(format!(
                "it holds `{}`, which is no part of an exported model, and would be lost; move it away",
                name.display()
            )));
        }
        rename(folder, &before)?;
    }
    if let Err(error) = rename(aside.path(), folder) {
        if replaces {
            rename(&before, folder).map_err(|second| {
                io::Error::other(format!(
                    "{error}; the earlier export is whole, but stands in {} and could not be moved back: {second}",
                    before.display()
                ))
            })?;
        }
        return Err(error);
    }
    // Its files are in place; there is nothing left to delete.
    let _moved = aside.keep();
    sync(parent(folder))?;
    if replaces {
        // The export is done; what cannot be deleted now is by the next one.
        let _swept_later = std::fs::remove_dir_all(&before);
    }
    Ok(())
}

/// Where an earlier export waits while a new one takes its place.
fn aside_of(folder: &Path) -> PathBuf {
    let mut name = OsString::from(".walkforge-before-");
    name.push(folder.file_name().unwrap_or_default());
    folder.with_file_name(name)
}

/// Finishes what a process that died in between has left.
fn recover(folder: &Path, before: &Path) -> io::Result<()> {
    match (before.exists(), folder.exists()) {
        (true, true) => std::fs::remove_dir_all(before),
        (true, false) => std::fs::rename(before, folder),
        (false, _) => Ok(()),
    }
}

/// The first entry of an existing folder that an export does not write.
fn foreign_file(folder: &Path) -> io::Result<Option<OsString>> {
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if FILES.all().iter().all(|file| name != *file) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn parent(folder: &Path) -> &Path {
    // The parent of a bare name is the empty path.
    folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

/// Makes what a folder lists survive a power cut.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A folder with an exported model of this content, and one built aside to replace it.
    fn before_and_aside(root: &Path) -> (PathBuf, tempfile::TempDir) {
        let folder = root.join("model");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(FILES.torchscript), "old").unwrap();
        let aside = tempfile::Builder::new().prefix(".walkforge-").tempdir_in(root).unwrap();
        std::fs::write(aside.path().join(FILES.torchscript), "new").unwrap();
        std::fs::write(aside.path().join(FILES.onnx), "new").unwrap();
        (folder, aside)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn content(folder: &Path) -> String {
        std::fs::read_to_string(folder.join(FILES.torchscript)).unwrap()
    }

    #[test]
    fn a_new_export_takes_the_place_of_the_old_one() {
        let root = tempfile::tempdir().unwrap();
        let (folder, aside) = before_and_aside(root.path());
        put_in_place(aside, &folder).unwrap();
        assert_eq!(
            (content(&folder).as_str(), names(root.path())),
            ("new", vec!["model".to_owned()])
        );
        assert_eq!(names(&folder), ["model.onnx", "model.pt"]);
    }

    #[test]
    fn whichever_step_fails_the_old_one_stands() {
        for failing in 0..2 {
            let root = tempfile::tempdir().unwrap();
            let (folder, aside) = before_and_aside(root.path());
            let calls = Cell::new(0);
            let error = put_in_place_by(aside, &folder, |from, to| {
                calls.set(calls.get() + 1);
                if calls.get() == failing + 1 {
                    return Err(io::Error::other("the disk is gone"));
                }
                std::fs::rename(from, to)
            });
            assert_eq!(error.unwrap_err().to_string(), "the disk is gone", "step {failing}");
            assert_eq!(content(&folder), "old", "step {failing}");
            assert_eq!(names(&folder), ["model.pt"]);
            assert_eq!(names(root.path()), ["model"], "nothing is left beside it");
        }
    }

    #[test]
    fn what_cannot_be_moved_back_says_where_it_is_and_comes_back_the_next_time() {
        let root = tempfile::tempdir().unwrap();
        let (folder, aside) = before_and_aside(root.path());
        let calls = Cell::new(0);
        let error = put_in_place_by(aside, &folder, |from, to| {
            calls.set(calls.get() + 1);
            if calls.get() > 1 { Err(io::Error::other("no")) } else { std::fs::rename(from, to) }
        });
        assert!(error.unwrap_err().to_string().contains(".walkforge-before-model"));
        assert!(!folder.exists() && content(&aside_of(&folder)) == "old");
        // As after a process that died there.
        let aside = tempfile::tempdir_in(root.path()).unwrap();
        std::fs::write(aside.path().join(FILES.torchscript), "newest").unwrap();
        put_in_place_by(aside, &folder, |_, _| Err(io::Error::other("no"))).unwrap_err();
        assert_eq!(content(&folder), "old");
        // As after one that died when the new one stood already.
        std::fs::create_dir(aside_of(&folder)).unwrap();
        std::fs::write(aside_of(&folder).join(FILES.torchscript), "older").unwrap();
        let aside = tempfile::tempdir_in(root.path()).unwrap();
        std::fs::write(aside.path().join(FILES.torchscript), "newest").unwrap();
        put_in_place(aside, &folder).unwrap();
        assert_eq!(
            (content(&folder).as_str(), names(root.path())),
            ("newest", vec!["model".to_owned()])
        );
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
}
