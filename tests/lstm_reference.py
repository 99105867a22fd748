"""An LSTM in plain integers, loop by loop, for the tests: nothing of the golden model is used."""

from dataclasses import dataclass, field
from decimal import Decimal, getcontext
from functools import cache
from typing import Any

from gatesmith.models.frames import PAD

__all__ = ["Answer", "entries", "reference", "sigmoid", "tanh"]

getcontext().prec = 40


def _floor(value: Decimal) -> int:
    whole = int(value)
    return whole - (value < whole)


@cache
def sigmoid(pre: int) -> int:
    """Sigmoid of pre / 64 in units of 1/256, halves up."""
    return _floor(256 / (1 + (Decimal(-pre) / 64).exp()) + Decimal("0.5"))


@cache
def tanh(pre: int) -> int:
    """Hyperbolic tangent of pre / 64 in units of 1/128, halves up, within 127."""
    grown = (Decimal(pre) / 32).exp()
    return max(-127, min(127, _floor(128 * (grown - 1) / (grown + 1) + Decimal("0.5"))))


def round_shift(value: int, shift: int) -> int:
    """Nearest integer to value / 2**shift, halves up."""
    return (2 * value + (1 << shift)) // (2 << shift)


def saturate(value: int, bits: int) -> int:
    """Nearest integer of so many bits, two's complement."""
    return max(-(1 << bits - 1), min((1 << bits - 1) - 1, value))


def entries(vector: list[tuple[int, ...]], offset_bits: int, dense: bool) -> list[tuple]:
    """List of (zeros skipped, values, last) of a vector of elements, values of all sequences."""
    found, zeros = [], 0
    for place, values in enumerate(vector):
        last = place == len(vector) - 1
        if dense or any(values) or zeros == 2**offset_bits - 1 or last:
            found.append((zeros, values, last))
            zeros = 0
        else:
            zeros += 1
    return found


@dataclass
class Answer:
    """Words out without the last one, costs of passes, and states and cells after each step.

    ``costs[t]`` maps (layer, branch) to clocks of entries, the head's as ("head",);
    ``states[t][layer][cell][sequence]``, ``cells`` likewise.
    """

    words: list[int] = field(default_factory=list)
    costs: list[dict] = field(default_factory=list)
    states: list[Any] = field(default_factory=list)
    cells: list[Any] = field(default_factory=list)
    taken: int = 0
    skipped: int = 0


def _walk(
    spec: Any, answer: Answer, vector: list[tuple], lists: int, rows: int, dense: bool
) -> int:
    """Clocks of a pass over a vector that is kept in so many lists."""
    groups, clocks = -(-rows // spec.lanes), 0
    for number in range(lists):
        mine = entries(vector[number::lists], spec.offset_bits, dense)
        for zeros, values, _ in mine:
            answer.skipped += zeros
            if dense or any(values):
                answer.taken += 1
                clocks += groups
            else:
                answer.skipped += 1
                clocks += 1
    return clocks


def _step(layer: Any, x: list[int], h: list[int], c: list[int]) -> tuple[list[int], list[int]]:
    """New states and cells of one sequence, from inputs of which a symbol's is 128."""
    new_h, new_c = [], []
    for cell in range(layer.hidden):
        gates = []
        for gate in range(4):
            row = gate * layer.hidden + cell
            sum_x = sum(int(w) * v for w, v in zip(layer.weight_x[row], x, strict=True))
            sum_h = sum(int(w) * v for w, v in zip(layer.weight_h[row], h, strict=True))
            m_x, m_h = int(layer.scale_x[row]), int(layer.scale_h[row])
            if layer.scale_kind == "power":
                m_x, m_h = 2**m_x, 2**m_h
            pre = round_shift(m_x * sum_x + m_h * sum_h, layer.shift) + int(layer.bias[row])
            gates.append(saturate(pre, 10))
        i, f, g, o = sigmoid(gates[0]), sigmoid(gates[1]), tanh(gates[2]), sigmoid(gates[3])
        kept = saturate(round_shift(f * c[cell] + 32 * i * g, 8), 16)
        index = round_shift(kept, 6)
        if len(layer.cell_scale):
            index = round_shift(int(layer.cell_scale[cell]) * kept, layer.cell_shift)
            index += int(layer.cell_bias[cell])
        state = round_shift(o * tanh(saturate(index, 10)), 8)
        new_h.append(0 if abs(state) < layer.threshold else state)
        new_c.append(kept)
    return new_h, new_c


def reference(spec: Any, frame: Any) -> Answer:
    """What a chip answers to one frame, int ``[words]`` padded."""
    words = iter([int(word) for word in frame if word != PAD])
    answer, batch = Answer(), spec.batch
    dense = next(words) == 1
    h: list = []  # [layer][sequence][cell]
    c: list = []
    for layer in spec.layers:
        for kept in (h, c):
            first = [[0] * batch for _ in range(layer.hidden)]
            if spec.state:
                first = [[next(words) for _ in range(batch)] for _ in range(layer.hidden)]
            kept.append([list(cells) for cells in zip(*first, strict=True)])
    rest = list(words)
    inputs = spec.layers[0].inputs
    each = batch if spec.one_hot else batch * inputs
    for start in range(0, len(rest), each):
        cost: dict = {}
        part = rest[start : start + each]
        if spec.one_hot:
            x = [[128 * (place == symbol) for place in range(inputs)] for symbol in part]
            cost[0, "x"] = batch * -(-4 * spec.layers[0].hidden // spec.lanes)
            answer.taken += batch
        else:
            x = [part[b::batch] for b in range(batch)]
        for number, layer in enumerate(spec.layers):
            rows = 4 * layer.hidden
            if number or not spec.one_hot:
                lists = spec.elementwise if number else 1
                vector = list(zip(*x, strict=True))
                cost[number, "x"] = _walk(spec, answer, vector, lists, rows, dense)
            vector = list(zip(*h[number], strict=True))
            cost[number, "h"] = _walk(spec, answer, vector, spec.elementwise, rows, dense)
            for b in range(batch):
                h[number][b], c[number][b] = _step(layer, x[b], h[number][b], c[number][b])
            x = h[number]
        if spec.every_step or start + each == len(rest):
            vector = list(zip(*x, strict=True))
            classes = spec.head.classes
            cost["head"] = _walk(spec, answer, vector, spec.elementwise, classes, dense)
            for b in range(batch):
                scores = [
                    sum(int(w) * v for w, v in zip(weights, x[b], strict=True)) + int(bias)
                    for weights, bias in zip(spec.head.weight, spec.head.bias, strict=True)
                ]
                answer.words += scores if spec.outputs == "scores" else []
                answer.words.append(scores.index(max(scores)))
        answer.costs.append(cost)
        answer.states.append([list(zip(*state, strict=True)) for state in h])
        answer.cells.append([list(zip(*cell, strict=True)) for cell in c])
    if spec.state:
        for states, cells in zip(answer.states[-1], answer.cells[-1], strict=True):
            answer.words += [value for kept in (states, cells) for cell in kept for value in cell]
    answer.words += [answer.taken, answer.skipped]
    return answer
