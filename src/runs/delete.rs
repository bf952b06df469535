use std::path::Path;

use super::database::{index_path, open_for_writing, transact};
use super::rows::json;
use super::rows::run_row;
use super::{Annotations, Owner, RunFolder, RunIndex, StoreError, registry};
use crate::domain::RunId;

/// What a folder is called while its run is being deleted.
const TRASH: &str = ".trash-";

/// Deletes a run: its folder and everything the index knows of it. Where that fails half-way, the run is as it was.
///
/// # Errors
/// [`StoreError::UnknownRun`], [`StoreError::Owned`] while it is at work, [`StoreError::HasModel`] while a named model comes from it,
/// [`StoreError::Write`].
pub fn delete_run(root: &Path, run: &RunId) -> Result<(), StoreError> {
    let folder = RunIndex::open(root)?.find(run.as_str())?;
    let run = folder.run();
    let trash = root.join(format!("{TRASH}{run}"));
    let mut connection = open_for_writing(root)?;
    let deleted = transact(&mut connection, |transaction| {
        if let Some(model) = registry::of_run(transaction, &run)? {
            return Err(StoreError::HasModel { run: run.clone(), model }.into());
        }
        let owner = run_row(transaction, run.as_str())?.and_then(|row| row.owner);
        if let Some(Owner { pid, .. }) = owner.filter(Owner::is_alive) {
            return Err(StoreError::Owned { run: run.clone(), pid }.into());
        }
        transaction.execute("DELETE FROM runs WHERE name = ?1", [run.as_str()])?;
        // Last before the commit: until then nothing has happened to the folder.
        std::fs::rename(folder.path(), &trash)
            .map_err(|source| StoreError::write(folder.path(), &source))?;
        Ok(())
    });
    if let Err(error) = deleted {
        if trash.exists() && !folder.path().exists() {
            std::fs::rename(&trash, folder.path())
                .map_err(|source| StoreError::write(&trash, &source))?;
        }
        return Err(error.writing(&index_path(root)));
    }
    // The run is deleted; what stays of its files is swept the next time the store is opened.
    let _swept_later = std::fs::remove_dir_all(&trash);
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
    let folder: RunFolder = RunIndex::open(root)?.find(run.as_str())?;
    let annotations = Annotations { tags: tags.to_vec(), notes: notes.to_owned() };
    super::database::write(root, |transaction| {
        transaction.execute(
            "UPDATE runs SET tags = ?2, notes = ?3 WHERE name = ?1",
            rusqlite::params![folder.run().as_str(), json(&annotations.tags), annotations.notes],
        )?;
        Ok(folder.write_annotations(&annotations)?)
    })
}
