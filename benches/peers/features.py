"""The features of src/features in pandas, each a vectorised column: benches/pipeline.rs asks for them.

The formulas are those documented at FeatureSpec; Wilder's averages start as TA-Lib's.
"""

import json
import sys
import time

import numpy as np
import pandas as pd


def wilder(changes, period):
    """Exponential mean with weight 1 / period that starts with the plain mean of the first `period` changes."""
    started = changes.copy()
    started.iloc[:period] = np.nan
    started.iloc[period] = changes.iloc[1 : period + 1].mean()
    return started.ewm(alpha=1 / period, adjust=False).mean()


def log_return(bars, minutes, lag):
    return [np.log(bars.close / bars.close.shift(lag))]


def realized_volatility(bars, minutes, window):
    return [np.log(bars.close / bars.close.shift(1)).rolling(window).std()]


def rsi(bars, minutes, period):
    change = bars.close.diff()
    gain, loss = wilder(change.clip(lower=0), period), wilder(-change.clip(upper=0), period)
    return [(gain / (gain + loss)).fillna(0.0)]


def atr(bars, minutes, period):
    before = bars.close.shift(1)
    true_range = np.maximum(bars.high, before) - np.minimum(bars.low, before)
    return [wilder(true_range, period) / bars.close]


def volume_z_score(bars, minutes, window):
    volume = np.log1p(bars.volume)
    rolling = volume.rolling(window)
    return [(volume - rolling.mean()) / rolling.std()]


def range_position(bars, minutes, window):
    low, high = bars.low.rolling(window).min(), bars.high.rolling(window).max()
    return [(bars.close - low) / (high - low)]


def time_of_day(bars, minutes):
    close = bars.date + pd.Timedelta(minutes=minutes)
    angle = 2 * np.pi * ((close - close.dt.normalize()) / pd.Timedelta(days=1))
    return [np.sin(angle), np.cos(angle)]


def time_gap(bars, minutes):
    return [np.log((bars.date.diff() / pd.Timedelta(minutes=minutes)).clip(lower=1.0))]


FEATURES = {
    "LogReturn": log_return,
    "RealizedVolatility": realized_volatility,
    "Rsi": rsi,
    "Atr": atr,
    "VolumeZScore": volume_z_score,
    "RangePosition": range_position,
    "TimeOfDay": time_of_day,
    "TimeGap": time_gap,
}


def compute(bars, request):
    columns = []
    for feature in request["features"]:
        ((name, settings),) = ({feature: {}} if isinstance(feature, str) else feature).items()
        columns += FEATURES[name](bars, request["minutes"], **settings)
    return np.column_stack(columns).astype(np.float32)


for line in sys.stdin:
    request = json.loads(line)
    began = time.perf_counter()
    bars = pd.read_csv(request["path"], parse_dates=["date"])
    loaded = time.perf_counter()
    matrix = compute(bars, request)
    done = time.perf_counter()
    means = matrix[request["warm_up"] :].mean(axis=0, dtype=np.float64)
    answer = {"load_seconds": loaded - began, "feature_seconds": done - loaded, "means": means.tolist()}
    print(json.dumps(answer), flush=True)
