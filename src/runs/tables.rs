use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, RecordBatch, StringArray,
    TimestampMillisecondArray, UInt32Array,
};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::{StoreError, write_atomically};
use crate::domain::{EpochRecord, FoldIndex, Symbol, Timeframe, UtcMillis};

/// Out-of-sample predictions of one task, one entry per test row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PredictionRows {
    /// When the bar closed, that is, when it was decided.
    pub time: Vec<UtcMillis>,
    /// Of which instrument.
    pub symbol: Vec<Symbol>,
    /// At which bar length.
    pub timeframe: Vec<Timeframe>,
    /// What the model should have said, as the label defines it; NaN where the label says nothing of the row.
    pub label: Vec<f32>,
    /// The return that came true, a fraction.
    pub outcome: Vec<f64>,
    /// What the model said, in its output's unit.
    pub prediction: Vec<f64>,
}

/// Writes `predictions.parquet`: `time` (timestamp ms, UTC), `symbol`, `timeframe`, `fold`, `label`, `outcome`, `prediction`.
///
/// # Errors
/// [`StoreError::Write`] naming the file.
pub fn write_predictions(
    path: &Path,
    fold: FoldIndex,
    rows: &PredictionRows,
) -> Result<(), StoreError> {
    let time = TimestampMillisecondArray::from_iter_values(rows.time.iter().map(|time| time.0));
    write_table(
        path,
        vec![
            ("time", Arc::new(time.with_timezone("UTC"))),
            (
                "symbol",
                Arc::new(StringArray::from_iter_values(rows.symbol.iter().map(Symbol::as_str))),
            ),
            (
                "timeframe",
                Arc::new(StringArray::from_iter_values(
                    rows.timeframe.iter().map(ToString::to_string),
                )),
            ),
            ("fold", Arc::new(UInt32Array::from(vec![fold.0; rows.time.len()]))),
            ("label", Arc::new(Float32Array::from(rows.label.clone()))),
            ("outcome", Arc::new(Float64Array::from(rows.outcome.clone()))),
            ("prediction", Arc::new(Float64Array::from(rows.prediction.clone()))),
        ],
    )
}

/// Writes `history.parquet`: one row per epoch, columns as in [`EpochRecord`].
///
/// # Errors
/// [`StoreError::Write`] naming the file.
pub fn write_history(path: &Path, history: &[EpochRecord]) -> Result<(), StoreError> {
    let floats = |field: fn(&EpochRecord) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(history.iter().map(field)))
    };
    let optional = |field: fn(&EpochRecord) -> Option<f64>| -> ArrayRef {
        Arc::new(history.iter().map(field).collect::<Float64Array>())
    };
    write_table(
        path,
        vec![
            (
                "epoch",
                Arc::new(UInt32Array::from_iter_values(history.iter().map(|epoch| epoch.epoch))),
            ),
            ("train_loss", floats(|epoch| epoch.train_loss)),
            ("validation_loss", optional(|epoch| epoch.validation_loss)),
            ("monitor", optional(|epoch| epoch.monitor)),
            ("learning_rate", floats(|epoch| epoch.learning_rate)),
            ("gradient_norm", floats(|epoch| epoch.gradient_norm)),
            ("seconds", floats(|epoch| epoch.seconds)),
            (
                "is_best",
                Arc::new(history.iter().map(|epoch| Some(epoch.is_best)).collect::<BooleanArray>()),
            ),
        ],
    )
}

/// Reads what [`write_history`] wrote.
///
/// # Errors
/// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
pub(super) fn read_history(path: &Path) -> Result<Vec<EpochRecord>, StoreError> {
    let damaged = |found: &dyn std::fmt::Display| StoreError::damaged(path, found);
    let file = std::fs::File::open(path).map_err(|source| StoreError::read(path, &source))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|source| damaged(&source))?;
    let mut history = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|source| damaged(&source))?;
        append_epochs(&mut history, &batch).map_err(|found| damaged(&found))?;
    }
    Ok(history)
}

fn append_epochs(history: &mut Vec<EpochRecord>, batch: &RecordBatch) -> Result<(), String> {
    let epochs: &UInt32Array = column(batch, "epoch")?;
    let is_best: &BooleanArray = column(batch, "is_best")?;
    let float = |name| column::<Float64Array>(batch, name);
    let (train_loss, validation_loss) = (float("train_loss")?, float("validation_loss")?);
    let (learning_rate, gradient_norm) = (float("learning_rate")?, float("gradient_norm")?);
    let seconds = float("seconds")?;
    // Files of the first versions have none.
    let monitor = float("monitor").ok();
    let optional =
        |values: &Float64Array, row: usize| values.is_valid(row).then(|| values.value(row));
    history.extend((0..batch.num_rows()).map(|row| EpochRecord {
        epoch: epochs.value(row),
        train_loss: train_loss.value(row),
        validation_loss: optional(validation_loss, row),
        monitor: monitor.and_then(|monitor| optional(monitor, row)),
        learning_rate: learning_rate.value(row),
        gradient_norm: gradient_norm.value(row),
        seconds: seconds.value(row),
        is_best: is_best.value(row),
    }));
    Ok(())
}

fn column<'a, T: Array + 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a T, String> {
    let column = batch.column_by_name(name).ok_or_else(|| format!("no column `{name}`"))?;
    column
        .as_any()
        .downcast_ref()
        .ok_or_else(|| format!("column `{name}` is {}", column.data_type()))
}

/// Writes columns of equal length, atomically.
pub(super) fn write_table(path: &Path, columns: Vec<(&str, ArrayRef)>) -> Result<(), StoreError> {
    write_atomically(path, |file| {
        let batch = RecordBatch::try_from_iter(columns)?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))?;
        writer.write(&batch)?;
        writer.close()?;
        Ok(())
    })
}
