use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::StoreError;
use super::tables::write_table;
use crate::domain::{EquityCurve, PredictorEquity, Symbol, Timeframe, UtcMillis};

/// The columns that say which row it is; every other one is a predictor.
const KEYS: [&str; 3] = ["symbol", "timeframe", "time"];

/// Rows decoded at a time.
const BATCH_ROWS: usize = 65_536;

/// Writes `equity.parquet`, curve after curve: `symbol` (null for all of them, equally weighted), `timeframe`, `time` (timestamp ms, UTC),
/// and a column of f64 for each predictor, which keeps the file a quarter as long as one row per predictor would. Curves without a row
/// leave no trace.
///
/// # Errors
/// [`StoreError::Write`] naming the file.
pub(super) fn write_equity(path: &Path, curves: &[EquityCurve]) -> Result<(), StoreError> {
    let symbols = of_rows(curves, |curve| curve.symbol.as_ref().map(Symbol::as_str));
    let timeframes: Vec<String> = curves.iter().map(|curve| curve.timeframe.to_string()).collect();
    let timeframes = curves
        .iter()
        .zip(&timeframes)
        .flat_map(|(curve, timeframe)| std::iter::repeat_n(timeframe.as_str(), curve.times.len()));
    let times = curves.iter().flat_map(|curve| curve.times.iter().map(|time| time.0));
    let times = TimestampMillisecondArray::from_iter_values(times);
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("symbol", Arc::new(symbols.collect::<StringArray>())),
        ("timeframe", Arc::new(StringArray::from_iter_values(timeframes))),
        ("time", Arc::new(times.with_timezone("UTC"))),
    ];
    for name in predictor_names(curves) {
        columns.push((name, Arc::new(predictor_column(curves, name))));
    }
    write_table(path, columns)
}

fn of_rows<'a, T: Clone + 'a>(
    curves: &'a [EquityCurve],
    value: impl Fn(&'a EquityCurve) -> T + 'a,
) -> impl Iterator<Item = T> + 'a {
    curves.iter().flat_map(move |curve| std::iter::repeat_n(value(curve), curve.times.len()))
}

fn predictor_names(curves: &[EquityCurve]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for predictor in curves.iter().flat_map(|curve| &curve.predictors) {
        if !names.contains(&predictor.name.as_str()) {
            names.push(&predictor.name);
        }
    }
    names
}

/// Null in the rows of curves that do not have the predictor.
fn predictor_column(curves: &[EquityCurve], name: &str) -> Float64Array {
    let mut column = Float64Array::builder(curves.iter().map(|curve| curve.times.len()).sum());
    for curve in curves {
        match curve.predictors.iter().find(|predictor| predictor.name == name) {
            Some(predictor) => column.append_slice(&predictor.equity),
            None => column.append_nulls(curve.times.len()),
        }
    }
    column.finish()
}

/// Reads what [`write_equity`] wrote.
///
/// # Errors
/// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
pub(super) fn read_equity(path: &Path) -> Result<Vec<EquityCurve>, StoreError> {
    let damaged = |found: &dyn std::fmt::Display| StoreError::damaged(path, found);
    let file = File::open(path).map_err(|source| StoreError::read(path, &source))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(|builder| builder.with_batch_size(BATCH_ROWS).build())
        .map_err(|source| damaged(&source))?;
    let mut curves = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|source| damaged(&source))?;
        append(&mut curves, &batch).map_err(|found| damaged(&found))?;
    }
    Ok(curves)
}

/// Adds a batch's rows to the curves; the first ones may go on with the last curve.
fn append(curves: &mut Vec<EquityCurve>, batch: &RecordBatch) -> Result<(), String> {
    let symbols: &StringArray = column(batch, "symbol")?;
    let timeframes: &StringArray = column(batch, "timeframe")?;
    let times: &TimestampMillisecondArray = column(batch, "time")?;
    let schema = batch.schema();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let predictors = names
        .filter(|name| !KEYS.contains(name))
        .map(|name| Ok((name, column(batch, name)?)))
        .collect::<Result<Vec<(&str, &Float64Array)>, String>>()?;
    if timeframes.null_count() + times.null_count() > 0 {
        return Err("a row without timeframe or time".to_owned());
    }
    let key =
        |row: usize| (symbols.is_valid(row).then(|| symbols.value(row)), timeframes.value(row));
    let mut start = 0;
    while start < batch.num_rows() {
        let of_curve = (start..batch.num_rows()).take_while(|&row| key(row) == key(start));
        let rows = start..start + of_curve.count();
        let of_rows = predictors
            .iter()
            .map(|(name, values)| (*name, Float64Array::slice(values, rows.start, rows.len())))
            .filter(|(_, values)| values.null_count() < values.len());
        let (symbol, timeframe) = key(start);
        extend(curves, (symbol, timeframe), &times.values()[rows.clone()], of_rows)?;
        start = rows.end;
    }
    Ok(())
}

