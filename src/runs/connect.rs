use std::path::Path;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;

use super::StoreError;
use super::database::{Index, index_path, open_for_reading, open_in_memory, open_unchanging};
use super::error::Trouble;
use super::files::can_be_written;
use super::guard::is_suspect;
use super::import::{bring_in_step, differences};
use super::registry::restore_where_empty;

/// Folders' times are as fine as this, and finer.
const CLOCK_TICK: Duration = Duration::from_secs(2);

/// A connection to an index that is in step with the folders.
pub(super) struct Connected {
    pub(super) connection: Connection,
    /// What was mended for that, in words.
    pub(super) mended: Vec<String>,
    /// Whether it is what was found when the folder was opened, because nothing can be written there.
    pub(super) is_still: bool,
}

impl From<Connection> for Connected {
    fn from(connection: Connection) -> Self {
        Self { connection, mended: Vec::new(), is_still: false }
    }
}

pub(super) fn connect(root: &Path) -> Result<Connected, StoreError> {
    let nothing = || open_in_memory().map_err(|error| error.reading(&index_path(root)));
    if !root.exists() {
        return Ok(nothing()?.into());
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
        Ok(Some(connection)) if !is_suspect(root) => return Ok(connection.into()),
        Err(error @ StoreError::NewerIndex { .. }) => return Err(error),
        Ok(_) | Err(StoreError::DamagedIndex { .. }) => {}
        Err(_) if !can_be_written(root) => return look_only(root),
        Err(error) => return Err(error),
    }
    let brought_in_step = || -> Result<Connected, StoreError> {
        let mut index = Index::open(root)?;
        bring_in_step(root, &mut index.connection)?;
        let connection = open_for_reading(root)?.map_or_else(nothing, Ok)?;
        Ok(Connected { mended: std::mem::take(&mut index.mended), ..connection.into() })
    };
    match brought_in_step() {
        Err(error) if !matches!(error, StoreError::NewerIndex { .. }) && !can_be_written(root) => {
            look_only(root)
        }
        connected => connected,
    }
}

/// What there is to see in a folder where nothing can be written: by its index if that is in step, or else by what the folders say.
fn look_only(root: &Path) -> Result<Connected, StoreError> {
    if let Ok(Some(connection)) = open_unchanging(root)
        && is_in_step(root, &connection).is_ok_and(|is_in_step| is_in_step)
    {
        return Ok(Connected { is_still: true, ..connection.into() });
    }
    let in_memory = |error: Trouble| error.reading(&index_path(root));
    let mut connection = open_in_memory().map_err(in_memory)?;
    bring_in_step(root, &mut connection)?;
    // A registry that cannot be read must not hide the runs.
    let unread = restore_where_empty(&mut connection, root).map_err(in_memory).err();
    let mended = format!(
        "{} cannot be written: its runs are shown as their folders say, without their logs",
        root.display()
    );
    let mended = std::iter::once(mended).chain(unread.map(|error| error.to_string())).collect();
    Ok(Connected { connection, mended, is_still: true })
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
