"""Golden model: frames a second."""

import numpy as np
import pytest
from designs import random_spec

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
