use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, Float64Array, StringArray, TimestampMillisecondArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use walkforge::domain::Symbol;
use walkforge::market::{Bars, synthetic_bars};
use walkforge::runs::RunFolder;
use walkforge::spec::{SyntheticMarket, SyntheticSpec};
use walkforge::workbench::Predictions;

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A folder of raw bars, as a user has one: a CSV file for each symbol, `SYN_A` and so on.
pub struct Market {
    folder: tempfile::TempDir,
    symbols: Vec<String>,
    bars: Vec<Bars>,
}

impl Market {
    /// Two symbols.
    pub fn new(bars: u32) -> Self {
        Self::of(2, bars)
    }

    pub fn of(symbols: usize, bars: u32) -> Self {
        let symbols =
            ALPHABET.chars().take(symbols).map(|letter| format!("SYN_{letter}")).collect();
        let market = Self { folder: tempfile::tempdir().unwrap(), symbols, bars: Vec::new() };
        market.grown(bars)
    }

    /// With so many bars of each symbol; the first ones are always the same.
    pub fn grown(mut self, bars: u32) -> Self {
        let market = SyntheticMarket::Planted { ic: 0.3 };
        let spec = SyntheticSpec { market, bars, seed: 5 };
        let of = |symbol: &String| {
            let symbol: Symbol = symbol.parse().unwrap();
            synthetic_bars(&spec, &symbol, "1h".parse().unwrap()).unwrap().bars
        };
        self.bars = self.symbols.iter().map(of).collect();
        for bars in &self.bars {
            std::fs::write(self.folder().join(format!("{}-1h.csv", bars.symbol())), csv(bars))
                .unwrap();
        }
        self
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn symbols(&self) -> &[String] {
        &self.symbols
    }

    pub fn bars(&self) -> &[Bars] {
        &self.bars
    }
}

fn csv(bars: &Bars) -> String {
    let mut text = "date,open,high,low,close,volume\n".to_owned();
    for t in 0..bars.len() {
        let [open, high, low, close, volume] =
            [bars.open(), bars.high(), bars.low(), bars.close(), bars.volume()].map(|of| of[t]);
        writeln!(text, "{},{open},{high},{low},{close},{volume}", bars.open_time()[t]).unwrap();
    }
    text
}

/// Predictions by symbol, timeframe and time in milliseconds.
pub struct Stored(BTreeMap<(String, String, i64), f64>);

/// What the run itself said of a task's test rows.
pub fn stored_predictions(run: &RunFolder, task: usize) -> Stored {
    let task = &run.manifest().unwrap().plan.tasks[task].id;
    let file = File::open(run.task(task).join("predictions.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut stored = BTreeMap::new();
    for batch in reader {
        let batch = batch.unwrap();
        let column = |name| batch.column_by_name(name).unwrap().as_any();
        let time = column("time").downcast_ref::<TimestampMillisecondArray>().unwrap();
        let text = |name| column(name).downcast_ref::<StringArray>().unwrap();
        let (symbol, timeframe) = (text("symbol"), text("timeframe"));
        let prediction = column("prediction").downcast_ref::<Float64Array>().unwrap();
        for row in 0..batch.num_rows() {
            assert!(!prediction.is_null(row));
            let [symbol, timeframe] = [symbol, timeframe].map(|text| text.value(row).to_owned());
            let key = (symbol, timeframe, time.value(row));
            stored.insert(key, prediction.value(row));
        }
    }
    Stored(stored)
}

impl Stored {
    /// Only those of one symbol.
    pub fn of(mut self, symbol: &Symbol) -> Self {
        self.0.retain(|(name, ..), _| name == symbol.as_str());
        self
    }

    /// The timeframes there are.
    pub fn timeframes(&self) -> BTreeSet<&str> {
        self.0.keys().map(|(_, timeframe, _)| timeframe.as_str()).collect()
    }

    /// How far predictions are from the stored ones at most; each stored one must be there.
    pub fn apart(&self, predictions: &Predictions) -> f64 {
        assert!(self.0.len() > 20, "{} stored predictions", self.0.len());
        let series = predictions.symbol.iter().zip(&predictions.timeframe);
        let keys = series
            .zip(&predictions.time)
            .map(|((symbol, timeframe), time)| (symbol.to_string(), timeframe.to_string(), time.0));
        let by_key: BTreeMap<(String, String, i64), f64> =
            keys.zip(predictions.prediction.iter().copied()).collect();
        assert_eq!(by_key.len(), predictions.time.len(), "each bar once");
        let apart = self.0.iter().map(|(key, stored)| (by_key[key] - stored).abs());
        apart.max_by(f64::total_cmp).unwrap()
    }
}

pub fn spread(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(f64::MIN, f64::max);
    most - values.iter().copied().fold(f64::MAX, f64::min)
}
