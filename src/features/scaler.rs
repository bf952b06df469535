use serde::{Deserialize, Serialize};

use super::FeatureMatrix;

/// Standardises columns: `(value - mean) / scale`, as scikit-learn's `StandardScaler`. One mean and one scale per column.
///
/// Fitted on the rows at which train samples *decide*, each counted once: not on every row of their windows, and never on a validation or
/// test row. The same scaler then serves every row of every window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaler {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

/// Why no scaler can be fitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScalerError {
    /// Nothing to learn from.
    #[error("the scaler has no train row to learn from; raise validation.train or give more data")]
    NoRows,
    /// A row the matrix does not have.
    #[error("train row {row} lies outside the feature matrix of {rows} rows")]
    NoSuchRow {
        /// The row asked for.
        row: u32,
        /// Rows there are.
        rows: usize,
    },
    /// A warm-up or otherwise undefined value among the train rows.
    #[error(
        "feature {column} is not defined at train row {row}: rows in warm-up or with a missing value cannot be train rows"
    )]
    Missing {
        /// The column.
        column: String,
        /// The row.
        row: u32,
    },
    /// Pooled matrices that do not have the same columns.
    #[error(
        "a pooled scaler needs the same features of every symbol: found {found}, expected {expected}"
    )]
    OtherColumns {
        /// Columns of the matrix that differs, comma-separated.
        found: String,
        /// Columns of the first matrix, comma-separated.
        expected: String,
    },
}

impl Scaler {
    /// One that changes nothing: for values that are scaled already.
    #[must_use]
    pub fn identity(columns: usize) -> Self {
        Self { mean: vec![0.0; columns], scale: vec![1.0; columns] }
    }

    /// Mean and population standard deviation (divided by n) of each column over these rows, in `f64`. A constant column gets scale 1.
    ///
    /// # Errors
    /// [`ScalerError`] where there are no rows, or a row is outside or has a missing value.
    pub fn fit(matrix: &FeatureMatrix, rows: &[u32]) -> Result<Self, ScalerError> {
        Self::fit_pooled(&[(matrix, rows)])
    }

    /// One scaler for several symbols: the rows of every part count alike.
    ///
    /// # Errors
    /// As for [`Scaler::fit`], and where the parts differ in their columns.
    pub fn fit_pooled(parts: &[(&FeatureMatrix, &[u32])]) -> Result<Self, ScalerError> {
        check(parts)?;
        let rows = || {
            parts.iter().flat_map(|(matrix, rows)| rows.iter().map(|row| matrix.row(*row as usize)))
        };
        let count = count_as_f64(rows().count());
        // Differences from the first row first: equal values then have a mean that is exact and a deviation of exactly 0.
        let first: Vec<f64> =
            rows().next().ok_or(ScalerError::NoRows)?.iter().map(|v| f64::from(*v)).collect();
        let mut mean = vec![0.0; first.len()];
        for row in rows() {
            for ((sum, value), first) in mean.iter_mut().zip(row).zip(&first) {
                *sum += f64::from(*value) - first;
            }
        }
        for (mean, first) in mean.iter_mut().zip(&first) {
            *mean = first + *mean / count;
        }
        let mut squares = vec![0.0; first.len()];
        for row in rows() {
            for ((sum, value), mean) in squares.iter_mut().zip(row).zip(&mean) {
                *sum += (f64::from(*value) - mean).powi(2);
            }
        }
        let scale = squares
            .into_iter()
            .map(|squares| (squares / count).sqrt())
            .map(|std| if std == 0.0 { 1.0 } else { std })
            .collect();
        Ok(Self { mean, scale })
    }

    /// Each column's mean over the train rows, in the column's unit.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Each column's population standard deviation over the train rows, in the column's unit; 1 for a constant column.
    #[must_use]
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// Standardises one row in place, in `f64`. A missing value stays missing.
    ///
    /// # Panics
    /// If the row has another number of columns than the scaler.
    pub fn transform(&self, row: &mut [f32]) {
        assert_eq!(row.len(), self.mean.len(), "columns of the row and of the scaler");
        for ((value, mean), scale) in row.iter_mut().zip(&self.mean).zip(&self.scale) {
            *value = narrowed((f64::from(*value) - mean) / scale);
        }
    }
}

