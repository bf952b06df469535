use std::path::Path;

use super::PlanError;
use super::feature_rows::{FeatureRows, feature_rows, repeated};
use super::load::Sources;
use super::table_file::{Column, TableFormat, UnknownTableFormat, write_table};
use crate::domain::{Cancel, UtcMillis};
use crate::runs::StoreError;
use crate::spec::{ExperimentSpec, FeatureSpec, SpecError, SpecIssue};

/// Why there is no table of features.
#[derive(Debug, thiserror::Error)]
pub enum FeatureTableError {
    /// The data cannot be read or the features not computed.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The file's ending names no format.
    #[error(transparent)]
    Format(#[from] UnknownTableFormat),
    /// The file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FeatureTableError {
    /// Whether it ended because somebody asked.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Plan(PlanError::Cancelled))
    }
}

/// A table of features that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureTable {
    /// How many rows it has.
    pub rows: u64,
    /// What was passed over, in words.
    pub warnings: Vec<String>,
}

/// Writes the features of every bar of an experiment's data as a table, by the file's ending as Parquet or CSV.
///
/// Columns: `time` (when the bar closes, UTC), `symbol`, `timeframe`, `bar` (its number within the series, from 0, by which a row that was taken out
/// is missed), the feature columns as they are, f32, missing where they are not defined, and `window_complete`: whether the window that ends at the
/// row is whole, by the experiment's `window`, and the bar has closed by `now`. Rows are in time order within each series. A bundle's `score.py` reads
/// it.
///
/// # Errors
/// [`FeatureTableError`]; no file is written then.
pub fn write_features(
    spec: &ExperimentSpec,
    to: &Path,
    now: UtcMillis,
    cancel: &Cancel,
) -> Result<FeatureTable, FeatureTableError> {
    // Before minutes of computing.
    let format = TableFormat::of(to)?;
    check(spec)?;
    let sources = Sources::find(spec)?;
    let (bars, _origins) = sources.bars(spec, cancel)?;
    let series = feature_rows(&bars, spec, now, cancel)?;
    // The rest is in the matrices.
    drop(bars);
    if cancel.is_cancelled() {
        return Err(PlanError::Cancelled.into());
    }
    let names: Vec<String> = spec.features.iter().flat_map(FeatureSpec::columns).collect();
    let columns = columns(&series, &names);
    write_table(to, format, &columns)?;
    let rows = series.iter().map(|series| series.decision.len() as u64).sum();
    let mut warnings = sources.warnings;
    warnings.extend(series.iter().filter_map(FeatureRows::warning));
    Ok(FeatureTable { rows, warnings })
}

/// Only what decides the features must be possible. A bundle's experiment is on the model's own series, of which there may be too few to pool them or
/// to compare their labels.
fn check(spec: &ExperimentSpec) -> Result<(), PlanError> {
    const PARTS: [&str; 4] = ["schema", "data", "features", "window"];
    let decides = |issue: &SpecIssue| {
        issue.field != "data.pooling" && PARTS.iter().any(|part| issue.field.starts_with(part))
    };
    let issues = spec.validate().err().unwrap_or_default();
    let issues: Vec<SpecIssue> = issues.into_iter().filter(decides).collect();
    if issues.is_empty() { Ok(()) } else { Err(SpecError::Invalid(issues).into()) }
}

fn columns<'a>(series: &[FeatureRows], names: &'a [String]) -> Vec<(&'a str, Column)> {
    let text = |text: fn(&FeatureRows) -> String| {
        let of = |rows: &FeatureRows| repeated(&text(rows), rows.decision.len());
        Column::Text(series.iter().flat_map(of).collect())
    };
    let time = series.iter().flat_map(|rows| rows.decision.iter().copied()).collect();
    let bar = series.iter().flat_map(|rows| 0..rows.decision.len() as u64);
    let mut columns = vec![
        ("time", Column::Time(time)),
        ("symbol", text(|rows| rows.symbol.to_string())),
        ("timeframe", text(|rows| rows.timeframe.to_string())),
        ("bar", Column::Count(bar.collect())),
    ];
    for (place, name) in names.iter().enumerate() {
        let values = series.iter().flat_map(|rows| rows.matrix.column(place)).collect();
        columns.push((name, Column::Float32(values)));
    }
    let whole = series.iter().flat_map(|rows| rows.is_whole.iter().copied()).collect();
    columns.push(("window_complete", Column::Flag(whole)));
    columns
}
