"""Writes features.json: bars, and what TA-Lib, pandas, numpy and scikit-learn compute from them.

The keys are the names of our columns. Numbers of windows are computed window by window, without running sums.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install TA-Lib numpy pandas scikit-learn
    /tmp/golden/bin/python tests/golden/make_features.py
"""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import talib
from sklearn.preprocessing import StandardScaler

HOUR_MILLIS = 3_600_000


def random_bars(generator: np.random.Generator) -> pd.DataFrame:
    """240 hourly bars of a random walk, with two weekends cut out, a bar of no volume and one that does not move."""
    count = 240
    close = 100.0 * np.exp(np.cumsum(generator.normal(0.0, 0.01, count)))
    open_ = np.concatenate([[100.0], close[:-1]]) * np.exp(generator.normal(0.0, 0.001, count))
    high = np.maximum(open_, close) * np.exp(np.abs(generator.normal(0.0, 0.004, count)))
    low = np.minimum(open_, close) * np.exp(-np.abs(generator.normal(0.0, 0.004, count)))
    volume = np.exp(generator.normal(6.0, 1.0, count))
    volume[70] = 0.0
    open_[100] = high[100] = low[100] = close[100] = close[99]
    hours = np.arange(count) + 473_350  # 2023-12-31 22:00 UTC
    hours[90:] += 48
    hours[200:] += 50
    columns = {"open_time": hours * HOUR_MILLIS, "open": open_, "high": high, "low": low, "close": close, "volume": volume}
    return pd.DataFrame(columns).round(6)


def quiet_bars() -> pd.DataFrame:
    """The price stands still, rises once, and stands still again."""
    close = np.array([3.1] * 12 + [3.4] * 18)
    columns = {"open_time": np.arange(30) * HOUR_MILLIS}
    columns |= {name: close for name in ("open", "high", "low", "close")}
    return pd.DataFrame(columns | {"volume": np.full(30, 5.0)})


def edge_bars() -> pd.DataFrame:
    """What breaks formulas: a price that stands still, then jumps, bars without range or volume, equal highs and lows, gaps in time.

    All prices are multiples of 1/8, so that sums of equal ones are exact whatever the order.
    """
    steps = [0] * 60 + [8, 0, 0, -4, 2] * 6 + [1, -1] * 20 + [0] * 50 + [3, 2, -7, 4, 1, 0, -2] * 12
    close = 40.0 + np.cumsum(steps) / 8
    open_ = np.concatenate([[40.0], close[:-1]])
    open_[95] += 0.25
    reach = np.array([0.0] * 60 + [0.125, 0.25] * 35 + [0.0] * 50 + [0.5] * (len(steps) - 180))
    volume = np.concatenate([[0.0] * 20, [7.0] * 60, np.arange(60) * 3.0, [0.0] * 55, [11.0] * (len(steps) - 195)])
    hours = np.arange(len(steps)) + 475_000
    hours[100:] += 3
    hours[180:] += 100
    columns = {"open_time": hours * HOUR_MILLIS, "open": open_, "close": close, "volume": volume}
    columns |= {"high": np.maximum(open_, close) + reach, "low": np.minimum(open_, close) - reach}
    return pd.DataFrame(columns)


def of_windows(values, size, number) -> np.ndarray:
    """`number` of each window of the last `size` values, computed from that window alone."""
    values = np.asarray(values, dtype=float)
    column = np.full(len(values), np.nan)
    for end in range(size, len(values) + 1):
        window = values[end - size : end]
        if not np.isnan(window).any():
            column[end - 1] = number(window)
    return column


def z_score(window: np.ndarray) -> float:
    deviation = window.std(ddof=1)
    return (window[-1] - window.mean()) / deviation if deviation > 0 else 0.0


def ratio(part, whole, of_nothing=0.0) -> np.ndarray:
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    return np.where(whole == 0, of_nothing, part / np.where(whole == 0, 1.0, whole))


