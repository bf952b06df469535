use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::report::{Contrast, PredictorContrast};
use super::{LeakCheckError, not_cancelled};
use crate::dataset::{ResidentCache, Series, TaskCut};
use crate::domain::{
    Cancel, ContentHash, EpochRecord, FoldIndex, Pause, Progress, Stage, Symbol, Task, TaskId,
    Timeframe,
};
use crate::evaluation::rank_ic_ts;
use crate::spec::Precision;
use crate::torch::{MathGuard, MathMode, set_threads_of_this_thread};
use crate::training::{NoCheckpoints, Observer, Signals};
use crate::validation::Sections;
use crate::workbench::Prepared;
use crate::workbench::scoring::SymbolPredictions;
use crate::workbench::summary::cross_sections;
use crate::workbench::task::{TaskContext, TaskObserver, run_cut};

/// Parts of the shuffled cross-validation.
const SHUFFLED_FOLDS: u32 = 5;
/// One in so many of the rows that are not tested goes to early stopping.
const VALIDATION_SHARE: usize = 10;

const ACROSS: &str = "rank IC across symbols at each moment, averaged";
const OVER_TIME: &str = "rank IC over each symbol's test rows, averaged";

/// One training: which rows of which series.
struct Job<'a> {
    task: Task,
    series: &'a [Arc<Series>],
    cut: TaskCut,
    is_shuffled: bool,
}

/// Trains the experiment on its own folds and on shuffled ones, over the same rows, and scores both on the test rows of its own folds.
///
/// Shuffled K-fold is what many scripts do: rows are dealt out at random, so a test row's neighbours, whose labels overlap with its own, are
/// among the train rows.
pub(super) fn contrast(
    prepared: &Prepared,
    cancel: &Cancel,
    stage: &mut dyn FnMut(String),
) -> Result<Contrast, LeakCheckError> {
    let mut jobs: Vec<Job<'_>> = honest_jobs(prepared).collect();
    let honest = jobs.len();
    jobs.extend(shuffled_jobs(prepared));
    stage(format!("training {honest} honest and {} shuffled folds", jobs.len() - honest));
    let predictions = train_all(prepared, &jobs, cancel)?;
    let (mut fair, mut leaked) = (Vec::new(), Vec::new());
    for (job, parts) in jobs.iter().zip(predictions) {
        if job.is_shuffled { leaked.extend(parts) } else { fair.extend(parts) }
    }
    keep_rows_of(&mut leaked, &fair);
    let spec = &prepared.spec;
    let (metric, predictors) = compare(&fair, &leaked, spec.label.horizon());
    Ok(Contrast { metric, predictors, shuffled_folds: SHUFFLED_FOLDS })
}

fn honest_jobs(prepared: &Prepared) -> impl Iterator<Item = Job<'_>> {
    prepared.folds().map(|(task, series)| Job {
        task: task.clone(),
        series,
        cut: TaskCut::of(series, &task.fold, prepared.spec.label),
        is_shuffled: false,
    })
}

