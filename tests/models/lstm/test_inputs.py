"""Test sets as frames."""

import re

import numpy as np
import pytest
from lstm_designs import random_spec

from gatesmith.models.data import Dataset, load, quantise
from gatesmith.models.errors import UserError
from gatesmith.models.frames import PAD
from gatesmith.models.lstm import dataset_frames, load_data
from gatesmith.models.sequences import Part, Sequences, Text

rng = np.random.default_rng(0)
IMAGES = rng.integers(0, 256, (5, 12)).astype(np.uint8)
CLASSES = np.arange(5)
SMALL = Dataset(
    name="small", levels=255, train_x=IMAGES, train_y=CLASSES, valid_x=IMAGES, valid_y=CLASSES,
    test_x=IMAGES, test_y=CLASSES,
)  # fmt: skip
SERIES = Part(
    x=rng.integers(-127, 128, (6, 4, 3)).astype(np.int8),
    y=np.arange(6),
    lengths=np.array([4, 2, 4, 3, 2, 4]),
)
SPOKEN = Sequences(name="spoken", train=SERIES, valid=SERIES, test=SERIES)
TEXT = Text(
    name="text",
    vocabulary=tuple("abcdef"),
    train=np.zeros(9, dtype=np.uint16),
    valid=np.zeros(9, dtype=np.uint16),
    test=np.arange(50).astype(np.uint16) % 6,
)


def test_images_are_read_row_by_row():
    spec = random_spec(1, (4, 8, 3), steps=5, state=True)
    frames = dataset_frames(spec, SMALL)
    assert spec.input_format.repetitions(frames).tolist() == [3] * 5
    assert not frames[:, : 1 + 16].any(), "sparse mode, states and cells of 0"
    assert np.array_equal(frames[:, 17:29], quantise(IMAGES, 255, 7))
    assert (frames[:, 29:] == PAD).all()


def test_digits():
    spec = random_spec(1, (8, 8, 10), steps=8)
    digits = load("digits")
    frames = dataset_frames(spec, digits)
    assert frames.shape == (len(digits.test_y), 65)
    grey = frames[:, 1:]
    assert (grey.min(), grey.max()) == (0, 127)
    assert np.array_equal(grey == 0, digits.test_x == 0)


def test_the_first_of_a_batch_is_the_one_that_counts():
    spec = random_spec(1, (4, 8, 3), steps=3, batch=2)
    words = dataset_frames(spec, SMALL)[:, 1:].reshape(5, 12, 2)
    grey = quantise(IMAGES, 255, 7)
    assert np.array_equal(words[:, :, 0], grey)
    assert np.array_equal(words[:, :, 1], np.roll(grey, -1, axis=0))


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_sequences_of_other_lengths(batch):
    spec = random_spec(1, (3, 8, 3), steps=6, batch=batch)
    frames = dataset_frames(spec, SPOKEN)
    assert spec.input_format.repetitions(frames).tolist() == SERIES.lengths.tolist()
    for number, steps in enumerate(SERIES.lengths.tolist()):
        words = frames[number, 1 : 1 + steps * 3 * batch].reshape(steps, 3, batch)
        assert np.array_equal(words[..., 0], SERIES.x[number, :steps])
        alike = [k for k in range(6) if SERIES.lengths[k] == steps]
        for b in range(batch):
            beside = alike[(alike.index(number) + b) % len(alike)]
            assert np.array_equal(words[..., b], SERIES.x[beside, :steps])


def test_texts_are_read_in_streams_side_by_side():
    spec = random_spec(1, (6, 8, 6), one_hot=True, every_step=True, steps=7, batch=2)
    frames = dataset_frames(spec, TEXT)
    assert frames.shape == (3, 15) and not frames[:, 0].any()
    streams = frames[:, 1:].reshape(3, 7, 2).transpose(2, 0, 1).reshape(2, 21)
    assert np.array_equal(streams.ravel(), TEXT.test[:42])


@pytest.mark.parametrize(
    ("options", "data", "message"),
    [
        ({"one_hot": True}, SMALL, "Data for small must be vectors, not 'symbols'"),
        ({"one_hot": False}, TEXT, "Data for text must be symbols, not 'vectors'"),
        ({"sizes": (5, 8, 3)}, SMALL, "Inputs must be a divisor of the 12 pixels, not 5"),
        ({"sizes": (3, 8, 3), "steps": 3}, SMALL, "Steps must be at least the 4 of small, not 3"),
        ({"sizes": (2, 8, 3)}, SPOKEN, "Inputs must be the 3 of spoken, not 2"),
        ({"sizes": (3, 8, 3), "steps": 3}, SPOKEN, "Steps must be at least the 4 of spoken, not 3"),
        ({"sizes": (5, 8, 3), "one_hot": True}, TEXT, "Inputs must be the 6 symbols of text, not"),
        (
            {"sizes": (6, 8, 3), "one_hot": True, "steps": 30, "batch": 2},
            TEXT,
            "Steps times batch must be no more than the 50 symbols of the test set, not 60",
        ),
    ],
)  # fmt: skip
def test_rejects_data_that_does_not_fit(options, data, message):
    with pytest.raises(UserError, match="^" + re.escape(message)):
        dataset_frames(random_spec(1, **options), data)


def test_load_data_gives_the_classes_of_the_test_set(tmp_path):
    found, classes = load_data("digits")
    assert isinstance(found, Sequences) and np.array_equal(classes, load("digits").test_y)
    (tmp_path / "austen.txt").write_text("abcdefghij" * 200)
    text, none = load_data("austen", tmp_path)
    assert isinstance(text, Text) and none is None


def test_digits_are_the_same_as_images_and_as_sequences():
    spec = random_spec(1, (8, 4, 10), steps=8)
    frames = dataset_frames(spec, load("digits"))
    assert np.array_equal(frames, dataset_frames(spec, load_data("digits")[0]))
