use std::sync::Arc;

use super::planner::{symbols_of, timeframe_text, timeframes_of};
use super::resolve::Resolved;
use crate::dataset::{Resident, Series};
use crate::domain::{
    Bytes, ContentHash, Device, Embargo, FoldGap, FoldIndex, FoldPlan, Task, TaskId, TaskRole,
    TaskRows, TimeSpan, Timeframe, UtcMillis,
};
use crate::models::{InputShape, estimate_memory, parameter_count};
use crate::spec::{ExperimentSpec, TrainingSpec};
use crate::training::EVALUATION_BATCH;

/// A fold of a group of series.
pub(super) struct Part<'a> {
    pub(super) group: &'a [Arc<Series>],
    pub(super) fold: FoldPlan,
    /// How many rows its sections have.
    pub(super) rows: TaskRows,
    /// What is left out beside them.
    pub(super) gaps: Vec<FoldGap>,
}

pub(super) fn rows_of(group: &[Arc<Series>]) -> u64 {
    group.iter().map(|series| series.matrix().rows() as u64).sum()
}

/// Every fold as a task, group by group, each group's refit after its folds.
pub(super) fn tasks_of(resolved: &Resolved, parts: &[Part<'_>]) -> Vec<(Task, Vec<Arc<Series>>)> {
    let (spec, device) = (&resolved.spec, resolved.chosen.device);
    let mut tasks = Vec::new();
    for folds in parts.chunk_by(|a, b| std::ptr::eq(a.group, b.group)) {
        let group = folds[0].group;
        let mut of_group: Vec<Task> = Vec::new();
        for Part { fold, rows, gaps, .. } in folds {
            let mut task = task(spec, group, (fold.clone(), *rows), device);
            task.gaps.clone_from(gaps);
            if let Some(before) = of_group.last().filter(|_| spec.training.warm_start) {
                // What it begins with decides what it becomes.
                task.key = ContentHash::of_parts([
                    json(&task.key).as_slice(),
                    json(&before.key).as_slice(),
                ]);
                task.after = vec![before.id.clone()];
            }
            of_group.push(task);
        }
        if spec.training.refit {
            of_group.push(refit(spec, group, &of_group, device));
        }
        tasks.extend(of_group.into_iter().map(|task| (task, group.to_vec())));
    }
    tasks
}

/// The task that trains on every row of a group once its folds have ended.
fn refit(spec: &ExperimentSpec, group: &[Arc<Series>], folds: &[Task], device: Device) -> Task {
    let decisions = || group.iter().flat_map(|series| series.decision());
    let start = decisions().min().copied().unwrap_or(UtcMillis(0));
    // A section begins at its start and ends before its end.
    let end = decisions().max().map_or(start, |last| UtcMillis(last.0 + 1));
    let nothing = TimeSpan { start: end, end };
    let fold = FoldPlan {
        index: FoldIndex(folds.last().map_or(0, |last| last.fold.index.0 + 1)),
        train: vec![TimeSpan { start, end }],
        validation: nothing,
        test: nothing,
        embargo: Embargo::default(),
    };
    let rows = TaskRows { train: rows_of(group), ..TaskRows::default() };
    let mut task = task(spec, group, (fold, rows), device);
    let name = task.id.as_str().rsplit_once("-fold").map_or("", |(name, _)| name);
    task.id = TaskId::new(format!("{name}-refit"));
    task.role = TaskRole::Refit;
    task.after = folds.iter().map(|fold| fold.id.clone()).collect();
    // The folds say for how many epochs.
    let keys: Vec<ContentHash> = folds.iter().map(|fold| fold.key).collect();
    task.key = ContentHash::of_parts([json(&task.key).as_slice(), json(&keys).as_slice()]);
    task
}

fn task(
    spec: &ExperimentSpec,
    group: &[Arc<Series>],
    (fold, sections): (FoldPlan, TaskRows),
    device: Device,
) -> Task {
    let input = InputShape { window: spec.window, features: group[0].matrix().cols() as u32 };
    let symbols = symbols_of(group);
    let timeframe = timeframe_text(group);
    let name = match group {
        [only] => only.symbol().to_string(),
        _ => format!("pooled{}", symbols.len()),
    };
    let rows = rows_of(group);
    let seed = task_seed(spec, group, &fold);
    Task {
        id: TaskId::new(format!("{name}-{timeframe}-fold{:02}", fold.index.0)),
        key: task_key(spec, group, &fold, seed, device),
        symbols,
        timeframes: timeframes_of(group),
        fold,
        gaps: Vec::new(),
        seed,
        device,
        resident: Resident::bytes_of(rows, input.features),
        role: TaskRole::Fold,
        after: Vec::new(),
        train_rows: sections.train,
        shape: Some(shape(spec, input)),
        disk: disk(parameter_count(&spec.model, input, spec.label.outputs()), sections),
        expected_ms: None,
        reuse: None,
        parameters: parameter_count(&spec.model, input, spec.label.outputs()),
        memory: estimate_memory(
            &spec.model,
            (input, spec.label.outputs()),
            rows,
            at_most(spec.training.batch_size, sections.train),
            at_most(EVALUATION_BATCH, sections.validation.max(sections.test)),
        ),
    }
}

/// Model, predictions and history, and while it trains two checkpoints: each with weights, the best weights and an optimizer's two moments.
fn disk(parameters: u64, sections: TaskRows) -> Bytes {
    const PREDICTION: u64 = 48;
    const REST: u64 = 32 << 10;
    Bytes(4 * parameters * (1 + 2 * 4) + PREDICTION * sections.test + REST)
}

/// See [`Task::shape`].
fn shape(spec: &ExperimentSpec, input: InputShape) -> ContentHash {
    let training = &spec.training;
    ContentHash::of(&json(&(
        &spec.model,
        (input.window, input.features, spec.label.outputs()),
        (training.batch_size, training.accumulate_grad_batches, training.precision.name()),
        (&training.optimizer, spec.resources.threads_per_task),
    )))
}

/// No batch is larger than the section it is of.
fn at_most(batch: u32, rows: u64) -> u32 {
    u32::try_from(rows).map_or(batch, |rows| batch.min(rows))
}

/// What the task *is* — symbols, timeframe, the fold's sections — never where it stands in the queue. The test section's end is left out:
/// that of the last fold moves when new bars arrive, so its seed would change without need.
fn identity(group: &[Arc<Series>], fold: &FoldPlan) -> Vec<u8> {
    let mut identity = series_of(group);
    identity.extend(match fold.train.as_slice() {
        [only] => json(&(only, fold.validation, fold.test.start)),
        several => json(&(several, fold.validation, fold.test.start)),
    });
    identity
}

/// Which series there are: the symbols, and their timeframe, or that of each where there are several.
fn series_of(group: &[Arc<Series>]) -> Vec<u8> {
    let symbols: Vec<&str> = group.iter().map(|series| series.symbol().as_str()).collect();
    if let [only] = timeframes_of(group).as_slice() {
        return json(&(symbols, only));
    }
    let timeframes: Vec<Timeframe> = group.iter().map(|series| series.timeframe()).collect();
    json(&(symbols, timeframes))
}

fn task_seed(spec: &ExperimentSpec, group: &[Arc<Series>], fold: &FoldPlan) -> u64 {
    let identity = identity(group, fold);
    ContentHash::of_parts([spec.seed.to_le_bytes().as_slice(), &identity]).to_u64()
}

/// Hash of everything that decides the task's weights and predictions: see invariant 8 in `ARCHITECTURE.md`. Costs are not in it: a backtest
/// is repeated in a moment.
fn task_key(
    spec: &ExperimentSpec,
    group: &[Arc<Series>],
    fold: &FoldPlan,
    seed: u64,
    device: Device,
) -> ContentHash {
    // Whether there is a refit after the folds says nothing of a fold.
    let training = TrainingSpec { refit: false, ..spec.training.clone() };
    let fold = json(fold);
    let data: Vec<ContentHash> = group.iter().map(|series| series.made_of()).collect();
    let learning = json(&(
        &spec.features,
        spec.window,
        (&spec.label, spec.weights, spec.scaling),
        &spec.model,
        &training,
    ));
    let machine = json(&(
        spec.resources.threads_per_task,
        device.class(),
        spec.training.precision.name(),
        (env!("CARGO_PKG_VERSION"), env!("WALKFORGE_ENGINE")),
        crate::torch::libtorch_version(),
    ));
    let seed = seed.to_le_bytes();
    ContentHash::of_parts([
        &json(&data),
        &series_of(group),
        &fold,
        &learning,
        &machine,
        seed.as_slice(),
    ])
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data with string keys serialises")
}
