"""Writes labels.json: forward, volatility-scaled and demeaned returns as pandas computes them, for src/labels.

    VENV/bin/pip install pandas && VENV/bin/python tests/golden/make_labels.py
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

BARS, SYMBOLS, WINDOW = 120, 4, 20
generator = np.random.default_rng(20240407)


def symbol():
    steps = generator.normal(0.0, 0.01, BARS)
    close = 100.0 * np.exp(np.cumsum(steps))
    gaps = np.where(generator.random(BARS) < 0.2, generator.normal(0.0, 0.01, BARS), 0.0)
    return pd.DataFrame({"open": np.roll(close, 1) * (1.0 + gaps), "close": close})


def plain(series):
    return [None if np.isnan(value) else float(value) for value in series]


symbols = [symbol() for _ in range(SYMBOLS)]
for frame in symbols:
    frame["volatility"] = np.log(frame["close"]).diff().rolling(WINDOW).std()

horizons = []
for horizon in (1, 4, 24):
    forward = pd.DataFrame(
        {name: frame["open"].shift(-1 - horizon) / frame["open"].shift(-1) - 1.0 for name, frame in enumerate(symbols)}
    )
    volatility = pd.DataFrame({name: frame["volatility"] for name, frame in enumerate(symbols)})
    scaled = forward / (volatility * np.sqrt(horizon))
    demeaned = forward.sub(forward.mean(axis=1), axis=0)
    horizons.append(
        {
            "horizon": horizon,
            "symbols": [
                {
                    "forward": plain(forward[name]),
                    "scaled": plain(scaled[name]),
                    "demeaned": plain(demeaned[name]),
                }
                for name in range(SYMBOLS)
            ],
        }
    )

golden = {
    "made_by": "tests/golden/make_labels.py",
    "versions": {"pandas": pd.__version__, "numpy": np.__version__},
    "volatility_window": WINDOW,
    "symbols": [
        {"open": plain(frame["open"]), "close": plain(frame["close"]), "volatility": plain(frame["volatility"])}
        for frame in symbols
    ],
    "horizons": horizons,
}
path = Path(__file__).with_name("labels.json")
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n", encoding="utf-8")
print(f"{path}: {path.stat().st_size} bytes")
