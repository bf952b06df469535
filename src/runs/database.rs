use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
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

const MIGRATIONS: &[M<'static>] =
    &[M::up(include_str!("index1.sql")), M::up(include_str!("index2.sql"))];

/// Where the index of a runs folder is.
pub(super) fn index_path(root: &Path) -> PathBuf {
    root.join(FILE)
}

/// The index, open for writing. Never moved aside by anybody while this is open.
pub(super) struct Index {
    pub(super) connection: Connection,
    /// What was wrong with the index, or with the registry's file, and what was done about it, in words.
    pub(super) mended: Vec<String>,
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
            Ok((connection, mended)) => {
                let mended = mended.into_iter().collect();
                return Ok(Self { connection, mended, _guard: guard });
            }
        };
        if !guard.make_exclusive() {
            return Err(damage);
        }
        // Somebody may have been faster.
        let (connection, mended) = match open_checked(root) {
            Ok((connection, mended)) => (connection, mended.into_iter().collect()),
            Err(_still_damaged) => {
                let aside = guard::set_aside(&path)?;
                let (connection, also) =
                    open_checked(root).map_err(|error| error.writing(&path))?;
                let (_, what) = damage.file_and_message();
                let index = format!(
                    "{} was damaged ({what}); it is now {}, and a new index was made of the runs' folders",
                    path.display(),
                    aside.display()
                );
                (connection, std::iter::once(index).chain(also).collect())
            }
        };
        guard.make_shared();
        Ok(Self { connection, mended, _guard: guard })
    }
}

/// Opens the index without mending it, and looks closer where somebody has met damage in it. Also what was wrong with the registry's file.
fn open_checked(root: &Path) -> Result<(Connection, Option<String>), Trouble> {
    let path = index_path(root);
    let mut connection = Connection::open(&path)?;
    connection.busy_timeout(PATIENCE)?;
    let _older_is_migrated_below = refuse_foreign(&connection, &path)?;
    use_write_ahead_log(&connection)?;
    prepare(&mut connection, &path)?;
    if guard::is_suspect(root) {
        check(&connection, &path)?;
        guard::clear_suspicion(root);
    }
    let mended = super::registry::restore_where_empty(&mut connection, root)?;
    Ok((connection, mended))
}

/// Readers and the writer do not keep each other waiting. Two that make an index at once do here, whatever the connection's own patience.
fn use_write_ahead_log(connection: &Connection) -> Result<(), Trouble> {
    let began = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && began.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            other => return Ok(other?),
        }
    }
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
    migrate(connection, path)
}

/// Brings the index up to date. Of several programs that begin with this at once one does it, and the others see that it is done.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Trouble> {
    loop {
        let found = version(connection)?;
        if found == MIGRATIONS.len() as i64 {
            return Ok(());
        }
        match Migrations::from_slice(MIGRATIONS).to_latest(connection) {
            Ok(()) => return Ok(()),
            Err(_somebody_was_faster) if version(connection)? != found => {}
            Err(rusqlite_migration::Error::RusqliteError { err, .. }) => return Err(err.into()),
            Err(other) => return Err(StoreError::write(path, &other).into()),
        }
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Opens the index for reading; `None` where there is none, or only one that an older program made: it is brought up to date by whoever writes.
pub(super) fn open_for_reading(root: &Path) -> Result<Option<Connection>, StoreError> {
    let path = index_path(root);
    if !path.exists() {
        return Ok(None);
    }
    open_read_only(&path, &path, OpenFlags::empty()).map_err(|error| error.reading(&path))
}

/// The same in a folder where nothing can be written, not even what readers of a write-ahead log share: as if nobody would ever change the
/// index. `None` also where its write-ahead log has something to say, which cannot be read then.
pub(super) fn open_unchanging(root: &Path) -> Result<Option<Connection>, StoreError> {
    let path = index_path(root);
    let log = std::fs::metadata(root.join(format!("{FILE}-wal")));
    let Some(name) = path.to_str().filter(|_| path.exists()) else { return Ok(None) };
    if log.is_ok_and(|log| log.len() > 0) {
        return Ok(None);
    }
    // What has a meaning of its own in an address.
    let name = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let name = PathBuf::from(format!("file:{name}?immutable=1"));
    open_read_only(&path, &name, OpenFlags::SQLITE_OPEN_URI).map_err(|error| error.reading(&path))
}

fn open_read_only(
    path: &Path,
    name: &Path,
    also: OpenFlags,
) -> Result<Option<Connection>, Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | also;
    let connection = Connection::open_with_flags(name, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(32);
    let version = refuse_foreign(&connection, path)?;
    Ok((version == MIGRATIONS.len() as i64).then_some(connection))
}

/// The index's version; 0 where it is empty. An error for a newer program's, and for a database that is not ours.
fn refuse_foreign(connection: &Connection, path: &Path) -> Result<i64, Trouble> {
    // All of it at one moment: somebody may just be making the index.
    let moment = connection.unchecked_transaction()?;
    let number = |query: &str| moment.query_row(query, [], |row| row.get::<_, i64>(0));
    let application = number("PRAGMA application_id")?;
    let (found, known) = (version(&moment)?, MIGRATIONS.len() as i64);
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
