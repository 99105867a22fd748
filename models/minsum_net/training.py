"""Training: Adam on masters, resumable at every report."""

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gatesmith.models.codes import Code, code
from gatesmith.models.errors import UserError
from gatesmith.models.minsum_net.channel import draw
from gatesmith.models.minsum_net.checkpoint import load_checkpoint, read_metrics, save_checkpoint
from gatesmith.models.minsum_net.config import MinSumConfig
from gatesmith.models.minsum_net.decoders import NetDecoder, baseline, choose_device
from gatesmith.models.minsum_net.losses import loss_of
from gatesmith.models.minsum_net.net import MinSumDecoder
from gatesmith.models.minsum_net.simulation import simulate
from gatesmith.models.minsum_net.weighted import WeightedBP
from gatesmith.models.store import read_store, write_store

__all__ = ["EpochReport", "Trainer", "fit", "resume_path", "train"]

RESUME_FORMAT = "gatesmith-training"
EPOCH = 100  # steps between reports
CLIP = 1.0  # norm of a step's gradient
VALID_FRAMES, TEST_FRAMES = 2000, 20_000
VALID_SEED, TEST_SEED = 2_000_000, 1_000_000  # far from each other, and no frame of training


@dataclass(frozen=True, kw_only=True)
class EpochReport:
    """How training stands after an epoch of 100 steps.

    ``valid_ber`` and ``valid_fer`` are error rates at the highest Eb/N0 of training.
    """

    epoch: int
    epochs: int
    loss: float
    valid_ber: float | None
    valid_fer: float | None
    seconds: float


