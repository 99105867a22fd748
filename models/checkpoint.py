"""What the checkpoints of all families share: one safetensors file, checked when read."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from gatesmith.models.config import Config
from gatesmith.models.errors import UserError
from gatesmith.models.store import read_store, write_store

__all__ = [
    "BUNDLED",
    "check_ranges",
    "check_tensors",
    "read_checkpoint",
    "read_config",
    "read_history",
    "read_metrics",
    "write_checkpoint",
]

BUNDLED = Path(__file__).with_name("checkpoints")  # folder of those that come with the package
C = TypeVar("C", bound=Config)
FORMAT = "gatesmith-checkpoint"
_KEYS = {"format", "version", "family", "config", "metrics"}


def write_checkpoint(
    path: str | Path,
    family: str,
    config: Config,
    metrics: dict[str, Any] | None,
    arrays: dict[str, np.ndarray],
    **more: Any,
) -> None:
    """Write tensors and metadata; ``metrics`` and ``more`` are plain values."""
    meta = {"family": family, "config": config.to_json(), "metrics": metrics or {}, **more}
    write_store(path, FORMAT, meta, arrays)


def read_checkpoint(
    path: str | Path, family: str, more: tuple[str, ...] = ()
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Metadata and tensors of a checkpoint of a family; reads data only, nothing is unpickled.

    UserError, in one line, for a file that is damaged, foreign, of another family, or whose
    metadata has other keys than those of every checkpoint and ``more``.
    """
    meta, arrays = read_store(path, FORMAT)
    if meta.get("family") != family:
        raise UserError(f"{path}: family must be {family}, not {meta.get('family')!r}")
    keys = _KEYS | set(more)
    if set(meta) != keys:
        key = sorted(set(meta) ^ keys)[0]
        raise UserError(f"{path}: metadata keys must be {sorted(keys)}, see {key!r}")
    return meta, arrays


def read_config(path: str | Path, kind: type[C], found: Any) -> C:
    """The configuration in the metadata of a checkpoint; UserError that names the file."""
    if not isinstance(found, dict):
        raise UserError(f"{path}: config must be an object, not {found!r}")
    try:
        return kind.from_json(found)
    except (UserError, TypeError) as error:
        raise UserError(f"{path}: {error}") from error


def read_metrics(path: str | Path) -> dict[str, Any]:
    """The metrics that a checkpoint carries."""
    metrics = read_store(path, FORMAT)[0].get("metrics")
    if not isinstance(metrics, dict):
        raise UserError(f"{path}: metrics must be an object, not {metrics!r}")
    return metrics


def check_tensors(
    path: str | Path,
    shapes: dict[str, tuple[tuple[int, ...], str]],
    arrays: dict[str, np.ndarray],
) -> None:
    """UserError unless the tensors are those of ``shapes``: name to (shape, NumPy's type)."""
    for name in sorted(set(shapes) | set(arrays)):
        if name not in arrays:
            raise UserError(f"{path}: tensor {name!r} is missing")
        if name not in shapes:
            raise UserError(f"{path}: tensor {name!r} is not known")
        found = (arrays[name].shape, arrays[name].dtype.name)
        if found != shapes[name]:
            raise UserError(f"{path}: tensor {name!r} must be {shapes[name]}, not {found}")


def read_history(path: str | Path, found: Any) -> list[dict[str, float]]:
    """What each epoch reported, once it is known to be numbers."""
    sound = isinstance(found, list) and all(
        isinstance(entry, dict)
        and all(
            isinstance(value, (int, float)) and math.isfinite(value) for value in entry.values()
        )
        for entry in found
    )
    if not sound:
        raise UserError(f"{path}: history must be a list of objects of numbers")
    return list(found)


def check_ranges(
    path: str | Path, name: str, value: np.ndarray, ranges: Mapping[str, tuple[float, float]]
) -> np.ndarray:
    """A copy of an array within the range of the last part of its name; UserError beyond it."""
    low, high = ranges.get(name.rpartition(".")[2], (-math.inf, math.inf))
    if value.size and not (low <= value.min() and value.max() <= high):
        raise UserError(
            f"{path}: tensor {name!r} must be between {low:g} and {high:g}, "
            f"not {value.min():g} to {value.max():g}"
        )
    return value.copy()
