use std::path::Path;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;

use super::StoreError;
use super::database::{Index, index_path, open_for_reading, open_in_memory};
use super::guard::is_suspect;
use super::import::{bring_in_step, differences};

/// Folders' times are as fine as this, and finer.
const CLOCK_TICK: Duration = Duration::from_secs(2);

/// A connection to an index that is in step with the folders, and what was mended for that.
pub(super) fn connect(root: &Path) -> Result<(Connection, Option<String>), StoreError> {
    let nothing = || open_in_memory().map_err(|error| error.reading(&index_path(root)));
    if !root.exists() {
        return Ok((nothing()?, None));
    }
    let attempt = || -> Result<Option<Connection>, StoreError> {
        let has_index = index_path(root).exists();
        match open_for_reading(root)? {
            Some(connection) => Ok(is_in_step(root, &connection)?.then_some(connection)),
            None if has_index => Ok(None),
            // Looking into a folder without runs leaves nothing behind in it.
            None => nothing().and_then(|empty| Ok(is_in_step(root, &empty)?.then_some(empty))),
        }
    };
    match attempt() {
        Ok(Some(connection)) if !is_suspect(root) => return Ok((connection, None)),
        Ok(_) | Err(StoreError::DamagedIndex { .. }) => {}
        Err(error) => return Err(error),
    }
    let mut index = Index::open(root)?;
    bring_in_step(root, &mut index.connection)?;
    Ok((open_for_reading(root)?.map_or_else(nothing, Ok)?, index.mended))
}

/// When the folder's list and the index's place were last looked at: names need not be compared again while both are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Noted {
    folder: Option<SystemTime>,
    pub(super) index: Option<FileIdentity>,
    at: Option<SystemTime>,
}

impl Noted {
    pub(super) fn of(root: &Path) -> Self {
        let folder = std::fs::metadata(root).and_then(|metadata| metadata.modified()).ok();
        Self { folder, index: identity(&index_path(root)), at: Some(SystemTime::now()) }
    }

    /// A folder that has changed within the clock's last tick may change again without showing it.
    pub(super) fn is_same_and_settled(self, before: Self) -> bool {
        let is_settled = match (before.folder, before.at) {
            (Some(changed), Some(looked)) => {
                looked.duration_since(changed).is_ok_and(|age| age > CLOCK_TICK)
            }
            _ => false,
        };
        is_settled && self.folder == before.folder && self.index == before.index
    }
}

/// What tells a file from another one that took its place.
pub(super) type FileIdentity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> Option<FileIdentity> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<FileIdentity> {
    let created = std::fs::metadata(path).and_then(|metadata| metadata.created()).ok()?;
    let since = created.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some((since.as_secs(), u64::from(since.subsec_nanos())))
}

pub(super) fn is_in_step(root: &Path, connection: &Connection) -> Result<bool, StoreError> {
    if !root.exists() {
        return Ok(is_in_memory(connection));
    }
    let differences =
        differences(root, connection).map_err(|error| error.reading(&index_path(root)))?;
    Ok(differences.is_empty())
}

pub(super) fn is_in_memory(connection: &Connection) -> bool {
    connection.path().is_none_or(str::is_empty)
}
