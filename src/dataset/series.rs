use crate::domain::{ContentHash, Symbol, Timeframe, UtcMillis};
use crate::features::{self, FeatureError, FeatureMatrix};
use crate::labels::{self, Labels};
use crate::market::{Bars, SessionPattern};
use crate::spec::ExperimentSpec;
use crate::validation::{decision_times, usable_rows};

/// One symbol's bars turned into features and labels: computed once, shared read-only by every fold.
#[derive(Debug)]
pub struct Series {
    symbol: Symbol,
    timeframe: Timeframe,
    data: ContentHash,
    matrix: FeatureMatrix,
    labels: Labels,
    decision: Vec<UtcMillis>,
    usable: Vec<bool>,
    bar_return: Vec<f64>,
    close: Vec<f64>,
    first_open: UtcMillis,
    last_open: UtcMillis,
}

/// Why a series could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A feature cannot be computed.
    #[error("{symbol} {timeframe}: {source}")]
    Feature {
        /// The instrument.
        symbol: Symbol,
        /// The bar length.
        timeframe: Timeframe,
        /// Which and why.
        source: FeatureError,
    },
    /// There is nothing to prepare.
    #[error("{symbol} {timeframe}: no bars in the chosen period; widen data.from and data.until")]
    Empty {
        /// The instrument.
        symbol: Symbol,
        /// The bar length.
        timeframe: Timeframe,
    },
}

impl Series {
    /// Computes features, labels and which rows can be used.
    ///
    /// # Errors
    /// [`PrepareError`] with the symbol and timeframe.
    pub fn prepare(bars: &Bars, spec: &ExperimentSpec) -> Result<Self, PrepareError> {
        let (symbol, timeframe) = (bars.symbol().clone(), bars.timeframe());
        let (Some(&first_open), Some(&last_open)) =
            (bars.open_time().first(), bars.open_time().last())
        else {
            return Err(PrepareError::Empty { symbol, timeframe });
        };
        let matrix = features::compute(&spec.features, bars).map_err(|source| {
            PrepareError::Feature { symbol: symbol.clone(), timeframe, source }
        })?;
        let labels = labels::compute(spec.label, bars);
        let breaks = SessionPattern::of(bars).breaks(bars);
        let usable = usable_rows(&matrix, &breaks, &labels, spec.window);
        let closes = bars.close();
        let bar_return = std::iter::once(0.0)
            .chain(closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0))
            .collect();
        Ok(Self {
            symbol,
            timeframe,
            data: bars.content_hash(),
            matrix,
            labels,
            decision: decision_times(bars),
            usable,
            bar_return,
            close: closes.to_vec(),
            first_open,
            last_open,
        })
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

    /// Rows with a whole, unbroken window and a label.
    #[must_use]
    pub fn usable(&self) -> &[bool] {
        &self.usable
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
