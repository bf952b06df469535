use std::path::Path;

use rusqlite::Connection;

use super::database::{index_path, open_for_reading};
use super::error::Trouble;
use super::import::differences;
use super::{RunFolder, StoreError};
use crate::domain::{TaskId, TaskRole};

/// Looks for damage: the database's own check, and folders against index. Every problem in words; none means that all is well.
///
/// # Errors
/// [`StoreError::Read`] when the index cannot even be opened.
pub fn check_index(root: &Path) -> Result<Vec<String>, StoreError> {
    let Some(connection) = open_for_reading(root)? else { return Ok(Vec::new()) };
    let attempt = |connection: &Connection| -> Result<Vec<String>, Trouble> {
        let mut statement = connection.prepare("PRAGMA integrity_check")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        let found = rows.collect::<rusqlite::Result<Vec<String>>>()?;
        let mut problems: Vec<String> =
            found.into_iter().filter(|problem| problem != "ok").collect();
        let differences = differences(root, connection)?;
        problems
            .extend(differences.came.iter().map(|run| format!("run `{run}` is not in the index")));
        problems
            .extend(differences.gone.iter().map(|run| format!("run `{run}` has lost its folder")));
        problems.extend(without_files(root, connection)?);
        problems.extend(miscounted(connection)?);
        Ok(problems)
    };
    attempt(&connection).map_err(|error| error.reading(&index_path(root)))
}

/// Finished tasks whose files are gone. Those of runs without a folder are told already.
fn without_files(root: &Path, connection: &Connection) -> Result<Vec<String>, Trouble> {
    let mut statement = connection.prepare(
        "SELECT runs.name, tasks.name FROM tasks JOIN runs ON runs.id = tasks.run
         WHERE state = 'finished' ORDER BY runs.name, tasks.position",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut problems = Vec::new();
    for row in rows {
        let (run, task): (String, String) = row?;
        let folder = RunFolder::new(root.join(&run));
        let task_id = TaskId::new(task.as_str());
        let files = folder.task(&task_id);
        let has = |file: &str| files.join(file).is_file();
        // Nothing was predicted by a refit.
        let is_refit = || {
            let metadata = folder.metadata(&task_id);
            metadata.is_ok_and(|found| found.is_some_and(|it| it.task.role == TaskRole::Refit))
        };
        let is_whole = ["weights.safetensors", "history.parquet", "metadata.json"]
            .iter()
            .all(|file| has(file))
            && (has("predictions.parquet") || is_refit());
        if folder.path().exists() && !is_whole {
            problems
                .push(format!("task `{task}` of run `{run}` has finished, but its files are gone"));
        }
    }
    Ok(problems)
}

/// Runs whose counts are not those of their tasks.
fn miscounted(connection: &Connection) -> Result<Vec<String>, Trouble> {
    let mut statement = connection.prepare(
        "SELECT name FROM runs WHERE (tasks, finished, failed) IS NOT
         (SELECT count(*), count(*) FILTER (WHERE state = 'finished'), count(*) FILTER (WHERE state = 'failed')
          FROM tasks WHERE run = runs.id) ORDER BY name",
    )?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let names = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(names
        .iter()
        .map(|run| format!("run `{run}` has other tasks than the index counts"))
        .collect())
}
