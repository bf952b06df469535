//! The store of runs: how long lists and curves take among very many runs, and recording beside `MLflow`'s local store
//! (`peers/store_mlflow.py`) and TensorBoard's writer (`peers/store_tensorboard.py`).

mod peers;
mod stored;

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use criterion::Criterion;
use serde::{Deserialize, Serialize};
use walkforge::domain::{EpochRecord, EventKind, RunId, RunOutcome, RunSummary, TaskId, UtcMillis};
use walkforge::runs::{Outcome, RunFilter, RunIndex, RunStore};
use walkforge::spec::{DEFAULT_PRESET, load};

use peers::{Peer, is_comparing, is_measuring};
use stored::{Size, fill, name, plan};

/// Times each side records; an odd number, so that the median is one of them.
const ROUNDS: usize = 3;
/// What a list or curves may take.
const GOAL: Duration = Duration::from_millis(100);

fn epoch(number: u32) -> EpochRecord {
    EpochRecord {
        epoch: number,
        train_loss: 1.0 / f64::from(number),
        validation_loss: Some(1.1 / f64::from(number)),
        monitor: None,
        learning_rate: 1e-3,
        gradient_norm: 0.5,
        seconds: 0.1,
        is_best: true,
    }
}

/// What a front end asks, the first time and again and again.
fn look(criterion: &mut Criterion, root: &Path, size: &Size) -> Result<()> {
    let filter = |text: &str| -> Result<RunFilter> {
        Ok(RunFilter { query: text.parse()?, ..RunFilter::default() })
    };
    let questions = [
        ("list", RunFilter::default()),
        ("list the newest 200", RunFilter { limit: Some(200), ..RunFilter::default() }),
        ("filter by words", filter("gold strategy-3")?),
        ("filter by status", filter("status:failed")?),
        ("filter, nothing fits", filter("no such run")?),
    ];
    let run = RunId::new(name(size.runs / 2));
    let began = Instant::now();
    let index = RunIndex::open(root)?;
    let found = index.runs(&RunFilter::default())?;
    let first = began.elapsed();
    ensure!(found.len() as i64 == size.runs, "{} runs", found.len());
    let began = Instant::now();
    let curves = index.curves(&run)?;
    let first_curves = began.elapsed();
    let epochs: usize = curves.values().map(Vec::len).sum();
    ensure!(epochs as i64 == size.tasks_per_run * size.epochs_per_task, "{epochs} epochs");
    say(&format!(
        "opened and listed {} runs for the first time in {first:.1?}, one run's {epochs} epochs in {first_curves:.1?}",
        size.runs
    ));
    verdict("open and list for the first time", first);
    verdict("curves of one run for the first time", first_curves);
    for (what, filter) in &questions {
        let began = Instant::now();
        black_box(index.runs(filter)?);
        verdict(what, began.elapsed());
    }

    let mut group = criterion.benchmark_group("store");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    for (what, filter) in &questions {
        group.bench_function(*what, |bencher| bencher.iter(|| index.runs(black_box(filter))));
    }
    group.bench_function("open and list", |bencher| {
        bencher.iter(|| RunIndex::open(root).and_then(|index| index.runs(&RunFilter::default())));
    });
    group.bench_function("curves of one run", |bencher| {
        bencher.iter(|| index.curves(black_box(&run)));
    });
    group.bench_function("has anything changed", |bencher| bencher.iter(|| index.generation()));
    group.finish();
    Ok(())
}

/// Seconds to record runs of one task each, every run with its folder, manifest, lifecycle and outcome, all of it durable at the end.
fn record(folder: &Path, runs: u32, points: u32) -> Result<f64> {
    let root = tempfile::tempdir_in(folder)?;
    let store = RunStore::open(root.path(), |_| {})?;
    let spec = load(DEFAULT_PRESET)?;
    let mut plan = plan()?;
    plan.tasks.truncate(1);
    let task: TaskId = plan.tasks[0].id.clone();
    let began = Instant::now();
    let mut last = None;
    for _ in 0..runs {
        let (run, folder, log) = store.create(&spec, &plan, None)?;
        log.record(Some(&task), EventKind::Started { device: plan.device })?;
        for point in 1..=points {
            log.record(Some(&task), EventKind::Epoch(epoch(point)))?;
        }
        let (outcome, summary) = (RunOutcome::Finished, RunSummary::default());
        let (ended, tasks) = (UtcMillis::now(), log.endings());
        folder.write_outcome(&Outcome { ended, outcome, summary: summary.clone(), tasks })?;
        log.record(None, EventKind::RunEnded { outcome, summary: Box::new(summary) })?;
        last = Some(run);
    }
    store.flush();
    let seconds = began.elapsed().as_secs_f64();
    let index = RunIndex::open(root.path())?;
    let curves = index.curves(&last.context("at least one run")?)?;
    ensure!(curves[&task].len() as u32 == points, "not every point is there");
    Ok(seconds)
}

