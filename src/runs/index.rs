use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::connect::{Connected, Noted, connect, is_in_memory, is_in_step};
use super::database::{index_path, open_in_memory};
use super::error::Trouble;
use super::listing::{entries, fingerprint, owners};
use super::rows::{epoch_at, run_row};
use super::{LogLine, Manifest, ModelEntry, Owner, RunEntry, RunFilter, RunFolder, StoreError};
use crate::domain::{ContentHash, EpochRecord, RunId, TaskId, UtcMillis};

/// What the index knows of the runs in a folder: a connection that only reads and never keeps a writer waiting. Cheap to open; one for each
/// thread. What others write, in this process or another, and folders that come and go are noticed at every call.
#[derive(Debug)]
pub struct RunIndex {
    pub(super) root: PathBuf,
    connection: RefCell<Connection>,
    /// Whether it shows what was there when it was opened, because nothing can be written there.
    is_still: Cell<bool>,
    /// What was there when the names were last compared.
    noted: Cell<Noted>,
    /// How often it was connected anew: versions of different connections say nothing to each other.
    connected: Cell<u64>,
    /// The number of what lists show, and of which connection and version of its data.
    listed: Cell<Option<((u64, i64), u64)>>,
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
        let Connected { connection, mended, is_still } = connect(root)?;
        Ok(Self {
            root: root.to_owned(),
            connection: connection.into(),
            is_still: is_still.into(),
            noted,
            connected: Cell::new(0),
            listed: Cell::default(),
            warnings: mended.into(),
        })
    }

    /// What the user should know of the state in which the index was found, in words: that it was damaged and made again, or that the folder
    /// cannot be written.
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
                let (path, message) = (PathBuf::from(row.get::<_, String>(0)?), row.get(1)?);
                // The index has words only; a newer program's file wants other advice.
                Ok(match Manifest::read(&path) {
                    Err(newer @ StoreError::NewerRun { .. }) => newer,
                    _ => StoreError::Damaged { path, message },
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

    /// Changes when anybody, in any process, has written something that a list of runs or models shows, when a run's folder has come or gone,
    /// and when the process of a run has ended without a word. Measurements, which come every second while something trains, change nothing.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn generation(&self) -> Result<u64, StoreError> {
        self.ask(|connection| {
            let version: i64 = connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
            let connected = self.connected.get();
            let listed = match self.listed.get() {
                Some((of, listed)) if of == (connected, version) => listed,
                _ => {
                    let listed = fingerprint(connection)?;
                    self.listed.set(Some(((connected, version), listed)));
                    listed
                }
            };
            let living: Vec<bool> = owners(connection)?
                .iter()
                .map(|owner| owner.as_ref().is_some_and(Owner::is_alive))
                .collect();
            let text = format!("{connected} {listed} {living:?}");
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

    /// A model by `name` (the champion, else the newest version that is not archived), `name@3` or `name@champion`.
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
            let may_differ =
                !now.is_same_and_settled(noted) || has_broken(&connection, &self.root)?;
            may_differ && {
                let has_file = !is_in_memory(&connection) || self.is_still.get();
                let appeared = !has_file && now.index.is_some();
                let replaced = has_file && now.index != noted.index;
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
        let Connected { connection, mended, is_still } = connect(&self.root)?;
        self.connection.replace(connection);
        self.is_still.set(is_still);
        self.connected.set(self.connected.get() + 1);
        self.warnings.borrow_mut().extend(mended);
        Ok(())
    }
}

/// Whether a folder could not be read: when that is mended, the list of folders stays the same.
fn has_broken(connection: &Connection, root: &Path) -> Result<bool, StoreError> {
    let found = connection
        .prepare_cached("SELECT 1 FROM broken")
        .and_then(|mut statement| statement.exists([]));
    found.map_err(|error| Trouble::from(error).reading(&index_path(root)))
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
