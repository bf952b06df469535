use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::domain::{Symbol, Timeframe};
use crate::market::{Catalog, Known, Skipped, synthetic_default_symbols};
use crate::spec::{DataSource, DataSpec};
use crate::workbench::MarketSeries;

/// What the draft's data source offers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// The built-in market.
    Synthetic,
    /// The folder is being listed.
    Scanning {
        /// Which.
        folder: PathBuf,
    },
    /// Its market files are known.
    Ready(Listing),
    /// It cannot be used.
    Failed {
        /// Which.
        folder: PathBuf,
        /// Why, and the next step.
        message: String,
    },
}

/// Symbols and timeframes to tick.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Listing {
    /// The folder; `None` for the built-in market.
    pub(crate) folder: Option<PathBuf>,
    /// Each symbol with its timeframes, short to long.
    pub(crate) symbols: Vec<(Symbol, Vec<Timeframe>)>,
    /// Each timeframe with the number of symbols that have it.
    pub(crate) timeframes: Vec<(Timeframe, usize)>,
    /// Each series, by symbol and timeframe.
    pub(crate) series: Vec<ListedSeries>,
    /// Files in the folder that are no market files, and why.
    pub(crate) skipped: Vec<Skipped>,
}

/// A series of the source, with what an earlier reading of its file gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListedSeries {
    pub(crate) series: MarketSeries,
    pub(crate) known: Option<Known>,
}

impl Listing {
    pub(crate) fn of_catalog(catalog: &Catalog) -> Self {
        let mut symbols: BTreeMap<&Symbol, Vec<Timeframe>> = BTreeMap::new();
        let mut timeframes: BTreeMap<Timeframe, usize> = BTreeMap::new();
        for entry in catalog.entries() {
            symbols.entry(&entry.symbol).or_default().push(entry.timeframe);
            *timeframes.entry(entry.timeframe).or_default() += 1;
        }
        Self {
            folder: Some(catalog.folder().to_owned()),
            symbols: symbols.into_iter().map(|(symbol, t)| (symbol.clone(), t)).collect(),
            timeframes: timeframes.into_iter().collect(),
            series: catalog
                .files()
                .map(|(entry, known)| ListedSeries {
                    series: MarketSeries::File(entry.clone()),
                    known: known.cloned(),
                })
                .collect(),
            skipped: catalog.skipped().to_vec(),
        }
    }

    /// The built-in market makes any symbol at any timeframe: offered are its own, common lengths, and what the experiment names.
    pub(crate) fn of_synthetic(data: &DataSpec) -> Self {
        let common = [15, 60, 240, 1440].into_iter().filter_map(Timeframe::from_minutes);
        let timeframes: BTreeSet<Timeframe> =
            common.chain(data.timeframes.iter().copied()).collect();
        let symbols: BTreeSet<Symbol> =
            synthetic_default_symbols().into_iter().chain(data.symbols.iter().cloned()).collect();
        let each: Vec<Timeframe> = timeframes.into_iter().collect();
        let mut series = Vec::new();
        if let DataSource::Synthetic(market) = &data.source {
            for symbol in &symbols {
                series.extend(each.iter().map(|&timeframe| {
                    let (market, symbol) = (market.clone(), symbol.clone());
                    let series = MarketSeries::Synthetic { market, symbol, timeframe };
                    ListedSeries { series, known: None }
                }));
            }
        }
        Self {
            series,
            folder: None,
            timeframes: each.iter().map(|&timeframe| (timeframe, symbols.len())).collect(),
            symbols: symbols.into_iter().map(|symbol| (symbol, each.clone())).collect(),
            skipped: Vec::new(),
        }
    }

    pub(crate) fn all_symbols(&self) -> Vec<Symbol> {
        self.symbols.iter().map(|(symbol, _)| symbol.clone()).collect()
    }

    pub(crate) fn all_timeframes(&self) -> Vec<Timeframe> {
        self.timeframes.iter().map(|(timeframe, _)| *timeframe).collect()
    }
}
