//! Ridge regression, the fitted baseline: the best a linear model does with the same features.
//!
//! Minimises `‖y - Xw - b‖² + α‖w‖²` with the intercept b left unpenalised, as scikit-learn's `Ridge(alpha,
//! fit_intercept=True)`: the data are centred and `(XᵀX + αI) w = Xᵀy` is solved by Cholesky (Hoerl & Kennard 1970). Nothing
//! is standardised here; the caller scales the features with statistics of the train rows.

use nalgebra::{Cholesky, DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::count_as_f64;

/// Rows converted to `f64` at a time; `XᵀX` is accumulated block by block, so X itself is never copied.
const BLOCK_ROWS: usize = 256;

/// Features and targets of some rows.
#[derive(Clone, Copy, Debug)]
pub struct RidgeRows<'a, T> {
    /// Features, row-major `[rows × cols]`.
    pub x: &'a [T],
    /// Features per row.
    pub cols: usize,
    /// One target a row.
    pub y: &'a [f64],
}

/// A fitted ridge regression: `prediction = x · coefficients + intercept`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ridge {
    /// The penalty it was fitted with, in the unit of squared feature × rows.
    pub alpha: f64,
    /// One coefficient per feature, in units of target per feature.
    pub coefficients: Vec<f64>,
    /// Prediction where every feature is 0.
    pub intercept: f64,
}

/// Why a ridge regression cannot be fitted or applied. Rows and columns count from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RidgeError {
    /// There are no rows, or rows have no columns.
    #[error("ridge needs at least one row and one column, got {rows} rows of {cols} columns")]
    Empty {
        /// How many targets there are.
        rows: usize,
        /// Features per row.
        cols: usize,
    },
    /// The features do not fill rows of the given width, or not as many as there are targets.
    #[error("ridge expected {expected} features ({rows} rows of {cols} columns), got {found}")]
    Shape {
        /// Rows expected.
        rows: usize,
        /// Features per row expected.
        cols: usize,
        /// Their product.
        expected: usize,
        /// Length of the feature slice.
        found: usize,
    },
    /// A feature is NaN or infinite.
    #[error(
        "ridge: the feature in row {row}, column {col} is not finite; drop warm-up rows and rows with gaps"
    )]
    FeatureNotFinite {
        /// Which row.
        row: usize,
        /// Which column.
        col: usize,
    },
    /// A target is NaN or infinite.
    #[error("ridge: the target in row {row} is not finite; drop rows whose label is unknown")]
    TargetNotFinite {
        /// Which row.
        row: usize,
    },
    /// The penalty is negative, NaN or infinite.
    #[error("ridge: alpha {alpha} must be finite and at least 0")]
    Alpha {
        /// What was given.
        alpha: f64,
    },
    /// No penalty was given to choose from.
    #[error("ridge: no alpha to choose from; give at least one")]
    NoAlphas,
    /// The columns determine each other, up to rounding, and the penalty does not separate them.
    #[error(
        "ridge: the features are linearly dependent at alpha {alpha}; use a larger alpha or drop repeated columns"
    )]
    Singular {
        /// The penalty tried.
        alpha: f64,
    },
}

impl Ridge {
    /// Fits to features `x`, row-major `[rows × cols]`, and one target a row. Takes O(rows × cols²) time and O(cols²) memory.
    ///
    /// # Errors
    /// [`RidgeError`] for an empty or misshapen input, a value that is not finite, a negative `alpha`, and features that are
    /// linearly dependent while `alpha` is 0 or too small to matter.
    pub fn fit<T: Copy + Into<f64>>(
        x: &[T],
        cols: usize,
        y: &[f64],
        alpha: f64,
    ) -> Result<Self, RidgeError> {
        NormalEquations::of(RidgeRows { x, cols, y })?.solve(alpha)
    }

    /// Fits to the train rows with each alpha and keeps the one with the least mean squared error on the validation rows;
    /// of equals, the first in `alphas`. `XᵀX` is built once.
    ///
    /// # Errors
    /// As [`Ridge::fit`], for either set of rows; [`RidgeError::NoAlphas`] without alphas.
    pub fn fit_best<T: Copy + Into<f64>>(
        train: RidgeRows<'_, T>,
        validation: RidgeRows<'_, T>,
        alphas: &[f64],
    ) -> Result<Self, RidgeError> {
        let equations = NormalEquations::of(train)?;
        let mut best: Option<(f64, Self)> = None;
        for &alpha in alphas {
            let candidate = equations.solve(alpha)?;
            let error = candidate.mean_squared_error(validation)?;
            if best.as_ref().is_none_or(|(least, _)| error < *least) {
                best = Some((error, candidate));
            }
        }
        best.map(|(_, ridge)| ridge).ok_or(RidgeError::NoAlphas)
    }

    /// Predicts one target per row of `x`, row-major `[rows × coefficients]`, in the unit of the targets.
    ///
    /// A row with a missing feature (NaN) predicts NaN.
    ///
    /// # Errors
    /// [`RidgeError::Shape`] where `x` is not whole rows of the fitted width.
    pub fn predict<T: Copy + Into<f64>>(&self, x: &[T]) -> Result<Vec<f64>, RidgeError> {
        let cols = self.coefficients.len();
        if cols == 0 || !x.len().is_multiple_of(cols) {
            let rows = x.len().checked_div(cols).unwrap_or(0);
            return Err(RidgeError::Shape { rows, cols, expected: rows * cols, found: x.len() });
        }
        Ok(x.chunks_exact(cols).map(|row| self.predict_row(row)).collect())
    }

