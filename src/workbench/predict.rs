use std::path::Path;
use std::sync::Arc;

use super::PlanError;
use super::feature_rows::{feature_rows, repeated};
use super::load::Sources;
use super::table_file::{Column, TableFormat, UnknownTableFormat, write_table};
use crate::dataset::PrepareError;
use crate::domain::{Cancel, Symbol, Timeframe, UtcMillis};
use crate::export::{Bundle, BundleError, ExportManifest};
use crate::runs::StoreError;
use crate::spec::{DataSource, ExperimentSpec};

/// What to predict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PredictOptions {
    /// The symbols; empty for those the model was trained on.
    pub symbols: Vec<Symbol>,
    /// The bar lengths; empty for those the model was trained on.
    pub timeframes: Vec<Timeframe>,
}

/// What a model says about bars, one entry per bar with a whole window, by timeframe and symbol, in time order within each series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Predictions {
    /// When the bar closed: the moment of the decision.
    pub time: Vec<UtcMillis>,
    /// Of which instrument.
    pub symbol: Vec<Symbol>,
    /// At which bar length.
    pub timeframe: Vec<Timeframe>,
    /// What the model says, in its own unit.
    pub prediction: Vec<f64>,
    /// What was passed over, in words.
    pub warnings: Vec<String>,
}

/// Why there are no predictions.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// The model cannot be used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The data cannot be read or the features not computed.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The model is bound to one series.
    #[error(
        "the model is for {own} alone: its scaler is that series' own; for {asked} use the bundle of that series from the same export"
    )]
    OtherSeries {
        /// What it is for.
        own: String,
        /// What was asked for.
        asked: String,
    },
    /// There is no bar to predict.
    #[error(
        "{symbol} {timeframe}: has no bar from {from} on, where the model's own data begin; give a folder with later bars"
    )]
    NoBars {
        /// The instrument.
        symbol: Symbol,
        /// The bar length.
        timeframe: Timeframe,
        /// The experiment's `data.from`.
        from: UtcMillis,
    },
    /// No row has a whole window.
    #[error(
        "no bar of {series} has a whole window of {window} bars after the features' warm-up of {warm_up}; give more bars"
    )]
    NoWindow {
        /// Symbols and timeframes.
        series: String,
        /// Bars in a window.
        window: u32,
        /// Bars before the first feature row.
        warm_up: usize,
    },
    /// The file's ending names no format.
    #[error(transparent)]
    Format(#[from] UnknownTableFormat),
    /// The file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PredictError {
    /// Whether it ended because somebody asked.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Plan(PlanError::Cancelled) | Self::Bundle(BundleError::Cancelled))
    }
}

/// Predicts every bar of a folder of raw bars that has a whole window, up to the very last one, on the CPU of the calling thread.
///
/// Features are computed as for training: from the experiment's `data.from` on, by its policies about odd rows, and beside the symbols that it
/// compares. Its `data.until` is no limit: newer bars are what a model is for. On the bars it was tested on it says what it said then.
///
/// # Errors
/// [`PredictError`], naming the file or series and the next step.
pub fn predict(
    bundle: &Path,
    data: &Path,
    options: &PredictOptions,
    cancel: &Cancel,
) -> Result<Predictions, PredictError> {
    let bundle = Bundle::open(bundle)?;
    let manifest = bundle.manifest();
    let wanted = Wanted::of(manifest, options)?;
    let mut predictions = Predictions::default();
    let (mut asked, mut warm_up) = (Vec::new(), 0);
    for &timeframe in &wanted.timeframes {
        let mut spec = manifest.experiment_on(&wanted.symbols, &[timeframe]);
        spec.data.source = DataSource::Folder(data.to_owned());
        let sources = Sources::find(&spec)?;
        if predictions.warnings.is_empty() {
            predictions.warnings.clone_from(&sources.warnings);
        }
        let (bars, _origins) = sources.bars(&spec, cancel)?;
        let rows = feature_rows(&bars, &spec, cancel).map_err(|error| no_bars(error, &spec))?;
        for rows in rows.iter().filter(|rows| wanted.symbols.contains(&rows.symbol)) {
            asked.push(format!("{} {timeframe}", rows.symbol));
            warm_up = warm_up.max(rows.matrix.warm_up());
            let whole = rows.whole();
            predictions.prediction.extend(bundle.predict(&rows.matrix, &whole, cancel)?);
            predictions.time.extend(whole.iter().map(|row| rows.decision[*row]));
            predictions.symbol.extend(whole.iter().map(|_| rows.symbol.clone()));
            predictions.timeframe.extend(whole.iter().map(|_| timeframe));
        }
    }
    if predictions.time.is_empty() {
        let (series, window) = (asked.join(", "), manifest.window);
        return Err(PredictError::NoWindow { series, window, warm_up });
    }
    Ok(predictions)
}

impl Predictions {
    /// Writes `time` (UTC), `symbol`, `timeframe` and `prediction`, by the file's ending as Parquet or CSV.
    ///
    /// # Errors
    /// [`PredictError::Format`] or [`PredictError::Store`] naming the file; see also [`Self::check_file`].
    pub fn write(&self, to: &Path) -> Result<(), PredictError> {
        let format = TableFormat::of(to)?;
        let timeframes = self.timeframe.chunk_by(|a, b| a == b);
        let timeframes = timeframes.flat_map(|part| repeated(&part[0].to_string(), part.len()));
        let columns = [
            ("time", Column::Time(self.time.clone())),
            ("symbol", Column::Text(self.symbol.iter().map(|s| Arc::from(s.as_str())).collect())),
            ("timeframe", Column::Text(timeframes.collect())),
            ("prediction", Column::Float64(self.prediction.clone())),
        ];
        Ok(write_table(to, format, &columns)?)
    }

    /// Whether [`Self::write`] knows what to write there: to be asked before minutes of predicting.
    ///
    /// # Errors
    /// [`PredictError::Format`].
    pub fn check_file(to: &Path) -> Result<(), PredictError> {
        TableFormat::of(to)?;
        Ok(())
    }
}

/// The series to predict.
struct Wanted {
    symbols: Vec<Symbol>,
    /// The shortest first.
    timeframes: Vec<Timeframe>,
}

impl Wanted {
    fn of(manifest: &ExportManifest, options: &PredictOptions) -> Result<Self, PredictError> {
        let (symbols, timeframes) = manifest.own_series();
        let given =
            |asked: &[Symbol]| if asked.is_empty() { symbols.clone() } else { asked.to_vec() };
        let asked_symbols = given(&options.symbols);
        let mut asked_timeframes = if options.timeframes.is_empty() {
            timeframes.clone()
        } else {
            options.timeframes.clone()
        };
        if let Some(own) = &manifest.series
            && (asked_symbols != symbols || asked_timeframes != timeframes)
        {
            let own = format!("{} {}", own.symbol, own.timeframe);
            let asked = format!("{} {}", list(&asked_symbols), list(&asked_timeframes));
            return Err(PredictError::OtherSeries { own, asked });
        }
        asked_timeframes.sort_unstable();
        asked_timeframes.dedup();
        Ok(Self { symbols: asked_symbols, timeframes: asked_timeframes })
    }
}

fn list(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// An empty series is so because of the experiment's `data.from`, which whoever predicts has not chosen.
fn no_bars(error: PlanError, spec: &ExperimentSpec) -> PredictError {
    match (error, spec.data.from) {
        (PlanError::Prepare(PrepareError::Empty { symbol, timeframe }), Some(from)) => {
            PredictError::NoBars { symbol, timeframe, from }
        }
        (error, _) => error.into(),
    }
}
