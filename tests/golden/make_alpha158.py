"""Writes alpha158.json: bars, and what Qlib's own operators compute from them for each of its 158 features.

    python3 -m venv /tmp/golden-qlib && /tmp/golden-qlib/bin/pip install pyqlib
    /tmp/golden-qlib/bin/python tests/golden/make_alpha158.py

The expressions are Qlib's (Alpha158DL), evaluated with its operators in f64; VWAP is (high + low + close) / 3. Prices and volumes are
multiples of 1/1024, so that the running sums of pandas are exact where the market stands still.
"""

import json
import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from qlib.contrib.data.loader import Alpha158DL
from qlib.data import ops
from qlib.data.base import Expression

HOUR_MILLIS = 3_600_000


class Column(Expression):
    """A column of the bars where Qlib would read one from its store."""

    bars: pd.DataFrame

    def __init__(self, name: str):
        self.name = name

    def __str__(self) -> str:
        return "$" + self.name

    def load(self, *_request) -> pd.Series:
        return Column.bars[self.name]

    def _load_internal(self, *_request) -> pd.Series:
        return Column.bars[self.name]

    def get_longest_back_rolling(self) -> int:
        return 0

    def get_extended_window_size(self) -> tuple[int, int]:
        return 0, 0


def bars() -> pd.DataFrame:
    """A walk in which the price stands still for 30 bars, the volume is 0 for 12, and both for 8 bars before the end."""
    generator = np.random.default_rng(20240701)
    count = 190
    steps = generator.normal(0.0, 0.01, count)
    steps[60:90] = 0.0
    steps[170:178] = 0.0
    close = 100.0 * np.exp(np.cumsum(steps))
    open_ = np.concatenate([[100.0], close[:-1]]) * np.exp(generator.normal(0.0, 0.001, count))
    high = np.maximum(open_, close) * np.exp(np.abs(generator.normal(0.0, 0.004, count)))
    low = np.minimum(open_, close) * np.exp(-np.abs(generator.normal(0.0, 0.004, count)))
    for still in (slice(62, 90), slice(172, 178)):
        open_[still] = high[still] = low[still] = close[still]
    volume = np.exp(generator.normal(6.0, 1.0, count))
    volume[100:112] = 0.0
    volume[120] = 0.0
    volume[172:178] = 0.0
    columns = {"open": open_, "high": high, "low": low, "close": close, "volume": volume}
    ticks = pd.DataFrame({name: np.round(column * 1024) / 1024 for name, column in columns.items()})
    return ticks.assign(vwap=(ticks["high"] + ticks["low"] + ticks["close"]) / 3)


def evaluate(field: str) -> pd.Series:
    expression = eval(re.sub(r"\$(\w+)", r'Column("\1")', field), vars(ops) | {"Column": Column})
    return expression.load("", 0, len(Column.bars) - 1)


def without_noise(name: str, values: pd.Series) -> pd.Series:
    """A deviation is exactly 0 where its window holds equal values; the running sums of pandas leave rounding errors there."""
    bars = Column.bars
    move = (bars["close"] / bars["close"].shift(1) - 1).abs() * bars["volume"]
    for operator, column in (("STD", bars["close"]), ("VSTD", bars["volume"]), ("WVMA", move)):
        if window := re.fullmatch(operator + r"(\d+)", name):
            rolling = column.rolling(int(window[1]), min_periods=2)
            return values.mask(rolling.max() == rolling.min(), 0.0)
    return values


def listed(values: pd.Series) -> list[float | None]:
    """Twelve digits; infinity is none as NaN is, as in a feature matrix."""
    return [float(f"{value:.12g}") if np.isfinite(value) else None for value in values]


def main() -> None:
    Column.bars = bars()
    fields, names = Alpha158DL.get_feature_config()
    golden = {
        "made_by": "tests/golden/make_alpha158.py",
        "versions": {name: version(name) for name in ("pyqlib", "pandas", "numpy")},
        "open_time": [hour * HOUR_MILLIS for hour in range(len(Column.bars))],
    }
    golden |= {name: Column.bars[name].tolist() for name in ("open", "high", "low", "close", "volume")}
    golden["names"] = names
    golden["expected"] = {name: listed(without_noise(name, evaluate(field))) for name, field in zip(names, fields)}
    path = Path(__file__).with_name("alpha158.json")
    path.write_text(json.dumps(golden, separators=(",", ":")).replace("],", "],\n") + "\n")
    print(f"{path}: {path.stat().st_size:,} bytes, {len(names)} features")


if __name__ == "__main__":
    main()
