//! What vendors really write, in small.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::reading::{Compression, Origin};
use super::table::Table;
use super::{Format, Layout, read_table};
use crate::domain::UtcMillis;
use crate::market::{BarColumns, MarketError, Place, RowProblem};

/// 2024-01-13T00:00:00Z: a day that cannot be a month.
const FIRST: i64 = 1_705_104_000_000;
const HOUR: i64 = 3_600_000;

/// The three bars that every sample holds.
fn expected() -> BarColumns {
    BarColumns {
        open_time: (0..3).map(|hour| UtcMillis(FIRST + hour * HOUR)).collect(),
        open: vec![10.0, 11.0, 10.5],
        high: vec![12.0, 12.5, 13.0],
        low: vec![9.0, 10.0, 10.25],
        close: vec![11.0, 10.5, 12.75],
        volume: vec![5.0, 0.0, 7.0],
    }
}

pub(super) fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

fn read(name: &str, content: impl AsRef<[u8]>) -> Result<Table, MarketError> {
    let (_folder, path) = file(name, content);
    read_table(&path)
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

const META_TRADER: &str = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n\
    2024.01.13\t00:00:00\t10\t12\t9\t11\t5\t0\t2\r\n\
    2024.01.13\t01:00:00\t11\t12.5\t10\t10.5\t0\t0\t2\r\n\
    2024.01.13\t02:00:00\t10.5\t13\t10.25\t12.75\t7\t0\t2\r\n";

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table of texts")]
fn texts_of_many_vendors_hold_the_same_bars() {
    let plain = "date,open,high,low,close,volume\n\
        2024-01-13 00:00,10,12,9,11,5\n2024-01-13 01:00,11,12.5,10,10.5,0\n2024-01-13 02:00,10.5,13,10.25,12.75,7\n";
    let samples: Vec<(&str, Vec<u8>, Layout, &str)> = vec![
        ("plain", plain.into(), Layout::Generic, "yyyy-MM-dd HH:mm"),
        (
            "decimal comma",
            "Volume;Close;Low;High;Open;Date\n5;11,0;9,0;12,0;10,0;2024-01-13 00:00:00\n\
             0;10,5;10;12,5;11,0;2024-01-13 01:00:00\n7;12,75;10,25;13;10,5;2024-01-13 02:00:00\n"
                .into(),
            Layout::Generic,
            "yyyy-MM-dd HH:mm:ss",
        ),
        (
            "quoted with bars between, comments, blank lines and a byte-order mark",
            "\u{feff}# downloaded today\n\n\"Timestamp\"|\"Open\"|\"High\"|\"Low\"|\"Close\"|\"Volume\"|\"Note\"\n\
             \"2024-01-13T00:00:00Z\"|\"10\"|\"12\"|\"9\"|\"11\"|\"5\"|\"a|b\"\n\n\
             # half\n\"2024-01-13T01:00:00Z\"|\"11\"|\"12.5\"|\"10\"|\"10.5\"|\"0\"|\"\"\n\
             \"2024-01-13T03:00:00+01:00\"|\"10.5\"|\"13\"|\"10.25\"|\"12.75\"|\"7\"|\"c\"\n"
                .into(),
            Layout::Generic,
            "yyyy-MM-ddTHH:mm:ssZ",
        ),
        ("MetaTrader 5", META_TRADER.into(), Layout::MetaTrader, "yyyy.MM.dd and the time in a column of its own"),
        (
            "MetaTrader 5 in UTF-16",
            utf16(&format!("\u{feff}{META_TRADER}"), u16::to_le_bytes),
            Layout::MetaTrader,
            "yyyy.MM.dd and the time in a column of its own",
        ),
        (
            "MetaTrader 5 in UTF-16 of the other order without a mark",
            utf16(META_TRADER, u16::to_be_bytes),
            Layout::MetaTrader,
            "yyyy.MM.dd and the time in a column of its own",
        ),
        (
            "MetaTrader 4",
            "2024.01.13,00:00,10,12,9,11,5\n2024.01.13,01:00,11,12.5,10,10.5,0\n2024.01.13,02:00,10.5,13,10.25,12.75,7\n".into(),
            Layout::MetaTrader,
            "yyyy.MM.dd and the time in a column of its own",
        ),
        (
            "Binance, first in milliseconds, then in microseconds",
            "1705104000000,10,12,9,11,5,1705107599999,55,3,2,22,0\n\
             1705107600000000,11,12.5,10,10.5,0,1705111199999999,0,0,0,0,0\n\
             1705111200000000,10.5,13,10.25,12.75,7,1705114799999999,80,4,3,35,0\n"
                .into(),
            Layout::BinanceKlines,
            "milliseconds since 1970",
        ),
        (
            "CryptoDataDownload, newest first",
            "Timestamps are UTC timezone,https://www.CryptoDataDownload.com\ndate,symbol,open,high,low,close,volume_btc,volume\n\
             2024-01-13 02-AM,ABUSD,10.5,13,10.25,12.75,7,80\n2024-01-13 01-AM,ABUSD,11,12.5,10,10.5,0,0\n\
             2024-01-13 12-AM,ABUSD,10,12,9,11,5,55\n"
                .into(),
            Layout::CryptoDataDownload,
            "yyyy-MM-dd HH-AM",
        ),
        (
            "Dukascopy",
            "Gmt time,Open,High,Low,Close,Volume\n13.01.2024 00:00:00.000,10,12,9,11,5\n\
             13.01.2024 01:00:00.000,11,12.5,10,10.5,0\n13.01.2024 02:00:00.000,10.5,13,10.25,12.75,7\n"
                .into(),
            Layout::Generic,
            "dd.MM.yyyy HH:mm:ss.S",
        ),
        (
            "month first, a separator at the end of each line",
            "time,open,high,low,close,vol\n1/13/2024 00:00,10,12,9,11,5,\n1/13/2024 01:00,11,12.5,10,10.5,0,\n1/13/2024 02:00,10.5,13,10.25,12.75,7,\n".into(),
            Layout::Generic,
            "MM/dd/yyyy HH:mm",
        ),
        (
            "compact dates without a header",
            "20240113 000000;10;12;9;11;5\n20240113 010000;11;12.5;10;10.5;0\n20240113 020000;10.5;13;10.25;12.75;7\n".into(),
            Layout::Generic,
            "yyyyMMdd HHmmss",
        ),
        (
            "the index of pandas",
            ",open,high,low,close,volume\n2024-01-13,10,12,9,11,5\n2024-01-13 01:00:00,11,12.5,10,10.5,0\n2024-01-13 02:00:00,10.5,13,10.25,12.75,7\n".into(),
            Layout::Generic,
            "yyyy-MM-dd",
        ),
        (
            "LEAN",
            "20240112 19:00,100000,120000,90000,110000,5\n20240112 20:00,110000,125000,100000,105000,0\n20240112 21:00,105000,130000,102500,127500,7\n".into(),
            Layout::Lean,
            "yyyyMMdd HH:mm",
        ),
        (
            "LEAN with bid and ask",
            "20240113 00:00,9.5,11.5,8.5,10.5,2,10.5,12.5,9.5,11.5,3\n20240113 01:00,10.5,12,9.5,10,0,11.5,13,10.5,11,0\n20240113 02:00,10,12.5,9.75,12.25,3,11,13.5,10.75,13.25,4\n".into(),
            Layout::LeanQuotes,
            "yyyyMMdd HH:mm",
        ),
    ];
    for (what, text, layout, time_format) in samples {
        let table = read("AB-1h.txt", text).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(table.columns, expected(), "{what}");
        assert_eq!(table.unreadable.count, 0, "{what}");
        assert_eq!(
            (table.reading.layout.value, table.reading.time_format.as_str()),
            (layout, time_format),
            "{what}"
        );
    }
}

#[test]
fn json_rows_may_be_arrays_or_objects() {
    for (what, text, layout) in [
        (
            "freqtrade",
            "[[1705104000000,10,12,9,11,5],[1705107600000,11,12.5,10,10.5,0.0],\n[1705111200000,10.5,13,10.25,12.75,7]]",
            Layout::Freqtrade,
        ),
        (
            "Binance",
            r#"[[1705104000000,"10","12","9","11","5",1705107599999,"55",3,"2","22","0"],
                [1705107600000,"11","12.5","10","10.5","0",1705111199999,"0",0,"0","0","0"],
                [1705111200000,"10.5","13","10.25","12.75","7",1705114799999,"80",4,"3","35","0"]]"#,
            Layout::BinanceKlines,
        ),
        (
            "objects in any order",
            r#"[{"t": 1705104000, "o": 10, "h": 12, "l": 9, "c": 11, "v": 5, "more": {"a": [1]}},
                {"v": 0, "c": 10.5, "l": 10, "h": 12.5, "o": 11, "t": 1705107600},
                {"t": "2024-01-13 02:00:00Z", "o": "10.5", "h": 13, "l": 10.25, "c": 12.75, "v": 7}]"#,
            Layout::Generic,
        ),
    ] {
        let table = read("AB-1h.json", text).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(table.columns, expected(), "{what}");
        assert_eq!(table.reading.layout.value, layout, "{what}");
        assert_eq!(
            (table.reading.format, table.reading.zone.origin),
            (Format::Json, Origin::File),
            "{what}"
        );
    }
    for (text, expected) in [
        ("[", "AB-1h.json: EOF while parsing a list at line 1 column 1; expected an array of rows"),
        ("{\"a\": 1}", "invalid type: map, expected an array of rows"),
        ("[[1,2]]", "the first row has 2 values; expected"),
        ("[{\"a\": 1}]", "no column for the open time"),
        ("[] x", "trailing characters"),
        ("[]", "holds no bars"),
        (
            "[1, null, \"x\"]",
            ": row 1: found a number; expected a row of bars; so with 3 of 3 rows",
        ),
        (&"[".repeat(100_000), "EOF while parsing a list"),
    ] {
        let error = read("AB-1h.json", text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\n, not\n{expected}");
    }
}

