//! A whole walk-forward of 16 folds on two cores: ours through the workbench, from the bars to results on disk, with two workers of one thread
//! each; Lightning fold by fold with as many threads as it takes by itself (`peers/walk_forward.py`), from finished features to predictions.

mod peers;
mod task;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use walkforge::dataset::TaskData;
use walkforge::domain::{Cancel, RunOutcome};
use walkforge::spec::ExperimentSpec;
use walkforge::workbench::{Command, Update, Workbench, plan};

use peers::{Peer, is_comparing, is_measuring};
use task::{Work, spec_of, work_of};

const FOLDS: usize = 16;
/// Times each side is measured, in turn.
const ROUNDS: usize = 3;

/// Name, preset, its model, and epochs of each fold.
const CASES: [(&str, &str, &str, u32); 2] = [
    ("LSTM", "lstm-direction", r#"{"Lstm":{"hidden":64,"layers":1,"dropout":0.1}}"#, 3),
    (
        "small MLP",
        "mlp-return",
        r#"{"Mlp":{"hidden":[32,16],"activation":"Relu","dropout":0.1}}"#,
        10,
    ),
];

#[derive(Serialize)]
struct Request {
    #[serde(flatten)]
    work: Work,
    folds: usize,
    test_rows: u64,
}

#[derive(Deserialize)]
struct Answer {
    steps: u64,
    seconds: f64,
    threads: u32,
}

fn experiment(preset: &str, model: &str, epochs: u32) -> Result<ExperimentSpec> {
    let (train, test) = if is_measuring() { (1500, 200) } else { (200, 30) };
    // The longest lookback and the window come before the first train row.
    let bars = 200 + train + 2 * test + FOLDS as u32 * test;
    spec_of(
        preset,
        &[
            format!("model={model}"),
            format!("data.source.bars={bars}"),
            format!("validation.train={train}"),
            format!("validation.validation={test}"),
            format!("validation.test={test}"),
            format!("validation.max_folds={FOLDS}"),
            format!("training.max_epochs={epochs}"),
            "resources.workers=2".to_owned(),
        ],
    )
}

/// Seconds from the command to a run that is whole on disk.
fn run(spec: &ExperimentSpec) -> Result<f64> {
    let runs = tempfile::tempdir()?;
    let workbench = Workbench::open(runs.path(), || {})?;
    let began = Instant::now();
    workbench.send(Command::Start(Box::new(spec.clone())));
    loop {
        for update in workbench.wait(Duration::from_millis(100)) {
            match update {
                Update::RunDone { outcome, .. } => {
                    ensure!(outcome == RunOutcome::Finished, "the run ended as {outcome:?}");
                    return Ok(began.elapsed().as_secs_f64());
                }
                Update::StartFailed { message, .. } | Update::RunBroken { message, .. } => {
                    bail!(message)
                }
                _ => {}
            }
        }
    }
}

/// The same work for the peer, fold by fold of the size that the first of ours has.
fn request(spec: &ExperimentSpec, epochs: u32) -> Result<Request> {
    let prepared = plan(spec, &Cancel::new())?;
    ensure!(prepared.plan.tasks.len() == FOLDS, "{} folds fit", prepared.plan.tasks.len());
    let task = prepared.plan.tasks.first().context("there are folds")?;
    let data = TaskData::build(&prepared.series[0], &task.fold, spec, task.device)?;
    let (features, rows) = (data.scaler().mean().len(), data.rows());
    let work = work_of(spec, features, (rows.train, rows.validation), epochs);
    Ok(Request { work, folds: FOLDS, test_rows: rows.test })
}

#[expect(clippy::print_stdout, reason = "the ratio is what the bench is for")]
fn compare(name: &str, spec: &ExperimentSpec, epochs: u32) -> Result<()> {
    let mut lightning = Peer::start_unlimited("walk_forward.py")?;
    let request = request(spec, epochs)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut answer: Answer = lightning.ask(&request)?;
    for _ in 0..ROUNDS {
        ours.push(run(spec)?);
        answer = lightning.ask(&request)?;
        theirs.push(answer.seconds);
    }
    let middle = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    };
    let (ours, theirs) = (middle(&mut ours), middle(&mut theirs));
    println!(
        "walk-forward of {FOLDS} {name} folds ({} steps): walkforge {ours:.2} s with 2 workers, Lightning {theirs:.2} s with {} threads, ratio {:.2} (medians of {ROUNDS} rounds in turn)",
        answer.steps,
        answer.threads,
        theirs / ours
    );
    Ok(())
}

fn main() -> Result<()> {
    for (name, preset, model, epochs) in CASES {
        let spec = experiment(preset, model, if is_measuring() { epochs } else { 1 })?;
        if is_comparing() {
            compare(name, &spec, epochs)?;
        } else {
            run(&spec)?;
        }
    }
    Ok(())
}
