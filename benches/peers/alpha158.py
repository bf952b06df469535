"""Alpha158 with Qlib's own operators on bars in memory: benches/features.rs asks for it.

The bars are five columns of f64 in a row: open, high, low, close, volume. Qlib's cache of operands is on, as when it reads its store.
"""

import json
import re
import sys
import time

import numpy as np
import pandas as pd
from qlib.contrib.data.loader import Alpha158DL
from qlib.data import ops
from qlib.data.base import Expression
from qlib.data.cache import H


class Column(Expression):
    bars: pd.DataFrame

    def __init__(self, name):
        self.name = name

    def __str__(self):
        return "$" + self.name

    def load(self, *_request):
        return Column.bars[self.name]

    def _load_internal(self, *_request):
        return Column.bars[self.name]

    def get_longest_back_rolling(self):
        return 0

    def get_extended_window_size(self):
        return 0, 0


fields, names = Alpha158DL.get_feature_config()
known = vars(ops) | {"Column": Column}
expressions = [eval(re.sub(r"\$(\w+)", r'Column("\1")', field), known) for field in fields]

for line in sys.stdin:
    request = json.loads(line)
    bars = pd.DataFrame(np.fromfile(request["path"]).reshape(5, -1).T, columns=["open", "high", "low", "close", "volume"])
    Column.bars = bars.assign(vwap=(bars["high"] + bars["low"] + bars["close"]) / 3)
    H.clear()
    began = time.perf_counter()
    matrix = np.empty((len(bars), len(names)), dtype=np.float32)
    for column, expression in enumerate(expressions):
        matrix[:, column] = expression.load("", 0, len(bars) - 1)
    seconds = time.perf_counter() - began
    matrix[~np.isfinite(matrix)] = np.nan
    means = np.nanmean(matrix[request["warm_up"] :], axis=0, dtype=np.float64)
    print(json.dumps({"seconds": seconds, "names": names, "means": means.tolist()}), flush=True)
