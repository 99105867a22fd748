"""Adder graphs compute the product, with exact ranges, within the depth asked for."""

import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatesmith.hw.matvec import adder_graph

HIGHEST = {"binary": 1, "ternary": 1, "small": 5, "int8": 128}


@st.composite
def matrices(draw, largest=12):
    """Awkward shapes and weights, empty rows among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(st.integers(1, largest), st.integers(1, largest)))
    kind = draw(st.sampled_from(["binary", "ternary", "powers", "small", "int8", "one row"]))
    if kind == "one row":  # all outputs want the same
        return np.tile(rng.integers(-1, 2, shape[1]), (shape[0], 1)) * rng.choice([-1, 1])
    if kind == "powers":
        return rng.choice([-1, 0, 1], shape) << rng.integers(0, 7, shape)
    high = HIGHEST[kind]
    matrix = rng.integers(-high, high, shape, endpoint=True)
    if kind == "binary":
        matrix = np.where(matrix < 0, -1, 1)
    matrix[rng.random(shape[0]) < 0.15] = 0
    return matrix


RANGES = st.sampled_from([(0, 1), (0, 15), (-1, 0), (-2, 1), (-8, 7), (-128, 127), (0, 255)])


def least_depth(matrix, bias):
    digits = np.array([[bin(3 * abs(w) ^ abs(w)).count("1") for w in row] for row in matrix])
    return max(0, int((digits.sum(axis=1) + (bias != 0)).max()) - 1).bit_length()


@pytest.mark.parametrize(
    "matrix, options, message",
    [
        (np.zeros((0, 3), int), {}, "Matrix must have shape [outputs, inputs], not (0, 3)"),
        (np.zeros(3, int), {}, "Matrix must have shape [outputs, inputs], not (3,)"),
        (np.ones((2, 2), int), {"depth": -1}, "Depth must be None or at least 0, not -1"),
        (np.ones((2, 2), int), {"bias": [1]}, "Bias must have 2 values, not 1"),
        (np.ones((2, 2), int), {"low": 3}, "Low and high must be in order, not 3 and 1"),
    ],
)
def test_rejects(matrix, options, message):
    with pytest.raises(ValueError, match="^" + re.escape(message) + "$"):
        adder_graph(matrix, **{"low": 0, "high": 1, **options})


def test_rejects_floats():
    with pytest.raises(TypeError, match="^Matrix must be integers, not float64$"):
        adder_graph(np.ones((2, 2)), 0, 1)


def test_two_outputs_share_a_sum():
    graph = adder_graph(np.array([[1, -1, 1, 0], [-1, 1, 0, 1], [3, -3, 0, 0]]), 0, 1)
    assert len(graph.adders) == 4  # x0 - x1, one more for each of two outputs, and 3 = 4 - 1
    assert adder_graph(np.array([[1, 2, 0], [2, 4, 1]]), 0, 1).depth == 2
    assert len(adder_graph(np.array([[1, 2, 0], [2, 4, 1]]), 0, 1).adders) == 2


def test_empty_matrix_needs_nothing():
    graph = adder_graph(np.zeros((3, 2), int), -4, 3)
    assert not graph.adders and graph.depth == 0 and graph.outputs == (None,) * 3
    assert not graph.evaluate(np.ones((5, 2), int)).any()


def test_powers_of_two_need_no_adder():
    graph = adder_graph(np.diag([1, 2, 64, -4]), 0, 3)
    assert not graph.adders
    assert graph.evaluate(np.ones(4, int)).tolist() == [1, 2, 64, -4]


@settings(max_examples=150, deadline=None)
@given(matrices(), RANGES, st.sampled_from([None, 0, 1, 3]), st.booleans(), st.integers(0, 2**32))
def test_graph_is_the_product(matrix, span, depth, biased, seed):
    rng = np.random.default_rng(seed)
    bias = rng.integers(-40, 40, len(matrix)) * biased * rng.integers(0, 2, len(matrix))
    graph = adder_graph(matrix, *span, depth, bias, long_path=bool(seed & 1))
    x = rng.integers(*span, (40, matrix.shape[1]), endpoint=True)
    low, high = span
    least = np.where(matrix > 0, low, high), np.where(matrix > 0, high, low)  # [outputs, inputs]
    x = np.concatenate([x, *least])
    found = graph.evaluate(x)
    assert np.array_equal(found, x @ matrix.T + bias), seed
    # The extremes are among the inputs, so that the ranges must be met exactly.
    assert graph.output_ranges == list(zip(found.min(0), found.max(0), strict=True))
    if depth is not None:
        assert graph.depth <= least_depth(matrix, bias) + depth
    used = {a.left for a in graph.adders} | {a.right for a in graph.adders}
    used |= {term.node for term in graph.outputs if term}
    assert used >= set(range(graph.first, graph.first + len(graph.adders))), "no idle adder"


@pytest.mark.parametrize("inputs, outputs, most", [(16, 16, 82), (64, 64, 1150), (128, 64, 2200)])
def test_sharing_halves_the_additions(inputs, outputs, most):
    """The matrices of the comparison with other generators, which need 84, 1158 and 2210."""
    rng = np.random.default_rng(1000 * inputs + outputs)
    signs = rng.choice([-1, 1], size=(inputs, outputs))
    matrix = (signs * (rng.random((inputs, outputs)) < 2 / 3)).T
    graph = adder_graph(matrix, -128, 127)
    assert len(graph.adders) <= most < 0.55 * np.count_nonzero(matrix)


def test_time_grows_little_faster_than_the_weights():
    rng = np.random.default_rng(3)
    start = time.process_time()
    adder_graph(rng.integers(-1, 2, (181, 181)), -128, 127)
    assert time.process_time() - start < 10
