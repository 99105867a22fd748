import numpy as np
import pytest
from designs import random_spec
from hypothesis import given
from hypothesis import strategies as st

from gatesmith.models.errors import UserError
from gatesmith.models.sparse_mlp import faults, golden, hidden


def by_hand(spec, frame):
    """Independent reference: one frame, Python integers, one LFSR bit at a time."""
    values, layers = [int(word) for word in frame], []
    for layer in spec.layers:
        weights, result = iter(layer.weights.tolist()), []
        for neuron in range(layer.outputs):
            acc, state = int(layer.bias[neuron]), int(layer.seeds[neuron])
            for value in values:
                if state >= layer.threshold:
                    acc += next(weights) * value
                for _ in range(layer.leap if layer.taps else 0):
                    bit = sum(state >> (tap - 1) for tap in layer.taps) & 1
                    state = (state << 1 | bit) % (1 << max(layer.taps))
            if layer.output_bits:
                acc = min(max(acc >> layer.shift, 0), 2**layer.output_bits - 1)
            result.append(acc)
        layers.append(result)
        values = result
    return layers


@given(
    st.integers(0, 2**32),
    st.lists(st.integers(1, 19), min_size=2, max_size=4),
    st.sampled_from(["binary", "ternary", "int8"]),
    st.sampled_from([0, 0.3, 0.5, 0.9]),
    st.sampled_from([1, 3, 8]),
    st.sampled_from([1, 4, 8]),
)
def test_matches_hand_computation(seed, sizes, kind, sparsity, leap, bits):
    spec = random_spec(
        seed, sizes, weight_kind=kind, sparsity=sparsity, leap=leap, activation_bits=bits
    )
    frames = spec.input_format.random(np.random.default_rng(seed), 3)
    run, activations = golden(spec, frames), hidden(spec, frames)
    for index, frame in enumerate(frames):
        *inner, scores = by_hand(spec, frame)
        assert [layer[index].tolist() for layer in activations] == inner
        assert run.outputs[index].tolist() == [*scores, scores.index(max(scores))]


def test_sums_beyond_float32_stay_exact():
    spec = random_spec(1, [4096, 2], weight_kind="int8", sparsity=0, input_bits=8)
    frames = np.full((1, 4096), 255)
    frames[0, 0] = 254
    expected = (spec.layers[0].dense * frames).sum(axis=1) + spec.layers[0].bias
    assert golden(spec, frames).outputs[0, :2].tolist() == expected.tolist()


def test_rejects_frames_out_of_range():
    spec = random_spec(1, [5, 3])
    with pytest.raises(UserError, match="^Word 0 of frame 0 must be between 0 and 15, not 16$"):
        golden(spec, np.full((1, 5), 16))


def test_every_fault_is_a_different_design():
    spec = random_spec(7, [24, 12, 5], weight_kind="int8", sparsity=0.5)
    frames = spec.input_format.random(np.random.default_rng(0), 200)
    right = golden(spec, frames).outputs
    planted = faults(spec)
    assert {name.split(": ")[1] for name in planted} == {
        "wrong tap", "threshold too high", "two seeds swapped", "one weight",
        "lowest bit of one weight", "one bias", "shift too long",
    }  # fmt: skip
    seen = [name for name, faulty in planted.items()
            if not np.array_equal(golden(faulty, frames).outputs, right)]  # fmt: skip
    assert len(seen) >= len(planted) - 1
