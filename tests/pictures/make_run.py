#!/usr/bin/env python3
"""Records the run that the pictures of the window show: build, then run tests/pictures/make_run.py.

A real run of the real program, with what differs from day to day put to fixed values: its name, moments, durations and
the process that owned it. The weights, which no picture shows, are left out. Stored, so that a picture does not depend
on the last digits that another processor computes.
"""

import json
import shutil
import subprocess
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "tests/pictures/runs"
RUN = "20260115-093000-mlp-return-5eed"
BEGAN = datetime(2026, 1, 15, 9, 30, tzinfo=timezone.utc)
COMMAND = [
    ROOT / "target/debug/walkforge", "train", "--preset", "mlp-return", "--device", "cpu", "--workers", "2", "--json",
    "--set", "validation.max_folds=5",
]  # fmt: skip


def at(seconds: float) -> str:
    moment = BEGAN + timedelta(milliseconds=round(1000 * seconds))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z").replace(".000Z", "Z")


def fix(value):
    """The same JSON without what the clock or the process put into it."""
    if isinstance(value, list):
        return [fix(item) for item in value]
    if not isinstance(value, dict):
        return value
    fixed = {key: fix(item) for key, item in value.items()}
    if "run" in fixed:
        fixed["run"] = RUN
    if "created" in fixed:
        fixed["created"] = at(0)
    if "ended" in fixed:
        fixed["ended"] = at(60)
    if "owner" in fixed:
        # Gone: a run that has ended does not need it.
        fixed["owner"] = {key: 0 if isinstance(item, int) else "" for key, item in fixed["owner"].items()}
    if "seconds" in fixed:
        fixed["seconds"] = 0.6 if "epoch" in fixed else 11.4
    if "samples_per_second" in fixed:
        fixed["samples_per_second"] = 4800.0
    return fixed


def interleaved(events):
    """The events as two workers would tell them if both were equally fast, a second for each round."""
    tasks = {}
    for event in events:
        if event["task"] is not None and event["kind"] not in ("queued", "progress"):
            tasks.setdefault(event["task"], []).append(event)
    order = [event["task"] for event in events if event["kind"] == "queued"]
    told = [event for event in events if event["task"] is None and event["kind"] != "run_ended"]
    told += [event for event in events if event["kind"] == "queued"]
    moment = 1.0
    for event in told:
        event["at"] = at(0.5)
    for first, second in zip(order[::2], order[1::2]):
        pair = [tasks[first], tasks[second]]
        for index in range(max(map(len, pair))):
            for task in pair:
                if index < len(task):
                    task[index]["at"] = at(moment)
                    told.append(task[index])
                    if task[index]["kind"] == "epoch":
                        told.append(progress(task[index], moment))
            moment += 0.6
    last = [event for event in events if event["kind"] == "run_ended"]
    for event in last:
        event["at"] = at(moment)
    told += last
    for number, event in enumerate(told):
        event["seq"] = number
    return told


def progress(epoch, moment):
    return {
        "run": RUN, "task": epoch["task"], "seq": 0, "at": at(moment), "kind": "progress", "epoch": epoch["epoch"],
        "max_epochs": 20, "batch": 7, "batches": 12, "samples_per_second": 4800.0,
    }  # fmt: skip


def main():
    with tempfile.TemporaryDirectory() as scratch:
        told = subprocess.run([*COMMAND, "--runs", scratch], check=True, stdout=subprocess.PIPE, text=True).stdout
        (run,) = (path for path in Path(scratch).iterdir() if path.is_dir())
        shutil.rmtree(TARGET, ignore_errors=True)
        target = TARGET / RUN
        for path in sorted(run.rglob("*")):
            if path.suffix == ".json":
                write(target / path.relative_to(run), json.dumps(fix(json.loads(path.read_text()))) + "\n")
        events = [fix(json.loads(line)) for line in told.splitlines()]
        events = [event for event in events if event["kind"] != "progress"]
        write(target / "events.jsonl", "".join(json.dumps(event) + "\n" for event in interleaved(events)))
        for name in ("spec.ron", "equity.parquet"):
            shutil.copy(run / name, target / name)


def write(path: Path, text: str):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    main()
