use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use rayon::prelude::*;

use super::PlanError;
use crate::dataset::Series;
use crate::domain::{Cancel, Plan, Problem, ProblemCount, SeriesPlan, Symbol, Timeframe};
use crate::market::{
    Bars, Cache, Catalog, Choice, resample, synthetic_bars, synthetic_default_symbols,
};
use crate::spec::{DataSource, ExperimentSpec, QualitySpec, SyntheticSpec};

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
    File(Choice),
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
                let sources = chosen.into_iter().map(Source::File).collect();
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
            Source::File(choice) => Some(&choice.entry.path),
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
    pub(super) fn read(&self, spec: &ExperimentSpec, cancel: &Cancel) -> Result<Read, PlanError> {
        let cache = Cache::platform();
        let prepare = |source: &Source<'_>| {
            if cancel.is_cancelled() {
                return Err(PlanError::Cancelled);
            }
            let (bars, origin) = source.bars(&cache, &spec.data.quality)?;
            let bars = bars.between(spec.data.from, spec.data.until);
            Ok((Arc::new(Series::prepare(&bars, spec)?), origin))
        };
        let prepared: Vec<Result<_, PlanError>> =
            data_pool()?.install(|| self.sources.par_iter().map(prepare).collect());
        // Of several errors always the first in the files' order, whichever thread was faster.
        let mut prepared = prepared.into_iter().collect::<Result<Vec<_>, _>>()?;
        prepared.sort_by(|(a, _), (b, _)| {
            (a.timeframe(), a.symbol()).cmp(&(b.timeframe(), b.symbol()))
        });
        let (series, origins) = prepared.into_iter().unzip();
        Ok(Read { series, origins })
    }
}

impl Source<'_> {
    fn bars(&self, cache: &Cache, policies: &QualitySpec) -> Result<(Bars, Origin), PlanError> {
        match self {
            Self::File(choice) => {
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
            Self::Synthetic(spec, symbol, timeframe) => {
                Ok((synthetic_bars(spec, symbol, *timeframe)?.bars, Origin::default()))
            }
        }
    }
}

/// The series of an experiment, and what is to be told of the files they come from.
#[derive(Clone)]
pub(super) struct Read {
    /// By timeframe and symbol.
    pub(super) series: Vec<Arc<Series>>,
    /// Of each series.
    origins: Vec<Origin>,
}

/// What a plan tells of a series beside its bars.
#[derive(Debug, Clone, Default)]
struct Origin {
    quality: Vec<ProblemCount>,
    made_from: Option<Timeframe>,
}

impl Read {
    /// Of more files than this the plan warns in one line.
    const MOST_TOLD: usize = 8;

    /// Writes into a plan of these series what was wrong with their files and what they were made from.
    pub(super) fn tell(&self, plan: &mut Plan) {
        for (series, origin) in plan.series.iter_mut().zip(&self.origins) {
            series.quality.clone_from(&origin.quality);
            series.made_from = origin.made_from;
        }
        let told = |text: fn(&SeriesPlan) -> Option<String>, of_many: &str| {
            let lines: Vec<String> = plan.series.iter().filter_map(text).collect();
            match lines.len().saturating_sub(Self::MOST_TOLD) {
                0 => lines,
                more => {
                    let mut shown = lines[..Self::MOST_TOLD].to_vec();
                    shown.push(format!("and {more} more series {of_many}"));
                    shown
                }
            }
        };
        let made = told(made_from_in_words, "are made from shorter bars");
        let odd = told(quality_in_words, "have rows that were dropped or look odd");
        plan.warnings.extend(made.into_iter().chain(odd));
    }
}

fn made_from_in_words(series: &SeriesPlan) -> Option<String> {
    let SeriesPlan { symbol, timeframe, .. } = series;
    series.made_from.map(|from| format!("{symbol} {timeframe}: made from its {from} bars"))
}

/// What was dropped and what may spoil a result. Bars that are missing or hold no volume are common and break or weaken nothing unseen.
fn quality_in_words(series: &SeriesPlan) -> Option<String> {
    let is_worth_a_warning = |count: &&ProblemCount| {
        count.dropped > 0
            || !matches!(count.problem, Problem::Missing | Problem::Closed | Problem::ZeroVolume)
    };
    let counts: Vec<String> =
        series.quality.iter().filter(is_worth_a_warning).map(ToString::to_string).collect();
    let SeriesPlan { symbol, timeframe, .. } = series;
    (!counts.is_empty()).then(|| {
        format!("{symbol} {timeframe}: {}; `walkforge data inspect` shows where", counts.join(", "))
    })
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
