"""The golden model: exact outputs, states and clocks of a batch of frames."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gatesmith.models.frames import PAD, GoldenRun
from gatesmith.models.lstm.layer import GATES, LSTMLayer
from gatesmith.models.lstm.schedule import Work, clocks
from gatesmith.models.lstm.spec import COUNTER_BITS, COUNTERS, LSTMSpec
from gatesmith.models.lstm.tables import INDEX_BITS, SIGMOID, TANH

__all__ = ["StateTrace", "golden", "trace"]

FRAMES = 512  # at once: bounds the memory, and is wide enough for the matrix products
CENTRE = 1 << INDEX_BITS - 1
ONE = 128  # what a symbol counts as


@dataclass(frozen=True, kw_only=True, eq=False)
class StateTrace:
    """States and cells of a layer, int64 ``[frames, steps, batch, hidden]``.

    Steps after the end of a frame hold zeros.
    """

    states: np.ndarray
    cells: np.ndarray


def _round_shift(value: np.ndarray, shift: int) -> np.ndarray:
    return value if shift == 0 else (value + (1 << shift - 1)) >> shift


def _index(value: np.ndarray) -> np.ndarray:
    """Table entry of a pre-activation."""
    return np.clip(value, -CENTRE, CENTRE - 1) + CENTRE


class _Layer:
    """A layer ready to step: transposed weights in the narrowest float that is exact."""

    def __init__(self, layer: LSTMLayer, one_hot: bool) -> None:
        self.layer, self.one_hot = layer, one_hot
        self.weight_x = (
            layer.weight_x.T.astype(np.int64) * ONE if one_hot else _exact(layer.weight_x)
        )
        self.weight_h = _exact(layer.weight_h)
        powers = layer.scale_kind == "power"
        scales = [layer.scale_x.astype(np.int64), layer.scale_h.astype(np.int64)]
        self.scale_x, self.scale_h = [1 << scale if powers else scale for scale in scales]

    def step(self, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The next state and cell of sequences ``[n]`` or ``[n, inputs]``, ``[n, hidden]``."""
        layer = self.layer
        sum_x = self.weight_x[x] if self.one_hot else _product(x, self.weight_x)
        total = self.scale_x * sum_x
        total += self.scale_h * _product(h, self.weight_h)
        pre = _index(_round_shift(total, layer.shift) + layer.bias)
        i, f, g, o = (pre[:, k * layer.hidden : (k + 1) * layer.hidden] for k in range(GATES))
        c = _round_shift(SIGMOID[f] * c + (SIGMOID[i] * TANH[g] << 5), 8)
        c = np.clip(c, -(1 << 15), (1 << 15) - 1)
        if layer.cell_scale.size:
            q = _round_shift(layer.cell_scale.astype(np.int64) * c, layer.cell_shift)
            q = q + layer.cell_bias
        else:
            q = _round_shift(c, 6)
        h = _round_shift(SIGMOID[o] * TANH[_index(q)], 8)
        return np.where(abs(h) < layer.threshold, 0, h), c


def _exact(weights: np.ndarray) -> np.ndarray:
    """Transposed weights in the narrowest float whose sums of products with int8 are exact."""
    bound = 128 * int(abs(weights.astype(np.int64)).sum(axis=1).max(initial=0))
    # Floats, because BLAS multiplies them tens of times faster than NumPy multiplies integers;
    # integers up to 2**24 and 2**53 are exact in them, whatever the order of the additions.
    assert bound < 1 << 53
    return weights.T.astype(np.float32 if bound < 1 << 24 else np.float64, order="C")


