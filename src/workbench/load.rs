use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use rayon::prelude::*;

use super::PlanError;
use super::origins::{Origin, Origins};
use crate::dataset::{self, Series};
use crate::domain::{Cancel, SeriesPlan, Symbol, Timeframe, UtcMillis};
use crate::market::{
    Bars, Cache, Catalog, Choice, OVERRIDES_FILE, resample, synthetic_bars,
    synthetic_default_symbols,
};
use crate::spec::{DataSource, ExperimentSpec, QualitySpec, SyntheticSpec};

/// Where every series of an experiment comes from; nothing has been read yet.
pub(super) struct Sources<'a> {
    sources: Vec<Source<'a>>,
    /// What was passed over.
    pub(super) warnings: Vec<String>,
}

/// Where one series comes from.
struct Source<'a> {
    place: Place<'a>,
    symbol: Symbol,
    timeframe: Timeframe,
    /// When its last bar opens; `None` where every bar there is counts.
    last_open: Option<UtcMillis>,
}

/// A file as it was when it was looked at. A change within the clock's tick that keeps the length is not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileStamp {
    path: PathBuf,
    len: u64,
    modified: SystemTime,
}

impl FileStamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        let modified = metadata.modified().ok()?;
        Some(Self { path: path.to_owned(), len: metadata.len(), modified })
    }
}

enum Place<'a> {
    File(Choice),
    Synthetic(&'a SyntheticSpec),
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
                let sources = chosen.into_iter().map(Source::of_file).collect();
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
                let of = |&timeframe: &Timeframe| {
                    let place = || Place::Synthetic(synthetic);
                    symbols.clone().into_iter().map(move |symbol| Source {
                        place: place(),
                        symbol,
                        timeframe,
                        last_open: None,
                    })
                };
                let sources = timeframes.iter().flat_map(of).collect();
                Ok(Self { sources, warnings: Vec::new() })
            }
        }
    }

    /// The same series as those, up to the same bars: what has come since, another file or a newer bar, is left out.
    pub(super) fn limited_to(mut self, then: &[SeriesPlan]) -> Self {
        let last_open: BTreeMap<(&Symbol, Timeframe), UtcMillis> = then
            .iter()
            .map(|series| ((&series.symbol, series.timeframe), series.last_open))
            .collect();
        self.sources.retain_mut(|source| {
            source.last_open = last_open.get(&(&source.symbol, source.timeframe)).copied();
            source.last_open.is_some()
        });
        self
    }

    /// When the last bar of each series opens, where not every bar there is counts.
    pub(super) fn ends(&self) -> Vec<Option<UtcMillis>> {
        self.sources.iter().map(|source| source.last_open).collect()
    }

    /// How the files are now, in their order, and what their folder's owner says about them; `None` where the system does not tell of all.
    pub(super) fn stamps(&self) -> Option<Vec<FileStamp>> {
        let files = self.sources.iter().filter_map(|source| match &source.place {
            Place::File(choice) => Some(&choice.entry.path),
            Place::Synthetic(_) => None,
        });
        let mut stamps =
            files.clone().map(|path| FileStamp::of(path)).collect::<Option<Vec<_>>>()?;
        // All files lie in one folder. Where there is none of it, it is no stamp; once there is one, that is another list.
        let overrides = files.take(1).map(|path| path.with_file_name(OVERRIDES_FILE));
        stamps.extend(overrides.filter_map(|path| FileStamp::of(&path)));
        Some(stamps)
    }

    /// Reads every series and computes its features and labels, in parallel, ordered by timeframe and symbol.
    pub(super) fn read(
        &self,
        spec: &ExperimentSpec,
        cancel: &Cancel,
    ) -> Result<(Vec<Arc<Series>>, Origins), PlanError> {
        let (bars, origins) = self.bars(spec, cancel)?;
        Ok((prepare(&bars, spec, cancel)?, origins))
    }

    /// Reads every series in parallel, ordered by timeframe and symbol.
    pub(super) fn bars(
        &self,
        spec: &ExperimentSpec,
        cancel: &Cancel,
    ) -> Result<(Vec<Bars>, Origins), PlanError> {
        let cache = Cache::platform();
        let read = |source: &Source<'_>| {
            if cancel.is_cancelled() {
                return Err(PlanError::Cancelled);
            }
            let (bars, origin) = source.bars(&cache, &spec.data.quality)?;
            let after_last = source.last_open.map(|open| open.plus_millis(1));
            let until = [spec.data.until, after_last].into_iter().flatten().min();
            Ok((bars.between(spec.data.from, until), origin))
        };
        let read: Vec<Result<_, PlanError>> =
            data_pool()?.install(|| self.sources.par_iter().map(read).collect());
        // Of several errors always the first in the files' order, whichever thread was faster.
        let mut read = read.into_iter().collect::<Result<Vec<_>, _>>()?;
        read.sort_by(|(a, _), (b, _)| {
            (a.timeframe(), a.symbol()).cmp(&(b.timeframe(), b.symbol()))
        });
        let (bars, origins): (_, Vec<Origin>) = read.into_iter().unzip();
        Ok((bars, Origins::new(origins)))
    }
}

impl Source<'_> {
    fn of_file(choice: Choice) -> Self {
        let (symbol, timeframe) = (choice.entry.symbol.clone(), choice.timeframe);
        Self { place: Place::File(choice), symbol, timeframe, last_open: None }
    }

    fn bars(&self, cache: &Cache, policies: &QualitySpec) -> Result<(Bars, Origin), PlanError> {
        match &self.place {
            Place::File(choice) => {
                let loaded = cache.load(&choice.entry, policies)?;
                let origin =
                    Origin { quality: loaded.report.counts(), made_from: choice.made_from() };
                let bars = match origin.made_from {
                    None => loaded.bars,
                    Some(_) => resample(&loaded.bars, choice.timeframe)
                        .expect("the catalog chooses a file whose timeframe divides this one"),
                };
                Ok((bars, origin))
            }
            Place::Synthetic(spec) => {
                let bars = synthetic_bars(spec, &self.symbol, self.timeframe)?.bars;
                Ok((bars, Origin::default()))
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
