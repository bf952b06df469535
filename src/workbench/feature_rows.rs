use std::sync::Arc;

use super::PlanError;
use super::load::on_data_threads;
use crate::dataset::PrepareError;
use crate::domain::{Cancel, Symbol, Timeframe, UtcMillis};
use crate::features::{self, FeatureMatrix};
use crate::market::{Bars, SessionPattern};
use crate::spec::ExperimentSpec;
use crate::validation::{decision_times, whole_windows};

/// The features of one series as training sees them, up to its very last bar: without labels, which the last bars do not have yet.
#[derive(Debug)]
pub(super) struct FeatureRows {
    pub(super) symbol: Symbol,
    pub(super) timeframe: Timeframe,
    /// When each bar closes.
    pub(super) decision: Vec<UtcMillis>,
    /// Unscaled, one row per bar.
    pub(super) matrix: FeatureMatrix,
    /// Whether the window that ends at the row is whole.
    pub(super) is_whole: Vec<bool>,
}

/// Computes the features of every series, in the order of the bars, which is by timeframe: the series of one are compared with each other.
pub(super) fn feature_rows(
    bars: &[Bars],
    spec: &ExperimentSpec,
    cancel: &Cancel,
) -> Result<Vec<FeatureRows>, PlanError> {
    let mut rows = Vec::with_capacity(bars.len());
    for panel in bars.chunk_by(|a, b| a.timeframe() == b.timeframe()) {
        if cancel.is_cancelled() {
            return Err(PlanError::Cancelled);
        }
        if let Some(empty) = panel.iter().find(|bars| bars.is_empty()) {
            let (symbol, timeframe) = (empty.symbol().clone(), empty.timeframe());
            return Err(PlanError::Prepare(PrepareError::Empty { symbol, timeframe }));
        }
        let members: Vec<&Bars> = panel.iter().collect();
        let matrices = on_data_threads(|| features::compute_panel(&spec.features, &members))?
            .map_err(PrepareError::from)?;
        rows.extend(panel.iter().zip(matrices).map(|(bars, matrix)| {
            let breaks = SessionPattern::of(bars).breaks(bars);
            FeatureRows {
                symbol: bars.symbol().clone(),
                timeframe: bars.timeframe(),
                decision: decision_times(bars),
                is_whole: whole_windows(&matrix, &breaks, spec.window),
                matrix,
            }
        }));
    }
    Ok(rows)
}

impl FeatureRows {
    /// The rows at which a model can say something.
    pub(super) fn whole(&self) -> Vec<usize> {
        (0..self.is_whole.len()).filter(|row| self.is_whole[*row]).collect()
    }
}

/// A name for each of so many rows, for a column of a table.
pub(super) fn repeated(text: &str, rows: usize) -> impl Iterator<Item = Arc<str>> + use<> {
    std::iter::repeat_n(Arc::from(text), rows)
}
