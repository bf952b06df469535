//! What every reader must do with sound and with hostile files.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use proptest::prelude::*;
use tempfile::TempDir;

use super::super::{Bars, MarketError};
use super::{Origin, read_bars, read_table};

fn read(path: &Path) -> Result<Bars, MarketError> {
    read_bars(path, "AB".parse().unwrap(), "1h".parse().unwrap())
}

fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

fn read_csv(text: &str) -> Result<Bars, MarketError> {
    let (_folder, path) = file("AB-1h.csv", text);
    read(&path)
}

const HEADER: &str = "date,open,high,low,close,volume\n";

#[test]
fn csv_columns_may_stand_in_any_order_and_case() {
    let expected = read_csv(&format!(
        "{HEADER}2024-01-01 00:00:00,10,12,9,11,5\n2024-01-01 01:00:00,11,12.5,10,10.5,0\n"
    ))
    .unwrap();
    assert_eq!(
        (expected.len(), expected.high(), expected.volume()),
        (2, &[12.0, 12.5][..], &[5.0, 0.0][..])
    );
    for text in [
        "Volume,CLOSE,low,High, open ,Extra,Date\n5,11,9,12,10,x,2024-01-01T00:00:00Z\n0,10.5,10,12.5,11,y,2024-01-01T01:00:00Z\n",
        "\u{feff}timestamp,open,high,low,close,tick_volume\r\n1704067200,10,12,9,11,5\r\n1704070800,11,12.5,10,10.5,0\r\n",
        "open_time,open,high,low,close,vol\n\n1704067200000,10.0,1.2e1,9,11,5\n\n1704070800000,11,12.5,10,10.5,0",
        "\"datetime\",open,high,low,close,volume\n\"2024-01-01 01:00:00+01:00\", 10 ,12,9,11,5\n2024-01-01 02:00:00+01:00,11,12.5,10,10.5,0\n",
    ] {
        assert_eq!(read_csv(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn hostile_csv_names_file_line_and_next_step() {
    let row = "2024-01-01 00:00,10,12,9,11,5\n";
    let body = |rows: &str| format!("{HEADER}{row}{rows}");
    for (text, expected) in [
        (String::new(), "AB-1h.csv: holds no bars: it is empty; download the file again"),
        (HEADER.to_owned(), "AB-1h.csv: holds no bars, only a header; download the file again"),
        (
            "date,open,high,low,volume\n2024-01-01,1,1,1,1\n".to_owned(),
            "AB-1h.csv:1: no column for the close (named close); found `date`, `open`, `high`, `low`, `volume`; the header must name",
        ),
        (
            "when,open,high,low,close,volume\n".to_owned(),
            "no column for the open time (named date or open_time or timestamp or datetime or time); found `when`",
        ),
        (
            "open,high,low,close,date\n".to_owned(),
            "no column for the volume (named volume or tick_volume or vol)",
        ),
        (
            body("2024-01-01 01:00,10,12,9,n/a,5\n"),
            "AB-1h.csv:3: close is `n/a`; expected a number",
        ),
        (
            body("2024-01-01 01:00,\"1,5\",12,9,11,5\n"),
            "AB-1h.csv:3: open is `1,5`; expected a number with a decimal point",
        ),
        (
            body("\n\n2024-01-01 01:00,10,12,9,,5\n"),
            "AB-1h.csv:5: close is empty; expected a value in every row; mend or remove",
        ),
        (body("\r\n2024-01-01 01:00,10,8,9,11,5\r\n"), "AB-1h.csv:4: high 8 is below"),
        (body("\n2024-01-01 01:00,10,12\n"), "AB-1h.csv:4: 3 fields under a header of 6"),
        (
            body("2024-01-01 01:00,10,12,9,NaN,5\n"),
            "AB-1h.csv:3: close is NaN; expected a finite number",
        ),
        (
            body("01/02/2024,10,12,9,11,5\n"),
            "AB-1h.csv:3: date is `01/02/2024`; expected a date such as 2024-06-30T14:00:00Z",
        ),
        (
            body(row),
            "AB-1h.csv:3: 2024-01-01T00:00:00Z is there twice; expected one bar for each open time; keep one of the two rows",
        ),
        (
            body("2024-01-01 01:00,10,12,9,11,5\n2023-12-31 23:00,10,12,9,11,5\n"),
            "AB-1h.csv:4: 2023-12-31T23:00:00Z follows 2024-01-01T01:00:00Z; expected the oldest bar first and times that rise; sort the file",
        ),
        (
            body("2024-01-01 01:00,10,8,9,11,5\n"),
            "AB-1h.csv:3: high 8 is below low 9; expected the highest price of the bar; mend or remove",
        ),
        (
            body("2024-01-01 01:00,10,12,0,11,5\n"),
            "AB-1h.csv:3: low is 0; expected a price above 0",
        ),
        (body("2024-01-01 01:00,10,12,9,11,-5\n"), "AB-1h.csv:3: volume is -5; expected 0 or more"),
        (
            body("2024-01-01 01:00,10,12\n"),
            "AB-1h.csv:3: 3 fields under a header of 6; expected as many as there are columns; mend or remove the row",
        ),
        (
            body("2024-01-01 00:05,11,12,9,11,5\n2024-01-01 00:10,11,12,9,11,5\n"),
            "AB-1h.csv: its bars open 5m apart, but 1h was expected; rename the file to its true timeframe",
        ),
    ] {
        let error = read_csv(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\n, not\n{expected}");
        assert!(error.contains("AB-1h.csv") && error.starts_with('/'), "{error}");
    }
    let (_folder, path) =
        file("AB-1h.csv", b"date,open,high,low,close,volume\n2024,1,1,\xff,1,1\n");
    let error = read(&path).unwrap_err().to_string();
    assert!(error.contains("AB-1h.csv:2: date is `2024`"), "{error}");
    assert!(error.contains("so with 1 of 1 rows"), "{error}");
}

#[test]
fn files_that_cannot_be_opened_say_so() {
    let (folder, path) = file("AB-1h.xlsx", "x");
    let error = |path: &Path| read(path).unwrap_err().to_string();
    assert!(
        error(&path).contains("its name ends in .xlsx; expected .csv, .tsv, .txt, .json, .feather")
    );
    for name in ["none.csv", "none.feather"] {
        let path = folder.path().join(name);
        assert!(
            error(&path).contains("cannot be read: No such file")
                && error(&path).contains("check the path")
        );
    }
    let inside = folder.path().join("folder.csv");
    fs::create_dir(&inside).unwrap();
    assert!(error(&inside).contains("folder.csv: cannot be read"), "{}", error(&inside));
}

/// Writes a Feather file of these columns, LZ4 like pandas does it.
fn feather(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let lz4 = Some(arrow::ipc::CompressionType::LZ4_FRAME);
    let options = IpcWriteOptions::default().try_with_compression(lz4).unwrap();
    let mut writer =
        FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    writer.write(&batch.slice(0, 1)).unwrap();
    writer.write(&batch.slice(1, batch.num_rows() - 1)).unwrap();
    writer.into_inner().unwrap()
}

fn prices(dates: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let column = |values: [f64; 3]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    vec![
        ("date", dates),
        ("open", column([10.0, 11.0, 12.0])),
        ("high", column([12.0, 12.5, 13.0])),
        ("low", Arc::new(Float32Array::from(vec![9.0, 10.0, 11.0]))),
        ("close", column([11.0, 10.5, 12.0])),
        ("volume", Arc::new(Int64Array::from(vec![5, 0, 7]))),
    ]
}

const DAYS: [i64; 3] = [19_723, 19_724, 19_725];

fn days_in(scale: i64) -> Vec<i64> {
    DAYS.iter().map(|day| day * scale).collect()
}

fn read_feather(columns: Vec<(&str, ArrayRef)>) -> Result<Bars, MarketError> {
    let (_folder, path) = file("AB-1d.feather", feather(columns));
    read(&path)
}

#[test]
fn feather_dates_may_have_any_type() {
    let texts = ["2024-01-01", "2024-01-02", "2024-01-03"];
    let nanoseconds = || TimestampNanosecondArray::from(days_in(86_400_000_000_000));
    let dates: [(ArrayRef, bool); 8] = [
        (Arc::new(nanoseconds().with_timezone("UTC")), true),
        (Arc::new(nanoseconds()), false),
        (
            Arc::new(
                TimestampMillisecondArray::from(days_in(86_400_000)).with_timezone("Europe/Berlin"),
            ),
            true,
        ),
        (Arc::new(TimestampSecondArray::from(days_in(86_400))), false),
        (Arc::new(Date32Array::from(vec![19_723, 19_724, 19_725])), false),
        (Arc::new(Int64Array::from(days_in(86_400_000))), true),
        (Arc::new(Int64Array::from(days_in(86_400))), true),
        (Arc::new(StringArray::from(texts.to_vec())), false),
    ];
    for (dates, names_zone) in dates {
        let kind = dates.data_type().clone();
        let (_folder, path) = file("AB-1d.feather", feather(prices(dates)));
        let bars = read(&path).unwrap();
        assert_eq!(bars.open_time()[1].to_string(), "2024-01-02T00:00:00Z", "{kind}");
        assert_eq!((bars.low(), bars.volume()), (&[9.0, 10.0, 11.0][..], &[5.0, 0.0, 7.0][..]));
        let says = read_table(&path).unwrap().reading.zone.origin == Origin::File;
        assert_eq!(says, names_zone, "{kind}");
    }
}

#[test]
fn hostile_feather_names_file_row_and_next_step() {
    let dates =
        |millis: Vec<i64>| -> ArrayRef { Arc::new(TimestampMillisecondArray::from(millis)) };
    let sound = || prices(dates(days_in(86_400_000)));
    let with = |name: &'static str, values: ArrayRef| {
        sound()
            .into_iter()
            .map(|(n, v)| if n == name { (n, Arc::clone(&values)) } else { (n, v) })
            .collect::<Vec<_>>()
    };
    for (columns, expected) in [
        (
            sound().into_iter().filter(|(name, _)| *name != "close").collect(),
            "no column for the close (named close); found `date`",
        ),
        (
            with("close", Arc::new(StringArray::from(vec!["1", "2", "3"]))),
            "column `close` holds Utf8; expected floating-point",
        ),
        (
            with("date", Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0]))),
            "column `date` holds Float64; expected timestamps",
        ),
        (
            with("date", Arc::new(StringArray::from(vec!["2024-01-01", "x", "y"]))),
            ": row 2: date is `x`; expected a date",
        ),
        (
            with("date", Arc::new(Int64Array::from(vec![1, 2, 3]))),
            ": row 1: date is `1`; expected a date",
        ),
        (
            with("open", Arc::new(Float64Array::from(vec![Some(10.0), Some(11.0), None]))),
            ": row 3: open is empty; expected a value in every row; mend",
        ),
        (
            with("high", Arc::new(Float64Array::from(vec![12.0, 12.5, 11.5]))),
            ": row 3: high 11.5 is below open 12; expected",
        ),
        (
            with("date", dates(vec![0, 86_400_000, 86_400_000])),
            ": row 3: 1970-01-02T00:00:00Z is there twice; expected one bar for each open time; keep one",
        ),
        (
            with("date", dates(vec![86_400_000, 0, 172_800_000])),
            ": row 2: 1970-01-01T00:00:00Z follows 1970-01-02T00:00:00Z",
        ),
    ] {
        let error = read_feather(columns).unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains("AB-1d.feather"),
            "{error}\n, not\n{expected}"
        );
    }
    let sound = feather(sound());
    for content in [
        &sound[..sound.len() / 2],
        &sound[..sound.len() - 1],
        &sound[..3],
        b"FEA1....................FEA1",
        b"date,open\n1,2\n",
    ] {
        let (_folder, path) = file("AB-1d.feather", content);
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("AB-1d.feather: is truncated or no Feather v2 file ("), "{error}");
        assert!(error.ends_with("download or write it again"), "{error}");
    }
    let (_folder, path) = file("AB-1d.feather", "");
    assert!(read(&path).unwrap_err().to_string().contains("holds no bars: it is empty"));
}

