//! Brings the index in step with the folders: runs that came from elsewhere are taken in, runs whose folders are gone are forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, params};

use super::database::{index_path, transact};
use super::delete::sweep;
use super::error::Trouble;
use super::found::{Found, FoundTask, modified};
use super::rows::{finish_task, import_outcome, owner_at, run_row, set_owner, task_rows};
use super::{Owner, RunFolder, StoreError};

/// Runs taken in by one transaction, so that other writers are not kept waiting.
const AT_ONCE: usize = 32;

/// What differs between folders and index.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Differences {
    /// Folders that the index does not know, or that could not be read and have changed since.
    pub(super) came: Vec<String>,
    /// Runs whose folders are gone.
    pub(super) gone: Vec<String>,
    /// Folders that could not be read and are gone.
    pub(super) mended: Vec<String>,
}

impl Differences {
    pub(super) const fn is_empty(&self) -> bool {
        self.came.is_empty() && self.gone.is_empty() && self.mended.is_empty()
    }
}

/// Compares names only, which takes milliseconds for thousands of runs.
pub(super) fn differences(root: &Path, connection: &Connection) -> Result<Differences, Trouble> {
    // In this order: a run that is made in between is in the folders and seems to have come, never to be gone.
    let known = strings(connection, "SELECT name FROM runs")?;
    let broken = broken_folders(connection)?;
    let folders = folders(root)?;
    let mut differences = Differences::default();
    for folder in &folders {
        let is_known = known.contains(folder)
            || broken.get(folder).is_some_and(|&then| then == changed(root, folder));
        if !is_known && root.join(folder).join("manifest.json").exists() {
            differences.came.push(folder.clone());
        }
    }
    differences.gone.extend(known.into_iter().filter(|name| !folders.contains(name)));
    differences.mended.extend(broken.into_keys().filter(|name| !folders.contains(name)));
    Ok(differences)
}

/// Takes in and forgets what differs.
pub(super) fn bring_in_step(root: &Path, connection: &mut Connection) -> Result<(), StoreError> {
    sweep(root, connection)?;
    let attempt = |connection: &mut Connection| -> Result<(), Trouble> {
        let differences = differences(root, connection)?;
        for names in differences.came.chunks(AT_ONCE) {
            let found: Vec<(&String, Result<Found, StoreError>)> =
                names.iter().map(|name| (name, Found::read(&root.join(name)))).collect();
            transact(connection, |transaction| {
                for (name, found) in &found {
                    take_in(root, transaction, name, found)?;
                }
                Ok(())
            })?;
        }
        if differences.gone.is_empty() && differences.mended.is_empty() {
            return Ok(());
        }
        transact(connection, |transaction| {
            // A folder that is back by now was only out of the way while somebody tried to delete it.
            for name in differences.gone.iter().filter(|name| !root.join(name).exists()) {
                transaction.execute("DELETE FROM runs WHERE name = ?1", [name])?;
            }
            for name in &differences.mended {
                transaction.execute("DELETE FROM broken WHERE folder = ?1", [name])?;
            }
            Ok(())
        })
    };
    attempt(connection).map_err(|error| error.writing(&index_path(root)))
}

fn take_in(
    root: &Path,
    connection: &Connection,
    name: &str,
    found: &Result<Found, StoreError>,
) -> Result<(), Trouble> {
    match found {
        Ok(found) => {
            connection.execute("DELETE FROM broken WHERE folder = ?1", [name])?;
            // Whoever makes it may have been faster, and somebody may have deleted it.
            let is_known = run_row(connection, name)?.is_some();
            if is_known || !root.join(name).exists() { Ok(()) } else { found.insert(connection) }
        }
        Err(error) => {
            let (file, message) = error.file_and_message();
            connection.execute(
                "INSERT OR REPLACE INTO broken (folder, file, message, changed) VALUES (?1, ?2, ?3, ?4)",
                params![name, file.to_string_lossy(), message, changed(root, name)],
            )?;
            Ok(())
        }
    }
}

/// What was left behind by processes that are gone: their runs belong to nobody, and what is on disk counts.
pub(super) fn recover(root: &Path, connection: &mut Connection) -> Result<(), StoreError> {
    let attempt = |connection: &mut Connection| -> Result<(), Trouble> {
        for (name, row) in abandoned(root, connection)? {
            // Read outside of the transaction; a run without a living owner does not change.
            let Ok(found) = Found::read(&root.join(&name)) else { continue };
            transact(connection, |transaction| {
                // Somebody may have resumed it meanwhile.
                if !abandoned(root, transaction)?.iter().any(|(_, still)| *still == row) {
                    return Ok(());
                }
                let rows = task_rows(transaction, row)?;
                for FoundTask { task, report, ended } in &found.finished {
                    let Some(row) = rows.get(task) else { continue };
                    if !is_finished(transaction, *row)? {
                        finish_task(transaction, *row, report, (*ended, None))?;
                        // The last epochs may not have been written before the process was gone.
                        found.insert_curve(transaction, task, *row)?;
                    }
                }
                set_owner(transaction, row, None)?;
                match &found.outcome {
                    Some(outcome) => import_outcome(transaction, row, outcome),
                    None => Ok(()),
                }
            })?;
        }
        Ok(())
    };
    attempt(connection).map_err(|error| error.writing(&index_path(root)))
}

/// Runs whose owner is gone without letting go of them, and those without an owner whose end is on disk: it could not be recorded.
fn abandoned(root: &Path, connection: &Connection) -> Result<Vec<(String, i64)>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT name, id, owner_pid, owner_started, owner_boot FROM runs WHERE outcome IS NULL",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, owner_at(row, 2)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<(String, i64, Option<Owner>)>>>()?;
    let is_abandoned = |name: &str, owner: Option<Owner>| match owner {
        Some(owner) => !owner.is_alive(),
        None => RunFolder::new(root.join(name)).has_outcome(),
    };
    Ok(rows
        .into_iter()
        .filter_map(|(name, id, owner)| is_abandoned(&name, owner).then_some((name, id)))
        .collect())
}

fn is_finished(connection: &Connection, task: i64) -> Result<bool, Trouble> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM tasks WHERE id = ?1 AND state = 'finished'")?;
    Ok(statement.exists([task])?)
}

/// Folders that could be runs: hidden ones are ours, being made or removed.
fn folders(root: &Path) -> Result<BTreeSet<String>, Trouble> {
    let read = |source: std::io::Error| StoreError::read(root, &source);
    let mut folders = BTreeSet::new();
    for entry in std::fs::read_dir(root).map_err(read)? {
        let entry = entry.map_err(read)?;
        // One that goes away at this moment is none.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir() || kind.is_symlink());
        if let Ok(name) = entry.file_name().into_string()
            && is_folder
            && !name.starts_with('.')
        {
            folders.insert(name);
        }
    }
    Ok(folders)
}

fn broken_folders(connection: &Connection) -> Result<BTreeMap<String, i64>, Trouble> {
    let mut statement = connection.prepare_cached("SELECT folder, changed FROM broken")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn strings(connection: &Connection, query: &str) -> Result<BTreeSet<String>, Trouble> {
    let mut statement = connection.prepare_cached(query)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When anything that can make a folder unreadable last changed.
fn changed(root: &Path, folder: &str) -> i64 {
    let folder = root.join(folder);
    ["manifest.json", "outcome.json"]
        .into_iter()
        .map(|file| modified(&folder.join(file)).0)
        .fold(0, i64::wrapping_add)
}
