"""Test sets as frames of a Spec: images and series step by step, texts symbol by symbol."""

from pathlib import Path

import numpy as np

from gatesmith.models import data
from gatesmith.models.data import DATASETS, Dataset, quantise
from gatesmith.models.errors import check
from gatesmith.models.frames import PAD
from gatesmith.models.lstm.spec import LSTMSpec
from gatesmith.models.sequences import SEQUENCES, Sequences, Text, load

__all__ = ["DATA", "dataset_frames", "load_data"]

DATA = tuple(dict.fromkeys((*SEQUENCES, *DATASETS)))
GREY_BITS = 7  # of a pixel: 0 to 127, which is 0 to 127/128


def load_data(
    name: str, data_dir: str | Path | None = None
) -> tuple[Sequences | Text | Dataset, np.ndarray | None]:
    """A data set of ``DATA`` and the classes of its test set, None of a text."""
    if name not in SEQUENCES:
        images = data.load(name, data_dir)
        return images, images.test_y
    found = load(name, data_dir)
    return found, found.test.y if isinstance(found, Sequences) else None


def dataset_frames(spec: LSTMSpec, dataset: Dataset | Sequences | Text) -> np.ndarray:
    """The test set as frames in sparse mode, int64 ``[frames, words]``; initial states are zero.

    Images are read as many pixels a step as the Spec has inputs, row by row. Frame k holds
    sequence k of the set first, so that the first answers are those of the whole set; in a batch
    the next ones of the same length are beside it. A text is cut into ``batch`` streams side by
    side, of which each frame holds the next ``steps`` symbols; what is left over is dropped.

    UserError when the set does not fit the Spec.
    """
    if isinstance(dataset, Text):
        return _text(spec, dataset)
    check(not spec.one_hot, f"Data for {dataset.name}", "vectors", "symbols")
    inputs = spec.layers[0].inputs
    if isinstance(dataset, Dataset):
        pixels = dataset.inputs
        check(pixels % inputs == 0, "Inputs", f"a divisor of the {pixels} pixels", inputs)
        grey = quantise(dataset.test_x, dataset.levels, GREY_BITS)
        x = grey.reshape(len(grey), pixels // inputs, inputs)
        steps = np.full(len(x), x.shape[1])
    else:
        x, steps = dataset.test.x.astype(np.int64), dataset.test.lengths
        check(x.shape[2] == inputs, "Inputs", f"the {x.shape[2]} of {dataset.name}", inputs)
    longest = int(steps.max())
    check(longest <= spec.steps, "Steps", f"at least the {longest} of {dataset.name}", spec.steps)
    frames = _empty(spec, len(x))
    first = spec.input_format.length(0)
    for count in np.unique(steps).tolist():
        mine = np.flatnonzero(steps == count)
        beside = [np.roll(mine, -b) for b in range(spec.batch)]
        words = np.stack([x[rows, :count] for rows in beside], axis=-1)  # [n, steps, inputs, batch]
        end = first + words[0].size
        frames[mine, first:end] = words.reshape(len(mine), -1)
    return spec.input_format.check(frames)


def _text(spec: LSTMSpec, text: Text) -> np.ndarray:
    check(spec.one_hot, f"Data for {text.name}", "symbols", "vectors")
    inputs, symbols = spec.layers[0].inputs, len(text.vocabulary)
    check(inputs == symbols, "Inputs", f"the {symbols} symbols of {text.name}", inputs)
    words = spec.batch * spec.steps
    count = len(text.test) // words
    least = f"no more than the {len(text.test)} symbols of the test set"
    check(count > 0, "Steps times batch", least, words)
    streams = text.test[: count * words].astype(np.int64).reshape(spec.batch, count, spec.steps)
    frames = _empty(spec, count)
    frames[:, spec.input_format.length(0) :] = streams.transpose(1, 2, 0).reshape(count, words)
    return spec.input_format.check(frames)


def _empty(spec: LSTMSpec, count: int) -> np.ndarray:
    """Frames in sparse mode, without steps so far."""
    frames = np.full((count, spec.input_format.words), PAD)
    frames[:, : spec.input_format.length(0)] = 0
    return frames
