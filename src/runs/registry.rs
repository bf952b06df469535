use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::database::{transact, write};
use super::error::Trouble;
use super::files::{read_json, write_json};
use super::guard::free_name;
use super::rows::{from_json, json, run_row};
use super::{ModelEntry, ModelStage, RunIndex, StoreError};
use crate::domain::{RunId, TaskId, UtcMillis};

/// The longest name, so that files named after it fit everywhere.
const LONGEST_NAME: usize = 64;

/// Gives a finished task's model a name; the first of a name is version 1. It begins as a candidate.
///
/// # Errors
/// [`StoreError::ModelName`], [`StoreError::UnknownRun`], [`StoreError::NotFinished`] when the task has no result, [`StoreError::Write`].
pub fn register_model(
    root: &Path,
    name: &str,
    run: &RunId,
    task: &TaskId,
) -> Result<ModelEntry, StoreError> {
    check_name(name)?;
    let folder = RunIndex::open(root)?.find(run.as_str())?;
    let run = folder.run();
    let plan = folder.manifest()?.plan;
    let planned = plan.tasks.iter().find(|planned| planned.id == *task);
    let not_finished = || StoreError::NotFinished { run: run.clone(), task: task.clone() };
    let planned = planned.ok_or_else(not_finished)?;
    let metadata = folder.whole(planned)?.ok_or_else(not_finished)?;
    folder.check_weights(planned, &metadata)?;
    enter(root, name, &run, task)
}

fn enter(root: &Path, name: &str, run: &RunId, task: &TaskId) -> Result<ModelEntry, StoreError> {
    change(root, |transaction| {
        // Somebody may have deleted it while its files were looked at.
        if run_row(transaction, run.as_str())?.is_none() {
            let (run, root) = (run.to_string(), root.to_owned());
            return Err(StoreError::UnknownRun { run, root }.into());
        }
        let version: u32 = transaction.query_row(
            "INSERT INTO model_names (name, last_version) VALUES (?1, 1)
             ON CONFLICT (name) DO UPDATE SET last_version = last_version + 1 RETURNING last_version",
            [name],
            |row| row.get(0),
        )?;
        transaction.execute(
            "INSERT INTO models (name, version, stage, run, task, registered) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                name,
                version,
                ModelStage::Candidate.word(),
                run.as_str(),
                task.as_str(),
                UtcMillis::now().0
            ],
        )?;
        one(transaction, root, name, version)
    })
}

/// Says what a model is good for. A new champion sends the one before it into the archive.
///
/// # Errors
/// [`StoreError::UnknownModel`], [`StoreError::Write`].
pub fn set_stage(
    root: &Path,
    name: &str,
    version: u32,
    stage: ModelStage,
) -> Result<(), StoreError> {
    change(root, |transaction| {
        one(transaction, root, name, version)?;
        if stage == ModelStage::Champion {
            transaction.execute(
                "UPDATE models SET stage = 'archived' WHERE name = ?1 AND stage = 'champion' AND version <> ?2",
                params![name, version],
            )?;
        }
        transaction.execute(
            "UPDATE models SET stage = ?3 WHERE name = ?1 AND version = ?2",
            params![name, version, stage.word()],
        )?;
        Ok(())
    })
}

/// Replaces a model's tags and notes.
///
/// # Errors
/// [`StoreError::UnknownModel`], [`StoreError::Write`].
pub fn annotate_model(
    root: &Path,
    name: &str,
    version: u32,
    tags: &[String],
    notes: &str,
) -> Result<(), StoreError> {
    change(root, |transaction| {
        one(transaction, root, name, version)?;
        transaction.execute(
            "UPDATE models SET tags = ?3, notes = ?4 WHERE name = ?1 AND version = ?2",
            params![name, version, json(&tags), notes],
        )?;
        Ok(())
    })
}