/// For each group of series that share a model.
fn shuffled_jobs(prepared: &Prepared) -> Vec<Job<'_>> {
    let tasks: Vec<(&Task, &Vec<Arc<Series>>)> = prepared.folds().collect();
    let same = |a: &[Arc<Series>], b: &[Arc<Series>]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
    };
    let mut jobs = Vec::new();
    for group in tasks.chunk_by(|a, b| same(a.1, b.1)) {
        let (first, series) = group[0];
        let start = group.iter().map(|(task, _)| task.fold.start()).min();
        let end = group.iter().map(|(task, _)| task.fold.end()).max();
        let (Some(start), Some(end)) = (start, end) else { continue };
        let mut rows: Vec<(usize, u32)> = Vec::new();
        for (part, series) in series.iter().enumerate() {
            let times = series.row_times();
            let usable = (0..times.decision.len()).filter(|&row| {
                let at = times.decision[row];
                start <= at && at < end && times.learnable[row] && times.scorable[row]
            });
            rows.extend(usable.map(|row| (part, row as u32)));
        }
        let seed = ContentHash::of_parts([b"shuffled".as_slice(), &first.seed.to_le_bytes()]);
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.to_u64()));
        for fold in 0..SHUFFLED_FOLDS {
            jobs.push(Job {
                task: Task {
                    id: TaskId::new(format!("{}-shuffled{fold}", first.id)),
                    fold: crate::domain::FoldPlan { index: FoldIndex(fold), ..first.fold.clone() },
                    seed: seed.to_u64().wrapping_add(u64::from(fold)),
                    ..first.clone()
                },
                series,
                cut: TaskCut::of_sections(
                    series,
                    dealt_out(&rows, fold as usize, series.len()),
                    prepared.spec.label,
                ),
                is_shuffled: true,
            });
        }
    }
    jobs
}

/// Every row by its place in the shuffled order: one part is tested, one row in [`VALIDATION_SHARE`] of the others validates.
fn dealt_out(rows: &[(usize, u32)], fold: usize, series: usize) -> Vec<Sections> {
    let mut sections = vec![Sections::default(); series];
    for (place, &(part, row)) in rows.iter().enumerate() {
        let section = &mut sections[part];
        let rows = match place % SHUFFLED_FOLDS as usize {
            tested if tested == fold => &mut section.test,
            _ if (place / SHUFFLED_FOLDS as usize).is_multiple_of(VALIDATION_SHARE) => {
                &mut section.validation
            }
            _ => &mut section.train,
        };
        rows.push(row);
    }
    for section in &mut sections {
        for rows in [&mut section.train, &mut section.validation, &mut section.test] {
            rows.sort_unstable();
        }
    }
    sections
}

/// Trains every job on as many threads as the plan has workers; predictions in the order of the jobs.
fn train_all(
    prepared: &Prepared,
    jobs: &[Job<'_>],
    cancel: &Cancel,
) -> Result<Vec<Vec<SymbolPredictions>>, LeakCheckError> {
    let next = Mutex::new(0..jobs.len());
    let done = Mutex::new(BTreeMap::new());
    let resident = ResidentCache::default();
    let tf32 = prepared.spec.training.precision == Precision::Tf32;
    let mode = MathMode { deterministic: false, tf32 };
    let _mode = MathGuard::acquire(mode, || !cancel.is_cancelled());
    let work = || {
        set_threads_of_this_thread(prepared.plan.threads_per_task);
        loop {
            let Some(index) = next.lock().next() else { break };
            let job = &jobs[index];
            let context = TaskContext {
                device: job.task.device,
                signals: Signals { cancel: cancel.clone(), pause: Pause::default() },
                checkpoints: &mut NoCheckpoints,
                resident: &resident,
                begin_with: None,
            };
            let parts = (job.series, &job.cut);
            let trained = run_cut(&job.task, &prepared.spec, parts, context, &mut Silent)
                .map(|output| output.by_symbol);
            let failed = trained.is_err();
            done.lock().insert(index, trained);
            if failed {
                // What the others would find no longer matters.
                *next.lock() = 0..0;
            }
        }
    };
    thread::scope(|scope| {
        for worker in 1..=prepared.plan.workers {
            let name = format!("walkforge-contrast-{worker}");
            if thread::Builder::new().name(name).spawn_scoped(scope, work).is_err() {
                break;
            }
        }
    });
    not_cancelled(cancel)?;
    Ok(done.into_inner().into_values().collect::<Result<Vec<_>, _>>()?)
}

/// Nobody watches.
struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _progress: Progress) {}

    fn epoch(&mut self, _record: EpochRecord) {}
}

impl TaskObserver for Silent {
    fn stage(&mut self, _stage: Stage) {}
}

