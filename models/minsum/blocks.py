"""The check nodes of a decoder on whole batches: frames lie in the last axis, in small integers.

Most of the time of a decoder goes into a few dozen NumPy calls on arrays ``[edges, frames]`` of one
byte an element, each of which runs at the speed of the cache.
"""

import numpy as np

from gatesmith.models.minsum.layout import first_edges
from gatesmith.models.minsum.spec import MinSumSpec

__all__ = ["Block", "RowGroup"]

UNSIGNED = 9  # bits of a numerator at most, and 7 of a magnitude: a product fits uint16


class Block:
    """Checks of one degree: their edges lie position after position, of each all checks.

    Parameters
    ----------
    spec : MinSumSpec
    edges : int64 [degree, checks]   Edges of the Spec.
    kind : dtype                     Of messages.
    """

    def __init__(self, spec: MinSumSpec, edges: np.ndarray, kind: type[np.signedinteger]) -> None:
        self.spec, self.shape, self.kind = spec, edges.shape, kind
        self._parameters = spec.parameters[:, spec.groups[edges]]  # [times, degree, checks]
        self._alike = bool((self._parameters == self._parameters[:, :1, :1]).all())

    def answer(self, messages: np.ndarray, time: int, answers: np.ndarray) -> None:
        """Write what goes back on each edge; messages and answers are ``[edges, frames]``.

        With m1 and m2 the least magnitude of a check and the least of the others, an edge of
        magnitude a gets m1 + m2 - min(a, m2): nothing lies between the two, so this is m2 where
        a = m1 < m2 and m1 elsewhere.
        """
        degree, frames = self.shape[0], messages.shape[-1]
        value = messages.reshape(*self.shape, frames)
        out = answers.reshape(value.shape)
        if degree == 1:
            out[:] = self.spec.most
            self._update(out, time)
            return
        size = np.abs(value)
        first, second = _two_least(size)
        np.minimum(size, second, out=size)
        np.subtract(first + second, size, out=size)
        self._update(size, time)
        # The sign of an exclusive or is the product of the signs, where 0 counts as positive.
        sign = np.bitwise_xor(value, np.bitwise_xor.reduce(value, axis=0))
        np.bitwise_or(sign, 1, out=sign)
        np.multiply(size, np.sign(sign, out=sign), out=out)

    def _update(self, size: np.ndarray, time: int) -> None:
        """Apply the learned function to magnitudes ``[degree, checks, frames]``, in place."""
        spec = self.spec
        chosen = self._parameters[min(time, len(self._parameters) - 1)]
        if spec.update == "plain" or (spec.update == "offset" and not chosen.any()):
            return
        parameter = chosen[:1, :1, None] if self._alike else chosen[:, :, None]
        # np.clip is many times faster on one byte than np.maximum or np.minimum with a number.
        if spec.update == "offset":
            np.subtract(size, parameter.astype(self.kind), out=size)
            np.clip(size, 0, spec.most, out=size)
            return
        product = size.astype(np.uint16)
        product *= parameter.astype(np.uint16)
        product += np.uint16(1 << spec.scale_bits - 1)
        product >>= np.uint16(spec.scale_bits)
        np.clip(product, 0, spec.most, out=product)
        np.copyto(size, product, casting="unsafe")


