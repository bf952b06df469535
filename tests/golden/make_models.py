"""Writes models.json: GRU, TCN, Transformer and the three-class head as PyTorch computes them, for src/models.

    .venv/bin/python tests/golden/make_models.py

As make_torch.py, which has the other networks: f32 on one thread, through torch.nn alone, attributes named as Walkforge names its tensors.
"""

import json
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from make_torch import ACTIVATIONS, plain, weights_of

torch.manual_seed(20240307)
torch.set_num_threads(1)
# The layers one operation at a time, and not fused into one for inference.
torch.backends.mha.set_fastpath_enabled(False)


class Mlp(nn.Module):
    def __init__(self, window, features, outputs, hidden, activation, dropout):
        super().__init__()
        sizes = [window * features, *hidden]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in zip(sizes, hidden))
        self.head = nn.Linear(hidden[-1], outputs)
        self.between = nn.Sequential(ACTIVATIONS[activation](), nn.Dropout(dropout))

    def forward(self, scaled):
        values = scaled.flatten(1)
        for layer in self.layers:
            values = self.between(layer(values))
        return self.head(values)


class Recurrent(nn.Module):
    def __init__(self, window, features, outputs, cell, hidden, layers, dropout):
        super().__init__()
        # It drops between its layers only, so it warns where there is but one.
        between = dropout if layers > 1 else 0.0
        self.cell = cell
        setattr(self, cell.lower(), getattr(nn, cell)(features, hidden, layers, batch_first=True, dropout=between))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, outputs)

    def forward(self, scaled):
        steps = getattr(self, self.cell.lower())(scaled)[0]
        return self.head(self.dropout(steps[:, -1]))


class Block(nn.Module):
    """As https://github.com/locuslab/TCN, but for the initial weights, which stay those of nn.Conv1d."""

    def __init__(self, before, width, kernel, dilation, dropout):
        super().__init__()
        padding = (kernel - 1) * dilation
        options = {"padding": padding, "dilation": dilation}
        self.conv1 = weight_norm(nn.Conv1d(before, width, kernel, **options))
        self.conv2 = weight_norm(nn.Conv1d(width, width, kernel, **options))
        self.downsample = nn.Conv1d(before, width, 1) if before != width else None
        self.after = nn.Sequential(nn.ReLU(), nn.Dropout(dropout))
        self.padding = padding

    def forward(self, values):
        made = values
        for convolution in (self.conv1, self.conv2):
            made = self.after(convolution(made)[:, :, : -self.padding])
        return (made + (values if self.downsample is None else self.downsample(values))).relu()


class Tcn(nn.Module):
    def __init__(self, window, features, outputs, channels, kernel_size, dropout):
        super().__init__()
        widths = zip([features, *channels], channels)
        blocks = (Block(*pair, kernel_size, 2**i, dropout) for i, pair in enumerate(widths))
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(channels[-1], outputs)

    def forward(self, scaled):
        return self.head(self.blocks(scaled.transpose(1, 2))[:, :, -1])


