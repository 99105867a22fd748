"""Gaussian elimination over GF(2) on sparse matrices, with rows packed to 64 columns a word."""

import numpy as np

__all__ = ["columns", "eliminate"]


def eliminate(
    rows: np.ndarray, places: np.ndarray, shape: tuple[int, int], order: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Reduced row echelon form of a matrix, with pivots sought in a given order of the columns.

    Parameters
    ----------
    rows, places : int [E]   Row and column of each 1.
    shape : (m, n)
    order : int [n]          Columns in the order in which they may become pivots.

    Returns the pivot columns, int64 ``[rank]``, and the reduced rows, uint64 ``[rank, words]``: of
    pivot column i, row i alone has a 1. See :func:`columns`.
    """
    m, n = shape
    packed = np.zeros((m, -(-n // 64)), dtype=np.uint64)
    bits = np.uint64(1) << (np.asarray(places) % 64).astype(np.uint64)
    np.bitwise_or.at(packed, (rows, np.asarray(places) // 64), bits)
    pivots: list[int] = []
    for column in order.tolist():
        word, bit = divmod(column, 64)
        ones = np.flatnonzero(packed[:, word] & np.uint64(1 << bit))
        below = int(np.searchsorted(ones, len(pivots)))
        if below == len(ones):
            continue
        top, found = len(pivots), int(ones[below])
        others = np.delete(ones, below)
        packed[others] ^= packed[found]
        if found != top:
            packed[[top, found]] = packed[[found, top]]
        pivots.append(column)
        if len(pivots) == m:
            break
    return np.array(pivots, dtype=np.int64), packed[: len(pivots)]


def columns(packed: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Some columns of packed rows, uint8 of 0 and 1, ``[rows, len(places)]``."""
    places = np.asarray(places, dtype=np.int64)
    bits = packed[:, places // 64] >> (places % 64).astype(np.uint64)
    return (bits & np.uint64(1)).astype(np.uint8)