def _two_least(size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the second least of at least two, over the first axis."""
    half = len(size) // 2
    first = np.minimum(size[:half], size[half : 2 * half])
    second = np.maximum(size[:half], size[half : 2 * half])
    if len(size) % 2:
        _insert(first, second, size[-1])
    while len(first) > 1:
        half, odd = divmod(len(first), 2)
        if odd:
            _insert(first, second, first[-1])
            np.minimum(second[0], second[-1], out=second[0])
        low, high = first[:half], first[half : 2 * half]
        second = np.minimum(second[:half], second[half : 2 * half])
        second = np.minimum(second, np.maximum(low, high))
        first = np.minimum(low, high)
    return first[0], second[0]


def _insert(first: np.ndarray, second: np.ndarray, size: np.ndarray) -> None:
    """Take one magnitude more into the first pair."""
    np.minimum(second[0], np.maximum(first[0], size), out=second[0])
    np.minimum(first[0], size, out=first[0])


class RowGroup:
    """Checks that are computed at once, from the posteriors before them.

    Parameters
    ----------
    spec : MinSumSpec
    checks : range       Rows, one behind the other.
    begin : int          Edges of the groups before it, which is where its messages are kept.
    kind : dtype         Of messages.
    """

    def __init__(
        self, spec: MinSumSpec, checks: range, begin: int, kind: type[np.signedinteger]
    ) -> None:
        firsts = first_edges(spec)
        mine = firsts[checks.start : checks.stop + 1]
        degrees = np.diff(mine)
        self.spec, self.kind = spec, kind
        self.blocks: list[tuple[slice, Block]] = []
        order, used = [], 0
        for degree in np.unique(degrees).tolist():
            edges = mine[:-1][degrees == degree] + np.arange(degree)[:, None]
            self.blocks.append((slice(used, used + edges.size), Block(spec, edges, kind)))
            order.append(edges.ravel())
            used += edges.size
        self.rows = slice(begin, begin + used)
        variables = spec.edge_variable[np.concatenate(order)].astype(np.int64)
        self._places(variables)
        deepest = int(np.bincount(spec.edge_variable).max())
        # Beyond 2 M a posterior saturates every message that it sends, however much it is.
        fits = (deepest + 2) * spec.most <= np.iinfo(kind).max
        self._limit = None if fits else 2 * spec.most
        self._rounds_at_once = max(1, int(np.iinfo(kind).max) // (2 * spec.most))

    def _places(self, variables: np.ndarray) -> None:
        """Which posteriors the edges read, and in which order their changes are added to them."""
        touched, local, counts = np.unique(variables, return_inverse=True, return_counts=True)
        self._local: np.ndarray | None = None
        self._rounds: list[np.ndarray] = []
        if counts.max() == 1:
            self._touched = variables
            return
        # Variables of many edges first, so that each round adds to the first few.
        ranks = np.argsort(-counts, kind="stable")
        place = np.empty_like(ranks)
        place[ranks] = np.arange(len(ranks))
        self._touched, self._local = touched[ranks], place[local]
        order = np.argsort(self._local, kind="stable")
        begins = np.cumsum(counts[ranks]) - counts[ranks]
        for number in range(int(counts.max())):
            self._rounds.append(order[begins[counts[ranks] > number] + number])

    def step(self, posteriors: np.ndarray, messages: np.ndarray, time: int) -> None:
        """Compute the checks of an iteration, in place.

        ``posteriors`` are ``[variables, frames]``; ``messages`` ``[edges, frames]``, of all groups
        one behind the other.
        """
        before = posteriors.take(self._touched, axis=0)
        value = before
        if self._limit is not None:
            value = np.clip(before, -self._limit, self._limit)
        value = value.astype(self.kind, copy=False)
        value = (
            value - messages[self.rows]
            if self._local is None
            else value.take(self._local, axis=0) - messages[self.rows]
        )
        most = self.spec.most
        np.clip(value, -most, most, out=value)
        answers = np.empty_like(value)
        for rows, block in self.blocks:
            block.answer(value[rows], time, answers[rows])
        changes = np.subtract(answers, messages[self.rows], out=value)
        messages[self.rows] = answers
        if self._local is None:
            before += changes
        at_once = self._rounds_at_once
        for start in range(0, len(self._rounds), at_once):
            part = changes.take(self._rounds[start], axis=0)
            for more in self._rounds[start + 1 : start + at_once]:
                part[: len(more)] += changes.take(more, axis=0)
            before[: len(part)] += part
        posteriors[self._touched] = before
