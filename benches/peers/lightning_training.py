"""Trains one model with Lightning and a DataLoader, on one thread: benches/training.rs asks for it."""

import json
import sys
import time

import torch

from forecaster import Forecaster, Windows, loader, market, trainer_of

torch.set_num_threads(1)


def train(request):
    window, train_rows = request["window"], request["train_rows"]
    rows = window + train_rows + request["validation_rows"]
    matrix, labels = market(request, rows)
    fit = Windows(matrix, labels, window, window, window + train_rows)
    check = Windows(matrix, labels, window, window + train_rows, rows)
    module, trainer = Forecaster(request), trainer_of(request)
    began = time.perf_counter()
    trainer.fit(module, loader(fit, request, shuffle=True), loader(check, request))
    return {"steps": trainer.global_step, "seconds": time.perf_counter() - began}


for line in sys.stdin:
    print(json.dumps(train(json.loads(line))), flush=True)
