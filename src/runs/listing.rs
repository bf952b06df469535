use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::error::Trouble;
use super::rows::{from_json, outcome_of, owner_at};
use super::{Owner, RunEntry, RunFilter, RunQuery, RunStatus, search_text};
use crate::domain::{RunId, SweepId, UtcMillis};

/// The runs that fit. What SQL can choose by an index is chosen there, by a query here, in every script's letters.
pub(super) fn entries(
    connection: &Connection,
    root: &Path,
    filter: &RunFilter,
) -> Result<Vec<RunEntry>, Trouble> {
    let asks_for_all = filter.query == RunQuery::default();
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
        let entry = entry(row, root, &living)?;
        if filter.status.is_none_or(|status| status == entry.status)
            && (asks_for_all
                || filter.query.fits(&entry, &search_text(&entry), entry.status.word()))
        {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// A number for all that lists of runs and models show: another one where anything of it is another. Some 20 ms for 10,000 runs.
pub(super) fn fingerprint(connection: &Connection) -> Result<u64, Trouble> {
    let mut hasher = DefaultHasher::new();
    for table in [
        "SELECT id, outcome, ended, tasks, finished, failed, score, tags, notes, owner_pid, owner_started, owner_boot
         FROM runs ORDER BY id",
        "SELECT folder, message FROM broken ORDER BY folder",
        "SELECT name, version, stage, run, task, tags, notes FROM models ORDER BY name, version",
    ] {
        let mut statement = connection.prepare_cached(table)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                match row.get_ref(column)? {
                    ValueRef::Null => 0_u8.hash(&mut hasher),
                    ValueRef::Integer(number) => (1_u8, number).hash(&mut hasher),
                    ValueRef::Real(number) => (2_u8, number.to_bits()).hash(&mut hasher),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => (3_u8, bytes).hash(&mut hasher),
                }
            }
        }
        // Where one table ends and the next begins.
        4_u8.hash(&mut hasher);
    }
    Ok(hasher.finish())
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

/// Owners of the runs that have not ended, in order.
pub(super) fn owners(connection: &Connection) -> Result<Vec<Option<Owner>>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT owner_pid, owner_started, owner_boot FROM runs WHERE outcome IS NULL ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| owner_at(row, 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A column that holds a type's text.
fn parsed<T: TryFrom<String, Error = String>>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    T::try_from(row.get(column)?).map_err(|message| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, kind, message.into())
    })
}
