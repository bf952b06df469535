use std::collections::BTreeMap;

use super::scoring::{Scored, ScoringError, SymbolPredictions, score, split};
use crate::domain::{
    CrossSectionScore, EquityCurve, PredictorEquity, RunSummary, SeriesSummary, Symbol, Timeframe,
    UtcMillis,
};
use crate::evaluation::{Backtest, cross_sectional, equal_weight, newey_west_lags, newey_west_t};
use crate::spec::ExperimentSpec;

/// What all finished folds add up to: per symbol stitched in time order, and across symbols where there are enough; and how equity went
/// along the way, by the very backtests that are summed up.
///
/// The result does not depend on the order in which the tasks ended: sums are taken in a fixed one.
pub(super) fn summarise(
    mut predictions: Vec<SymbolPredictions>,
    spec: &ExperimentSpec,
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
            let mut scored = score(&parts, spec.costs)?;
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
        summary.cross_sections.extend(cross_sections(parts, timeframe, spec.label.horizon()));
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

/// What a predictor said of a symbol at one of its test rows, by position.
type ValueAt = fn(&SymbolPredictions, usize) -> f64;

/// Every predictor that tells symbols apart.
const PREDICTORS: [(&str, ValueAt); 3] = [
    ("model", |part, position| part.model[position]),
    ("last_return", |part, position| part.series.bar_return()[part.rows[position] as usize]),
    ("ridge", |part, position| part.ridge[position]),
];

pub(super) fn cross_sections(
    predictions: &[SymbolPredictions],
    timeframe: Timeframe,
    label_bars: u32,
) -> Vec<CrossSectionScore> {
    let rows = |part: &SymbolPredictions| part.rows.clone().into_iter().map(|row| row as usize);
    let of_rows = predictions.iter().flat_map(|part| rows(part).map(move |row| (part, row)));
    let times: Vec<i64> =
        of_rows.clone().map(|(part, row)| part.series.decision()[row].0).collect();
    let outcomes: Vec<f64> = of_rows.map(|(part, row)| part.series.labels().outcome[row]).collect();
    let scored = PREDICTORS.iter().filter_map(|(name, value_at)| {
        let values: Vec<f64> = predictions
            .iter()
            .flat_map(|part| (0..part.rows.len()).map(move |position| value_at(part, position)))
            .collect();
        let section = cross_sectional(&times, &values, &outcomes);
        let rank_ics: Vec<f64> = section.series.iter().map(|point| point.rank_ic).collect();
        let lags = newey_west_lags(rank_ics.len(), label_bars as usize);
        Some(CrossSectionScore {
            timeframe,
            predictor: (*name).to_owned(),
            timestamps: section.timestamps as u64,
            ic_cs: section.ic_cs?,
            rank_ic_cs: section.rank_ic_cs?,
            icir: section.icir,
            rank_icir: section.rank_icir,
            rank_ic_t: newey_west_t(&rank_ics, lags),
            t_lags: lags as u64,
        })
    });
    scored.collect()
}
