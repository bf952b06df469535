//! Putting folders that were built aside into their places, all of them or none, so that nobody ever sees half of an export.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::manifest::FILES;

/// Begins the name of a folder in which an export is built.
const BUILDING: &str = ".walkforge-new-";
/// Holds the earlier exports while new ones take their places. While it is there, an export is half-way and its beginning is undone by the next.
const BEFORE: &str = ".walkforge-before";
/// In [`BEFORE`]: the names of what had no earlier export, a line each.
const ADDED: &str = "added";
/// Where the system knows no locks, what was left behind by another export is told by its age.
const ABANDONED_AFTER: Duration = Duration::from_hours(24);

/// An export that is being built beside its place. Dropped without [`Self::put_in_place`] it leaves everything as it was.
pub(in crate::export) struct Staging {
    to: PathBuf,
    built: tempfile::TempDir,
    /// Says that the one who builds lives.
    _alive: Option<File>,
    names: Vec<String>,
    /// Folders on the way to `to` that were not there, the outermost first.
    made: Vec<PathBuf>,
}

impl Staging {
    /// Makes the folder that is exported to, and undoes or sweeps away what exports that died have left in it.
    pub(in crate::export) fn begin(to: &Path) -> io::Result<Self> {
        let missing = to.ancestors().take_while(|path| !path.as_os_str().is_empty());
        let mut made: Vec<PathBuf> =
            missing.take_while(|path| !path.exists()).map(Path::to_owned).collect();
        made.reverse();
        std::fs::create_dir_all(to)?;
        let begin = || {
            let _alone = lock(to);
            recover(to)?;
            sweep(to)?;
            let built = tempfile::Builder::new().prefix(BUILDING).tempdir_in(to)?;
            let alive = try_lock(built.path()).ok();
            Ok((built, alive))
        };
        match begin() {
            Ok((built, alive)) => {
                Ok(Self { to: to.to_owned(), built, _alive: alive, names: Vec::new(), made })
            }
            Err(error) => {
                remove_empty(&made);
                Err(error)
            }
        }
    }

    /// A new folder to build the export of this name in.
    pub(in crate::export) fn folder(&mut self, name: &str) -> io::Result<PathBuf> {
        let folder = self.built.path().join(name);
        std::fs::create_dir(&folder)?;
        self.names.push(name.to_owned());
        Ok(folder)
    }

    /// Puts all that was built into place and gives the folders. Only earlier exports are replaced: whatever else lies there is the user's.
    ///
    /// The earlier ones are moved aside, not deleted, until all new ones stand; when a step fails, all are moved back. Of a process that dies in
    /// between, the next export to the folder undoes what it did.
    pub(in crate::export) fn put_in_place(self) -> io::Result<Vec<PathBuf>> {
        self.put_in_place_by(|from, to| std::fs::rename(from, to))
    }

    fn put_in_place_by(
        mut self,
        rename: impl Fn(&Path, &Path) -> io::Result<()>,
    ) -> io::Result<Vec<PathBuf>> {
        let folders: Vec<PathBuf> = self.names.iter().map(|name| self.to.join(name)).collect();
        {
            let _alone = lock(&self.to);
            recover(&self.to)?;
            self.check_and_sync(&folders)?;
            self.exchange(&folders, rename)?;
            sync(&self.to)?;
        }
        self.made.clear();
        // What was replaced goes with what is left of the folder; the export stands whether that can be deleted or not.
        Ok(folders)
    }

