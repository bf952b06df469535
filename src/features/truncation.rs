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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::features::golden::{ALL, bars_of, hourly_bars};

    /// A computation with one column, made from the closes.
    fn fake(
        value: impl Fn(&[f64], usize) -> f64,
    ) -> impl Fn(&Bars) -> Result<FeatureMatrix, FeatureError> {
        move |bars| {
            let column = (0..bars.len()).map(|t| value(bars.close(), t)).collect();
            FeatureMatrix::from_columns(vec!["fake".to_owned()], &[column], 0)
        }
    }

    fn leak(result: Result<(), TruncationError>) -> Leak {
        match result {
            Err(TruncationError::Leak(leak)) => leak,
            other => panic!("expected a leak, got {other:?}"),
        }
    }

    #[test]
    fn peeking_one_bar_ahead_is_caught_at_the_last_row_before_the_cut() {
        let bars = hourly_bars(50);
        let next = fake(|close, t| close.get(t + 1).copied().unwrap_or(f64::NAN));
        let leak = leak(check_truncation_of(next, &bars, &[30]));
        assert_eq!((leak.row, leak.cut, leak.decision), (29, 30, bars.close_time(29)));
        assert!(leak.with_cut.is_nan() && !leak.with_all.is_nan());
        let text = leak.to_string();
        assert!(text.starts_with("feature fake leaks: its row 29 (bar closing "), "{text}");
        assert!(text.contains("on all 50 bars but NaN on the first 30;"), "{text}");
    }

    #[test]
    fn scaling_by_the_whole_series_is_caught() {
        let share_of_all = fake(|close, t| close[t] / close.iter().sum::<f64>());
        assert_eq!(leak(check_truncation_of(share_of_all, &hourly_bars(50), &[49])).row, 0);
        // Filling a gap at the start from later bars: the cut must be early enough to see it.
        let back_fill = fake(|close, t| close.get(t.max(5)).copied().unwrap_or(0.0));
        assert!(check_truncation_of(&back_fill, &hourly_bars(50), &[40]).is_ok());
        assert_eq!(leak(check_truncation_of(&back_fill, &hourly_bars(50), &[40, 3])).row, 0);
    }

    #[test]
    fn an_honest_computation_passes_and_a_short_one_is_named() {
        let honest = fake(|close, t| close[..=t].iter().sum());
        assert!(check_truncation_of(honest, &hourly_bars(50), &[0, 1, 25, 50, 99]).is_ok());
        let short = |bars: &Bars| {
            let column = bars.close().iter().skip(1).copied().collect();
            FeatureMatrix::from_columns(vec!["short".to_owned()], &[column], 0)
        };
        let error = check_truncation_of(short, &hourly_bars(50), &[]).unwrap_err().to_string();
        assert!(error.starts_with("on 50 bars the features have 49 rows of 1 columns"), "{error}");
    }

    proptest! {
        #[test]
        fn no_feature_knows_the_future(
            steps in prop::collection::vec((0.9..1.1_f64, 1.0..1.05_f64, 0.0..1e6_f64), 1..80),
            cuts in prop::collection::vec(0..80_usize, 1..4),
        ) {
            let mut close = 100.0;
            let rows: Vec<[f64; 5]> = steps
                .iter()
                .map(|(step, reach, volume)| {
                    let open = close;
                    close *= step;
                    [open, open.max(close) * reach, open.min(close) / reach, close, *volume]
                })
                .collect();
            check_truncation(&ALL, &bars_of(&rows), &cuts).unwrap();
        }
    }
}
