from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatesmith.models.errors import UserError
from gatesmith.models.frames import PAD, Field, FrameFormat

SCORES = FrameFormat(
    fields=(
        Field(name="score", count=3, width=12, signed=True),
        Field(name="argmax", count=1, width=2, signed=False),
    )
)

VARYING = FrameFormat(
    fields=(Field(name="mode", count=1, width=2, signed=False),),
    repeated=(
        Field(name="symbol", count=2, width=7, signed=False, most=82),
        Field(name="input", count=1, width=5, signed=True),
    ),
    repeats=4,
    tail=(Field(name="count", count=2, width=32, signed=False),),
)


@pytest.mark.parametrize("width", [0, 65])
def test_rejects_width(width):
    with pytest.raises(ValueError, match="^Width must be between 1 and 64 bits, not"):
        Field(name="x", count=1, width=width, signed=False)


def test_rejects_count():
    with pytest.raises(ValueError, match="^Field 'x' must have at least 1 word, not 0$"):
        Field(name="x", count=0, width=1, signed=False)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((2, 3), int), r"^Frames must have shape \[frames, 4\], not \(2, 3\)$"),
        (np.zeros((1, 4)), "^Frames must be integers, not float64$"),
        (
            np.array([[0, 2048, 0, 0]]),
            "^Word 1 of frame 0 must be between -2048 and 2047, not 2048$",
        ),
        (np.array([[0, 0, 0, -1]]), "^Word 3 of frame 0 must be between 0 and 3, not -1$"),
    ],
)
def test_rejects_frames(frames, message):
    with pytest.raises(UserError, match=message):
        SCORES.pack(frames)


def test_extends_words_to_whole_bytes():
    assert (SCORES.words, SCORES.data_width) == (4, 16)
    beats = SCORES.pack(np.array([[-1, 5, -2048, 3]]))
    assert beats.tolist() == [[0xFFFF, 5, 0xF800, 3]]


@given(st.integers(1, 64), st.booleans(), st.integers(0, 2**32))
def test_unpack_undoes_pack(width, signed, seed):
    layout = FrameFormat(fields=(Field(name="x", count=5, width=width, signed=signed),))
    if width == 64 and not signed:
        return  # words above 2**63 - 1 have no int64
    frames = layout.random(np.random.default_rng(seed), 4)
    assert np.array_equal(layout.unpack(layout.pack(frames)), frames)
    assert FrameFormat.from_json(layout.to_json()) == layout


def _varying(*words: int) -> np.ndarray:
    return np.array([[*words, *[PAD] * (VARYING.words - len(words))]])


@pytest.mark.parametrize(
    ("most", "signed", "message"),
    [
        (128, False, "^Most must be between 0 and 127, not 128$"),
        (-1, False, "^Most must be between 0 and 127, not -1$"),
        (5, True, "^Most must be None for signed words, not 5$"),
    ],
)
def test_rejects_most(most, signed, message):
    with pytest.raises(ValueError, match=message):
        Field(name="x", count=1, width=7, signed=signed, most=most)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repeats": 0}, "^Repeats must be at least 1, not 0$"),
        ({"repeated": ()}, "^Repeats must be 1 without repeated fields, not 4$"),
        (
            {"tail": (Field(name="x", count=1, width=64, signed=True),)},
            "^Width must be at most 63 bits in varying frames, not 64$",
        ),
        (
            {"fields": (), "repeated": (), "tail": (), "repeats": 1},
            "^Fields must be at least 1, not none$",
        ),
    ],
)
def test_rejects_varying_format(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(VARYING, **changes)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (
            _varying(0, 1, 2, 3, 4, 5, 6),
            "^Words of frame 0 must be 6 to 15 in steps of 3, not 7$",
        ),
        (_varying(0, 1, 2), "^Words of frame 0 must be 6 to 15 in steps of 3, not 3$"),
        (_varying(), "^Words of frame 0 must be 6 to 15 in steps of 3, not 0$"),
        (
            _varying(0, 1, 2, 3, 82, 83, 0, 7, 8),
            "^Word 5 of frame 0 must be between 0 and 82, not 83$",
        ),
        (
            np.concatenate([_varying(0, 1, 2, 3, 4, 5), _varying(0, 1, 2, 3, 1, 2, 3, 4, -1)]),
            "^Word 8 of frame 1 must be between 0 and 4294967295, not -1$",
        ),
        (
            _varying(0, 1, PAD, 3, 4, 5),
            f"^Word 2 of frame 0 must be between 0 and 82, not {PAD}$",
        ),
    ],
)
def test_rejects_varying_frames(frames, message):
    with pytest.raises(UserError, match=message):
        VARYING.pack(frames)


def test_varying_frames_are_padded():
    assert (VARYING.words, VARYING.length(2), VARYING.data_width) == (15, 9, 32)
    frames = np.concatenate([_varying(3, 82, 0, -1, 6, 7), _varying(0, 1, 2, -16, 1, 2, 3, 4, 5)])
    assert VARYING.lengths(frames).tolist() == [6, 9]
    assert VARYING.repetitions(frames).tolist() == [1, 2]
    beats = VARYING.pack(frames)
    assert VARYING.lengths(beats).tolist() == [6, 9]
    assert beats[0].tolist() == [3, 82, 0, 0xFFFF_FFFF, 6, 7, *[1 << 63] * 9]
    assert np.array_equal(VARYING.unpack(beats), frames)


@given(
    st.integers(0, 2),
    st.integers(1, 3),
    st.integers(0, 2),
    st.integers(1, 6),
    st.integers(1, 63),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_unpack_undoes_pack_of_varying_frames(head, middle, tail, repeats, width, signed, seed):
    def some(count, width, **options):
        return tuple(Field(name=f"x{k}", count=k + 1, width=width, **options) for k in range(count))

    layout = FrameFormat(
        fields=some(head, 3, signed=False, most=5),
        repeated=some(middle, width, signed=signed),
        repeats=repeats,
        tail=some(tail, 9, signed=True),
    )
    frames = layout.random(np.random.default_rng(seed), 9)
    repetitions = layout.repetitions(frames)
    assert repetitions[:2].tolist() == [1, repeats], "the shortest and the longest come first"
    for frame, count in zip(frames, repetitions.tolist(), strict=True):
        assert (frame[: layout.length(count)] != PAD).all()
        assert (frame[layout.length(count) :] == PAD).all()
    assert np.array_equal(layout.unpack(layout.pack(frames)), frames)
    assert FrameFormat.from_json(layout.to_json()) == layout


def test_json_of_varying_frames():
    symbol, count = VARYING.to_json()[1], VARYING.to_json()[3]
    assert VARYING.to_json()[0] == {"name": "mode", "count": 1, "width": 2, "signed": False}
    assert symbol["most"] == 82
    assert (symbol["part"], symbol["repeats"]) == ("repeated", 4)
    assert count["part"] == "tail"
    with pytest.raises(KeyError):
        FrameFormat.from_json([{**symbol, "part": "middle"}])
