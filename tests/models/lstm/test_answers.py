"""Scores, classes and bits a character, out of the words of frames."""

import math

import numpy as np
import pytest
from lstm_designs import random_frames, random_spec

from gatesmith.models.errors import UserError
from gatesmith.models.frames import PAD
from gatesmith.models.lstm import (
    bits_per_character,
    counters,
    golden,
    predictions,
    scores,
    trace,
)


@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("every_step", [False, True])
def test_answers_are_those_of_the_head(every_step, batch, state):
    spec = random_spec(
        1, (5, 8, 4), every_step=every_step, batch=batch, state=state, steps=5, threshold=0
    )
    frames = random_frames(spec, 7)
    outputs, states = golden(spec, frames).outputs, trace(spec, frames)[0].states
    steps = spec.input_format.repetitions(frames)
    wanted = states @ spec.head.weight.T.astype(int) + spec.head.bias
    found = scores(spec, outputs)
    assert found.shape == (7, 5 if every_step else 1, batch, 4)
    classes = predictions(spec, outputs)
    small = spec.with_options(outputs="argmax")
    assert np.array_equal(classes, predictions(small, golden(small, frames).outputs))
    for number, count in enumerate(steps.tolist()):
        if every_step:
            assert np.array_equal(found[number, :count], wanted[number, :count])
            assert (found[number, count:] == PAD).all()
        else:
            assert np.array_equal(found[number, 0], wanted[number, count - 1])
        assert classes[number] == wanted[number, count - 1, 0].argmax()


def test_scores_need_to_be_sent():
    spec = random_spec(1, outputs="argmax")
    outputs = golden(spec, random_frames(spec, 2)).outputs
    with pytest.raises(UserError, match="^Outputs must be 'scores', not 'argmax'$"):
        scores(spec, outputs)


def test_counters_are_the_last_words():
    spec = random_spec(1, every_step=True, state=True, steps=3)
    outputs = golden(spec, random_frames(spec, 4)).outputs
    lengths = spec.output_format.lengths(outputs)
    found = counters(spec, outputs)
    assert list(found) == ["taken", "skipped", "clocks"]
    for number, length in enumerate(lengths.tolist()):
        words = [int(column[number]) for column in found.values()]
        assert words == outputs[number, length - 3 : length].tolist()


def _language_model(batch=2):
    spec = random_spec(3, (6, 8, 6), one_hot=True, every_step=True, batch=batch, steps=9)
    frames = random_frames(spec, 5)
    return spec, frames, golden(spec, frames).outputs


def test_bits_per_character():
    spec, frames, outputs = _language_model()
    found, bits = scores(spec, outputs), []
    for number, steps in enumerate(spec.input_format.repetitions(frames).tolist()):
        symbols = frames[number, 1 : 1 + 2 * steps].reshape(steps, 2)
        for step in range(steps - 1):
            for b in range(2):
                logits = [int(k) / 2**spec.head.fraction for k in found[number, step, b]]
                most = max(logits)
                total = sum(math.exp(k - most) for k in logits)
                likely = math.exp(logits[symbols[step + 1, b]] - most) / total
                bits.append(-math.log2(likely))
    assert bits_per_character(spec, frames, outputs) == pytest.approx(sum(bits) / len(bits))


def test_bits_per_character_of_given_symbols():
    """Equal scores cost log2 of the classes; a score far above all others costs nothing."""
    spec, frames, outputs = _language_model(batch=1)
    targets = np.full((5, 9, 1), -1)
    targets[2, 0] = 3
    flat = outputs.copy()
    flat[2, :6] = 7
    assert bits_per_character(spec, frames, flat, targets) == pytest.approx(math.log2(6))
    flat[2, 3] = 10_000
    assert bits_per_character(spec, frames, flat, targets) == pytest.approx(0, abs=1e-12)
    flat[2, 3] = -10_000
    wanted = 10_007 / 16 * math.log2(math.e) + math.log2(5)
    assert bits_per_character(spec, frames, flat, targets) == pytest.approx(wanted)
    with pytest.raises(UserError, match="^Next symbols must be below 6, not 6$"):
        bits_per_character(spec, frames, outputs, targets * 2)


def test_rejects_bits_of_what_is_no_language_model():
    for options in ({"one_hot": False}, {"every_step": False}):
        spec = random_spec(3, (6, 8, 6), **({"one_hot": True, "every_step": True} | options))
        frames = random_frames(spec, 2)
        with pytest.raises(UserError, match="^Bits a character need inputs that are symbols and "):
            bits_per_character(spec, frames, golden(spec, frames).outputs)
    spec = random_spec(3, (6, 8, 6), one_hot=True, every_step=True, steps=1)
    frames = random_frames(spec, 2)
    with pytest.raises(UserError, match="^Frames must hold a symbol that follows another, not "):
        bits_per_character(spec, frames, golden(spec, frames).outputs)
