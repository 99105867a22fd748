"""``gatesmith code``: what a parity-check matrix is like, and its alist file."""

from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.flows.folders import check_writable
from gatesmith.models.codes import code as find
from gatesmith.models.errors import UserError

__all__ = ["code"]


def code(name: str, output: str | Path | None = None) -> dict[str, Any]:
    """Figures of a code in the order in which they are printed; ``output`` is an alist to write.

    UserError for an unknown name, a file that is not sound, or a place that cannot be written.
    """
    if output is not None:
        if Path(output).suffix != ".alist":
            raise UserError(f"{output}: an alist file must be named *.alist")
        check_writable(output)
    found = find(name)
    figures: dict[str, Any] = {
        "name": found.name,
        "n": found.n,
        "k": found.k,
        "checks": found.m,
        "rank": found.rank,
        "edges": found.edges,
        "check degrees": _counts(found.check_degrees),
        "variable degrees": _counts(found.variable_degrees),
        "girth": found.girth or "no cycles",
        "4-cycles": found.four_cycles,
        "rows are cyclic shifts": "yes" if found.cyclic else "no",
        "lifting": found.lifting,
    }
    if len(found.punctured) or len(found.shortened):
        figures["punctured"] = len(found.punctured)
        figures["shortened"] = len(found.shortened)
        figures["sent"] = len(found.sent)
    if output is not None:
        found.to_alist(output)
    return figures


def _counts(degrees: np.ndarray) -> str:
    """How many have each degree, as "3 (64), 5 (64)"; the ends alone where there are many."""
    values, counts = np.unique(degrees, return_counts=True)
    if len(values) > 16:
        return f"{values[0]} to {values[-1]}, mean {degrees.mean():.1f}"
    return ", ".join(f"{value} ({count})" for value, count in zip(values, counts, strict=True))