class Trainer:
    """A decoder, its optimiser and the number of epochs done.

    Parameters
    ----------
    net : MinSumDecoder or WeightedBP   Trained in place with the settings of its config. A decoder
                                        without learned values is a UserError.
    """

    def __init__(self, net: MinSumDecoder | WeightedBP) -> None:
        self.net, self.config, self.epoch = net, net.config, 0
        self.history: list[dict[str, float]] = []
        if not list(net.parameters()):
            raise UserError(
                f"Update must be offset or normalised to be trained, not {net.config.update!r}"
            )
        fused = next(net.parameters()).device.type in ("cpu", "cuda")
        self.optimiser = torch.optim.Adam(
            net.parameters(), lr=self.config.learning_rate, fused=fused
        )

    @property
    def epochs(self) -> int:
        """Epochs of the training, the last perhaps shorter."""
        return -(-self.config.steps // EPOCH)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Channel LLRs and words ``[n, frames]`` of a step, float32, from the seed and its number.

        Its frames are spread evenly over the Eb/N0 of training.
        """
        config = self.config
        levels = np.linspace(config.ebn0_low, config.ebn0_high, config.ebn0_points)
        random = np.random.default_rng((config.seed, 2, step))
        found = draw(
            self.net.code,
            levels[np.arange(config.batch) % len(levels)],
            config.batch,
            random,
            zero=config.words == "zero",
        )
        device = next(self.net.parameters()).device
        return (
            torch.from_numpy(found.llr).to(device),
            torch.from_numpy(found.words.astype(np.float32)).to(device),
        )

    def run_epoch(self) -> float:
        """The next 100 steps; the mean loss."""
        config, net = self.config, self.net
        net.train()
        total, first = 0.0, self.epoch * EPOCH
        last = min(first + EPOCH, config.steps)
        for step in range(first, last):
            for group in self.optimiser.param_groups:
                done = step / config.steps
                group["lr"] = config.learning_rate * (1 + math.cos(math.pi * done)) / 2
            if isinstance(net, MinSumDecoder):
                net.rounding = step >= config.round_from * config.steps
            llr, words = self.batch(step)
            loss = loss_of(config, net(llr), words, net.groups)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            norm = nn.utils.clip_grad_norm_(net.parameters(), CLIP)
            found = float(loss.detach())
            if not (math.isfinite(found) and math.isfinite(float(norm))):
                raise UserError(
                    f"Loss and gradient must be finite, not {found} and {float(norm)}, in step "
                    f"{step}: try a smaller learning_rate"
                )
            self.optimiser.step()
            total += found
        if isinstance(net, MinSumDecoder):
            net.rounding = True
        self.epoch += 1
        return total / (last - first)

    def save(self, path: Path) -> None:
        """Write all that the rest of the training depends on."""
        arrays = {k: v.detach().cpu().numpy() for k, v in self.net.state_dict().items()}
        for name, value in self.net.named_parameters():
            for key, moment in self.optimiser.state[value].items():
                arrays[f"adam.{name}.{key}"] = moment.detach().cpu().reshape(-1).numpy()
        meta = {
            "config": self.config.to_json(), "kind": type(self.net).__name__,
            "epoch": self.epoch, "history": self.history,
        }  # fmt: skip
        write_store(path, RESUME_FORMAT, meta, arrays)

    def restore(self, path: Path) -> None:
        """Go on where :meth:`save` was called; UserError when the file is of another training."""
        meta, arrays = read_store(path, RESUME_FORMAT)
        mine = (self.config.to_json(), type(self.net).__name__)
        if (meta.get("config"), meta.get("kind")) != mine:
            raise UserError(f"{path}: belongs to a training with another configuration")
        moments = {k: arrays.pop(k) for k in list(arrays) if k.startswith("adam.")}
        state: dict[Tensor, dict[str, Tensor]] = {}
        try:
            for name, value in self.net.state_dict().items():
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
        self.optimiser.state.update(state)


def fit(
    net: Any,
    *,
    progress: Callable[[EpochReport], None] | None = None,
    state: Path | None = None,
    resume: bool = False,
    validate: int = 10,
) -> Any:
    """Train a :class:`MinSumDecoder` or :class:`WeightedBP` on frames drawn as it goes.

    ``state`` is a file to keep the training in after each epoch; with ``resume`` it is read
    first, if it is there, and the result is the same as without the break. Error rates are
    measured each ``validate`` epochs and after the last. What they reported is ``net.history``.
    """
    device = choose_device()
    if device.type == "cpu":
        torch.set_num_threads(1)  # threads that wait for each other cost far more
    net.to(device)
    trainer = Trainer(net)
    if resume and state is not None and state.is_file():
        trainer.restore(state)
    while trainer.epoch < trainer.epochs:
        start = time.perf_counter()
        loss = trainer.run_epoch()
        rates: tuple[float | None, float | None] = (None, None)
        if trainer.epoch % validate == 0 or trainer.epoch == trainer.epochs:
            rates = _rates(net, trainer.config.ebn0_high)
        report = EpochReport(
            epoch=trainer.epoch,
            epochs=trainer.epochs,
            loss=loss,
            valid_ber=rates[0],
            valid_fer=rates[1],
            seconds=time.perf_counter() - start,
        )
        entry = dataclasses.asdict(report)
        trainer.history.append(
            {k: float(f"{v:.4g}") for k, v in entry.items() if v is not None and k != "epochs"}
        )
        if state is not None:
            trainer.save(state)
        if progress is not None:
            progress(report)
    net.history = trainer.history
    return net.eval().cpu()


def _rates(net: Any, ebn0: float) -> tuple[float, float]:
    point = simulate(
        NetDecoder(net, "net"), [ebn0], target_errors=VALID_FRAMES, max_frames=VALID_FRAMES,
        seed=VALID_SEED,
    )[0]  # fmt: skip
    return point.ber, point.fer


def resume_path(path: str | Path) -> Path:
    """Where the training state of a checkpoint is kept until it is finished."""
    return Path(path).with_suffix(".resume.safetensors")


def train(
    config: MinSumConfig,
    path: str | Path,
    data_dir: str | Path | None = None,
    *,
    resume: bool = False,
    baseline: bool = False,
    progress: Callable[[EpochReport], None] | None = None,
) -> dict[str, Any]:
    """Train on simulated frames and write the checkpoint of the last step.

    Returns the metrics stored in it: bit and frame error rates of 20,000 random codewords at the
    three highest whole dB of training, by Eb/N0, and the steps; with ``baseline`` also those of
    sum-product and min-sum on the same frames. With ``resume`` an interrupted training goes on,
    and a finished one is read. ``data_dir`` is not used: all frames are drawn.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise UserError(f"Checkpoint must be named *.safetensors, not {path.name!r}")
    state = resume_path(path)
    if resume and not state.is_file() and path.is_file():
        if load_checkpoint(path).config != config:
            raise UserError(f"{path}: was trained with another configuration")
        return read_metrics(path)
    graph = code(config.code)
    net = MinSumDecoder(config, graph)
    if config.learned or config.relaxation:
        net = fit(net, progress=progress, state=state, resume=resume)
    metrics = _metrics(net, graph, baseline)
    save_checkpoint(net.cpu(), path, metrics)
    state.unlink(missing_ok=True)
    return metrics


def _metrics(net: MinSumDecoder, graph: Code, compare: bool) -> dict[str, Any]:
    """What a checkpoint says of its net."""
    config = net.config
    top = math.floor(config.ebn0_high)
    levels = [float(level) for level in (top - 2, top - 1, top) if level >= config.ebn0_low]
    decoders = {"": NetDecoder(net, "net")}
    if compare:
        for kind in ("sum-product", "min-sum"):
            decoders[f"{kind.replace('-', '_')}_"] = baseline(graph, kind, config.iterations)
    metrics: dict[str, Any] = {"steps": config.steps}
    for prefix, decoder in decoders.items():
        points = simulate(
            decoder, levels or [config.ebn0_high], target_errors=TEST_FRAMES,
            max_frames=TEST_FRAMES, seed=TEST_SEED,
        )  # fmt: skip
        for rate in ("ber", "fer"):
            metrics[f"{prefix}test_{rate}"] = {
                f"{p.ebn0:g} dB": float(f"{getattr(p, rate):.4g}") for p in points
            }
    return metrics
