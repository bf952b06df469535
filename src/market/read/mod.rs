//! From a file to checked [`Bars`]: one submodule for each format, and what they share.

mod csv;
mod feather;
mod frame;
mod layout;
mod moment;
mod reading;
mod table;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use self::layout::Layout;
pub use self::reading::{Compression, Fact, Origin, Reading};
pub(super) use self::table::Table;
pub use self::table::Unreadable;
use super::{Bars, MarketError};
use crate::domain::{Symbol, Timeframe};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated text with a header.
    Csv,
    /// Feather v2: an Arrow IPC file, plain or compressed.
    Feather,
}

impl Format {
    /// The format a file's ending stands for, in any case: `.csv`, `.feather`, `.arrow`.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "csv" => Some(Self::Csv),
            "feather" | "arrow" => Some(Self::Feather),
            _ => None,
        }
    }
}

/// Reads a market file whose symbol and timeframe are known, as from its name.
///
/// Columns are found by name, in any order and case: `date` (or `open_time`, `timestamp`, `datetime`, `time`), `open`, `high`, `low`, `close`,
/// `volume` (or `tick_volume`, `vol`); others are ignored. Dates are ISO 8601, or seconds or milliseconds since 1970; what names no zone is
/// UTC.
///
/// # Errors
/// [`MarketError`] for a file that cannot be opened or is no table of bars: the file, the line or row, what was found, what was
/// expected and the next step.
pub fn read_bars(path: &Path, symbol: Symbol, timeframe: Timeframe) -> Result<Bars, MarketError> {
    read_table(path)?.into_bars(path, symbol, timeframe)
}

/// Reads the columns without knowing whose they are.
pub(super) fn read_table(path: &Path) -> Result<Table, MarketError> {
    let table = match Format::of(path) {
        Some(Format::Csv) => csv::read(path),
        Some(Format::Feather) => feather::read(path),
        None => {
            let found = path.extension().map_or_else(
                || "no known ending".to_owned(),
                |extension| format!(".{}", extension.display()),
            );
            Err(MarketError::UnknownFormat { path: path.to_owned(), found })
        }
    }?;
    if table.is_empty() && table.unreadable.count == 0 {
        return Err(MarketError::NoBars { path: path.to_owned(), header_only: true });
    }
    Ok(table)
}

#[cfg(test)]
mod tests;
