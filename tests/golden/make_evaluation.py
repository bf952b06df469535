"""Writes evaluation.json: inputs and expected outputs for src/evaluation, from published libraries.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 scikit-learn==1.9.1 quantstats==0.0.86 statsmodels==0.15.0
    /tmp/golden/bin/python tests/golden/make_evaluation.py

Where Walkforge's convention is not the library's default, the library is called with Walkforge's, and says so here:

- Annualisation: quantstats takes 252 rows a year unless told. We pass the rows a year that the times really have:
  intervals / span in years of 365.25 days. quantstats' CAGR then has years = rows / periods, which is ours. It does not
  read the index, so there is no day count to align.
- Drawdown: quantstats' is negative, ours is a positive fraction. Both count from the equity before the first row.
- Sortino: both divide the downside by all rows. Checked below against its definition.
- Net returns of the backtest have no published counterpart with our costs; they are written out as array arithmetic.
- ICIR: sample standard deviation (ddof 1) of the per-timestamp series, pandas' default.
"""

import json
import pathlib

import numpy as np
import pandas as pd
import quantstats
import scipy
import scipy.stats
import sklearn
import statsmodels
import statsmodels.api as sm
from sklearn.linear_model import Ridge

YEAR_MS = 365.25 * 24 * 3600 * 1000
HOUR_MS = 3_600_000
START_MS = 1_700_000_400_000
MIN_CROSS_SECTION = 10
rng = np.random.default_rng(20240229)


def correlation_case(name, x, y):
    x, y = np.asarray(x, float), np.asarray(y, float)
    return {
        "name": name,
        "x": x.tolist(),
        "y": y.tolist(),
        "pearson": float(scipy.stats.pearsonr(x, y).statistic),
        "spearman": float(scipy.stats.spearmanr(x, y).statistic),
    }


def correlation():
    x = rng.normal(size=60)
    y = 0.4 * x + rng.normal(size=60)
    return [
        correlation_case("normal", x, y),
        correlation_case("ties on both sides", np.round(x * 2), np.round(y)),
        correlation_case("small returns", x * 1e-5, y * 1e-6),
        correlation_case("large offset", x + 1e6, y - 1e6),
        correlation_case("heavy tails", rng.standard_t(2, size=200), rng.standard_t(2, size=200)),
        correlation_case("three pairs", [1.0, 2.0, 4.0], [2.0, 1.0, 3.0]),
        correlation_case("perfectly opposed", [1.0, 2.0, 3.0, 4.0], [8.0, 6.0, 4.0, 2.0]),
    ]


def cross_section():
    frames = []
    for index, symbols in enumerate([12, 10, 9, 25, 11, 3, 15]):
        prediction = np.round(rng.normal(size=symbols), 1)  # one decimal: ties happen
        outcome = 0.01 * (0.3 * prediction + rng.normal(size=symbols))
        time_ms = START_MS + index * HOUR_MS
        frames.append(pd.DataFrame({"time_ms": time_ms, "prediction": prediction, "outcome": outcome}))
    rows = pd.concat(frames).sample(frac=1.0, random_state=3)  # any order
    groups = [(time, group) for time, group in rows.groupby("time_ms") if len(group) >= MIN_CROSS_SECTION]
    ic = pd.Series([group.prediction.corr(group.outcome) for _, group in groups])
    rank_ic = pd.Series([group.prediction.corr(group.outcome, method="spearman") for _, group in groups])
    return {
        "times_ms": rows.time_ms.tolist(),
        "predictions": rows.prediction.tolist(),
        "outcomes": rows.outcome.tolist(),
        "series_times_ms": [int(time) for time, _ in groups],
        "series_symbols": [len(group) for _, group in groups],
        "series_ic": ic.tolist(),
        "series_rank_ic": rank_ic.tolist(),
        "ic_cs": ic.mean(),
        "rank_ic_cs": rank_ic.mean(),
        "icir": ic.mean() / ic.std(),
        "rank_icir": rank_ic.mean() / rank_ic.std(),
        "too_few_symbols": rows.time_ms.nunique() - len(groups),
    }


def summary_case(values):
    return {
        "values": values.tolist(),
        "mean": float(np.mean(values)),
        "std": float(np.std(values, ddof=1)),
        "t": float(scipy.stats.ttest_1samp(values, 0.0).statistic),
    }


