use std::fs;
use std::io::Cursor;
use std::panic;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use arrow::error::ArrowError;
use arrow::ipc::reader::FileReader;

use super::super::{MarketError, Place, RowProblem};
use super::table::{Header, Table};
use super::{Fact, Format, Origin, frame, moment};
use crate::domain::UtcMillis;

const MOMENTS: &str = "timestamps, dates, whole numbers since 1970 or ISO 8601 text";

/// Reads a Feather v2 file, which is an Arrow IPC file.
pub fn read(path: &Path) -> Result<Table, MarketError> {
    let file = fs::read(path)
        .map_err(|source| MarketError::Unreadable { path: path.to_owned(), source })?;
    if file.is_empty() {
        return Err(MarketError::NoBars { path: path.to_owned(), header_only: false });
    }
    let broken = |reason| MarketError::BrokenFeather { path: path.to_owned(), reason };
    frame::check(&file).map_err(broken)?;
    // Where the frame is sound and the content is not, arrow may still panic instead of returning an error.
    panic::catch_unwind(|| read_batches(path, &file))
        .unwrap_or_else(|_panic| Err(broken("its content makes no sense".to_owned())))
}

fn read_batches(path: &Path, file: &[u8]) -> Result<Table, MarketError> {
    let broken = |error: ArrowError| MarketError::BrokenFeather {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let open = |columns| FileReader::try_new(Cursor::new(file), columns).map_err(broken);
    let schema = open(None)?.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let header = Header::find(path, None, &names)?;
    let mut table = Table::new(Format::Feather);
    let mut all_name_zone = true;
    let [open_at, high, low, close, volume] = header.numbers;
    for batch in open(Some(vec![header.time, open_at, high, low, close, volume]))? {
        let batch = batch.map_err(broken)?;
        let columns = Columns { path, batch: &batch, rows_before: table.columns.open_time.len() };
        let (moments, names_zone) = columns.moments(0)?;
        all_name_zone &= names_zone;
        table.columns.open_time.extend(moments);
        table.columns.open.extend(columns.numbers(1)?);
        table.columns.high.extend(columns.numbers(2)?);
        table.columns.low.extend(columns.numbers(3)?);
        table.columns.close.extend(columns.numbers(4)?);
        table.columns.volume.extend(columns.numbers(5)?);
    }
    if all_name_zone {
        table.reading.zone = Fact::new("UTC".to_owned(), Origin::File);
    }
    Ok(table)
}

/// Some rows of the file: the time, then open, high, low, close and volume.
struct Columns<'a> {
    path: &'a Path,
    batch: &'a RecordBatch,
    rows_before: usize,
}

impl Columns<'_> {
    fn numbers(&self, column: usize) -> Result<Vec<f64>, MarketError> {
        let found = self.batch.column(column).data_type();
        let values = (found.is_numeric() || found.is_decimal())
            .then(|| cast(self.batch.column(column), &DataType::Float64).ok())
            .flatten();
        let values = values.as_deref().and_then(|values| values.as_primitive_opt::<Float64Type>());
        let values = values
            .ok_or_else(|| self.wrong_type(column, "floating-point, whole or decimal numbers"))?;
        self.check_filled(column, values)?;
        Ok(values.values().to_vec())
    }

    /// The moments, and whether the column says which zone they are in; numbers since 1970 are UTC by definition.
    fn moments(&self, column: usize) -> Result<(Vec<UtcMillis>, bool), MarketError> {
        let (moment, names_zone): (fn(i64) -> Option<UtcMillis>, bool) =
            match self.batch.column(column).data_type() {
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                    return self.moments_from_text(column);
                }
                DataType::Timestamp(unit, zone) => {
                    let moment: fn(i64) -> Option<UtcMillis> = match unit {
                        TimeUnit::Second => |count| count.checked_mul(1000).map(UtcMillis),
                        TimeUnit::Millisecond => |count| Some(UtcMillis(count)),
                        TimeUnit::Microsecond => |count| Some(UtcMillis(count.div_euclid(1000))),
                        TimeUnit::Nanosecond => {
                            |count| Some(UtcMillis(count.div_euclid(1_000_000)))
                        }
                    };
                    (moment, zone.is_some())
                }
                DataType::Date32 => (|days| days.checked_mul(86_400_000).map(UtcMillis), false),
                DataType::Date64 => (|millis| Some(UtcMillis(millis)), false),
                other if other.is_integer() => (moment::from_epoch, true),
                _ => return Err(self.wrong_type(column, MOMENTS)),
            };
        let values = cast(self.batch.column(column), &DataType::Int64).ok();
        let values = values.as_deref().and_then(|values| values.as_primitive_opt::<Int64Type>());
        let values = values.ok_or_else(|| self.wrong_type(column, MOMENTS))?;
        self.check_filled(column, values)?;
        let moments = values.values().iter().enumerate().map(|(row, &count)| {
            moment(count).ok_or_else(|| self.not_a_date(column, row, count.to_string()))
        });
        Ok((moments.collect::<Result<_, _>>()?, names_zone))
    }

    fn moments_from_text(&self, column: usize) -> Result<(Vec<UtcMillis>, bool), MarketError> {
        let texts = cast(self.batch.column(column), &DataType::Utf8).ok();
        let texts = texts.as_deref().and_then(|texts| texts.as_string_opt::<i32>());
        let texts = texts.ok_or_else(|| self.wrong_type(column, MOMENTS))?;
        self.check_filled(column, texts)?;
        let mut all_name_zone = true;
        let moments = texts.iter().map(Option::unwrap_or_default).enumerate().map(|(row, text)| {
            let read = moment::from_text(text.trim());
            let (at, names_zone) =
                read.ok_or_else(|| self.not_a_date(column, row, text.to_owned()))?;
            all_name_zone &= names_zone;
            Ok(at)
        });
        Ok((moments.collect::<Result<_, _>>()?, all_name_zone))
    }

    fn check_filled(&self, column: usize, values: &dyn Array) -> Result<(), MarketError> {
        match (0..values.len()).find(|row| values.is_null(*row)) {
            Some(row) => Err(self.bad_row(row, RowProblem::Empty { column: self.name(column) })),
            None => Ok(()),
        }
    }

    fn not_a_date(&self, column: usize, row: usize, found: String) -> MarketError {
        self.bad_row(row, RowProblem::NotADate { column: self.name(column), found })
    }

    fn bad_row(&self, row: usize, problem: RowProblem) -> MarketError {
        let place = Place::Row((self.rows_before + row) as u64 + 1);
        MarketError::BadRow { path: self.path.to_owned(), place, problem }
    }

    fn wrong_type(&self, column: usize, expected: &'static str) -> MarketError {
        MarketError::ColumnType {
            path: self.path.to_owned(),
            column: self.name(column),
            found: self.batch.schema_ref().field(column).data_type().to_string(),
            expected,
        }
    }

    fn name(&self, column: usize) -> String {
        self.batch.schema_ref().field(column).name().clone()
    }
}
