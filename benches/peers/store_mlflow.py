"""Records runs in MLflow's local store, a SQLite file: benches/store.rs asks for it.

Each request makes new runs in a new store and writes the same points, one call a run (`log_batch`, the fastest MLflow has: 1,000 metrics is the most
it takes at once) or one call a point (`log_metric`). Making the store itself is not counted.
"""

import json
import logging
import sys
import tempfile
import time

logging.disable(logging.WARNING)

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric

LARGEST_BATCH = 1000


def record(client, experiment, points, batched):
    run = client.create_run(experiment).info.run_id
    now = int(time.time() * 1000)
    if batched:
        for start in range(0, points, LARGEST_BATCH):
            steps = range(start, min(start + LARGEST_BATCH, points))
            client.log_batch(run, metrics=[Metric("train_loss", 1.0 / (step + 1), now, step) for step in steps])
    else:
        for step in range(points):
            client.log_metric(run, "train_loss", 1.0 / (step + 1), timestamp=now, step=step)
    client.set_terminated(run)
    return run


def main():
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryDirectory(dir=request["folder"]) as folder:
            client = MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db")
            experiment = client.create_experiment("bench")
            record(client, experiment, 1, True)
            began = time.perf_counter()
            for _ in range(request["runs"]):
                last = record(client, experiment, request["points"], request["batched"])
            seconds = time.perf_counter() - began
            found = len(client.get_metric_history(last, "train_loss"))
        print(json.dumps({"seconds": seconds, "points": found, "version": mlflow.__version__}), flush=True)


if __name__ == "__main__":
    main()
