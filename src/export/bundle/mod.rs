//! A trained model as a folder that explains, checks and scores itself.

mod example;
mod features;
mod manifest;
mod open;
mod place;
mod texts;
mod write;

pub use example::Example;
pub use features::BundleFeature;
pub use manifest::{
    ExportManifest, FILES, FileHash, Files, Lineage, MANIFEST_SCHEMA, ModelSeries, Periods,
    TensorText,
};
pub use open::{Bundle, BundleError};
pub(super) use place::Staging;
pub(super) use write::build;
