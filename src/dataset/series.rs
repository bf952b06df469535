use std::sync::Arc;

use rayon::prelude::*;

use crate::domain::{Cancel, ContentHash, Symbol, Timeframe, UtcMillis};
use crate::features::{self, FeatureMatrix, PanelError};
use crate::labels::{self, Labels};
use crate::market::{Bars, SessionPattern};
use crate::spec::{ExperimentSpec, FeatureSpec};
use crate::validation::{RowTimes, UsableRows, decision_times, usable_rows};

/// One symbol's bars turned into features and labels: computed once, shared read-only by every fold.
#[derive(Debug)]
pub struct Series {
    symbol: Symbol,
    timeframe: Timeframe,
    data: ContentHash,
    made_of: ContentHash,
    matrix: FeatureMatrix,
    labels: Labels,
    decision: Vec<UtcMillis>,
    usable: UsableRows,
    bar_return: Vec<f64>,
    close: Vec<f64>,
    first_open: UtcMillis,
    last_open: UtcMillis,
}

/// Why a series could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A feature cannot be computed.
    #[error(transparent)]
    Feature(#[from] PanelError),
    /// There is nothing to prepare.
    #[error("{symbol} {timeframe}: no bars in the chosen period; widen data.from and data.until")]
    Empty {
        /// The instrument.
        symbol: Symbol,
        /// The bar length.
        timeframe: Timeframe,
    },
    /// Somebody asked to stop.
    #[error("cancelled")]
    Cancelled,
}

/// Computes features, labels and which rows can be used of every series, in parallel on the caller's pool; in the order of the bars.
///
/// Series of one timeframe are a panel: what a feature or label needs of the other symbols at the same moment is there.
///
/// # Errors
/// [`PrepareError`]; of several always the first in the bars' order.
pub fn prepare(
    bars: &[Bars],
    spec: &ExperimentSpec,
    cancel: &Cancel,
) -> Result<Vec<Arc<Series>>, PrepareError> {
    let mut timeframes: Vec<Timeframe> = bars.iter().map(Bars::timeframe).collect();
    timeframes.sort_unstable();
    timeframes.dedup();
    let mut prepared: Vec<Option<Arc<Series>>> = vec![None; bars.len()];
    for timeframe in timeframes {
        let places = (0..bars.len()).filter(|place| bars[*place].timeframe() == timeframe);
        let places: Vec<usize> = places.collect();
        let panel: Vec<&Bars> = places.iter().map(|place| &bars[*place]).collect();
        for (place, series) in places.into_iter().zip(prepare_panel(&panel, spec, cancel)?) {
            prepared[place] = Some(Arc::new(series));
        }
    }
    Ok(prepared.into_iter().flatten().collect())
}

/// Of one timeframe.
fn prepare_panel(
    panel: &[&Bars],
    spec: &ExperimentSpec,
    cancel: &Cancel,
) -> Result<Vec<Series>, PrepareError> {
    if let Some(empty) = panel.iter().find(|bars| bars.is_empty()) {
        let (symbol, timeframe) = (empty.symbol().clone(), empty.timeframe());
        return Err(PrepareError::Empty { symbol, timeframe });
    }
    if cancel.is_cancelled() {
        return Err(PrepareError::Cancelled);
    }
    let matrices = features::compute_panel(&spec.features, panel)?;
    if cancel.is_cancelled() {
        return Err(PrepareError::Cancelled);
    }
    let labels = labels::compute_panel(spec.label, panel);
    let parts = panel.par_iter().zip(matrices).zip(labels);
    let mut series: Vec<Series> =
        parts.map(|((bars, matrix), labels)| Series::new(bars, matrix, labels, spec)).collect();
    let compares_features = spec.features.iter().any(FeatureSpec::is_cross_sectional);
    if compares_features || spec.label.minimum_symbols().is_some() {
        let all: Vec<String> =
            series.iter().map(|series| format!("{} {}", series.symbol, series.data)).collect();
        for series in &mut series {
            let own = series.data.to_string();
            let parts = std::iter::once(own.as_bytes()).chain(all.iter().map(String::as_bytes));
            series.made_of = ContentHash::of_parts(parts);
        }
    }
    Ok(series)
}

impl Series {
    /// Prepares one symbol alone: see [`prepare`].
    ///
    /// # Errors
    /// [`PrepareError`] with the symbol and timeframe.
    pub fn prepare(bars: &Bars, spec: &ExperimentSpec) -> Result<Self, PrepareError> {
        let mut alone = prepare_panel(&[bars], spec, &Cancel::new())?;
        Ok(alone.swap_remove(0))
    }

