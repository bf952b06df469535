//! What goes into the index's tables and comes out of them, statement by statement.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Trouble;
use super::{Ending, Manifest, Outcome, Owner};
use crate::domain::{
    EpochRecord, Event, EventKind, Plan, RunOutcome, RunSummary, Score, SweepMember, Task, TaskId,
    TaskReport, UtcMillis,
};

/// Adds a run that has just been made, or one that was found in its folder; tasks it has already stay. Gives its row.
pub(super) fn insert_run(connection: &Connection, manifest: &Manifest) -> Result<i64, Trouble> {
    let Manifest { run, created, owner, sweep, plan, .. } = manifest;
    let Plan { experiment, spec, device, tasks, .. } = plan;
    let sweep_name = sweep.as_ref().map(|member: &SweepMember| member.sweep.as_str());
    let id = connection
        .prepare_cached(
            "INSERT INTO runs (name, experiment, spec, device, created, sweep, sweep_member)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id",
        )?
        .query_row(
            params![
                run.as_str(),
                experiment,
                spec.to_string(),
                device.to_string(),
                created.0,
                sweep_name,
                sweep.as_ref().map(json),
            ],
            |row| row.get(0),
        )?;
    set_owner(connection, id, owner.as_ref())?;
    for (position, task) in tasks.iter().enumerate() {
        insert_task(connection, id, position, task)?;
    }
    Ok(id)
}

fn insert_task(
    connection: &Connection,
    run: i64,
    position: usize,
    task: &Task,
) -> Result<(), Trouble> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO tasks (run, name, position, key, estimate, shape, train_rows)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            run,
            task.id.as_str(),
            position as i64,
            task.key.to_string(),
            // What lies on the device for several tasks is nobody's own.
            task.memory.0.saturating_sub(task.resident.0) as i64,
            task.shape.map(|shape| shape.to_string()),
            task.train_rows as i64
        ])?;
    Ok(())
}

pub(super) fn set_owner(
    connection: &Connection,
    run: i64,
    owner: Option<&Owner>,
) -> Result<(), Trouble> {
    connection
        .prepare_cached(
            "UPDATE runs SET owner_pid = ?2, owner_started = ?3, owner_boot = ?4 WHERE id = ?1",
        )?
        .execute(params![
            run,
            owner.map(|owner| owner.pid),
            owner.and_then(|owner| owner.started).map(|started| started as i64),
            owner.and_then(|owner| owner.boot.as_deref()),
        ])?;
    Ok(())
}

/// The owner in columns `first` to `first + 2`.
pub(super) fn owner_at(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Owner>> {
    let Some(pid) = row.get(first)? else { return Ok(None) };
    let started: Option<i64> = row.get(first + 1)?;
    Ok(Some(Owner {
        pid,
        started: started.map(|started| started as u64),
        boot: row.get(first + 2)?,
    }))
}

/// How a run stands in the index.
pub(super) struct RunRow {
    pub(super) id: i64,
    pub(super) outcome: Option<RunOutcome>,
    pub(super) owner: Option<Owner>,
}

pub(super) fn run_row(connection: &Connection, run: &str) -> Result<Option<RunRow>, Trouble> {
    let found = connection
        .prepare_cached(
            "SELECT id, outcome, owner_pid, owner_started, owner_boot FROM runs WHERE name = ?1",
        )?
        .query_row([run], |row| {
            Ok(RunRow {
                id: row.get(0)?,
                outcome: outcome_of(row.get::<_, Option<String>>(1)?.as_deref()),
                owner: owner_at(row, 2)?,
            })
        })
        .optional()?;
    Ok(found)
}

pub(super) fn outcome_of(word: Option<&str>) -> Option<RunOutcome> {
    match word? {
        "finished" => Some(RunOutcome::Finished),
        "failed" => Some(RunOutcome::Failed),
        "cancelled" => Some(RunOutcome::Cancelled),
        _ => None,
    }
}

pub(super) const fn outcome_word(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Finished => "finished",
        RunOutcome::Failed => "failed",
        RunOutcome::Cancelled => "cancelled",
    }
}

