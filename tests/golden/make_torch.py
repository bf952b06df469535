"""Writes torch.json: networks, losses and AdamW runs as PyTorch computes them, for src/models and src/training.

    .venv/bin/python tests/golden/make_torch.py

Everything is f32 on one thread, through torch.nn and torch.optim alone. The modules' attributes carry the names that
Walkforge stores its tensors under, so a `state_dict()` here is a weights file there.
"""

import json
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import nn

torch.manual_seed(20240229)
torch.set_num_threads(1)

ACTIVATIONS = {"Relu": nn.ReLU, "Gelu": nn.GELU, "Tanh": nn.Tanh}


class Linear(nn.Module):
    def __init__(self, window, features):
        super().__init__()
        self.head = nn.Linear(window * features, 1)

    def forward(self, scaled):
        return self.head(scaled.flatten(1)).squeeze(1)


class Mlp(nn.Module):
    def __init__(self, window, features, hidden, activation, dropout):
        super().__init__()
        sizes = [window * features, *hidden]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in zip(sizes, hidden))
        self.head = nn.Linear(hidden[-1], 1)
        self.between = nn.Sequential(ACTIVATIONS[activation](), nn.Dropout(dropout))

    def forward(self, scaled):
        values = scaled.flatten(1)
        for layer in self.layers:
            values = self.between(layer(values))
        return self.head(values).squeeze(1)


class Lstm(nn.Module):
    def __init__(self, window, features, hidden, layers, dropout):
        super().__init__()
        # nn.LSTM drops between its layers only, so it warns where there is but one.
        self.lstm = nn.LSTM(features, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, 1)

    def forward(self, scaled):
        return self.head(self.dropout(self.lstm(scaled)[0][:, -1])).squeeze(1)


def module_of(model, window, features):
    if model == "Linear":
        return Linear(window, features)
    ((family, sizes),) = model.items()
    return {"Mlp": Mlp, "Lstm": Lstm}[family](window, features, **sizes)


def plain(tensor):
    """Shape and values; each value is the shortest decimal that reads back as the same f32."""
    values = tensor.detach().flatten().numpy()
    assert values.dtype == np.float32
    return {"shape": list(tensor.shape), "values": [float(str(value)) for value in values]}


def weights_of(module):
    return {name: plain(parameter) for name, parameter in module.named_parameters()}


def bounds_of_initial_weights(make_module):
    """The module, and by parameter the bound of the uniform distribution that it was really drawn from."""
    bounds = {}

    def uniform_(tensor, low, high, **options):
        assert low == -high
        bounds[id(tensor)] = high
        return original(tensor, low, high, **options)

    original = torch.Tensor.uniform_
    with mock.patch.object(torch.Tensor, "uniform_", uniform_):
        module = make_module()
    return module, {name: bounds[id(parameter)] for name, parameter in module.named_parameters()}


def network_case(name, model, window, features, output):
    module, bounds = bounds_of_initial_weights(lambda: module_of(model, window, features))
    generator = np.random.default_rng(len(name))
    # Features of very different size, as raw ones are.
    mean = generator.normal(0.0, 1.0, features) * 10.0 ** generator.integers(-3, 3, features)
    scale = np.abs(mean) + 10.0 ** generator.integers(-3, 3, features)
    windows = torch.tensor(mean + scale * generator.normal(0.0, 1.5, (6, window, features)), dtype=torch.float32)

    module.eval()
    with torch.no_grad():
        scaled = (windows - torch.tensor(mean, dtype=torch.float32)) / torch.tensor(scale, dtype=torch.float32)
        core = module(scaled)
        if output == "probability":
            predictions = core.sigmoid()
        else:
            predictions = core * output["return"]["std"] + output["return"]["mean"]
    parameters = list(module.named_parameters())
    return {
        "name": name,
        "model": model,
        "window": window,
        "features": features,
        "output": output,
        "scaler": {"mean": mean.tolist(), "scale": scale.tolist()},
        "weights": weights_of(module),
        "initial": [{"name": key, "shape": list(p.shape), "bound": bounds[key]} for key, p in parameters],
        "parameter_count": sum(p.numel() for _, p in parameters),
        "windows": plain(windows),
        "outputs": plain(core),
        "predictions": plain(predictions),
    }