/// Takes a model's name away; its run and files stay.
///
/// # Errors
/// [`StoreError::UnknownModel`], [`StoreError::Write`].
pub fn remove_model(root: &Path, name: &str, version: u32) -> Result<(), StoreError> {
    change(root, |transaction| {
        one(transaction, root, name, version)?;
        transaction.execute(
            "DELETE FROM models WHERE name = ?1 AND version = ?2",
            params![name, version],
        )?;
        Ok(())
    })
}

/// `models.json`: the registry once more, so that it survives the loss of the index.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Registry {
    models: Vec<ModelEntry>,
    /// The last version given of each name.
    last_versions: BTreeMap<String, u32>,
}

fn registry_path(root: &Path) -> PathBuf {
    root.join("models.json")
}

/// Changes the registry, in the index and in its file.
fn change<T>(
    root: &Path,
    work: impl FnOnce(&Connection) -> Result<T, Trouble>,
) -> Result<T, StoreError> {
    write(root, |transaction| {
        let done = work(transaction)?;
        let mut statement = transaction.prepare("SELECT name, last_version FROM model_names")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let last_versions = rows.collect::<rusqlite::Result<_>>()?;
        let registry = Registry { models: models(transaction)?, last_versions };
        write_json(&registry_path(root), &registry)?;
        Ok(done)
    })
}

/// Fills the registry of an index that has none from the file. By what is there, not by how old the index is: somebody may have been interrupted
/// between making one and filling it. Names are never forgotten, so an empty registry was never filled.
/// A file that cannot be read as one is moved aside and what was done is given in words: a registry that is lost must not keep the runs closed.
pub(super) fn restore_where_empty(
    connection: &mut Connection,
    root: &Path,
) -> Result<Option<String>, Trouble> {
    let is_empty = |connection: &Connection| -> Result<bool, Trouble> {
        let query = "SELECT NOT EXISTS (SELECT 1 FROM model_names)";
        Ok(connection.query_row(query, [], |row| row.get(0))?)
    };
    let path = registry_path(root);
    if !path.exists() || !is_empty(connection)? {
        return Ok(None);
    }
    let restored = transact(connection, |transaction| {
        // Somebody may have been faster.
        if is_empty(transaction)? { restore(transaction, root) } else { Ok(()) }
    });
    let what = match restored {
        Ok(()) => return Ok(None),
        Err(Trouble::Store(StoreError::Damaged { message, .. })) => message,
        Err(error) => return Err(error),
    };
    let aside = free_name(&path, "models", "json");
    match std::fs::rename(&path, &aside) {
        // Somebody else did.
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::write(&path, &source).into()),
        Ok(()) => Ok(Some(format!(
            "{} was damaged ({what}); it is now {}, and no model has a name: mend that file and give it its name back before the next model is named, or name them again (`walkforge models register`)",
            path.display(),
            aside.display()
        ))),
    }
}

fn restore(connection: &Connection, root: &Path) -> Result<(), Trouble> {
    let path = registry_path(root);
    if !path.exists() {
        return Ok(());
    }
    let Registry { models, last_versions } = read_json(&path)?;
    for (name, version) in last_versions {
        connection.execute(
            "INSERT OR REPLACE INTO model_names (name, last_version) VALUES (?1, ?2)",
            params![name, version],
        )?;
    }
    for model in models {
        connection.execute(
            "INSERT OR REPLACE INTO models (name, version, stage, run, task, registered, tags, notes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                model.name,
                model.version,
                model.stage.word(),
                model.run.as_str(),
                model.task.as_str(),
                model.registered.0,
                json(&model.tags),
                model.notes
            ],
        )?;
    }
    Ok(())
}

/// All of them, by name and version.
pub(super) fn models(connection: &Connection) -> Result<Vec<ModelEntry>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT name, version, stage, run, task, registered, tags, notes FROM models ORDER BY name, version",
    )?;
    let rows = statement.query_map([], entry)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The model that comes from a run, if any.