class Transformer(nn.Module):
    def __init__(self, window, features, outputs, d_model, heads, layers, feedforward, dropout, tokens):
        super().__init__()
        self.patch = None if tokens == "Causal" else tokens["Patch"]
        count, bars = window, 1
        if self.patch:
            bars = self.patch["length"]
            count = (window - bars) // self.patch["stride"] + 1
        self.input = nn.Linear(features * bars, d_model)

        def layer():
            options = {"batch_first": True, "norm_first": True, "activation": "gelu"}
            return nn.TransformerEncoderLayer(d_model, heads, feedforward, dropout, **options)

        self.encoder = nn.TransformerEncoder(layer(), layers, nn.LayerNorm(d_model), enable_nested_tensor=False)
        # TransformerEncoder copies its one layer, so that all begin alike; here each is drawn for itself.
        self.encoder.layers = nn.ModuleList(layer() for _ in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(d_model, outputs)

        position, column = np.arange(count)[:, None], np.arange(d_model)[None, :]
        angle = position / 10_000.0 ** (column // 2 * 2 / d_model)
        table = np.where(column % 2 == 0, np.sin(angle), np.cos(angle))
        self.register_buffer("positions", torch.tensor(table, dtype=torch.float32))
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(count))

    def forward(self, scaled):
        if self.patch is None:
            tokens = scaled
        else:
            length, stride = self.patch["length"], self.patch["stride"]
            window = scaled.shape[1]
            firsts = reversed(range(window - length, -1, -stride))
            tokens = torch.stack([scaled[:, first : first + length].flatten(1) for first in firsts], 1)
        tokens = self.dropout(self.input(tokens) + self.positions)
        if self.patch is None:
            return self.head(self.encoder(tokens, mask=self.mask, is_causal=True)[:, -1])
        return self.head(self.encoder(tokens).mean(1))


def module_of(model, window, features, outputs):
    ((family, sizes),) = model.items()
    if family in ("Lstm", "Gru"):
        return Recurrent(window, features, outputs, family.upper(), **sizes)
    return {"Mlp": Mlp, "Tcn": Tcn, "Transformer": Transformer}[family](window, features, outputs, **sizes)


def initial_of(make_module):
    """The module, and by parameter how it was really filled: the last one of these calls that touched its memory."""
    filled = {}
    originals = {name: getattr(torch.Tensor, name) for name in ("uniform_", "fill_", "zero_")}

    def uniform_(tensor, low, high, **options):
        assert low == -high
        filled[tensor.data_ptr()] = {"bound": high}
        return originals["uniform_"](tensor, low, high, **options)

    def fill_(tensor, value):
        filled[tensor.data_ptr()] = {"constant": value}
        return originals["fill_"](tensor, value)

    def zero_(tensor):
        filled[tensor.data_ptr()] = {"constant": 0.0}
        return originals["zero_"](tensor)

    with mock.patch.multiple(torch.Tensor, uniform_=uniform_, fill_=fill_, zero_=zero_):
        module = make_module()
    initial = []
    parameters = dict(module.named_parameters())
    for name, parameter in parameters.items():
        if name.endswith("original0"):
            direction = parameters[name.removesuffix("0") + "1"]
            norms = direction.flatten(1).norm(dim=1).view_as(parameter)
            assert torch.allclose(norms, parameter, rtol=1e-6)
            how = {"norms_of_next": True}
        else:
            how = filled[parameter.data_ptr()]
            if "constant" in how:
                assert (parameter == how["constant"]).all(), name
            else:
                assert 0 < parameter.abs().max() <= how["bound"], name
        initial.append({"name": name, "shape": list(parameter.shape), **how})
    return module, initial


def network_case(name, model, window, features, output):
    outputs = 3 if "three_class" in output else 1
    module, initial = initial_of(lambda: module_of(model, window, features, outputs))
    # As if it had learnt: otherwise norms and biases are the ones and zeros that a mistake would not show in.
    with torch.no_grad():
        for parameter, how in zip(module.parameters(), initial):
            if "bound" not in how:
                parameter += 0.2 * torch.randn(parameter.shape)
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
            core = core.squeeze(1)
            predictions = core.sigmoid()
        elif "three_class" in output:
            worth = output["three_class"]
            shares = core.softmax(1)
            predictions = shares[:, 2] * worth["up"] - shares[:, 0] * worth["down"]
        else:
            core = core.squeeze(1)
            predictions = core * output["return"]["std"] + output["return"]["mean"]
    return {
        "name": name,
        "model": model,
        "window": window,
        "features": features,
        "output": output,
        "scaler": {"mean": mean.tolist(), "scale": scale.tolist()},
        "weights": weights_of(module),
        "initial": initial,
        "parameter_count": sum(p.numel() for p in module.parameters()),
        "windows": plain(windows),
        "outputs": plain(core),
        "predictions": plain(predictions),
    }


def network_cases():
    unit = {"return": {"mean": 0.5, "std": 2.0}}
    three = {"three_class": {"up": 1.5, "down": 0.75}}
    for layers, output in [(1, "probability"), (2, unit)]:
        gru = {"Gru": {"hidden": 6, "layers": layers, "dropout": 0.4}}
        yield network_case(f"gru of {layers}", gru, 9, 4, output)
    # As wide as its input and not; a kernel that reaches beyond the window's start in any case.
    for channels, kernel, output in [([4], 3, unit), ([6, 6, 5], 2, "probability"), ([4, 7], 4, unit)]:
        tcn = {"Tcn": {"channels": channels, "kernel_size": kernel, "dropout": 0.4}}
        yield network_case(f"tcn {channels} by {kernel}", tcn, 9, 4, output)
    patches = [{"Patch": {"length": 3, "stride": 3}}, {"Patch": {"length": 4, "stride": 2}}]
    for tokens, heads, output in [("Causal", 2, unit), (patches[0], 4, "probability"), (patches[1], 1, unit)]:
        sizes = {"d_model": 8, "heads": heads, "layers": 2, "feedforward": 12, "dropout": 0.4, "tokens": tokens}
        yield network_case(f"transformer {tokens}", {"Transformer": sizes}, 9, 4, output)
    sizes = {"d_model": 6, "heads": 2, "layers": 1, "feedforward": 5, "dropout": 0.4, "tokens": "Causal"}
    for name, model in [
        ("mlp", {"Mlp": {"hidden": [7, 5], "activation": "Gelu", "dropout": 0.4}}),
        ("lstm", {"Lstm": {"hidden": 5, "layers": 1, "dropout": 0.4}}),
        ("gru", {"Gru": {"hidden": 5, "layers": 2, "dropout": 0.4}}),
        ("tcn", {"Tcn": {"channels": [5], "kernel_size": 2, "dropout": 0.4}}),
        ("transformer", {"Transformer": sizes}),
    ]:
        yield network_case(f"{name} of three classes", model, 5, 3, three)


golden = {
    "made_by": "tests/golden/make_models.py",
    "versions": {"torch": torch.__version__, "numpy": np.__version__},
    "networks": list(network_cases()),
}
path = Path(__file__).with_name("models.json")
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n", encoding="utf-8")
print(f"{path}: {path.stat().st_size} bytes")
