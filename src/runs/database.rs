use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

use super::StoreError;
use super::error::{Trouble, is_damage};
use super::guard::{self, Guard};

/// The index of all runs in a folder, beside their folders.
const FILE: &str = "index.sqlite3";
/// Marks the file as ours, `WFRI`; `index1.sql` sets it.
const APPLICATION: i64 = 0x5746_5249;
/// How long a connection waits for another process's write. Every write of ours is far shorter.
const PATIENCE: Duration = Duration::from_secs(30);

const MIGRATIONS: &[M<'static>] = &[M::up(include_str!("index1.sql"))];

/// Where the index of a runs folder is.
pub(super) fn index_path(root: &Path) -> PathBuf {
    root.join(FILE)
}

/// The index, open for writing. Never moved aside by anybody while this is open.
pub(super) struct Index {
    pub(super) connection: Connection,
    /// What was wrong with the index and what was done about it, in words.
    pub(super) mended: Option<String>,
    _guard: Guard,
}

impl Index {
    /// Opens the index, making it or bringing it up to date. A damaged one is moved aside, unless somebody else has it open.
    pub(super) fn open(root: &Path) -> Result<Self, StoreError> {
        let path = index_path(root);
        let mut guard = Guard::shared(root);
        let damage = match open_checked(root) {
            Err(Trouble::Store(error @ StoreError::DamagedIndex { .. })) => error,
            Err(Trouble::Sql(error)) if is_damage(&error) => Trouble::Sql(error).writing(&path),
            Err(error) => return Err(error.writing(&path)),
            Ok(connection) => return Ok(Self { connection, mended: None, _guard: guard }),
        };
        if !guard.make_exclusive() {
            return Err(damage);
        }
        // Somebody may have been faster.
        let (connection, mended) = match open_checked(root) {
            Ok(connection) => (connection, None),
            Err(_still_damaged) => {
                let aside = guard::set_aside(&path)?;
                let connection = open_checked(root).map_err(|error| error.writing(&path))?;
                let (_, what) = damage.file_and_message();
                let mended = format!(
                    "{} was damaged ({what}); it is now {}, and a new index was made of the runs' folders",
                    path.display(),
                    aside.display()
                );
                (connection, Some(mended))
            }
        };
        guard.make_shared();
        Ok(Self { connection, mended, _guard: guard })
    }
}

/// Opens the index without mending anything, and looks closer where somebody has met damage in it.
fn open_checked(root: &Path) -> Result<Connection, Trouble> {
    let path = index_path(root);
    let mut connection = Connection::open(&path)?;
    connection.busy_timeout(PATIENCE)?;
    let _older_is_migrated_below = refuse_foreign(&connection, &path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    prepare(&mut connection, &path)?;
    if guard::is_suspect(root) {
        check(&connection, &path)?;
        guard::clear_suspicion(root);
    }
    super::registry::restore_where_empty(&mut connection, root)?;
    Ok(connection)
}

/// `SQLite`'s quick check, as an error.
fn check(connection: &Connection, path: &Path) -> Result<(), Trouble> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    Err(StoreError::DamagedIndex { path: path.to_owned(), message: found }.into())
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
    // So that two processes that open it at once do not both begin.
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    connection.set_prepared_statement_cache_capacity(64);
    Migrations::from_slice(MIGRATIONS).to_latest(connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => Trouble::Sql(err),
        other => Trouble::Store(StoreError::write(path, &other)),
    })
}

/// Opens the index for reading; `None` where there is none, or only one that an older program made: it is brought up to date by whoever writes.
pub(super) fn open_for_reading(root: &Path) -> Result<Option<Connection>, StoreError> {
    let path = index_path(root);
    if !path.exists() {
        return Ok(None);
    }
    let attempt = || -> Result<Option<Connection>, Trouble> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        connection.set_prepared_statement_cache_capacity(32);
        let version = refuse_foreign(&connection, &path)?;
        Ok((version == MIGRATIONS.len() as i64).then_some(connection))
    };
    attempt().map_err(|error| error.reading(&path))
}

/// The index's version; 0 where it is empty. An error for a newer program's, and for a database that is not ours.
fn refuse_foreign(connection: &Connection, path: &Path) -> Result<i64, Trouble> {
    let number = |query: &str| connection.query_row(query, [], |row| row.get::<_, i64>(0));
    let application = number("PRAGMA application_id")?;
    let (found, known) = (number("PRAGMA user_version")?, MIGRATIONS.len() as i64);
    let is_empty = number("SELECT count(*) FROM sqlite_schema")? == 0;
    if application != APPLICATION && !is_empty {
        let message = "it is another program's database".to_owned();
        return Err(StoreError::DamagedIndex { path: path.to_owned(), message }.into());
    }
    if found > known {
        return Err(StoreError::NewerIndex { path: path.to_owned(), found, known }.into());
    }
    Ok(if is_empty { 0 } else { found })
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
    let mut index = Index::open(root)?;
    transact(&mut index.connection, work).map_err(|error| error.writing(&index_path(root)))
}