pub(super) fn of_run(connection: &Connection, run: &RunId) -> Result<Option<String>, Trouble> {
    let found = connection
        .query_row(
            "SELECT name || '@' || version FROM models WHERE run = ?1 ORDER BY name, version LIMIT 1",
            [run.as_str()],
            |row| row.get(0),
        )
        .optional()?;
    Ok(found)
}

/// Picks by `name`, `name@3` or `name@champion`.
pub(super) fn choose(models: Vec<ModelEntry>, wanted: &str) -> Option<ModelEntry> {
    let (name, which) = match wanted.rsplit_once('@') {
        Some((name, which)) => (name, Some(which)),
        None => (wanted, None),
    };
    let mut fitting: Vec<ModelEntry> =
        models.into_iter().filter(|model| model.name == name).collect();
    let is_champion = |model: &ModelEntry| model.stage == ModelStage::Champion;
    match which {
        None if !fitting.iter().any(is_champion) => {
            // Archived is what nobody is to use any more, unless there is nothing else.
            let is_archived = |model: &ModelEntry| model.stage == ModelStage::Archived;
            match fitting.iter().rposition(|model| !is_archived(model)) {
                Some(newest) => Some(fitting.swap_remove(newest)),
                None => fitting.pop(),
            }
        }
        None | Some("champion") => fitting.into_iter().find(is_champion),
        Some(which) => {
            let version: u32 = which.parse().ok()?;
            fitting.into_iter().find(|model| model.version == version)
        }
    }
}

fn one(
    connection: &Connection,
    root: &Path,
    name: &str,
    version: u32,
) -> Result<ModelEntry, Trouble> {
    let found = connection
        .query_row(
            "SELECT name, version, stage, run, task, registered, tags, notes FROM models
             WHERE name = ?1 AND version = ?2",
            params![name, version],
            entry,
        )
        .optional()?;
    found.ok_or_else(|| {
        StoreError::UnknownModel { name: format!("{name}@{version}"), root: root.to_owned() }.into()
    })
}

fn entry(row: &Row<'_>) -> rusqlite::Result<ModelEntry> {
    let stage = row.get_ref(2)?.as_str()?.parse().map_err(|message: String| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(2, kind, message.into())
    })?;
    Ok(ModelEntry {
        name: row.get(0)?,
        version: row.get(1)?,
        stage,
        run: RunId::new(row.get::<_, String>(3)?),
        task: TaskId::new(row.get::<_, String>(4)?),
        registered: UtcMillis(row.get(5)?),
        tags: from_json(row.get_ref(6)?.as_str()?),
        notes: row.get(7)?,
    })
}

/// A name becomes part of file names, and `@` sets the version apart.
fn check_name(name: &str) -> Result<(), StoreError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let problem = if name.is_empty() {
        "it is empty"
    } else if name.len() > LONGEST_NAME {
        "it has more than 64 letters"
    } else if !name.chars().all(is_plain) {
        "it has a character that not every file name may have"
    } else if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        "it does not begin with a letter or a digit"
    } else {
        return Ok(());
    };
    Err(StoreError::ModelName { name: name.to_owned(), problem })
}

#[cfg(test)]
mod tests {
    use super::super::delete_run;
    use super::super::testing::{created_and_released, plan};
    use super::*;

    #[test]
    fn a_run_deleted_while_its_model_is_being_named_leaves_no_model() {
        let root = tempfile::tempdir().unwrap();
        let run = created_and_released(root.path()).run();
        // After its files were looked at, and before the name is entered.
        delete_run(root.path(), &run).unwrap();
        let error = enter(root.path(), "gold", &run, &plan().tasks[0].id).unwrap_err();
        assert!(matches!(error, StoreError::UnknownRun { .. }), "{error}");
        assert_eq!(RunIndex::open(root.path()).unwrap().models().unwrap(), []);
    }
}
