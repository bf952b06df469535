"""The training loop of src/training, written as one would in PyTorch, on the same shapes: benches/training.rs asks for it.

One thread; windows gathered by index from a resident matrix and scaled after that; AdamW fused; gradients clipped; losses summed
without waiting; a validation pass and a copy of the best weights after each epoch.
"""

import json
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "parity"))
from modules import module_of

EVALUATION_BATCH = 4096

torch.set_num_threads(1)


def train(request):
    window, features = request["window"], request["features"]
    torch.manual_seed(1)
    rows = request["train_rows"] + request["validation_rows"] + window
    matrix = torch.randn(rows, features)
    offsets = torch.arange(1 - window, 1)
    train_rows = torch.arange(window, window + request["train_rows"])
    validation_rows = torch.arange(window + request["train_rows"], rows)
    mean, scale = matrix.mean(0), matrix.std(0)
    module = module_of(request["model"], window, features, 1)
    if request["is_binary"]:
        labels = (torch.rand(rows) < 0.5).float()

        def loss_of(outputs, rows):
            return functional.binary_cross_entropy_with_logits(outputs, labels.index_select(0, rows))
    else:
        labels = torch.randn(rows) * 0.01
        label_mean, label_std = labels.mean().item(), labels.std().item()

        def loss_of(outputs, rows):
            return functional.mse_loss(outputs, (labels.index_select(0, rows) - label_mean) / label_std)

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
            loss = loss_of(module(scaled_windows(rows)).squeeze(1), rows)
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
                validation_loss += loss_of(module(scaled_windows(rows)).squeeze(1), rows).item() * len(rows)
        assert torch.isfinite(train_loss) and torch.isfinite(norms)
        if validation_loss < best:
            best = validation_loss
            best_weights = {name: value.clone() for name, value in module.state_dict().items()}
    module.load_state_dict(best_weights)
    return {"steps": steps, "seconds": time.perf_counter() - began}


for line in sys.stdin:
    print(json.dumps(train(json.loads(line))), flush=True)
