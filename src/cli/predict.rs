use std::path::{Path, PathBuf};

use super::args::PredictArguments;
use super::interrupt::cancel_when_interrupted;
use super::{Exit, Printer};
use crate::domain::Cancel;
use crate::domain::text::{count, minute, significant};
use crate::export::{Bundle, ExportWhat, export_run};
use crate::runs::{RunIndex, RunStore, StoreError};
use crate::workbench::{PredictError, PredictOptions, Predictions, predict as predict_with};

/// Predictions shown of each series where they are written nowhere.
const SHOWN: usize = 5;

/// `walkforge predict`.
pub(super) fn predict(arguments: &PredictArguments, printer: &Printer) -> anyhow::Result<Exit> {
    if let Some(out) = &arguments.out {
        Predictions::check_file(out)?;
    }
    let cancel = cancel_when_interrupted()?;
    let predicted = match Model::find(arguments, &cancel) {
        Ok(model) => model.predict(arguments, &cancel),
        Err(error) => Err(error),
    };
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

/// What predicts: the folders of one model, of which there are several where each series has a scaler of its own.
struct Model {
    folders: Vec<PathBuf>,
    /// Holds them while they are needed, where they were made for this.
    _made: Option<tempfile::TempDir>,
}

impl Model {
    fn find(arguments: &PredictArguments, cancel: &Cancel) -> anyhow::Result<Self> {
        let folder = Path::new(&arguments.model);
        if folder.is_dir() {
            return Ok(Self { folders: vec![folder.to_owned()], _made: None });
        }
        let root = &arguments.place.runs;
        let model = match RunIndex::open(root)?.model(&arguments.model) {
            Err(StoreError::UnknownModel { name, .. }) => anyhow::bail!(
                "`{name}` is neither the folder of an exported model nor a named model in {}; \
                 see `walkforge models list --runs {}`, or export one with `walkforge export`",
                root.display(),
                root.display()
            ),
            found => found?,
        };
        let run = RunStore::find(root, model.run.as_str())?;
        let made = tempfile::tempdir()?;
        let folders = export_run(&run, &ExportWhat::Task(model.task), made.path(), cancel)?;
        Ok(Self { folders, _made: Some(made) })
    }

    fn predict(
        &self,
        arguments: &PredictArguments,
        cancel: &Cancel,
    ) -> anyhow::Result<Predictions> {
        let options = PredictOptions {
            symbols: arguments.symbols.clone(),
            timeframes: arguments.timeframes.clone(),
        };
        if let [folder] = self.folders.as_slice() {
            return Ok(predict_with(folder, &arguments.data, &options, cancel)?);
        }
        let mut all = Predictions::default();
        for folder in &self.folders {
            if is_asked_for(folder, &options)? {
                let own = PredictOptions::default();
                append(&mut all, predict_with(folder, &arguments.data, &own, cancel)?);
            }
        }
        anyhow::ensure!(
            !all.time.is_empty(),
            "the model has a scaler for each series it was trained on, and none for those asked for; \
             leave out --symbols and --timeframes to predict all of them"
        );
        Ok(all)
    }
}

fn is_asked_for(folder: &Path, options: &PredictOptions) -> Result<bool, PredictError> {
    let bundle = Bundle::open(folder)?;
    let Some(own) = &bundle.manifest().series else { return Ok(true) };
    let PredictOptions { symbols, timeframes } = options;
    Ok((symbols.is_empty() || symbols.contains(&own.symbol))
        && (timeframes.is_empty() || timeframes.contains(&own.timeframe)))
}

fn append(all: &mut Predictions, more: Predictions) {
    let Predictions { time, symbol, timeframe, prediction, warnings } = more;
    all.time.extend(time);
    all.symbol.extend(symbol);
    all.timeframe.extend(timeframe);
    all.prediction.extend(prediction);
    for warning in warnings {
        if !all.warnings.contains(&warning) {
            all.warnings.push(warning);
        }
    }
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
