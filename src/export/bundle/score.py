#!/usr/bin/env python3
"""Scores tables of feature rows with the model in this folder; README.md says more.

    python score.py --check                              are the files whole, and does the model say what it said?
    python score.py features.csv --out predictions.csv   scores a table that `walkforge features` wrote

Needs Python 3.10 or newer and either torch, or onnxruntime with numpy; of the two only the one that is used is imported. Reads Parquet where
pyarrow is there.

A table has a row for each bar: `time`, `symbol`, `timeframe`, `bar` (its number within the series), the model's feature columns as they are (the
scaler is inside the model), and `window_complete`, which is true where the window that ends at the row is whole: no warm-up, no missing value, no
missing bar. Only those rows are predicted. Rows of a series must be in time order, and none may be taken out: a window is the row and those before it.
"""

import argparse
import array
import csv
import hashlib
import importlib.util
import json
import os
import sys

if sys.version_info < (3, 10):
    sys.exit("score.py: needs Python 3.10 or newer")

FOLDER = os.path.dirname(os.path.abspath(__file__))
SCHEMA = 2


class Torch:
    """Scores with model.pt; imports torch and nothing else."""

    name = "torch"

    def __init__(self):
        import torch

        self.torch = torch
        self.model = torch.jit.load(os.path.join(FOLDER, "model.pt"), map_location="cpu").eval()

    def table(self, values, columns):
        return self.torch.frombuffer(values, dtype=self.torch.float32).reshape(-1, columns)

    def predict(self, table, rows, window):
        torch = self.torch
        places = torch.tensor(rows).unsqueeze(1) + torch.arange(1 - window, 1)
        with torch.no_grad():
            return self.model(table[places]).tolist()


class OnnxRuntime:
    """Scores with model.onnx; imports onnxruntime and numpy."""

    name = "onnxruntime"

    def __init__(self):
        import numpy
        import onnxruntime

        self.numpy = numpy
        path = os.path.join(FOLDER, "model.onnx")
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def table(self, values, columns):
        return self.numpy.frombuffer(values, dtype=self.numpy.float32).reshape(-1, columns)

    def predict(self, table, rows, window):
        numpy = self.numpy
        places = numpy.array(rows)[:, None] + numpy.arange(1 - window, 1)
        (predictions,) = self.session.run(["prediction"], {"features": table[places]})
        return predictions.tolist()


ENGINES = {engine.name: engine for engine in (Torch, OnnxRuntime)}


class Series:
    """The rows of one symbol at one timeframe."""

    def __init__(self):
        self.values = array.array("f")
        self.last_time = ""
        self.last_bar = None
        self.count = 0
        # Rows in a row, up to the last one, whose features are all there.
        self.unbroken = 0
        # Rows to predict: their place here, and in the table.
        self.places = []
        self.lines = []


def main():
    arguments = parse()
    manifest = load("manifest.json")
    if manifest.get("schema") != SCHEMA:
        fail(f"manifest.json has format {manifest.get('schema')} and this program reads {SCHEMA}; export the model again")
    if arguments.check:
        check_files(manifest)
    engine = ENGINES[arguments.engine or whichever_is_there()]()
    if arguments.check:
        check_example(manifest, engine)
    if arguments.table:
        rows = score(manifest, engine, arguments)
        write(rows, arguments.out)


def parse():
    parser = argparse.ArgumentParser(description="Scores a table of feature rows with the model in this folder.")
    parser.add_argument("table", nargs="?", help="a table that `walkforge features` wrote, .csv or .parquet")
    parser.add_argument("--out", help="where the predictions go, as CSV; absent: to the terminal")
    parser.add_argument("--engine", choices=list(ENGINES), help="absent: whichever is installed, torch first")
    parser.add_argument("--batch", type=int, default=256, help="windows predicted at once (default: 256)")
    parser.add_argument("--all-series", action="store_true", help="predict symbols and timeframes too that the model was not trained on")
    parser.add_argument("--check", action="store_true", help="check the files' hashes and the model against example.json")
    arguments = parser.parse_args()
    if not (arguments.table or arguments.check):
        parser.error("name a table of features, or give --check")
    if arguments.batch < 1:
        parser.error("--batch must be at least 1")
    return arguments


