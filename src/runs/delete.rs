use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::database::{Index, index_path, transact, write};
use super::error::Trouble;
use super::files::sync_folder;
use super::rows::{json, run_row};
use super::{Annotations, Owner, RunIndex, StoreError, registry};
use crate::domain::RunId;

/// What a folder's name begins with while its run is being deleted.
const TRASH: &str = ".trash-";

/// Where a deletion can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Rename,
    Commit,
    Remove,
}

/// Deletes a run: its folder and everything the index knows of it. Where that fails half-way, the run is as it was.
///
/// # Errors
/// [`StoreError::UnknownRun`], [`StoreError::Owned`] while it is at work, [`StoreError::HasModel`] while a named model comes from it,
/// [`StoreError::Write`].
pub fn delete_run(root: &Path, run: &RunId) -> Result<(), StoreError> {
    delete(root, run, &|_| Ok(()))
}

/// `before` is asked before each step and may make it fail: tests do.
fn delete(
    root: &Path,
    run: &RunId,
    before: &dyn Fn(Step) -> std::io::Result<()>,
) -> Result<(), StoreError> {
    let folder = RunIndex::open(root)?.find(run.as_str())?;
    let run = folder.run();
    let trash = trash(root, &run);
    let failed = |source: &std::io::Error| StoreError::write(folder.path(), source);
    let mut index = Index::open(root)?;
    let deleted = transact(&mut index.connection, |transaction| {
        if let Some(model) = registry::of_run(transaction, &run)? {
            return Err(StoreError::HasModel { run: run.clone(), model }.into());
        }
        let owner = run_row(transaction, run.as_str())?.and_then(|row| row.owner);
        if let Some(Owner { pid, .. }) = owner.filter(Owner::is_alive) {
            return Err(StoreError::Owned { run: run.clone(), pid }.into());
        }
        transaction.execute("DELETE FROM runs WHERE name = ?1", [run.as_str()])?;
        // Last before the commit: until then nothing has happened to the folder.
        before(Step::Rename)
            .and_then(|()| std::fs::rename(folder.path(), &trash))
            .map_err(|source| failed(&source))?;
        // Before the row goes: after a power cut the folder would be back, and with it the run.
        sync_folder(root)?;
        before(Step::Commit).map_err(|source| failed(&source).into())
    });
    if let Err(error) = deleted {
        if trash.exists() && !folder.path().exists() {
            std::fs::rename(&trash, folder.path())
                .map_err(|source| StoreError::write(&trash, &source))?;
        }
        return Err(error.writing(&index_path(root)));
    }
    // The run is deleted; what stays of its files is swept when the store is opened next.
    let _swept_later = before(Step::Remove).and_then(|()| std::fs::remove_dir_all(&trash));
    Ok(())
}

fn trash(root: &Path, run: &RunId) -> PathBuf {
    root.join(format!("{TRASH}{run}"))
}

/// Finishes what a process that is gone began to delete: a run that the index still has comes back, the files of others go.
pub(super) fn sweep(root: &Path, connection: &mut Connection) -> Result<(), StoreError> {
    sweep_with(root, connection, &|trash| std::fs::remove_dir_all(trash))
}

fn sweep_with(
    root: &Path,
    connection: &mut Connection,
    remove: &dyn Fn(&Path) -> std::io::Result<()>,
) -> Result<(), StoreError> {
    let listing = std::fs::read_dir(root).map_err(|source| StoreError::read(root, &source))?;
    let names = listing.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let trashed: Vec<RunId> =
        names.filter_map(|name| Some(RunId::new(name.strip_prefix(TRASH)?))).collect();
    if trashed.is_empty() {
        return Ok(());
    }
    // Within a transaction: whoever is deleting at this moment holds one.
    let gone = transact(connection, |transaction| {
        let mut gone = Vec::new();
        for run in &trashed {
            let folder = root.join(run.as_str());
            if run_row(transaction, run.as_str())?.is_some() && !folder.exists() {
                // One that somebody else has brought back meanwhile is where it belongs.
                let _back = std::fs::rename(trash(root, run), folder);
            } else {
                gone.push(trash(root, run));
            }
        }
        Ok(gone)
    });
    // After it: a large run takes its time, and nobody can write meanwhile.
    for trash in gone.map_err(|error: Trouble| error.writing(&index_path(root)))? {
        // What cannot be removed is tried again next time.
        let _next_time = remove(&trash);
    }
    Ok(())
}

/// Replaces a run's tags and notes.
///
/// # Errors
/// [`StoreError::UnknownRun`], [`StoreError::Write`].
pub fn annotate_run(
    root: &Path,
    run: &RunId,
    tags: &[String],
    notes: &str,
) -> Result<(), StoreError> {
    let folder = RunIndex::open(root)?.find(run.as_str())?;
    let annotations = Annotations { tags: tags.to_vec(), notes: notes.to_owned() };
    write(root, |transaction| {
        transaction.execute(
            "UPDATE runs SET tags = ?2, notes = ?3 WHERE name = ?1",
            params![folder.run().as_str(), json(&annotations.tags), annotations.notes],
        )?;
        // Beside the run too, so that it survives the loss of the index.
        Ok(folder.write_annotations(&annotations)?)
    })
}

#[cfg(test)]
#[path = "delete_tests.rs"]
mod tests;
