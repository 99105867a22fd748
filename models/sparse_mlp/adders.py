"""How large a constant matrix is once its sums are shared, roughly and in a second.

The hardware shares sums greedily, one at a time. Here many that do not touch are taken at once,
which finds nearly as many and counts them without building them.
"""

import heapq
from math import log2
from typing import NamedTuple

import numpy as np

__all__ = ["AdderCount", "count_full_adders", "count_sums"]

GREED = 0.5  # sums met this often, as a part of the most frequent one's, are taken in one round
ROUNDS = 40
# Columns that are searched together: the work grows with their square, and the finds hardly.
BLOCK, BLOCK_TERMS = (8, 128), 1 << 16


class AdderCount(NamedTuple):
    """Of a matrix.

    bits : float    Bits of adders, or full adders.
    terms : float   Bits of the shared sums and inputs that the outputs add up at last.
    """

    bits: float
    terms: float


def _digits(matrix: np.ndarray, signed: bool) -> list[np.ndarray]:
    """Digits -1, 0 and 1 of each binary place, int8 ``[outputs, inputs]``; the lowest first.

    Canonical ones, of which no two are neighbours, or those of the magnitude.
    """
    rest, found = np.abs(matrix), []
    while rest.any():
        digit = rest & 1
        if signed:
            digit = np.where(rest & 1, 2 - (rest & 3), 0)
        found.append((digit * np.sign(matrix)).astype(np.int8))
        rest = (rest - digit) >> 1
    return found or [np.zeros(matrix.shape, dtype=np.int8)]


def _pairs(terms: np.ndarray) -> list[tuple[int, int, int]]:
    """Disjoint pairs of columns that often meet, with the sign of the second."""
    both = np.abs(terms)
    meet, differ = both.T @ both, terms.T @ terms
    counts = np.triu(meet + np.abs(differ), 1) / 2
    most = float(counts.max(initial=0))
    if most < 2:
        return []
    flat = np.flatnonzero(counts >= max(2, GREED * most))
    flat = flat[np.argsort(-counts.ravel()[flat], kind="stable")]
    free, found = np.ones(len(counts), dtype=bool), []
    for left, right in zip(*(a.tolist() for a in np.divmod(flat, len(counts))), strict=True):
        if free[left] and free[right]:
            free[left] = free[right] = False
            found.append((left, right, 1 if differ[left, right] >= 0 else -1))
    return found


def count_sums(matrix: np.ndarray, input_bits: int, bias: np.ndarray) -> AdderCount:
    """Adders of words, of ``matrix @ x + bias`` with unsigned x.

    Parameters
    ----------
    matrix : int array, shape [outputs, inputs]
    input_bits : int   Of an input.
    bias : int array, shape [outputs]
    """
    digits = _digits(matrix, True)
    terms = np.concatenate(digits).astype(np.float32)  # [places * outputs, inputs]
    parts = [
        _shared_sums(block, float((1 << input_bits) - 1)) for block in _blocks(terms, len(digits))
    ]
    bits = sum(part[2] for part in parts)
    rest = np.concatenate([part[0] for part in parts], axis=1)
    rest = rest.reshape(len(digits), len(matrix), -1)
    spans = np.concatenate([part[1] for part in parts])
    for output, offset in enumerate(bias.tolist()):
        places, columns = np.nonzero(rest[:, output])
        scaled = (spans[columns] * 2.0**places).tolist()
        queue = list(zip(scaled, places.tolist(), strict=True))
        heapq.heapify(queue)
        while len(queue) > 1:
            (a, low), (b, other) = heapq.heappop(queue), heapq.heappop(queue)
            bits += _adder(low, log2(1 + a), other, log2(1 + b))
            heapq.heappush(queue, (a + b, min(low, other)))
        if queue and offset:  # half of each adder: one operand is constant
            bits += log2(1 + queue[0][0]) / 2
    live = rest.any(axis=(0, 1))
    return AdderCount(bits, float(np.log2(1 + spans[live]).sum()))