def fail(message):
    sys.exit(f"score.py: {message}")


def load(name):
    """A JSON file of this folder."""
    try:
        with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        fail(f"{name} cannot be read: {error}; copy the bundle again, or export the model again")


def whichever_is_there():
    for name in ENGINES:
        if importlib.util.find_spec(name) is not None:
            return name
    fail("neither torch nor onnxruntime is installed; `pip install onnxruntime` or `pip install torch`")


def check_files(manifest):
    for name, expected in manifest["files"].items():
        try:
            with open(os.path.join(FOLDER, name), "rb") as file:
                content = file.read()
        except OSError as error:
            fail(f"{name} cannot be read: {error}; copy the bundle again, or export the model again")
        if hashlib.sha256(content).hexdigest() != expected["sha256"]:
            fail(f"{name} is not the file that was exported; copy the bundle again, or export the model again")


def check_example(manifest, engine):
    example = load("example.json")
    batch, window, columns = example["shape"]
    table = engine.table(array.array("f", example["input"]), columns)
    ends = [window * sample + window - 1 for sample in range(batch)]
    predictions = engine.predict(table, ends, window)
    difference = 0.0
    for ours, theirs in zip(predictions, example["output"], strict=True):
        apart, allowed = abs(ours - theirs), example["tolerance"] * max(1.0, abs(theirs))
        # Written so that a NaN fails too.
        if not apart <= allowed:
            fail(f"{engine.name} differs from example.json by {apart:.1e}, more than {allowed:.0e}")
        difference = max(difference, apart)
    print(f"{len(manifest['files'])} files are whole; {engine.name} differs from the example by {difference:.1e}", file=sys.stderr)


def score(manifest, engine, arguments):
    """Lines `[time, symbol, timeframe, prediction]` in the table's order."""
    window, columns = manifest["window"], [feature["name"] for feature in manifest["features"]]
    wanted = wanted_series(manifest, arguments.all_series)
    found, passed_over = {}, set()
    for order, (place, head, bar, complete, values) in enumerate(read(arguments.table, columns)):
        time, *key = head
        key = tuple(key)
        if wanted is not None and key not in wanted:
            passed_over.add(key)
            continue
        series = found.setdefault(key, Series())
        take(series, (time, bar, complete, values), window, place)
        if complete:
            series.lines.append((order, head))
    if passed_over:
        others = ", ".join(" ".join(key) for key in sorted(passed_over))
        print(f"score.py: passed over, because the model is not for them: {others}", file=sys.stderr)
    if not found:
        fail(f"{arguments.table}: has no row of a series that the model is for")
    scored = []
    for series in found.values():
        table = engine.table(series.values, len(columns))
        for start in range(0, len(series.places), arguments.batch):
            part = slice(start, start + arguments.batch)
            predictions = engine.predict(table, series.places[part], window)
            scored.extend((order, [*head, prediction]) for (order, head), prediction in zip(series.lines[part], predictions))
    return [row for _, row in sorted(scored, key=lambda row: row[0])]


def wanted_series(manifest, all_series):
    """The series that the model is for; None for all."""
    own = manifest["series"]
    if own is not None:
        return {(own["symbol"], own["timeframe"])}
    if all_series:
        return None
    task = manifest["lineage"]["task"]
    timeframes = task["timeframe"] if isinstance(task["timeframe"], list) else [task["timeframe"]]
    return {(symbol, timeframe) for symbol in task["symbols"] for timeframe in timeframes}