def talib_columns(bars: pd.DataFrame) -> dict[str, np.ndarray]:
    open_, high, low, close, volume = (bars[name].to_numpy() for name in ("open", "high", "low", "close", "volume"))
    averages = {
        "sma_distance_20": talib.SMA(close, 20),
        "ema_distance_20": talib.EMA(close, 20),
        "wma_distance_20": talib.WMA(close, 20),
        "dema_distance_20": talib.DEMA(close, 20),
        "tema_distance_20": talib.TEMA(close, 20),
        "kama_distance_10": talib.KAMA(close, 10),
        "sar_distance_0.02_0.2": talib.SAR(high, low, 0.02, 0.2),
    }
    columns = {name: close / average - 1 for name, average in averages.items()}
    columns |= {f"rsi_{n}": talib.RSI(close, n) / 100 for n in (2, 5, 14)}
    columns |= {f"atr_{n}": talib.ATR(high, low, close, n) / close for n in (2, 5, 14)}
    names = ("macd_12_26_9", "macd_signal_12_26_9", "macd_histogram_12_26_9")
    columns |= {name: column / close for name, column in zip(names, talib.MACD(close, 12, 26, 9))}
    down, up = talib.AROON(high, low, 14)
    k, d = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    rsi_k, rsi_d = talib.STOCHRSI(close, 14, 14, 3, 0)
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    keltner = 2 * talib.ATR(high, low, close, 10)
    obv = talib.OBV(close, volume)
    mean_volume = of_windows(volume, 24, np.mean)
    return columns | {
        "rate_of_change_10": talib.ROCP(close, 10),
        "momentum_10": talib.MOM(close, 10) / close,
        "ppo_12_26": talib.PPO(close, 12, 26, 1) / 100,
        "adx_14": talib.ADX(high, low, close, 14) / 100,
        "plus_di_14": talib.PLUS_DI(high, low, close, 14) / 100,
        "minus_di_14": talib.MINUS_DI(high, low, close, 14) / 100,
        "aroon_up_14": up / 100,
        "aroon_down_14": down / 100,
        "linear_regression_slope_14": talib.LINEARREG_SLOPE(close, 14) / close,
        "linear_regression_angle_14": np.arctan(100 * talib.LINEARREG_SLOPE(close, 14) / close) / (math.pi / 2),
        "linear_regression_distance_14": (close - talib.LINEARREG(close, 14)) / close,
        "stochastic_k_14_3_3": k / 100,
        "stochastic_d_14_3_3": d / 100,
        "stochastic_rsi_k_14_14_3": rsi_k / 100,
        "stochastic_rsi_d_14_14_3": rsi_d / 100,
        "williams_r_14": talib.WILLR(high, low, close, 14) / 100,
        "cci_20": talib.CCI(high, low, close, 20) / 100,
        "cmo_14": talib.CMO(close, 14) / 100,
        "trix_15": talib.TRIX(close, 15) / 100,
        "ultimate_oscillator_7_14_28": talib.ULTOSC(high, low, close, 7, 14, 28) / 100,
        "true_range": talib.TRANGE(high, low, close) / close,
        "bollinger_position_20_2": np.where(np.isnan(upper), np.nan, ratio(close - lower, upper - lower, 0.5)),
        "bollinger_bandwidth_20_2": (upper - lower) / middle,
        "keltner_position_20_10_2": np.where(
            np.isnan(talib.EMA(close, 20)), np.nan, ratio(close - talib.EMA(close, 20) + keltner, 2 * keltner, 0.5)
        ),
        "obv_slope_24": np.where(np.isnan(mean_volume), np.nan, ratio(talib.LINEARREG_SLOPE(obv, 24), mean_volume)),
        "obv_z_score_48": of_windows(obv, 48, z_score),
        "accumulation_z_score_48": of_windows(talib.AD(high, low, close, volume), 48, z_score),
        "mfi_14": talib.MFI(high, low, close, volume, 14) / 100,
        "body_ratio": talib.BOP(open_, high, low, close),
    }