    /// Mean squared error of the predictions on `rows`, in squared units of the target.
    ///
    /// # Errors
    /// [`RidgeError`] where the rows are empty, not of the fitted width, or not finite.
    pub fn mean_squared_error<T: Copy + Into<f64>>(
        &self,
        rows: RidgeRows<'_, T>,
    ) -> Result<f64, RidgeError> {
        let cols = self.coefficients.len();
        check(RidgeRows { cols, ..rows })?;
        let squares: f64 = rows
            .x
            .chunks_exact(cols)
            .zip(rows.y)
            .map(|(row, y)| (self.predict_row(row) - y).powi(2))
            .sum();
        Ok(squares / count_as_f64(rows.y.len()))
    }

    fn predict_row<T: Copy + Into<f64>>(&self, row: &[T]) -> f64 {
        self.intercept
            + row
                .iter()
                .zip(&self.coefficients)
                .map(|(&x, coefficient)| x.into() * coefficient)
                .sum::<f64>()
    }
}

/// `XᵀX` and `Xᵀy` of centred data, with the means taken out.
struct NormalEquations {
    gram: DMatrix<f64>,
    moment: DVector<f64>,
    x_means: DVector<f64>,
    y_mean: f64,
}

impl NormalEquations {
    fn of<T: Copy + Into<f64>>(rows: RidgeRows<'_, T>) -> Result<Self, RidgeError> {
        check(rows)?;
        let RidgeRows { x, cols, y } = rows;
        let count = count_as_f64(y.len());
        let mut x_means = DVector::zeros(cols);
        for row in x.chunks_exact(cols) {
            for (sum, &value) in x_means.iter_mut().zip(row) {
                *sum += value.into();
            }
        }
        x_means /= count;
        let y_mean = y.iter().sum::<f64>() / count;

        let mut gram = DMatrix::zeros(cols, cols);
        let mut moment = DVector::zeros(cols);
        for (x_block, y_block) in x.chunks(BLOCK_ROWS * cols).zip(y.chunks(BLOCK_ROWS)) {
            // Column-major [cols × block rows], which is how row-major rows lie.
            let mut centred = DMatrix::from_iterator(
                cols,
                y_block.len(),
                x_block.iter().map(|&value| value.into()),
            );
            for mut row in centred.column_iter_mut() {
                row -= &x_means;
            }
            let targets =
                DVector::from_iterator(y_block.len(), y_block.iter().map(|value| value - y_mean));
            gram.gemm(1.0, &centred, &centred.transpose(), 1.0);
            moment.gemv(1.0, &centred, &targets, 1.0);
        }
        Ok(Self { gram, moment, x_means, y_mean })
    }

    fn solve(&self, alpha: f64) -> Result<Ridge, RidgeError> {
        if !alpha.is_finite() || alpha < 0.0 {
            return Err(RidgeError::Alpha { alpha });
        }
        let cols = self.gram.nrows();
        let mut penalised = self.gram.clone();
        for index in 0..cols {
            penalised[(index, index)] += alpha;
        }
        let diagonal = penalised.diagonal();
        let factor = Cholesky::new(penalised).ok_or(RidgeError::Singular { alpha })?;
        // A pivot that is all rounding error means a column the others determine, though its sign came out positive.
        let least_share = count_as_f64(cols) * f64::EPSILON;
        let pivots = factor.l_dirty().diagonal();
        if pivots.iter().zip(&diagonal).any(|(pivot, entry)| pivot * pivot <= least_share * entry) {
            return Err(RidgeError::Singular { alpha });
        }
        let coefficients = factor.solve(&self.moment);
        if !coefficients.iter().all(|value| value.is_finite()) {
            return Err(RidgeError::Singular { alpha });
        }
        let intercept = self.y_mean - self.x_means.dot(&coefficients);
        Ok(Ridge { alpha, coefficients: coefficients.data.into(), intercept })
    }
}

fn check<T: Copy + Into<f64>>(rows: RidgeRows<'_, T>) -> Result<(), RidgeError> {
    let RidgeRows { x, cols, y } = rows;
    if y.is_empty() || cols == 0 {
        return Err(RidgeError::Empty { rows: y.len(), cols });
    }
    let expected = y.len().saturating_mul(cols);
    if x.len() != expected {
        return Err(RidgeError::Shape { rows: y.len(), cols, expected, found: x.len() });
    }
    if let Some(index) = x.iter().position(|&value| !value.into().is_finite()) {
        return Err(RidgeError::FeatureNotFinite { row: index / cols, col: index % cols });
    }
    if let Some(row) = y.iter().position(|value| !value.is_finite()) {
        return Err(RidgeError::TargetNotFinite { row });
    }
    Ok(())
}

#[cfg(test)]
#[path = "ridge_tests.rs"]
mod tests;
