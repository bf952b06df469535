use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

use super::StoreError;
use super::error::Trouble;

/// The index of all runs in a folder, beside their folders.
const FILE: &str = "index.sqlite3";
/// Marks the file as ours: `WFRI`.
const APPLICATION: i64 = 0x5746_5249;
/// How long a connection waits for another process's write. Every write of ours is far shorter.
const PATIENCE: Duration = Duration::from_secs(30);

const MIGRATIONS: &[M<'static>] = &[M::up(include_str!("index1.sql"))];

/// Where the index of a runs folder is.
pub(super) fn index_path(root: &Path) -> PathBuf {
    root.join(FILE)
}

/// Opens the index for writing, making it or bringing it up to date.
pub(super) fn open_for_writing(root: &Path) -> Result<Connection, StoreError> {
    let path = index_path(root);
    let attempt = || -> Result<Connection, Trouble> {
        let mut connection = Connection::open(&path)?;
        connection.busy_timeout(PATIENCE)?;
        refuse_newer(&connection, &path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        prepare(&mut connection, &path)?;
        Ok(connection)
    };
    attempt().map_err(|error| error.writing(&path))
}

/// An index that lives nowhere but in memory.
pub(super) fn open_in_memory() -> Result<Connection, Trouble> {
    let mut connection = Connection::open_in_memory()?;
    prepare(&mut connection, Path::new(":memory:"))?;
    Ok(connection)
}

fn prepare(connection: &mut Connection, path: &Path) -> Result<(), Trouble> {
    // What has been told must survive a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    // So that two processes that open it at once do not both begin.
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    connection.set_prepared_statement_cache_capacity(64);
    migrations().to_latest(connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => Trouble::Sql(err),
        other => Trouble::Store(StoreError::write(path, &other)),
    })
}

/// Opens the index for reading; `None` where there is none.
pub(super) fn open_for_reading(root: &Path) -> Result<Option<Connection>, StoreError> {
    let path = index_path(root);
    if !path.exists() {
        return Ok(None);
    }
    let attempt = || -> Result<Connection, Trouble> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        connection.set_prepared_statement_cache_capacity(32);
        refuse_newer(&connection, &path)?;
        Ok(connection)
    };
    attempt().map(Some).map_err(|error| error.reading(&path))
}

fn migrations() -> Migrations<'static> {
    Migrations::from_slice(MIGRATIONS)
}

fn refuse_newer(connection: &Connection, path: &Path) -> Result<(), Trouble> {
    let found = connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::NewerIndex { path: path.to_owned(), found, known }.into());
    }
    Ok(())
}

/// Does the work in one transaction that no other writer can come between.
pub(super) fn transact<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

/// The same for work that opens the index itself.
pub(super) fn write<T>(
    root: &Path,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>,
) -> Result<T, StoreError> {
    let mut connection = open_for_writing(root)?;
    transact(&mut connection, work).map_err(|error| error.writing(&index_path(root)))
}
