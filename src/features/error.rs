use kand::KandError;

/// Why there is no feature matrix.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    /// Nothing to compute.
    #[error(
        "features: the list is empty, at least one is needed; add one, as in features: [LogReturn(lag: 1)]"
    )]
    NoFeatures,
    /// A length for which the formula has no meaning.
    #[error(
        "feature {column}: {field} is {found} and must be at least {least}; raise it in the experiment's features"
    )]
    Parameter {
        /// The feature's first column.
        column: String,
        /// The parameter's name in the specification.
        field: &'static str,
        /// Its value, in bars.
        found: u32,
        /// The smallest one taken, in bars.
        least: u32,
    },
    /// The indicator library refused the bars.
    #[error(
        "feature {column}: cannot be computed on {bars} bars: {source}; run `walkforge data inspect` on the file"
    )]
    Indicator {
        /// The column.
        column: String,
        /// Bars given.
        bars: usize,
        /// What the library said.
        source: KandError,
    },
    /// The columns do not make a table.
    #[error(
        "column {column} has {found} rows, {expected} were expected: every feature needs one value per bar and one name per column"
    )]
    Shape {
        /// The column, by name or position.
        column: String,
        /// Its rows (0 where a name has no column).
        found: usize,
        /// The rows of the first column.
        expected: usize,
    },
}
