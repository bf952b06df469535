"""Twenty features with TA-Lib and pandas: benches/features.rs asks for them.

The bars are five columns of f64 in a row: open, high, low, close, volume.
"""

import json
import math
import sys
import time

import numpy as np
import pandas as pd
import talib


def compute(open_, high, low, close, volume):
    returns = pd.Series(close)
    returns = np.log(returns / returns.shift(1))
    log_volume = pd.Series(np.log1p(volume))
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    k, d = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    down, up = talib.AROON(high, low, 14)
    rolling_low, rolling_high = talib.MIN(low, 24), talib.MAX(high, 24)
    parkinson = pd.Series(np.log(high / low) ** 2 / (4 * math.log(2))).rolling(24).mean()
    return {
        "log_return_4": np.log(close / np.concatenate([np.full(4, np.nan), close[:-4]])),
        "sma_distance_20": close / talib.SMA(close, 20) - 1,
        "ema_distance_20": close / talib.EMA(close, 20) - 1,
        "macd_12_26_9": macd / close,
        "macd_signal_12_26_9": signal / close,
        "macd_histogram_12_26_9": histogram / close,
        "adx_14": talib.ADX(high, low, close, 14) / 100,
        "aroon_up_14": up / 100,
        "aroon_down_14": down / 100,
        "rsi_14": talib.RSI(close, 14) / 100,
        "stochastic_k_14_3_3": k / 100,
        "stochastic_d_14_3_3": d / 100,
        "williams_r_14": talib.WILLR(high, low, close, 14) / 100,
        "cci_20": talib.CCI(high, low, close, 20) / 100,
        "mfi_14": talib.MFI(high, low, close, volume, 14) / 100,
        "realized_volatility_24": returns.rolling(24).std(),
        "atr_14": talib.NATR(high, low, close, 14) / 100,
        "bollinger_position_20_2": (close - lower) / (upper - lower),
        "parkinson_volatility_24": np.sqrt(parkinson),
        "volume_z_score_48": (log_volume - log_volume.rolling(48).mean()) / log_volume.rolling(48).std(),
        "range_position_24": (close - rolling_low) / (rolling_high - rolling_low),
        "linear_regression_slope_14": talib.LINEARREG_SLOPE(close, 14) / close,
        "return_skewness_48": returns.rolling(48).skew(),
        "return_quantile_48_0.05": returns.rolling(48).quantile(0.05),
    }


for line in sys.stdin:
    request = json.loads(line)
    bars = np.fromfile(request["path"]).reshape(5, -1)
    began = time.perf_counter()
    columns = compute(*bars)
    matrix = np.column_stack(list(columns.values())).astype(np.float32)
    seconds = time.perf_counter() - began
    means = np.nanmean(matrix[request["warm_up"] :], axis=0, dtype=np.float64)
    print(json.dumps({"seconds": seconds, "names": list(columns), "means": means.tolist()}), flush=True)
