use std::sync::Arc;

use crate::dataset::{LatestRows, Series, TaskData};
use crate::domain::{BaselineScore, FoldIndex, Score};
use crate::evaluation::{
    Backtest, BacktestError, Costs, Ridge, RidgeError, RidgeRows, Segment, always_long, backtest,
    contiguous_ranges, hit_rate, information_coefficient, sign_positions,
};
use crate::spec::{CostSpec, LabelSpec};

/// Penalties the ridge baseline chooses from by its validation error.
const RIDGE_ALPHAS: [f64; 6] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5];

/// One symbol's out-of-sample predictions in one fold, the ridge baseline's beside the model's.
#[derive(Debug, Clone)]
pub(super) struct SymbolPredictions {
    pub(super) series: Arc<Series>,
    pub(super) fold: FoldIndex,
    /// Rows of the series, ascending.
    pub(super) rows: Vec<u32>,
    /// As the label defines them in the fold.
    pub(super) labels: Vec<f64>,
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

/// The ridge regression on each row's own scaled features: fitted on train rows, its penalty chosen on validation rows. It learns what the
/// model learns where that is a return made comparable, else the return itself.
pub(super) fn fit_ridge(data: &TaskData, label: LabelSpec) -> Result<Ridge, RidgeError> {
    let train = data.latest(data.train());
    let validation = data.latest(data.validation());
    let cols = data.scaler().mean().len();
    let target = |rows: &LatestRows| match label {
        LabelSpec::ForwardReturn { .. }
        | LabelSpec::Direction { .. }
        | LabelSpec::TripleBarrier { .. } => rows.outcomes.clone(),
        LabelSpec::ScaledReturn { .. }
        | LabelSpec::DemeanedReturn { .. }
        | LabelSpec::RankedReturn { .. } => rows.labels.clone(),
    };
    let (learnt, chosen) = (target(&train), target(&validation));
    Ridge::fit_best(
        RidgeRows { x: &train.features, cols, y: &learnt },
        RidgeRows { x: &validation.features, cols, y: &chosen },
        &RIDGE_ALPHAS,
    )
}

/// How a predictor did on some rows, and the backtest that says so.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scored {
    /// `model`, or the baseline's name.
    pub(super) name: &'static str,
    pub(super) score: Score,
    pub(super) backtest: Backtest,
}

/// A predictor's values for some rows: what is correlated, and what is traded.
struct Predictor {
    name: &'static str,
    values: Vec<f64>,
    positions: Vec<f64>,
}

/// The model and the baselines, in this order, over rows in time order; folds may be stitched. Nothing where there are no parts.
pub(super) fn score(
    parts: &[&SymbolPredictions],
    costs: CostSpec,
) -> Result<Vec<Scored>, ScoringError> {
    let Some(first) = parts.first() else { return Ok(Vec::new()) };
    let series = &first.series;
    let rows: Vec<usize> =
        parts.iter().flat_map(|part| part.rows.iter().map(|&row| row as usize)).collect();
    let model: Vec<f64> = parts.iter().flat_map(|part| part.model.iter().copied()).collect();
    let from_neutral: Vec<f64> =
        parts.iter().flat_map(|part| part.model.iter().map(|value| value - part.neutral)).collect();
    let ridge: Vec<f64> = parts.iter().flat_map(|part| part.ridge.iter().copied()).collect();
    let last: Vec<f64> = rows.iter().map(|&row| series.bar_return()[row]).collect();

    let predictors = [
        Predictor { name: "model", positions: sign_positions(&from_neutral), values: model },
        Predictor {
            name: "always_long",
            values: always_long(rows.len()),
            positions: always_long(rows.len()),
        },
        Predictor { name: "last_return", positions: sign_positions(&last), values: last },
        Predictor { name: "ridge", positions: sign_positions(&ridge), values: ridge },
    ];
    predictors.iter().map(|predictor| score_one(series, &rows, predictor, costs)).collect()
}

/// The model's score and those of the baselines, without their backtests.
pub(super) fn split(scored: &[Scored]) -> (Score, Vec<BaselineScore>) {
    let Some((model, baselines)) = scored.split_first() else { return Default::default() };
    let baselines = baselines
        .iter()
        .map(|scored| BaselineScore { name: scored.name.to_owned(), score: scored.score });
    (model.score, baselines.collect())
}

fn score_one(
    series: &Series,
    rows: &[usize],
    predictor: &Predictor,
    costs: CostSpec,
) -> Result<Scored, ScoringError> {
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
    let score = Score {
        rows: rows.len() as u64,
        ic_ts: ic.ic_ts,
        rank_ic_ts: ic.rank_ic_ts,
        hit_rate: hit_rate(&predictor.positions, &outcomes).rate,
        total_return: Some(backtest.performance.total_return),
        sharpe: backtest.performance.sharpe,
        max_drawdown: Some(backtest.performance.max_drawdown),
        turnover: Some(backtest.turnover),
    };
    Ok(Scored { name: predictor.name, score, backtest })
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