fn check(parts: &[(&FeatureMatrix, &[u32])]) -> Result<(), ScalerError> {
    for (matrix, rows) in parts {
        let expected = parts[0].0.names();
        if matrix.names() != expected {
            return Err(ScalerError::OtherColumns {
                found: matrix.names().join(", "),
                expected: expected.join(", "),
            });
        }
        for &row in *rows {
            if row as usize >= matrix.rows() {
                return Err(ScalerError::NoSuchRow { row, rows: matrix.rows() });
            }
            if let Some(at) = matrix.row(row as usize).iter().position(|value| value.is_nan()) {
                return Err(ScalerError::Missing { column: matrix.names()[at].clone(), row });
            }
        }
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "row counts stay far below 2^53, where f64 is exact"
)]
const fn count_as_f64(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, reason = "rows are f32 by design")]
const fn narrowed(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    use super::*;

    fn matrix(columns: &[&[f64]]) -> FeatureMatrix {
        let names = (0..columns.len()).map(|column| format!("c{column}")).collect();
        let columns: Vec<Vec<f64>> = columns.iter().map(|column| column.to_vec()).collect();
        FeatureMatrix::from_columns(names, &columns, 0).unwrap()
    }

    #[test]
    fn only_the_rows_given_are_seen() {
        let matrix = matrix(&[&[1e30, 1.0, 3.0, f64::NAN], &[7.0, 0.1, 0.1, 9.0]]);
        let scaler = Scaler::fit(&matrix, &[1, 2]).unwrap();
        assert_eq!((scaler.mean()[0], scaler.scale()[0]), (2.0, 1.0));
        assert_eq!((scaler.mean()[1], scaler.scale()[1]), (f64::from(0.1_f32), 1.0), "constant");
        let mut row = [4.0, 0.1];
        scaler.transform(&mut row);
        assert_eq!(row.map(f32::to_bits), [2.0_f32, 0.0].map(f32::to_bits));
        let json = serde_json::to_string(&scaler).unwrap();
        assert_eq!(serde_json::from_str::<Scaler>(&json).unwrap(), scaler);
    }

    #[test]
    fn what_cannot_be_fitted_says_why() {
        let gappy = matrix(&[&[1.0, 2.0], &[f64::NAN, 1.0]]);
        let other = matrix(&[&[1.0]]);
        for (parts, message) in [
            (vec![], "the scaler has no train row"),
            (vec![(&gappy, &[][..])], "the scaler has no train row"),
            (vec![(&gappy, &[1, 0][..])], "feature c1 is not defined at train row 0"),
            (vec![(&gappy, &[2][..])], "train row 2 lies outside the feature matrix of 2 rows"),
            (vec![(&gappy, &[1][..]), (&other, &[0][..])], "a pooled scaler needs"),
        ] {
            let error = Scaler::fit_pooled(&parts).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    proptest! {
        #[test]
        fn scaled_train_rows_have_mean_0_and_deviation_1(
            values in prop::collection::vec(-1e3..1e3_f64, 2..60), offset in -1e6..1e6_f64,
        ) {
            let column: Vec<f64> = values.iter().map(|value| value + offset).collect();
            let matrix = matrix(&[&column]);
            let rows: Vec<u32> = (0..).take(column.len()).collect();
            let scaler = Scaler::fit(&matrix, &rows).unwrap();
            let scaled = matrix.column(0).map(|v| (f64::from(v) - scaler.mean()[0]) / scaler.scale()[0]);
            let count = f64::from(u32::try_from(rows.len()).unwrap());
            let mean = scaled.clone().sum::<f64>() / count;
            let square = scaled.map(|v| v * v).sum::<f64>() / count;
            prop_assert!(mean.abs() < 1e-6, "{mean}");
            prop_assert!((square - 1.0).abs() < 1e-6 || square == 0.0, "{square}");
        }

        #[test]
        fn a_pooled_fit_is_the_fit_of_all_rows(values in prop::collection::vec(-5.0..5.0_f64, 2..40), cut in 0..40_usize) {
            let cut = cut.min(values.len());
            let (left, right) = values.split_at(cut);
            let rows: Vec<u32> = (0..).take(values.len()).collect();
            let whole = Scaler::fit(&matrix(&[&values]), &rows).unwrap();
            let pooled = Scaler::fit_pooled(&[
                (&matrix(&[left]), &rows[..left.len()]),
                (&matrix(&[right]), &rows[..right.len()]),
            ]).unwrap();
            assert_relative_eq!(whole.mean()[0], pooled.mean()[0]);
            assert_relative_eq!(whole.scale()[0], pooled.scale()[0]);
        }
    }
}