/// Leaves of `predictions` the rows that `wanted` has too.
fn keep_rows_of(predictions: &mut [SymbolPredictions], wanted: &[SymbolPredictions]) {
    let mut rows: BTreeMap<(Timeframe, &Symbol), Vec<u32>> = BTreeMap::new();
    for part in wanted {
        rows.entry(key(part)).or_default().extend(&part.rows);
    }
    for rows in rows.values_mut() {
        rows.sort_unstable();
    }
    for part in predictions {
        let wanted = rows.get(&key(part)).map_or(&[][..], Vec::as_slice);
        let kept: Vec<bool> =
            part.rows.iter().map(|row| wanted.binary_search(row).is_ok()).collect();
        let filter = |values: &mut Vec<f64>| {
            let mut kept = kept.iter();
            values.retain(|_| kept.next().is_some_and(|kept| *kept));
        };
        filter(&mut part.model);
        filter(&mut part.ridge);
        let mut kept = kept.iter();
        part.rows.retain(|_| kept.next().is_some_and(|kept| *kept));
    }
}

fn key(part: &SymbolPredictions) -> (Timeframe, &Symbol) {
    (part.series.timeframe(), part.series.symbol())
}

/// Scores model and ridge on honest and on shuffled folds, at each timeframe: across symbols where there are enough, else over time.
fn compare(
    honest: &[SymbolPredictions],
    shuffled: &[SymbolPredictions],
    label_bars: u32,
) -> (&'static str, Vec<PredictorContrast>) {
    let mut timeframes: Vec<Timeframe> =
        honest.iter().map(|part| part.series.timeframe()).collect();
    timeframes.sort_unstable();
    timeframes.dedup();
    let of = |parts: &[SymbolPredictions], timeframe: Timeframe| -> Vec<SymbolPredictions> {
        parts.iter().filter(|part| part.series.timeframe() == timeframe).cloned().collect()
    };
    let mut across = Vec::new();
    let mut over_time = Vec::new();
    for timeframe in timeframes {
        let (honest, shuffled) = (of(honest, timeframe), of(shuffled, timeframe));
        let fair = cross_sections(&honest, timeframe, label_bars);
        let leaked = cross_sections(&shuffled, timeframe, label_bars);
        for fair in fair.iter().filter(|section| section.predictor != "last_return") {
            let leaked = leaked.iter().find(|leaked| leaked.predictor == fair.predictor);
            across.push(PredictorContrast {
                name: fair.predictor.clone(),
                timeframe,
                honest: Some(fair.rank_ic_cs),
                honest_t: fair.rank_ic_t,
                shuffled: leaked.map(|leaked| leaked.rank_ic_cs),
            });
        }
        let predictors: [(&str, ValuesOf); 2] =
            [("model", |part| &part.model), ("ridge", |part| &part.ridge)];
        over_time.extend(predictors.map(|(name, values)| PredictorContrast {
            name: name.to_owned(),
            timeframe,
            honest: mean_rank_ic(&honest, values),
            honest_t: None,
            shuffled: mean_rank_ic(&shuffled, values),
        }));
    }
    if across.is_empty() { (OVER_TIME, over_time) } else { (ACROSS, across) }
}

/// What a predictor said at each row of a part.
type ValuesOf = fn(&SymbolPredictions) -> &[f64];

/// Mean over symbols of the rank correlation of prediction and outcome over time.
fn mean_rank_ic(parts: &[SymbolPredictions], values: ValuesOf) -> Option<f64> {
    let mut by_symbol: BTreeMap<&Symbol, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for part in parts {
        let (predictions, outcomes) = by_symbol.entry(part.series.symbol()).or_default();
        predictions.extend(values(part));
        outcomes.extend(part.rows.iter().map(|row| part.series.labels().outcome[*row as usize]));
    }
    let found: Vec<f64> =
        by_symbol.values().filter_map(|(values, outcomes)| rank_ic_ts(values, outcomes)).collect();
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}
