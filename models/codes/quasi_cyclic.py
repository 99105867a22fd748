"""Matrices of blocks: each 0 or a sum of identities whose columns are shifted cyclically."""

from importlib.resources import files

import numpy as np

__all__ = ["lift", "table"]

SHIFTS = tuple[list[int], list[int], list[int]]  # block row, block column and shift of each term


def table(name: str) -> SHIFTS:
    """Terms of the base matrix ``tables/NAME.txt``.

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
    block_rows, block_columns, shifts = map(list, zip(*terms, strict=True))
    return block_rows, block_columns, shifts


def lift(terms: SHIFTS, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Check and variable of each 1, int64 ``[E]`` by rows, of blocks of ``size``.

    Row i of a block of shift s has its 1 in column (i + s) mod ``size``.
    """
    rows, columns, shifts = (np.array(part)[:, None] for part in terms)
    place = np.arange(size)
    checks = (rows * size + place).ravel()
    variables = (columns * size + (place + shifts) % size).ravel()
    order = np.lexsort((variables, checks))
    return checks[order], variables[order]
