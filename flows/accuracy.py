"""Accuracy of the golden model, and so of the chip, on the test set of a design."""

from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.models.errors import UserError

__all__ = ["golden_accuracy"]


def golden_accuracy(
    entry: Any, spec: Any, name: str, data_dir: str | Path | None = None
) -> tuple[int, float]:
    """Number of test frames, and the part whose class is the golden model's prediction.

    UserError when the data set is not there, has no classes, or the family makes no frames of it.
    """
    if not hasattr(entry.models, "dataset_frames"):
        raise UserError(f"Family {entry.name!r} makes no frames of data set {name!r}")
    found, classes = entry.models.load_data(name, data_dir)
    if classes is None:
        raise UserError(f"Data set {name!r} has no classes to be right or wrong about")
    answers = entry.models.golden(spec, entry.models.dataset_frames(spec, found)).outputs
    return len(classes), float(np.mean(entry.models.predictions(spec, answers) == classes))
