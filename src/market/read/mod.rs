//! From a file to a [`Table`] of rows and on to checked [`Bars`]: one submodule for each format, and what they share.
//!
//! [`with_text`](source::with_text) unpacks a text while it is read; [`Dialect`](dialect::Dialect) and [`Columns`](batch::Columns) find the
//! columns; [`Rows`](rows::Rows) gathers the rows and puts them into order, UTC and their true unit. Nothing is held in memory but rows.

mod batch;
mod columns;
mod dialect;
mod feather;
mod fields;
mod format;
mod frame;
mod json;
mod layout;
mod lines;
mod moment;
mod pages;
mod parquet;
mod reading;
mod rows;
mod source;
mod table;
mod text;
mod zone;

use std::path::Path;

pub(super) use self::columns::Chosen;
pub use self::format::Format;
pub(super) use self::format::{ENDINGS, stem};
pub use self::layout::Layout;
pub use self::moment::DateOrder;
pub use self::reading::{Compression, Fact, Origin, Reading};
use self::rows::Context;
pub use self::table::Unreadable;
pub(super) use self::table::{Places, Table};
pub(super) use self::zone::Clock;
use super::identity::Identity;
use super::overrides::{FileOverride, Overrides};
use super::{Bars, MarketError};
use crate::domain::{Symbol, Timeframe};

/// Reads a market file whose symbol and timeframe are known, as from its name. What a `walkforge.ron` beside it says holds.
///
/// Text (`.csv`, `.tsv`, `.txt`, plain or as `.gz` or `.zip`), JSON arrays of rows, Feather v2 and Parquet. Columns are found by name, in any
/// order and case: `date` (or `open_time`, `timestamp`, `datetime`, `time`), `open`, `high`, `low`, `close`, `volume` (or `tick_volume`, `vol`);
/// others are ignored. Without a header they stand in this order. [`Layout`] names what is known of some vendors' files, [`Reading`] what was
/// found out about this one. What names no zone, and whose layout has none, is UTC.
///
/// # Errors
/// [`MarketError`] for a file that cannot be opened or is no table of bars: the file, the line or row, what was found, what was
/// expected and the next step.
pub fn read_bars(path: &Path, symbol: Symbol, timeframe: Timeframe) -> Result<Bars, MarketError> {
    read_table(path)?.into_bars(path, symbol, timeframe)
}

/// Reads the rows of a file, with what a `walkforge.ron` beside it says.
pub(super) fn read_table(path: &Path) -> Result<Table, MarketError> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    read_table_as(path, &Overrides::of_folder(folder)?.of_file(path))
}

/// Reads the rows of a file of which this much is known.
pub(super) fn read_table_as(path: &Path, chosen: &FileOverride) -> Result<Table, MarketError> {
    let identity = Identity::of_path(path, chosen);
    let context = Context { path, identity: &identity, chosen };
    match Format::of(path) {
        Some(Format::Feather) => feather::read(&context),
        Some(Format::Parquet) => parquet::read(&context),
        Some(format @ (Format::Csv | Format::Json)) => read_text(&context, format),
        None => {
            let found = path.extension().map_or_else(
                || "no known ending".to_owned(),
                |extension| format!(".{}", extension.display()),
            );
            Err(MarketError::UnknownFormat { path: path.to_owned(), found })
        }
    }
}

fn read_text(context: &Context<'_>, format: Format) -> Result<Table, MarketError> {
    let read = |order| {
        source::with_text(context.path, format, |source, packing| match packing.format {
            Format::Json => json::read(context, source, packing).map(Some),
            _ => text::read(context, source, packing, order),
        })
    };
    if let Some(table) = read(None)? {
        return Ok(table);
    }
    let order = source::with_text(context.path, format, |source, packing| {
        text::find_order(context, source, packing)
    })?;
    Ok(read(Some(order))?.expect("the order is told"))
}

#[cfg(test)]
mod dialect_tests;
#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod packed_tests;
#[cfg(test)]
mod round_trip_tests;
#[cfg(test)]
mod tests;
