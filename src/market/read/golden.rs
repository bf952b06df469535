//! Every file of the shared market data against what pandas reads from it (`tests/golden/make_market.py`).

use std::collections::BTreeMap;
use std::path::Path;

use approx::assert_relative_eq;
use serde::Deserialize;

use super::super::{BarColumns, Catalog};
use super::read_table;
use crate::require_data;

#[derive(Deserialize)]
struct Golden {
    files: BTreeMap<String, File>,
}

#[derive(Deserialize)]
struct File {
    symbol: String,
    timeframe: String,
    rows: usize,
    first: i64,
    last: i64,
    /// The sum of the times, each times its row from 1, modulo 2^64.
    times: u64,
    /// Sum, first, last, least and greatest value of each column.
    columns: BTreeMap<String, [f64; 5]>,
    /// Row, time, open, high, low, close and volume.
    samples: Vec<(usize, i64, f64, f64, f64, f64, f64)>,
}

#[test]
fn every_file_holds_the_prices_times_and_symbol_that_pandas_finds() {
    let data = require_data!();
    let golden: Golden =
        serde_json::from_str(include_str!("../../../tests/golden/market.json")).unwrap();
    let mut folders: BTreeMap<&Path, Vec<(&str, &File)>> = BTreeMap::new();
    for (name, file) in &golden.files {
        folders.entry(Path::new(name).parent().unwrap()).or_default().push((name, file));
    }
    for (folder, files) in folders {
        let catalog = Catalog::scan(&data.join(folder)).unwrap();
        assert_eq!(catalog.entries().len(), files.len(), "{:?}", catalog.skipped());
        for entry in catalog.entries() {
            let name = entry.path.strip_prefix(&data).unwrap().to_str().unwrap();
            let (_, file) = files.iter().find(|(wanted, _)| *wanted == name).unwrap();
            assert_eq!(entry.symbol.as_str(), file.symbol, "{name}");
            assert_eq!(entry.timeframe.to_string(), file.timeframe, "{name}");
            let table = read_table(&entry.path).unwrap();
            assert_eq!(table.unreadable.count, 0, "{name}");
            compare(name, file, &table.columns);
        }
    }
}

fn compare(name: &str, file: &File, bars: &BarColumns) {
    let times: Vec<i64> = bars.open_time.iter().map(|at| at.0).collect();
    assert_eq!(times.len(), file.rows, "{name}");
    assert_eq!((times[0], times[times.len() - 1]), (file.first, file.last), "{name}");
    let checksum = (1_u64..)
        .zip(&times)
        .fold(0_u64, |sum, (row, time)| sum.wrapping_add(row.wrapping_mul(time.cast_unsigned())));
    assert_eq!(checksum, file.times, "{name}");
    let columns: [(&str, &[f64]); 5] = [
        ("open", &bars.open),
        ("high", &bars.high),
        ("low", &bars.low),
        ("close", &bars.close),
        ("volume", &bars.volume),
    ];
    for (column, values) in columns {
        let [sum, first, last, least, greatest] = file.columns[column];
        assert_relative_eq!(exact_sum(values), sum, max_relative = 1e-12);
        let ends = [values[0], values[values.len() - 1]];
        let extremes =
            [f64::min, f64::max].map(|pick| values.iter().copied().reduce(pick).unwrap());
        assert_eq!((ends, extremes), ([first, last], [least, greatest]), "{column} of {name}");
    }
    for (row, time, open, high, low, close, volume) in &file.samples {
        let found = (times[*row], columns.map(|(_, values)| values[*row]));
        assert_eq!(found, (*time, [*open, *high, *low, *close, *volume]), "row {row} of {name}");
    }
}

/// Neumaier's sum: the rounding of each addition is carried along.
fn exact_sum(values: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + lost
}
