"""Matrices of blocks: each 0 or a sum of identities whose columns are shifted cyclically."""

from importlib.resources import files

import numpy as np

__all__ = ["lift", "table"]


def table(name: str) -> np.ndarray:
    """Terms of the base matrix ``tables/NAME.txt``: block row, block column, shift, ``[3, terms]``.

    A line a block row: - for 0, or shifts with + between them. Lines that begin with # say where
    the table is from.
    """
    text = files("gatesmith.models.codes").joinpath(f"tables/{name}.txt").read_text("ascii")
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    terms = [
        (row, column, int(shift))
        for row, line in enumerate(rows)
        for column, block in enumerate(line)
        if block != "-"
        for shift in block.split("+")
    ]
    return np.array(terms, dtype=np.int64).T


def lift(terms: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Check and variable of each 1, int64 ``[E]`` by rows, of blocks of ``size``.

    Row i of a block of shift s has its 1 in column (i + s) mod ``size``.
    """
    rows, columns, shifts = terms[..., None]
    place = np.arange(size)
    checks = (rows * size + place).ravel()
    variables = (columns * size + (place + shifts) % size).ravel()
    order = np.lexsort((variables, checks))
    return checks[order], variables[order]
