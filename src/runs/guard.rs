use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::domain::UtcMillis;

/// Locked by every process that writes the index.
const LOCK: &str = ".index.lock";
/// There where somebody has met damage in the index: whoever opens it next looks closer.
const SUSPECT: &str = ".index.suspect";

/// Keeps others from moving the index aside; where nobody else has one, its holder may. Let go of when dropped.
#[derive(Debug)]
pub(super) struct Guard {
    /// `None` where the file system knows no locks: then nobody moves anything.
    file: Option<File>,
}

impl Guard {
    /// Waits for somebody who is just moving the index aside.
    pub(super) fn shared(root: &Path) -> Self {
        let options = OpenOptions::new().create(true).truncate(false).write(true).clone();
        let file = options.open(root.join(LOCK)).ok();
        Self { file: file.filter(|file| file.lock_shared().is_ok()) }
    }

    /// Whether nobody else has the index open, and nobody will until [`Self::make_shared`].
    pub(super) fn make_exclusive(&mut self) -> bool {
        let Some(file) = &self.file else { return false };
        if file.unlock().is_ok() && file.try_lock().is_ok() {
            return true;
        }
        self.make_shared();
        false
    }

    pub(super) fn make_shared(&mut self) {
        let is_locked = |file: &File| file.unlock().is_ok() && file.lock_shared().is_ok();
        self.file = self.file.take().filter(is_locked);
    }
}

/// Moves a damaged index out of the way, with what belongs to it, and says where it is now. Nothing is deleted but what `SQLite` makes anew.
pub(super) fn set_aside(index: &Path) -> Result<PathBuf, StoreError> {
    let aside = free_name(index, "index", "sqlite3");
    let beside = |path: &Path, ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    // Its write-ahead log first: it must never meet the new index.
    for (from, to) in
        [(beside(index, "-wal"), beside(&aside, "-wal")), (index.to_owned(), aside.clone())]
    {
        match std::fs::rename(&from, &to) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::write(&from, &source));
            }
            _ => {}
        }
    }
    // Shared memory, of no worth once nobody has the index open.
    let _made_anew = std::fs::remove_file(beside(index, "-shm"));
    Ok(aside)
}

/// A name beside a damaged file that nothing has.
pub(super) fn free_name(damaged: &Path, stem: &str, ending: &str) -> PathBuf {
    let time = UtcMillis::now()
        .to_datetime()
        .map_or_else(String::new, |at| at.format("%Y%m%d-%H%M%S").to_string());
    let name = |attempt: u32| match attempt {
        1 => damaged.with_file_name(format!("{stem}.damaged-{time}.{ending}")),
        _ => damaged.with_file_name(format!("{stem}.damaged-{time}-{attempt}.{ending}")),
    };
    let free = (1..=u32::MAX).map(name).find(|path| !path.exists());
    free.expect("a free name is found before 2^32 attempts")
}

/// Remembers that damage was met. As good as it goes: without it, the next one meets it again.
pub(super) fn suspect(index: &Path) {
    let _noted = File::create(index.with_file_name(SUSPECT));
}

pub(super) fn is_suspect(root: &Path) -> bool {
    root.join(SUSPECT).exists()
}

pub(super) fn clear_suspicion(root: &Path) {
    // If it stays, the next one looks closer once more.
    let _looked = std::fs::remove_file(root.join(SUSPECT));
}
