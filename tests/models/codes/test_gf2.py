"""Elimination over GF(2), against schoolbook elimination on dense rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gatesmith.models.codes.gf2 import columns, eliminate


def _rank(matrix):
    """Rank with one Python int a row."""
    rows, rank = [int("".join(map(str, row)), 2) for row in matrix], 0
    while rows:
        pivot = rows.pop()
        if pivot:
            rank += 1
            low = pivot & -pivot
            rows = [row ^ pivot if row & low else row for row in rows]
    return rank


@st.composite
def matrices(draw):
    shape = draw(st.integers(1, 12)), draw(st.integers(1, 150))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    matrix = (generator.random(shape) < draw(st.floats(0.02, 0.6))).astype(np.uint8)
    if draw(st.booleans()):  # rows that depend on each other
        matrix = np.concatenate([matrix, matrix[::2] ^ matrix[-1]])
    return matrix, generator.permutation(shape[1])


@given(matrices())
def test_reduced_rows(drawn):
    matrix, order = drawn
    pivots, packed = eliminate(*np.nonzero(matrix), matrix.shape, order)
    reduced = columns(packed, np.arange(matrix.shape[1]))
    assert len(pivots) == len(reduced) == _rank(matrix)
    # Of each row its own pivot column alone, and the same space as the rows of the matrix.
    assert np.array_equal(reduced[:, pivots], np.eye(len(pivots), dtype=np.uint8))
    assert _rank(np.concatenate([matrix, reduced])) == len(pivots)
    # No column that comes before a pivot could have been one in its place.
    place = np.argsort(order)
    for row, pivot in zip(reduced, pivots, strict=True):
        assert place[row.nonzero()[0]].min() == place[pivot]


def test_the_matrix_is_left_as_it_is():
    rows, places = np.array([0, 0, 1]), np.array([0, 70, 70])
    pivots, packed = eliminate(rows, places, (2, 71), np.arange(71))
    assert pivots.tolist() == [0, 70] and packed.shape == (2, 2)
    assert rows.tolist() == [0, 0, 1] and places.tolist() == [0, 70, 70]
