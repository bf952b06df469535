//! Seconds per optimizer step of the real training loop for each model, beside a plain PyTorch loop (`peers/training.py`) and beside Lightning
//! with a `DataLoader` (`peers/lightning_training.py`), one thread each. Every step draws its batch, clips and, where an epoch ends, validates.

mod peers;
mod task;

use std::cell::Cell;
use std::time::Duration;

use anyhow::Result;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use serde::Deserialize;
use walkforge::torch::set_threads_of_this_thread;

use peers::{Peer, is_comparing, is_measuring, medians, report};
use task::Bench;

/// Preset, its model, and epochs of one measurement (about a second).
const CASES: [(&str, &str, u32); 6] = [
    ("mlp-return", r#""Linear""#, 200),
    ("mlp-return", r#"{"Mlp":{"hidden":[64,32],"activation":"Relu","dropout":0.1}}"#, 100),
    ("lstm-direction", r#"{"Lstm":{"hidden":64,"layers":1,"dropout":0.1}}"#, 2),
    ("lstm-direction", r#"{"Gru":{"hidden":64,"layers":1,"dropout":0.1}}"#, 2),
    ("lstm-direction", r#"{"Tcn":{"channels":[32,32,32],"kernel_size":3,"dropout":0.1}}"#, 2),
    (
        "lstm-direction",
        r#"{"Transformer":{"d_model":32,"heads":4,"layers":2,"feedforward":64,"dropout":0.1,"tokens":"Causal"}}"#,
        2,
    ),
];

#[derive(Deserialize)]
struct Answer {
    steps: u64,
    seconds: f64,
}

fn compare(bench: &Bench, epochs: u32) -> Result<()> {
    let mut torch = Peer::start("training.py")?;
    let mut lightning = Peer::start("lightning_training.py")?;
    let work = bench.work(epochs);
    // Its steps are so much slower that a tenth of them says as much.
    let less = bench.work(epochs.div_ceil(10).max(2));
    let seconds = |answer: Answer| answer.seconds / answer.steps as f64;
    let both = medians(
        || {
            let (trained, elapsed) = bench.train(epochs)?;
            Ok([elapsed.as_secs_f64() / trained.steps as f64; 2])
        },
        || Ok([seconds(torch.ask(&work)?), seconds(lightning.ask(&less)?)]),
    )?;
    let rate = |seconds: f64| format!("{:.0} steps/s ({:.3} ms)", 1.0 / seconds, seconds * 1e3);
    for (peer, (ours, theirs)) in ["PyTorch", "Lightning"].into_iter().zip(both) {
        let what = format!("training {}", bench.spec.model.name());
        report(&what, peer, (rate(ours), rate(theirs)), theirs / ours);
    }
    Ok(())
}

fn main() -> Result<()> {
    set_threads_of_this_thread(1);
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("training");
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(5));
    let rows = if is_measuring() { (3000, 500) } else { (200, 60) };
    for (preset, model, epochs) in CASES {
        let bench = Bench::new(preset, model, rows)?;
        // One iteration is one epoch, with its validation pass; one element is one optimizer step.
        group.throughput(Throughput::Elements(bench.steps_per_epoch()));
        let chosen = Cell::new(false);
        group.bench_function(BenchmarkId::new("epoch", bench.spec.model.name()), |bencher| {
            chosen.set(true);
            bencher.iter_custom(|epochs| {
                let epochs = u32::try_from(epochs).unwrap_or(u32::MAX);
                bench.train(epochs).expect("the synthetic market can be learnt").1
            });
        });
        if chosen.get() && is_comparing() {
            compare(&bench, epochs)?;
        }
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
