"""Writes market.json: what pandas reads from every file of the shared market data.

Each dialect is spelt out here by hand, from the vendors' documentation, and shares nothing with the readers under test. Usage:

    WALKFORGE_DATA=/path/to/data python tests/golden/make_market.py

Per file: symbol, timeframe, rows, first and last open time, a checksum of all open times, and for each column the exact sum (math.fsum, so
that the order of summation does not matter), first, last, least and greatest value; and a few whole rows.
"""

import json
import math
import os
import pathlib
import re
import sys

import numpy as np
import pandas as pd

COLUMNS = ["open", "high", "low", "close", "volume"]
DATA = pathlib.Path(os.environ["WALKFORGE_DATA"])


def to_utc(local, zone):
    """Naive times by a clock to UTC. No file has a bar in an hour that the clock skips or repeats; pandas raises if one does."""
    return local.dt.tz_localize(zone).dt.tz_convert("UTC")


def crypto(path):
    frame = pd.read_feather(path)
    symbol, timeframe = re.fullmatch(r"(.+)-(\d+[mhd])", path.stem).groups()
    return symbol, timeframe, frame["date"].dt.tz_convert("UTC"), frame[COLUMNS]


def fx(path):
    """Integer points; the broker's clock is Eastern European, and for currency pairs Central European before 2014-11-23."""
    symbol, code = re.fullmatch(r"([A-Z]{6})([hd]\d)", path.stem).groups()
    frame = pd.read_csv(path)
    local = pd.to_datetime(frame["Date"])
    utc = to_utc(local, "Europe/Athens")
    if not symbol.startswith("XAU"):
        early = local < pd.Timestamp("2014-11-23")
        utc = utc.where(~early, to_utc(local, "Europe/Berlin"))
    points = 100 if symbol.startswith("XAU") else 1_000 if symbol.endswith("JPY") else 100_000
    bars = frame.rename(columns={"tick_volume": "volume"})[COLUMNS].astype(float)
    bars[COLUMNS[:4]] = bars[COLUMNS[:4]].round() / points
    return symbol, {"h1": "1h", "h4": "4h", "d1": "1d"}[code], utc, bars


def equity(path):
    """LEAN's trade bars: deci-cents and the exchange's clock."""
    frame = pd.read_csv(path, header=None, names=["date", *COLUMNS])
    local = pd.to_datetime(frame["date"], format="%Y%m%d %H:%M")
    bars = frame[COLUMNS].astype(float)
    bars[COLUMNS[:4]] = bars[COLUMNS[:4]] / 10_000
    timeframe = {"hour": "1h", "daily": "1d"}[path.parent.name]
    return path.stem.upper(), timeframe, to_utc(local, "America/New_York"), bars


def gold(path):
    """LEAN's quote bars, UTC: the mean of bid and ask, and the sum of their sizes."""
    names = [f"{side}_{column}" for side in ("bid", "ask") for column in COLUMNS]
    frame = pd.read_csv(path, header=None, names=["date", *names])
    utc = pd.to_datetime(frame["date"], format="%Y%m%d %H:%M", utc=True)
    bars = pd.DataFrame({c: (frame[f"bid_{c}"] + frame[f"ask_{c}"]) / 2 for c in COLUMNS[:4]})
    bars["volume"] = (frame["bid_volume"] + frame["ask_volume"]).astype(float)
    return "XAUUSD", "1h", utc, bars


def coinbase(path):
    frame = pd.read_csv(path, skiprows=1).iloc[::-1]
    utc = pd.to_datetime(frame["date"], format="%Y-%m-%d %I-%p", utc=True)
    return "BTCUSD", "1h", utc, frame.drop(columns="volume").rename(columns={"volume_btc": "volume"})[COLUMNS]


def bitfinex(path):
    frame = pd.read_csv(path).iloc[::-1]
    frame.columns = frame.columns.str.lower()
    utc = pd.to_datetime(frame["date"], format="%Y-%m-%d %H:%M", utc=True)
    return "BTC_USD", "1h", utc, frame.rename(columns={"volumefrom": "volume"})[COLUMNS]


FILES = [
    ("crypto/*.feather", crypto),
    ("fx/*.csv", fx),
    ("us-equities/hour/*.zip", equity),
    ("us-equities/daily/*.zip", equity),
    ("gold/*.zip", gold),
    ("dialects/Coinbase*.csv", coinbase),
    ("dialects/bitfinex*.csv", bitfinex),
]


def checksum(millis):
    """The sum of the times, each times its row from 1, modulo 2^64: every row's time and place count."""
    times = millis.astype(np.uint64)
    return int((times * np.arange(1, len(times) + 1, dtype=np.uint64)).sum(dtype=np.uint64))


def describe(path, reader):
    symbol, timeframe, utc, bars = reader(path)
    millis = utc.dt.tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
    bars = bars.astype(float)
    rows = sorted({0, 1, len(bars) // 3, len(bars) // 2, len(bars) - 1})
    columns = {}
    for column in COLUMNS:
        values = bars[column].to_numpy()
        columns[column] = [math.fsum(values), values[0], values[-1], values.min(), values.max()]
    return {
        "symbol": symbol,
        "timeframe": timeframe,
        "rows": len(bars),
        "first": int(millis[0]),
        "last": int(millis[-1]),
        "times": checksum(millis),
        "columns": columns,
        "samples": [[row, int(millis[row]), *bars.iloc[row].tolist()] for row in rows],
    }


def main():
    files = {}
    for pattern, reader in FILES:
        paths = sorted(DATA.glob(pattern))
        assert paths, f"{DATA}/{pattern} fits no file"
        for path in paths:
            files[path.relative_to(DATA).as_posix()] = describe(path, reader)
    made_with = f"Python {sys.version.split()[0]}, numpy {np.__version__}, pandas {pd.__version__}"
    out = pathlib.Path(__file__).with_name("market.json")
    lines = [f"{json.dumps(name)}: {json.dumps(file)}" for name, file in sorted(files.items())]
    out.write_text('{"made_with": ' + json.dumps(made_with) + ', "files": {\n' + ",\n".join(lines) + "\n}}\n")
    print(f"{out}: {len(files)} files, {out.stat().st_size} bytes")


main()
