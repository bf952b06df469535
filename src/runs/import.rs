//! Brings the index in step with the folders: runs that came from elsewhere are taken in, runs whose folders are gone are forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, params};

use super::database::{index_path, transact};
use super::error::Trouble;
use super::rows::{
    finish_task, forget_epochs, import_outcome, insert_epoch, insert_run, json, set_owner,
    task_rows,
};
use super::tables::read_history;
use super::{Annotations, Manifest, Outcome, RunFolder, StoreError};
use crate::domain::{EpochRecord, TaskId, TaskReport, UtcMillis};

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
            let known = strings(connection, "SELECT name FROM runs")?.contains(name);
            // Whoever makes it may have been faster.
            if known { Ok(()) } else { found.insert(connection) }
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

/// Everything a folder tells of its run.
struct Found {
    manifest: Manifest,
    outcome: Option<Outcome>,
    annotations: Annotations,
    /// Failures of the versions that logged them in the folder.
    failures: Vec<(TaskId, String)>,
    tasks: Vec<FoundTask>,
}

struct FoundTask {
    task: TaskId,
    report: TaskReport,
    ended: UtcMillis,
    history: Vec<EpochRecord>,
}

impl Found {
    fn read(path: &Path) -> Result<Self, StoreError> {
        let folder = RunFolder::new(path.to_owned());
        let manifest = folder.manifest()?;
        let outcome = folder.outcome()?;
        let failures = folder.logged_failures()?;
        let mut tasks = Vec::new();
        for task in &manifest.plan.tasks {
            // What cannot be read has not finished.
            let Ok(Some(metadata)) = folder.finished(task) else { continue };
            let path = folder.task(&task.id);
            let ended = modified(&path.join("metadata.json"));
            // Curves are worth having, but a run without them is still one.
            let history = read_history(&path.join("history.parquet")).unwrap_or_default();
            tasks.push(FoundTask {
                task: task.id.clone(),
                report: metadata.report,
                ended,
                history,
            });
        }
        let annotations = folder.annotations()?;
        Ok(Self { manifest, outcome, annotations, failures, tasks })
    }

    fn insert(&self, connection: &Connection) -> Result<(), Trouble> {
        let run = insert_run(connection, &self.manifest)?;
        let rows = task_rows(connection, run)?;
        for (task, message) in &self.failures {
            connection.execute(
                "UPDATE tasks SET state = 'failed', failure = ?3 WHERE run = ?1 AND name = ?2",
                params![run, task.as_str(), message],
            )?;
        }
        for FoundTask { task, report, ended, history } in &self.tasks {
            let Some(&row) = rows.get(task) else { continue };
            finish_task(connection, row, report, (*ended, None))?;
            forget_epochs(connection, row, 0)?;
            for record in history {
                insert_epoch(connection, row, record)?;
            }
        }
        connection.execute(
            "UPDATE runs SET tags = ?2, notes = ?3 WHERE id = ?1",
            params![run, json(&self.annotations.tags), self.annotations.notes],
        )?;
        match &self.outcome {
            Some(outcome) => import_outcome(connection, run, outcome),
            None => Ok(()),
        }
    }
}

/// What was left behind by processes that are gone: their runs belong to nobody, and what is on disk counts.
pub(super) fn recover(root: &Path, connection: &mut Connection) -> Result<(), StoreError> {
    let attempt = |connection: &mut Connection| -> Result<(), Trouble> {
        for (name, row) in abandoned(connection)? {
            // Read outside of the transaction; a run without a living owner does not change.
            let Ok(found) = Found::read(&root.join(&name)) else { continue };
            transact(connection, |transaction| {
                // Somebody may have resumed it meanwhile.
                if !abandoned(transaction)?.iter().any(|(_, still)| *still == row) {
                    return Ok(());
                }
                let rows = task_rows(transaction, row)?;
                for FoundTask { task, report, ended, .. } in &found.tasks {
                    let Some(row) = rows.get(task) else { continue };
                    if !is_finished(transaction, *row)? {
                        finish_task(transaction, *row, report, (*ended, None))?;
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

/// Runs that have not ended and whose owner is gone without letting go of them.
fn abandoned(connection: &Connection) -> Result<Vec<(String, i64)>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT name, id, owner_pid, owner_started, owner_boot FROM runs
         WHERE outcome IS NULL AND owner_pid IS NOT NULL",
    )?;
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, super::rows::owner_at(row, 2)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<(String, i64, Option<super::Owner>)>>>()?;
    let is_gone =
        |owner: &Option<super::Owner>| !owner.as_ref().is_some_and(super::Owner::is_alive);
    Ok(rows
        .into_iter()
        .filter(|(.., owner)| is_gone(owner))
        .map(|(name, id, _)| (name, id))
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

fn modified(path: &Path) -> UtcMillis {
    let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let since = modified.ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    UtcMillis(since.map_or(0, |since| since.as_millis() as i64))
}
