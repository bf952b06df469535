//! Bars and where they come from: readers for CSV and Feather files, the catalog of a folder, the quality report, synthetic markets.
//!
//! The room uses `domain` and `spec`. It reads files and must never know features, labels, folds, libtorch, threads or screens. Every
//! [`Bars`] in the program has passed the checks of [`Bars::new`], so nobody further down checks a price again.
//!
//! Conventions that hold throughout:
//! - Times are UTC. A date that names no zone is read as UTC; [`Inspection`] says so.
//! - Nothing is repaired. A file with an impossible row is refused, with the row, what was found and the next step.

mod align;
mod bars;
mod catalog;
mod error;
mod identity;
mod inspect;
mod name;
mod nearest;
mod overrides;
mod read;
mod resample;
mod session;
mod synthetic;

pub use align::{Alignment, Member};
pub use bars::{BadBar, BarColumns, BarProblem, Bars, Price};
pub use catalog::{Catalog, Entry, Skipped};
pub use error::{MarketError, Place, RowProblem};
pub use identity::Identity;
pub use inspect::{Inspection, LargestMove, Quality, inspect};
pub use name::parse_file_name;
pub use overrides::{ColumnName, ColumnOverrides, FileOverride, OVERRIDES_FILE, Overrides, Zone};
pub use read::{
    Compression, DateOrder, Fact, Format, Layout, Origin, Reading, Unreadable, read_bars,
};
pub use resample::{ResampleError, last_closed, resample};
pub use session::SessionPattern;
pub use synthetic::{SyntheticSeries, synthetic_bars, synthetic_default_symbols};
