use std::path::Path;

use super::args::PredictArguments;
use super::interrupt::cancel_when_interrupted;
use super::{Exit, Printer};
use crate::domain::UtcMillis;
use crate::domain::text::{count, minute, significant};
use crate::export::{Bundle, FILES, models_of};
use crate::runs::{ModelStage, RunIndex, RunStore, StoreError};
use crate::workbench::{PredictOptions, Predictions, predict as predict_with};

/// Predictions shown of each series where they are written nowhere.
const SHOWN: usize = 5;

/// `walkforge predict`.
pub(super) fn predict(arguments: &PredictArguments, printer: &Printer) -> anyhow::Result<Exit> {
    if let Some(out) = &arguments.out {
        Predictions::check_file(out)?;
    }
    let cancel = cancel_when_interrupted()?;
    let options = PredictOptions {
        symbols: arguments.symbols.clone(),
        timeframes: arguments.timeframes.clone(),
    };
    let predicted = models(arguments, printer).and_then(|models| {
        Ok(predict_with(&models, &arguments.data, &options, UtcMillis::now(), &cancel)?)
    });
    // Whatever it was doing, somebody asked it to stop.
    if predicted.is_err() && cancel.is_cancelled() {
        return Ok(Exit::Cancelled);
    }
    let predictions = predicted?;
    for warning in &predictions.warnings {
        printer.warning(warning);
    }
    let total = count(predictions.time.len() as u64);
    if let Some(out) = &arguments.out {
        predictions.write(out)?;
        printer.line(&format!("{}: {total} predictions", out.display()));
        return Ok(Exit::Done);
    }
    print_last(&predictions, printer);
    printer.note(&format!("The last of {total} predictions; --out FILE writes all of them."));
    Ok(Exit::Done)
}

/// What predicts: one model, or several of one task where each series has a scaler of its own.
fn models(arguments: &PredictArguments, printer: &Printer) -> anyhow::Result<Vec<Bundle>> {
    let path = Path::new(&arguments.model);
    if path.is_dir() || (path.is_file() && is_of_a_bundle(path)) {
        return Ok(vec![Bundle::open(path)?]);
    }
    let root = &arguments.place.runs;
    let model = match RunIndex::open(root)?.model(&arguments.model) {
        Err(StoreError::UnknownModel { name, .. }) => anyhow::bail!(
            "`{name}` is neither the folder of an exported model nor a named model in {}; \
             see `walkforge models list{}`, or export one with `walkforge export`",
            root.display(),
            super::drive::place(root)
        ),
        found => found?,
    };
    if model.stage == ModelStage::Archived {
        printer.warning(&format!("{model} is archived"));
    }
    let run = RunStore::find(root, model.run.as_str())?;
    Ok(models_of(&run, &model.task)?)
}

fn is_of_a_bundle(file: &Path) -> bool {
    file.file_name().is_some_and(|name| FILES.all().iter().any(|file| name == *file))
}

fn print_last(predictions: &Predictions, printer: &Printer) {
    let series: Vec<_> = predictions.symbol.iter().zip(&predictions.timeframe).collect();
    let mut rows = Vec::new();
    let mut end = 0;
    for same in series.chunk_by(|a, b| a == b) {
        end += same.len();
        for place in end - same.len().min(SHOWN)..end {
            rows.push(vec![
                minute(predictions.time[place]),
                predictions.symbol[place].to_string(),
                predictions.timeframe[place].to_string(),
                significant(Some(predictions.prediction[place])),
            ]);
        }
    }
    printer.table(&["decided (UTC)", "symbol", "timeframe", "prediction"], 3, &rows);
}