#[test]
fn a_bad_row_costs_a_line_of_the_report_and_not_the_file() {
    let row = |hour: i64| format!("{},10,12,9,11,5\n", UtcMillis(FIRST + hour * HOUR));
    let mut text = "date,open,high,low,close,volume\n".to_owned();
    text.extend((0..500).map(row));
    text.push_str(
        "2024-02-30 00:00,10,12,9,11,5\nnot,a,row\n2024-03-01T00:00:00Z,10,1x,9,11,5\n\n",
    );
    text.push_str("2024-03-01T01:00:00Z,10,,9,11,5\n2024-03-01 02:00,10,12,9,11,5\n2024-03-01T02:00:00Z,10,\"12,9,11,5\n");
    text.extend((500..1000).map(row));
    let table = read("AB-1h.csv", &text).unwrap();
    assert_eq!(table.columns.open_time.len(), 1000);
    let shown: Vec<(Place, String)> = table
        .unreadable
        .examples
        .iter()
        .map(|(place, problem)| (*place, problem.to_string()))
        .collect();
    let expected = [
        (502, "date is `2024-02-30 00:00`; expected a date"),
        (503, "3 fields under a header of 6"),
        (504, "high is `1x`; expected a number with a decimal point"),
        (506, "high is empty"),
        (507, "its date names a zone and others do not, or the other way round"),
        (508, "a quoted field has no closing quote"),
    ];
    assert_eq!(table.unreadable.count, expected.len() as u64);
    for ((place, problem), (line, start)) in shown.iter().zip(expected) {
        assert_eq!(*place, Place::Line(line));
        assert!(problem.starts_with(start), "{problem}");
    }
    // Rows behind the bad ones are still found at their lines.
    assert_eq!(table.places.of(499), Place::Line(501));
    assert_eq!(table.places.of(500), Place::Line(509));
    let json = "[[1705104000000,1,1,1,1,1],[1705107600000,1,1,1,1],[1705111200000,1,1,null,1,1],[1705114800000,1,1,1,1,1],[1705118400000,1,1,1,1,1]]";
    let table = read("AB-1h.json", json).unwrap();
    assert_eq!(
        table.unreadable.examples,
        [
            (Place::Row(2), RowProblem::WrongFieldCount { found: 5, expected: 6 }),
            (Place::Row(3), RowProblem::Empty { column: "value 4".to_owned() })
        ]
    );
    assert_eq!(table.places.of(1), Place::Row(4));
}

