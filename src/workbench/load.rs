use std::sync::OnceLock;

use rayon::prelude::*;

use super::PlanError;
use crate::dataset::Series;
use crate::domain::{Cancel, Symbol, Timeframe};
use crate::market::{Bars, Catalog, Entry, synthetic_bars, synthetic_default_symbols};
use crate::spec::{DataSource, ExperimentSpec, SyntheticSpec};

/// Reads every series the experiment names and computes its features and labels, in parallel, ordered by timeframe and symbol. What was
/// passed over is added to the warnings.
pub(super) fn load(
    spec: &ExperimentSpec,
    cancel: &Cancel,
    warnings: &mut Vec<String>,
) -> Result<Vec<Series>, PlanError> {
    let sources = sources(spec, warnings)?;
    let prepare = |source: &Source| {
        if cancel.is_cancelled() {
            return Err(PlanError::Cancelled);
        }
        let bars = source.bars()?.between(spec.data.from, spec.data.until);
        Ok(Series::prepare(&bars, spec)?)
    };
    let prepared: Vec<Result<Series, PlanError>> =
        data_pool()?.install(|| sources.par_iter().map(prepare).collect());
    // Of several errors always the first in the files' order, whichever thread was faster.
    let mut series = prepared.into_iter().collect::<Result<Vec<_>, _>>()?;
    series.sort_by(|a, b| (a.timeframe(), a.symbol()).cmp(&(b.timeframe(), b.symbol())));
    Ok(series)
}

enum Source<'a> {
    File(Entry),
    Synthetic(&'a SyntheticSpec, Symbol, Timeframe),
}

impl Source<'_> {
    fn bars(&self) -> Result<Bars, PlanError> {
        match self {
            Self::File(entry) => Ok(entry.read()?),
            Self::Synthetic(spec, symbol, timeframe) => {
                Ok(synthetic_bars(spec, symbol, *timeframe)?.bars)
            }
        }
    }
}

fn sources<'a>(
    spec: &'a ExperimentSpec,
    warnings: &mut Vec<String>,
) -> Result<Vec<Source<'a>>, PlanError> {
    let data = &spec.data;
    match &data.source {
        DataSource::Folder(folder) => {
            let catalog = Catalog::scan(folder)?;
            warnings.extend(catalog.skipped().iter().map(|skipped| {
                format!("passed over: {}: {}", skipped.path.display(), skipped.reason)
            }));
            let chosen = catalog.select(&data.symbols, &data.timeframes)?;
            Ok(chosen.into_iter().cloned().map(Source::File).collect())
        }
        DataSource::Synthetic(synthetic) => {
            let symbols = if data.symbols.is_empty() {
                synthetic_default_symbols()
            } else {
                data.symbols.clone()
            };
            let hourly: Vec<Timeframe> = Timeframe::from_minutes(60).into_iter().collect();
            let timeframes = if data.timeframes.is_empty() { &hourly } else { &data.timeframes };
            let of = |timeframe: &Timeframe| {
                let timeframe = *timeframe;
                symbols
                    .clone()
                    .into_iter()
                    .map(move |symbol| Source::Synthetic(synthetic, symbol, timeframe))
            };
            Ok(timeframes.iter().flat_map(of).collect())
        }
    }
}

/// The one pool of threads for reading and computing features.
fn data_pool() -> Result<&'static rayon::ThreadPool, PlanError> {
    static POOL: OnceLock<Result<rayon::ThreadPool, String>> = OnceLock::new();
    POOL.get_or_init(|| {
        rayon::ThreadPoolBuilder::new()
            .thread_name(|index| format!("walkforge-data-{index}"))
            .build()
            .map_err(|error| error.to_string())
    })
    .as_ref()
    .map_err(|message| PlanError::Threads(message.clone()))
}
