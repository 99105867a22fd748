"""What the checkpoints of all families share: reading and checking, one clear line for each fault.

Arrays and JSON only: nothing here runs what a file says.
"""

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.models.errors import UserError
from gatesmith.models.store import read_store

__all__ = [
    "CHECKPOINT",
    "Shapes",
    "check_ranges",
    "check_shapes",
    "read_checkpoint",
    "read_history",
    "read_metrics",
]

CHECKPOINT = "gatesmith-checkpoint"
Shapes = Mapping[str, tuple[tuple[int, ...], str]]  # shape and type by name


def read_metrics(path: str | Path) -> dict[str, Any]:
    """The metrics that a checkpoint carries."""
    metrics = read_store(path, CHECKPOINT)[0].get("metrics")
    if not isinstance(metrics, dict):
        raise UserError(f"{path}: metrics must be an object, not {metrics!r}")
    return metrics


def read_checkpoint(
    path: str | Path, family: str, keys: Collection[str]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Metadata and arrays of a checkpoint of a family with just these keys of its own.

    UserError for a file that is damaged, foreign or of another family. ``config`` is an object.
    """
    meta, arrays = read_store(path, CHECKPOINT)
    if meta.get("family") != family:
        raise UserError(f"{path}: family must be {family}, not {meta.get('family')!r}")
    known = {"format", "version", "family", "config", "metrics", *keys}
    if set(meta) != known:
        key = sorted(set(meta) ^ known)[0]
        raise UserError(f"{path}: metadata keys must be {sorted(known)}, see {key!r}")
    if not isinstance(meta["config"], dict):
        raise UserError(f"{path}: config must be an object, not {meta['config']!r}")
    return meta, arrays


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


def check_shapes(path: str | Path, shapes: Shapes, arrays: Mapping[str, np.ndarray]) -> None:
    """UserError unless the arrays are just those, of just these shapes and types."""
    for name in sorted(set(shapes) | set(arrays)):
        if name not in arrays:
            raise UserError(f"{path}: tensor {name!r} is missing")
        if name not in shapes:
            raise UserError(f"{path}: tensor {name!r} is not known")
        found = (arrays[name].shape, arrays[name].dtype.name)
        if found != shapes[name]:
            raise UserError(f"{path}: tensor {name!r} must be {shapes[name]}, not {found}")


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
