use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use rayon::prelude::*;

use super::PlanError;
use crate::dataset::{self, Series};
use crate::domain::{Cancel, Symbol, Timeframe};
use crate::market::{Bars, Catalog, Entry, synthetic_bars, synthetic_default_symbols};
use crate::spec::{DataSource, ExperimentSpec, SyntheticSpec};

/// Where every series of an experiment comes from; nothing has been read yet.
pub(super) struct Sources<'a> {
    sources: Vec<Source<'a>>,
    /// What was passed over.
    pub(super) warnings: Vec<String>,
}

/// A file as it was when it was looked at. A change within the clock's tick that keeps the length is not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileStamp {
    path: PathBuf,
    len: u64,
    modified: SystemTime,
}

enum Source<'a> {
    File(Entry),
    Synthetic(&'a SyntheticSpec, Symbol, Timeframe),
}

impl<'a> Sources<'a> {
    /// Looks up every series the experiment names.
    pub(super) fn find(spec: &'a ExperimentSpec) -> Result<Self, PlanError> {
        let data = &spec.data;
        match &data.source {
            DataSource::Folder(folder) => {
                let catalog = Catalog::scan(folder)?;
                let skipped = catalog.skipped().iter().map(|skipped| {
                    format!("passed over: {}: {}", skipped.path.display(), skipped.reason)
                });
                let chosen = catalog.select(&data.symbols, &data.timeframes)?;
                let sources = chosen.into_iter().cloned().map(Source::File).collect();
                Ok(Self { sources, warnings: skipped.collect() })
            }
            DataSource::Synthetic(synthetic) => {
                let symbols = if data.symbols.is_empty() {
                    synthetic_default_symbols()
                } else {
                    data.symbols.clone()
                };
                let hourly: Vec<Timeframe> = Timeframe::from_minutes(60).into_iter().collect();
                let timeframes =
                    if data.timeframes.is_empty() { &hourly } else { &data.timeframes };
                let of = |timeframe: &Timeframe| {
                    let timeframe = *timeframe;
                    symbols
                        .clone()
                        .into_iter()
                        .map(move |symbol| Source::Synthetic(synthetic, symbol, timeframe))
                };
                let sources = timeframes.iter().flat_map(of).collect();
                Ok(Self { sources, warnings: Vec::new() })
            }
        }
    }

    /// How the files are now, in their order; `None` where the system does not tell of all of them.
    pub(super) fn stamps(&self) -> Option<Vec<FileStamp>> {
        let files = self.sources.iter().filter_map(|source| match source {
            Source::File(entry) => Some(&entry.path),
            Source::Synthetic(..) => None,
        });
        files
            .map(|path| {
                let metadata = std::fs::metadata(path).ok()?;
                let modified = metadata.modified().ok()?;
                Some(FileStamp { path: path.clone(), len: metadata.len(), modified })
            })
            .collect()
    }

    /// Reads every series and computes its features and labels, in parallel, ordered by timeframe and symbol.
    pub(super) fn read(
        &self,
        spec: &ExperimentSpec,
        cancel: &Cancel,
    ) -> Result<Vec<Arc<Series>>, PlanError> {
        prepare(&self.bars(spec, cancel)?, spec, cancel)
    }

    /// Reads every series in parallel, ordered by timeframe and symbol.
    pub(super) fn bars(
        &self,
        spec: &ExperimentSpec,
        cancel: &Cancel,
    ) -> Result<Vec<Bars>, PlanError> {
        let read = |source: &Source<'_>| {
            if cancel.is_cancelled() {
                return Err(PlanError::Cancelled);
            }
            Ok(source.bars()?.between(spec.data.from, spec.data.until))
        };
        let bars: Vec<Result<Bars, PlanError>> =
            data_pool()?.install(|| self.sources.par_iter().map(read).collect());
        // Of several errors always the first in the files' order, whichever thread was faster.
        let mut bars = bars.into_iter().collect::<Result<Vec<_>, _>>()?;
        bars.sort_by(|a, b| (a.timeframe(), a.symbol()).cmp(&(b.timeframe(), b.symbol())));
        Ok(bars)
    }
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

/// Computes features and labels of every series, in parallel, in the order of the bars.
pub(super) fn prepare(
    bars: &[Bars],
    spec: &ExperimentSpec,
    cancel: &Cancel,
) -> Result<Vec<Arc<Series>>, PlanError> {
    Ok(on_data_threads(|| dataset::prepare(bars, spec, cancel))??)
}

/// Does what computes with rayon on the pool for it.
pub(super) fn on_data_threads<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, PlanError> {
    Ok(data_pool()?.install(work))
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
