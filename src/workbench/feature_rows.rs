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
    /// Whether the window that ends at the row is whole and its last bar has closed.
    pub(super) is_whole: Vec<bool>,
    /// When the first bar closes that has not closed yet.
    pub(super) forming: Option<UtcMillis>,
}

/// Computes the features of every series, in the order of the bars, which is by timeframe: the series of one are compared with each other.
///
/// A file that was downloaded just `now` ends with a bar that is still forming. What such a bar holds will change, so nothing is said at it.
pub(super) fn feature_rows(
    bars: &[Bars],
    spec: &ExperimentSpec,
    now: UtcMillis,
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
            let decision = decision_times(bars);
            let closed = decision.partition_point(|closes| *closes <= now);
            let mut is_whole = whole_windows(&matrix, &breaks, spec.window);
            is_whole[closed..].fill(false);
            let forming = decision.get(closed).copied();
            let (symbol, timeframe) = (bars.symbol().clone(), bars.timeframe());
            FeatureRows { symbol, timeframe, decision, matrix, is_whole, forming }
        }));
    }
    Ok(rows)
}

impl FeatureRows {
    /// The rows at which a model can say something.
    pub(super) fn whole(&self) -> Vec<usize> {
        (0..self.is_whole.len()).filter(|row| self.is_whole[*row]).collect()
    }

    /// What there is to say about a bar that is still forming.
    pub(super) fn warning(&self) -> Option<String> {
        let Self { symbol, timeframe, .. } = self;
        self.forming.map(|closes| {
            format!("{symbol} {timeframe}: the bar that closes at {closes} is still forming; nothing is predicted there")
        })
    }
}

/// A name for each of so many rows, for a column of a table.
pub(super) fn repeated(text: &str, rows: usize) -> impl Iterator<Item = Arc<str>> + use<> {
    std::iter::repeat_n(Arc::from(text), rows)
}
