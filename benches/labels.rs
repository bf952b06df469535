//! Labels and sample weights of a million bars on one thread.

use std::hint::black_box;

use anyhow::Result;
use criterion::{Criterion, Throughput};
use walkforge::labels::{WeightedRows, compute, uniqueness};
use walkforge::market::{Bars, synthetic_bars};
use walkforge::spec::{LabelSpec, SyntheticMarket, SyntheticSpec, Timeout};
use walkforge::validation::decision_times;

/// Whether cargo asks for numbers, not only whether the bench runs.
fn is_measuring() -> bool {
    let asked = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    asked("--bench") && !asked("--test") && !asked("--list")
}

fn barrier(horizon: u32, width: f64) -> LabelSpec {
    LabelSpec::TripleBarrier {
        horizon,
        profit_take: width,
        stop_loss: width,
        volatility_window: 100,
        timeout: Timeout::Sign,
    }
}

fn bars() -> Result<Bars> {
    let count = if is_measuring() { 1_000_000 } else { 2_000 };
    let market = SyntheticSpec { market: SyntheticMarket::Null, bars: count, seed: 1 };
    let symbol = "SYN_A".parse()?;
    Ok(synthetic_bars(&market, &symbol, "5m".parse()?)?.bars)
}

fn main() -> Result<()> {
    let bars = bars()?;
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let mut group = criterion.benchmark_group("labels");
    group.throughput(Throughput::Elements(bars.len() as u64));
    // Near barriers end labels at once, far ones never; both must cost the same order of work.
    for (name, label) in [
        ("forward_return", LabelSpec::ForwardReturn { horizon: 24 }),
        ("scaled_return", LabelSpec::ScaledReturn { horizon: 24, volatility_window: 100 }),
        ("triple_barrier_near", barrier(24, 2.0)),
        ("triple_barrier_far", barrier(1000, 100.0)),
        ("triple_barrier_wide", barrier(1000, 10.0)),
    ] {
        group.bench_function(name, |bencher| bencher.iter(|| compute(black_box(label), &bars)));
    }
    let labels = compute(barrier(1000, 10.0), &bars);
    let decision = decision_times(&bars);
    let rows: Vec<u32> = (0..)
        .zip(&labels.outcome)
        .filter(|(_, outcome)| !outcome.is_nan())
        .map(|(row, _)| row)
        .collect();
    let part = WeightedRows {
        timeframe: bars.timeframe(),
        decision: &decision,
        end_time: &labels.end_time,
        rows: &rows,
    };
    group.bench_function("uniqueness", |bencher| bencher.iter(|| uniqueness(black_box(&part))));
    group.finish();
    criterion.final_summary();
    Ok(())
}
