"""Which parameters the checks need, and when."""

from dataclasses import dataclass

import numpy as np

from gatesmith.models.minsum import MinSumSpec
from gatesmith.models.minsum.layout import first_edges

__all__ = ["Parameters"]


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """How the parameters of a Spec are tied.

    Members
    -------
    width : int             Bits of one.
    constant : int or None  The one of all edges and iterations, if there is only one.
    alike : bool            All edges have the same in an iteration.
    each : bool             Edges of a check differ.
    """

    width: int
    constant: int | None
    alike: bool
    each: bool

    @classmethod
    def of(cls, spec: MinSumSpec) -> "Parameters":
        """Those of a Spec, looking at values and not at names of groups."""
        values = spec.parameters[:, spec.groups]  # [times, edges]
        of_check = values[:, first_edges(spec)[:-1]][:, spec.edge_check]
        alike = bool((values == values[:, :1]).all())
        return cls(
            width=max(1, int(values.max()).bit_length()),
            constant=int(values[0, 0]) if alike and (values == values[0, 0]).all() else None,
            alike=alike,
            each=bool((values != of_check).any()),
        )

    def packed(self, values: np.ndarray) -> int:
        """A word of several, the first lowest."""
        return sum(int(value) << self.width * k for k, value in enumerate(values.tolist()))
