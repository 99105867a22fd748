import numpy as np
import pytest
from designs import random_spec
from hypothesis import given
from hypothesis import strategies as st

from gatesmith.models.sparse_mlp import timing
from gatesmith.models.sparse_mlp.schedule import _Pipeline, _Unrolled, clocks, group_clocks


def test_lone_neuron_takes_a_clock_an_input():
    spec = random_spec(1, [1024, 1], sparsity=0.5, width=10, lanes=1)
    # 1024 inputs, two stages, the result register, then the score and the argmax.
    assert timing(spec).latency == 1024 + 3 + 1


def test_index_takes_a_clock_a_kept_input():
    spec = random_spec(1, [1024, 1], sparsity=0.5, width=16, lookahead=64, datapath="index")
    kept = int(spec.layers[0].fan_in[0])
    assert group_clocks(spec, spec.layers[0]).tolist() == [kept]
    assert timing(spec).latency == 1024 + kept + 3 + 1


def test_empty_blocks_cost_a_clock():
    spec = random_spec(2, [64, 3], sparsity=0.9, lookahead=4, lanes=2, datapath="index")
    blocks = spec.layers[0].mask.reshape(3, 16, 4).sum(axis=2)
    lanes = np.maximum(blocks, 1).sum(axis=1)
    assert group_clocks(spec, spec.layers[0]).tolist() == [max(lanes[:2]), lanes[2]]


@pytest.mark.parametrize("datapath", ["gate", "index"])
def test_layers_overlap_frames(datapath):
    spec = random_spec(3, [16, 24, 24, 4], lanes=4, datapath=datapath)
    found = timing(spec)
    slowest = max(int(group_clocks(spec, layer).sum()) for layer in spec.layers)
    assert max(slowest, 16) <= found.interval < found.latency
    assert found.interval <= slowest + 8 * 6


def test_unrolled_layers_are_as_fast_as_the_words_come():
    spec = random_spec(4, [30, 24, 10], datapath="unrolled", pipeline=2)
    found = timing(spec)
    # 30 words, the launch, 2 layers of 3 registers but the last one's, 10 scores, the argmax.
    assert (found.latency, found.interval) == (30 + 1 + 5 + 1 + 10 + 1, 30)
    assert timing(random_spec(4, [3, 24, 10], datapath="unrolled")).interval == 10 + 1


@given(
    st.integers(0, 2**32),
    st.lists(st.integers(1, 12), min_size=2, max_size=4),
    st.integers(1, 12),
    st.sampled_from(["gate", "index", "unrolled"]),
)
def test_repeating_schedule_equals_the_long_walk(seed, sizes, lanes, datapath):
    spec = random_spec(seed, sizes, lanes=lanes, datapath=datapath, pipeline=lanes - 1)
    walk = _Unrolled(spec) if datapath == "unrolled" else _Pipeline(spec)
    spans = [end - begin + 1 for begin, end in (walk.frame() for _ in range(120))]
    assert clocks(spec, 120).tolist() == spans
