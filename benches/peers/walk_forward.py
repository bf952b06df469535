"""Trains fold after fold with Lightning and predicts each test section: benches/walk_forward.rs asks for it.

With as many threads as PyTorch takes by itself. Features are there already; each fold scales them by its train rows.
"""

import json
import sys
import time

import torch

from forecaster import Forecaster, Windows, loader, market, trainer_of


def walk(request):
    window = request["window"]
    train_rows, validation_rows, test_rows = (request[f"{part}_rows"] for part in ("train", "validation", "test"))
    matrix, labels = market(request, window + train_rows + validation_rows + request["folds"] * test_rows)
    steps, predictions = 0, []
    began = time.perf_counter()
    for fold in range(request["folds"]):
        first = window + fold * test_rows
        ends = [first, first + train_rows, first + train_rows + validation_rows]
        ends.append(ends[-1] + test_rows)
        train = matrix[ends[0] : ends[1]]
        scaled = (matrix - train.mean(0)) / train.std(0)
        fit, check, test = (Windows(scaled, labels, window, *section) for section in zip(ends, ends[1:]))
        module, trainer = Forecaster(request), trainer_of(request)
        trainer.fit(module, loader(fit, request, shuffle=True), loader(check, request))
        predictions += trainer.predict(module, loader(test, request))
        steps += trainer.global_step
    assert sum(len(part) for part in predictions) == request["folds"] * test_rows
    return {"steps": steps, "seconds": time.perf_counter() - began, "threads": torch.get_num_threads()}


for line in sys.stdin:
    print(json.dumps(walk(json.loads(line))), flush=True)
