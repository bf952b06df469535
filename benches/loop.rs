//! What the training loop pays for being stopped and watched: one look at the cancel flag, the time from a cancel to the end of training, and
//! the same task with and without its events recorded.

mod peers;
mod task;

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use criterion::Criterion;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use walkforge::domain::{Cancel, EpochRecord, EventKind, Progress, Stage, UtcMillis};
use walkforge::spec::ExperimentSpec;
use walkforge::torch::set_threads_of_this_thread;
use walkforge::training::{Observer, TrainError};
use walkforge::workbench::{Command, TaskObserver, Update, Workbench, plan, run_task};

use peers::{is_comparing, is_measuring};
use task::{Bench, spec_of};

const MLP: &str = r#"{"Mlp":{"hidden":[64,32],"activation":"Relu","dropout":0.1}}"#;
const LSTM: &str = r#"{"Lstm":{"hidden":64,"layers":1,"dropout":0.1}}"#;

/// Cancels a training at a random moment so many times; the waits from the cancel to the end, sorted.
fn cancel_waits(bench: &Bench, times: u32) -> Result<Vec<Duration>> {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut waits = Vec::new();
    for _ in 0..times {
        let cancel = Cancel::new();
        let (asked, after) =
            (cancel.clone(), Duration::from_micros(random.random_range(5_000..60_000)));
        let asking = thread::Builder::new().name("cancel".to_owned()).spawn(move || {
            thread::sleep(after);
            let at = Instant::now();
            asked.cancel();
            at
        })?;
        let ended = bench.train_until(1_000_000, &cancel);
        let now = Instant::now();
        let asked_at = asking.join().ok().context("it only sleeps and stores a flag")?;
        match ended {
            Err(TrainError::Cancelled { .. }) => waits.push(now - asked_at),
            Err(error) => return Err(error.into()),
            Ok(_) => bail!("a million epochs in {after:?}"),
        }
    }
    waits.sort();
    Ok(waits)
}

#[expect(clippy::print_stdout, reason = "the numbers are what the bench is for")]
fn measure_cancel(bench: &Bench, epochs: u32) -> Result<()> {
    let (trained, elapsed) = bench.train(epochs)?;
    let batch = elapsed.as_secs_f64() / trained.steps as f64;
    let waits = cancel_waits(bench, 200)?;
    let at = |share: f64| waits[(share * (waits.len() - 1) as f64).round() as usize].as_secs_f64();
    println!(
        "cancel to stopped {}: a batch takes {:.2} ms; median {:.2} ms, p99 of {} {:.2} ms = {:.1} batches",
        bench.spec.model.name(),
        batch * 1e3,
        at(0.5) * 1e3,
        waits.len(),
        at(0.99) * 1e3,
        at(0.99) / batch
    );
    Ok(())
}

/// Notes when training begins and ends, and lets the rest pass.
#[derive(Default)]
struct Clock {
    training: Option<Instant>,
    seconds: Option<f64>,
}

impl Observer for Clock {
    fn progress(&mut self, _: Progress) {}
    fn epoch(&mut self, _: EpochRecord) {}
}

impl TaskObserver for Clock {
    fn stage(&mut self, stage: Stage) {
        match (stage, self.training) {
            (Stage::Training, _) => self.training = Some(Instant::now()),
            (Stage::Evaluation, Some(began)) => self.seconds = Some(began.elapsed().as_secs_f64()),
            _ => {}
        }
    }
}

/// Seconds of training of the first task, with nobody told.
fn unobserved(spec: &ExperimentSpec) -> Result<f64> {
    let prepared = plan(spec, &Cancel::new())?;
    let mut clock = Clock::default();
    let (task, series) = (&prepared.plan.tasks[0], &prepared.series[0]);
    run_task(task, &prepared.spec, series, &Cancel::new(), &mut clock)?;
    clock.seconds.context("a task trains and is then evaluated")
}

/// The same through the workbench: every event goes to the log on disk and to the mailbox, which this thread empties.
fn observed(spec: &ExperimentSpec) -> Result<f64> {
    let runs = tempfile::tempdir()?;
    let workbench = Workbench::open(runs.path(), || {})?;
    workbench.send(Command::Start(Box::new(spec.clone())));
    let at = |time: UtcMillis| time.0 as f64 / 1e3;
    let (mut began, mut ended) = (None, None);
    loop {
        for update in workbench.wait(Duration::from_millis(100)) {
            match update {
                Update::Event(event) => match event.kind {
                    EventKind::Stage { stage: Stage::Training } => began = Some(at(event.at)),
                    EventKind::Stage { stage: Stage::Evaluation } => ended = Some(at(event.at)),
                    _ => {}
                },
                Update::RunDone { .. } => {
                    let both = began.zip(ended).context("a task trains and is then evaluated")?;
                    return Ok(both.1 - both.0);
                }
                Update::StartFailed { message, .. } | Update::RunBroken { message, .. } => {
                    bail!(message)
                }
                _ => {}
            }
        }
    }
}

/// Other programs only ever slow one side down, so the fastest of each counts.
#[expect(clippy::print_stdout, reason = "the numbers are what the bench is for")]
fn measure_observing() -> Result<()> {
    const ROUNDS: usize = 7;
    let spec = spec_of(
        "mlp-return",
        &[
            format!("model={MLP}"),
            "data.source.bars=4200".to_owned(),
            "validation.max_folds=1".to_owned(),
            "training.max_epochs=300".to_owned(),
            "resources.workers=1".to_owned(),
        ],
    )?;
    let fastest = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        without.push(unobserved(&spec)?);
        with.push(observed(&spec)?);
    }
    let (with, without) = (fastest(&with), fastest(&without));
    println!(
        "observing: 300 epochs of a small MLP take {with:.3} s with events and {without:.3} s without, {:+.1} % (fastest of {ROUNDS} in turn)",
        (with / without - 1.0) * 100.0
    );
    Ok(())
}

fn main() -> Result<()> {
    set_threads_of_this_thread(1);
    let mut criterion = Criterion::default().configure_from_args();
    let cancel = Cancel::new().child();
    criterion.bench_function("loop/cancel_check", |bencher| {
        bencher.iter(|| black_box(&cancel).is_cancelled());
    });
    let rows = if is_measuring() { (3000, 500) } else { (200, 60) };
    let small = Bench::new("mlp-return", MLP, rows)?;
    let large = Bench::new("lstm-direction", LSTM, rows)?;
    if is_comparing() {
        measure_cancel(&small, 50)?;
        measure_cancel(&large, 2)?;
        measure_observing()?;
    } else {
        cancel_waits(&small, 2)?;
    }
    criterion.final_summary();
    Ok(())
}