def take(series, row, window, place):
    time, bar, complete, values = row
    if len(time) == len(series.last_time) and time <= series.last_time:
        fail(f"{place}: {time} does not come after {series.last_time}; sort each series by time")
    if series.last_bar is not None and bar != series.last_bar + 1:
        fail(f"{place}: bar {bar} follows bar {series.last_bar}, so rows between them are gone and windows would be wrong; do not cut the table")
    series.last_time, series.last_bar = time, bar
    missing = any(value is None for value in values)
    series.unbroken = 0 if missing else series.unbroken + 1
    series.values.extend(0.0 if value is None else value for value in values)
    if complete:
        if series.unbroken < window:
            fail(
                f"{place}: window_complete is true, but only {series.unbroken} whole rows lead up to it and the model wants {window}; "
                "make the table with the model's own experiment and do not cut it"
            )
        series.places.append(series.count)
    series.count += 1


def read(path, columns):
    """For each row of a table where it stands, `(time, symbol, timeframe)`, the bar's number, whether its window is complete, and its features, None
    where missing."""
    rows = parquet_rows(path) if path.lower().endswith(".parquet") else csv_rows(path)
    _, header = next(rows, (0, None))
    if header is None:
        fail(f"{path}: is empty")
    places = {name: place for place, name in enumerate(header)}
    for name in ("time", "symbol", "timeframe", "bar", "window_complete", *columns):
        if name not in places:
            fail(f"{path}: has no column `{name}`; make the table with `walkforge features` and the model's own experiment")
    head = [places[name] for name in ("time", "symbol", "timeframe")]
    complete, features = places["window_complete"], [(name, places[name]) for name in columns]
    for line, row in rows:
        place = f"{path}: row {line}"
        if len(row) != len(header):
            fail(f"{place}: has {len(row)} cells, and the header {len(header)}; is the end of the file missing?")
        bar = whole_number(row[places["bar"]], place, "bar")
        values = [number(row[column], place, name) for name, column in features]
        yield place, [row[column] for column in head], bar, is_true(row[complete]), values


def is_true(cell):
    return cell if isinstance(cell, bool) else str(cell).lower() in ("true", "1")


def number(cell, place, name):
    """A float, or None for what is missing."""
    try:
        value = float(cell) if cell not in ("", None) else float("nan")
    except (TypeError, ValueError):
        fail(f"{place}, column `{name}`: `{cell}` is no number; leave the cell empty where there is none")
    return value if value == value else None


def whole_number(cell, place, name):
    try:
        return int(cell)
    except (TypeError, ValueError):
        fail(f"{place}, column `{name}`: `{cell}` is no whole number; make the table with `walkforge features`")


def csv_rows(path):
    """Lines with their numbers. Spreadsheets put a mark before the first and leave empty ones at the end."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            for row in reader:
                if any(cell.strip() for cell in row):
                    yield reader.line_num, row
    except OSError as error:
        fail(f"{path}: cannot be read: {error}")
    except UnicodeDecodeError as error:
        fail(f"{path}: is not UTF-8: {error}; save it as UTF-8")
    except csv.Error as error:
        fail(f"{path}: row {reader.line_num}: is no CSV: {error}")


def parquet_rows(path):
    try:
        import pyarrow.parquet
    except ImportError:
        fail("a Parquet table needs pyarrow; `pip install pyarrow`, or write the features as CSV")
    try:
        file = pyarrow.parquet.ParquetFile(path)
        names = list(file.schema_arrow.names)
        yield 0, names
        line = 0
        for batch in file.iter_batches():
            for row in zip(*(column.to_pylist() for column in batch.columns)):
                line += 1
                yield line, [moment(cell) if name == "time" else cell for name, cell in zip(names, row)]
    except (OSError, ValueError) as error:
        fail(f"{path}: cannot be read: {error}")


def moment(cell):
    """A time as text, as a CSV table has it."""
    return cell.isoformat().replace("+00:00", "Z") if hasattr(cell, "isoformat") else str(cell)


def write(rows, path):
    file = sys.stdout
    try:
        if path:
            file = open(path, "w", newline="", encoding="utf-8")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time", "symbol", "timeframe", "prediction"])
        writer.writerows(rows)
        if path:
            file.close()
    except OSError as error:
        fail(f"{path}: cannot be written: {error}")


if __name__ == "__main__":
    main()
