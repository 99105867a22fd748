import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatesmith.models.errors import UserError
from gatesmith.models.frames import Field, FrameFormat

SCORES = FrameFormat(
    fields=(
        Field(name="score", count=3, width=12, signed=True),
        Field(name="argmax", count=1, width=2, signed=False),
    )
)


@pytest.mark.parametrize("width", [0, 64])
def test_rejects_width(width):
    with pytest.raises(ValueError, match="^Width must be between 1 and 63 bits, not"):
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
