use std::path::Path;

use super::quality::{QualityReport, check};
use super::read::read_table;
use super::{Bars, MarketError, Reading};
use crate::domain::{Symbol, Timeframe};
use crate::spec::QualitySpec;

/// The bars of a file, with what was found out while reading it and what was wrong in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What is left after the policies.
    pub bars: Bars,
    /// How the file is written, and what had to be assumed.
    pub reading: Reading,
    /// What was found, and what was dropped.
    pub report: QualityReport,
}

/// Reads a market file and judges its rows by these policies.
///
/// # Errors
/// [`MarketError`] for a file that cannot be opened, is no table of bars, or is refused by the policies: the file, the line or row, what was
/// found, what was expected and the next step.
pub fn load(
    path: &Path,
    symbol: Symbol,
    timeframe: Timeframe,
    policies: &QualitySpec,
) -> Result<Loaded, MarketError> {
    let table = read_table(path)?;
    let reading = table.reading.clone();
    let checked = check(table, path, symbol, timeframe, policies)?;
    Ok(Loaded { bars: checked.bars, reading, report: checked.report })
}
