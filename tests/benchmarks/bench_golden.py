"""Golden models: frames and steps a second."""

import numpy as np
import pytest
from designs import random_spec
from lstm_designs import random_spec as random_lstm

from gatesmith.models import lstm
from gatesmith.models.sparse_mlp import golden


@pytest.mark.parametrize("datapath", ["gate", "index"])
@pytest.mark.parametrize("frames", [1000, 10_000])
def test_frames_of_the_mnist_network(benchmark, datapath, frames):
    spec = random_spec(
        1, [784, 512, 512, 10], sparsity=0.9, width=19, leap=8, lanes=64, input_bits=8,
        datapath=datapath, lookahead=32,
    )  # fmt: skip
    data = spec.input_format.random(np.random.default_rng(0), frames)
    benchmark.pedantic(golden, args=(spec, data), rounds=3, warmup_rounds=1)
    benchmark.extra_info["frames_per_s"] = frames / benchmark.stats["mean"]


@pytest.mark.parametrize("frames", [16, 256])
@pytest.mark.parametrize("kind", ["ternary", "int12"])
def test_steps_of_the_character_model(benchmark, kind, frames):
    """128 cells and 83 symbols; 100 steps a frame, counted once for each sequence."""
    spec = random_lstm(
        1, (83, 128, 83), kind=kind, one_hot=True, every_step=True, steps=100, lanes=64,
        elementwise=4, threshold=30,
    )  # fmt: skip
    data = np.random.default_rng(0).integers(0, 83, (frames, 101))
    data[:, 0] = 0
    benchmark.pedantic(lstm.golden, args=(spec, data), rounds=3, warmup_rounds=1)
    benchmark.extra_info["steps_per_s"] = 100 * frames / benchmark.stats["mean"]
