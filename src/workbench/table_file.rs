use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, RecordBatch, StringArray,
    TimestampMillisecondArray, UInt64Array,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::domain::UtcMillis;
use crate::runs::{StoreError, write_atomically};

/// A file format for tables, told by the file's ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TableFormat {
    Csv,
    Parquet,
}

/// The file's ending names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{}: does not say how to write it; let the name end with .parquet or .csv", path.display()
)]
pub struct UnknownTableFormat {
    /// The file.
    path: PathBuf,
}

impl TableFormat {
    /// By the file's ending, in whatever case.
    pub(super) fn of(path: &Path) -> Result<Self, UnknownTableFormat> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("parquet") => Ok(Self::Parquet),
            _ => Err(UnknownTableFormat { path: path.to_owned() }),
        }
    }
}

/// One column of a table; all of a table are of the same length. A NaN is written as missing.
pub(super) enum Column {
    Time(Vec<UtcMillis>),
    /// Free of commas, quotes and line ends, as symbols and timeframes are.
    Text(Vec<Arc<str>>),
    Count(Vec<u64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Flag(Vec<bool>),
}

/// Writes columns with their names, atomically.
pub(super) fn write_table(
    path: &Path,
    format: TableFormat,
    columns: &[(&str, Column)],
) -> Result<(), StoreError> {
    write_atomically(path, |file| match format {
        TableFormat::Parquet => write_parquet(file, columns),
        TableFormat::Csv => Ok(write_csv(&mut BufWriter::new(file), columns)?),
    })
}

fn write_parquet(
    file: &mut std::fs::File,
    columns: &[(&str, Column)],
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // A column that happens to have no missing value may have one in the next file.
    let with_nulls = columns.iter().map(|(name, column)| (*name, column.to_arrow(), true));
    let batch = RecordBatch::try_from_iter_with_nullable(with_nulls)?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}

fn write_csv(file: &mut impl Write, columns: &[(&str, Column)]) -> std::io::Result<()> {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    writeln!(file, "{}", names.join(","))?;
    let rows = columns.first().map_or(0, |(_, column)| column.len());
    for row in 0..rows {
        for (place, (_, column)) in columns.iter().enumerate() {
            if place > 0 {
                file.write_all(b",")?;
            }
            column.write_cell(file, row)?;
        }
        file.write_all(b"\n")?;
    }
    file.flush()
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Self::Time(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Count(values) => values.len(),
            Self::Float32(values) => values.len(),
            Self::Float64(values) => values.len(),
            Self::Flag(values) => values.len(),
        }
    }

    fn to_arrow(&self) -> ArrayRef {
        match self {
            Self::Time(values) => {
                let values = values.iter().map(|time| time.0);
                Arc::new(TimestampMillisecondArray::from_iter_values(values).with_timezone("UTC"))
            }
            Self::Text(values) => Arc::new(StringArray::from_iter_values(values.iter())),
            Self::Count(values) => Arc::new(UInt64Array::from(values.clone())),
            Self::Float32(values) => {
                let values = values.iter().map(|value| (!value.is_nan()).then_some(*value));
                Arc::new(values.collect::<Float32Array>())
            }
            Self::Float64(values) => {
                let values = values.iter().map(|value| (!value.is_nan()).then_some(*value));
                Arc::new(values.collect::<Float64Array>())
            }
            Self::Flag(values) => Arc::new(BooleanArray::from(values.clone())),
        }
    }

    /// Numbers with as many digits as it takes to read the same ones back.
    fn write_cell(&self, file: &mut impl Write, row: usize) -> std::io::Result<()> {
        match self {
            Self::Time(values) => write!(file, "{}", values[row]),
            Self::Text(values) => file.write_all(values[row].as_bytes()),
            Self::Count(values) => write!(file, "{}", values[row]),
            Self::Float32(values) if values[row].is_nan() => Ok(()),
            Self::Float32(values) => write!(file, "{:?}", values[row]),
            Self::Float64(values) if values[row].is_nan() => Ok(()),
            Self::Float64(values) => write!(file, "{:?}", values[row]),
            Self::Flag(values) => write!(file, "{}", values[row]),
        }
    }
}

#[cfg(test)]
mod tests {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    fn columns() -> Vec<(&'static str, Column)> {
        vec![
            ("time", Column::Time(vec![UtcMillis(0), UtcMillis(1500)])),
            ("symbol", Column::Text(vec!["BTC_USDT".into(), "ETH".into()])),
            ("bar", Column::Count(vec![0, 1])),
            ("f", Column::Float32(vec![0.1, f32::NAN])),
            ("prediction", Column::Float64(vec![1e-300, -2.0])),
            ("whole", Column::Flag(vec![true, false])),
        ]
    }

    #[test]
    fn csv_reads_back_as_the_same_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.CSV");
        write_table(&path, TableFormat::of(&path).unwrap(), &columns()).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "time,symbol,bar,f,prediction,whole\n\
             1970-01-01T00:00:00Z,BTC_USDT,0,0.1,1e-300,true\n\
             1970-01-01T00:00:01.500Z,ETH,1,,-2.0,false\n"
        );
    }

    #[test]
    fn parquet_keeps_kinds_and_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.parquet");
        write_table(&path, TableFormat::of(&path).unwrap(), &columns()).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        let mut reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        let batch = reader.next().unwrap().unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (2, 6));
        let floats = batch.column(3).as_any().downcast_ref::<Float32Array>().unwrap();
        assert_eq!((floats.value(0), floats.null_count_of(1)), (0.1, true));
        let kind = batch.schema().field(0).data_type().to_string();
        assert!(kind.contains("UTC"), "{kind}");
    }

    trait NullAt {
        fn null_count_of(&self, row: usize) -> bool;
    }

    impl NullAt for Float32Array {
        fn null_count_of(&self, row: usize) -> bool {
            arrow::array::Array::is_null(self, row)
        }
    }

    #[test]
    fn another_ending_says_which_there_are() {
        let error = TableFormat::of(Path::new("out.xlsx")).unwrap_err().to_string();
        assert!(error.contains("out.xlsx") && error.contains(".parquet or .csv"), "{error}");
        assert!(TableFormat::of(Path::new("out")).is_err());
    }
}
