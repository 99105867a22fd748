"""Training: Adam on dense masters, resumable at every epoch."""

import dataclasses
import itertools
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gatesmith.models import sequences
from gatesmith.models.errors import UserError
from gatesmith.models.lstm_net.baseline import float_baseline
from gatesmith.models.lstm_net.checkpoint import load_checkpoint, read_metrics, save_checkpoint
from gatesmith.models.lstm_net.config import OWN_DATA, LSTMConfig
from gatesmith.models.lstm_net.measure import accuracy, classify, read_text, streams
from gatesmith.models.lstm_net.net import LowBitLSTM, State
from gatesmith.models.lstm_net.windows import Window, window_count, windows
from gatesmith.models.sequences import Part, Sequences, Text
from gatesmith.models.store import read_store, write_store

__all__ = ["EpochReport", "Trainer", "fit", "resume_path", "train"]

RESUME_FORMAT = "gatesmith-training"
VALID_STREAMS, TEST_STREAMS = 64, 8
CLIP = 1.0  # norm of a step's gradient
# Windows that statistics are estimated over, before the first step and when weights are frozen.
FIRST_ESTIMATES, LAST_ESTIMATES = 8, 100
EXACT_IN_BFLOAT16 = {"binary", "ternary", "int8"}


@dataclass(frozen=True, kw_only=True)
class EpochReport:
    """How training stands after an epoch; the validation figures are those of the integer net.

    ``valid_bpc`` is bits a character of a text, ``valid_accuracy`` of a classifier; the other is
    None. ``sparsity`` is the part of zero states, over all layers, on the validation data.
    """

    epoch: int
    epochs: int
    loss: float
    valid_accuracy: float | None
    valid_bpc: float | None
    sparsity: float | None
    seconds: float