def volatility_columns(bars: pd.DataFrame, returns: np.ndarray) -> dict[str, np.ndarray]:
    open_, high, low, close = (np.log(bars[name].to_numpy()) for name in ("open", "high", "low", "close"))
    rogers = (high - close) * (high - open_) + (low - close) * (low - open_)
    garman = 0.5 * (high - low) ** 2 - (2 * math.log(2) - 1) * (close - open_) ** 2
    gap = open_ - np.concatenate([[np.nan], close[:-1]])
    n = 24
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    variance = lambda window: window.var(ddof=1)
    zhang = of_windows(gap, n, variance) + k * of_windows(close - open_, n, variance) + (1 - k) * of_windows(rogers, n, np.mean)
    roots = {
        "parkinson_volatility_24": of_windows((high - low) ** 2 / (4 * math.log(2)), n, np.mean),
        "garman_klass_volatility_24": of_windows(garman, n, np.mean),
        "rogers_satchell_volatility_24": of_windows(rogers, n, np.mean),
        "yang_zhang_volatility_24": zhang,
    }
    columns = {name: np.sqrt(np.maximum(column, 0.0)) for name, column in roots.items()}
    columns |= {f"realized_volatility_{n}": of_windows(returns, n, lambda window: window.std(ddof=1)) for n in (5, 24)}
    return columns | {"gap": gap, "bar_return": close - open_}


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return np.corrcoef(a, b)[0, 1] if a.std() > 0 and b.std() > 0 else 0.0


def correlations(a: np.ndarray, b: np.ndarray, size: int) -> np.ndarray:
    """Of each window of two columns."""
    column = np.full(len(a), np.nan)
    for end in range(size, len(a) + 1):
        window = slice(end - size, end)
        if not np.isnan(a[window] + b[window]).any():
            column[end - 1] = correlation(a[window], b[window])
    return column


def volume_columns(bars: pd.DataFrame, returns: np.ndarray) -> dict[str, np.ndarray]:
    high, low, close, volume = (bars[name].to_numpy() for name in ("high", "low", "close", "volume"))
    typical = (high + low + close) / 3
    flow = ratio(2 * close - high - low, high - low) * volume
    sums = {n: of_windows(volume, n, np.sum) for n in (20, 24)}
    with np.errstate(divide="ignore", invalid="ignore"):
        illiquidity = np.abs(returns) / (close * volume)
    illiquidity[volume == 0] = np.inf
    amihud = np.full(len(close), np.nan)
    for end in range(25, len(close) + 1):
        known = illiquidity[end - 24 : end]
        known = known[np.isfinite(known)]
        amihud[end - 1] = np.log1p(1e6 * known.mean()) if len(known) else np.nan
    return {
        "volume_z_score_48": of_windows(np.log1p(volume), 48, z_score),
        "relative_volume_24": np.where(np.isnan(sums[24]), np.nan, ratio(volume, sums[24] / 24)),
        "chaikin_money_flow_20": np.where(
            np.isnan(sums[20]), np.nan, ratio(of_windows(flow, 20, np.sum), sums[20])
        ),
        "vwap_distance_24": close / ratio(of_windows(typical * volume, 24, np.sum), sums[24], np.nan) - 1,
        "amihud_24": amihud,
        "price_volume_correlation_24": correlations(returns, np.log1p(volume), 24),
    }


