"""Spec to Verilog: seconds against the number of kept weights."""

import numpy as np
import pytest
from designs import random_spec
from lstm_designs import random_spec as random_lstm

from gatesmith.families import FAMILIES
from gatesmith.hw.matvec import matvec_verilog


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


@pytest.mark.parametrize("input_bits", [1, 8])
@pytest.mark.parametrize("outputs, inputs", [(64, 128), (181, 181)])
def test_generation_time_of_a_ternary_product(benchmark, outputs, inputs, input_bits):
    matrix = np.random.default_rng(1).integers(-1, 2, (outputs, inputs))
    part = benchmark.pedantic(
        matvec_verilog,
        args=("part", matrix),
        kwargs=dict(input_bits=input_bits, signed=input_bits > 1),
        rounds=1,
    )
    benchmark.extra_info |= {"weights": matrix.size, "adders": part.adders}


@pytest.mark.parametrize("memory", ["rom", "sram", "stream"])
def test_generation_time_of_an_lstm_of_512_cells(benchmark, memory):
    spec = random_lstm(
        1, [87, 512, 87], kind="ternary", head_kind="ternary", one_hot=True, every_step=True,
        steps=100, lanes=64, elementwise=1, memory=memory,
    )  # fmt: skip
    benchmark.extra_info["weights"] = 4 * 512 * (87 + 512) + 512 * 87
    benchmark.pedantic(FAMILIES["lstm"].verilog, args=(spec,), rounds=1)
