use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::PlanError;
use super::feature_rows::{feature_rows, repeated};
use super::load::Sources;
use super::table_file::{Column, TableFormat, UnknownTableFormat, write_table};
use crate::dataset::PrepareError;
use crate::domain::{Cancel, Symbol, Timeframe, UtcMillis};
use crate::export::{Bundle, BundleError};
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
        "the model is for {own} alone, because it scales each series by what that series was like; for {asked} use the bundle of that series from the same export, where it was trained on it"
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

/// Predicts every bar of a folder of raw bars that has closed by `now` and has a whole window, up to the very last one, on the CPU of the calling
/// thread. The models are one, or those of one task whose series have a scaler and so a model each.
///
/// Features are computed as for training: from the experiment's `data.from` on, by its policies about odd rows, and beside the symbols that it
/// compares. Its `data.until` is no limit: newer bars are what a model is for. On the bars it was tested on it says what it said then.
///
/// # Errors
/// [`PredictError`], naming the file or series and the next step.
///
/// # Panics
/// Where there is no model.
pub fn predict(
    models: &[Bundle],
    data: &Path,
    options: &PredictOptions,
    now: UtcMillis,
    cancel: &Cancel,
) -> Result<Predictions, PredictError> {
    let manifest = models.first().expect("somebody who predicts has a model").manifest();
    let wanted = Wanted::of(models, options)?;
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
        let rows =
            feature_rows(&bars, &spec, now, cancel).map_err(|error| no_bars(error, &spec))?;
        for rows in rows.iter().filter(|rows| wanted.symbols.contains(&rows.symbol)) {
            asked.push(format!("{} {timeframe}", rows.symbol));
            warm_up = warm_up.max(rows.matrix.warm_up());
            predictions.warnings.extend(rows.warning());
            let model = models.iter().find(|model| is_for(model, &rows.symbol, timeframe));
            let model = model.expect("what is wanted has a model");
            let whole = rows.whole();
            predictions.prediction.extend(model.predict(&rows.matrix, &whole, cancel)?);
            predictions.time.extend(whole.iter().map(|row| rows.decision[*row]));
            predictions.symbol.extend(whole.iter().map(|_| rows.symbol.clone()));
            predictions.timeframe.extend(whole.iter().map(|_| timeframe));
        }
    }
    if predictions.time.is_empty() {
        let (series, window) = (asked.join(", "), manifest.window);
        return Err(PredictError::NoWindow { series, window, warm_up });
    }
    predictions.warnings.extend(wanted.warning);
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
    symbols: BTreeSet<Symbol>,
    timeframes: BTreeSet<Timeframe>,
    /// What the model has never seen, in words.
    warning: Option<String>,
}

impl Wanted {
    fn of(models: &[Bundle], options: &PredictOptions) -> Result<Self, PredictError> {
        let (mut symbols, mut timeframes) = (BTreeSet::new(), BTreeSet::new());
        for model in models {
            let own = model.manifest().own_series();
            symbols.extend(own.0);
            timeframes.extend(own.1);
        }
        let asked = Self {
            symbols: or_all(&options.symbols, &symbols),
            timeframes: or_all(&options.timeframes, &timeframes),
            warning: None,
        };
        let series = asked
            .timeframes
            .iter()
            .flat_map(|&timeframe| asked.symbols.iter().map(move |symbol| (symbol, timeframe)));
        let orphans: Vec<String> = series
            .filter(|(symbol, timeframe)| {
                !models.iter().any(|model| is_for(model, symbol, *timeframe))
            })
            .map(|(symbol, timeframe)| format!("{symbol} {timeframe}"))
            .collect();
        if !orphans.is_empty() {
            let own = models.iter().filter_map(|model| model.manifest().series.as_ref());
            let own: Vec<String> =
                own.map(|own| format!("{} {}", own.symbol, own.timeframe)).collect();
            return Err(PredictError::OtherSeries {
                own: own.join(", "),
                asked: orphans.join(", "),
            });
        }
        let strange = list(asked.symbols.difference(&symbols));
        let strange = strange.chain(list(asked.timeframes.difference(&timeframes)));
        let strange: Vec<String> = strange.collect();
        let warning = (!strange.is_empty()).then(|| {
            format!(
                "the model was not trained on {}, only on {} at {}: what it says there was never tested",
                strange.join(", "),
                list(&symbols).collect::<Vec<_>>().join(", "),
                list(&timeframes).collect::<Vec<_>>().join(", ")
            )
        });
        Ok(Self { warning, ..asked })
    }
}

fn or_all<T: Clone + Ord>(asked: &[T], all: &BTreeSet<T>) -> BTreeSet<T> {
    if asked.is_empty() { all.clone() } else { asked.iter().cloned().collect() }
}

/// Whether a model can be asked about a series: one that is bound to a series only about that.
fn is_for(model: &Bundle, symbol: &Symbol, timeframe: Timeframe) -> bool {
    let own = model.manifest().series.as_ref();
    own.is_none_or(|own| own.symbol == *symbol && own.timeframe == timeframe)
}

fn list<'a, T: ToString + 'a>(
    items: impl IntoIterator<Item = &'a T>,
) -> impl Iterator<Item = String> {
    items.into_iter().map(ToString::to_string)
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
