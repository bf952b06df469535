use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dataset::{Series, TaskData};
use crate::domain::{
    BaselineScore, CrossSectionScore, FoldIndex, RunSummary, Score, SeriesSummary, Symbol,
    Timeframe,
};
use crate::evaluation::{
    BacktestError, Costs, Ridge, RidgeError, RidgeRows, Segment, always_long, backtest,
    contiguous_ranges, cross_sectional, hit_rate, information_coefficient, sign_positions,
};
use crate::spec::CostSpec;

/// Penalties the ridge baseline chooses from by its validation error.
const RIDGE_ALPHAS: [f64; 6] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5];

/// One symbol's out-of-sample predictions in one fold, the ridge baseline's beside the model's.
#[derive(Debug, Clone)]
pub(super) struct SymbolPredictions {
    pub(super) series: Arc<Series>,
    pub(super) fold: FoldIndex,
    /// Rows of the series, ascending.
    pub(super) rows: Vec<u32>,
    pub(super) model: Vec<f64>,
    /// The model's prediction that means neither up nor down.
    pub(super) neutral: f64,
    pub(super) ridge: Vec<f64>,
}

/// Why predictions could not be scored: always a defect of ours, never the user's.
#[derive(Debug, thiserror::Error)]
pub enum ScoringError {
    /// The ridge baseline.
    #[error("the ridge baseline: {0}")]
    Ridge(#[from] RidgeError),
    /// The backtest.
    #[error("the backtest: {0}")]
    Backtest(#[from] BacktestError),
}

/// The ridge regression on each row's own scaled features: fitted on train rows, its penalty chosen on validation rows.
pub(super) fn fit_ridge(data: &TaskData) -> Result<Ridge, RidgeError> {
    let train = data.latest(data.train());
    let validation = data.latest(data.validation());
    let cols = data.scaler().mean().len();
    Ridge::fit_best(
        RidgeRows { x: &train.features, cols, y: &train.outcomes },
        RidgeRows { x: &validation.features, cols, y: &validation.outcomes },
        &RIDGE_ALPHAS,
    )
}

/// A predictor's values for some rows: what is correlated, and what is traded.
struct Predictor {
    name: &'static str,
    values: Vec<f64>,
    positions: Vec<f64>,
}

/// The model's score and those of the baselines over rows in time order; folds may be stitched.
pub(super) fn score(
    parts: &[&SymbolPredictions],
    costs: CostSpec,
) -> Result<(Score, Vec<BaselineScore>), ScoringError> {
    let Some(first) = parts.first() else { return Ok((Score::default(), Vec::new())) };
    let series = &first.series;
    let rows: Vec<usize> =
        parts.iter().flat_map(|part| part.rows.iter().map(|&row| row as usize)).collect();
    let model: Vec<f64> = parts.iter().flat_map(|part| part.model.iter().copied()).collect();
    let from_neutral: Vec<f64> =
        parts.iter().flat_map(|part| part.model.iter().map(|value| value - part.neutral)).collect();
    let ridge: Vec<f64> = parts.iter().flat_map(|part| part.ridge.iter().copied()).collect();
    let last: Vec<f64> = rows.iter().map(|&row| series.bar_return()[row]).collect();

    let model =
        Predictor { name: "model", positions: sign_positions(&from_neutral), values: model };
    let score_of = |predictor: &Predictor| score_one(series, &rows, predictor, costs);
    let baselines = [
        Predictor {
            name: "always_long",
            values: always_long(rows.len()),
            positions: always_long(rows.len()),
        },
        Predictor { name: "last_return", positions: sign_positions(&last), values: last },
        Predictor { name: "ridge", positions: sign_positions(&ridge), values: ridge },
    ];
    let baselines = baselines
        .iter()
        .map(|predictor| {
            Ok(BaselineScore { name: predictor.name.to_owned(), score: score_of(predictor)? })
        })
        .collect::<Result<_, ScoringError>>()?;
    Ok((score_of(&model)?, baselines))
}

fn score_one(
    series: &Series,
    rows: &[usize],
    predictor: &Predictor,
    costs: CostSpec,
) -> Result<Score, ScoringError> {
    let of_rows = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
    let outcomes = of_rows(&series.labels().outcome);
    let returns = of_rows(&series.labels().next_bar_return);
    let times: Vec<i64> = rows.iter().map(|&row| series.decision()[row].0).collect();
    let segments: Vec<Segment<'_>> = contiguous_ranges(rows)
        .into_iter()
        .map(|range| Segment {
            times_ms: &times[range.clone()],
            positions: &predictor.positions[range.clone()],
            returns: &returns[range],
        })
        .collect();
    let costs = Costs { fee_bps: costs.fee_bps, half_spread_bps: costs.half_spread_bps };
    let backtest = backtest(&segments, costs)?;
    let ic = information_coefficient(&predictor.values, &outcomes);
    Ok(Score {
        rows: rows.len() as u64,
        ic_ts: ic.ic_ts,
        rank_ic_ts: ic.rank_ic_ts,
        hit_rate: hit_rate(&predictor.positions, &outcomes).rate,
        total_return: Some(backtest.performance.total_return),
        sharpe: backtest.performance.sharpe,
        max_drawdown: Some(backtest.performance.max_drawdown),
        turnover: Some(backtest.turnover),
    })
}

/// The mean of several symbols' scores, field by field over those that have it.
pub(super) fn mean_score(scores: &[Score]) -> Score {
    let mean = |field: fn(&Score) -> Option<f64>| {
        let known: Vec<f64> = scores.iter().filter_map(field).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    Score {
        rows: scores.iter().map(|score| score.rows).sum(),
        ic_ts: mean(|score| score.ic_ts),
        rank_ic_ts: mean(|score| score.rank_ic_ts),
        hit_rate: mean(|score| score.hit_rate),
        total_return: mean(|score| score.total_return),
        sharpe: mean(|score| score.sharpe),
        max_drawdown: mean(|score| score.max_drawdown),
        turnover: mean(|score| score.turnover),
    }
}

/// What all finished folds add up to: per symbol stitched in time order, and across symbols where there are enough.
///
/// The result does not depend on the order in which the tasks ended: sums are taken in a fixed one.
pub(super) fn summarise(
    mut predictions: Vec<SymbolPredictions>,
    costs: CostSpec,
) -> Result<RunSummary, ScoringError> {
    predictions.sort_by(|a, b| {
        let key = |part: &SymbolPredictions| (part.series.timeframe(), part.fold);
        key(a).cmp(&key(b)).then_with(|| a.series.symbol().cmp(b.series.symbol()))
    });
    let mut by_series: BTreeMap<(Timeframe, &Symbol), Vec<&SymbolPredictions>> = BTreeMap::new();
    for part in &predictions {
        by_series.entry((part.series.timeframe(), part.series.symbol())).or_default().push(part);
    }
    let mut summary = RunSummary::default();
    for ((timeframe, symbol), parts) in by_series {
        let (model, baselines) = score(&parts, costs)?;
        summary.series.push(SeriesSummary {
            symbol: symbol.clone(),
            timeframe,
            folds: parts.len() as u32,
            model,
            baselines,
        });
    }
    let mut timeframes: Vec<Timeframe> =
        predictions.iter().map(|part| part.series.timeframe()).collect();
    timeframes.dedup();
    summary.cross_sections = timeframes
        .into_iter()
        .filter_map(|timeframe| cross_section(&predictions, timeframe))
        .collect();
    Ok(summary)
}

fn cross_section(
    predictions: &[SymbolPredictions],
    timeframe: Timeframe,
) -> Option<CrossSectionScore> {
    let (mut times, mut values, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
    for part in predictions.iter().filter(|part| part.series.timeframe() == timeframe) {
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
