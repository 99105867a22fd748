"""Spec to Verilog: seconds against the number of kept weights."""

import pytest
from designs import random_spec

from gatesmith.families import FAMILIES


@pytest.mark.parametrize("size", [100, 316, 1000, 3162])
@pytest.mark.parametrize("datapath", ["gate", "index"])
def test_generation_time_by_kept_weights(benchmark, size, datapath):
    spec = random_spec(
        1, [size, size, 10], sparsity=0.9, width=24, leap=8, lanes=16, datapath=datapath,
        lookahead=32,
    )  # fmt: skip
    benchmark.extra_info["kept_weights"] = sum(int(layer.fan_in.sum()) for layer in spec.layers)
    text = benchmark.pedantic(FAMILIES["sparse-mlp"].verilog, args=(spec,), rounds=1)
    benchmark.extra_info["bytes"] = len(text)


@pytest.mark.parametrize("datapath", ["gate", "index"])
def test_generation_time_of_the_mnist_network(benchmark, datapath):
    spec = random_spec(
        1, [784, 512, 512, 10], sparsity=0.9, width=19, leap=8, lanes=64, input_bits=8,
        datapath=datapath, lookahead=32,
    )  # fmt: skip
    benchmark.pedantic(FAMILIES["sparse-mlp"].verilog, args=(spec,), rounds=1)
