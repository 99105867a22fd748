"""Checkpoints: packed codes, gains and metadata in one safetensors file, checked when read."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from gatesmith.models.checkpoint import (
    check_ranges,
    check_tensors,
    read_checkpoint,
    read_config,
    read_history,
    read_metrics,
    write_checkpoint,
)
from gatesmith.models.errors import UserError
from gatesmith.models.lstm_net.config import LSTMConfig
from gatesmith.models.lstm_net.net import LowBitLSTM
from gatesmith.models.lstm_net.quantise import MOST
from gatesmith.models.sequences import TEXTS

__all__ = ["load_checkpoint", "read_metrics", "save_checkpoint"]

FAMILY = "lstm"
TRITS = 5  # a byte
_RANGES = {
    **dict.fromkeys(("gain_x", "gain_h", "gain_c", "bias", "bias_c"), (-1e6, 1e6)),
    **dict.fromkeys(("mean_x", "mean_h", "mean_c"), (-1e12, 1e12)),
    **dict.fromkeys(("variance_x", "variance_h", "variance_c"), (0, 1e18)),
    "fraction": (0, 20),
}


def pack(codes: np.ndarray, kind: str) -> np.ndarray:
    """Codes ``[rows, inputs]`` as bytes: 8 binary or 5 ternary codes in each, or as they are."""
    if kind == "binary":
        return np.packbits(codes.ravel() > 0)
    if kind == "ternary":
        digits = np.pad(codes.ravel().astype(np.int64), (0, -codes.size % TRITS)) + 1
        return (digits.reshape(-1, TRITS) @ 3 ** np.arange(TRITS)).astype(np.uint8)
    return codes.astype(np.int8 if kind == "int8" else np.int16)


def unpack(packed: np.ndarray, kind: str, shape: tuple[int, int]) -> np.ndarray:
    """The codes of :func:`pack`, int64; ValueError for what it cannot have written."""
    size = shape[0] * shape[1]
    if kind == "binary":
        bits = np.unpackbits(packed)
        if bits[size:].any():
            raise ValueError("bits after the end must be 0")
        return (2 * bits[:size].astype(np.int64) - 1).reshape(shape)
    if kind == "ternary":
        if packed.max(initial=0) >= 3**TRITS:
            raise ValueError(f"bytes must be below {3**TRITS}, not {packed.max()}")
        trits = packed[:, None].astype(np.int64) // 3 ** np.arange(TRITS) % 3 - 1
        if trits.ravel()[size:].any():
            raise ValueError("codes after the end must be 0")
        return trits.ravel()[:size].reshape(shape)
    codes = packed.astype(np.int64)
    most = MOST[kind]
    if np.abs(codes).max(initial=0) > most:
        raise ValueError(f"codes must be between {-most} and {most}")
    return codes


def _packed(kind: str, shape: tuple[int, int]) -> tuple[tuple[int, ...], str]:
    """Shape and type of packed codes."""
    size = shape[0] * shape[1]
    if kind == "binary":
        return ((size + 7) // 8,), "uint8"
    if kind == "ternary":
        return ((size + TRITS - 1) // TRITS,), "uint8"
    return shape, "int8" if kind == "int8" else "int16"


def _matrices(config: LSTMConfig) -> dict[str, tuple[str, tuple[int, int]]]:
    """Kind and shape of each weight matrix."""
    found = {}
    inputs, *hidden, classes = config.sizes
    for index, (size, kind) in enumerate(zip(hidden, config.kinds, strict=True)):
        found[f"layers.{index}.weight_x"] = (kind, (4 * size, inputs))
        found[f"layers.{index}.weight_h"] = (kind, (4 * size, size))
        inputs = size
    found["head.weight"] = (config.head_kind, (classes, inputs))
    return found


def _vectors(config: LSTMConfig) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and type of every other tensor."""
    found: dict[str, tuple[tuple[int, ...], str]] = {}
    for index, size in enumerate(config.hidden):
        rows = {"gain_x": 4 * size, "gain_h": 4 * size, "bias": 4 * size}
        if config.norm == "shared-bn":
            rows |= {"gain_c": size, "bias_c": size}
            for name, length in (("x", 4 * size), ("h", 4 * size), ("c", size)):
                rows |= {f"mean_{name}": length, f"variance_{name}": length}
        for name, length in rows.items():
            found[f"layers.{index}.{name}"] = ((length,), "float32")
    found["head.bias"] = ((config.sizes[-1],), "float32")
    found["head.fraction"] = ((1,), "int64")
    return found