def choose_device() -> torch.device:
    """A GPU when torch sees one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def fast_products(config: LSTMConfig) -> Iterator[None]:
    """Let the processor multiply in bfloat16 where every factor of the forward pass fits it."""
    before = torch.get_float32_matmul_precision()
    if {*config.kinds, config.head_kind} <= EXACT_IN_BFLOAT16:
        torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def one_thread(device: torch.device) -> Iterator[None]:
    """On a processor a single thread: threads that wait for each other cost far more."""
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Trainer:
    """A net, its optimiser and the number of epochs done.

    Parameters
    ----------
    net : LowBitLSTM          Trained in place with the settings of its config.
    part : Part or symbols    What it is trained on: sequences, or the symbols of a text.
    """

    def __init__(self, net: LowBitLSTM, part: Part | np.ndarray) -> None:
        self.net, self.config, self.part, self.epoch = net, net.config, part, 0
        self.history: list[dict[str, float]] = []
        fused = next(net.parameters()).device.type in ("cpu", "cuda")
        self.optimiser = torch.optim.Adam(
            net.parameters(), lr=self.config.learning_rate, fused=fused
        )

    def run_epoch(self) -> float:
        """One pass over the training data; the mean loss, without the penalty."""
        config, net = self.config, self.net
        net.train()
        net.head.adapting = self.epoch < max(1, config.epochs // 4)
        for index, layer in enumerate(net.stack):
            layer.generator.manual_seed(config.seed * 1_000_003 + self.epoch * 64 + index)
        if self.epoch == 0 and config.norm == "shared-bn":
            self._estimate(FIRST_ESTIMATES, self.epoch, 1.0)
        total, count, state = 0.0, 0, None
        steps = window_count(config, self.part)
        with fast_products(config):
            for window in self._windows(self.epoch):
                done = (self.epoch + count / steps) / config.epochs
                for group in self.optimiser.param_groups:
                    group["lr"] = config.learning_rate * (1 + math.cos(math.pi * done)) / 2
                loss, state = self._step(window, None if window.starts else state)
                total, count = total + loss, count + 1
        if not math.isfinite(total):
            raise UserError(
                f"Loss must be finite, not {total}, in epoch {self.epoch + 1}: "
                "try a smaller learning_rate"
            )
        self.epoch += 1
        if self.epoch == config.epochs:
            self.finish()
        return total / count

    def _windows(self, epoch: int) -> Iterator[Window]:
        return windows(self.config, self.part, epoch, next(self.net.parameters()).device)

    def _step(self, window: Window, state: State | None) -> tuple[float, State]:
        """One step of the optimiser: the loss and the state after it."""
        states, final = self.net.run(window.x, state)
        logits = self.net.logits(states, window.lengths)
        loss = nn.functional.cross_entropy(logits.flatten(0, -2), window.y.flatten())
        whole = loss
        if self.config.state_penalty:
            mean = sum(h.abs().mean() for h in states) / (128 * len(states))
            whole = loss + self.config.state_penalty * mean
        self.optimiser.zero_grad(set_to_none=True)
        whole.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
        self.optimiser.step()
        self.net.clip_()
        return float(loss.detach()), final

    def finish(self) -> None:
        """Freeze stochastic weights, and estimate the statistics that belong to what is frozen."""
        self.net.freeze()
        if self.config.norm == "shared-bn":
            self.net.eval()
            self._estimate(LAST_ESTIMATES, self.epoch, 0.1)

    @torch.no_grad()
    def _estimate(self, count: int, epoch: int, momentum: float) -> None:
        """Move the statistics of all layers towards those of the first windows of an epoch.

        They depend on one another, so this is an iteration, not one average.
        """
        state: State | None = None
        for window in itertools.islice(self._windows(epoch), count):
            state = self.net.estimate(window.x, None if window.starts else state, momentum)

    def save(self, path: Path) -> None:
        """Write all that the rest of the training depends on."""
        arrays = {k: v.detach().cpu().numpy() for k, v in self.net.state_dict().items()}
        for name, value in self.net.named_parameters():
            for key, moment in self.optimiser.state[value].items():
                arrays[f"adam.{name}.{key}"] = moment.detach().cpu().reshape(-1).numpy()
        meta = {
            "config": self.config.to_json(),
            "vocabulary": list(self.net.vocabulary),
            "epoch": self.epoch,
            "history": self.history,
        }
        write_store(path, RESUME_FORMAT, meta, arrays)

    def restore(self, path: Path) -> None:
        """Go on where :meth:`save` was called; UserError when the file is of another training."""
        meta, arrays = read_store(path, RESUME_FORMAT)
        if meta.get("config") != self.config.to_json():
            raise UserError(f"{path}: belongs to a training with another configuration")
        if meta.get("vocabulary") != list(self.net.vocabulary):
            raise UserError(f"{path}: belongs to a training on another text")
        moments = {k: arrays.pop(k) for k in list(arrays) if k.startswith("adam.")}
        kept = self.net.state_dict()
        state: dict[Tensor, dict[str, Tensor]] = {}
        try:
            for name, value in kept.items():
                found = torch.from_numpy(arrays.pop(name).copy())
                if found.shape != value.shape or found.dtype != value.dtype:
                    raise ValueError(f"tensor {name!r} must be {tuple(value.shape)}")
                value.copy_(found)
            if arrays:
                raise ValueError(f"tensor {min(arrays)!r} is not known")
            for name, value in self.net.named_parameters():
                shapes = {"step": (), "exp_avg": value.shape, "exp_avg_sq": value.shape}
                state[value] = {
                    key: torch.from_numpy(moments[f"adam.{name}.{key}"].reshape(shape).copy()).to(
                        value.device
                    )
                    for key, shape in shapes.items()
                }
            self.epoch, self.history = int(meta["epoch"]), list(meta["history"])
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path}: damaged training state: {error}") from error
        for layer in self.net.stack:
            layer.frozen = layer.stochastic and self.epoch == self.config.epochs
        self.optimiser.state.update(state)


def fit(
    net: LowBitLSTM,
    part: Part | np.ndarray,
    *,
    valid: Part | np.ndarray | None = None,
    progress: Callable[[EpochReport], None] | None = None,
    state: Path | None = None,
    resume: bool = False,
) -> LowBitLSTM:
    """Train a net on sequences and their classes, or on the symbols of a text.

    ``state`` is a file to keep the training in after each epoch; with ``resume`` it is read
    first, if it is there, and the result is the same as without the break. What each epoch
    reported stays in ``net.history``.
    """
    device, config = choose_device(), net.config
    _check_data(config, part)
    net.to(device)
    trainer = Trainer(net, part)
    if resume and state is not None and state.is_file():
        trainer.restore(state)
    while trainer.epoch < config.epochs:
        start = time.perf_counter()
        with one_thread(device):
            loss = trainer.run_epoch()
            found = _validate(net, valid, trainer.epoch == config.epochs)
        report = EpochReport(
            epoch=trainer.epoch,
            epochs=config.epochs,
            loss=loss,
            seconds=time.perf_counter() - start,
            **found,
        )
        entry = dataclasses.asdict(report)
        trainer.history.append(
            {k: round(v, 5) for k, v in entry.items() if v is not None and k != "epochs"}
        )
        if state is not None:
            trainer.save(state)
        if progress is not None:
            progress(report)
    net.history = trainer.history
    return net.eval().cpu()  # type: ignore[no-any-return]


def _validate(
    net: LowBitLSTM, valid: Part | np.ndarray | None, last: bool
) -> dict[str, float | None]:
    """Validation figures by name; None while a net of random weights has none."""
    nothing: dict[str, float | None] = dict.fromkeys(("valid_accuracy", "valid_bpc", "sparsity"))
    if valid is None or (net.config.quantiser == "stochastic" and not last):
        return nothing
    if isinstance(valid, Part):
        classes, figures = classify(net, valid.x, valid.lengths)
        right = float((classes == valid.y).mean())
        found: dict[str, float | None] = {"valid_accuracy": right, "valid_bpc": None}
    else:
        bits, figures = read_text(net, streams(valid, VALID_STREAMS))
        found = {"valid_accuracy": None, "valid_bpc": bits}
    return {**found, "sparsity": sum(figures.zeros) / max(sum(figures.places), 1)}


def _check_data(config: LSTMConfig, part: Part | np.ndarray) -> None:
    inputs, classes = config.sizes[0], config.sizes[-1]
    if config.answers_every_step and not config.is_text:
        raise UserError("Every step must be false, or inputs symbols, for a net that is trained")
    if isinstance(part, np.ndarray) != config.is_text:
        kind = "the symbols of a text" if config.is_text else "sequences with classes"
        raise UserError(f"Training data must be {kind} for {config.data}")
    if isinstance(part, np.ndarray):
        if part.ndim != 1 or part.dtype.kind not in "iu" or len(part) < 2 * config.batch:
            raise UserError(
                f"A text must be at least {2 * config.batch} symbols in one dimension, "
                f"not {part.dtype.name} {part.shape}"
            )
        if part.min() < 0 or part.max() >= inputs:
            raise UserError(f"Symbols must be integers between 0 and {inputs - 1}")
        return
    x, y, lengths = part.x, part.y, part.lengths
    shape = (len(y), config.most_steps) if config.symbols else (len(y), config.most_steps, inputs)
    if x.shape != shape or y.shape != (len(x),) or lengths.shape != (len(x),) or len(x) < 2:
        raise UserError(
            f"Training data must have shapes {['n', *shape[1:]]}, ['n'] and ['n'] with n at least "
            f"2, not {x.shape}, {y.shape} and {lengths.shape}"
        )
    least, most = (0, inputs - 1) if config.symbols else (-128, 127)
    if x.dtype.kind not in "iu" or x.min() < least or x.max() > most:
        raise UserError(f"Training inputs must be integers between {least} and {most}")
    if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= classes:
        raise UserError(f"Classes must be integers between 0 and {classes - 1}")
    if lengths.dtype.kind not in "iu" or lengths.min() < 1 or lengths.max() > x.shape[1]:
        raise UserError(f"Lengths must be integers between 1 and {x.shape[1]}")


def resume_path(path: str | Path) -> Path:
    """Where the training state of a checkpoint is kept until it is finished."""
    return Path(path).with_suffix(".resume.safetensors")


def of_data(config: LSTMConfig, found: Sequences | Text) -> LSTMConfig:
    """The configuration with the sizes that a text has."""
    if not isinstance(found, Text):
        return config
    symbols = len(found.vocabulary)
    for name in ("inputs", "classes"):
        if getattr(config, name) not in (None, symbols):
            raise UserError(
                f"{name.capitalize()} must be {symbols} for this text, not {getattr(config, name)}"
            )
    return dataclasses.replace(config, inputs=symbols, classes=symbols)


def train(
    config: LSTMConfig,
    path: str | Path,
    data_dir: str | Path | None = None,
    *,
    resume: bool = False,
    baseline: bool = False,
    progress: Callable[[EpochReport], None] | None = None,
) -> dict[str, Any]:
    """Train on the configured data set and write the checkpoint of the last epoch.

    Returns the metrics stored in it: test and validation accuracy (of a text bits a character,
    over the whole split, cut into 8 and 64 streams), state sparsity of each layer on the test
    data, alone and joint over 8 sequences, epochs, and with ``baseline`` the test figure of a float
    net of the same shape. The checkpoint also holds what each epoch reported. With ``resume`` an
    interrupted training goes on, and a finished one is read.
    """
    if config.data == OWN_DATA:
        raise UserError("Data must be a named data set for train; fit() trains on your own")
    path = Path(path)
    if path.suffix != ".safetensors":
        raise UserError(f"Checkpoint must be named *.safetensors, not {path.name!r}")
    state = resume_path(path)
    found = sequences.load(config.data, data_dir)
    config = of_data(config, found)
    if resume and not state.is_file() and path.is_file():
        if load_checkpoint(path).config != config:
            raise UserError(f"{path}: was trained with another configuration")
        return read_metrics(path)
    net = LowBitLSTM(config, found.vocabulary if isinstance(found, Text) else ())
    net = fit(net, found.train, valid=found.valid, progress=progress, state=state, resume=resume)
    metrics = _metrics(net, found)
    if baseline:
        name = "float_test_bpc" if config.is_text else "float_test_accuracy"
        metrics[name] = float_baseline(config, found)
    save_checkpoint(net, path, metrics)
    state.unlink(missing_ok=True)
    return metrics


def _metrics(net: LowBitLSTM, found: Sequences | Text) -> dict[str, Any]:
    """What a checkpoint says of its net."""
    metrics: dict[str, Any] = {}
    if isinstance(found, Text):
        metrics["test_bpc"], figures = read_text(net, streams(found.test, TEST_STREAMS))
        metrics["valid_bpc"] = read_text(net, streams(found.valid, VALID_STREAMS))[0]
        metrics["train_characters"] = len(found.train)
    else:
        classes, figures = classify(net, found.test.x, found.test.lengths)
        metrics["test_accuracy"] = float((classes == found.test.y).mean())
        metrics["valid_accuracy"] = accuracy(net, found.valid)
        metrics["train_sequences"] = len(found.train.y)
    metrics["state_sparsity"] = figures.sparsity
    metrics["state_sparsity_of_8"] = figures.joint_sparsity
    metrics["epochs"] = net.config.epochs
    return metrics