#[derive(Serialize)]
struct Request<'a> {
    folder: &'a Path,
    runs: u32,
    points: u32,
    batched: bool,
}

#[derive(Deserialize)]
struct Answer {
    seconds: f64,
    points: u32,
    version: String,
}

/// A point is a step of a run. Ours writes the eight values of an epoch with it, theirs one; theirs have fewer runs where they would take too
/// long, which flatters them: their stores stay small.
fn compare(folder: &Path) -> Result<()> {
    const POINTS: u32 = 1_000;
    let (mut mlflow, mut tensorboard) = (
        Peer::start_in(".bench-venv-mlflow", "store_mlflow.py")?,
        Peer::start_in(".venv", "store_tensorboard.py")?,
    );
    let ask = |peer: &mut Peer, runs: u32, batched: bool| -> Result<(f64, String)> {
        let answer: Answer = peer.ask(&Request { folder, runs, points: POINTS, batched })?;
        ensure!(answer.points == POINTS, "the peer has {} points", answer.points);
        Ok((answer.seconds / f64::from(runs * POINTS), answer.version))
    };
    let mut ours: Vec<f64> = Vec::new();
    let mut theirs: [Vec<f64>; 3] = Default::default();
    let mut versions = Vec::new();
    // In turn, so that all meet the same state of the machine.
    for _ in 0..ROUNDS {
        ours.push(record(folder, 1_000, POINTS)? / f64::from(1_000 * POINTS));
        let answers = [
            ask(&mut tensorboard, 1_000, false)?,
            ask(&mut mlflow, 50, true)?,
            ask(&mut mlflow, 1, false)?,
        ];
        for (times, (seconds, version)) in theirs.iter_mut().zip(answers) {
            times.push(seconds);
            versions.push(version);
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let ours = median(&mut ours);
    let rate = |seconds: f64| format!("{:.0} points/s", 1.0 / seconds);
    let (tensorboard, mlflow) = (&versions[0], &versions[1]);
    let peers = [
        format!("TensorBoard {tensorboard} (EventFileWriter)"),
        format!("MLflow {mlflow} (sqlite, log_batch)"),
        format!("MLflow {mlflow} (sqlite, log_metric)"),
    ];
    for (peer, mut times) in peers.iter().zip(theirs) {
        let theirs = median(&mut times);
        say(&format!(
            "recording {POINTS} points a run: walkforge {}, {peer} {}, ratio {:.2} (medians of {ROUNDS} rounds in turn)",
            rate(ours),
            rate(theirs),
            theirs / ours
        ));
    }
    Ok(())
}

/// One line for each goal, so that nobody has to compare numbers.
fn verdict(what: &str, took: Duration) {
    let verdict = if took <= GOAL { "met" } else { "NOT met" };
    say(&format!("goal {verdict}: {what} in {took:.1?}, at most {GOAL:.0?}"));
}

#[expect(clippy::print_stdout, reason = "the numbers are what the bench is for")]
fn say(line: &str) {
    println!("{line}");
}

fn main() -> Result<()> {
    let size = if is_measuring() {
        Size { runs: 10_000, tasks_per_run: 10, epochs_per_task: 100 }
    } else {
        Size { runs: 20, tasks_per_run: 2, epochs_per_task: 5 }
    };
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("runs");
    let began = Instant::now();
    fill(&root, &size)?;
    let epochs = size.runs * size.tasks_per_run * size.epochs_per_task;
    say(&format!("{} runs and {epochs} epochs made in {:.1?}", size.runs, began.elapsed()));
    let mut criterion = Criterion::default().configure_from_args();
    look(&mut criterion, &root, &size)?;
    if is_comparing() {
        compare(folder.path())?;
    } else {
        record(folder.path(), 2, 10)?;
    }
    criterion.final_summary();
    Ok(())
}