def network_cases():
    # A return of mean 0.5 and deviation 2 keeps the outputs near 1, where a tolerance of 1e-6 says something.
    unit = {"return": {"mean": 0.5, "std": 2.0}}
    yield network_case("linear", "Linear", 3, 4, unit)
    for activation in ACTIVATIONS:
        mlp = {"Mlp": {"hidden": [7, 5], "activation": activation, "dropout": 0.4}}
        yield network_case(f"mlp {activation}", mlp, 3, 4, unit)
    for layers, output in [(1, "probability"), (2, unit)]:
        lstm = {"Lstm": {"hidden": 6, "layers": layers, "dropout": 0.4}}
        yield network_case(f"lstm of {layers}", lstm, 9, 4, output)


def loss_case(name, loss, outputs, labels, targets, moments, weights=None):
    outputs = outputs.clone().requires_grad_(True)
    value = loss(outputs, targets)
    value.backward()
    mean, std = moments
    return {
        "name": name,
        "label_mean": mean,
        "label_std": std,
        "outputs": plain(outputs),
        "labels": plain(labels),
        "weights": None if weights is None else plain(weights),
        "loss": value.item(),
        "gradient": plain(outputs.grad),
    }


def loss_cases():
    returns = torch.randn(32) * 0.01
    mean, std = 0.0004, 0.0098
    yield loss_case("mse", nn.MSELoss(), torch.randn(32), returns, (returns - mean) / std, (mean, std))
    rises = (torch.rand(32) < 0.5).float()
    # Also logits so large that a sigmoid in f32 is exactly 0 or 1.
    logits = torch.cat([torch.randn(28), torch.tensor([50.0, -50.0, 120.0, -120.0])])
    yield loss_case("bce", nn.BCEWithLogitsLoss(), logits, rises, rises, (0.0, 1.0))
    # From a generator of their own, so that what follows stays what it was.
    generator = torch.Generator().manual_seed(4)
    weights = torch.rand(32, generator=generator) * 2.0

    def weighted_mse(outputs, targets):
        return (nn.functional.mse_loss(outputs, targets, reduction="none") * weights).mean()

    outputs = torch.randn(32, generator=generator)
    yield loss_case("mse", weighted_mse, outputs, returns, (returns - mean) / std, (mean, std), weights)
    weighted_bce = nn.BCEWithLogitsLoss(weight=weights)
    yield loss_case("bce", weighted_bce, logits, rises, rises, (0.0, 1.0), weights)


def adamw_case(steps=25, weighted=False):
    model = {"Mlp": {"hidden": [6, 5], "activation": "Tanh", "dropout": 0.0}}
    window, features = 2, 3
    settings = {"learning_rate": 0.01, "weight_decay": 0.1, "gradient_clip_val": 0.2}
    initial = module_of(model, window, features)
    windows, targets = torch.randn(16, window, features), torch.randn(16)
    weights = torch.rand(16) * 2.0 if weighted else torch.ones(16)

    def run(**variant):
        module = module_of(model, window, features)
        module.load_state_dict(initial.state_dict())
        optimizer = torch.optim.AdamW(
            module.parameters(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"], **variant
        )
        losses, norms = [], []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = (nn.functional.mse_loss(module(windows), targets, reduction="none") * weights).mean()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(module.parameters(), settings["gradient_clip_val"])
            optimizer.step()
            losses.append(loss.item())
            norms.append(norm.item())
        return module, optimizer, losses, norms

    module, optimizer, losses, norms = run(foreach=False, fused=False)
    limit = settings["gradient_clip_val"]
    assert any(norm > limit for norm in norms) and any(norm < limit for norm in norms), norms
    fused = run(fused=True)[0]
    for ours, theirs in zip(module.parameters(), fused.parameters()):
        assert (ours - theirs).abs().max() <= 1e-6
    return {
        "model": model,
        "window": window,
        "features": features,
        "steps": steps,
        **settings,
        "windows": plain(windows),
        "targets": plain(targets),
        "weights": plain(weights) if weighted else None,
        "before": weights_of(initial),
        "after": weights_of(module),
        "exp_avg": {name: plain(optimizer.state[p]["exp_avg"]) for name, p in module.named_parameters()},
        "exp_avg_sq": {name: plain(optimizer.state[p]["exp_avg_sq"]) for name, p in module.named_parameters()},
        "losses": losses,
        "norms": norms,
    }


if __name__ == "__main__":
    golden = {
        "made_by": "tests/golden/make_torch.py",
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
        "networks": list(network_cases()),
        "losses": list(loss_cases()),
        "adamw": adamw_case(),
        "weighted_adamw": adamw_case(weighted=True),
    }
    path = Path(__file__).with_name("torch.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size} bytes")
