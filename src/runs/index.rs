use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, Row};

use super::database::{Index, index_path, open_for_reading, open_in_memory};
use super::error::Trouble;
use super::guard::is_suspect;
use super::import::{bring_in_step, differences};
use super::rows::{epoch_at, from_json, outcome_of, owner_at, run_row};
use super::{LogLine, ModelEntry, Owner, RunEntry, RunFilter, RunFolder, RunStatus, StoreError};
use crate::domain::{ContentHash, EpochRecord, RunId, SweepId, TaskId, UtcMillis};

/// Folders' times are as fine as this, and finer.
const CLOCK_TICK: Duration = Duration::from_secs(2);

/// What the index knows of the runs in a folder: a connection that only reads and never keeps a writer waiting. Cheap to open; one for each
/// thread. What others write, in this process or another, and folders that come and go are noticed at every call.
#[derive(Debug)]
pub struct RunIndex {
    pub(super) root: PathBuf,
    connection: RefCell<Connection>,
    /// What was there when the names were last compared.
    noted: Cell<Noted>,
    /// How often it was connected anew: versions of different connections say nothing to each other.
    connected: Cell<u64>,
    warnings: RefCell<Vec<String>>,
}

impl RunIndex {
    /// Opens the index of a runs folder. Folders that it does not know yet are taken in first. A folder that is not there has no runs.
    ///
    /// # Errors
    /// [`StoreError::Read`], [`StoreError::DamagedIndex`] or [`StoreError::NewerIndex`] naming the index.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        // Before: what changes from here on is noticed.
        let noted = Noted::of(root).into();
        let (connection, mended) = connect(root)?;
        let (connection, warnings) = (connection.into(), RefCell::new(Vec::from_iter(mended)));
        let connected = Cell::new(0);
        Ok(Self { root: root.to_owned(), connection, noted, connected, warnings })
    }

    /// What the user should know of the state in which the index was found, in words: that it was damaged and made again.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.borrow().clone()
    }

    /// The runs that fit, newest first.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunEntry>, StoreError> {
        self.ask(|connection| entries(connection, &self.root, filter))
    }

    /// The folders that look like runs and cannot be read, with the reason.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn broken(&self) -> Result<Vec<StoreError>, StoreError> {
        self.ask(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT file, message FROM broken ORDER BY folder")?;
            let rows = statement.query_map([], |row| {
                Ok(StoreError::Damaged {
                    path: PathBuf::from(row.get::<_, String>(0)?),
                    message: row.get(1)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// A run by its name, or by the start of it where only one fits.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`] when none fits, [`StoreError::AmbiguousRun`] when more than one does; for a run that cannot be read, why.
    pub fn find(&self, run: &str) -> Result<RunFolder, StoreError> {
        let fitting = self.ask(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT name FROM runs WHERE substr(name, 1, length(?1)) = ?1 ORDER BY created DESC, name DESC",
            )?;
            let names = statement.query_map([run], |row| row.get(0))?;
            Ok(names.collect::<rusqlite::Result<Vec<String>>>()?)
        })?;
        let folder = |name: &str| RunFolder::new(self.root.join(name));
        if fitting.iter().any(|name| name == run) {
            return Ok(folder(run));
        }
        match fitting.as_slice() {
            [name] if !run.is_empty() => Ok(folder(name)),
            [_, _, ..] if !run.is_empty() => {
                Err(StoreError::AmbiguousRun { run: run.to_owned(), fitting: fitting.join(", ") })
            }
            _ => {
                let mut broken = self.broken()?.into_iter();
                let unknown =
                    || StoreError::UnknownRun { run: run.to_owned(), root: self.root.clone() };
                Err(broken
                    .find(|error| error.is_within(&self.root.join(run)))
                    .unwrap_or_else(unknown))
            }
        }
    }

    /// Every epoch of a run's tasks so far, in order. A task without any is left out.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn curves(&self, run: &RunId) -> Result<BTreeMap<TaskId, Vec<EpochRecord>>, StoreError> {
        self.ask(|connection| {
            let mut curves: BTreeMap<TaskId, Vec<EpochRecord>> = BTreeMap::new();
            for (task, row) in tasks(connection, run)? {
                let mut statement = connection.prepare_cached(
                    "SELECT epoch, train_loss, validation_loss, monitor, learning_rate, gradient_norm, seconds,
                     is_best FROM epochs WHERE task = ?1 ORDER BY epoch",
                )?;
                let rows = statement.query_map([row], |row| epoch_at(row, 0))?;
                let records = rows.collect::<rusqlite::Result<Vec<EpochRecord>>>()?;
                if !records.is_empty() {
                    curves.insert(task, records);
                }
            }
            Ok(curves)
        })
    }

    /// The messages of failed tasks, in the order they failed.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn failures(&self, run: &RunId) -> Result<Vec<(TaskId, String)>, StoreError> {
        self.ask(|connection| failures(connection, run))
    }

    /// What happened in a run so far, in order.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn log(&self, run: &RunId) -> Result<Vec<LogLine>, StoreError> {
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT seq, at, task, kind, message FROM log WHERE run = (SELECT id FROM runs WHERE name = ?1)
                 ORDER BY seq",
            )?;
            let rows = statement.query_map([run.as_str()], |row| {
                Ok(LogLine {
                    seq: row.get::<_, i64>(0)? as u64,
                    at: UtcMillis(row.get(1)?),
                    task: row.get::<_, Option<String>>(2)?.map(TaskId::new),
                    kind: row.get(3)?,
                    message: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Changes when anybody, in any process, has written something, when a run's folder has come or gone, and when the process of a run has
    /// ended without a word.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn generation(&self) -> Result<u64, StoreError> {
        self.ask(|connection| {
            let version: i64 = connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
            let living: Vec<bool> = owners(connection)?
                .iter()
                .map(|owner| owner.as_ref().is_some_and(Owner::is_alive))
                .collect();
            let text = format!("{} {version} {living:?}", self.connected.get());
            Ok(ContentHash::of(text.as_bytes()).to_u64())
        })
    }

    /// The named models, by name and version.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn models(&self) -> Result<Vec<ModelEntry>, StoreError> {
        self.ask(super::registry::models)
    }

    /// A model by `name` (the champion, or else the newest version), `name@3` or `name@champion`.
    ///
    /// # Errors
    /// [`StoreError::UnknownModel`] when there is none.
    pub fn model(&self, name: &str) -> Result<ModelEntry, StoreError> {
        super::registry::choose(self.models()?, name).ok_or_else(|| StoreError::UnknownModel {
            name: name.to_owned(),
            root: self.root.clone(),
        })
    }

    /// Asks an index that is in step with the folders. Damage met here is mended once, if nobody else has the index open for writing.
    pub(super) fn ask<T>(
        &self,
        question: impl Fn(&Connection) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        let index = index_path(&self.root);
        let attempt = || -> Result<T, StoreError> {
            self.catch_up()?;
            question(&self.connection.borrow()).map_err(|error| error.reading(&index))
        };
        match attempt() {
            Err(StoreError::DamagedIndex { .. }) => {
                self.reconnect()?;
                attempt()
            }
            other => other,
        }
    }

    fn catch_up(&self) -> Result<(), StoreError> {
        let now = Noted::of(&self.root);
        let is_behind = {
            let (noted, connection) = (self.noted.get(), self.connection.borrow());
            !now.is_same_and_settled(noted) && {
                let appeared = is_in_memory(&connection) && now.index.is_some();
                let replaced = !is_in_memory(&connection) && now.index != noted.index;
                appeared || replaced || !is_in_step(&self.root, &connection)?
            }
        };
        if is_behind {
            self.reconnect()?;
        }
        self.noted.set(now);
        Ok(())
    }

    fn reconnect(&self) -> Result<(), StoreError> {
        // Closed first: one with a damaged file helps nobody.
        self.connection.replace(open_in_memory().map_err(|error| error.reading(&self.root))?);
        let (connection, mended) = connect(&self.root)?;
        self.connection.replace(connection);
        self.connected.set(self.connected.get() + 1);
        self.warnings.borrow_mut().extend(mended);
        Ok(())
    }
}

/// A connection to an index that is in step with the folders, and what was mended for that.
fn connect(root: &Path) -> Result<(Connection, Option<String>), StoreError> {
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
struct Noted {
    folder: Option<SystemTime>,
    index: Option<FileIdentity>,
    at: Option<SystemTime>,
}

impl Noted {
    fn of(root: &Path) -> Self {
        let folder = std::fs::metadata(root).and_then(|metadata| metadata.modified()).ok();
        Self { folder, index: identity(&index_path(root)), at: Some(SystemTime::now()) }
    }

    /// A folder that has changed within the clock's last tick may change again without showing it.
    fn is_same_and_settled(self, before: Self) -> bool {
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
type FileIdentity = (u64, u64);

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

fn is_in_step(root: &Path, connection: &Connection) -> Result<bool, StoreError> {
    if !root.exists() {
        return Ok(is_in_memory(connection));
    }
    let differences =
        differences(root, connection).map_err(|error| error.reading(&index_path(root)))?;
    Ok(differences.is_empty())
}

fn is_in_memory(connection: &Connection) -> bool {
    connection.path().is_none_or(str::is_empty)
}

fn tasks(connection: &Connection, run: &RunId) -> Result<Vec<(TaskId, i64)>, Trouble> {
    match run_row(connection, run.as_str())? {
        Some(row) => Ok(super::rows::task_rows(connection, row.id)?.into_iter().collect()),
        None => Ok(Vec::new()),
    }
}

pub(super) fn failures(
    connection: &Connection,
    run: &RunId,
) -> Result<Vec<(TaskId, String)>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT tasks.name, ifnull(failure, '') FROM tasks JOIN runs ON runs.id = tasks.run
         WHERE runs.name = ?1 AND state = 'failed' ORDER BY tasks.ended, tasks.position",
    )?;
    let rows = statement.query_map([run.as_str()], |row| {
        Ok((TaskId::new(row.get::<_, String>(0)?), row.get(1)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn owners(connection: &Connection) -> Result<Vec<Option<Owner>>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT owner_pid, owner_started, owner_boot FROM runs WHERE outcome IS NULL ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| owner_at(row, 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The runs that fit. What SQL can choose by an index is chosen there, the words here, in every script's letters.
fn entries(
    connection: &Connection,
    root: &Path,
    filter: &RunFilter,
) -> Result<Vec<RunEntry>, Trouble> {
    let words: Vec<String> = filter.text.split_whitespace().map(str::to_lowercase).collect();
    let living: BTreeSet<Owner> =
        owners(connection)?.into_iter().flatten().filter(Owner::is_alive).collect();
    let outcome = filter.status.map(|status| match status {
        RunStatus::Running | RunStatus::Interrupted => "",
        other => other.word(),
    });
    let mut statement = connection.prepare_cached(
        "SELECT name, experiment, spec, created, ended, outcome, device, tasks, finished, failed, sweep_member,
         score, tags, notes, owner_pid, owner_started, owner_boot FROM runs
         WHERE (?1 IS NULL OR sweep = ?1) AND (?2 IS NULL OR ifnull(outcome, '') = ?2)
         ORDER BY created DESC, name DESC",
    )?;
    let sweep = filter.sweep.as_ref().map(SweepId::as_str);
    let mut rows = statement.query(rusqlite::params![sweep, outcome])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        if filter.limit.is_some_and(|limit| entries.len() >= limit) {
            break;
        }
        if !contains_all(row, &words)? {
            continue;
        }
        let entry = entry(row, root, &living)?;
        if filter.status.is_none_or(|status| status == entry.status) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// Whether each word is somewhere in name, experiment, tags or notes.
fn contains_all(row: &Row<'_>, words: &[String]) -> rusqlite::Result<bool> {
    if words.is_empty() {
        return Ok(true);
    }
    let mut text = String::new();
    for column in [0, 1, 12, 13] {
        text.push_str(row.get_ref(column)?.as_str()?);
        text.push('\n');
    }
    let text = text.to_lowercase();
    Ok(words.iter().all(|word| text.contains(word)))
}

fn entry(row: &Row<'_>, root: &Path, living: &BTreeSet<Owner>) -> rusqlite::Result<RunEntry> {
    let name: String = row.get(0)?;
    let count = |column: usize| row.get(column).map(|count: i64| count as u64);
    let text = |column: usize| row.get_ref(column).and_then(|text| Ok(text.as_str_or_null()?));
    let status = match outcome_of(text(5)?) {
        Some(outcome) => outcome.into(),
        None if owner_at(row, 14)?.is_some_and(|owner| living.contains(&owner)) => {
            RunStatus::Running
        }
        None => RunStatus::Interrupted,
    };
    Ok(RunEntry {
        path: root.join(&name),
        id: RunId::new(name),
        experiment: row.get(1)?,
        spec: parsed(row, 2)?,
        created: UtcMillis(row.get(3)?),
        ended: row.get::<_, Option<i64>>(4)?.map(UtcMillis),
        status,
        device: parsed(row, 6)?,
        tasks: count(7)?,
        finished: count(8)?,
        failed: count(9)?,
        sweep: text(10)?.and_then(|text| serde_json::from_str(text).ok()),
        score: text(11)?.and_then(|text| serde_json::from_str(text).ok()),
        tags: text(12)?.map(from_json).unwrap_or_default(),
        notes: row.get(13)?,
    })
}

/// A column that holds a type's text.
fn parsed<T: TryFrom<String, Error = String>>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    T::try_from(row.get(column)?).map_err(|message| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, kind, message.into())
    })
}
