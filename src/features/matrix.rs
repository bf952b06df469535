use super::FeatureError;

/// The features of one symbol's bars: a dense table of `f32`, one row per bar, one column per feature value.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureMatrix {
    names: Vec<String>,
    rows: usize,
    warm_up: usize,
    /// Row-major, `rows × names.len()`.
    data: Vec<f32>,
}

impl FeatureMatrix {
    /// Builds the table from columns of equal length. A value that is no finite `f32` is stored as NaN. `warm_up` is cut to the row count.
    ///
    /// # Errors
    /// [`FeatureError::NoFeatures`] without columns; [`FeatureError::Shape`] where columns differ in length or lack a name.
    pub fn from_columns(
        names: Vec<String>,
        columns: &[Vec<f64>],
        warm_up: usize,
    ) -> Result<Self, FeatureError> {
        let rows = columns.first().ok_or(FeatureError::NoFeatures)?.len();
        if names.len() != columns.len() {
            let position = names.len().min(columns.len());
            let column = names.get(position).map_or_else(|| format!("#{position}"), String::clone);
            let found = columns.get(position).map_or(0, Vec::len);
            return Err(FeatureError::Shape { column, found, expected: rows });
        }
        for (name, column) in names.iter().zip(columns) {
            if column.len() != rows {
                return Err(FeatureError::Shape {
                    column: name.clone(),
                    found: column.len(),
                    expected: rows,
                });
            }
        }
        let mut data = Vec::with_capacity(rows * columns.len());
        for row in 0..rows {
            data.extend(columns.iter().map(|column| stored(column[row])));
        }
        Ok(Self { names, rows, warm_up: warm_up.min(rows), data })
    }

    /// The columns' names, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Rows: one per bar.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Columns.
    #[must_use]
    pub const fn cols(&self) -> usize {
        self.names.len()
    }

    /// Rows at the start at which at least one column is not defined yet and therefore NaN: the longest lookback, or all rows.
    #[must_use]
    pub const fn warm_up(&self) -> usize {
        self.warm_up
    }

    /// The values at one bar, one per column.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        let start = row * self.cols();
        &self.data[start..start + self.cols()]
    }

    /// One feature over all bars.
    ///
    /// # Panics
    /// If there is no such column.
    #[must_use]
    pub fn column(&self, column: usize) -> impl ExactSizeIterator<Item = f32> + Clone + '_ {
        assert!(column < self.cols(), "column {column} of a matrix of {} columns", self.cols());
        self.data.chunks_exact(self.cols()).map(move |row| row[column])
    }

    /// All values, row by row: `rows × cols`.
    #[must_use]
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the matrix stores f32 by design")]
fn stored(value: f64) -> f32 {
    let value = value as f32;
    if value.is_finite() { value } else { f32::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn rows_and_columns_are_what_was_put_in() {
        let columns = [vec![f64::NAN, 1.0, 2.0], vec![3.0, 4.0, 5.0]];
        let matrix = FeatureMatrix::from_columns(names(&["a", "b"]), &columns, 1).unwrap();
        assert_eq!((matrix.rows(), matrix.cols(), matrix.warm_up()), (3, 2, 1));
        assert_eq!(matrix.row(2), [2.0, 5.0]);
        assert_eq!(matrix.column(1).collect::<Vec<_>>(), [3.0, 4.0, 5.0]);
        assert!(matrix.row(0)[0].is_nan());
        assert_eq!(matrix.as_slice()[2..], [1.0, 4.0, 2.0, 5.0]);
    }

    #[test]
    fn what_f32_cannot_hold_is_missing_not_infinite() {
        let columns = [vec![1e300, f64::NEG_INFINITY, 1.0]];
        let matrix = FeatureMatrix::from_columns(names(&["a"]), &columns, 9).unwrap();
        assert!(matrix.row(0)[0].is_nan() && matrix.row(1)[0].is_nan());
        assert_eq!(matrix.warm_up(), 3);
    }

    #[test]
    fn ragged_columns_are_refused_by_name() {
        let ragged = FeatureMatrix::from_columns(names(&["a", "b"]), &[vec![1.0], vec![]], 0);
        assert!(ragged.unwrap_err().to_string().starts_with("column b has 0 rows, 1 were"));
        let unnamed = FeatureMatrix::from_columns(names(&["a"]), &[vec![1.0], vec![2.0]], 0);
        assert!(unnamed.unwrap_err().to_string().starts_with("column #1 has 1 rows"));
        let empty = FeatureMatrix::from_columns(vec![], &[], 0);
        assert!(matches!(empty, Err(FeatureError::NoFeatures)));
    }
}
