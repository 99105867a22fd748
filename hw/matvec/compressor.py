"""Counting trees for narrow inputs: full adders of single bits, shared between outputs."""

import heapq
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gatesmith.hw.matvec.graph import check_matrix

__all__ = ["CounterGraph", "Literal", "counter_graph"]

CANDIDATES = 8  # pairs of bits for which a third is looked for
PRUNE = 32  # adders after which bits that no output has any more are forgotten


class Literal(NamedTuple):
    """A bit or its complement."""

    bit: int
    inverted: bool

    def flip(self, inverted: bool) -> "Literal":
        """The literal, inverted once more if told to."""
        return Literal(self.bit, self.inverted != inverted)


class FullAdder(NamedTuple):
    """Adds three literals, or two, or two and 1; the next two bits are its sum and its carry."""

    operands: tuple[Literal, ...]
    one: bool


class CounterGraph:
    """y = matrix @ x + bias modulo 2**width, bit by bit.

    Bits are numbered: bit b of input k is ``k * input_bits + b``, then each adder's sum and carry.
    ``outputs[j][k]`` is bit k of output j: a literal, or a constant.
    """

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.adders: list[FullAdder] = []
        self.levels = [0] * inputs
        self.outputs: list[list[Literal | bool]] = []

    def add(self, operands: tuple[Literal, ...], one: bool = False) -> tuple[Literal, Literal]:
        """Sum and carry of a new adder."""
        self.adders.append(FullAdder(operands, one))
        level = 1 + max(self.levels[literal.bit] for literal in operands)
        self.levels += [level, level]
        count = len(self.levels)
        return Literal(count - 2, False), Literal(count - 1, False)

    @property
    def depth(self) -> int:
        """Full adders on the longest way to an output."""
        used = [x.bit for bits in self.outputs for x in bits if isinstance(x, Literal)]
        return max((self.levels[bit] for bit in used), default=0)


def counter_graph(
    matrix: np.ndarray,
    input_bits: int,
    signed: bool,
    width: int,
    bias: Sequence[int],
) -> CounterGraph:
    """Full adders that count the bits of each output.

    A subtracted bit is a complement to be added and a constant. Greedily, three bits of one weight
    that are together in several outputs, with the same signs or all opposite ones, get one adder
    there; the complement of all operands complements sum and carry. Then each output adds up what
    is left on its own, the bits that come first first.

    Parameters
    ----------
    matrix : int array, shape [outputs, inputs]
    input_bits : int   Of an input.
    signed : bool      Inputs are two's complement.
    width : int        Bits of an output.
    bias : int [outputs]
    """
    matrix = check_matrix(matrix)
    tree = _Sharing(matrix, input_bits, signed, width, bias)
    return tree.build()


