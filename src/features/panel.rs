use rayon::prelude::*;

use super::compute::{columns_of, lookback};
use super::{FeatureError, FeatureMatrix, cross};
use crate::domain::{Symbol, Timeframe};
use crate::market::Bars;
use crate::spec::FeatureSpec;

/// Why there are no features, and of which symbol.
#[derive(Debug, thiserror::Error)]
#[error("{symbol} {timeframe}: {source}")]
pub struct PanelError {
    /// The symbol.
    pub symbol: Symbol,
    /// Its bar length.
    pub timeframe: Timeframe,
    /// Why.
    pub source: FeatureError,
}

/// Computes every feature of every bar of several symbols, one matrix for each, in the order of the panel. All have the same timeframe.
///
/// What compares symbols does so among bars that close at the same moment; the rest is what [`compute`](super::compute) gives for each
/// symbol alone. Symbols are computed in parallel on the caller's rayon pool. Memory: the matrices, and 8 bytes for each cell of the
/// features that compare symbols.
///
/// # Errors
/// [`PanelError`]: of several the one of the first symbol.
pub fn compute_panel(
    specs: &[FeatureSpec],
    panel: &[&Bars],
) -> Result<Vec<FeatureMatrix>, PanelError> {
    check(specs, panel)?;
    let mut compared: Vec<Vec<Vec<Vec<f64>>>> = Vec::new();
    for spec in specs.iter().filter(|spec| spec.is_cross_sectional()) {
        let mut columns = for_each_symbol(panel, |_, bars| columns_of(spec, bars))?;
        cross::compare(spec, panel, &mut columns);
        compared.push(columns);
    }
    for_each_symbol(panel, |symbol, bars| {
        let mut columns = Vec::new();
        let mut compared = compared.iter().map(|of_symbols| &of_symbols[symbol]);
        for spec in specs {
            if spec.is_cross_sectional() {
                columns.extend(compared.next().into_iter().flatten().cloned());
            } else {
                columns.extend(columns_of(spec, bars)?);
            }
        }
        let names = specs.iter().flat_map(FeatureSpec::columns).collect();
        FeatureMatrix::from_columns(names, &columns, lookback(specs, bars.timeframe()))
    })
}

fn check(specs: &[FeatureSpec], panel: &[&Bars]) -> Result<(), PanelError> {
    let Some(&first) = panel.first() else { return Ok(()) };
    if specs.is_empty() {
        return Err(error(first, FeatureError::NoFeatures));
    }
    if let Some(problem) = specs.iter().find_map(FeatureError::impossible) {
        return Err(error(first, problem));
    }
    match panel.iter().find(|bars| bars.timeframe() != first.timeframe()) {
        Some(other) => Err(error(other, FeatureError::Timeframe { expected: first.timeframe() })),
        None => Ok(()),
    }
}

/// The work of each symbol with its place in the panel, in parallel where there are several.
fn for_each_symbol<T: Send>(
    panel: &[&Bars],
    work: impl Fn(usize, &Bars) -> Result<T, FeatureError> + Sync,
) -> Result<Vec<T>, PanelError> {
    let one =
        |(place, bars): (usize, &&Bars)| work(place, bars).map_err(|source| error(bars, source));
    // One symbol alone must not start rayon's global pool.
    let done: Vec<Result<T, PanelError>> = if panel.len() > 1 {
        panel.par_iter().enumerate().map(one).collect()
    } else {
        panel.iter().enumerate().map(one).collect()
    };
    done.into_iter().collect()
}

fn error(bars: &Bars, source: FeatureError) -> PanelError {
    PanelError { symbol: bars.symbol().clone(), timeframe: bars.timeframe(), source }
}