def backtest_case(name, times_ms, positions, returns, fee_bps, half_spread_bps):
    positions, returns = np.asarray(positions, float), np.asarray(returns, float)
    traded = np.abs(np.diff(positions, prepend=0.0))
    traded[-1] += abs(positions[-1])
    net = positions * returns - (fee_bps + half_spread_bps) / 1e4 * traded
    periods = (len(times_ms) - 1) / ((times_ms[-1] - times_ms[0]) / YEAR_MS)
    curve = pd.Series(net, index=pd.to_datetime(times_ms, unit="ms"))

    stats = quantstats.stats
    sortino = net.mean() / np.sqrt(np.mean(np.minimum(net, 0.0) ** 2)) * np.sqrt(periods)
    assert np.isclose(stats.sortino(curve, periods=periods), sortino, rtol=1e-12), "quantstats changed its sortino"
    equity = np.concatenate([[1.0], np.cumprod(1.0 + net)])
    drawdown = float(np.max(1.0 - equity / np.maximum.accumulate(equity)))
    assert np.isclose(-stats.max_drawdown(curve), drawdown, rtol=1e-9), "quantstats changed its drawdown"
    return {
        "name": name,
        "times_ms": list(times_ms),
        "positions": positions.tolist(),
        "returns": returns.tolist(),
        "costs": {"fee_bps": fee_bps, "half_spread_bps": half_spread_bps},
        "net_returns": net.tolist(),
        "total_return": float(stats.comp(curve)),
        "max_drawdown": -float(stats.max_drawdown(curve)),
        "periods_per_year": periods,
        "annual_return": float(stats.cagr(curve, periods=periods)),
        "annual_volatility": float(stats.volatility(curve, periods=periods)),
        "sharpe": float(stats.sharpe(curve, periods=periods)),
        "sortino": float(stats.sortino(curve, periods=periods)),
        "calmar": float(stats.calmar(curve, periods=periods)),
    }


def backtest():
    hourly = [START_MS + HOUR_MS * row for row in range(300)]
    returns = 0.01 * rng.standard_t(4, size=300)
    positions = np.sign(rng.normal(size=300)) * (rng.random(300) > 0.2)
    # Four-hour bars on weekdays only: fewer rows a year than the clock alone would say.
    four_hourly = [START_MS + 4 * HOUR_MS * row for row in range(400)]
    weekday = [time for time in four_hourly if pd.Timestamp(time, unit="ms").weekday() < 5]
    drift = 0.001 + 0.004 * rng.normal(size=len(weekday))
    losing = [-0.02, 0.01, -0.01, 0.005, -0.03]
    return [
        backtest_case("hourly signs with costs", hourly, positions, returns, 5.0, 1.0),
        backtest_case("hourly signs without costs", hourly, positions, returns, 0.0, 0.0),
        backtest_case("always long, weekdays", weekday, np.ones(len(weekday)), drift, 1.0, 0.5),
        backtest_case("first row loses", hourly[:5], np.ones(5), losing, 2.0, 0.0),
    ]


def ridge():
    rows, held_out, cols = 300, 100, 6  # more rows than one block of the accumulation
    x = rng.normal(size=(rows + held_out, cols)) * [1.0, 0.1, 10.0, 1.0, 1.0, 3.0] + [0.0, 5.0, -2.0, 0.0, 100.0, 1.0]
    x[:, 3] = 0.95 * x[:, 0] + 0.05 * x[:, 3]  # nearly the same column twice
    x = x.astype(np.float32)
    y = x.astype(float) @ [0.5, -1.0, 0.02, 0.3, 0.0, 0.0] + 3.0 + 2.0 * rng.normal(size=rows + held_out)
    wide = x.astype(float)
    train, validation = slice(0, rows), slice(rows, None)
    fits = []
    for alpha in [0.0, 1e-3, 1.0, 30.0, 1e3, 1e6]:
        model = Ridge(alpha=alpha, fit_intercept=True, solver="cholesky").fit(wide[train], y[train])
        predictions = model.predict(wide[validation])
        fits.append(
            {
                "alpha": alpha,
                "coefficients": model.coef_.tolist(),
                "intercept": float(model.intercept_),
                "validation_predictions": predictions.tolist(),
                "validation_mse": float(np.mean((predictions - y[validation]) ** 2)),
            }
        )
    return {
        "cols": cols,
        "x": wide[train].ravel().tolist(),
        "y": y[train].tolist(),
        "validation_x": wide[validation].ravel().tolist(),
        "validation_y": y[validation].tolist(),
        "fits": fits,
        "best_alpha": min(fits, key=lambda fit: fit["validation_mse"])["alpha"],
    }


def newey_west():
    cases = []
    for rows, phi, lags in [(300, 0.0, 5), (300, 0.8, 12), (40, -0.5, 3), (5, 0.3, 4)]:
        noise = rng.normal(size=rows)
        values = [noise[0]]
        for shock in noise[1:]:
            values.append(phi * values[-1] + shock)
        values = np.asarray(values) + 0.2
        fit = sm.OLS(values, np.ones(rows)).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
        cases.append({"values": values.tolist(), "lags": lags, "t": float(fit.tvalues[0])})
    return cases


golden = {
    "made_by": "tests/golden/make_evaluation.py",
    "versions": {module.__name__: module.__version__ for module in (np, pd, scipy, sklearn, quantstats, statsmodels)},
    "correlation": correlation(),
    "cross_section": cross_section(),
    "summary": [summary_case(rng.normal(size=20) + 0.1), summary_case(np.array([1.0, 4.0]))],
    "backtest": backtest(),
    "ridge": ridge(),
    "newey_west": newey_west(),
}
path = pathlib.Path(__file__).with_name("evaluation.json")
text = json.dumps(golden, allow_nan=False, separators=(",", ":")).replace('},{"', '},\n{"').replace('],"', '],\n"')
path.write_text(text + "\n")
print(f"{path}: {len(text) / 1024:.0f} KiB")
