"""Weights as signed digits, and matrices with fewer digits."""

import numpy as np

__all__ = ["differences", "digit_count", "digits"]

PRICE = 3  # digits that a wide addition must save to pay


def digit_count(values: np.ndarray) -> np.ndarray:
    """Non-zero canonical signed digits of the last axis' elements, together."""
    values = np.abs(values)
    return np.bitwise_count((values ^ (3 * values)).astype(np.uint64)).sum(-1, dtype=np.int64)


def digits(value: int) -> list[tuple[int, int]]:
    """Canonical signed digits of an integer: (shift, 1 or -1), no two neighbours."""
    found, shift = [], 0
    while value:
        if value & 1:
            digit = 2 - (value & 3)
            found.append((shift, digit))
            value -= digit
        value >>= 1
        shift += 1
    return found


def differences(
    matrix: np.ndarray,
) -> tuple[np.ndarray, list[tuple[int, int]], list[int]]:
    """Rows as another row, or its negation, and a rest with fewer digits.

    The rests, int64 ``[outputs, inputs]``; each row's (parent, sign), parent -1 for none; an order
    in which parents come first. A minimum spanning tree, grown from the row 0 that needs nothing.
    """
    count = len(matrix)
    best, parents = digit_count(matrix), [(-1, 1)] * count
    rest, order = matrix.copy(), []
    open_rows = np.ones(count, dtype=bool)
    for _ in range(count):
        row = int(np.where(open_rows, best, np.iinfo(np.int64).max).argmin())
        open_rows[row] = False
        order.append(row)
        parent, sign = parents[row]
        if parent >= 0:
            rest[row] = matrix[row] - sign * matrix[parent]
        for sign in (1, -1):
            found = digit_count(matrix - sign * matrix[row]) + PRICE
            closer = open_rows & (found < best)
            best[closer] = found[closer]
            for other in np.flatnonzero(closer):
                parents[other] = (row, sign)
    return rest, parents, order
