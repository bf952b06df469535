//! Features of a million bars in one thread: twenty indicators beside TA-Lib and pandas (`peers/indicators.py`), Alpha158 beside Qlib's own
//! operators (`peers/alpha158.py`).

mod peers;

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use criterion::{Criterion, Throughput};
use serde::{Deserialize, Serialize};
use walkforge::features::{FeatureMatrix, compute};
use walkforge::market::{Bars, synthetic_bars};
use walkforge::spec::{FeatureSpec, SyntheticMarket, SyntheticSpec};

use peers::{Peer, is_comparing, is_measuring, medians, report};

/// How far a column's mean may lie from the peer's, as a share of the mean or of 0.01: both are of `f32`, the running sums of pandas drift over
/// a million bars, and Qlib leaves out what varies too little. What the formulas are worth is shown by the golden numbers, not here.
const TOLERANCE: f64 = 1e-2;

#[derive(Serialize)]
struct Request<'a> {
    path: &'a Path,
    warm_up: usize,
}

#[derive(Deserialize)]
struct Answer {
    seconds: f64,
    names: Vec<String>,
    /// Of every column, without the warm-up and what is missing.
    means: Vec<f64>,
}

/// Twenty features, some of several columns.
fn indicators() -> [FeatureSpec; 20] {
    use FeatureSpec as F;
    [
        F::LogReturn { lag: 4 },
        F::SmaDistance { period: 20 },
        F::EmaDistance { period: 20 },
        F::Macd { fast: 12, slow: 26, signal: 9 },
        F::Adx { period: 14 },
        F::Aroon { period: 14 },
        F::Rsi { period: 14 },
        F::Stochastic { window: 14, smooth_k: 3, smooth_d: 3 },
        F::WilliamsR { period: 14 },
        F::Cci { period: 20 },
        F::Mfi { period: 14 },
        F::RealizedVolatility { window: 24 },
        F::Atr { period: 14 },
        F::BollingerPosition { window: 20, deviations: 2.0 },
        F::ParkinsonVolatility { window: 24 },
        F::VolumeZScore { window: 48 },
        F::RangePosition { window: 24 },
        F::LinearRegressionSlope { window: 14 },
        F::ReturnSkewness { window: 48 },
        F::ReturnQuantile { window: 48, quantile: 0.05 },
    ]
}

/// Both must compute the same, or the comparison says nothing.
fn check(ours: &FeatureMatrix, theirs: &Answer) -> Result<()> {
    for (column, name) in ours.names().iter().enumerate() {
        let position = theirs.names.iter().position(|their_name| their_name == name);
        let Some(position) = position else { anyhow::bail!("the peer has no {name}") };
        let values = ours.column(column).skip(ours.warm_up()).filter(|value| !value.is_nan());
        let (sum, count) =
            values.fold((0.0, 0.0), |(sum, count), value| (sum + f64::from(value), count + 1.0));
        let (mean, their_mean) = (sum / count, theirs.means[position]);
        ensure!(
            (mean - their_mean).abs() <= TOLERANCE * their_mean.abs().max(1e-2),
            "mean of {name}: {mean}, the peer's is {their_mean}"
        );
    }
    Ok(())
}

fn rate(bars: usize, seconds: f64) -> String {
    format!("{:.3} s ({:.2} million bars/s)", seconds, bars as f64 / seconds / 1e6)
}

fn compare_indicators(path: &Path, bars: &Bars) -> Result<()> {
    let specs = indicators();
    let mut peer = Peer::start("indicators.py")?;
    let matrix = compute(&specs, bars)?;
    let request = Request { path, warm_up: matrix.warm_up() };
    check(&matrix, &peer.ask::<Answer>(&request)?)?;
    let [(ours, theirs)] = medians(
        || {
            let began = Instant::now();
            black_box(compute(&specs, bars)?);
            Ok([began.elapsed().as_secs_f64()])
        },
        || Ok([peer.ask::<Answer>(&request)?.seconds]),
    )?;
    let rates = (rate(bars.len(), ours), rate(bars.len(), theirs));
    report("features 20 indicators", "TA-Lib and pandas", rates, theirs / ours);
    Ok(())
}

/// One round: Qlib takes minutes.
fn compare_alpha158(path: &Path, bars: &Bars) -> Result<()> {
    let mut peer = Peer::start("alpha158.py")?;
    let began = Instant::now();
    let matrix = compute(&[FeatureSpec::Alpha158], bars)?;
    let ours = began.elapsed().as_secs_f64();
    let answer: Answer = peer.ask(&Request { path, warm_up: matrix.warm_up() })?;
    check(&matrix, &answer)?;
    let rates = (rate(bars.len(), ours), rate(bars.len(), answer.seconds));
    report("features Alpha158 (one round)", "Qlib", rates, answer.seconds / ours);
    Ok(())
}

fn main() -> Result<()> {
    let count = if is_measuring() { 1_000_000 } else { 2_000 };
    let market =
        SyntheticSpec { market: SyntheticMarket::Planted { ic: 0.3 }, bars: count, seed: 1 };
    let bars = synthetic_bars(&market, &"SYN_A".parse()?, "1h".parse()?)?.bars;
    let file = tempfile::NamedTempFile::new()?;
    let columns = [bars.open(), bars.high(), bars.low(), bars.close(), bars.volume()];
    let bytes: Vec<u8> = columns.concat().iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(file.path(), bytes)?;

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("features");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .throughput(Throughput::Elements(bars.len() as u64 / 10));
    let indicators = indicators();
    // A tenth of the bars: criterion repeats often.
    let some = bars.truncated(bars.len() / 10);
    group.bench_function("20 indicators", |bencher| {
        bencher.iter(|| compute(&indicators, &some));
    });
    group.bench_function("Alpha158", |bencher| {
        bencher.iter(|| compute(&[FeatureSpec::Alpha158], &some));
    });
    group.finish();
    if is_comparing() {
        compare_indicators(file.path(), &bars)?;
        compare_alpha158(file.path(), &bars)?;
    }
    criterion.final_summary();
    Ok(())
}
