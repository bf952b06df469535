//! Curves in the index, made whole of the file that a finished task leaves.

use rusqlite::Connection;

use super::RunFolder;
use super::error::Trouble;
use super::rows::{forget_epochs, insert_epoch};
use super::tables::read_history;
use crate::domain::{EpochRecord, TaskId};

/// Replaces a task's curve by that of its `history.parquet`, unless it has as many epochs as the task trained for. Epochs may be missing: the
/// task was trained by another run, or the last ones before a process was killed were not written while its checkpoint was.
pub(super) fn make_whole(
    connection: &Connection,
    folder: &RunFolder,
    (task, row): (&TaskId, i64),
    epochs: u32,
) -> Result<(), Trouble> {
    let (found, last): (u32, Option<u32>) = connection
        .prepare_cached("SELECT count(*), max(epoch) FROM epochs WHERE task = ?1")?
        .query_row([row], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if found == epochs && last.unwrap_or(0) == epochs {
        return Ok(());
    }
    // Curves are worth having, but a task without one has finished all the same.
    match read_history(&folder.task(task).join("history.parquet")) {
        Ok(history) => replace(connection, row, &history),
        Err(_no_history) => Ok(()),
    }
}

/// Replaces a task's curve.
pub(super) fn replace(
    connection: &Connection,
    row: i64,
    curve: &[EpochRecord],
) -> Result<(), Trouble> {
    forget_epochs(connection, row, 0)?;
    for record in curve {
        insert_epoch(connection, row, record)?;
    }
    Ok(())
}