    /// `bars` are not empty; matrix and labels are theirs.
    fn new(bars: &Bars, matrix: FeatureMatrix, labels: Labels, spec: &ExperimentSpec) -> Self {
        let (open, last) = (bars.open_time(), bars.len() - 1);
        let breaks = SessionPattern::of(bars).breaks(bars);
        let usable = usable_rows(&matrix, &breaks, &labels, spec.window);
        let closes = bars.close();
        let bar_return = std::iter::once(0.0)
            .chain(closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0))
            .collect();
        let data = bars.content_hash();
        Self {
            symbol: bars.symbol().clone(),
            timeframe: bars.timeframe(),
            data,
            made_of: data,
            matrix,
            labels,
            decision: decision_times(bars),
            usable,
            bar_return,
            close: bars.close().to_vec(),
            first_open: open[0],
            last_open: open[last],
        }
    }

    /// The same series with every other row's features, labels and outcomes changed beyond recognition: what is learnt from the rows kept must not
    /// notice. Times stay, so that the same rows can be chosen.
    #[must_use]
    pub fn with_other_rows_changed(&self, kept: &[u32]) -> Self {
        let is_kept = |row: usize| kept.binary_search(&(row as u32)).is_ok();
        let changed = |row: usize, value: f64| if is_kept(row) { value } else { 1e6 - 3.0 * value };
        let columns: Vec<Vec<f64>> = (0..self.matrix.cols())
            .map(|column| {
                let values = self.matrix.column(column).map(f64::from).enumerate();
                values.map(|(row, value)| changed(row, value)).collect()
            })
            .collect();
        let names = self.matrix.names().to_vec();
        let matrix = FeatureMatrix::from_columns(names, &columns, self.matrix.warm_up())
            .expect("the columns are those of a matrix");
        let mut labels = self.labels.clone();
        for row in (0..labels.len()).filter(|row| !is_kept(*row)) {
            labels.value[row] = 1e6 - 3.0 * labels.value[row];
            labels.outcome[row] = 1e6 - 3.0 * labels.outcome[row];
        }
        Self {
            symbol: self.symbol.clone(),
            matrix,
            labels,
            decision: self.decision.clone(),
            usable: self.usable.clone(),
            bar_return: self.bar_return.clone(),
            close: self.close.clone(),
            ..*self
        }
    }

    /// The instrument.
    #[must_use]
    pub const fn symbol(&self) -> &Symbol {
        &self.symbol
    }

    /// The bar length.
    #[must_use]
    pub const fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// Hash of the bars.
    #[must_use]
    pub const fn data(&self) -> ContentHash {
        self.data
    }

    /// Hash of all that its features and labels were made of: its bars, and where symbols are compared those of the others.
    #[must_use]
    pub const fn made_of(&self) -> ContentHash {
        self.made_of
    }

    /// Features, one row per bar, unscaled.
    #[must_use]
    pub const fn matrix(&self) -> &FeatureMatrix {
        &self.matrix
    }

    /// Labels and outcomes, one per bar.
    #[must_use]
    pub const fn labels(&self) -> &Labels {
        &self.labels
    }

    /// When each bar closes: the moment it can be decided on.
    #[must_use]
    pub fn decision(&self) -> &[UtcMillis] {
        &self.decision
    }

    /// Rows with a whole, unbroken window, and among them those with a label.
    #[must_use]
    pub const fn usable(&self) -> &UsableRows {
        &self.usable
    }

    /// What decides the sections of its rows.
    #[must_use]
    pub fn row_times(&self) -> RowTimes<'_> {
        RowTimes {
            decision: &self.decision,
            label_end: &self.labels.end_time,
            scorable: &self.usable.scorable,
            learnable: &self.usable.learnable,
        }
    }

    /// Close-to-close return of each bar, a fraction; 0 for the first.
    #[must_use]
    pub fn bar_return(&self) -> &[f64] {
        &self.bar_return
    }

    /// Close of each bar, in the price's own unit; to look at, never to learn from.
    #[must_use]
    pub fn close(&self) -> &[f64] {
        &self.close
    }

    /// Open times of the first and the last bar.
    #[must_use]
    pub const fn period(&self) -> (UtcMillis, UtcMillis) {
        (self.first_open, self.last_open)
    }
}
