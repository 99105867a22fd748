"""Training: Adam on dense masters, resumable at every epoch."""

import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gatesmith.models import data
from gatesmith.models.errors import UserError
from gatesmith.models.masks import report
from gatesmith.models.sparse_mlp_net.checkpoint import (
    load_checkpoint,
    net_tensors,
    read_metrics,
    restore_tensors,
    save_checkpoint,
)
from gatesmith.models.sparse_mlp_net.config import OWN_DATA, SparseMLPConfig
from gatesmith.models.sparse_mlp_net.net import SparseMLP
from gatesmith.models.store import read_store, write_store

__all__ = ["EpochReport", "Trainer", "accuracy", "fit", "float_baseline", "resume_path", "train"]

RESUME_FORMAT = "gatesmith-training"
EVALUATION_BATCH = 2000
# Multiply-adds of a layer's batch below which a second thread costs more than it brings.
WORTH_A_THREAD = 1 << 28


@dataclass(frozen=True, kw_only=True)
class EpochReport:
    """How training stands after an epoch; ``valid_accuracy`` is that of the integer net."""

    epoch: int
    epochs: int
    loss: float
    valid_accuracy: float | None
    seconds: float


def choose_device() -> torch.device:
    """A GPU when torch sees one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choose_threads(config: SparseMLPConfig) -> int:
    """One thread unless a layer is big: threads that wait for each other cost far more."""
    sizes = config.sizes
    work = max(a * b for a, b in zip(sizes, sizes[1:], strict=False)) * config.batch
    return 1 if work < WORTH_A_THREAD else min(4, os.cpu_count() or 1)


@torch.no_grad()
def accuracy(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """Part of the images whose class the net in evaluation mode names; leaves it in that mode."""
    net.eval()
    right = 0
    for start in range(0, len(x), EVALUATION_BATCH):
        scores = net(x[start : start + EVALUATION_BATCH])
        # NumPy's argmax takes the first of equals, as the chip does; torch's promises nothing.
        found = scores.cpu().numpy().argmax(axis=1)
        right += int((found == y[start : start + EVALUATION_BATCH].cpu().numpy()).sum())
    return right / len(x)


class Trainer:
    """A net, its optimiser and the number of epochs done.

    Parameters
    ----------
    net : SparseMLP   Trained in place with the loss, rate, batch and epochs of its config.
    """

    def __init__(self, net: SparseMLP) -> None:
        self.net, self.config, self.epoch = net, net.config, 0
        fused = next(net.parameters()).device.type in ("cpu", "cuda")
        self.optimiser = torch.optim.Adam(
            net.parameters(), lr=self.config.learning_rate, fused=fused
        )

    def run_epoch(self, x: Tensor, y: Tensor) -> float:
        """One pass over uint8 or integer ``[images, inputs]`` and classes; the mean loss."""
        config = self.config
        self.net.train()
        # Shifts that still move late would undo what the masters have learnt.
        self.net.adapt(self.epoch < max(1, config.epochs // 4))
        shuffle = np.random.default_rng((config.seed, 2, self.epoch)).permutation(len(x))
        order = torch.from_numpy(shuffle).to(x.device)
        steps = max(1, len(x) // config.batch)
        total = 0.0
        for step, chosen in enumerate(order[: steps * config.batch].split(config.batch)):
            done = (self.epoch + step / steps) / config.epochs
            for group in self.optimiser.param_groups:
                group["lr"] = config.learning_rate * (1 + math.cos(math.pi * done)) / 2
            loss = _loss(config.loss, self.net(x[chosen].float()), y[chosen])
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self.optimiser.step()
            self.net.clip_()
            total += float(loss.detach())
        if not math.isfinite(total):
            raise UserError(
                f"Loss must be finite, not {total}, in epoch {self.epoch + 1}: "
                "try a smaller learning_rate"
            )
        self.epoch += 1
        return total / steps

    def save(self, path: Path) -> None:
        """Write all that the rest of the training depends on."""
        arrays = net_tensors(self.net)
        for name, value in self.net.named_parameters():
            for key, moment in self.optimiser.state[value].items():
                arrays[f"adam.{name}.{key}"] = moment.detach().cpu().reshape(-1).numpy()
        meta = {"config": self.config.to_json(), "epoch": self.epoch}
        write_store(path, RESUME_FORMAT, meta, arrays)

    def restore(self, path: Path) -> None:
        """Go on where :meth:`save` was called; UserError when the file is of another training."""
        meta, arrays = read_store(path, RESUME_FORMAT)
        if meta.get("config") != self.config.to_json():
            raise UserError(f"{path}: belongs to a training with another configuration")
        moments = {k: arrays.pop(k) for k in list(arrays) if k.startswith("adam.")}
        restore_tensors(path, self.net, arrays)
        state: dict[Tensor, dict[str, Tensor]] = {}
        try:
            for name, value in self.net.named_parameters():
                shapes = {"step": (), "exp_avg": value.shape, "exp_avg_sq": value.shape}
                state[value] = {
                    key: torch.from_numpy(moments[f"adam.{name}.{key}"].reshape(shape).copy()).to(
                        value.device
                    )
                    for key, shape in shapes.items()
                }
            self.epoch = int(meta["epoch"])
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path}: damaged training state: {error}") from error
        self.optimiser.state.update(state)


def _loss(kind: str, logits: Tensor, y: Tensor) -> Tensor:
    if kind == "cross-entropy":
        return nn.functional.cross_entropy(logits, y)
    signs = 2 * nn.functional.one_hot(y, logits.shape[1]).to(logits.dtype) - 1
    return (1 - signs * logits).clamp(min=0).square().sum(dim=1).mean()


def fit(
    net: SparseMLP,
    x: np.ndarray,
    y: np.ndarray,
    *,
    valid: tuple[np.ndarray, np.ndarray] | None = None,
    progress: Callable[[EpochReport], None] | None = None,
    state: Path | None = None,
    resume: bool = False,
) -> SparseMLP:
    """Train a net on integers 0 to 2**input_bits - 1, ``[images, inputs]``, and their classes.

    ``state`` is a file to keep the training in after each epoch; with ``resume`` it is read
    first, if it is there, and the result is the same as without the break.
    """
    device, config = choose_device(), net.config
    if device.type == "cpu":
        torch.set_num_threads(choose_threads(config))
    _check_data(config, x, y)
    net.to(device)
    images, classes = _tensor(x, device), torch.from_numpy(y.astype(np.int64)).to(device)
    trainer = Trainer(net)
    if resume and state is not None and state.is_file():
        trainer.restore(state)
    while trainer.epoch < config.epochs:
        start = time.perf_counter()
        loss = trainer.run_epoch(images, classes)
        if state is not None:
            trainer.save(state)
        if progress is not None:
            found = None
            if valid is not None:
                found = accuracy(
                    net, _tensor(valid[0], device), torch.from_numpy(valid[1]).to(device)
                )
            progress(
                EpochReport(
                    epoch=trainer.epoch,
                    epochs=config.epochs,
                    loss=loss,
                    valid_accuracy=found,
                    seconds=time.perf_counter() - start,
                )
            )
    return net.eval().cpu()  # type: ignore[no-any-return]


def _tensor(x: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(x.astype(np.uint8)).to(device)


def _check_data(config: SparseMLPConfig, x: np.ndarray, y: np.ndarray) -> None:
    most = (1 << config.bits[0]) - 1
    if x.ndim != 2 or x.shape[1] != config.sizes[0] or y.shape != (len(x),) or len(x) < 2:
        raise UserError(
            f"Training data must have shapes [n, {config.sizes[0]}] and [n] with n at least 2, "
            f"not {x.shape} and {y.shape}"
        )
    if x.dtype.kind not in "iu" or x.min() < 0 or x.max() > most:
        raise UserError(f"Training inputs must be integers between 0 and {most}")
    if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= config.classes:
        raise UserError(f"Classes must be integers between 0 and {config.classes - 1}")


def resume_path(path: str | Path) -> Path:
    """Where the training state of a checkpoint is kept until it is finished."""
    return Path(path).with_suffix(".resume.safetensors")


def train(
    config: SparseMLPConfig,
    path: str | Path,
    data_dir: str | Path | None = None,
    *,
    resume: bool = False,
    baseline: bool = False,
    progress: Callable[[EpochReport], None] | None = None,
) -> dict[str, Any]:
    """Train on the configured data set and write the checkpoint of the last epoch.

    Returns the metrics stored in it: test and validation accuracy of the integer net, training
    images, epochs, the figures of each layer's mask (:class:`gatesmith.models.masks.MaskReport`),
    and with ``baseline`` the test accuracy of a dense float net of the same shape. With
    ``resume`` an interrupted training goes on, and a finished one is read.
    """
    if config.data == OWN_DATA:
        raise UserError("Data must be a named data set for train; fit() trains on your own")
    path = Path(path)
    if path.suffix != ".safetensors":
        raise UserError(f"Checkpoint must be named *.safetensors, not {path.name!r}")
    state = resume_path(path)
    if resume and not state.is_file() and path.is_file():
        if load_checkpoint(path).config != config:
            raise UserError(f"{path}: was trained with another configuration")
        return read_metrics(path)
    found = data.load(config.data, data_dir)
    bits = config.bits[0]
    parts = {
        name: data.quantise(getattr(found, f"{name}_x"), found.levels, bits).astype(np.uint8)
        for name in ("train", "valid", "test")
    }
    net = fit(
        SparseMLP(config),
        parts["train"],
        found.train_y,
        valid=(parts["valid"], found.valid_y),
        progress=progress,
        state=state,
        resume=resume,
    )
    metrics: dict[str, Any] = {
        "test_accuracy": accuracy(
            net, torch.from_numpy(parts["test"]), torch.from_numpy(found.test_y)
        ),
        "valid_accuracy": accuracy(
            net, torch.from_numpy(parts["valid"]), torch.from_numpy(found.valid_y)
        ),
        "train_images": len(found.train_y),
        "epochs": config.epochs,
    }
    metrics["mask_of_layer"] = [
        asdict(report(linear.lfsr.mask(linear.inputs))) for linear, _ in net.parts()
    ]
    if baseline:
        metrics["float_test_accuracy"] = float_baseline(config, data_dir)
    save_checkpoint(net, path, metrics)
    state.unlink(missing_ok=True)
    return metrics


def float_baseline(config: SparseMLPConfig, data_dir: str | Path | None = None) -> float:
    """Test accuracy of a dense float MLP of the same shape, data, epochs and seed.

    Batch normalisation, ReLU, cross-entropy, Adam at 1e-3 with the same cosine; its inputs are
    the raw grey levels.
    """
    device = choose_device()
    if device.type == "cpu":
        torch.set_num_threads(choose_threads(config))
    found = data.load(config.data, data_dir)
    torch.manual_seed(config.seed)
    parts: list[nn.Module] = []
    for inputs, outputs in zip(config.sizes, config.sizes[1:], strict=False):
        parts += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
    net = nn.Sequential(*parts[:-2]).to(device)
    x = torch.from_numpy(found.train_x).to(device).float() / found.levels
    y = torch.from_numpy(found.train_y).to(device)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    steps = max(1, len(x) // config.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps * config.epochs)
    for epoch in range(config.epochs):
        net.train()
        shuffle = np.random.default_rng((config.seed, 2, epoch)).permutation(len(x))
        for chosen in (
            torch.from_numpy(shuffle).to(device)[: steps * config.batch].split(config.batch)
        ):
            optimiser.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(net(x[chosen]), y[chosen]).backward()
            optimiser.step()
            schedule.step()
    test = torch.from_numpy(found.test_x).to(device).float() / found.levels
    return accuracy(net, test, torch.from_numpy(found.test_y))
