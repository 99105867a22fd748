"""The golden model against a plain one, and at the corners of its number formats."""

import numpy as np
import pytest
from hypothesis import given, settings
from minsum_designs import code_spec, matrix_spec, random_frames, random_matrix, specs
from minsum_reference import llrs_of as plain_llrs
from minsum_reference import words

from gatesmith.models.codes import code
from gatesmith.models.errors import UserError
from gatesmith.models.minsum import decode, decoding, golden, llr_frames
from gatesmith.models.minsum.golden import llrs_of

HAMMING = np.array([[1, 1, 0, 1, 1, 0, 0], [1, 0, 1, 1, 0, 1, 0], [0, 1, 1, 1, 0, 0, 1]])


def _matches(spec, frames):
    run = golden(spec, frames)
    for number, frame in enumerate(frames.tolist()):
        assert run.outputs[number].tolist() == words(spec, frame), number
    spec.output_format.check(run.outputs)
    spec.output_format.pack(run.outputs)


@settings(max_examples=400)
@given(specs())
def test_matches_reference(spec):
    _matches(spec, random_frames(spec, 6))


@pytest.mark.slow
@settings(max_examples=3000)
@given(specs())
def test_matches_reference_at_length(spec):
    _matches(spec, random_frames(spec, 6))


@pytest.mark.parametrize("schedule", ["flooding", "layered"])
@pytest.mark.parametrize("message_bits", range(3, 9))
@pytest.mark.parametrize("update", ["plain", "offset", "normalised"])
def test_matches_reference_where_everything_saturates(message_bits, update, schedule):
    """Extreme LLRs on variables of many edges: posteriors go beyond every width of a message."""
    matrix = random_matrix(np.random.default_rng(4), 20, 8)
    matrix[:, 0] = 1
    spec = matrix_spec(
        matrix, 1, message_bits=message_bits, update=update, tying="edge", iterations=4,
        schedule=schedule, rows_per_clock=6, early_stop=False, posteriors=True,
    )  # fmt: skip
    if update == "normalised":  # nothing gets less
        spec = matrix_spec(
            matrix, message_bits=message_bits, update=update, iterations=4, schedule=schedule,
            rows_per_clock=6, early_stop=False, posteriors=True, parameters=np.full((1, 1), 31),
            groups=spec.groups * 0,
        )  # fmt: skip
    rng = np.random.default_rng(5)
    ends = rng.choice([-spec.most - 1, -spec.most, spec.most], (40, 8), p=[0.1, 0.2, 0.7])
    ends[0] = spec.most
    frames = llr_frames(spec, ends)
    _matches(spec, frames)
    if update == "plain":
        assert golden(spec, frames).outputs[0, -8] == (1 + matrix[:, 0].sum()) * spec.most


@pytest.mark.parametrize("schedule", ["flooding", "layered"])
def test_hamming_code_corrects_every_single_error(schedule):
    spec = matrix_spec(HAMMING, update="plain", schedule=schedule, iterations=10)
    llrs = np.full((8, 7), 4)
    llrs[np.arange(7), np.arange(7)] = -1  # the last frame has no error
    outputs = golden(spec, llr_frames(spec, llrs)).outputs
    assert not outputs[:, 2].any() and outputs[:, 1].all()
    assert outputs[7, 0] == 0 and (outputs[:7, 0] > 0).all(), "no iteration without an error"


def test_one_iteration_by_hand():
    """Two checks of three variables: every message written out."""
    matrix = np.array([[1, 1, 1, 0], [0, 1, 1, 1]])
    spec = matrix_spec(
        matrix, iterations=1, early_stop=False, parameters=np.array([[1]]), posteriors=True
    )
    llrs = np.array([[5, -3, 2, 0]])
    # Check 0 gets 5 -3 2 and sends -(2-1), +(2-1), -(3-1); check 1 gets -3 2 0: 0, 0, -(2-1).
    assert decode(spec, llrs).posteriors.tolist() == [[4, -2, 0, -1]]
    # Layered, check 1 sees what check 0 sent: -2 0 0 gives 0 0 0.
    spec = spec.with_options(schedule="layered")
    assert decode(spec, llrs).posteriors.tolist() == [[4, -2, 0, 0]]


@pytest.mark.parametrize("early_stop", [True, False])
@pytest.mark.parametrize("schedule", ["flooding", "layered"])
def test_frames_do_not_touch_each_other(monkeypatch, schedule, early_stop):
    """However many lie side by side, are put together or left out: the same words."""
    spec = code_spec(
        code("ccsds-128-64"), schedule=schedule, rows_per_clock=16, early_stop=early_stop,
        posteriors=True, iterations=12,
    )  # fmt: skip
    rng = np.random.default_rng(1)
    llrs = np.clip(np.rint(rng.normal(5, 4, (900, 128))), -15, 15).astype(int)
    frames = llr_frames(spec, llrs)
    whole = golden(spec, frames).outputs
    assert len(np.unique(whole[:, 0])) > 3 or not early_stop, "frames of many lengths"
    monkeypatch.setattr(decoding, "WIDTHS", (64, 64))
    monkeypatch.setattr(decoding, "KEPT", 200_000)
    assert np.array_equal(golden(spec, frames).outputs, whole)
    order = rng.permutation(900)
    assert np.array_equal(golden(spec, frames[order]).outputs, whole[order])
    for number in (0, 17, 899):
        alone = golden(spec, frames[number : number + 1]).outputs
        assert np.array_equal(alone[0], whole[number])


def test_no_frames():
    spec = matrix_spec(HAMMING)
    run = golden(spec, np.zeros((0, 7), dtype=int))
    assert run.outputs.shape == (0, spec.output_format.words) and run.clocks.shape == (0,)


@pytest.mark.parametrize(("bits", "each"), [(3, 21), (4, 16), (5, 12), (8, 8), (7, 1), (6, 3)])
def test_llrs_of_words(bits, each):
    """Any word there is, whatever the unused fields hold."""
    spec = matrix_spec(HAMMING, message_bits=bits, llrs_per_beat=each)
    frames = spec.input_format.random(np.random.default_rng(1), 50)
    for frame, llrs in zip(frames.tolist(), llrs_of(spec, frames).tolist(), strict=True):
        assert llrs == [max(-spec.most, value) for value in plain_llrs(spec, frame)]


def test_rejects_frames():
    spec = matrix_spec(HAMMING)
    with pytest.raises(UserError, match=r"^Frames must have shape \[frames, 7\], not \(1, 6\)$"):
        golden(spec, np.zeros((1, 6), dtype=int))
    with pytest.raises(UserError, match="^Word 2 of frame 1 must be between 0 and 31, not 32$"):
        golden(spec, np.array([[0] * 7, [0, 0, 32, 0, 0, 0, 0]]))


@pytest.mark.parametrize(
    ("llrs", "message"),
    [
        (np.zeros(7, dtype=int), r"LLRs must have shape \[frames, 7\], not \(7,\)"),
        (np.zeros((2, 7)), "LLRs must be integers, not 'float64'"),
        (np.full((1, 7), 16), "LLR 0 of frame 0 must be between -16 and 15, not 16"),
        (np.full((1, 7), -17), "LLR 0 of frame 0 must be between -16 and 15, not -17"),
    ],
)
def test_rejects_llrs(llrs, message):
    spec = matrix_spec(HAMMING)
    for refuses in (decode, llr_frames):
        with pytest.raises(UserError, match=f"^{message}$"):
            refuses(spec, llrs)
