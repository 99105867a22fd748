"""The golden model: exact outputs and clocks of a batch of frames."""

from pathlib import Path

import numpy as np

from gatesmith.models import data
from gatesmith.models.data import DATASETS, Dataset, quantise
from gatesmith.models.frames import GoldenRun
from gatesmith.models.sparse_mlp.layer import SparseLayer
from gatesmith.models.sparse_mlp.schedule import clocks
from gatesmith.models.sparse_mlp.spec import SparseMLPSpec

__all__ = ["DATA", "dataset_frames", "golden", "hidden", "load_data", "predictions"]

DATA = DATASETS
BATCH = 1024  # frames at once: bounds the memory, and is wide enough for the matrix product


def _weights(layer: SparseLayer) -> np.ndarray:
    """Transposed dense weights in the narrowest float whose sums of products are exact."""
    weights = layer.dense
    bound = ((1 << layer.input_bits) - 1) * int(abs(weights).sum(axis=1).max(initial=0))
    # Floats, because BLAS multiplies them tens of times faster than NumPy multiplies integers;
    # integers up to 2**24 and 2**53 are exact in them, whatever the order of the additions.
    assert bound < 1 << 53
    return weights.T.astype(np.float32 if bound < 1 << 24 else np.float64, order="C")


def _forward(layer: SparseLayer, weights: np.ndarray, activations: np.ndarray) -> np.ndarray:
    acc = (activations.astype(weights.dtype) @ weights).astype(np.int64) + layer.bias
    if layer.output_bits == 0:
        return acc
    return np.clip(acc >> layer.shift, 0, (1 << layer.output_bits) - 1)


def hidden(spec: SparseMLPSpec, frames: np.ndarray) -> list[np.ndarray]:
    """Activations of every hidden layer in order, int64 ``[frames, outputs]`` each."""
    activations, found = spec.input_format.check(frames), []
    for layer in spec.layers[:-1]:
        activations = _forward(layer, _weights(layer), activations)
        found.append(activations)
    return found


def golden(spec: SparseMLPSpec, frames: np.ndarray) -> GoldenRun:
    """Class scores and argmax of int64 ``[frames, inputs]``, and the clocks of each frame.

    UserError when a frame has the wrong number of words or a word is out of range.
    """
    frames = spec.input_format.check(frames)
    chain = [(layer, _weights(layer)) for layer in spec.layers]
    outputs = np.empty((len(frames), spec.output_format.words), dtype=np.int64)
    for start in range(0, len(frames), BATCH):
        activations = frames[start : start + BATCH]
        for layer, weights in chain:
            activations = _forward(layer, weights, activations)
        outputs[start : start + BATCH, :-1] = activations
        outputs[start : start + BATCH, -1] = activations.argmax(axis=1)
    return GoldenRun(outputs=outputs, clocks=clocks(spec, len(frames)))


def load_data(name: str, data_dir: str | Path | None = None) -> tuple[Dataset, np.ndarray]:
    """A data set of ``DATA`` and the classes of its test set."""
    found = data.load(name, data_dir)
    return found, found.test_y


def dataset_frames(spec: SparseMLPSpec, dataset: Dataset) -> np.ndarray:
    """The test images of a data set as frames of the Spec, int64 ``[images, inputs]``."""
    first = spec.layers[0]
    return spec.input_format.check(quantise(dataset.test_x, dataset.levels, first.input_bits))


def predictions(spec: SparseMLPSpec, outputs: np.ndarray) -> np.ndarray:
    """Class of each frame, int64 ``[frames]``, from the golden model's outputs."""
    return outputs[:, -1]
