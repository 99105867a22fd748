"""The golden model against a plain one, and at the corners of its number formats."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from lstm_designs import random_frames, random_spec, specs
from lstm_reference import reference

from gatesmith.models.errors import UserError
from gatesmith.models.frames import PAD
from gatesmith.models.lstm import counters, golden, trace


@settings(max_examples=60)
@given(specs())
def test_matches_reference(spec):
    frames = random_frames(spec, 4)
    run, traces = golden(spec, frames), trace(spec, frames)
    lengths = spec.output_format.lengths(run.outputs)
    for number, frame in enumerate(frames):
        answer = reference(spec, frame)
        words = run.outputs[number, : lengths[number]].tolist()
        assert words[:-1] == answer.words
        for index, found in enumerate(traces):
            for kept, wanted in ((found.states, answer.states), (found.cells, answer.cells)):
                for step, layers in enumerate(wanted):
                    assert kept[number, step].T.tolist() == [list(cell) for cell in layers[index]]
                assert not kept[number, len(wanted) :].any()
    spec.output_format.check(run.outputs)


def test_frames_do_not_touch_each_other(monkeypatch):
    """One at a time, all at once, or in another order: the same words."""
    spec = random_spec(1, (6, 8, 4, 5), steps=7, every_step=True, batch=2, state=True)
    frames = random_frames(spec, 9)
    whole = golden(spec, frames).outputs
    for number in range(9):
        alone = golden(spec, frames[number : number + 1]).outputs
        assert np.array_equal(alone[0], whole[number])
    assert np.array_equal(golden(spec, frames[::-1]).outputs, whole[::-1])
    # The package exports a function of the module's name.
    monkeypatch.setattr(sys.modules["gatesmith.models.lstm.golden"], "FRAMES", 4)
    assert np.array_equal(golden(spec, frames).outputs, whole)


def _forced(gate_biases, *, steps, threshold=0, cells=8):
    """A layer whose gates have these pre-activations, whatever comes in."""
    spec = random_spec(2, (3, cells, 4), steps=steps, threshold=threshold, state=True)
    layer = spec.layers[0]
    still = np.zeros_like(layer.scale_x)
    bias = np.repeat(gate_biases, cells)
    layer = replace(layer, scale_x=still, scale_h=still, bias=bias)
    return replace(spec, layers=(layer,))


@pytest.mark.parametrize(("sign", "limit"), [(1, 32_767), (-1, -32_768)])
def test_cell_saturates(sign, limit):
    spec = _forced([2047, 2047, 2047 * sign, 2047], steps=12)
    frames = spec.input_format.random(np.random.default_rng(0), 2)
    frames[:, 1:17] = 0
    cells = trace(spec, frames)[0].cells[1, :, 0, 0]
    assert cells[:8].tolist() == [4064 * sign * (k + 1) for k in range(8)]
    assert (cells[8:] == limit).all()
    assert np.all(trace(spec, frames)[0].states[1, 8:] == 127 * sign)


def test_counters_are_modulo_32_bits(monkeypatch):
    spec = random_spec(1, (3, 4, 2), steps=2)
    frames = spec.input_format.random(np.random.default_rng(0), 2)
    before = counters(spec, golden(spec, frames).outputs)["clocks"]
    monkeypatch.setattr(
        sys.modules["gatesmith.models.lstm.golden"],
        "clocks",
        lambda spec, work: (before + (1 << 33) + 5, before),
    )
    outputs = golden(spec, frames).outputs
    assert (counters(spec, outputs)["clocks"] == before + 5).all()
    spec.output_format.check(outputs)


def test_all_states_zero_and_none():
    """A closed output gate prunes all, an open one none; columns follow."""
    for gate, zero in ((-2047, True), (2047, False)):
        spec = _forced([2047, 2047, 2047, gate], steps=5)
        frames = spec.input_format.random(np.random.default_rng(0), 2)
        frames[:, :17] = 0  # sparse mode, initial states and cells of 0
        inputs = frames[1, 17:].reshape(5, 3)
        found = counters(spec, golden(spec, frames).outputs)
        taken = int((inputs != 0).sum()) + (0 if zero else 4 * 8 + 8)
        assert found["taken"][1] == taken
        assert found["skipped"][1] == 5 * (3 + 8) + 8 - taken


def test_pre_activations_saturate():
    """The largest sums times the largest scales, unshifted, drive every gate to an end."""
    spec = random_spec(5, (40, 16, 4), kind="int12", steps=2, scale_bits=16, state=True)
    layer = spec.layers[0]
    full = np.full_like(layer.scale_x, 32_767)
    high = replace(
        layer,
        weight_x=np.full_like(layer.weight_x, 2047),
        weight_h=np.full_like(layer.weight_h, 2047),
        scale_x=full,
        scale_h=full,
        shift=0,
    )
    frames = spec.input_format.random(np.random.default_rng(0), 2)
    frames[1, 33:] = 127
    frames[1, 1:17], frames[1, 17:33] = 127, 0
    low = replace(high, scale_x=-full, scale_h=-full)
    # The new cell is 127 / 128, and tanh(0.992) is 97.5 / 128 less a little.
    for one, c, h in ((high, 4064, 97), (low, 0, 0)):
        changed = replace(spec, layers=(one,))
        found = trace(changed, frames)[0]
        assert found.cells[1, 0, 0].tolist() == [c] * 16
        assert found.states[1, 0, 0].tolist() == [h] * 16
        words = golden(changed, frames).outputs[1]
        assert words[:-1].tolist() == reference(changed, frames[1]).words


def test_head_is_exact_at_its_limits():
    """Scores of the largest weights and biases, of which the first greatest wins."""
    spec = _forced([2047, 2047, 2047, 2047], steps=30, cells=64)
    head = replace(
        spec.head,
        kind="int12",
        weight=np.full((4, 64), 2047),
        bias=np.array([-(2**30) + 1, 2**30 - 1, 2**30 - 1, 0]),
    )
    spec = replace(spec, head=head)
    frames = spec.input_format.random(np.random.default_rng(0), 2)
    total = 64 * 2047 * 127
    outputs = golden(spec, frames).outputs
    wanted = [total - 2**30 + 1, total + 2**30 - 1, total + 2**30 - 1, total, 1]
    assert outputs[1, :5].tolist() == wanted


def test_threshold_keeps_its_own_magnitude():
    """A state as large as the threshold stays, a smaller one becomes 0."""
    spec = _forced([2047, -2047, 30, 2047], steps=1)
    frames = spec.input_format.random(np.random.default_rng(0), 1)
    state = abs(int(trace(spec, frames)[0].states[0, 0, 0, 0]))
    assert state > 0
    for threshold, kept in ((state, True), (state + 1, False)):
        layer = replace(spec.layers[0], threshold=threshold)
        found = trace(replace(spec, layers=(layer,)), frames)[0].states
        assert bool(found.any()) == kept


def test_state_out_continues_as_state_in():
    """Two frames that hand their states on are one long frame."""
    spec = random_spec(4, (6, 8, 4, 5), steps=8, every_step=True, state=True, batch=2)
    rng = np.random.default_rng(1)
    long = spec.input_format.random(rng, 2)[1:]
    first = spec.input_format.length(0)
    each = spec.input_format.length(1) - first
    states = 2 * spec.batch * 12
    half = first + 4 * each
    parts, heads = [], long[:, :first]
    for words in (long[:, first:half], long[:, half:]):
        frame = np.full_like(long, PAD)
        frame[:, :first], frame[:, first:half] = heads, words
        out = golden(spec, frame).outputs
        end = int(spec.output_format.lengths(out)[0])
        parts.append(out[:, : end - 3 - states])
        heads = np.concatenate([long[:, :1], out[:, end - 3 - states : end - 3]], axis=1)
    whole = golden(spec, long).outputs
    assert np.array_equal(np.concatenate(parts, axis=1), whole[:, : -3 - states])
    assert np.array_equal(heads[:, 1:], whole[:, -3 - states : -3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frames: frames[:, :-1], r"^Frames must have shape \[frames, \d+\], not "),
        (lambda frames: frames.astype(float), "^Frames must be integers, not float64$"),
        (
            lambda frames: np.where(np.arange(frames.shape[1]) == 3, 7, frames),
            "^Word 3 of frame 0 must be between 0 and 4, not 7$",
        ),
        (
            lambda frames: np.where(np.arange(frames.shape[1]) < 1, frames, PAD),
            "^Words of frame 0 must be 3 to 9 in steps of 2, not 1$",
        ),
    ],
)
def test_rejects_frames(change, message):
    """A symbol beyond the last, an empty sequence, and frames of no such format."""
    spec = random_spec(1, (5, 8, 3), one_hot=True, batch=2)
    frames = spec.input_format.random(np.random.default_rng(0), 1)
    frames = np.where(frames == PAD, 1, frames)
    with pytest.raises(UserError, match=message):
        golden(spec, change(frames))
