//! The series of a market, each by itself: what a list of them shows, and everything there is to see of one.

mod candles;

pub use candles::{Candle, CandleLevel, Candles};

use std::io;

use super::look::Trace;
use crate::domain::{ProblemCount, Symbol, Timeframe, UtcMillis};
use crate::market::{
    Bars, Cache, Entry, MarketError, OVERRIDES_FILE, Quality, examine as examine_file,
    synthetic_bars,
};
use crate::spec::{QualitySpec, SyntheticSpec};

/// Points of a spark line at most.
const SPARK: usize = 120;

/// A series that can be looked at by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum MarketSeries {
    /// A market file.
    File(Entry),
    /// One of the built-in market.
    Synthetic {
        /// Which market.
        market: SyntheticSpec,
        /// What is traded.
        symbol: Symbol,
        /// How long a bar is.
        timeframe: Timeframe,
    },
}

/// A series as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// The number of bars, at least 1.
    pub bars: u64,
    /// When the first bar opens.
    pub first_open: UtcMillis,
    /// When the last bar opens.
    pub last_open: UtcMillis,
    /// What is wrong with the rows.
    pub quality: Vec<ProblemCount>,
    /// Closes, oldest first: at most 120, of more bars the lowest and highest of neighbours.
    pub spark: Vec<f64>,
}

/// Everything there is to see of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Examination {
    /// Which.
    pub series: MarketSeries,
    /// The text of the `walkforge.ron` beside the file, where there is one.
    pub overrides: Option<String>,
    /// What it holds, or why it cannot be read and the next step.
    pub contents: Result<Contents, String>,
}

/// What a series holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// What the file holds and what is wrong with it; `None` for the built-in market, which has no file.
    pub quality: Option<Quality>,
    /// The prices.
    pub candles: Candles,
}

/// Why there is nothing to see of a series.
#[derive(Debug, thiserror::Error)]
pub(super) enum SurveyError {
    #[error(transparent)]
    Market(#[from] MarketError),
    #[error("{0} has no bars; choose another series")]
    Empty(Symbol),
    #[error("{}: {source}; check its permissions", path.display())]
    Overrides { path: std::path::PathBuf, source: io::Error },
}

impl MarketSeries {
    /// What is traded.
    #[must_use]
    pub const fn symbol(&self) -> &Symbol {
        match self {
            Self::File(entry) => &entry.symbol,
            Self::Synthetic { symbol, .. } => symbol,
        }
    }

    /// How long a bar is.
    #[must_use]
    pub const fn timeframe(&self) -> Timeframe {
        match self {
            Self::File(entry) => entry.timeframe,
            Self::Synthetic { timeframe, .. } => *timeframe,
        }
    }
}

/// Reads a series for a list, as a run with these policies would.
pub(super) fn survey(
    series: &MarketSeries,
    policies: &QualitySpec,
    cache: &Cache,
) -> Result<Survey, SurveyError> {
    let (bars, quality) = match series {
        MarketSeries::File(entry) => {
            let loaded = cache.load(entry, policies)?;
            (loaded.bars, loaded.report.counts())
        }
        MarketSeries::Synthetic { market, symbol, timeframe } => {
            (synthetic_bars(market, symbol, *timeframe)?.bars, Vec::new())
        }
    };
    summary(&bars, quality).ok_or_else(|| SurveyError::Empty(series.symbol().clone()))
}

fn summary(bars: &Bars, quality: Vec<ProblemCount>) -> Option<Survey> {
    let (first_open, last_open) = (*bars.open_time().first()?, *bars.open_time().last()?);
    let spark = Trace::thinned(bars.open_time(), bars.close(), SPARK).values;
    Some(Survey { bars: bars.len() as u64, first_open, last_open, quality, spark })
}

/// Reads all there is to see of a series, as a run with these policies would.
pub(super) fn examine(
    series: MarketSeries,
    policies: &QualitySpec,
    cache: &Cache,
) -> Result<Examination, SurveyError> {
    let overrides = match &series {
        MarketSeries::File(entry) => overrides_beside(entry)?,
        MarketSeries::Synthetic { .. } => None,
    };
    let contents = contents(&series, policies, cache).map_err(|error| error.to_string());
    Ok(Examination { series, overrides, contents })
}

fn contents(
    series: &MarketSeries,
    policies: &QualitySpec,
    cache: &Cache,
) -> Result<Contents, MarketError> {
    let (bars, quality) = match series {
        MarketSeries::File(entry) => {
            let (quality, bars) = examine_file(entry, policies, cache)?;
            (bars, Some(quality))
        }
        MarketSeries::Synthetic { market, symbol, timeframe } => {
            (synthetic_bars(market, symbol, *timeframe)?.bars, None)
        }
    };
    Ok(Contents { quality, candles: Candles::of(&bars) })
}

/// The text of the file that says how the market files beside it are read.
fn overrides_beside(entry: &Entry) -> Result<Option<String>, SurveyError> {
    let path = entry.path.with_file_name(OVERRIDES_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SurveyError::Overrides { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Bytes;
    use crate::spec::SyntheticMarket;

    #[test]
    fn a_file_is_surveyed_and_examined_with_its_faults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("A-1h.csv");
        let rows = "date,open,high,low,close,volume\n2024-01-01 00:00,10,12,9,11,5\n\
            2024-01-01 00:00,10,12,9,11,5\n2024-01-01 01:00,11,12,9,10,0\n";
        std::fs::write(&path, rows).unwrap();
        let (symbol, timeframe) = ("A".parse().unwrap(), "1h".parse().unwrap());
        let series = MarketSeries::File(Entry { symbol, timeframe, path, size: Bytes(1) });
        let (policies, cache) = (QualitySpec::default(), Cache::off());
        let found = survey(&series, &policies, &cache).unwrap();
        assert_eq!((found.bars, found.spark.as_slice()), (2, &[11.0, 10.0][..]));
        assert_eq!(found.quality[0].to_string(), "1 repeated row (dropped)");
        let all = examine(series.clone(), &policies, &cache).unwrap();
        let contents = all.contents.unwrap();
        assert_eq!((contents.candles.bars(), all.overrides), (2, None));
        assert_eq!(contents.quality.unwrap().report.rows, 3);
        std::fs::write(folder.path().join(OVERRIDES_FILE), "(all: (price_divisor: 10))").unwrap();
        let again = series.clone();
        let all = examine(series, &policies, &cache).unwrap();
        assert_eq!(all.overrides.as_deref(), Some("(all: (price_divisor: 10))"));
        assert_eq!(all.contents.unwrap().candles.levels[0].candles[0].open, 1.0);
        std::fs::write(folder.path().join(OVERRIDES_FILE), "(all: (zone: 7))").unwrap();
        let broken = examine(again, &policies, &cache).unwrap();
        assert!(broken.overrides.is_some() && broken.contents.is_err(), "what is there is told");
    }

    #[test]
    fn a_made_up_series_has_a_spark_line_and_no_file() {
        let market = SyntheticSpec { market: SyntheticMarket::Null, bars: 5_000, seed: 1 };
        let (symbol, timeframe) = ("A".parse().unwrap(), "1h".parse().unwrap());
        let series = MarketSeries::Synthetic { market, symbol, timeframe };
        let (policies, cache) = (QualitySpec::default(), Cache::off());
        let found = survey(&series, &policies, &cache).unwrap();
        assert!(found.spark.len() <= SPARK && found.spark.len() > SPARK / 2);
        let contents = examine(series, &policies, &cache).unwrap().contents.unwrap();
        assert_eq!(contents.quality, None);
    }
}