#[test]
fn places_count_from_the_end_of_a_file_that_is_newest_first() {
    let text = "date,open,high,low,close,volume\n2024-01-13 02:00,1,1,1,1,1\n\nx\n2024-01-13 01:00,1,1,1,1,1\n2024-01-13 00:00,1,1,1,1,1\n";
    let table = read("AB-1h.csv", text).unwrap();
    assert!(table.reading.newest_first);
    let places: Vec<Place> = (0..3).map(|row| table.places.of(row)).collect();
    assert_eq!(places, [Place::Line(6), Place::Line(5), Place::Line(2)]);
}

#[test]
fn what_was_guessed_is_said() {
    let (_folder, path) = file(
        "EURJPYh1.csv",
        "Date,open,high,low,close,tick_volume\n2024-01-15 00:00:00,158000.0,158100.00000000001,157900.0,158050.0,9\n",
    );
    let reading = read_table(&path).unwrap().reading;
    assert_eq!(
        reading.notes(),
        [
            "read as ejtrader points",
            "dates are Europe/Athens (Europe/Berlin before 2014-11-23), as this layout has it",
            "prices are divided by 1000, as this layout has it",
        ]
    );
    assert_eq!((reading.compression, reading.separator), (Compression::None, Some(',')));
    let json = serde_json::to_string(&reading).unwrap();
    assert_eq!(serde_json::from_str::<super::Reading>(&json).unwrap(), reading);
    let text = "Date,open,high,low,close,tick_volume\n2024-01-15,4800,4810,4790,4805,9\n";
    let notes = read("SPX500d1.csv", text).unwrap().reading.notes();
    assert!(notes[2].contains("name the `price_divisor` in walkforge.ron"), "{notes:?}");
    let notes = read("AB-1h.csv", META_TRADER).unwrap().reading.notes();
    assert!(notes[2].starts_with("MetaTrader writes the broker's own time"), "{notes:?}");
    let quotes =
        read("AB-1h.csv", "20240113 00:00,9.9,9.9,9.9,9.9,2,10.1,10.1,10.1,10.1,3\n").unwrap();
    assert_eq!(quotes.columns.volume, [5.0]);
    approx::assert_relative_eq!(
        quotes.reading.mean_spread_bps.unwrap(),
        200.0,
        max_relative = 1e-9
    );
}

