"""Gaussian elimination over GF(2) on rows packed to 64 columns a word."""

import numpy as np

__all__ = ["eliminate"]


def eliminate(matrix: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reduced row echelon form of a matrix, with pivots sought in a given order of the columns.

    Parameters
    ----------
    matrix : uint8 [rows, columns]   Of 0 and 1; not changed.
    order : int [columns]            Columns in the order in which they may become pivots.

    Returns the pivot columns, int64 ``[rank]``, and the reduced rows, uint8 ``[rank, columns]``:
    row i is the only one with a 1 in pivot column i.
    """
    rows, columns = matrix.shape
    packed = np.zeros((rows, -(-columns // 64) * 8), dtype=np.uint8)
    packed[:, : -(-columns // 8)] = np.packbits(matrix, axis=1, bitorder="little")
    words = packed.view(np.uint64)
    pivots: list[int] = []
    for column in order.tolist():
        word, bit = divmod(column, 64)
        ones = np.flatnonzero(words[:, word] & np.uint64(1 << bit))
        below = int(np.searchsorted(ones, len(pivots)))
        if below == len(ones):
            continue
        top, found = len(pivots), int(ones[below])
        others = np.delete(ones, below)
        words[others] ^= words[found]
        if found != top:
            words[[top, found]] = words[[found, top]]
        pivots.append(column)
        if len(pivots) == rows:
            break
    reduced = np.unpackbits(packed[: len(pivots)], axis=1, count=columns, bitorder="little")
    return np.array(pivots, dtype=np.int64), reduced
