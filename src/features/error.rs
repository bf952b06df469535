use kand::KandError;

use crate::domain::Timeframe;
use crate::market::ResampleError;
use crate::spec::FeatureSpec;

/// Why there is no feature matrix.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    /// Nothing to compute.
    #[error(
        "features: the list is empty, at least one is needed; add one, as in features: [LogReturn(lag: 1)]"
    )]
    NoFeatures,
    /// A parameter for which the formula has no meaning.
    #[error("feature {column}: {problem}; change it in the experiment's features")]
    Parameter {
        /// The feature's first column.
        column: String,
        /// The parameter, what it is and what it may be.
        problem: String,
    },
    /// Symbols of different timeframes in one panel.
    #[error(
        "its timeframe is not {expected}; compute the features of each timeframe by themselves"
    )]
    Timeframe {
        /// That of the first symbol.
        expected: Timeframe,
    },
    /// Bars that cannot be put together to a higher timeframe.
    #[error("{0}; change the timeframe of the feature Higher, or those of the data")]
    Resample(#[from] ResampleError),
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

impl FeatureError {
    /// The first impossible parameter of a feature.
    pub(super) fn impossible(spec: &FeatureSpec) -> Option<Self> {
        let problem = spec.problems("").into_iter().next()?;
        let problem = problem.to_string().trim_start_matches('.').to_owned();
        Some(Self::Parameter { column: spec.columns().swap_remove(0), problem })
    }
}
