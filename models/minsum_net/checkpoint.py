"""Checkpoints: masters, the edges of the code and metadata in one safetensors file."""

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
from gatesmith.models.codes import Code
from gatesmith.models.errors import UserError
from gatesmith.models.minsum_net.config import MinSumConfig
from gatesmith.models.minsum_net.graph import tied
from gatesmith.models.minsum_net.net import MinSumDecoder

__all__ = ["load_checkpoint", "read_metrics", "save_checkpoint"]

FAMILY = "minsum"
_CODE = ("checks", "variables", "information", "punctured", "shortened")
_LARGEST = 1 << 20  # variables of a code
_RANGES = {"master": (-1e6, 1e6), "relax": (-1e6, 1e6)}


def save_checkpoint(
    net: MinSumDecoder, path: str | Path, metrics: dict[str, Any] | None = None
) -> None:
    """Write a net, its code and the log of its training; ``metrics`` are plain values."""
    code = net.code
    arrays = {name: value.detach().cpu().numpy() for name, value in net.state_dict().items()}
    arrays |= {f"code.{name}": getattr(code, name).astype(np.int32) for name in _CODE}
    about = {"name": code.name, "n": code.n, "lifting": code.lifting}
    write_checkpoint(path, FAMILY, net.config, metrics, arrays, code=about, history=net.history)


def load_checkpoint(path: str | Path) -> MinSumDecoder:
    """The net of a checkpoint, in evaluation mode; needs neither alist nor the code's table.

    UserError, in one line, for a file that is damaged, foreign, of another family, or holds keys,
    tensors or values that do not fit its configuration. Reads data only: nothing is unpickled.
    """
    meta, arrays = read_checkpoint(path, FAMILY, ("code", "history"))
    config = read_config(path, MinSumConfig, meta["config"])
    code = _code(path, meta["code"], arrays)
    shapes: dict[str, tuple[tuple[int, ...], str]] = {}
    if config.learned:
        # Shapes first: a configuration alone must not make us allocate a giant.
        rows = 1 if config.tying in ("scalar", "recurrent") else config.iterations
        shapes["master"] = ((rows, int(tied(code, config.tying).max()) + 1), "float32")
    if config.relaxation:
        shapes["relax"] = ((1,), "float32")
    own = {name: value for name, value in arrays.items() if not name.startswith("code.")}
    check_tensors(path, shapes, own)
    state = {
        name: torch.from_numpy(check_ranges(path, name, value, _RANGES))
        for name, value in own.items()
    }
    net = MinSumDecoder(config, code)
    net.load_state_dict(state)
    net.history = read_history(path, meta["history"])
    return net.eval()  # type: ignore[no-any-return]


def _code(path: str | Path, about: Any, arrays: dict[str, np.ndarray]) -> Code:
    """The code of a checkpoint, once it is known to be sound."""
    found: dict[str, Any] = {
        name: arrays[f"code.{name}"] for name in _CODE if f"code.{name}" in arrays
    }
    shapes: dict[str, tuple[tuple[int, ...], str]] = {
        f"code.{name}": ((found[name].size if name in found else 0,), "int32") for name in _CODE
    }
    check_tensors(
        path,
        shapes,
        {name: value for name, value in arrays.items() if name.startswith("code.")},
    )
    if not isinstance(about, dict) or set(about) != {"name", "n", "lifting"}:
        raise UserError(f"{path}: code must be an object of lifting, n and name, not {about!r}")
    for key in ("n", "lifting"):
        value = about[key]
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not 1 <= value <= _LARGEST:
            raise UserError(f"{path}: {key} must be between 1 and {_LARGEST}, not {value!r}")
    if not isinstance(about["name"], str):
        raise UserError(f"{path}: name of the code must be a text, not {about['name']!r}")
    checks = found["checks"]
    if len(checks) and not 0 <= int(checks.min()) <= int(checks.max()) < len(checks):
        raise UserError(f"{path}: checks must be between 0 and {len(checks) - 1}, one an edge")
    try:
        code = Code(**about, **found)
        code.encode(np.zeros((1, code.k), dtype=np.uint8))  # which needs sound information bits
        return code
    except (UserError, ValueError) as error:
        raise UserError(f"{path}: damaged code: {error}") from error
