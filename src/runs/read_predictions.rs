use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float32Type, Float64Type, TimestampMillisecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{PredictionRows, StoreError};
use crate::domain::{Symbol, Timeframe, UtcMillis};

/// Reads what [`super::write_predictions`] wrote.
///
/// # Errors
/// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
pub fn read_predictions(path: &Path) -> Result<PredictionRows, StoreError> {
    let file = std::fs::File::open(path).map_err(|source| StoreError::read(path, &source))?;
    let damaged = |found: &dyn std::fmt::Display| StoreError::damaged(path, found);
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|error| damaged(&error))?;
    let mut rows = PredictionRows::default();
    for batch in reader {
        let batch = batch.map_err(|error| damaged(&error))?;
        append(&mut rows, &batch).map_err(|problem| damaged(&problem))?;
    }
    Ok(rows)
}

fn append(rows: &mut PredictionRows, batch: &RecordBatch) -> Result<(), String> {
    let column = |name: &str| {
        let column =
            batch.column_by_name(name).ok_or_else(|| format!("it has no column `{name}`"))?;
        if column.null_count() > 0 {
            return Err(format!("column `{name}` has gaps"));
        }
        Ok(column)
    };
    let no = |name: &str| format!("column `{name}` is of another type");
    let time = column("time")?;
    let time = time.as_primitive_opt::<TimestampMillisecondType>().ok_or_else(|| no("time"))?;
    rows.time.extend(time.values().iter().copied().map(UtcMillis));
    let label = column("label")?;
    let label = label.as_primitive_opt::<Float32Type>().ok_or_else(|| no("label"))?;
    rows.label.extend(label.values());
    for (name, values) in [("outcome", &mut rows.outcome), ("prediction", &mut rows.prediction)] {
        let column = column(name)?;
        let column = column.as_primitive_opt::<Float64Type>().ok_or_else(|| no(name))?;
        values.extend(column.values());
    }
    let symbols = column("symbol")?;
    for symbol in symbols.as_string_opt::<i32>().ok_or_else(|| no("symbol"))?.iter().flatten() {
        rows.symbol.push(symbol.parse::<Symbol>().map_err(|error| error.to_string())?);
    }
    let timeframes = column("timeframe")?;
    let timeframes = timeframes.as_string_opt::<i32>().ok_or_else(|| no("timeframe"))?;
    for timeframe in timeframes.iter().flatten() {
        rows.timeframe.push(timeframe.parse::<Timeframe>().map_err(|error| error.to_string())?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FoldIndex;
    use crate::runs::write_predictions;

    #[test]
    fn predictions_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("predictions.parquet");
        let rows = PredictionRows {
            time: vec![UtcMillis(1_700_000_000_000), UtcMillis(1_700_003_600_000)],
            symbol: vec!["BTC_USDT".parse().unwrap(), "ETH_USDT".parse().unwrap()],
            timeframe: vec!["1h".parse().unwrap(), "4h".parse().unwrap()],
            label: vec![0.25, -1.5],
            outcome: vec![0.1 + 0.2, -1e-300],
            prediction: vec![1.0 / 3.0, f64::MIN_POSITIVE],
        };
        write_predictions(&path, FoldIndex(3), &rows).unwrap();
        assert_eq!(read_predictions(&path).unwrap(), rows);
        std::fs::write(&path, b"PAR1 but no more").unwrap();
        let error = read_predictions(&path).unwrap_err().to_string();
        assert!(error.contains("predictions.parquet") && error.contains("damaged"), "{error}");
        assert!(matches!(
            read_predictions(&folder.path().join("no")),
            Err(StoreError::Read { .. })
        ));
    }
}
