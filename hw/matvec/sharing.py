"""Shared sub-expressions of a constant matrix: pairs of terms that several outputs have."""

import heapq
from collections.abc import Sequence

import numpy as np

from gatesmith.hw.matvec.digits import differences, digit_count, digits
from gatesmith.hw.matvec.graph import (
    Adder,
    AdderGraph,
    Term,
    adder_cost,
    check_matrix,
    signed_width,
)

__all__ = ["adder_graph"]

CANDIDATES = 16  # of the best pairs, for which the choice looks ahead
SLACK = 0.9  # a candidate's score, as a part of the best one's
FORESIGHT = 0.1  # weight of the pairs that a choice leaves to the others
LOOKAHEAD_WEIGHTS = 16384  # of matrices with more weights the best pair is taken at once
DIFFERENCES_WEIGHTS = 1024  # differences of outputs pay in small matrices only
PRUNE = 32  # adders after which nodes that no output has any more are forgotten


def adder_graph(
    matrix: np.ndarray,
    low: int,
    high: int,
    depth: int | None = None,
    bias: Sequence[int] | np.ndarray | None = None,
    *,
    long_path: bool = False,
) -> AdderGraph:
    """An adder graph of y = matrix @ x + bias.

    Each weight is written in signed digits (canonical: no two neighbours). Greedily, the pair of
    terms a +- (b << shift) that saves most becomes a node, in all outputs that have it. What is
    left of an output is added up, narrow terms first. For small matrices it is tried as well to
    make outputs from other outputs and their difference. Deterministic.

    Parameters
    ----------
    matrix : int array, shape [outputs, inputs]
    low, high : int    Least and greatest value of an input.
    depth : int        Bound on :attr:`AdderGraph.depth`: None is no bound, 0 the least that
                       two-operand adders reach (the logarithm of the most digits in an output),
                       k is k more than that.
    bias : int [outputs]   Added to the outputs; 0 when not given.
    long_path : bool   Without a bound on the depth, add one output up term after term. ABC maps
                       for the least delay and then saves area where there is time left: one path
                       that is longer than the others gives time to all others, and 8 % of area.
    """
    matrix = check_matrix(matrix)
    if low > high:
        raise ValueError(f"Low and high must be in order, not {low} and {high}")
    if depth is not None and depth < 0:
        raise ValueError(f"Depth must be None or at least 0, not {depth}")
    offsets = [0] * len(matrix) if bias is None else [int(value) for value in bias]
    if len(offsets) != len(matrix):
        raise ValueError(f"Bias must have {len(matrix)} values, not {len(offsets)}")
    plain = [(-1, 1)] * len(matrix)
    long_path = long_path and depth is None
    best = _Sharing(matrix, low, high, depth, offsets).build(plain, range(len(matrix)), long_path)
    if depth is None and np.count_nonzero(matrix) <= DIFFERENCES_WEIGHTS and len(matrix) > 1:
        rest, parents, order = differences(matrix)
        steps = [
            offset - (sign * offsets[parent] if parent >= 0 else 0)
            for offset, (parent, sign) in zip(offsets, parents, strict=True)
        ]
        other = _Sharing(rest, low, high, None, steps, overlapping=True)
        best = min(best, other.build(parents, order, long_path), key=lambda graph: graph.cost)
    return best


