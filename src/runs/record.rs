//! What an event changes in the index.

use rusqlite::{Connection, params};

use super::curve::make_whole;
use super::error::Trouble;
use super::log::{LogState, LoggedRun};
use super::rows::{end_run, finish_task, forget_epochs, insert_epoch, insert_log};
use super::{Owner, StoreError};
use crate::domain::{EpochRecord, Event, EventKind, RunId, TaskId, UtcMillis};

/// Writes an event within a transaction. Progress leaves nothing behind.
pub(super) fn apply(
    connection: &Connection,
    (run, state): (&LoggedRun, &mut LogState),
    event: &Event,
) -> Result<(), Trouble> {
    match &event.kind {
        EventKind::Progress(_) => return Ok(()),
        EventKind::Epoch(record) => return apply_epoch(connection, state, event, record),
        _ => {}
    }
    insert_log(connection, state.row, event)?;
    let at = event.at;
    match (&event.kind, &event.task) {
        (EventKind::RunEnded { outcome, summary }, _) => {
            end_run(connection, state.row, *outcome, (at, summary))
        }
        (kind, Some(task)) => {
            apply_to_task(connection, (state, task), kind, at)?;
            match kind {
                EventKind::Finished { report } | EventKind::Kept { report, .. } => {
                    make_curve_whole(connection, (run, state), task, report.epochs)
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn apply_to_task(
    connection: &Connection,
    (state, task): (&mut LogState, &TaskId),
    kind: &EventKind,
    at: UtcMillis,
) -> Result<(), Trouble> {
    // A task that is not in the plan is only logged.
    let Some(row) = state.tasks.get(task).map(|task| task.row) else { return Ok(()) };
    // A result that is on disk stays one, whatever becomes of the run: only an attempt that begins trains its task anew.
    let move_to = |state: &str, failure: Option<&str>, ended: Option<i64>| -> Result<(), Trouble> {
        connection
            .prepare_cached(
                "UPDATE tasks SET state = ?2, failure = ?3, ended = ?4
                 WHERE id = ?1 AND (state <> 'finished' OR ?2 = 'running')",
            )?
            .execute(params![row, state, failure, ended])?;
        Ok(())
    };
    match kind {
        EventKind::Queued => move_to("queued", None, None),
        EventKind::Started { device } => {
            move_to("running", None, None)?;
            connection
                .prepare_cached(
                    "UPDATE tasks SET device = ?2, started = ifnull(started, ?3) WHERE id = ?1",
                )?
                .execute(params![row, device.to_string(), at.0])?;
            Ok(())
        }
        EventKind::Finished { report } => finish_task(connection, row, report, (at, None)),
        EventKind::Kept { report, from } => {
            let from = from.as_ref().map(ToString::to_string);
            match from {
                // This run's own: its costs are known already.
                None => {
                    connection
                        .prepare_cached(
                            "UPDATE tasks SET state = 'finished', failure = NULL, ended = ifnull(ended, ?2)
                             WHERE id = ?1",
                        )?
                        .execute(params![row, at.0])?;
                    Ok(())
                }
                Some(from) => finish_task(connection, row, report, (at, Some(&from))),
            }
        }
        EventKind::Failed { message } => move_to("failed", Some(message), Some(at.0)),
        EventKind::Cancelled => move_to("cancelled", None, Some(at.0)),
        EventKind::Paused { .. } => move_to("paused", None, None),
        EventKind::Retrying { attempt, .. } => {
            move_to("queued", None, None)?;
            connection
                .prepare_cached("UPDATE tasks SET attempt = ?2 WHERE id = ?1")?
                .execute(params![row, attempt])?;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn make_curve_whole(
    connection: &Connection,
    (run, state): (&LoggedRun, &mut LogState),
    task: &TaskId,
    epochs: u32,
) -> Result<(), Trouble> {
    let Some(known) = state.tasks.get_mut(task) else { return Ok(()) };
    // Whatever is there now, nobody has looked.
    known.last_epoch = None;
    make_whole(connection, &run.folder(), (task, known.row), epochs)
}

fn apply_epoch(
    connection: &Connection,
    state: &mut LogState,
    event: &Event,
    record: &EpochRecord,
) -> Result<(), Trouble> {
    let task = event.task.as_ref().and_then(|task| state.tasks.get_mut(task));
    let Some(task) = task else { return Ok(()) };
    // An attempt may begin anew, or at a checkpoint before what is there.
    if task.last_epoch.is_none_or(|last| record.epoch <= last) {
        forget_epochs(connection, task.row, record.epoch)?;
    }
    insert_epoch(connection, task.row, record)?;
    task.last_epoch = Some(record.epoch);
    Ok(())
}

/// Writes how far the run's events are counted, and makes sure that the run is still there and this process's.
pub(super) fn count_events(
    connection: &Connection,
    (run, owner): (&RunId, &Owner),
    state: &LogState,
) -> Result<(), Trouble> {
    let counted = connection
        .prepare_cached(
            "UPDATE runs SET next_seq = ?2 WHERE id = ?1 AND owner_pid = ?3 AND owner_started IS ?4
             AND owner_boot IS ?5",
        )?
        .execute(params![
            state.row,
            state.next_seq as i64,
            owner.pid,
            owner.started.map(|started| started as i64),
            owner.boot
        ])?;
    if counted == 1 { Ok(()) } else { Err(StoreError::NotOwned { run: run.clone() }.into()) }
}