#[test]
fn a_file_that_is_no_table_of_one_symbol_is_refused() {
    let head = "date,symbol,open,high,low,close,volume\n";
    let refused = |text: &str| read("AB-1h.csv", text).unwrap_err().to_string();
    let two = format!("{head}2024-01-13,A,1,1,1,1,1\n2024-01-14,B,1,1,1,1,1\n");
    assert!(
        refused(&two).contains("holds bars of A and of B; expected one symbol in a file: split it")
    );
    let ambiguous = "date,open,high,low,close,volume\n01.02.2024,1,1,1,1,1\n02.02.2024,1,1,1,1,1\n";
    assert!(refused(ambiguous).contains(
        "`01.02.2024` may be day or month first, and no other date of the file tells; say `date_order: day_month_year`"
    ));
    // Far behind the lines that are looked at first, one date tells.
    let mut late = ambiguous.to_owned();
    late.extend((0..40_000).map(|_| "03.02.2024,1,1,1,1,1\n"));
    late.push_str("31.03.2024,1,1,1,1,1\n");
    let table = read("AB-1d.csv", &late).unwrap();
    assert_eq!(table.columns.open_time[0].to_string(), "2024-02-01T00:00:00Z");
    let mostly = format!(
        "date,open,high,low,close,volume\n2024-01-13,1,1,1,1,1\n{}",
        "x,1,1,1,1,1\n".repeat(3)
    );
    assert!(refused(&mostly).contains(":3: date is `x`"), "{}", refused(&mostly));
    assert!(
        refused(&mostly).contains("so with 3 of 4 rows: mend the file, or say in walkforge.ron")
    );
    assert!(refused("just words\nand more\n").contains("no column for the open time"));
    assert!(refused(&"x".repeat(100_000)).contains("line 1 is longer than 65536 bytes"));
    assert!(refused("\n\n").contains("holds no bars"));
}

#[test]
fn the_symbol_may_stand_in_the_file() {
    let (_folder, path) = file(
        "prices.csv",
        "date,ticker,open,high,low,close,volume\n2024-01-13,BTC/USD,1,1,1,1,1\n",
    );
    let symbol = read_table(&path).unwrap().reading.symbol.unwrap();
    assert_eq!((symbol.value.as_str(), symbol.origin), ("BTC_USD", Origin::File));
}
