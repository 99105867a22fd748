"""Accuracy of the golden model, and so of the chip, on the test set of a design."""

from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.models import data
from gatesmith.models.errors import UserError

__all__ = ["golden_accuracy"]


def golden_accuracy(
    entry: Any, spec: Any, name: str, data_dir: str | Path | None = None
) -> tuple[int, float]:
    """Number of test images, and the part whose class is the golden model's prediction.

    UserError when the data set is not there, or the family makes no frames of it.
    """
    if not hasattr(entry.models, "dataset_frames"):
        raise UserError(f"Family {entry.name!r} makes no frames of data set {name!r}")
    images = data.load(name, data_dir)
    answers = entry.models.golden(spec, entry.models.dataset_frames(spec, images)).outputs
    found = entry.models.predictions(spec, answers)
    return len(images.test_y), float(np.mean(found == images.test_y))
