//! Every formula against a published library: `tests/golden/make_evaluation.py` wrote inputs and expected outputs.

use approx::assert_relative_eq;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Golden {
    correlation: Vec<CorrelationCase>,
    cross_section: CrossSectionCase,
    summary: Vec<SummaryCase>,
    backtest: Vec<BacktestCase>,
    ridge: RidgeCase,
    newey_west: Vec<NeweyWestCase>,
}

#[derive(Deserialize)]
struct NeweyWestCase {
    values: Vec<f64>,
    lags: usize,
    t: f64,
}

#[derive(Deserialize)]
struct CorrelationCase {
    name: String,
    x: Vec<f64>,
    y: Vec<f64>,
    pearson: f64,
    spearman: f64,
}

#[derive(Deserialize)]
struct CrossSectionCase {
    times_ms: Vec<i64>,
    predictions: Vec<f64>,
    outcomes: Vec<f64>,
    series_times_ms: Vec<i64>,
    series_symbols: Vec<usize>,
    series_ic: Vec<f64>,
    series_rank_ic: Vec<f64>,
    ic_cs: f64,
    rank_ic_cs: f64,
    icir: f64,
    rank_icir: f64,
    too_few_symbols: usize,
}

#[derive(Deserialize)]
struct SummaryCase {
    values: Vec<f64>,
    mean: f64,
    std: f64,
    t: f64,
}

#[derive(Deserialize)]
struct BacktestCase {
    name: String,
    times_ms: Vec<i64>,
    positions: Vec<f64>,
    returns: Vec<f64>,
    costs: Costs,
    net_returns: Vec<f64>,
    total_return: f64,
    max_drawdown: f64,
    periods_per_year: f64,
    annual_return: f64,
    annual_volatility: f64,
    sharpe: f64,
    sortino: f64,
    calmar: f64,
}

#[derive(Deserialize)]
struct RidgeCase {
    cols: usize,
    x: Vec<f32>,
    y: Vec<f64>,
    validation_x: Vec<f32>,
    validation_y: Vec<f64>,
    fits: Vec<RidgeFit>,
    best_alpha: f64,
}

#[derive(Deserialize)]
struct RidgeFit {
    alpha: f64,
    coefficients: Vec<f64>,
    intercept: f64,
    validation_predictions: Vec<f64>,
    validation_mse: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/evaluation.json"
    )))
    .unwrap()
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= 1e-10 * expected.abs().max(1.0),
            "{what}, row {row}: {found}, not {expected}"
        );
    }
}

#[test]
fn correlations_match_scipy() {
    for case in golden().correlation {
        assert_close(&[pearson(&case.x, &case.y).unwrap()], &[case.pearson], &case.name);
        assert_close(&[spearman(&case.x, &case.y).unwrap()], &[case.spearman], &case.name);
    }
}

#[test]
fn cross_section_matches_pandas() {
    let case = golden().cross_section;
    let found = cross_sectional(&case.times_ms, &case.predictions, &case.outcomes);
    assert_eq!(
        found.series.iter().map(|point| point.time_ms).collect::<Vec<_>>(),
        case.series_times_ms
    );
    assert_eq!(
        found.series.iter().map(|point| point.symbols).collect::<Vec<_>>(),
        case.series_symbols
    );
    assert_close(
        &found.series.iter().map(|point| point.ic).collect::<Vec<_>>(),
        &case.series_ic,
        "ic",
    );
    assert_close(
        &found.series.iter().map(|point| point.rank_ic).collect::<Vec<_>>(),
        &case.series_rank_ic,
        "rank ic",
    );
    assert_eq!(
        (found.timestamps, found.too_few_symbols, found.undefined),
        (case.series_ic.len(), case.too_few_symbols, 0)
    );
    assert_close(
        &[found.ic_cs, found.rank_ic_cs, found.icir, found.rank_icir].map(Option::unwrap),
        &[case.ic_cs, case.rank_ic_cs, case.icir, case.rank_icir],
        "averages",
    );
}

#[test]
fn mean_and_t_match_scipy() {
    for case in golden().summary {
        let found = mean_and_t(&case.values);
        assert_close(
            &[found.mean, found.std, found.t].map(Option::unwrap),
            &[case.mean, case.std, case.t],
            "summary",
        );
    }
}

#[test]
fn performance_matches_quantstats() {
    for case in golden().backtest {
        let segment = Segment {
            times_ms: &case.times_ms,
            positions: &case.positions,
            returns: &case.returns,
        };
        let found = backtest(&[segment], case.costs).unwrap();
        assert_close(&found.net_returns, &case.net_returns, &case.name);
        let performance = found.performance;
        assert_close(
            &[performance.total_return, performance.max_drawdown],
            &[case.total_return, case.max_drawdown],
            &case.name,
        );
        let annual = [
            ("periods per year", performance.periods_per_year, case.periods_per_year),
            ("annual return", performance.annual_return, case.annual_return),
            ("annual volatility", performance.annual_volatility, case.annual_volatility),
            ("sharpe", performance.sharpe, case.sharpe),
            ("sortino", performance.sortino, case.sortino),
            ("calmar", performance.calmar, case.calmar),
        ];
        for (metric, found, expected) in annual {
            assert_close(&[found.unwrap()], &[expected], &format!("{}: {metric}", case.name));
        }
    }
}

#[test]
fn ridge_matches_scikit_learn() {
    let case = golden().ridge;
    let validation =
        RidgeRows { x: case.validation_x.as_slice(), cols: case.cols, y: &case.validation_y };
    for fit in &case.fits {
        let what = format!("alpha {}", fit.alpha);
        let found = Ridge::fit(&case.x, case.cols, &case.y, fit.alpha).unwrap();
        assert_close(&found.coefficients, &fit.coefficients, &what);
        assert_close(&[found.intercept], &[fit.intercept], &what);
        assert_close(
            &found.predict(&case.validation_x).unwrap(),
            &fit.validation_predictions,
            &what,
        );
        assert_close(
            &[found.mean_squared_error(validation).unwrap()],
            &[fit.validation_mse],
            &what,
        );
    }
    let train = RidgeRows { x: case.x.as_slice(), cols: case.cols, y: &case.y };
    let alphas: Vec<f64> = case.fits.iter().map(|fit| fit.alpha).collect();
    assert_relative_eq!(
        Ridge::fit_best(train, validation, &alphas).unwrap().alpha,
        case.best_alpha
    );
}

#[test]
fn newey_west_agrees_with_statsmodels() {
    for case in golden().newey_west {
        let found = newey_west_t(&case.values, case.lags).unwrap();
        assert_relative_eq!(found, case.t, max_relative = 1e-12);
    }
}
