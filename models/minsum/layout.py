"""The Tanner graph of a decoder in the orders that the golden model and the Core walk it."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gatesmith.models.minsum.spec import MinSumSpec

__all__ = [
    "block_rows",
    "check_degrees",
    "first_edges",
    "is_cyclic",
    "is_quasi_cyclic",
    "row_groups",
    "variable_degrees",
    "variable_edges",
]


def check_degrees(spec: "MinSumSpec") -> np.ndarray:
    """Edges of each check, int64 ``[checks]``."""
    return np.bincount(spec.edge_check, minlength=spec.checks)


def variable_degrees(spec: "MinSumSpec") -> np.ndarray:
    """Edges of each variable, int64 ``[variables]``."""
    return np.bincount(spec.edge_variable, minlength=spec.variables)


def first_edges(spec: "MinSumSpec") -> np.ndarray:
    """First edge of each check and, at the end, the number of edges: int64 ``[checks + 1]``."""
    return np.concatenate([[0], np.cumsum(check_degrees(spec))])


def variable_edges(spec: "MinSumSpec") -> list[np.ndarray]:
    """Edges of each variable, ascending: that is, in the order of their checks."""
    order = np.argsort(spec.edge_variable, kind="stable")
    return np.split(order, np.cumsum(variable_degrees(spec))[:-1])


def row_groups(spec: "MinSumSpec") -> list[range]:
    """Checks that the layered schedule computes at once, in its order; the last may be fewer."""
    step, checks = spec.rows_per_clock, spec.checks
    return [range(first, min(first + step, checks)) for first in range(0, checks, step)]


def block_rows(spec: "MinSumSpec") -> list[list[tuple[int, int]]]:
    """Block column and shift of the cyclic shifts in each row of blocks, ascending.

    Row r of a block finds its variable at place (r + shift) % lifting of the column.
    """
    firsts, size = first_edges(spec).tolist(), spec.lifting
    return [
        [divmod(v, size) for v in spec.edge_variable[firsts[row] : firsts[row + 1]].tolist()]
        for row in range(0, spec.checks, size)
    ]


def is_quasi_cyclic(spec: "MinSumSpec", lifting: int) -> bool:
    """Whether each block of ``lifting`` rows and columns is a sum of cyclic shifts."""
    if spec.checks % lifting or spec.variables % lifting:
        return False

    def shifted(places: np.ndarray) -> np.ndarray:
        return places - places % lifting + (places + 1) % lifting

    checks, variables = spec.edge_check.astype(np.int64), spec.edge_variable.astype(np.int64)
    before = checks * spec.variables + variables
    after = shifted(checks) * spec.variables + shifted(variables)
    return bool(np.array_equal(before, np.sort(after)))


def is_cyclic(spec: "MinSumSpec") -> bool:
    """Whether each row is the one above, moved on by one variable (behind the last: the first)."""
    degrees = check_degrees(spec)
    if (degrees != degrees[0]).any():
        return False
    rows = spec.edge_variable.reshape(spec.checks, -1).astype(np.int64)
    wanted = (rows[0] + np.arange(spec.checks)[:, None]) % spec.variables
    return bool(np.array_equal(rows, np.sort(wanted, axis=1)))
