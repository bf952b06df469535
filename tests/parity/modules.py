"""Walkforge's models as one would write them with torch.nn, for tests/parity/train.py and the peers of `make bench`.

The attributes carry the names that Walkforge stores its tensors under, so a `state_dict()` here is a weights file there.
"""

import math

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

ACTIVATIONS = {"Relu": nn.ReLU, "Gelu": nn.GELU, "Tanh": nn.Tanh}


class Linear(nn.Module):
    def __init__(self, window, features, outputs):
        super().__init__()
        self.head = nn.Linear(window * features, outputs)

    def forward(self, windows):
        return self.head(windows.flatten(1))


class Mlp(nn.Module):
    def __init__(self, window, features, outputs, hidden, activation, dropout):
        super().__init__()
        sizes = [window * features, *hidden]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in zip(sizes, hidden))
        self.head = nn.Linear(hidden[-1], outputs)
        self.between = nn.Sequential(ACTIVATIONS[activation](), nn.Dropout(dropout))

    def forward(self, windows):
        values = windows.flatten(1)
        for layer in self.layers:
            values = self.between(layer(values))
        return self.head(values)


class Recurrent(nn.Module):
    def __init__(self, window, features, outputs, hidden, layers, dropout):
        super().__init__()
        # It drops between its layers only, so it warns where there is but one.
        self.add_module(self.NAME, self.CELL(features, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, outputs)

    def forward(self, windows):
        return self.head(self.dropout(getattr(self, self.NAME)(windows)[0][:, -1]))


class Lstm(Recurrent):
    NAME, CELL = "lstm", nn.LSTM


class Gru(Recurrent):
    NAME, CELL = "gru", nn.GRU


class Block(nn.Module):
    """The residual block of Bai, Kolter & Koltun (2018)."""

    def __init__(self, inputs, channels, kernel_size, dilation, dropout):
        super().__init__()
        self.conv1 = weight_norm(nn.Conv1d(inputs, channels, kernel_size, dilation=dilation))
        self.conv2 = weight_norm(nn.Conv1d(channels, channels, kernel_size, dilation=dilation))
        self.downsample = nn.Conv1d(inputs, channels, 1) if inputs != channels else None
        self.padding, self.dropout = (kernel_size - 1) * dilation, nn.Dropout(dropout)

    def forward(self, steps):
        values = steps
        for convolution in (self.conv1, self.conv2):
            values = self.dropout(convolution(functional.pad(values, (self.padding, 0))).relu())
        return (values + (steps if self.downsample is None else self.downsample(steps))).relu()


class Tcn(nn.Module):
    def __init__(self, window, features, outputs, channels, kernel_size, dropout):
        super().__init__()
        widths = [features, *channels]
        self.blocks = nn.Sequential(
            *(Block(*pair, kernel_size, 2**index, dropout) for index, pair in enumerate(zip(widths, channels)))
        )
        self.head = nn.Linear(channels[-1], outputs)

    def forward(self, windows):
        return self.head(self.blocks(windows.transpose(1, 2))[:, :, -1])


class Transformer(nn.Module):
    def __init__(self, window, features, outputs, d_model, heads, layers, feedforward, dropout, tokens):
        super().__init__()
        self.patch = None if tokens == "Causal" else (tokens["Patch"]["length"], tokens["Patch"]["stride"])
        length, stride = self.patch or (1, 1)
        count = (window - length) // stride + 1
        self.input = nn.Linear(features * length, d_model)
        layer = nn.TransformerEncoderLayer(
            d_model, heads, feedforward, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(d_model), enable_nested_tensor=False)
        self.dropout, self.head = nn.Dropout(dropout), nn.Linear(d_model, outputs)
        angles = torch.arange(count)[:, None] * torch.exp(torch.arange(0, d_model, 2) * (-math.log(1e4) / d_model))
        positions = torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :d_model]
        self.register_buffer("positions", positions, persistent=False)
        mask = nn.Transformer.generate_square_subsequent_mask(count) if self.patch is None else None
        self.register_buffer("mask", mask, persistent=False)

    def tokens(self, windows):
        """Bars, or patches of bars counted from the window's end: [batch, tokens, values]."""
        if self.patch is None:
            return windows
        length, stride = self.patch
        left_out = (windows.shape[1] - length) % stride
        return windows[:, left_out:].unfold(1, length, stride).transpose(2, 3).flatten(2)

    def forward(self, windows):
        tokens = self.dropout(self.input(self.tokens(windows)) + self.positions)
        seen = self.encoder(tokens, mask=self.mask, is_causal=self.mask is not None)
        return self.head(seen[:, -1] if self.patch is None else seen.mean(1))


FAMILIES = {family.__name__: family for family in (Mlp, Lstm, Gru, Tcn, Transformer)}


def module_of(model, window, features, outputs):
    """The model of a specification, `"Linear"` or `{"Mlp": {"hidden": …}}`: from windows [batch, window, features] to [batch, outputs]."""
    if model == "Linear":
        return Linear(window, features, outputs)
    ((family, sizes),) = model.items()
    return FAMILIES[family](window, features, outputs, **sizes)
