//! From Arrow's columns to rows, for Feather and Parquet alike.

use arrow::array::{Array, AsArray, Float64Array, Int64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema, TimeUnit};

use super::super::{MarketError, Place, RowProblem};
use super::columns::{Header, Shape, normalised};
use super::dialect::ORDERS;
use super::layout::Layout;
use super::moment::{self, Moment};
use super::rows::{Context, Rows};
use crate::domain::UtcMillis;

const MOMENTS: &str = "timestamps, dates, whole numbers since 1970 or ISO 8601 text";
const NUMBERS: &str = "floating-point, whole or decimal numbers";

/// Which columns of a file are read and what they hold.
pub struct Columns<'a> {
    context: &'a Context<'a>,
    shape: Shape,
    /// The columns that are needed, rising.
    needed: Vec<usize>,
    time_type: DataType,
    layout: Layout,
    rows_before: u64,
}

impl<'a> Columns<'a> {
    /// Finds the columns by their names; where none names the time, by the only column of timestamps.
    pub fn find(context: &'a Context<'a>, schema: &Schema) -> Result<Self, MarketError> {
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let unknown = |column: String| MarketError::UnknownColumn {
            path: context.path.to_owned(),
            column,
            found: names.join(", "),
        };
        let mut chosen = context.chosen.columns.positions(&names).map_err(unknown)?;
        let header = Header { path: context.path, line: None, names: &names };
        let shape = header.shape(&chosen).or_else(|error| {
            let is_time =
                |at: &usize| matches!(schema.field(*at).data_type(), DataType::Timestamp(..));
            let mut times = (0..names.len()).filter(is_time);
            match (times.next(), times.next()) {
                (Some(only), None) if chosen.time.is_none() => {
                    chosen.time = Some(only);
                    header.shape(&chosen)
                }
                _ => Err(error),
            }
        })?;
        let shape = Shape { clock: None, ..shape };
        if shape.last() >= names.len() {
            return Err(unknown(format!("number {}", shape.last() + 1)));
        }
        let mut needed: Vec<usize> = shape.numbers.positions().to_vec();
        needed.extend([Some(shape.time), shape.symbol].into_iter().flatten());
        needed.sort_unstable();
        needed.dedup();
        let usual = ["date", "open", "high", "low", "close", "volume"];
        let is_freqtrade = names.len() == usual.len()
            && names.iter().zip(usual).all(|(name, usual)| normalised(name) == usual);
        let layout = if is_freqtrade { Layout::Freqtrade } else { Layout::of_names(&names, "") };
        let time_type = schema.field(shape.time).data_type().clone();
        Ok(Self { context, shape, needed, time_type, layout, rows_before: 0 })
    }

    /// The columns to ask the file for, rising.
    pub fn needed(&self) -> &[usize] {
        &self.needed
    }

    /// Writes down what the columns tell of the file.
    pub fn describe(&self, rows: &mut Rows<'_>) {
        rows.reading.layout = self.context.layout(self.layout);
        rows.reading.time_format = self.time_type.to_string();
    }

    /// Appends the rows of a batch that has the needed columns and no others.
    pub fn append(&mut self, batch: &RecordBatch, rows: &mut Rows<'_>) -> Result<(), MarketError> {
        let times = self.times(batch)?;
        let positions = self.shape.numbers.positions();
        let numbers: Vec<Float64Array> = positions
            .iter()
            .map(|column| self.numbers(batch, *column))
            .collect::<Result<_, _>>()?;
        let symbols = self.shape.symbol.map(|column| (column, batch.column(self.place(column))));
        for row in 0..batch.num_rows() {
            let read = times.at(row).map_err(time_problem).and_then(|moment| {
                let mut values = [0.0; 10];
                for ((value, column), at) in values.iter_mut().zip(&numbers).zip(positions) {
                    if column.is_null(row) {
                        return Err(RowProblem::Empty { column: self.name(batch, *at) });
                    }
                    *value = column.value(row);
                }
                let number = self.rows_before + row as u64 + 1;
                rows.push(number, moment, &self.shape.numbers, &values)
            });
            if let Err(problem) = read {
                let problem = self.named(batch, problem);
                rows.refuse(Place::Row(self.rows_before + row as u64 + 1), || problem);
            }
        }
        if let Some((_, symbols)) = symbols {
            for_each_symbol(symbols.as_ref(), |symbol| rows.belongs_to(symbol.as_bytes()))?;
        }
        self.rows_before += batch.num_rows() as u64;
        Ok(())
    }

    fn place(&self, column: usize) -> usize {
        self.needed.partition_point(|needed| *needed < column)
    }

    fn numbers(&self, batch: &RecordBatch, column: usize) -> Result<Float64Array, MarketError> {
        let values = batch.column(self.place(column));
        let found = values.data_type();
        let values = (found.is_numeric() || found.is_decimal())
            .then(|| cast(values, &DataType::Float64).ok())
            .flatten();
        let values = values.as_deref().and_then(|values| values.as_primitive_opt::<Float64Type>());
        values.cloned().ok_or_else(|| self.wrong_type(batch, column, NUMBERS))
    }