class _Sharing:
    """The terms of all outputs as sets of bits, and the heap of pairs.

    ``terms[0, n]`` says where node n is added, ``terms[1, n]`` where it is subtracted: bit
    ``shift * 64 * words + output``. How often a pair occurs is then the population count of a
    conjunction. Counts of a pair never grow, so a heap entry is an upper bound and is checked when
    it comes up.
    """

    def __init__(
        self,
        matrix: np.ndarray,
        low: int,
        high: int,
        depth: int | None,
        bias: list[int],
        *,
        overlapping: bool = False,
    ) -> None:
        self.outputs, self.inputs = matrix.shape
        self.low, self.high, self.bias = low, high, bias
        known = {int(v): digits(int(v)) for v in np.unique(matrix)}
        self.shifts = 1 + max((s for found in known.values() for s, _ in found), default=0)
        self.words = -(-self.outputs // 64)
        self.constants = sorted({value for value in bias if value})
        self.first = self.inputs + len(self.constants)
        self.terms = np.zeros((2, 2 * self.first + 16, self.shifts * self.words), dtype=np.uint64)
        for value, found in known.items():
            rows, columns = np.nonzero(matrix == value)
            bits = np.uint64(1) << (rows % 64).astype(np.uint64)
            for shift, digit in found:
                np.bitwise_or.at(
                    self.terms[int(digit < 0)], (columns, shift * self.words + rows // 64), bits
                )
        self.ranges = [(low, high)] * self.inputs + [(c, c) for c in self.constants]
        # What a node is made of, where operands may have an input in common: then the range of a
        # sum is less than the sum of the ranges. None where they have not.
        self.parts: list[dict[int, int]] | None = None
        if self.shifts > 1 or overlapping:
            self.parts = [{k: 1} for k in range(self.inputs)]
            self.parts += [{-1: value} for value in self.constants]
        self.widths = [signed_width(*span) for span in self.ranges]
        self.levels = [0] * self.first
        self.adders: list[Adder] = []
        self.room: list[int] | None = None  # of each output: 2**bound - sum of 2**level
        if depth is not None:
            counts = digit_count(matrix) + np.array([value != 0 for value in bias])
            bound = max(0, int(counts.max()) - 1).bit_length() + depth
            self.room = [(1 << bound) - int(count) for count in counts]
        weights = int(np.count_nonzero(matrix))
        # The other rows of a pair are met at every relative shift: too slow to look ahead.
        look = self.shifts == 1 and weights <= LOOKAHEAD_WEIGHTS
        self.candidates = CANDIDATES if look else 1
        self.heap: list[tuple[float, int, int, int, int, int]] = []
        self.active = np.arange(self.inputs)

    def build(
        self, parents: Sequence[tuple[int, int]], order: Sequence[int], long_path: bool
    ) -> AdderGraph:
        """The graph; rows are finished in the given order and begin with their parents."""
        for node in range(self.inputs):
            self._push(node, np.arange(node + (self.shifts > 1)))
        while (chosen := self._choose()) is not None:
            self._extract(*chosen)
        columns = self._columns()
        longest = max(order, key=lambda row: len(columns[row])) if long_path else -1
        outputs: list[Term | None] = [None] * self.outputs
        for row in order:
            terms = columns[row]
            if self.bias[row]:
                place = self.inputs + self.constants.index(self.bias[row])
                terms.append(Term(place, 0, 1))
            parent, sign = parents[row]
            base = outputs[parent] if parent >= 0 else None
            if base is not None:
                terms.append(base._replace(sign=sign * base.sign))
            outputs[row] = self._add_up(terms, in_a_row=row == longest)
        return AdderGraph(
            inputs=self.inputs,
            low=self.low,
            high=self.high,
            constants=tuple(self.constants),
            adders=tuple(self.adders),
            outputs=tuple(outputs),
            ranges=tuple(self.ranges),
        )

    def _counts(
        self, terms: np.ndarray, rows: np.ndarray, shift: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """How often each row's node, ``shift`` higher, meets a node: with the same, other sign."""
        end, skip = self.shifts * self.words, abs(shift) * self.words
        here = terms[:, : end - skip] if shift >= 0 else terms[:, skip:]
        there = self.terms[:, rows]
        there = there[:, :, skip:] if shift >= 0 else there[:, :, : end - skip]
        same = (here[0] & there[0]) | (here[1] & there[1])
        other = (here[0] & there[1]) | (here[1] & there[0])
        return (
            np.bitwise_count(same).sum(-1, dtype=np.int64),
            np.bitwise_count(other).sum(-1, dtype=np.int64),
        )

    def _score(self, count: int, left: int, right: int, shift: int) -> float:
        cost = adder_cost(self.widths[left], self.widths[right], shift)
        # Adders that overlap much save more, but counts decide: a shared node is shared again.
        return float(count * (1 + cost) ** 0.3)

    def _push(self, node: int, rows: np.ndarray) -> None:
        """Enter the pairs of a node with the nodes of ``rows``."""
        if not rows.size:
            return
        for shift in range(1 - self.shifts, self.shifts):
            counts = self._counts(self.terms[:, node], rows, shift)
            for sign, count in zip((1, -1), counts, strict=True):
                for k in np.flatnonzero(count > 1):
                    other, often = int(rows[k]), int(count[k])
                    if other != node or shift > 0:
                        score = self._score(often, node, other, shift)
                        heapq.heappush(self.heap, (-score, node, other, shift, sign, often))

    def _match(self, left: int, right: int, shift: int, sign: int) -> np.ndarray:
        """Where the pair left + sign * (right << shift) can be taken, by the pair's sign."""
        end, skip = self.shifts * self.words, abs(shift) * self.words
        here, there = self.terms[:, left], self.terms[:, right]
        here, there = (
            (here[:, : end - skip], there[:, skip:])
            if shift >= 0
            else (here[:, skip:], there[:, : end - skip])
        )
        if sign < 0:
            there = there[::-1]
        levels = self.levels[left], self.levels[right]
        bounded = self.room is not None and levels[0] != levels[1]
        if left != right and not bounded:
            return here & there
        return self._match_in_order(here.copy(), there.copy(), left == right, skip, levels, bounded)

    def _match_in_order(
        self,
        here: np.ndarray,
        there: np.ndarray,
        same: bool,
        skip: int,
        levels: tuple[int, int],
        bounded: bool,
    ) -> np.ndarray:
        """As :meth:`_match`, place after place: a term is taken once, and the depth is kept."""
        found = np.zeros_like(here)
        need = (2 << max(levels)) - (1 << levels[0]) - (1 << levels[1])
        room = dict(enumerate(self.room)) if self.room is not None else {}
        for start in range(0, here.shape[1], self.words):
            part = slice(start, start + self.words)
            hits = here[:, part] & there[:, part]
            if bounded:
                for output in self._members(hits[0] | hits[1]):
                    if room[output] < need:
                        hits[:, output // 64] &= ~np.uint64(1 << (output % 64))
                    else:
                        room[output] -= need
            found[:, part] = hits
            if same:  # the upper term of this pair is the lower one of no other
                above = slice(start + skip, start + skip + self.words)
                if above.stop <= here.shape[1]:
                    here[:, above] &= ~(hits[0] | hits[1])
        return found

    def _members(self, words: np.ndarray) -> list[int]:
        """Numbers of the bits that are set."""
        return np.flatnonzero(np.unpackbits(words.view(np.uint8), bitorder="little")).tolist()

    def _choose(self) -> tuple[int, int, int, int, np.ndarray] | None:
        """The best pair and its places; None when no pair occurs twice."""
        found: list[tuple[tuple[float, int, int, int, int, int], np.ndarray]] = []
        while self.heap and len(found) < self.candidates:
            entry = heapq.heappop(self.heap)
            score, left, right, shift, sign, often = entry
            if found and score > SLACK * found[0][0][0]:
                heapq.heappush(self.heap, entry)
                break
            places = self._match(left, right, shift, sign)
            count = int(np.bitwise_count(places).sum())
            if count == often:
                found.append((entry, places))
            elif count > 1:
                score = -self._score(count, left, right, shift)
                heapq.heappush(self.heap, (score, left, right, shift, sign, count))
        if not found:
            return None
        best = 0
        if len(found) > 1:
            values = [FORESIGHT * self._loss(*item) + item[0][0] for item in found]
            best = int(np.argmin(values))
            for k, (entry, _) in enumerate(found):
                if k != best:
                    heapq.heappush(self.heap, entry)
        (_, left, right, shift, sign, _), places = found[best]
        return left, right, shift, sign, places

    def _loss(self, entry: tuple[float, int, int, int, int, int], places: np.ndarray) -> float:
        """What taking a pair takes from the pairs that remain: squares of their savings."""
        _, left, right, _, _, _ = entry
        taken = places[0] | places[1]
        rows = self.active[(self.active != left) & (self.active != right)]
        there = self.terms[:, rows]
        rows = rows[((there[0] | there[1]) & taken).any(-1)]
        change = 0.0
        for terms, sign in (
            (self.terms[:, left], 1),
            (self.terms[:, right], 1),
            (self.terms[:, left] & ~taken, -1),
            (self.terms[:, right] & ~taken, -1),
            (places, -1),
        ):
            for count in self._counts(terms, rows, 0):
                change += sign * float((np.maximum(count - 1, 0) ** 2).sum())
        return change

    def _range(self, adder: Adder) -> tuple[int, int]:
        """Least and greatest value of a new adder."""
        if self.parts is None:
            low, high = (x << adder.left_shift for x in self.ranges[adder.left])
            below, above = (x << adder.right_shift for x in self.ranges[adder.right])
            return (low + below, high + above) if adder.sign > 0 else (low - above, high - below)
        parts = {k: v << adder.left_shift for k, v in self.parts[adder.left].items()}
        for k, v in self.parts[adder.right].items():
            parts[k] = parts.get(k, 0) + adder.sign * (v << adder.right_shift)
        self.parts.append(parts)
        constant = parts.get(-1, 0)
        positive = sum(v for k, v in parts.items() if k >= 0 and v > 0)
        negative = sum(v for k, v in parts.items() if k >= 0 and v < 0)
        return (
            constant + positive * self.low + negative * self.high,
            constant + positive * self.high + negative * self.low,
        )

    def _node(self, adder: Adder) -> int:
        """Number of a new adder."""
        self.adders.append(adder)
        span = self._range(adder)
        self.ranges.append(span)
        self.widths.append(signed_width(*span))
        self.levels.append(1 + max(self.levels[adder.left], self.levels[adder.right]))
        return len(self.ranges) - 1

    def _extract(self, left: int, right: int, shift: int, sign: int, places: np.ndarray) -> None:
        """Make a pair a node in its places."""
        node = self._node(Adder(left, max(-shift, 0), right, max(shift, 0), sign))
        if node >= self.terms.shape[1]:
            self.terms = np.concatenate([self.terms, np.zeros_like(self.terms)], axis=1)
        end, skip = self.shifts * self.words, abs(shift) * self.words
        low, high = slice(0, end - skip), slice(skip, end)
        here, there = (low, high) if shift >= 0 else (high, low)
        self.terms[:, left, here] &= ~places
        self.terms[:, right, there] &= ~(places if sign > 0 else places[::-1])
        self.terms[:, node, low] = places
        if self.room is not None:
            levels = self.levels[left], self.levels[right]
            need = (2 << max(levels)) - (1 << levels[0]) - (1 << levels[1])
            if need:
                for start in range(0, end - skip, self.words):
                    part = places[:, start : start + self.words]
                    for output in self._members(part[0] | part[1]):
                        self.room[output] -= need
        if len(self.adders) % PRUNE == 0:
            self.active = self.active[self.terms[:, self.active].any(axis=(0, 2))]
        self.active = np.append(self.active, node)
        self._push(node, self.active if self.shifts > 1 else self.active[:-1])

    def _columns(self) -> list[list[Term]]:
        """What is left of each output."""
        found: list[list[Term]] = [[] for _ in range(self.outputs)]
        for k, sign in enumerate((1, -1)):
            bits = np.unpackbits(self.terms[k].view(np.uint8), axis=-1, bitorder="little")
            for node, place in zip(*(axis.tolist() for axis in np.nonzero(bits)), strict=True):
                shift, output = divmod(place, 64 * self.words)
                found[output].append(Term(node, shift, sign))
        return found

    def _add_up(self, terms: list[Term], in_a_row: bool) -> Term | None:
        """Add terms two at a time: shallow ones first under a bound on the depth, else narrow."""

        def key(term: Term) -> tuple[int, ...]:
            width, level = self.widths[term.node] + term.shift, self.levels[term.node]
            # Equal widths: terms of one sign together, since subtractions map to more gates.
            first, second = (width, -term.sign) if self.room is None else (level, width)
            return first, second, level, term.node, term.shift

        queue = [(key(term), term) for term in terms]
        heapq.heapify(queue)
        while len(queue) > 1:
            left, right = heapq.heappop(queue)[1], heapq.heappop(queue)[1]
            if left.sign < right.sign:
                left, right = right, left
            shift = min(left.shift, right.shift)
            node = self._node(
                Adder(
                    left.node,
                    left.shift - shift,
                    right.node,
                    right.shift - shift,
                    left.sign * right.sign,
                )
            )
            term = Term(node, shift, left.sign)
            heapq.heappush(queue, ((-1,) if in_a_row else key(term), term))
        return queue[0][1] if queue else None
