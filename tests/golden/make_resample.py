"""Writes resample.json: bars and what pandas makes of them, for src/market/resample.rs.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install pandas==3.1.1
    /tmp/golden/bin/python tests/golden/make_resample.py

The bars lie on the grid, where Walkforge and pandas mean the same: bins [start, start + length) from Monday 1970-01-05T00:00Z on. Bins
without a bar are dropped, and so is the last one where the series ends before it does.
"""

import json
import pathlib

import numpy as np
import pandas as pd

MONDAY = pd.Timestamp("1970-01-05", tz="UTC")
rng = np.random.default_rng(20240701)


def bars(freq, keep, periods, start="2024-01-03 05:00"):
    index = pd.date_range(start, periods=periods, freq=freq, tz="UTC")
    index = index[[keep(at) for at in index]]
    close = 100 * np.exp(np.cumsum(rng.normal(scale=0.01, size=len(index))))
    open_ = close * np.exp(rng.normal(scale=0.003, size=len(index)))
    high = np.maximum(open_, close) * (1 + rng.uniform(0, 0.005, len(index)))
    low = np.minimum(open_, close) * (1 - rng.uniform(0, 0.005, len(index)))
    # Whole volumes: their sum does not depend on the order.
    volume = rng.integers(0, 10_000, len(index)).astype(float)
    return pd.DataFrame({"open": open_, "high": high, "low": low, "close": close, "volume": volume}, index)


def table(frame):
    columns = {name: frame[name].tolist() for name in frame}
    return {"open_time": [int(at.timestamp()) * 1000 for at in frame.index]} | columns


def case(name, frame, freq, to, rule):
    grouped = frame.resample(rule, origin=MONDAY, closed="left", label="left")
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    resampled = grouped.agg(rules).dropna()
    is_over = resampled.index + pd.Timedelta(rule) <= frame.index[-1] + pd.Timedelta(freq)
    return {
        "name": name,
        "from": freq.replace("min", "m"),
        "to": to,
        "bars": table(frame),
        "resampled": table(resampled[is_over]),
    }


always = lambda at: True
weekdays = lambda at: at.weekday() < 5
session = lambda at: at.weekday() < 5 and 14 <= at.hour < 21
holes = lambda at: rng.random() > 0.2
cases = [
    case("round the clock", bars("1h", always, 300), "1h", "4h", "4h"),
    case("five minutes with holes", bars("5min", holes, 300), "5min", "15m", "15min"),
    case("stocks", bars("1h", session, 500), "1h", "4h", "4h"),
    case("stocks to days", bars("1h", session, 500), "1h", "1d", "24h"),
    case("days to weeks", bars("24h", weekdays, 90, "2024-01-03"), "24h", "1w", "168h"),
    case("a grid that no day has", bars("1h", always, 200), "1h", "5h", "5h"),
]
out = pathlib.Path(__file__).with_name("resample.json")
out.write_text(json.dumps({"pandas": pd.__version__, "cases": cases}) + "\n")