    fn check_and_sync(&self, folders: &[PathBuf]) -> io::Result<()> {
        for folder in folders.iter().filter(|folder| folder.exists()) {
            refuse_foreign(folder)?;
        }
        for name in &self.names {
            let built = self.built.path().join(name);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                std::fs::set_permissions(&built, std::fs::Permissions::from_mode(0o755))?;
            }
            sync(&built)?;
        }
        sync(self.built.path())
    }

    fn exchange(
        &self,
        folders: &[PathBuf],
        rename: impl Fn(&Path, &Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let before = self.to.join(BEFORE);
        let replaced = self.built.path().join(BEFORE);
        let (earlier, added): (Vec<&String>, Vec<&String>) =
            self.names.iter().partition(|name| self.to.join(name).exists());
        let added: Vec<&str> = added.into_iter().map(String::as_str).collect();
        // It appears together with its list, so that whatever happens from here on can be undone by whoever finds it.
        std::fs::create_dir(&replaced)?;
        std::fs::write(replaced.join(ADDED), added.join("\n"))?;
        File::open(replaced.join(ADDED))?.sync_all()?;
        sync(&replaced)?;
        let attempt = || -> io::Result<()> {
            rename(&replaced, &before)?;
            sync(&self.to)?;
            for name in earlier {
                rename(&self.to.join(name), &before.join(name))?;
            }
            for (name, folder) in self.names.iter().zip(folders) {
                rename(&self.built.path().join(name), folder)?;
            }
            sync(&before)?;
            sync(&self.to)?;
            // Where it is not found any more, the export is done.
            rename(&before, &replaced)
        };
        attempt().map_err(|error| match undo(&self.to, &rename) {
            Ok(()) => error,
            Err(second) => io::Error::other(format!(
                "{error}; the earlier export is whole, but what is missing of it stands in {} and could not be moved back: {second}; the next export to this folder moves it back",
                before.display()
            )),
        })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Otherwise the folders that were made for it would not be empty.
        let _swept_by_the_next = std::fs::remove_dir_all(self.built.path());
        remove_empty(&self.made);
    }
}

/// Removes folders that are empty, the innermost first.
fn remove_empty(folders: &[PathBuf]) {
    for folder in folders.iter().rev() {
        // Somebody may have put something into it meanwhile; then it stays.
        let _stays = std::fs::remove_dir(folder);
    }
}

/// Undoes what an export that died half-way has done.
fn recover(to: &Path) -> io::Result<()> {
    undo(to, &|from: &Path, to: &Path| std::fs::rename(from, to))
}

fn undo(to: &Path, rename: &impl Fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    let before = to.join(BEFORE);
    if !before.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(&before)? {
        let name = entry?.file_name();
        if name != ADDED {
            let place = to.join(&name);
            remove_export(&place)?;
            rename(&before.join(&name), &place)?;
        }
    }
    let added = match std::fs::read_to_string(before.join(ADDED)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    for name in added.lines() {
        remove_export(&to.join(name))?;
    }
    sync(to)?;
    std::fs::remove_dir_all(before)
}

/// Removes an export, if there is one.
fn remove_export(folder: &Path) -> io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    refuse_foreign(folder)?;
    std::fs::remove_dir_all(folder)
}

/// Removes what exports that died have been building here.
fn sweep(to: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(to)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(BUILDING) && is_abandoned(&entry.path())
        {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn is_abandoned(building: &Path) -> bool {
    match try_lock(building) {
        Ok(_nobody_has_it) => true,
        Err(std::fs::TryLockError::WouldBlock) => false,
        Err(std::fs::TryLockError::Error(_)) => {
            let changed = std::fs::metadata(building).and_then(|metadata| metadata.modified());
            changed.is_ok_and(|changed| {
                SystemTime::now().duration_since(changed).is_ok_and(|age| age > ABANDONED_AFTER)
            })
        }
    }
}

/// Waits until nobody else puts anything into place here. `None` where folders cannot be locked: on some network drives, and not on Unix.
fn lock(folder: &Path) -> Option<File> {
    let file = File::open(folder).ok()?;
    file.lock().is_ok().then_some(file)
}

fn try_lock(folder: &Path) -> Result<File, std::fs::TryLockError> {
    let file = File::open(folder).map_err(std::fs::TryLockError::Error)?;
    file.try_lock()?;
    Ok(file)
}

fn refuse_foreign(folder: &Path) -> io::Result<()> {
    match foreign_file(folder)? {
        None => Ok(()),
        Some(name) => Err(io::Error::other(format!(
            "{} holds `{}`, which is no part of an exported model, and would be lost; move it away",
            folder.file_name().unwrap_or(OsStr::new("it")).display(),
            name.display()
        ))),
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

/// Makes what a folder lists survive a power cut.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