def position_columns(bars: pd.DataFrame) -> dict[str, np.ndarray]:
    open_, high, low, close = (bars[name].to_numpy() for name in ("open", "high", "low", "close"))
    lowest, highest = of_windows(low, 24, np.min), of_windows(high, 24, np.max)
    since = lambda values: of_windows(values, 48, lambda window: np.argmax(window[::-1]) / 47)
    rises = np.concatenate([[np.nan], (np.diff(close) > 0).astype(float)])
    line = lambda window: correlation(window, np.arange(14.0)) ** 2
    steps = np.concatenate([[np.nan], np.abs(np.diff(close))])
    distance = np.abs(close - bars["close"].shift(10).to_numpy())
    return {
        "range_position_24": np.where(np.isnan(lowest), np.nan, ratio(close - lowest, highest - lowest, 0.5)),
        "drawdown_48": close / of_windows(high, 48, np.max) - 1,
        "run_up_48": close / of_windows(low, 48, np.min) - 1,
        "bars_since_high_48": since(high),
        "bars_since_low_48": since(-low),
        "up_bar_ratio_24": of_windows(rises, 24, np.mean),
        "upper_shadow_ratio": ratio(high - np.maximum(open_, close), high - low),
        "lower_shadow_ratio": ratio(np.minimum(open_, close) - low, high - low),
        "linear_regression_r2_14": of_windows(close, 14, line),
        "efficiency_ratio_10": np.where(np.isnan(distance), np.nan, ratio(distance, of_windows(steps, 10, np.sum))),
    }


def return_columns(bars: pd.DataFrame, returns: np.ndarray) -> dict[str, np.ndarray]:
    of_series = lambda number: lambda window: number(pd.Series(window)) if window.std() > 0 else 0.0
    rank = lambda window: pd.Series(window).rank(pct=True).iloc[-1]
    before = np.concatenate([[np.nan], returns[:-1]])
    return {
        "return_mean_24": of_windows(returns, 24, np.mean),
        "return_skewness_48": of_windows(returns, 48, of_series(pd.Series.skew)),
        "return_kurtosis_48": of_windows(returns, 48, of_series(pd.Series.kurt)),
        "return_min_24": of_windows(returns, 24, np.min),
        "return_max_24": of_windows(returns, 24, np.max),
        "return_z_score_48": of_windows(returns, 48, z_score),
        "return_quantile_48_0.05": of_windows(returns, 48, lambda window: np.quantile(window, 0.05)),
        "return_rank_48": of_windows(returns, 48, rank),
        "return_autocorrelation_48_1": correlations(returns, before, 48),
        "log_return_1": returns,
        "log_return_24": np.log(bars["close"]).diff(24).to_numpy(),
    }


def circle(name: str, share: pd.Series) -> dict[str, np.ndarray]:
    angle = 2 * math.pi * share.to_numpy()
    return {f"{name}_sin": np.sin(angle), f"{name}_cos": np.cos(angle)}