def _codes(net: LowBitLSTM) -> dict[str, np.ndarray]:
    """Integer weights by name."""
    found = {}
    for index, layer in enumerate(net.stack):
        for name, codes in zip(("weight_x", "weight_h"), layer.codes(), strict=True):
            found[f"layers.{index}.{name}"] = codes.detach().cpu().numpy()
    found["head.weight"] = net.head.codes().detach().cpu().numpy()
    return found


def save_checkpoint(
    net: LowBitLSTM, path: str | Path, metrics: dict[str, Any] | None = None
) -> None:
    """Write what a net computes in evaluation mode, and the log of its training.

    ``metrics`` are plain values that travel with it. Weights are stored as their codes, so the
    masters they were trained from are lost. UserError for a net of the stochastic quantiser that
    is not frozen.
    """
    net.check_frozen()
    arrays = {name: value.detach().cpu().numpy() for name, value in net.state_dict().items()}
    for name, codes in _codes(net).items():
        arrays[name] = pack(codes, _matrices(net.config)[name][0])
    more = {"vocabulary": list(net.vocabulary), "history": net.history}
    write_checkpoint(path, FAMILY, net.config, metrics, arrays, **more)


def load_checkpoint(path: str | Path) -> LowBitLSTM:
    """The net of a checkpoint, in evaluation mode; its masters are its codes.

    UserError, in one line, for a file that is damaged, foreign, of another family, or holds keys,
    tensors or values that do not fit its configuration. Reads data only: nothing is unpickled.
    """
    meta, arrays = read_checkpoint(path, FAMILY, ("vocabulary", "history"))
    config = read_config(path, LSTMConfig, meta["config"])
    sizes = _sizes(path, config)
    vocabulary = _vocabulary(path, meta["vocabulary"], sizes[0] if config.data in TEXTS else 0)
    # Shapes first: a configuration alone must not make us allocate a giant.
    matrices = _matrices(config)
    shapes = _vectors(config) | {name: _packed(*entry) for name, entry in matrices.items()}
    check_tensors(path, shapes, arrays)
    net = LowBitLSTM(config, vocabulary)
    state = {
        name: torch.from_numpy(check_ranges(path, name, arrays[name], _RANGES))
        for name in _vectors(config)
    }
    for name, (kind, shape) in matrices.items():
        try:
            codes = unpack(arrays[name], kind, shape)
        except ValueError as error:
            raise UserError(f"{path}: tensor {name!r}: {error}") from error
        unit = 2.0 ** (7 - int(state["head.fraction"])) if name == "head.weight" else 1 / MOST[kind]
        state[name] = torch.from_numpy((codes * unit).astype(np.float32))
    net.load_state_dict(state)
    for layer in net.stack:
        layer.frozen = config.quantiser == "stochastic"
    net.history = read_history(path, meta["history"])
    return net.eval()  # type: ignore[no-any-return]


def _sizes(path: str | Path, config: LSTMConfig) -> tuple[int, ...]:
    try:
        return config.sizes
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _vocabulary(path: str | Path, found: Any, size: int) -> tuple[str, ...]:
    """The characters of a text, once they are known to be sound."""
    sound = (
        isinstance(found, list)
        and len(found) == size
        and all(isinstance(entry, str) and len(entry) == 1 for entry in found)
        and len(set(found)) == size
    )
    if not sound:
        raise UserError(f"{path}: vocabulary must be a list of {size} different characters")
    return tuple(found)
