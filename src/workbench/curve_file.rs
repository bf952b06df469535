use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::desk_files::{FileError, not_written};
use super::table_file::{Column, TableFormat, UnknownTableFormat, write_table};
use crate::domain::{EpochRecord, TaskId};
use crate::runs::StoreError;

/// Curves could not be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum CurveFileError {
    #[error(transparent)]
    Format(#[from] UnknownTableFormat),
    #[error(transparent)]
    Read(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] FileError),
}

/// Writes a row for each epoch of each task, atomically. What is not known is missing.
pub(super) fn write_curves(
    to: &Path,
    curves: &BTreeMap<TaskId, Vec<EpochRecord>>,
) -> Result<(), CurveFileError> {
    let format = TableFormat::of(to)?;
    let rows: Vec<(&TaskId, &EpochRecord)> = curves
        .iter()
        .flat_map(|(task, epochs)| epochs.iter().map(move |epoch| (task, epoch)))
        .collect();
    let numbers = |of: fn(&EpochRecord) -> Option<f64>| {
        Column::Float64(rows.iter().map(|(_, epoch)| of(epoch).unwrap_or(f64::NAN)).collect())
    };
    let tasks = rows.iter().map(|(task, _)| Arc::from(task.as_str())).collect();
    let columns = [
        ("task", Column::Text(tasks)),
        ("epoch", Column::Count(rows.iter().map(|(_, epoch)| epoch.epoch.into()).collect())),
        ("train_loss", numbers(|epoch| Some(epoch.train_loss))),
        ("validation_loss", numbers(|epoch| epoch.validation_loss)),
        ("monitor", numbers(|epoch| epoch.monitor)),
        ("learning_rate", numbers(|epoch| Some(epoch.learning_rate))),
        ("gradient_norm", numbers(|epoch| Some(epoch.gradient_norm))),
        ("seconds", numbers(|epoch| Some(epoch.seconds))),
        ("is_best", Column::Flag(rows.iter().map(|(_, epoch)| epoch.is_best).collect())),
    ];
    Ok(write_table(to, format, &columns).map_err(|error| not_written(to, error))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_of_every_task_is_a_row() {
        let record = |epoch, validation_loss| EpochRecord {
            epoch,
            train_loss: 0.5,
            validation_loss,
            monitor: None,
            learning_rate: 1e-3,
            gradient_norm: 2.0,
            seconds: 0.25,
            is_best: epoch == 1,
        };
        let curves = BTreeMap::from([
            (TaskId::new("a"), vec![record(1, Some(0.75)), record(2, None)]),
            (TaskId::new("b"), vec![record(1, Some(1.0))]),
        ]);
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("curves.csv");
        write_curves(&to, &curves).unwrap();
        let text = std::fs::read_to_string(&to).unwrap();
        assert_eq!(
            text,
            "task,epoch,train_loss,validation_loss,monitor,learning_rate,gradient_norm,seconds,is_best\n\
             a,1,0.5,0.75,,0.001,2.0,0.25,true\n\
             a,2,0.5,,,0.001,2.0,0.25,false\n\
             b,1,0.5,1.0,,0.001,2.0,0.25,true\n"
        );
        let error = write_curves(&folder.path().join("curves.txt"), &curves).unwrap_err();
        assert!(error.to_string().contains(".parquet or .csv"), "{error}");
        let nowhere = write_curves(&folder.path().join("none/curves.csv"), &curves).unwrap_err();
        assert!(nowhere.to_string().contains("save it elsewhere"), "{nowhere}");
    }
}
