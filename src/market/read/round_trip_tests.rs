//! What is written in any way is read back to the last bit.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray,
};
use arrow::datatypes::TimeUnit;
use chrono::DateTime;
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use proptest::sample::select;

use super::dialect_tests::file;
use super::read_table;
use crate::domain::UtcMillis;
use crate::market::BarColumns;

fn bars() -> impl Strategy<Value = BarColumns> {
    let row = (1_i64..2000, 1e-6_f64..1e6, 0.0_f64..10.0, 0.0_f64..1e12);
    (150_000_i64..450_000, prop::collection::vec(row, 2..40)).prop_map(|(mut hour, rows)| {
        let mut bars = BarColumns::default();
        for (skip, price, spread, volume) in rows {
            hour += skip;
            bars.open_time.push(UtcMillis(hour * 3_600_000));
            bars.open.push(price + spread / 3.0);
            bars.high.push(price + spread);
            bars.low.push(price);
            bars.close.push(price + spread / 2.0);
            bars.volume.push(volume);
        }
        bars
    })
}

fn format(at: UtcMillis, pattern: &str) -> String {
    let datetime = DateTime::from_timestamp_millis(at.0).unwrap();
    match pattern {
        "s" => (at.0 / 1000).to_string(),
        "ms" => at.0.to_string(),
        "us" => (at.0 * 1000).to_string(),
        "ns" => (at.0 * 1_000_000).to_string(),
        pattern => datetime.format(pattern).to_string(),
    }
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
struct Dialect {
    separator: char,
    decimal_comma: bool,
    has_quotes: bool,
    time: &'static str,
    order: Vec<usize>,
    has_header: bool,
    is_newest_first: bool,
    end: &'static str,
}

fn dialects() -> impl Strategy<Value = Dialect> {
    let times = vec![
        "s",
        "ms",
        "us",
        "ns",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M",
        "%Y.%m.%d %H:%M",
        "%Y%m%d %H%M%S",
        "%Y/%m/%d %H:%M:%S%.3f",
        "%Y-%m-%d %I-%p",
        "%Y-%m-%dT%H:%M:%S+00:00",
        "%Y%m%d %H:%M",
    ];
    let order = Just((0..6).collect::<Vec<usize>>()).prop_shuffle();
    (
        select(vec![',', ';', '\t', '|']),
        any::<bool>(),
        any::<bool>(),
        select(times),
        order,
        any::<bool>(),
        any::<bool>(),
        select(vec!["\n", "\r\n"]),
    )
        .prop_map(
            |(separator, comma, has_quotes, time, order, has_header, is_newest_first, end)| {
                let order = if has_header { order } else { (0..6).collect() };
                let decimal_comma = comma && separator != ',';
                Dialect {
                    separator,
                    decimal_comma,
                    has_quotes,
                    time,
                    order,
                    has_header,
                    is_newest_first,
                    end,
                }
            },
        )
}

impl Dialect {
    fn write(&self, bars: &BarColumns) -> String {
        const NAMES: [&str; 6] = ["Date", "open", "HIGH", "Low", "close", "Volume"];
        let mut text = String::new();
        let line = |text: &mut String, fields: Vec<String>| {
            let quoted =
                |field: String| if self.has_quotes { format!("\"{field}\"") } else { field };
            let fields: Vec<String> =
                self.order.iter().map(|column| quoted(fields[*column].clone())).collect();
            write!(text, "{}{}", fields.join(&self.separator.to_string()), self.end).unwrap();
        };
        if self.has_header {
            line(&mut text, NAMES.map(str::to_owned).to_vec());
        }
        let mut rows: Vec<usize> = (0..bars.open_time.len()).collect();
        if self.is_newest_first {
            rows.reverse();
        }
        for row in rows {
            let number = |value: f64| {
                let text = value.to_string();
                if self.decimal_comma { text.replace('.', ",") } else { text }
            };
            let numbers = [&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume];
            let numbers = numbers.map(|column| number(column[row]));
            let fields = std::iter::once(format(bars.open_time[row], self.time)).chain(numbers);
            line(&mut text, fields.collect());
        }
        text
    }
}

fn batch(bars: &BarColumns, times: ArrayRef) -> RecordBatch {
    let column = |values: &Vec<f64>| -> ArrayRef { Arc::new(Float64Array::from(values.clone())) };
    RecordBatch::try_from_iter(vec![
        ("volume", column(&bars.volume)),
        ("Open", column(&bars.open)),
        ("high", column(&bars.high)),
        ("note", Arc::new(StringArray::from(vec!["x"; bars.open.len()]))),
        ("low", column(&bars.low)),
        ("close", column(&bars.close)),
        ("when", times),
    ])
    .unwrap()
}

fn times(bars: &BarColumns, unit: TimeUnit, zone: Option<&str>) -> ArrayRef {
    let scaled = |scale: i64| bars.open_time.iter().map(move |at| at.0 * scale);
    match unit {
        TimeUnit::Microsecond => Arc::new(
            TimestampMicrosecondArray::from_iter_values(scaled(1000)).with_timezone_opt(zone),
        ),
        TimeUnit::Nanosecond => Arc::new(
            TimestampNanosecondArray::from_iter_values(scaled(1_000_000)).with_timezone_opt(zone),
        ),
        _ => {
            Arc::new(TimestampMillisecondArray::from_iter_values(scaled(1)).with_timezone_opt(zone))
        }
    }
}

proptest! {
    #[test]
    fn every_dialect_of_text_is_read_back(bars in bars(), dialect in dialects()) {
        let (_folder, path) = file("AB-1h.csv", dialect.write(&bars));
        let table = read_table(&path).unwrap();
        prop_assert_eq!(table.unreadable.count, 0);
        prop_assert_eq!(table.columns, bars);
        prop_assert_eq!(table.reading.newest_first, dialect.is_newest_first);
        prop_assert_eq!(table.reading.header, dialect.has_header);
    }

    #[test]
    fn json_is_read_back(bars in bars(), has_names in any::<bool>(), is_text in any::<bool>()) {
        let mut rows = Vec::new();
        for row in 0..bars.open_time.len() {
            let numbers = [&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume].map(|column| {
                if is_text { serde_json::json!(column[row].to_string()) } else { serde_json::json!(column[row]) }
            });
            let at = bars.open_time[row].0;
            let [open, high, low, close, volume] = &numbers;
            rows.push(if has_names {
                serde_json::json!({"date": at, "open": open, "high": high, "low": low, "close": close, "volume": volume})
            } else {
                serde_json::json!([at, open, high, low, close, volume])
            });
        }
        let (_folder, path) = file("AB-1h.json", serde_json::to_string(&rows).unwrap());
        prop_assert_eq!(read_table(&path).unwrap().columns, bars);
    }

    #[test]
    fn parquet_of_every_codec_is_read_back(
        bars in bars(),
        codec in 0_usize..6,
        unit in select(vec![TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond]),
        zone in select(vec![None, Some("UTC"), Some("Asia/Tokyo")]),
        rows_a_group in 1_usize..50,
    ) {
        let codec = [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::GZIP(GzipLevel::default()),
            Compression::BROTLI(BrotliLevel::default()),
            Compression::LZ4_RAW,
            Compression::ZSTD(ZstdLevel::default()),
        ][codec];
        let batch = batch(&bars, times(&bars, unit, zone));
        let properties = WriterProperties::builder()
            .set_compression(codec)
            .set_max_row_group_row_count(Some(rows_a_group))
            .build();
        let mut content = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut content, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let (_folder, path) = file("AB-1h.parquet", content);
        let table = read_table(&path).unwrap();
        prop_assert_eq!(table.columns, bars);
        prop_assert_eq!(table.reading.zone.origin == super::Origin::File, zone.is_some());
    }
}