    fn times(&self, batch: &RecordBatch) -> Result<Times, MarketError> {
        let column = self.shape.time;
        let values = batch.column(self.place(column));
        let (moment, is_utc): (fn(i64) -> Option<i64>, bool) = match values.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                let texts = (0..values.len()).map(|row| {
                    let text = text_at(values.as_ref(), row).ok_or(None)?;
                    moment::from_text(text.trim().as_bytes(), ORDERS[0])
                        .ok_or_else(|| Some(text.chars().take(40).collect()))
                });
                return Ok(Times::Texts(texts.collect()));
            }
            DataType::Timestamp(unit, zone) => {
                let moment: fn(i64) -> Option<i64> = match unit {
                    TimeUnit::Second => |count| count.checked_mul(1000),
                    TimeUnit::Millisecond => Some,
                    TimeUnit::Microsecond => |count| Some(count.div_euclid(1000)),
                    TimeUnit::Nanosecond => |count| Some(count.div_euclid(1_000_000)),
                };
                (moment, zone.is_some())
            }
            DataType::Date32 => (|days| days.checked_mul(86_400_000), false),
            DataType::Date64 => (Some, false),
            other if other.is_integer() => {
                let counts = self.whole(batch, column)?;
                return Ok(Times::Counts(counts));
            }
            _ => return Err(self.wrong_type(batch, column, MOMENTS)),
        };
        Ok(Times::Moments(self.whole(batch, column)?, moment, is_utc))
    }

    fn whole(&self, batch: &RecordBatch, column: usize) -> Result<Int64Array, MarketError> {
        let values = cast(batch.column(self.place(column)), &DataType::Int64).ok();
        let values = values.as_deref().and_then(|values| values.as_primitive_opt::<Int64Type>());
        values.cloned().ok_or_else(|| self.wrong_type(batch, column, MOMENTS))
    }

    /// Puts the name of the time's column into a problem that lacks it.
    fn named(&self, batch: &RecordBatch, problem: RowProblem) -> RowProblem {
        match problem {
            RowProblem::Empty { column } if column.is_empty() => {
                RowProblem::Empty { column: self.name(batch, self.shape.time) }
            }
            RowProblem::NotADate { found, .. } => {
                RowProblem::NotADate { column: self.name(batch, self.shape.time), found }
            }
            other => other,
        }
    }

    fn wrong_type(
        &self,
        batch: &RecordBatch,
        column: usize,
        expected: &'static str,
    ) -> MarketError {
        MarketError::ColumnType {
            path: self.context.path.to_owned(),
            column: self.name(batch, column),
            found: batch.schema_ref().field(self.place(column)).data_type().to_string(),
            expected,
        }
    }

    fn name(&self, batch: &RecordBatch, column: usize) -> String {
        batch.schema_ref().field(self.place(column)).name().clone()
    }
}

/// What is wrong with a time, still without the name of its column.
fn time_problem(found: Option<String>) -> RowProblem {
    let column = String::new();
    match found {
        Some(found) => RowProblem::NotADate { column, found },
        None => RowProblem::Empty { column },
    }
}

/// The times of a batch.
enum Times {
    /// In a unit of their own.
    Moments(Int64Array, fn(i64) -> Option<i64>, bool),
    /// Whole numbers that may stand for dates or count since 1970.
    Counts(Int64Array),
    /// Read from texts; the text where that failed, nothing where there is none.
    Texts(Vec<Result<Moment, Option<String>>>),
}

impl Times {
    /// The moment in a row, or what is found there instead.
    fn at(&self, row: usize) -> Result<Moment, Option<String>> {
        let filled = |values: &Int64Array| {
            if values.is_null(row) { Err(None) } else { Ok(values.value(row)) }
        };
        match self {
            Self::Moments(values, moment, is_utc) => {
                let count = filled(values)?;
                let millis = moment(count).ok_or_else(|| Some(count.to_string()))?;
                Ok(Moment { millis: UtcMillis(millis).0, is_utc: *is_utc })
            }
            Self::Counts(values) => {
                let count = filled(values)?;
                moment::from_number(count).ok_or_else(|| Some(count.to_string()))
            }
            Self::Texts(texts) => texts[row].clone(),
        }
    }
}

/// Goes through the symbols of a column; nothing where it does not hold texts.
fn for_each_symbol(
    symbols: &dyn Array,
    mut found: impl FnMut(&str) -> Result<(), MarketError>,
) -> Result<(), MarketError> {
    let Some(dictionary) = symbols.as_any_dictionary_opt() else {
        return (0..symbols.len())
            .try_for_each(|row| text_at(symbols, row).map_or(Ok(()), &mut found));
    };
    let keys = dictionary.normalized_keys().into_iter().enumerate();
    keys.filter(|(row, _)| !symbols.is_null(*row)).try_for_each(|(_, key)| {
        text_at(dictionary.values().as_ref(), key).map_or(Ok(()), &mut found)
    })
}

/// The text in a row; `None` where there is none.
fn text_at(texts: &dyn Array, row: usize) -> Option<&str> {
    match texts.data_type() {
        _ if row >= texts.len() || texts.is_null(row) => None,
        DataType::Utf8 => Some(texts.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(texts.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(texts.as_string_view().value(row)),
        _ => None,
    }
}
