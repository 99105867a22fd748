"""Cycles, against searches that look at one pair or one edge at a time."""

from collections import deque
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatesmith.models.codes.graph import four_cycles, girth


def _four_cycles(matrix):
    shared = [int((a & b).sum()) for a, b in combinations(matrix, 2)]
    return sum(both * (both - 1) // 2 for both in shared)


def _girth(matrix):
    """The shortest way round from one end of an edge to the other, plus the edge."""
    m, n = matrix.shape
    edges = [(row, m + column) for row, column in np.argwhere(matrix)]
    shortest = []
    for left, right in edges:
        distance, waiting = {left: 0}, deque([left])
        while waiting:
            node = waiting.popleft()
            for a, b in edges:
                for here, there in ((a, b), (b, a)):
                    new = here == node and there not in distance
                    if new and {here, there} != {left, right}:
                        distance[there] = distance[node] + 1
                        waiting.append(there)
        if right in distance:
            shortest.append(distance[right] + 1)
    return min(shortest, default=0)


@given(
    shape=st.tuples(st.integers(1, 8), st.integers(1, 10)),
    density=st.floats(0.1, 0.9),
    seed=st.integers(0, 2**32),
)
def test_four_cycles_and_girth(shape, density, seed):
    matrix = (np.random.default_rng(seed).random(shape) < density).astype(np.uint8)
    matrix[0, 0] = 1
    edges = np.nonzero(matrix)
    assert four_cycles(*edges) == _four_cycles(matrix)
    assert girth(*edges) == _girth(matrix)
    assert (girth(*edges) == 4) == (four_cycles(*edges) > 0)


@pytest.mark.parametrize("length", [2, 3, 4, 5, 30])
def test_a_ring(length):
    ring = np.eye(length, dtype=int) + np.roll(np.eye(length, dtype=int), 1, axis=1)
    edges = np.nonzero(ring)
    assert girth(*edges) == 2 * length
    assert four_cycles(*edges) == (length == 2)


def test_a_tree_has_no_cycle():
    assert girth(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2])) == 0
    assert four_cycles(np.array([0]), np.array([0])) == 0


@pytest.mark.parametrize("shifts", [(0, 1, 2), (0, 1, 5), (0, 2, 5)])
def test_one_start_a_block_is_enough(shifts):
    size = 23
    rows = np.repeat(np.arange(size), 3)
    columns = (rows + np.tile(shifts, size)) % size
    assert girth(rows, columns, lifting=size) == girth(rows, columns) <= 6