def _blocks(terms: np.ndarray, places: int) -> list[np.ndarray]:
    """Columns of a matrix, some at a time."""
    width = int(np.clip(BLOCK_TERMS // (places * len(terms)), *BLOCK))
    return [terms[:, start : start + width].copy() for start in range(0, terms.shape[1], width)]


def _shared_sums(terms: np.ndarray, most: float) -> tuple[np.ndarray, np.ndarray, float]:
    """What is left of the terms, the ranges of their columns, and the bits of adders shared."""
    spans, bits = np.full(terms.shape[1], most), 0.0
    for _ in range(ROUNDS):
        pairs = _pairs(terms)
        if not pairs:
            break
        left, right, sign = (np.array(axis) for axis in zip(*pairs, strict=True))
        sums = np.where(terms[:, left] * sign == terms[:, right], terms[:, left], 0)
        terms[:, left] -= sums
        terms[:, right] -= sums * sign
        bits += sum(
            _adder(0.0, log2(1 + a), 0.0, log2(1 + b))
            for a, b in zip(spans[left].tolist(), spans[right].tolist(), strict=True)
        )
        terms = np.concatenate([terms, sums], axis=1)
        spans = np.concatenate([spans, spans[left] + spans[right]])
        used = terms.any(axis=0)
        terms, spans = terms[:, used], spans[used]
    return terms, spans, bits


def _adder(low: float, top: float, other_low: float, other_top: float) -> float:
    """Full adders of words that reach from bit ``low`` to ``top``: one bit alone costs less."""
    overlap = max(0.0, min(top, other_top) - max(low, other_low))
    return overlap + 0.6 * (max(top, other_top) - min(low, other_low) - overlap)


def count_full_adders(matrix: np.ndarray, input_bits: int) -> AdderCount:
    """Full adders that count the bits of unsigned x, weight by weight, of ``matrix @ x``."""
    outputs, inputs = matrix.shape
    digits = _digits(matrix, False)
    height = len(digits) + input_bits + int(inputs).bit_length()
    terms = np.zeros((height, outputs, inputs * input_bits), dtype=np.float32)
    for place, digit in enumerate(digits):
        for b in range(input_bits):
            terms[place + b, :, b::input_bits] = digit
    columns, bits, live = np.zeros((height, outputs)), 0.0, 0
    # Sums and carries are searched in more rows than these.
    width = int(np.clip(BLOCK_TERMS // (8 * outputs * len(digits) * input_bits), *BLOCK))
    for start in range(0, terms.shape[2], width):
        block = terms[:, :, start : start + width].reshape(height * outputs, -1)
        rest, adders = _shared_counters(block, outputs)
        columns += np.abs(rest).sum(axis=1).reshape(height, outputs)
        bits, live = bits + adders, live + rest.shape[1]
    carry = np.zeros(outputs)
    for column in columns:
        carry = (column + carry) // 2
        bits += float(carry.sum())
    return AdderCount(bits, float(live))


def _shared_counters(terms: np.ndarray, outputs: int) -> tuple[np.ndarray, int]:
    """What is left of the bits, ``[places * outputs, columns]``, and the full adders shared."""
    bits = 0
    for _ in range(ROUNDS):
        rows = terms.any(axis=1)
        pairs = _pairs(terms[rows])
        if not pairs:
            break
        left, right, sign = (np.array(axis) for axis in zip(*pairs, strict=True))
        places = np.where(terms[:, left] * sign == terms[:, right], terms[:, left], 0)
        meet = np.abs(places[rows]).T @ np.abs(terms[rows])
        differ = places[rows].T @ terms[rows]
        counts = (meet + np.abs(differ)) / 2
        counts[np.arange(len(left)), left] = counts[np.arange(len(left)), right] = 0
        free, chosen = np.ones(terms.shape[1], dtype=bool), []
        limit = max(2.0, GREED * float(counts.max(initial=0)))
        for k in range(len(left)):
            if not (free[left[k]] and free[right[k]]):
                continue
            third = int(np.where(free, counts[k], 0).argmax())
            if counts[k, third] >= limit:
                free[[left[k], right[k], third]] = False
                chosen.append((k, third, 1 if differ[k, third] >= 0 else -1))
        if not chosen:
            break
        order, last, other = (np.array(axis) for axis in zip(*chosen, strict=True))
        left, right, sign, places = left[order], right[order], sign[order], places[:, order]
        places = np.where(places * other == terms[:, last], places, 0)
        terms[:, left] -= places
        terms[:, right] -= places * sign
        terms[:, last] -= places * other
        carries = np.zeros_like(places)
        carries[outputs:] = places[:-outputs]
        bits += len(order)
        terms = np.concatenate([terms, places, carries], axis=1)
        terms = terms[:, terms.any(axis=0)]
    return terms[:, terms.any(axis=0)], bits
