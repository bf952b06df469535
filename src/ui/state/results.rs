use crate::domain::{EquityCurve, RunId, Symbol, Timeframe};
use crate::runs::{RunEntry, RunResults};

use super::Curve;

/// Stored runs and the one looked at.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// Newest first.
    pub(crate) stored: Vec<RunEntry>,
    /// The run asked for.
    pub(crate) wanted: Option<RunId>,
    /// What is shown.
    pub(crate) loaded: Option<Box<RunResults>>,
    /// Its equity curves, ready to draw, in the order of `loaded.equity`.
    pub(crate) equity: Vec<EquityPlot>,
    /// Why the run asked for cannot be shown.
    pub(crate) error: Option<String>,
}

/// One symbol's equity curves, or those of all symbols together, thinned to what a screen can show.
#[derive(Debug)]
pub(crate) struct EquityPlot {
    pub(crate) symbol: Option<Symbol>,
    pub(crate) timeframe: Timeframe,
    /// Predictor and its curve: seconds since 1970 against equity, the start being 1.
    pub(crate) curves: Vec<(String, Curve)>,
}

impl EquityPlot {
    pub(crate) fn new(equity: &EquityCurve) -> Self {
        let seconds = |millis: i64| millis as f64 / 1000.0;
        let curves = equity.predictors.iter().map(|predictor| {
            let points = equity.times.iter().zip(&predictor.equity);
            let points = points.map(|(at, &value)| (seconds(at.0), value));
            (predictor.name.clone(), Curve::through(points))
        });
        Self {
            symbol: equity.symbol.clone(),
            timeframe: equity.timeframe,
            curves: curves.collect(),
        }
    }
}

impl Results {
    /// Takes what was loaded, unless another run has been asked for since.
    pub(crate) fn take(&mut self, run: &RunId, results: Result<Box<RunResults>, String>) {
        if self.wanted.as_ref() != Some(run) {
            return;
        }
        match results {
            Ok(results) => {
                self.equity = results.equity.iter().map(EquityPlot::new).collect();
                (self.loaded, self.error) = (Some(results), None);
            }
            Err(message) => {
                (self.loaded, self.error) = (None, Some(message));
                self.equity.clear();
            }
        }
    }
}
