"""Writes features.json: bars, and what TA-Lib, pandas, numpy and scikit-learn compute from them.

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


def talib_columns(bars: pd.DataFrame, periods: tuple[int, ...]) -> dict[str, np.ndarray]:
    """TA-Lib's RSI as a fraction, its ATR relative to the close."""
    high, low, close = (bars[name].to_numpy() for name in ("high", "low", "close"))
    columns = {f"rsi_{n}": talib.RSI(close, timeperiod=n) / 100.0 for n in periods}
    return columns | {f"atr_{n}": talib.ATR(high, low, close, timeperiod=n) / close for n in periods}


def volatility(bars: pd.DataFrame, window: int) -> np.ndarray:
    """pandas' sample standard deviation of the last one-bar log returns."""
    returns = np.log(bars["close"]).diff()
    return returns.rolling(window).apply(lambda values: pd.Series(values).std(), raw=True).to_numpy()


def other_columns(bars: pd.DataFrame) -> dict[str, np.ndarray]:
    close, low, high = bars["close"], bars["low"].rolling(24).min(), bars["high"].rolling(24).max()
    log_volume = np.log1p(bars["volume"]).rolling(48)
    closed_at = pd.to_datetime(bars["open_time"] + HOUR_MILLIS, unit="ms", utc=True)
    day = (closed_at - closed_at.dt.normalize()) / pd.Timedelta(days=1)
    missing = bars["open_time"].diff() / HOUR_MILLIS - 1
    columns = {
        "log_return_1": np.log(close).diff(1),
        "log_return_24": np.log(close).diff(24),
        "volume_z_score_48": (np.log1p(bars["volume"]) - log_volume.mean()) / log_volume.std(),
        "range_position_24": (close - low) / (high - low),
        "time_of_day_sin": np.sin(2 * math.pi * day),
        "time_of_day_cos": np.cos(2 * math.pi * day),
        "time_gap": np.log1p(missing),
    }
    return {name: column.to_numpy() for name, column in columns.items()} | {
        "realized_volatility_24": volatility(bars, 24)
    }


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
    walk = series(bars, talib_columns(bars, (2, 14)) | other_columns(bars))
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
        "quiet": series(quiet, talib_columns(quiet, (5,)) | {"realized_volatility_5": volatility(quiet, 5)}),
        "scaler": scaler_case(generator),
    }
    path = Path(__file__).with_name("features.json")
    path.write_text(json.dumps(golden, separators=(",", ":")).replace('},"', '},\n"') + "\n")
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