fn extend<'a>(
    curves: &mut Vec<EquityCurve>,
    (symbol, timeframe): (Option<&str>, &str),
    times: &[i64],
    predictors: impl Iterator<Item = (&'a str, Float64Array)>,
) -> Result<(), String> {
    let invalid = |error: &dyn std::fmt::Display| error.to_string();
    let symbol: Option<Symbol> =
        symbol.map(str::parse).transpose().map_err(|error| invalid(&error))?;
    let timeframe: Timeframe = timeframe.parse().map_err(|error| invalid(&error))?;
    let goes_on =
        curves.last().is_some_and(|last| last.symbol == symbol && last.timeframe == timeframe);
    if !goes_on {
        curves.push(EquityCurve { symbol, timeframe, times: Vec::new(), predictors: Vec::new() });
    }
    let curve = curves.last_mut().expect("one was pushed where there was none");
    let known = curve.times.len();
    curve.times.extend(times.iter().map(|&time| UtcMillis(time)));
    for (name, values) in predictors {
        if values.null_count() > 0 {
            return Err(format!("a row without {name} among rows that have it"));
        }
        let place = curve.predictors.iter().position(|predictor| predictor.name == name);
        let place = place.unwrap_or_else(|| {
            curve.predictors.push(PredictorEquity { name: name.to_owned(), equity: Vec::new() });
            curve.predictors.len() - 1
        });
        let equity = &mut curve.predictors[place].equity;
        if equity.len() != known {
            return Err(format!("a row without {name} among rows that have it"));
        }
        equity.extend(values.values());
    }
    if curve.predictors.iter().any(|predictor| predictor.equity.len() != curve.times.len()) {
        return Err("a row without the equity of every predictor".to_owned());
    }
    Ok(())
}

fn column<'a, T: Array + 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a T, String> {
    let column = batch.column_by_name(name).ok_or_else(|| format!("no column `{name}`"))?;
    column.as_any().downcast_ref().ok_or_else(|| {
        let found: &DataType = column.data_type();
        format!("column `{name}` is {found}, not what equity.parquet holds there")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(symbol: Option<&str>, timeframe: &str, times: &[i64], names: &[&str]) -> EquityCurve {
        let predictor = |name: &&str| PredictorEquity {
            name: (*name).to_owned(),
            equity: times.iter().map(|&time| (time as f64).sin() / name.len() as f64).collect(),
        };
        EquityCurve {
            symbol: symbol.map(|symbol| symbol.parse().unwrap()),
            timeframe: timeframe.parse().unwrap(),
            times: times.iter().copied().map(UtcMillis).collect(),
            predictors: names.iter().map(predictor).collect(),
        }
    }

    #[test]
    fn curves_round_trip_bit_for_bit_whatever_the_batches() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("equity.parquet");
        let long: Vec<i64> = (0..BATCH_ROWS as i64 + 10).collect();
        let curves = [
            curve(Some("BTC_USDT"), "1h", &[-5, 0, 7], &["model", "ridge"]),
            curve(Some("ETH_USDT"), "1h", &[1], &["model"]),
            curve(None, "1h", &long, &["model", "ridge"]),
            curve(None, "4h", &[3, 9], &["ridge"]),
        ];
        write_equity(&path, &curves).unwrap();
        assert_eq!(read_equity(&path).unwrap(), curves);
        write_equity(&path, &[]).unwrap();
        assert_eq!(read_equity(&path).unwrap(), []);
    }

    #[test]
    fn a_damaged_file_is_named_with_what_was_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("equity.parquet");
        let symbol: ArrayRef = Arc::new(StringArray::from(vec!["A", "A"]));
        let timeframe: ArrayRef = Arc::new(StringArray::from(vec!["1h", "1h"]));
        let time: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![1, 2]));
        let model: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None]));
        let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; 2])) };
        let named = |columns: [ArrayRef; 4]| -> Vec<(&'static str, ArrayRef)> {
            ["symbol", "timeframe", "time", "model"].into_iter().zip(columns).collect()
        };
        let [symbol, timeframe, time, model] = &[symbol, timeframe, time, model];
        let like = |change: fn(&mut [ArrayRef; 4], ArrayRef), with: ArrayRef| {
            let mut columns = [symbol, timeframe, time, model].map(Arc::clone);
            change(&mut columns, with);
            named(columns)
        };
        for (columns, expected) in [
            (like(|_, _| {}, text("")), "a row without model"),
            (like(|columns, with| columns[3] = with, text("x")), "column `model` is Utf8"),
            (like(|columns, with| columns[1] = with, text("1x")), "`1x` is no timeframe"),
            (like(|columns, with| columns[0] = with, text("a/b")), "`a/b` cannot name a symbol"),
            (vec![("symbol", text("A"))], "no column `timeframe`"),
        ] {
            write_table(&path, columns).unwrap();
            let error = read_equity(&path).unwrap_err();
            assert!(matches!(&error, StoreError::Damaged { path: named, .. } if *named == path));
            assert!(error.to_string().contains(expected), "{error}");
        }
        std::fs::write(&path, "PAR1 and nothing else").unwrap();
        assert!(matches!(read_equity(&path), Err(StoreError::Damaged { .. })));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(read_equity(&path), Err(StoreError::Read { .. })));
    }
}
