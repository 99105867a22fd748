"""Blocks of shifted identities."""

import numpy as np

from gatesmith.models.codes import Code
from gatesmith.models.codes.quasi_cyclic import lift, table


def test_lift():
    terms = np.array([[0, 0, 0, 1], [0, 0, 2, 1], [0, 2, 1, 2]])
    checks, variables = lift(terms, 3)
    matrix = np.zeros((6, 9), dtype=int)
    matrix[checks, variables] = 1
    identity = np.eye(3, dtype=int)
    assert np.array_equal(matrix[:3, :3], identity + np.roll(identity, 2, axis=1))
    assert np.array_equal(matrix[:3, 6:], np.roll(identity, 1, axis=1))
    assert np.array_equal(matrix[3:, 3:6], np.roll(identity, 2, axis=1))
    assert matrix.sum() == 12
    assert (np.diff(checks * 9 + variables) > 0).all()
    Code.from_matrix(matrix[:, matrix.any(axis=0)], lifting=3)


def test_table():
    rows, columns, shifts = table("ccsds-128-64")
    assert len(rows) == 32 and rows.max() == 3 and columns.max() == 7
    assert shifts[(rows == 0) & (columns == 0)].tolist() == [0, 7]
    assert not ((rows == 0) & (columns == 4)).any()
