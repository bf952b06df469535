"""The training loop of src/training, written as one would in PyTorch, on the same shapes: benches/training.rs asks for it.

One thread; windows gathered by index from a resident matrix and scaled after that; AdamW fused; gradients clipped; losses summed
without waiting; a validation pass and a copy of the best weights after each epoch.
"""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional

EVALUATION_BATCH = 4096

torch.set_num_threads(1)


class Mlp(nn.Module):
    def __init__(self, window, features, hidden, activation, dropout):
        super().__init__()
        assert activation == "Relu"
        layers = []
        for inputs, units in zip([window * features, *hidden], hidden):
            layers += [nn.Linear(inputs, units), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(nn.Flatten(), *layers, nn.Linear(hidden[-1], 1))

    def forward(self, windows):
        return self.layers(windows).squeeze(1)


class Lstm(nn.Module):
    def __init__(self, window, features, hidden, layers, dropout):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, layers, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, 1)

    def forward(self, windows):
        return self.head(self.dropout(self.lstm(windows)[0][:, -1])).squeeze(1)


def train(request):
    window, features = request["window"], request["features"]
    ((family, sizes),) = request["model"].items()
    torch.manual_seed(1)
    rows = request["train_rows"] + request["validation_rows"] + window
    matrix = torch.randn(rows, features)
    offsets = torch.arange(1 - window, 1)
    train_rows = torch.arange(window, window + request["train_rows"])
    validation_rows = torch.arange(window + request["train_rows"], rows)
    mean, scale = matrix.mean(0), matrix.std(0)
    if family == "Mlp":
        module, labels = Mlp(window, features, **sizes), torch.randn(rows) * 0.01
        label_mean, label_std = labels.mean().item(), labels.std().item()

        def loss_of(outputs, rows):
            return functional.mse_loss(outputs, (labels.index_select(0, rows) - label_mean) / label_std)
    else:
        module, labels = Lstm(window, features, **sizes), (torch.rand(rows) < 0.5).float()

        def loss_of(outputs, rows):
            return functional.binary_cross_entropy_with_logits(outputs, labels.index_select(0, rows))

    def scaled_windows(rows):
        bars = (rows.unsqueeze(1) + offsets).flatten()
        return (matrix.index_select(0, bars).view(len(rows), window, features) - mean) / scale

    optimizer = torch.optim.AdamW(
        module.parameters(), lr=request["learning_rate"], weight_decay=request["weight_decay"], fused=True
    )
    clip = request["gradient_clip_val"]
    steps, best = 0, float("inf")

    began = time.perf_counter()
    for _ in range(request["epochs"]):
        module.train()
        train_loss, norms = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
        order = train_rows[torch.randperm(len(train_rows))]
        for rows in order.split(request["batch_size"]):
            loss = loss_of(module(scaled_windows(rows)), rows)
            optimizer.zero_grad()
            loss.backward()
            norms += nn.utils.clip_grad_norm_(module.parameters(), clip)
            optimizer.step()
            train_loss += loss.detach() * len(rows)
            steps += 1
        module.eval()
        validation_loss = 0.0
        with torch.no_grad():
            for rows in validation_rows.split(EVALUATION_BATCH):
                validation_loss += loss_of(module(scaled_windows(rows)), rows).item() * len(rows)
        assert torch.isfinite(train_loss) and torch.isfinite(norms)
        if validation_loss < best:
            best = validation_loss
            best_weights = {name: value.clone() for name, value in module.state_dict().items()}
    module.load_state_dict(best_weights)
    return {"steps": steps, "seconds": time.perf_counter() - began}


for line in sys.stdin:
    print(json.dumps(train(json.loads(line))), flush=True)
