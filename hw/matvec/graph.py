"""Adder graphs: a constant integer matrix times a vector, as shared two-operand additions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

__all__ = ["Adder", "AdderGraph", "Term", "signed_width"]


def signed_width(low: int, high: int) -> int:
    """Bits of the shortest two's complement word that holds low and high."""
    return 1 + max(
        (~low if low < 0 else low).bit_length(), (~high if high < 0 else high).bit_length()
    )


class Adder(NamedTuple):
    """(left << left_shift) + sign * (right << right_shift), of two nodes; one shift is 0."""

    left: int
    left_shift: int
    right: int
    right_shift: int
    sign: int


class Term(NamedTuple):
    """sign * (node << shift)."""

    node: int
    shift: int
    sign: int


@dataclass(frozen=True, kw_only=True, eq=False)
class AdderGraph:
    """y = matrix @ x + bias as a graph of additions.

    Nodes are numbered: the inputs, then the constants, then the adders, each after its operands.

    Parameters
    ----------
    inputs : int               Length of x.
    low, high : int            Least and greatest value of every input.
    constants : tuple of int   Constants that are operands (the biases that are not 0).
    adders : tuple of Adder
    outputs : tuple of Term or None   One an element of y; None is 0.
    ranges : tuple of (int, int)      Least and greatest value of each node, exactly.
    """

    inputs: int
    low: int
    high: int
    constants: tuple[int, ...]
    adders: tuple[Adder, ...]
    outputs: tuple[Term | None, ...]
    ranges: tuple[tuple[int, int], ...]

    @property
    def first(self) -> int:
        """Number of the first adder."""
        return self.inputs + len(self.constants)

    @cached_property
    def levels(self) -> list[int]:
        """Adders on the longest way from an input to each node, the node itself counted."""
        found = [0] * self.first
        for adder in self.adders:
            found.append(1 + max(found[adder.left], found[adder.right]))
        return found

    @property
    def depth(self) -> int:
        """Adders on the longest way from an input to an output; a final negation is not counted."""
        return max((self.levels[term.node] for term in self.outputs if term), default=0)

    @cached_property
    def uses(self) -> list[int]:
        """How often each node is an operand or an output."""
        found = [0] * (self.first + len(self.adders))
        for adder in self.adders:
            found[adder.left] += 1
            found[adder.right] += 1
        for term in self.outputs:
            if term:
                found[term.node] += 1
        return found

    @property
    def output_ranges(self) -> list[tuple[int, int]]:
        """Least and greatest value of each output."""
        found = []
        for term in self.outputs:
            low, high = self.ranges[term.node] if term else (0, 0)
            shift, sign = (term.shift, term.sign) if term else (0, 1)
            found.append(
                (low << shift, high << shift) if sign > 0 else (-high << shift, -low << shift)
            )
        return found

    @property
    def cost(self) -> float:
        """Area in full adders, roughly; to compare graphs of one matrix."""
        widths = [signed_width(*span) for span in self.ranges]
        return sum(
            adder_cost(widths[a.left], widths[a.right], a.right_shift - a.left_shift)
            for a in self.adders
        )

    def evaluate(self, x: np.ndarray) -> np.ndarray:
        """Outputs, int64 ``[..., outputs]``, of inputs ``[..., inputs]``."""
        x = np.asarray(x, dtype=np.int64)
        values = [x[..., k] for k in range(self.inputs)]
        values += [np.full(x.shape[:-1], c) for c in self.constants]
        for a in self.adders:
            right = values[a.right] << a.right_shift
            values.append((values[a.left] << a.left_shift) + a.sign * right)
        zero = np.zeros(x.shape[:-1], dtype=np.int64)
        return np.stack(
            [zero if t is None else t.sign * (values[t.node] << t.shift) for t in self.outputs], -1
        )


def adder_cost(left_width: int, right_width: int, shift: int) -> float:
    """Full adders of left + (right << shift), roughly.

    Bits that only one operand has cost less: those above the other see its sign and a carry, those
    below it are copied.
    """
    if shift < 0:
        left_width, right_width, shift = right_width, left_width, -shift
    if left_width <= shift:
        return 0.5 * right_width
    overlap = min(left_width - shift, right_width)
    return overlap + 0.6 * (max(left_width - shift, right_width) - overlap)


def check_matrix(matrix: np.ndarray | Sequence[Sequence[int]]) -> np.ndarray:
    """The matrix as int64 ``[outputs, inputs]``; TypeError or ValueError when it is none."""
    array = np.asarray(matrix)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"Matrix must have shape [outputs, inputs], not {array.shape}")
    if array.dtype.kind not in "iu":
        raise TypeError(f"Matrix must be integers, not {array.dtype}")
    return array.astype(np.int64)
