//! From a CSV file of bars to the feature matrix, beside pandas (`peers/features.py`), one thread each.

mod peers;
mod reading;

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use criterion::{Criterion, Throughput};
use serde::{Deserialize, Serialize};
use walkforge::domain::{Symbol, Timeframe};
use walkforge::features::{FeatureMatrix, compute};
use walkforge::market::{Bars, read_bars, synthetic_bars};
use walkforge::spec::{FeatureSpec, SyntheticMarket, SyntheticSpec, load};

use peers::{Peer, is_comparing, is_measuring, medians, report};

/// How far a column's mean may lie from the peer's: ours is of `f32`.
const TOLERANCE: f64 = 1e-4;

#[derive(Serialize)]
struct Request<'a> {
    path: &'a Path,
    features: &'a [FeatureSpec],
    minutes: u32,
    warm_up: usize,
}

#[derive(Deserialize)]
struct Answer {
    load_seconds: f64,
    feature_seconds: f64,
    /// Of every column, without the warm-up.
    means: Vec<f64>,
}

struct Bench<'a> {
    path: &'a Path,
    symbol: Symbol,
    timeframe: Timeframe,
    features: Vec<FeatureSpec>,
}

impl Bench<'_> {
    fn load(&self) -> Result<Bars> {
        Ok(read_bars(self.path, self.symbol.clone(), self.timeframe)?)
    }

    fn compute(&self, bars: &Bars) -> Result<FeatureMatrix> {
        Ok(compute(&self.features, bars)?)
    }
}

/// Dates as most files write them: `2024-06-30 14:00:00`.
fn csv(bars: &Bars) -> Result<String> {
    let mut text = String::from("date,open,high,low,close,volume\n");
    for t in 0..bars.len() {
        let [open, high, low, close, volume] =
            [bars.open(), bars.high(), bars.low(), bars.close(), bars.volume()]
                .map(|column| column[t]);
        let date = bars.open_time()[t].to_string().replace('T', " ").replace('Z', "");
        writeln!(text, "{date},{open:.6},{high:.6},{low:.6},{close:.6},{volume:.3}")?;
    }
    Ok(text)
}

/// Both must compute the same, or the comparison says nothing.
fn check(ours: &FeatureMatrix, theirs: &[f64]) -> Result<()> {
    ensure!(ours.cols() == theirs.len(), "{} columns, the peer has {}", ours.cols(), theirs.len());
    for (column, theirs) in theirs.iter().enumerate() {
        let values = ours.column(column).skip(ours.warm_up()).map(f64::from);
        let mean = values.clone().sum::<f64>() / values.len() as f64;
        let name = &ours.names()[column];
        ensure!(
            (mean - theirs).abs() <= TOLERANCE,
            "mean of {name}: {mean}, the peer's is {theirs}"
        );
    }
    Ok(())
}

fn compare(bench: &Bench<'_>, bars: usize) -> Result<()> {
    let mut peer = Peer::start("features.py")?;
    let matrix = bench.compute(&bench.load()?)?;
    let request = Request {
        path: bench.path,
        features: &bench.features,
        minutes: bench.timeframe.minutes(),
        warm_up: matrix.warm_up(),
    };
    check(&matrix, &peer.ask::<Answer>(&request)?.means)?;
    let parts = medians(
        || {
            let began = Instant::now();
            let bars = bench.load()?;
            let load = began.elapsed().as_secs_f64();
            black_box(bench.compute(&bars)?);
            let both = began.elapsed().as_secs_f64();
            Ok([load, both - load, both])
        },
        || {
            let answer: Answer = peer.ask(&request)?;
            let Answer { load_seconds, feature_seconds, .. } = answer;
            Ok([load_seconds, feature_seconds, load_seconds + feature_seconds])
        },
    )?;
    for (what, (ours, theirs)) in ["load", "features", "load + features"].into_iter().zip(parts) {
        let rate = |seconds: f64| format!("{:.2} million bars/s", bars as f64 / seconds / 1e6);
        let what = format!("pipeline {what}");
        report(&what, "pandas", (rate(ours), rate(theirs)), theirs / ours);
    }
    Ok(())
}

fn main() -> Result<()> {
    let bars = if is_measuring() { 100_000 } else { 1_000 };
    let market =
        SyntheticSpec { market: SyntheticMarket::Planted { ic: 0.3 }, bars: bars as u32, seed: 1 };
    let (symbol, timeframe): (Symbol, Timeframe) = ("SYN_A".parse()?, "1h".parse()?);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("SYN_A-1h.csv");
    std::fs::write(&path, csv(&synthetic_bars(&market, &symbol, timeframe)?.bars)?)?;
    let features = load("mlp-return")?.features;
    let bench = Bench { path: &path, symbol, timeframe, features };
    let loaded = bench.load()?;
    bench.compute(&loaded)?;

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("pipeline");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .throughput(Throughput::Elements(bars as u64));
    group.bench_function("load", |bencher| bencher.iter(|| bench.load()));
    group.bench_function("features", |bencher| bencher.iter(|| bench.compute(&loaded)));
    group.finish();
    if is_comparing() {
        compare(&bench, bars)?;
        reading::compare()?;
    }
    criterion.final_summary();
    Ok(())
}
