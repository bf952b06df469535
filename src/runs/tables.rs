use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, RecordBatch, StringArray,
    TimestampMillisecondArray, UInt32Array,
};
use parquet::arrow::ArrowWriter;
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