def closed_at(bars: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(bars["open_time"] + HOUR_MILLIS, unit="ms", utc=True)


def clock_columns(bars: pd.DataFrame) -> dict[str, np.ndarray]:
    at = closed_at(bars).dt
    day = (closed_at(bars) - at.normalize()) / pd.Timedelta(days=1)
    missing = bars["open_time"].diff() / HOUR_MILLIS - 1
    columns = circle("time_of_day", day) | circle("day_of_week", at.day_of_week / 7)
    columns |= circle("day_of_month", (at.day - 1) / at.days_in_month) | circle("month_of_year", (at.month - 1) / 12)
    return columns | {
        "is_weekend": (at.day_of_week >= 5).to_numpy().astype(float),
        "time_gap": np.log1p(missing).to_numpy(),
    }


def higher_columns(bars: pd.DataFrame) -> dict[str, np.ndarray]:
    """The RSI of 4-hour bars, each of the hours that close within it, seen from its close on."""
    closes = pd.DataFrame({"at": closed_at(bars), "close": bars["close"]})
    longer = closes.assign(at=closes["at"].dt.ceil("4h")).groupby("at", as_index=False).last()
    longer["rsi"] = talib.RSI(longer["close"].to_numpy(), 14) / 100
    return {"4h_rsi_14": pd.merge_asof(closes, longer[["at", "rsi"]], on="at")["rsi"].to_numpy()}


def columns_of(bars: pd.DataFrame) -> dict[str, np.ndarray]:
    returns = np.log(bars["close"]).diff().to_numpy()
    columns = talib_columns(bars) | volatility_columns(bars, returns) | volume_columns(bars, returns)
    columns |= position_columns(bars) | return_columns(bars, returns)
    return columns | clock_columns(bars) | higher_columns(bars)


def panel(generator: np.random.Generator) -> list[dict]:
    """Seven symbols with holes of their own, and what they are worth against each other at each moment."""
    closes = pd.DataFrame(100 * np.exp(generator.normal(0, 0.01, (80, 7)).cumsum(axis=0))).round(6)
    closes[2] = closes[1]
    closes[6] = 100.0
    holes = generator.uniform(size=closes.shape) < 0.2
    closes[holes] = np.nan
    hours = np.arange(80) + 473_350
    returns = pd.DataFrame({name: np.log(closes[name].dropna()).diff(4) for name in closes}).reindex(closes.index)
    enough = (returns.notna().sum(axis=1) >= 5).to_numpy()[:, None]
    count = returns.notna().sum(axis=1).to_numpy()[:, None]
    demeaned = returns.sub(returns.mean(axis=1), axis=0)
    expected = {
        "cross_rank_log_return_4": (returns.rank(axis=1) - 1) / (count - 1) - 0.5,
        "cross_z_score_log_return_4": demeaned.div(returns.std(axis=1), axis=0),
        "cross_demean_log_return_4": demeaned,
    }
    symbols = []
    for name in closes:
        rows = closes[name].notna().to_numpy()
        close = closes[name][rows].to_numpy()
        bars = pd.DataFrame({"open_time": hours[rows] * HOUR_MILLIS} | {part: close for part in ("open", "high", "low", "close")})
        values = {key: np.where(enough, table, np.nan)[rows, name] for key, table in expected.items()}
        symbols.append(series(bars.assign(volume=1.0), values))
    return symbols


def listed(values: np.ndarray) -> list[float | None]:
    return [None if math.isnan(value) else float(value) for value in values]


def series(bars: pd.DataFrame, expected: dict[str, np.ndarray]) -> dict:
    columns = {name: bars[name].tolist() for name in bars.columns}
    return columns | {"expected": {name: listed(column) for name, column in expected.items()}}


def scaler_case(generator: np.random.Generator) -> dict:
    """Columns of very different size, one of them constant; only every third row is seen."""
    columns = np.stack(
        [
            generator.normal(0.0, 1e-3, 60),
            generator.normal(5e4, 2.0, 60),
            np.full(60, 0.1),
            generator.uniform(0.0, 1.0, 60),
        ]
    ).astype(np.float32)
    rows = list(range(1, 60, 3))
    scaler = StandardScaler().fit(columns.T[rows].astype(np.float64))
    return {
        "columns": columns.astype(np.float64).tolist(),
        "rows": rows,
        "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(),
        "first_row": scaler.transform(columns.T[rows[:1]].astype(np.float64))[0].tolist(),
    }


def main() -> None:
    generator = np.random.default_rng(20240630)
    bars, quiet = random_bars(generator), quiet_bars()
    walk = series(bars, columns_of(bars))
    for horizon in (1, 4):
        forward = bars["open"].shift(-1 - horizon) / bars["open"].shift(-1) - 1
        walk[f"forward_return_{horizon}"] = listed(forward.to_numpy())
    golden = {
        "made_by": "tests/golden/make_features.py",
        "versions": {
            "TA-Lib": talib.__version__,
            "TA-Lib C library": talib.__ta_version__.decode().split(" ")[0],
            "numpy": np.__version__,
            "pandas": pd.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "walk": walk,
        "quiet": series(quiet, columns_of(quiet)),
        "edge": series(edge_bars(), columns_of(edge_bars())),
        "scaler": scaler_case(generator),
        "panel": panel(generator),
    }
    path = Path(__file__).with_name("features.json")
    path.write_text(json.dumps(golden, separators=(",", ":")).replace('},"', '},\n"') + "\n")
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
