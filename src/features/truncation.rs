use super::{FeatureError, FeatureMatrix, compute};
use crate::domain::UtcMillis;
use crate::market::Bars;
use crate::spec::FeatureSpec;

/// A row that changed when later bars were taken away: it had known the future.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "feature {feature} leaks: its row {row} (bar closing {decision}) is {with_all} on all {bars} bars but {with_cut} on the first {cut}; \
     it must depend only on bars that closed at or before its own close"
)]
pub struct Leak {
    /// The column.
    pub feature: String,
    /// The row, from 0.
    pub row: usize,
    /// When that row's bar closes.
    pub decision: UtcMillis,
    /// Bars of the whole series.
    pub bars: usize,
    /// Bars left after the cut.
    pub cut: usize,
    /// The value computed on all bars.
    pub with_all: f32,
    /// The value computed on the first `cut` bars.
    pub with_cut: f32,
}

/// Why the truncation check did not pass.
#[derive(Debug, thiserror::Error)]
pub enum TruncationError {
    /// A feature knows the future.
    #[error(transparent)]
    Leak(#[from] Leak),
    /// The features cannot be computed at all.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// The computation gave another number of rows than there were bars, or other columns than before.
    #[error(
        "on {bars} bars the features have {rows} rows of {cols} columns; expected one row per bar and {expected_cols} columns"
    )]
    Shape {
        /// Bars given.
        bars: usize,
        /// Rows returned.
        rows: usize,
        /// Columns returned.
        cols: usize,
        /// Columns on all bars.
        expected_cols: usize,
    },
}

/// Computes the features again on the first `cut` bars, for each cut, and compares every row bit for bit (missing equals missing).
///
/// A cut beyond the data takes nothing away and proves nothing.
///
/// # Errors
/// [`TruncationError::Leak`] names the first feature and row that differ.
pub fn check_truncation(
    specs: &[FeatureSpec],
    bars: &Bars,
    cuts: &[usize],
) -> Result<(), TruncationError> {
    check_truncation_of(|bars| compute(specs, bars), bars, cuts)
}

/// [`check_truncation`] of any computation that starts from raw bars. Resampling and joins belong inside `features`, so that they are
/// truncated with it.
///
/// # Errors
/// As for [`check_truncation`].
pub fn check_truncation_of(
    features: impl Fn(&Bars) -> Result<FeatureMatrix, FeatureError>,
    bars: &Bars,
    cuts: &[usize],
) -> Result<(), TruncationError> {
    let whole = features(bars)?;
    check_shape(&whole, bars.len(), whole.cols())?;
    for &cut in cuts {
        let cut = cut.min(bars.len());
        let part = features(&bars.truncated(cut))?;
        check_shape(&part, cut, whole.cols())?;
        if let Some((row, column)) = first_difference(&whole, &part) {
            return Err(TruncationError::Leak(Leak {
                feature: whole.names()[column].clone(),
                row,
                decision: bars.close_time(row),
                bars: bars.len(),
                cut,
                with_all: whole.row(row)[column],
                with_cut: part.row(row)[column],
            }));
        }
    }
    Ok(())
}

fn check_shape(matrix: &FeatureMatrix, bars: usize, cols: usize) -> Result<(), TruncationError> {
    if matrix.rows() == bars && matrix.cols() == cols {
        return Ok(());
    }
    Err(TruncationError::Shape {
        bars,
        rows: matrix.rows(),
        cols: matrix.cols(),
        expected_cols: cols,
    })
}

/// Row and column of the first cell of `part` that differs from the same cell of `whole`.
fn first_difference(whole: &FeatureMatrix, part: &FeatureMatrix) -> Option<(usize, usize)> {
    // A matrix knows only one NaN, so that missing equals missing.
    let mut cells = whole.as_slice().iter().zip(part.as_slice());
    let cell = cells.position(|(all, cut)| all.to_bits() != cut.to_bits())?;
    Some((cell / whole.cols(), cell % whole.cols()))
}

#[cfg(test)]
#[path = "truncation_tests.rs"]
mod tests;
