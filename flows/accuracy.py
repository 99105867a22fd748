"""Accuracy of the golden model, and so of the chip, on the test set of a design."""

from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.models import data

__all__ = ["golden_accuracy"]


def golden_accuracy(
    entry: Any, spec: Any, name: str, data_dir: str | Path | None = None
) -> tuple[int, float]:
    """Number of test images, and the part whose class is the golden model's last output word.

    UserError when the data set is not there.
    """
    images = data.load(name, data_dir)
    answers = entry.models.golden(spec, entry.models.dataset_frames(spec, images)).outputs
    return len(images.test_y), float(np.mean(answers[:, -1] == images.test_y))
