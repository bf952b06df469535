//! Bars and where they come from: readers for CSV and Feather files, the catalog of a folder, the quality report, synthetic markets.
//!
//! The room uses `domain` and `spec`. It reads files and must never know features, labels, folds, libtorch, threads or screens. Every
//! [`Bars`] in the program has passed the checks of [`Bars::new`], so nobody further down checks a price again.
//!
//! Conventions that hold throughout:
//! - Times are UTC. A date that names no zone is read as UTC; [`Inspection`] says so.
//! - Nothing is repaired and no price is invented. What is done about a row that cannot be a bar, or looks odd, is a policy of the
//!   experiment ([`crate::spec::QualitySpec`]); what was found and dropped is in the [`QualityReport`].

mod align;
mod bars;
mod cache;
mod catalog;
mod error;
mod identity;
mod inspect;
mod load;
mod name;
mod nearest;
mod overrides;
mod overrides_text;
mod quality;
mod read;
mod resample;
mod session;
mod synthetic;
mod trial;

pub use align::{Alignment, Member};
pub use bars::{BadBar, BarColumns, BarProblem, Bars, Price};
pub use cache::{Cache, CacheSize, Known};
pub use catalog::{Catalog, Choice, Entry, Skipped};
pub use error::{MarketError, Place, RowProblem};
pub use identity::Identity;
pub use inspect::{Inspection, LargestMove, Quality, examine, inspect};
pub use load::{Loaded, load};
pub use name::parse_file_name;
pub use nearest::nearest;
pub use overrides::{ColumnName, ColumnOverrides, FileOverride, OVERRIDES_FILE, Overrides, Zone};
pub use quality::{Example, Finding, QualityReport};
pub use read::{
    Compression, DateOrder, Fact, Format, Layout, Origin, Reading, Unreadable, read_bars,
};
pub use resample::{ResampleError, last_closed, resample};
pub use session::SessionPattern;
pub use synthetic::{SyntheticSeries, synthetic_bars, synthetic_default_symbols};
pub use trial::{Trial, TrialRow, try_import};