def _product(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (values.astype(weights.dtype) @ weights).astype(np.int64)


@dataclass(kw_only=True)
class _Frames:
    """Frames of one array, taken apart.

    Members: steps int64 [frames]; inputs int64 [frames, most steps, batch] or [frames, most steps,
    batch, inputs]; initial states and cells, of a layer [frames, batch, hidden].
    """

    steps: np.ndarray
    inputs: np.ndarray
    states: list[np.ndarray]
    cells: list[np.ndarray]


def _take_apart(spec: LSTMSpec, frames: np.ndarray) -> _Frames:
    layout, batch = spec.input_format, spec.batch
    count = len(frames)
    steps = layout.repetitions(frames)
    longest = int(steps.max(initial=1))
    place = 1
    found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for layer in spec.layers:
        for kept in found:
            words = layer.hidden * batch
            if spec.state:
                part = frames[:, place : place + words].reshape(count, layer.hidden, batch)
                kept.append(np.ascontiguousarray(part.transpose(0, 2, 1)))
                place += words
            else:
                kept.append(np.zeros((count, batch, layer.hidden), dtype=np.int64))
    each = batch if spec.one_hot else batch * spec.layers[0].inputs
    inputs = frames[:, place : place + longest * each]
    inputs = np.where(inputs == PAD, 0, inputs).reshape(count, longest, -1, batch)
    inputs = inputs[:, :, 0] if spec.one_hot else inputs.transpose(0, 1, 3, 2)
    return _Frames(steps=steps, inputs=inputs, states=found[0], cells=found[1])


@dataclass(kw_only=True)
class _Step:
    """After a step: the frames still running, and the new states and cells of each layer."""

    step: int
    running: np.ndarray  # rows of the frames
    states: list[np.ndarray]  # [running, batch, hidden]
    cells: list[np.ndarray]


def _run(
    spec: LSTMSpec, frames: _Frames, work: Work | None = None, first: int = 0
) -> Iterator[_Step]:
    """Step all frames, those that have ended left out.

    ``work`` counts the entries of all passes; frame 0 is its frame ``first``.
    """
    batch = spec.batch
    layers = [_Layer(layer, spec.one_hot and k == 0) for k, layer in enumerate(spec.layers)]
    states, cells = [s.copy() for s in frames.states], [c.copy() for c in frames.cells]
    for step in range(int(frames.steps.max(initial=0))):
        running = np.flatnonzero(frames.steps > step)
        x = frames.inputs[running, step]
        now_states, now_cells = [], []
        for k, layer in enumerate(layers):
            before = states[k][running]
            if work is not None:
                if k or not spec.one_hot:
                    work.count(2 * k, step, running + first, x)
                work.count(2 * k + 1, step, running + first, before)
            flat_x = x.reshape(running.size * batch, *x.shape[2:])
            h, c = layer.step(
                flat_x,
                before.reshape(-1, layer.layer.hidden),
                cells[k][running].reshape(-1, layer.layer.hidden),
            )
            x = h.reshape(running.size, batch, -1)
            states[k][running], cells[k][running] = x, c.reshape(x.shape)
            now_states.append(x)
            now_cells.append(cells[k][running])
        if work is not None:
            ended = frames.steps[running] == step + 1
            asked = running if spec.every_step else running[ended]
            last = now_states[-1] if spec.every_step else now_states[-1][ended]
            work.count(2 * len(layers), step, asked + first, last)
        yield _Step(step=step, running=running, states=now_states, cells=now_cells)


def trace(spec: LSTMSpec, frames: np.ndarray) -> list[StateTrace]:
    """States and cells of every layer at every step of int64 ``[frames, words]``."""
    parts = _take_apart(spec, spec.input_format.check(frames))
    longest = int(parts.steps.max(initial=0))
    found = []
    for layer in spec.layers:
        shape = (len(frames), longest, spec.batch, layer.hidden)
        found.append(StateTrace(states=np.zeros(shape, np.int64), cells=np.zeros(shape, np.int64)))
    for now in _run(spec, parts):
        for kept, states, cells in zip(found, now.states, now.cells, strict=True):
            kept.states[now.running, now.step] = states
            kept.cells[now.running, now.step] = cells
    return found


def golden(spec: LSTMSpec, frames: np.ndarray) -> GoldenRun:
    """Output words of int64 ``[frames, words]``, and the clocks of each frame.

    Shorter frames are filled up with :data:`gatesmith.models.frames.PAD`, in and out. UserError
    when a frame has a wrong number of words or a word is out of range.
    """
    frames = spec.input_format.check(frames)
    outputs = np.full((len(frames), spec.output_format.words), PAD)
    work = Work(spec, spec.input_format.repetitions(frames), frames[:, 0] == 1)
    for start in range(0, len(frames), FRAMES):
        rows = slice(start, start + FRAMES)
        outputs[rows] = _answer(spec, frames[rows], work, start)
    worked, spans = clocks(spec, work)
    columns = spec.output_format.lengths(outputs)[:, None] - len(COUNTERS)
    counters = np.stack([work.taken, work.skipped, worked], axis=1) % (1 << COUNTER_BITS)
    np.put_along_axis(outputs, columns + np.arange(len(COUNTERS)), counters, axis=1)
    return GoldenRun(outputs=outputs, clocks=spans)


def _answer(spec: LSTMSpec, frames: np.ndarray, work: Work, first: int) -> np.ndarray:
    """Output words without the counters, which stay 0."""
    parts = _take_apart(spec, frames)
    outputs = np.full((len(frames), spec.output_format.words), PAD)
    weights, bias = _exact(spec.head.weight), spec.head.bias.astype(np.int64)
    scores_words = spec.head.classes if spec.outputs == "scores" else 0
    each = spec.batch * (scores_words + 1)
    final = [(s.copy(), c.copy()) for s, c in zip(parts.states, parts.cells, strict=True)]
    for now in _run(spec, parts, work, first):
        asked = np.full(now.running.size, spec.every_step)
        asked |= parts.steps[now.running] == now.step + 1
        rows = now.running[asked]
        h = now.states[-1][asked]
        scores = _product(h.reshape(-1, h.shape[-1]), weights) + bias
        answer = np.concatenate([scores[:, :scores_words], scores.argmax(axis=1)[:, None]], axis=1)
        place = now.step * each if spec.every_step else 0
        outputs[rows, place : place + each] = answer.reshape(rows.size, each)
        for (states, cells), new_states, new_cells in zip(
            final, now.states, now.cells, strict=True
        ):
            states[now.running], cells[now.running] = new_states, new_cells
    tail = [np.zeros((len(frames), len(COUNTERS)), dtype=np.int64)]
    if spec.state:
        both = [part for pair in final for part in pair]
        tail = [part.transpose(0, 2, 1).reshape(len(frames), -1) for part in both] + tail
    words = np.concatenate(tail, axis=1)
    begins = each * (parts.steps if spec.every_step else np.ones_like(parts.steps))
    columns = begins[:, None] + np.arange(words.shape[1])
    np.put_along_axis(outputs, columns, words, axis=1)
    return outputs
