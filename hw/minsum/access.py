"""How the rows of a code reach its posteriors, group after group.

Rows that are shifts of each other find their variables in the same places when the posteriors move
instead: by ``rows_per_clock`` places in each block of a quasi-cyclic code, or in the whole word of
a cyclic one.
"""

from dataclasses import dataclass

import numpy as np

from gatesmith.models.minsum import MinSumSpec
from gatesmith.models.minsum.layout import check_degrees, first_edges, row_groups, variable_degrees

__all__ = ["Access"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Access:
    """Which place each port of each slot reads, and how posteriors move.

    A slot is a check node, a port one of its edges. An iteration has ``phases`` times ``steps``
    groups of rows; in all steps of a phase the ports read the same places.

    Members
    -------
    phases, steps : int
    edges : int64 [groups, slots, ports]     Edge at a port, or -1.
    places : int64 [phases, slots, ports]    Its variable's place, or -1. A slot uses its first
                                             ports alone.
    moved : int64 [variables] or None        Place from which each place is filled after a step.
    back : int64 [variables] or None         Likewise after the last step of an iteration, if
                                             otherwise.
    degrees : int64 [variables]              Most messages to any variable that comes by a place.
    """

    phases: int
    steps: int
    edges: np.ndarray
    places: np.ndarray
    moved: np.ndarray | None
    back: np.ndarray | None
    degrees: np.ndarray

    @classmethod
    def of(cls, spec: MinSumSpec) -> "Access":
        """That of a Spec's matrix: posteriors move where rows are shifts of each other."""
        groups, rows = row_groups(spec), spec.rows_per_clock
        home, degrees = np.arange(spec.variables), variable_degrees(spec)
        steps, moved, back = 1, None, None
        if spec.lifting > 1:
            steps = spec.lifting // rows
            inside = home % spec.lifting
            if steps > 1:
                moved = home - inside + (inside + rows) % spec.lifting
        elif spec.checks > rows and spec.checks % rows == 0 and spec.cyclic:
            steps = spec.checks // rows
            moved = (home + rows) % spec.variables
            back = (home - (steps - 1) * rows) % spec.variables
            degrees = np.full_like(degrees, degrees.max())
        edges = _ports(spec, len(groups) // steps, steps)
        first = edges[::steps]
        places = np.where(first >= 0, spec.edge_variable[first], -1)
        return cls(
            phases=len(groups) // steps,
            steps=steps,
            edges=edges,
            places=places,
            moved=moved,
            back=back,
            degrees=degrees,
        )


def _ports(spec: MinSumSpec, phases: int, steps: int) -> np.ndarray:
    """Edges at ports, so that a port reads few different places over the phases."""
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

    firsts, ports = first_edges(spec), int(check_degrees(spec).max())
    rows = spec.rows_per_clock
    found = np.full((phases * steps, rows, ports), -1, dtype=np.int64)
    for slot in range(rows):
        # Of each place and port: whether the port reads it already; a full port is a dear one.
        mine = int(check_degrees(spec)[slot::rows].max())
        read = np.zeros((spec.variables, mine), dtype=bool)
        for phase in range(phases):
            row = phase * steps * rows + slot
            if row >= spec.checks:
                continue
            places = spec.edge_variable[firsts[row] : firsts[row + 1]]
            cost = np.where(read[places], 0, 1000 + read.sum(axis=0))
            chosen = linear_sum_assignment(cost)[1]
            read[places, chosen] = True
            for step in range(steps):
                # Shifted rows begin elsewhere in the order of variables.
                group = phase * steps + step
                found[group, slot, chosen] = _shifted(spec, firsts, row, step * rows, places)
    return found


def _shifted(
    spec: MinSumSpec, firsts: np.ndarray, row: int, shift: int, places: np.ndarray
) -> np.ndarray:
    """Edges of the row ``shift`` below whose variables are those of a row moved on."""
    first = firsts[row + shift]
    if not shift:
        return first + np.arange(len(places))
    block = spec.lifting if spec.lifting > 1 else spec.variables
    inside = places % block
    return first + np.argsort(np.argsort(places - inside + (inside + shift) % block))
