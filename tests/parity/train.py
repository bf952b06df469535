"""Trains what tests/engine/parity.rs asks for, as a PyTorch user would: torch.nn, torch.optim and a loop.

Reads one JSON request a line and answers each with one JSON line. Tensors lie beside as raw little-endian f32, in the folder that the request
names: `matrix` [rows, features], `labels` [rows], `initial` (the weights, one after another), and `trained`, which is written here.
"""

import copy
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from modules import module_of

torch.set_num_threads(1)


def read(path, *shape):
    return torch.from_numpy(np.fromfile(path, dtype="<f4")).reshape(*shape)


class Data:
    """Windows of the matrix, and the targets that belong to them."""

    def __init__(self, request):
        folder = Path(request["folder"])
        self.window = request["window"]
        self.matrix = read(folder / "matrix", -1, request["features"])
        self.labels = read(folder / "labels", -1)
        weights = folder / "weights"
        self.weights = read(weights, -1) if weights.exists() else None
        self.mean, self.scale = (torch.tensor(request["scaler"][part]) for part in ("mean", "scale"))

    def windows(self, rows):
        raw = self.matrix[torch.tensor(rows)[:, None] + torch.arange(1 - self.window, 1)]
        return (raw - self.mean) / self.scale


class Objective:
    """What is minimised, averaged over a batch."""

    def __init__(self, request, data):
        self.loss, self.classes, self.data = request["training"]["loss"], request["classes"], data
        self.mean, self.std = request["label_moments"]
        self.class_weights = None
        if self.loss == "BalancedCrossEntropy":
            # sklearn.utils.class_weight.compute_class_weight("balanced", …)
            counts = torch.bincount(data.labels[request["train"]].long(), minlength=self.classes)
            self.class_weights = len(request["train"]) / (self.classes * counts.float())

    def __call__(self, outputs, rows, learning):
        labels = self.data.labels[rows]
        if self.classes is None:
            targets, outputs = (labels - self.mean) / self.std, outputs.squeeze(1)
            if self.loss == "Auto":
                losses = functional.mse_loss(outputs, targets, reduction="none")
            else:
                losses = functional.huber_loss(outputs, targets, reduction="none", delta=self.loss["Huber"]["delta"])
        elif self.classes == 2:
            losses = functional.binary_cross_entropy_with_logits(outputs.squeeze(1), labels, reduction="none")
        else:
            losses = functional.cross_entropy(outputs, labels.long(), reduction="none")
        if self.class_weights is not None:
            losses = losses * self.class_weights[labels.long()]
        if learning and self.data.weights is not None:
            losses = losses * self.data.weights[rows]
        return losses.mean()


def optimizer_of(training, parameters):
    common = {"lr": training["learning_rate"], "weight_decay": training["weight_decay"]}
    ((family, settings),) = training["optimizer"].items()
    if family == "Sgd":
        return torch.optim.SGD(parameters, **common, **settings)
    return {"Adam": torch.optim.Adam, "AdamW": torch.optim.AdamW}[family](parameters, **common, **settings)


def cosine(training, steps_per_epoch):
    """The factor of the learning rate by steps taken: up in equal steps, then down along a cosine."""
    settings = training["schedule"]["Cosine"]
    warm_up = round(settings["warmup_epochs"] * steps_per_epoch)
    total, floor = training["max_epochs"] * steps_per_epoch, settings["final_share"]

    def factor(step):
        if step < warm_up:
            return (step + 1) / warm_up
        return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * (step - warm_up) / (total - warm_up)))

    return factor


class Run:
    def __init__(self, request):
        self.training = request["training"]
        self.data = Data(request)
        self.objective = Objective(request, self.data)
        self.module = module_of(request["model"], request["window"], request["features"], request["outputs"])
        self.load(request)
        self.optimizer = optimizer_of(self.training, self.module.parameters())
        self.epochs, self.validation = request["epochs"], request["validation"]
        self.step_rows = self.training["batch_size"] * self.training["accumulate_grad_batches"]

    def load(self, request):
        """Every tensor by name and shape: `strict`, so that none is left to chance."""
        values, state, start = read(Path(request["folder"]) / "initial", -1), {}, 0
        for name, shape in request["weights"]:
            end = start + math.prod(shape)
            state[name] = values[start:end].reshape(shape)
            start = end
        self.module.load_state_dict(state, strict=True)
        self.names = [name for name, _ in request["weights"]]

    def schedulers(self):
        """One for every step and one for every epoch, either perhaps None."""
        schedule = self.training["schedule"]
        if schedule == "Constant":
            return None, None
        if "Cosine" in schedule:
            steps = math.ceil(len(self.epochs[0]) / self.step_rows)
            return torch.optim.lr_scheduler.LambdaLR(self.optimizer, cosine(self.training, steps)), None
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer,
            factor=schedule["Plateau"]["factor"],
            patience=schedule["Plateau"]["patience"],
            threshold=self.training["min_delta"],
            threshold_mode="abs",
        )
        return None, plateau

    def step(self, rows):
        """One optimizer step; the mean loss of its rows and the norm of the gradient before it was clipped."""
        self.optimizer.zero_grad()
        total = 0.0
        for start in range(0, len(rows), self.training["batch_size"]):
            batch = rows[start : start + self.training["batch_size"]]
            loss = self.objective(self.module(self.data.windows(batch)), batch, True) * (len(batch) / len(rows))
            loss.backward()
            total += loss.item()
        limit = self.training["gradient_clip_val"]
        norm = nn.utils.clip_grad_norm_(self.module.parameters(), math.inf if limit is None else limit)
        self.optimizer.step()
        return total, norm.item()

    def validate(self):
        self.module.eval()
        with torch.no_grad():
            loss = self.objective(self.module(self.data.windows(self.validation)), self.validation, False).item()
        self.module.train()
        return loss

    def train(self):
        every_step, every_epoch = self.schedulers()
        steps, epochs, best, best_weights = [], [], math.inf, None
        for rows in self.epochs:
            sum_of_losses = 0.0
            for start in range(0, len(rows), self.step_rows):
                of_step = rows[start : start + self.step_rows]
                rate = self.optimizer.param_groups[0]["lr"]
                loss, norm = self.step(of_step)
                if every_step is not None:
                    every_step.step()
                steps.append({"loss": loss, "norm": norm})
                sum_of_losses += loss * len(of_step)
            record = {"train_loss": sum_of_losses / len(rows), "validation_loss": None, "learning_rate": rate}
            if self.validation:
                record["validation_loss"] = self.validate()
                if record["validation_loss"] < best:
                    best, best_weights = record["validation_loss"], copy.deepcopy(self.module.state_dict())
                if every_epoch is not None:
                    every_epoch.step(record["validation_loss"])
            epochs.append(record)
        return steps, epochs, best_weights or self.module.state_dict()


for line in sys.stdin:
    request = json.loads(line)
    run = Run(request)
    steps, epochs, weights = run.train()
    trained = np.concatenate([weights[name].numpy().ravel() for name in run.names])
    trained.astype("<f4").tofile(Path(request["folder"]) / "trained")
    print(json.dumps({"steps": steps, "epochs": epochs}), flush=True)
