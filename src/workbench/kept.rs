//! Tasks that need not be trained, because they were.

use std::path::Path;
use std::sync::Arc;

use super::refit;
use super::scoring::{ScoringError, SymbolPredictions, fit_ridge};
use super::task::{TaskError, score_symbols};
use crate::dataset::{DatasetError, ResidentCache, Series, TaskCut, TaskData};
use crate::domain::{Device, StoredTask, Task, TaskReport, TaskRole};
use crate::runs::{
    PredictionRows, RunFolder, RunStore, StoreError, TaskMetadata, read_predictions,
    write_atomically,
};
use crate::spec::ExperimentSpec;

/// The files of a finished task, but for the one that says that it is whole.
const FILES: [&str; 3] = ["weights.safetensors", "history.parquet", "predictions.parquet"];

/// Takes over a task that this run, or another one, has finished: its files are in this run's folder when this returns. Gives the predictions and
/// the baselines beside them as training would have, and the report.
pub(super) fn take(
    task: &Task,
    spec: &ExperimentSpec,
    series: &[Arc<Series>],
    (folder, store, from): (&RunFolder, &Path, Option<&StoredTask>),
    resident: &ResidentCache,
) -> Result<(Vec<SymbolPredictions>, TaskReport), TaskError> {
    let own = folder.whole(task)?;
    match (own, from) {
        (Some(metadata), _) => {
            folder.check_weights(task, &metadata)?;
            is_of_these_folds(task, spec, folder, &metadata)?;
            let predictions = predictions(task, spec, (series, resident), folder)?;
            Ok((predictions, metadata.report))
        }
        (None, Some(from)) => {
            let theirs = copy(task, folder, &RunStore::find(store, from.run.as_str())?, from)?;
            folder.check_weights(task, &theirs)?;
            is_of_these_folds(task, spec, folder, &theirs)?;
            let predictions = predictions(task, spec, (series, resident), folder)?;
            // Costs are not in the key: what a trade costs changes no weight, but every backtest.
            let (model, baselines) = score_symbols(&predictions, spec)?;
            let report = TaskReport { model, baselines, ..theirs.report };
            // Last: it marks the task as whole.
            let (task, report_too) = (task.clone(), report.clone());
            folder.write_metadata(&TaskMetadata { task, report: report_too, ..theirs })?;
            Ok((predictions, report))
        }
        (None, None) => {
            let path = folder.task(&task.id);
            Err(StoreError::damaged(&path, &"its files are not all those of the planned task")
                .into())
        }
    }
}

/// A refit trains for as long as its folds needed; where some of them had not finished then, it trained for another while.
fn is_of_these_folds(
    task: &Task,
    spec: &ExperimentSpec,
    folder: &RunFolder,
    metadata: &TaskMetadata,
) -> Result<(), StoreError> {
    let is_limited = spec.training.max_steps.is_some() || spec.training.max_minutes.is_some();
    if task.role == TaskRole::Fold || is_limited {
        return Ok(());
    }
    let epochs = refit::spec(task, spec, folder)?.training.max_epochs;
    if metadata.report.epochs == epochs {
        return Ok(());
    }
    let path = folder.task(&task.id);
    let found =
        format!("it trained for {} epochs, and its folds say {epochs}", metadata.report.epochs);
    Err(StoreError::damaged(&path, &found))
}

fn predictions(
    task: &Task,
    spec: &ExperimentSpec,
    on: (&[Arc<Series>], &ResidentCache),
    folder: &RunFolder,
) -> Result<Vec<SymbolPredictions>, TaskError> {
    if task.role == TaskRole::Refit {
        return Ok(Vec::new());
    }
    let path = folder.task(&task.id).join("predictions.parquet");
    let rows = read_predictions(&path)?;
    let parts = by_symbol(task, spec, on, &rows)?;
    Ok(parts.ok_or_else(|| StoreError::damaged(&path, &"its rows are not those of the fold"))?)
}

/// Copies another run's task into this one's folder, all but its metadata, which it gives.
fn copy(
    task: &Task,
    folder: &RunFolder,
    other: &RunFolder,
    from: &StoredTask,
) -> Result<TaskMetadata, StoreError> {
    let theirs = other.task(&from.task);
    let metadata = other
        .metadata(&from.task)?
        .filter(|metadata| metadata.task.key == task.key)
        .ok_or_else(|| StoreError::damaged(&theirs, &"it is not the task it is said to be"))?;
    let ours = folder.create_task(&task.id)?;
    for name in FILES {
        let source = theirs.join(name);
        if !source.exists() && task.role == TaskRole::Refit {
            continue;
        }
        let mut file =
            std::fs::File::open(&source).map_err(|error| StoreError::read(&source, &error))?;
        write_atomically(&ours.join(name), |copy| {
            std::io::copy(&mut file, copy)?;
            Ok(())
        })?;
    }
    Ok(metadata)
}

/// What the file says the model predicted, beside what the rest of the task's test rows hold; `None` where the file's rows are others.
fn by_symbol(
    task: &Task,
    spec: &ExperimentSpec,
    (series, resident): (&[Arc<Series>], &ResidentCache),
    stored: &PredictionRows,
) -> Result<Option<Vec<SymbolPredictions>>, TaskError> {
    let cut = TaskCut::of(series, &task.fold, spec.label);
    // Nothing of it is computed with but the baseline, which is computed here wherever the model was.
    let resident = resident.get(series, Device::Cpu).map_err(DatasetError::from)?;
    let data = TaskData::build_from(series, &cut, spec, resident)?;
    let ridge = fit_ridge(&data, spec.label).map_err(ScoringError::from)?;
    let mut first = 0;
    let mut parts = Vec::new();
    for test in data.test().iter().filter(|test| !test.rows.is_empty()) {
        let stretch = first..first + test.rows.len();
        let is_its = stretch.end <= stored.time.len()
            && stretch.clone().zip(&test.rows).all(|(place, &row)| {
                stored.time[place] == test.series.decision()[row as usize]
                    && stored.symbol[place] == *test.series.symbol()
                    && stored.timeframe[place] == test.series.timeframe()
            });
        if !is_its {
            return Ok(None);
        }
        first = stretch.end;
        let latest = data.latest(test.resident());
        let are_its = latest.labels.iter().zip(&stored.label[stretch.clone()]);
        // The same moments of other data have other labels.
        if !are_its.into_iter().all(|(now, then)| (*now as f32).to_bits() == then.to_bits()) {
            return Ok(None);
        }
        parts.push(SymbolPredictions {
            series: Arc::clone(&test.series),
            fold: task.fold.index,
            rows: test.rows.clone(),
            labels: latest.labels,
            model: stored.prediction[stretch].to_vec(),
            neutral: spec.label.neutral(),
            ridge: ridge.predict(&latest.features).map_err(ScoringError::from)?,
        });
    }
    Ok((first == stored.time.len()).then_some(parts))
}
