use std::path::Path;

use rusqlite::Connection;

use super::StoreError;
use super::database::{index_path, open_for_reading};
use super::error::Trouble;
use super::import::differences;

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
        Ok(problems)
    };
    attempt(&connection).map_err(|error| error.reading(&index_path(root)))
}