/// A run's tasks and their rows.
pub(super) fn task_rows(
    connection: &Connection,
    run: i64,
) -> Result<BTreeMap<TaskId, i64>, Trouble> {
    let mut statement = connection.prepare_cached("SELECT name, id FROM tasks WHERE run = ?1")?;
    let rows = statement
        .query_map([run], |row| Ok((TaskId::new(row.get::<_, String>(0)?), row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Writes how a run ended; nobody has it any more.
pub(super) fn end_run(
    connection: &Connection,
    run: i64,
    outcome: RunOutcome,
    (at, summary): (UtcMillis, &RunSummary),
) -> Result<(), Trouble> {
    connection
        .prepare_cached("UPDATE runs SET ended = ?2, outcome = ?3, score = ?4 WHERE id = ?1")?
        .execute(params![
            run,
            at.0,
            outcome_word(outcome),
            mean_score(summary).as_ref().map(json)
        ])?;
    set_owner(connection, run, None)
}

/// Writes what `outcome.json` tells: how the run and its tasks ended.
pub(super) fn import_outcome(
    connection: &Connection,
    run: i64,
    outcome: &Outcome,
) -> Result<(), Trouble> {
    for ended in outcome.tasks.iter().filter(|ended| ended.ending != Ending::Finished) {
        connection
            .prepare_cached(
                "UPDATE tasks SET state = ?3, failure = ?4 WHERE run = ?1 AND name = ?2 AND state <> 'finished'",
            )?
            .execute(params![run, ended.task.as_str(), ended.ending.word(), ended.failure])?;
    }
    end_run(connection, run, outcome.outcome, (outcome.ended, &outcome.summary))
}

/// Writes a task's result.
pub(super) fn finish_task(
    connection: &Connection,
    task: i64,
    report: &TaskReport,
    (at, kept_from): (UtcMillis, Option<&str>),
) -> Result<(), Trouble> {
    connection
        .prepare_cached(
            "UPDATE tasks SET state = 'finished', ended = ?2, failure = NULL, kept_from = ?3, seconds = ?4,
             steps = ?5, epochs = ?6, peak = ?7 WHERE id = ?1",
        )?
        .execute(params![
            task,
            at.0,
            kept_from,
            report.seconds,
            report.steps as i64,
            report.epochs,
            report.peak_memory.map(|peak| peak.0 as i64)
        ])?;
    Ok(())
}

/// Writes an epoch; what was there of it and of later ones came from an attempt that was given up.
pub(super) fn insert_epoch(
    connection: &Connection,
    task: i64,
    record: &EpochRecord,
) -> Result<(), Trouble> {
    connection
        .prepare_cached(
            "INSERT INTO epochs (task, epoch, train_loss, validation_loss, monitor, learning_rate, gradient_norm,
             seconds, is_best) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            task,
            record.epoch,
            record.train_loss,
            record.validation_loss,
            record.monitor,
            record.learning_rate,
            record.gradient_norm,
            record.seconds,
            record.is_best
        ])?;
    Ok(())
}

/// Forgets a task's epochs from this one on.
pub(super) fn forget_epochs(connection: &Connection, task: i64, from: u32) -> Result<(), Trouble> {
    connection
        .prepare_cached("DELETE FROM epochs WHERE task = ?1 AND epoch >= ?2")?
        .execute(params![task, from])?;
    Ok(())
}

/// An epoch in nine columns from `first`, in the table's order after its key.
pub(super) fn epoch_at(row: &Row<'_>, first: usize) -> rusqlite::Result<EpochRecord> {
    // What is no number cannot be stored and reads as nothing.
    let float =
        |column: usize| row.get(first + column).map(|value: Option<f64>| value.unwrap_or(f64::NAN));
    Ok(EpochRecord {
        epoch: row.get(first)?,
        train_loss: float(1)?,
        validation_loss: row.get(first + 2)?,
        monitor: row.get(first + 3)?,
        learning_rate: float(4)?,
        gradient_norm: float(5)?,
        seconds: float(6)?,
        is_best: row.get(first + 7)?,
    })
}

/// A line of the log.
pub(super) fn insert_log(connection: &Connection, run: i64, event: &Event) -> Result<(), Trouble> {
    let (kind, message) = log_words(&event.kind);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO log (run, seq, at, task, kind, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            run,
            event.seq as i64,
            event.at.0,
            event.task.as_ref().map(TaskId::as_str),
            kind,
            message
        ])?;
    Ok(())
}

/// The kind as in JSON, and what there is to say.
fn log_words(kind: &EventKind) -> (&'static str, Option<String>) {
    match kind {
        EventKind::Planned { .. } => ("planned", None),
        EventKind::Queued => ("queued", None),
        EventKind::Started { device } => ("started", Some(device.to_string())),
        EventKind::Stage { stage } => (
            "stage",
            serde_json::to_value(stage).ok().and_then(|word| Some(word.as_str()?.to_owned())),
        ),
        EventKind::Progress(_) => ("progress", None),
        EventKind::Epoch(_) => ("epoch", None),
        EventKind::Warning { message } => ("warning", Some(message.clone())),
        EventKind::Finished { .. } => ("finished", None),
        EventKind::Failed { message } => ("failed", Some(message.clone())),
        EventKind::Cancelled => ("cancelled", None),
        EventKind::Paused { steps } => ("paused", Some(format!("after {steps} steps"))),
        EventKind::Kept { from, .. } => ("kept", from.as_ref().map(ToString::to_string)),
        EventKind::Retrying { message, attempt } => {
            ("retrying", Some(format!("attempt {attempt}: {message}")))
        }
        EventKind::RunEnded { outcome, .. } => {
            ("run_ended", Some(outcome_word(*outcome).to_owned()))
        }
    }
}

/// The mean over the run's series of every figure that could be computed; `None` where nothing finished.
fn mean_score(summary: &RunSummary) -> Option<Score> {
    let scores: Vec<&Score> = summary.series.iter().map(|series| &series.model).collect();
    let mean = |field: fn(&Score) -> Option<f64>| {
        let known: Vec<f64> = scores.iter().filter_map(|score| field(score)).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    (!scores.is_empty()).then(|| Score {
        rows: scores.iter().map(|score| score.rows).sum(),
        ic_ts: mean(|score| score.ic_ts),
        rank_ic_ts: mean(|score| score.rank_ic_ts),
        hit_rate: mean(|score| score.hit_rate),
        total_return: mean(|score| score.total_return),
        sharpe: mean(|score| score.sharpe),
        max_drawdown: mean(|score| score.max_drawdown),
        turnover: mean(|score| score.turnover),
    })
}

/// Plain data as text.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data with string keys serialises")
}

/// What [`json`] wrote; the default where a column holds something else, which only another program can have put there.
pub(super) fn from_json<T: DeserializeOwned + Default>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}