proptest! {
    #[test]
    fn csv_gives_back_what_was_written(rows in prop::collection::vec((1_u32..1000, 0.01_f64..1e6, 0.0_f64..10.0, 0.0_f64..1e9), 1..50)) {
        let mut hour = 400_000_i64;
        let mut text = HEADER.to_owned();
        let mut closes = Vec::new();
        for (skip, price, spread, volume) in &rows {
            hour += i64::from(*skip);
            let at = crate::domain::UtcMillis(hour * 3_600_000);
            let (high, close) = (price + 2.0 * spread, price + spread);
            writeln!(text, "{at},{price},{high},{price},{close},{volume}").unwrap();
            closes.push(price + spread);
        }
        let bars = read_csv(&text).unwrap();
        prop_assert_eq!(bars.close(), &closes[..]);
        prop_assert_eq!(bars.open_time()[rows.len() - 1].0, hour * 3_600_000);
    }

    #[test]
    fn no_damaged_feather_file_brings_the_reader_down(damage in prop::collection::vec((0_usize..100_000, 1_u8..), 1..3)) {
        let mut content = feather(prices(Arc::new(TimestampMillisecondArray::from(days_in(86_400_000)))));
        for (at, value) in damage {
            let length = content.len();
            content[at % length] ^= value;
        }
        let (_folder, path) = file("AB-1d.feather", content);
        let _either_is_fine = read(&path);
    }
}
