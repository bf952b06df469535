//! What earlier runs say of tasks that are planned.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::error::Trouble;
use super::{RunFolder, RunIndex, StoreError};
use crate::domain::{ContentHash, RunId, StoredTask, TaskId};

/// What tasks of one shape cost on one kind of device: medians of the newest ones.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredCost {
    /// As in [`crate::domain::Task::shape`].
    pub shape: ContentHash,
    /// `cpu`, `cuda` or `mps`.
    pub device: String,
    /// Seconds for each row of each epoch, from the beginning of a task to its end.
    pub seconds_per_sample: f64,
    /// Measured peak memory over its estimate, the largest; `None` where none was measured.
    pub peak_share: Option<f64>,
    /// Tasks it was learnt from.
    pub tasks: u64,
}

/// Tasks of a shape that are looked at.
const NEWEST: usize = 50;

impl RunIndex {
    /// Finished tasks with these keys whose files are all there; of several the newest.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn finished(
        &self,
        keys: &[ContentHash],
    ) -> Result<BTreeMap<ContentHash, StoredTask>, StoreError> {
        let candidates = self.ask(|connection| {
            keys.iter().map(|key| with_key(connection, key)).collect::<Result<Vec<_>, Trouble>>()
        })?;
        let mut found = BTreeMap::new();
        for (key, candidates) in keys.iter().zip(candidates) {
            if let Some(stored) = candidates.into_iter().find(|stored| self.is_whole(stored, key)) {
                found.insert(*key, stored);
            }
        }
        Ok(found)
    }

    fn is_whole(&self, stored: &StoredTask, key: &ContentHash) -> bool {
        let folder = RunFolder::new(self.root.join(stored.run.as_str()));
        // What cannot be read is not whole.
        let Ok(Some(metadata)) = folder.metadata(&stored.task) else { return false };
        metadata.task.key == *key && matches!(folder.whole(&metadata.task), Ok(Some(_)))
    }

    /// What tasks of these shapes cost, by shape and kind of device.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn costs(&self, shapes: &[ContentHash]) -> Result<Vec<MeasuredCost>, StoreError> {
        let measured = self.ask(|connection| {
            shapes
                .iter()
                .map(|shape| of_shape(connection, shape))
                .collect::<Result<Vec<_>, Trouble>>()
        })?;
        let mut costs = Vec::new();
        for (shape, measured) in shapes.iter().zip(measured) {
            for (device, tasks) in measured {
                costs.extend(cost(*shape, device, &tasks));
            }
        }
        Ok(costs)
    }
}

/// One task's seconds for each sample, and its peak over its estimate.
struct Measured {
    seconds_per_sample: f64,
    peak_share: Option<f64>,
}

fn of_shape(
    connection: &Connection,
    shape: &ContentHash,
) -> Result<BTreeMap<String, Vec<Measured>>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT device, seconds, epochs, train_rows, peak, estimate FROM tasks
         WHERE shape = ?1 AND state = 'finished' AND kept_from IS NULL
         AND device IS NOT NULL AND epochs > 0 AND train_rows > 0 AND seconds > 0
         ORDER BY ended DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(rusqlite::params![shape.to_string(), NEWEST as i64])?;
    let mut found: BTreeMap<String, Vec<Measured>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let device: String = row.get(0)?;
        let (seconds, epochs, train_rows): (f64, f64, f64) =
            (row.get(1)?, row.get(2)?, row.get(3)?);
        let (peak, estimate): (Option<f64>, f64) = (row.get(4)?, row.get(5)?);
        // `cuda:1` is as fast as `cuda:0`, as far as anybody knows.
        let class = device.split(':').next().unwrap_or_default().to_owned();
        found.entry(class).or_default().push(Measured {
            seconds_per_sample: seconds / (epochs * train_rows),
            peak_share: peak.filter(|_| estimate > 0.0).map(|peak| peak / estimate),
        });
    }
    Ok(found)
}

fn cost(shape: ContentHash, device: String, tasks: &[Measured]) -> Option<MeasuredCost> {
    let mut seconds: Vec<f64> = tasks.iter().map(|task| task.seconds_per_sample).collect();
    seconds.sort_by(f64::total_cmp);
    Some(MeasuredCost {
        shape,
        device,
        seconds_per_sample: *seconds.get(seconds.len() / 2)?,
        peak_share: tasks.iter().filter_map(|task| task.peak_share).reduce(f64::max),
        tasks: tasks.len() as u64,
    })
}

fn with_key(connection: &Connection, key: &ContentHash) -> Result<Vec<StoredTask>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT runs.name, tasks.name FROM tasks JOIN runs ON runs.id = tasks.run
         WHERE key = ?1 AND state = 'finished' ORDER BY tasks.ended DESC, tasks.id DESC",
    )?;
    let rows = statement.query_map([key.to_string()], |row| {
        Ok(StoredTask {
            run: RunId::new(row.get::<_, String>(0)?),
            task: TaskId::new(row.get::<_, String>(1)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
