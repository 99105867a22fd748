"""Counted adders: exact where nothing can be shared, near what the hardware shares elsewhere."""

import numpy as np
import pytest

from gatesmith.hw.matvec import adder_graph
from gatesmith.hw.matvec.compressor import counter_graph
from gatesmith.models.sparse_mlp.adders import count_full_adders, count_sums


def test_known_counts():
    assert count_sums(np.eye(5, dtype=int), 4, np.zeros(5, dtype=int)) == (0, 20)
    both = np.ones((7, 2), dtype=int)  # one sum of four bits for all: five bits left
    bits, terms = count_sums(both, 4, np.zeros(7, dtype=int))
    assert bits == pytest.approx(4, abs=0.01) and terms == pytest.approx(5, abs=0.1)
    assert count_full_adders(np.ones((1, 7), dtype=int), 1).bits == 4
    assert count_full_adders(np.ones((4, 3), dtype=int), 1).bits == 1


@pytest.mark.parametrize("kind, least", [("binary", -1), ("ternary", -1), ("int8", -128)])
def test_near_the_hardware(kind, least):
    rng = np.random.default_rng(5)
    shape = (16, 24)
    matrix = rng.integers(least, -least + 1, shape)
    if kind == "binary":
        matrix = rng.choice([-1, 1], shape)
    bias = rng.integers(-99, 99, 16)
    found = count_sums(matrix, 4, bias).bits / adder_graph(matrix, 0, 15, None, bias).cost
    assert 0.75 < found < 1.2
    if kind != "int8":
        real = len(counter_graph(matrix, 1, False, 7, bias.tolist()).adders)
        assert 0.85 < count_full_adders(matrix, 1).bits / real < 1.15


def test_nothing_costs_nothing():
    nothing = np.zeros((3, 4), dtype=int)
    assert count_sums(nothing, 4, nothing[:, 0]) == count_full_adders(nothing, 2) == (0, 0)
