"""Checkpoints: masters and generators in one safetensors file, checked when read."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from gatesmith.models.errors import UserError
from gatesmith.models.lfsr import PRIMITIVE_TAPS
from gatesmith.models.masks import Lfsr
from gatesmith.models.nets import CHECKPOINT, check_shapes, read_checkpoint, read_metrics
from gatesmith.models.sparse_mlp_net.config import SparseMLPConfig
from gatesmith.models.sparse_mlp_net.net import SparseMLP
from gatesmith.models.store import write_store

__all__ = [
    "load_checkpoint",
    "net_tensors",
    "read_metrics",
    "restore_tensors",
    "save_checkpoint",
]

FAMILY = "sparse-mlp"
_KEYS = {"lfsrs"}
_RANGES = (
    (".weight", -1, 1),
    (".shift", 0, 36),
    (".offset", -(1 << 16), 1 << 16),
    (".mean", -(1 << 38), 1 << 38),
    (".deviation", 0, 1 << 38),
)


def net_tensors(net: SparseMLP) -> dict[str, np.ndarray]:
    """Everything of a net that its configuration does not say; never the mask."""
    arrays = {name: value.detach().cpu().numpy() for name, value in net.state_dict().items()}
    for index, (linear, _) in enumerate(net.parts()):
        arrays[f"linears.{index}.seeds"] = linear.lfsr.seeds
    return arrays


def save_checkpoint(
    net: SparseMLP, path: str | Path, metrics: dict[str, Any] | None = None
) -> None:
    """Write a net; ``metrics`` are plain values that travel with it."""
    lfsrs = []
    for linear, _ in net.parts():
        lfsr = linear.lfsr
        lfsrs.append({"taps": list(lfsr.taps), "leap": lfsr.leap, "threshold": lfsr.threshold})
    meta = {
        "family": FAMILY,
        "config": net.config.to_json(),
        "lfsrs": lfsrs,
        "metrics": metrics or {},
    }
    write_store(path, CHECKPOINT, meta, net_tensors(net))


def load_checkpoint(path: str | Path) -> SparseMLP:
    """The net of a checkpoint, in evaluation mode.

    UserError, in one line, for a file that is damaged, foreign, of another family, or holds keys,
    tensors or values that do not fit its configuration. Reads data only: nothing is unpickled.
    """
    meta, arrays = read_checkpoint(path, FAMILY, _KEYS)
    try:
        config = SparseMLPConfig.from_json(meta["config"])
    except (UserError, TypeError) as error:
        raise UserError(f"{path}: {error}") from error
    # Shapes first: a configuration alone must not make us allocate a giant.
    check_shapes(path, _shapes(config), arrays)
    net = SparseMLP(config, _lfsrs(path, config, meta["lfsrs"], arrays))
    restore_tensors(path, net, arrays)
    return net.eval()  # type: ignore[no-any-return]


def _shapes(config: SparseMLPConfig) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and type of each tensor of a checkpoint."""
    shapes: dict[str, tuple[tuple[int, ...], str]] = {}
    sizes = config.sizes
    for index, (inputs, outputs) in enumerate(zip(sizes, sizes[1:], strict=False)):
        shapes[f"linears.{index}.weight"] = ((outputs, inputs), "float32")
        shapes[f"linears.{index}.seeds"] = ((outputs,), "int64")
        shapes[f"tails.{index}.offset"] = ((outputs,), "float32")
        shapes[f"tails.{index}.mean"] = ((outputs,), "float32")
        shapes[f"tails.{index}.deviation"] = ((1,), "float32")
        if index < len(config.hidden):
            shapes[f"tails.{index}.shift"] = ((1,), "int64")
    return shapes


def _lfsrs(
    path: str | Path, config: SparseMLPConfig, entries: Any, arrays: dict[str, np.ndarray]
) -> list[Lfsr]:
    """The generators of a checkpoint, once they are known to be sound."""
    if not isinstance(entries, list) or len(entries) != len(config.sparsities):
        raise UserError(f"{path}: lfsrs must be a list of {len(config.sparsities)}")
    found = []
    for index, (entry, sparsity) in enumerate(zip(entries, config.sparsities, strict=True)):
        seeds = arrays[f"linears.{index}.seeds"]
        try:
            lfsr = Lfsr(
                taps=tuple(int(tap) for tap in entry["taps"]),
                leap=int(entry["leap"]),
                threshold=int(entry["threshold"]),
                seeds=seeds,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path}: LFSR {index} is damaged: {error}") from error
        where = f"{path}: LFSR {index}"
        if sparsity == 0:
            if lfsr.taps or lfsr.threshold or seeds.any():
                raise UserError(f"{where} must be empty for a dense layer, not {entry!r}")
        else:
            width = max(lfsr.taps, default=0)
            if lfsr.taps not in PRIMITIVE_TAPS.values():
                raise UserError(f"{where}: taps must be a known primitive set, not {lfsr.taps}")
            if not 1 <= lfsr.leap <= 4096:
                raise UserError(f"{where}: leap must be between 1 and 4096, not {lfsr.leap}")
            top = (1 << width) - 1
            if not 1 <= lfsr.threshold <= top:
                raise UserError(
                    f"{where}: threshold must be between 1 and {top}, not {lfsr.threshold}"
                )
            wrong = seeds[(seeds < 1) | (seeds > top)]
            if len(wrong):
                raise UserError(f"{where}: seeds must be between 1 and {top}, not {wrong[0]}")
        found.append(lfsr)
    return found


def restore_tensors(path: str | Path, net: SparseMLP, arrays: dict[str, np.ndarray]) -> None:
    """Put the tensors of :func:`net_tensors` back; UserError when one does not fit the net."""
    check_shapes(path, _shapes(net.config), arrays)
    state = {}
    for name, value in arrays.items():
        if name.endswith(".seeds"):
            linear, _ = net.parts()[int(name.split(".")[1])]
            if not np.array_equal(linear.lfsr.seeds, value):
                raise UserError(f"{path}: tensor {name!r} must be the seeds of this net")
            continue
        # Bounds far outside of what training reaches, within which no bias overflows.
        for suffix, low, high in _RANGES:
            if name.endswith(suffix) and not (low <= value.min() and value.max() <= high):
                raise UserError(f"{path}: tensor {name!r} must be between {low} and {high}")
        state[name] = torch.from_numpy(value.copy())
    net.load_state_dict(state)
    for _, tail in net.parts():
        if int(abs(tail.fold()).max()) >= 1 << 40:
            raise UserError(f"{path}: biases must be below 2**40 in magnitude")
