use std::collections::BTreeMap;

use super::scoring::{Scored, ScoringError, SymbolPredictions, score, split};
use crate::domain::{
    CrossSectionScore, EquityCurve, PredictorEquity, RunSummary, SeriesSummary, Symbol, Timeframe,
    UtcMillis,
};
use crate::evaluation::{Backtest, cross_sectional, equal_weight};
use crate::spec::CostSpec;

/// What all finished folds add up to: per symbol stitched in time order, and across symbols where there are enough; and how equity went
/// along the way, by the very backtests that are summed up.
///
/// The result does not depend on the order in which the tasks ended: sums are taken in a fixed one.
pub(super) fn summarise(
    mut predictions: Vec<SymbolPredictions>,
    costs: CostSpec,
) -> Result<(RunSummary, Vec<EquityCurve>), ScoringError> {
    predictions.sort_by(|a, b| {
        let key = |part: &SymbolPredictions| (part.series.timeframe(), part.fold);
        key(a).cmp(&key(b)).then_with(|| a.series.symbol().cmp(b.series.symbol()))
    });
    let mut summary = RunSummary::default();
    let mut curves = Vec::new();
    for parts in predictions.chunk_by(|a, b| a.series.timeframe() == b.series.timeframe()) {
        let timeframe = parts[0].series.timeframe();
        let mut by_symbol: BTreeMap<&Symbol, Vec<&SymbolPredictions>> = BTreeMap::new();
        for part in parts {
            by_symbol.entry(part.series.symbol()).or_default().push(part);
        }
        let mut scored_symbols = Vec::with_capacity(by_symbol.len());
        for (symbol, parts) in by_symbol {
            let mut scored = score(&parts, costs)?;
            let (model, baselines) = split(&scored);
            summary.series.push(SeriesSummary {
                symbol: symbol.clone(),
                timeframe,
                folds: parts.len() as u32,
                model,
                baselines,
            });
            curves.push(symbol_curve(symbol, timeframe, &mut scored));
            scored_symbols.push(scored);
        }
        if scored_symbols.len() > 1 {
            curves.push(portfolio_curve(timeframe, &scored_symbols));
        }
        summary.cross_sections.extend(cross_section(parts, timeframe));
    }
    Ok((summary, curves))
}

/// Takes the equity out of the backtests: what the portfolio needs of them is the net returns.
fn symbol_curve(symbol: &Symbol, timeframe: Timeframe, scored: &mut [Scored]) -> EquityCurve {
    let times = scored.first().map_or_else(Vec::new, |model| moments(&model.backtest.times_ms));
    let predictors = scored.iter_mut().map(|scored| PredictorEquity {
        name: scored.name.to_owned(),
        equity: after_each_row(std::mem::take(&mut scored.backtest.equity)),
    });
    EquityCurve { symbol: Some(symbol.clone()), timeframe, times, predictors: predictors.collect() }
}

/// Each predictor over all symbols, equally weighted. Every symbol has the same predictors in the same order.
fn portfolio_curve(timeframe: Timeframe, symbols: &[Vec<Scored>]) -> EquityCurve {
    let mut times = Vec::new();
    let mut predictors = Vec::new();
    for (index, predictor) in symbols[0].iter().enumerate() {
        let backtests: Vec<&Backtest> =
            symbols.iter().map(|scored| &scored[index].backtest).collect();
        let portfolio = equal_weight(&backtests);
        times = moments(&portfolio.times_ms);
        predictors.push(PredictorEquity {
            name: predictor.name.to_owned(),
            equity: after_each_row(portfolio.equity),
        });
    }
    EquityCurve { symbol: None, timeframe, times, predictors }
}

fn moments(times_ms: &[i64]) -> Vec<UtcMillis> {
    times_ms.iter().copied().map(UtcMillis).collect()
}

/// Without the starting equity.
fn after_each_row(mut equity: Vec<f64>) -> Vec<f64> {
    equity.drain(..1);
    equity
}

fn cross_section(
    predictions: &[SymbolPredictions],
    timeframe: Timeframe,
) -> Option<CrossSectionScore> {
    let (mut times, mut values, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
    for part in predictions {
        for (&row, &value) in part.rows.iter().zip(&part.model) {
            times.push(part.series.decision()[row as usize].0);
            values.push(value);
            outcomes.push(part.series.labels().outcome[row as usize]);
        }
    }
    let section = cross_sectional(&times, &values, &outcomes);
    Some(CrossSectionScore {
        timeframe,
        timestamps: section.timestamps as u64,
        ic_cs: section.ic_cs?,
        rank_ic_cs: section.rank_ic_cs?,
        icir: section.icir,
        rank_icir: section.rank_icir,
    })
}
