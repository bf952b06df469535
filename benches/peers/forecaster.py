"""What a Lightning user writes to train one of Walkforge's models on windows: a Dataset, a DataLoader, a LightningModule, a Trainer.

The Dataset gives one window at a time and the DataLoader stacks them (its default collate); `num_workers=0`, because worker processes would
take the cores that training needs, and cost a start each epoch. Logger, checkpoints, progress bar and summary are off.
"""

import logging
import sys
import warnings
from pathlib import Path

import lightning
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "parity"))
from modules import module_of

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
# Lightning advises more workers for the DataLoader.
warnings.filterwarnings("ignore")


class Windows(Dataset):
    """The windows that end at rows `first` to `last`, the latter not included."""

    def __init__(self, matrix, labels, window, first, last):
        self.matrix, self.labels, self.window, self.first, self.last = matrix, labels, window, first, last

    def __len__(self):
        return self.last - self.first

    def __getitem__(self, index):
        row = self.first + index
        return self.matrix[row + 1 - self.window : row + 1], self.labels[row]


class Forecaster(lightning.LightningModule):
    def __init__(self, request):
        super().__init__()
        self.module = module_of(request["model"], request["window"], request["features"], 1)
        self.loss = functional.binary_cross_entropy_with_logits if request["is_binary"] else functional.mse_loss
        self.learning_rate, self.weight_decay = request["learning_rate"], request["weight_decay"]

    def forward(self, windows):
        return self.module(windows).squeeze(1)

    def training_step(self, batch, _):
        windows, labels = batch
        loss = self.loss(self(windows), labels)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, _):
        windows, labels = batch
        self.log("validation_loss", self.loss(self(windows), labels))

    def predict_step(self, batch, _):
        return self(batch[0])

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)


def trainer_of(request):
    return lightning.Trainer(
        max_epochs=request["epochs"],
        accelerator="cpu",
        devices=1,
        gradient_clip_val=request["gradient_clip_val"],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def market(request, rows):
    """Features and labels of so many rows: numbers with the size of scaled ones."""
    torch.manual_seed(1)
    matrix = torch.randn(rows, request["features"])
    labels = (torch.rand(rows) < 0.5).float() if request["is_binary"] else torch.randn(rows)
    return matrix, labels


def loader(windows, request, shuffle=False):
    return DataLoader(windows, batch_size=request["batch_size"], shuffle=shuffle, num_workers=0)
