use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::{ENTRIES, RECORDS};
use crate::domain::Bytes;

/// How files begin that are not finished.
pub(super) const UNFINISHED: &str = ".unfinished-";
/// What is unfinished for so long belongs to a process that is gone.
const ABANDONED: Duration = Duration::from_hours(1);
/// The time of use is written down when the last one is so long ago.
const USE_COUNTS_AFTER: Duration = Duration::from_mins(10);
/// Whenever this process has written such a part of the limit it is looked whether the cache has grown too large, and at its first write.
const PART_BETWEEN: u64 = 64;

/// How large a cache is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CacheSize {
    /// Files whose bars are stored.
    pub entries: u64,
    /// What they take on disk, with what is known about files.
    pub bytes: Bytes,
}

struct Stored {
    path: PathBuf,
    len: u64,
    used: SystemTime,
}

/// Everything in a cache.
fn stored(folder: &Path) -> io::Result<Vec<Stored>> {
    let mut stored = Vec::new();
    for part in [ENTRIES, RECORDS] {
        let listing = match fs::read_dir(folder.join(part)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            listing => listing?,
        };
        for item in listing {
            let item = item?;
            // Whatever goes meanwhile is gone.
            let Ok(metadata) = item.metadata() else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            stored.push(Stored { path: item.path(), len: metadata.len(), used });
        }
    }
    Ok(stored)
}

pub(super) fn size(folder: &Path) -> io::Result<CacheSize> {
    let stored = stored(folder)?;
    let is_bars = |stored: &&Stored| stored.path.extension().is_some_and(|end| end == "arrow");
    Ok(CacheSize {
        entries: stored.iter().filter(is_bars).count() as u64,
        bytes: Bytes(stored.iter().map(|stored| stored.len).sum()),
    })
}

/// Removes what is in the cache and says how much that was. Other files in the folder are left alone.
pub(super) fn clear(folder: &Path) -> io::Result<CacheSize> {
    let size = size(folder)?;
    for stored in stored(folder)? {
        remove(&stored.path)?;
    }
    Ok(size)
}

/// Makes room where the cache has grown beyond its limit, now and then.
pub(super) fn after_writing(folder: &Path, limit: Bytes, written: u64) {
    /// One more than was written since the last look.
    static SINCE_LOOK: AtomicU64 = AtomicU64::new(0);
    let since = SINCE_LOOK.fetch_add(written.saturating_add(1), Ordering::Relaxed);
    if since == 0 || since > limit.0 / PART_BETWEEN {
        SINCE_LOOK.store(1, Ordering::Relaxed);
        // What cannot be removed now is tried again.
        let _remains = make_room(folder, limit);
    }
}

/// Removes what was not used for longest until nine tenths of the limit are left, and what other processes left unfinished.
pub(super) fn make_room(folder: &Path, limit: Bytes) -> io::Result<()> {
    let mut stored = stored(folder)?;
    let abandoned = SystemTime::now().checked_sub(ABANDONED);
    stored.retain(|stored| {
        let name = stored.path.file_name().unwrap_or_default().to_string_lossy();
        let is_unfinished = name.starts_with(UNFINISHED);
        if is_unfinished && Some(stored.used) < abandoned {
            let _remains = remove(&stored.path);
        }
        !is_unfinished
    });
    let mut size: u64 = stored.iter().map(|stored| stored.len).sum();
    if size <= limit.0 {
        return Ok(());
    }
    stored.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
    for oldest in stored {
        if size <= limit.0 / 10 * 9 {
            break;
        }
        remove(&oldest.path)?;
        size -= oldest.len;
    }
    Ok(())
}

/// Writes down that a file is used, so that it goes late.
pub(super) fn touch(path: &Path) {
    let used = fs::metadata(path).and_then(|metadata| metadata.modified());
    let is_long_ago = used.is_ok_and(|used| used.elapsed().is_ok_and(|ago| ago > USE_COUNTS_AFTER));
    if is_long_ago && let Ok(file) = fs::File::options().append(true).open(path) {
        let _unmarked = file.set_modified(SystemTime::now());
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