class _Sharing:
    """Bits of all outputs: ``terms[inverted, bit]`` has a set bit where an output counts it.

    The places are ``weight * 64 * words + output``.
    """

    def __init__(
        self,
        matrix: np.ndarray,
        input_bits: int,
        signed: bool,
        width: int,
        bias: Sequence[int],
    ) -> None:
        outputs, inputs = matrix.shape
        self.graph = CounterGraph(inputs * input_bits)
        self.outputs, self.width, self.words = outputs, width, -(-outputs // 64)
        self.constants = [int(value) for value in bias]
        size = 4 * self.graph.inputs + 16
        self.terms = np.zeros((2, size, width * self.words), dtype=np.uint64)
        # Once for each digit: a bit of weight 2**b times a weight's binary digit of weight 2**s.
        for output, source in zip(*(axis.tolist() for axis in np.nonzero(matrix)), strict=True):
            weight = int(matrix[output, source])
            for b in range(input_bits):
                negative = (weight < 0) != (signed and b == input_bits - 1)
                factor, place = abs(weight), b
                while factor and place < width:
                    if factor & 1:
                        word, mask = self._place(place, output)
                        self.terms[int(negative), source * input_bits + b, word] |= mask
                        self.constants[output] -= int(negative) << place
                    factor, place = factor >> 1, place + 1
        self.heap: list[tuple[int, int, int, int]] = []
        self.active = np.arange(self.graph.inputs)

    def _place(self, weight: int, output: int) -> tuple[int, np.uint64]:
        return weight * self.words + output // 64, np.uint64(1 << (output % 64))

    def build(self) -> CounterGraph:
        """The finished graph."""
        for bit in range(self.graph.inputs):
            self._push(bit, np.arange(bit))
        while (chosen := self._choose()) is not None:
            self._extract(*chosen)
        columns = self._columns()
        for output in range(self.outputs):
            self.graph.outputs.append(self._add_up(columns[output], self.constants[output]))
        return self.graph

    def _push(self, bit: int, rows: np.ndarray) -> None:
        for inverted, counts in enumerate(self._meet(self.terms[:, bit], rows)):
            for k in np.flatnonzero(counts > 1):
                heapq.heappush(self.heap, (-int(counts[k]), bit, int(rows[k]), inverted))

    def _meet(self, terms: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How often each row's bit, and its complement, is where the terms are."""
        words = np.flatnonzero(terms[0] | terms[1])  # few: most bits have one weight
        here, there = terms[:, words], self.terms[:, rows[:, None], words]
        plain = (here[0] & there[0]) | (here[1] & there[1])
        inverted = (here[0] & there[1]) | (here[1] & there[0])
        return (
            np.bitwise_count(plain).sum(-1, dtype=np.int64),
            np.bitwise_count(inverted).sum(-1, dtype=np.int64),
        )

    def _pair(self, left: int, right: int, inverted: int) -> np.ndarray:
        here, there = self.terms[:, left], self.terms[:, right]
        return here & (there[::-1] if inverted else there)

    def _choose(self) -> tuple[int, int, int, int, int] | None:
        """Three bits, the inversions of the second and third, that most outputs have."""
        best: tuple[int, int, int, int, int] | None = None
        most = 1
        kept: list[tuple[int, int, int, int]] = []
        while self.heap and len(kept) < CANDIDATES:
            entry = heapq.heappop(self.heap)
            often, left, right, inverted = entry
            if -often <= most:
                heapq.heappush(self.heap, entry)
                break
            places = self._pair(left, right, inverted)
            count = int(np.bitwise_count(places).sum())
            if count != -often:
                if count > 1:
                    heapq.heappush(self.heap, (-count, left, right, inverted))
                continue
            rows = self.active[(self.active != left) & (self.active != right)]
            found = 1
            for third, counts in enumerate(self._meet(places, rows)):
                if rows.size:
                    k = int(counts.argmax())
                    found = max(found, int(counts[k]))
                    if counts[k] > most:
                        most = int(counts[k])
                        best = left, right, inverted, int(rows[k]), third
            if found > 1:  # else no third bit shares this pair, and none will
                kept.append(entry)
        for entry in kept:
            heapq.heappush(self.heap, entry)
        return best

    def _extract(self, left: int, right: int, inverted: int, third: int, other: int) -> None:
        places = self._pair(left, right, inverted)
        there = self.terms[:, third]
        places = places & (there[::-1] if other else there)
        operands = (
            Literal(left, False),
            Literal(right, bool(inverted)),
            Literal(third, bool(other)),
        )
        total, carry = self.graph.add(operands)
        while carry.bit >= self.terms.shape[1]:
            self.terms = np.concatenate([self.terms, np.zeros_like(self.terms)], axis=1)
        for literal in operands:
            self.terms[:, literal.bit] &= ~(places[::-1] if literal.inverted else places)
        self.terms[:, total.bit] = places
        self.terms[:, carry.bit, self.words :] = places[:, : -self.words]
        if len(self.graph.adders) % PRUNE == 0:
            self.active = self.active[self.terms[:, self.active].any(axis=(0, 2))]
        for literal in (total, carry):
            self._push(literal.bit, self.active)
            self.active = np.append(self.active, literal.bit)

    def _columns(self) -> list[list[list[Literal]]]:
        """Literals of each output by weight."""
        found: list[list[list[Literal]]] = [
            [[] for _ in range(self.width)] for _ in range(self.outputs)
        ]
        for inverted in (0, 1):
            bits = np.unpackbits(self.terms[inverted].view(np.uint8), axis=-1, bitorder="little")
            for bit, place in zip(*(axis.tolist() for axis in np.nonzero(bits)), strict=True):
                weight, output = divmod(place, 64 * self.words)
                found[output][weight].append(Literal(bit, bool(inverted)))
        return found

    def _add_up(self, columns: list[list[Literal]], constant: int) -> list[Literal | bool]:
        """Bits of one output, from the lowest: each column is added until one bit is left."""
        found: list[Literal | bool] = []
        levels = self.graph.levels
        columns = [*columns, []]  # what leaves the top is dropped
        for weight in range(self.width):
            queue = [(levels[literal.bit], literal) for literal in columns[weight]]
            heapq.heapify(queue)
            above, one = columns[weight + 1], bool(constant >> weight & 1)
            while len(queue) > 1:
                with_one = one and len(queue) == 2
                taken = tuple(heapq.heappop(queue)[1] for _ in range(min(3, len(queue))))
                total, carry = self.graph.add(taken, with_one)
                one = one and not with_one
                above.append(carry)
                heapq.heappush(queue, (levels[total.bit], total))
            if not queue:
                found.append(one)
            elif one:  # x + 1 is 2 x + (not x)
                found.append(queue[0][1].flip(True))
                above.append(queue[0][1])
            else:
                found.append(queue[0][1])
        return found
