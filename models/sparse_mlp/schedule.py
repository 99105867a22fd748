"""The golden model of time: when each frame enters and leaves, clock by clock.

The layers form a pipeline of streams of one word a clock, and no time depends on data. A layer
whose lanes hold all neurons (one group) and that uses the gate datapath takes its inputs straight
from the stream; every other layer fills one of two banks of a frame buffer while it reads the
other. With clocks counted in integers:

* A buffered layer sees a full bank in the clock after its last write; the gate datapath then reads
  an address a clock and accepts the word in the next. A bank is free again in the clock after its
  last address was issued.
* A group of the gate datapath accepts one input a clock. A group of the index datapath runs as
  long as its slowest lane, which spends on each block of ``lookahead`` inputs as many clocks as
  it keeps inputs of the block, and at least one.
* The results of a group that ended in clock e are offered from clock e + 3, one a clock (two
  pipeline stages and the result register). The next group may end only after the last was taken.
* The argmax follows the last score in the next clock.

The unrolled datapath gathers a frame, a word a clock, and launches it into the layers in a clock
after its last word, as soon as the frame before has left them; the next frame is gathered
meanwhile. There is a register behind every layer but the last and ``pipeline`` more inside each.
The scores are taken, all at once, as soon as those of the frame before have been sent, and are
offered from the next clock, one a clock.
"""

from dataclasses import dataclass

import numpy as np

from gatesmith.models.sparse_mlp.layer import SparseLayer
from gatesmith.models.sparse_mlp.spec import SparseMLPSpec

__all__ = ["Timing", "clocks", "group_clocks", "timing"]

RESULT_DELAY = 3  # clocks from the end of a group to the offer of its first result


def is_buffered(spec: SparseMLPSpec, layer: SparseLayer) -> bool:
    """Whether the layer keeps its input frame in a two-bank buffer."""
    return spec.datapath == "index" or layer.groups > 1


def group_clocks(spec: SparseMLPSpec, layer: SparseLayer) -> np.ndarray:
    """Clocks in which each group of a layer visits its inputs, int64 ``[groups]``."""
    if spec.datapath == "gate":
        return np.full(layer.groups, layer.inputs, dtype=np.int64)
    blocks = -(-layer.inputs // layer.lookahead)
    padded = np.zeros((layer.groups * layer.lanes, blocks * layer.lookahead), dtype=bool)
    padded[: layer.outputs, : layer.inputs] = layer.mask
    kept = padded.reshape(len(padded), blocks, layer.lookahead).sum(axis=2)
    return np.maximum(kept, 1).sum(axis=1).reshape(layer.groups, layer.lanes).max(axis=1)


@dataclass
class _LayerState:
    """Clocks of past events in one layer that bind the future; far in the past at the start."""

    accepted: int = -(1 << 40)  # the last input was accepted (gate) or the last group ended (index)
    free: int = -(1 << 40)  # first clock in which a group may end: the results before are taken
    released: tuple[int, int] = (-(1 << 40),) * 2  # the two banks: last address issued, older first

    def relative(self, origin: int, floor: int) -> tuple[int, ...]:
        """State seen from an origin; all that is too old to bind counts as one."""
        return tuple(max(t - origin, floor) for t in (self.accepted, self.free, *self.released))


class _Pipeline:
    """Walks frame after frame through the layers."""

    def __init__(self, spec: SparseMLPSpec) -> None:
        self.layers = spec.layers
        self.gate = spec.datapath == "gate"
        self.buffered = [is_buffered(spec, layer) for layer in spec.layers]
        self.runs = [group_clocks(spec, layer).tolist() for layer in spec.layers]
        self.state = [_LayerState() for _ in spec.layers]
        self.source = -1  # clock of the last input beat
        self.sink = -1  # clock of the last output beat

    def frame(self) -> tuple[int, int]:
        """Clocks of a frame's first input beat and last output beat."""
        begin = self._entry(0, self.source + 1)
        count = self.layers[0].inputs
        self.source = self._arrival(0, begin, count)
        end = self._layer(0, self.source)
        return begin, end

    def _entry(self, index: int, offered: int) -> int:
        """Clock in which a layer accepts the first word of a frame."""
        if index == len(self.layers):
            return max(offered, self.sink + 1)
        if self.buffered[index]:
            return max(offered, self.state[index].released[0] + 1)
        if self.layers[index].inputs == 1:
            return max(offered, self.state[index].free)
        return offered

    def _arrival(self, index: int, first: int, count: int) -> int:
        """Clock of the last of ``count`` words that end a frame, the first taken in ``first``."""
        last = first + count - 1
        if index < len(self.layers) and not self.buffered[index]:
            last = max(last, self.state[index].free)
        return last

    def _layer(self, index: int, arrived: int) -> int:
        """Pass on the frame whose last word a layer accepted; clock of the last output beat."""
        if index == len(self.layers):
            self.sink = arrived + 1  # the argmax
            return self.sink
        layer, state = self.layers[index], self.state[index]
        start = arrived
        if self.buffered[index]:
            # The gate datapath issues one address ahead of the word that it accepts.
            start = (
                max(arrived + 1, state.accepted) + 1
                if self.gate
                else max(arrived, state.accepted) + 1
            )
        taken = 0
        ends: list[int] = []
        for group, run in enumerate(self.runs[index]):
            end = max(start + run - 1, state.free) if self.buffered[index] else arrived
            ends.append(end)
            offered = end + RESULT_DELAY
            if group == 0:
                offered = self._entry(index + 1, offered)
            count = min(layer.lanes, layer.outputs - group * layer.lanes)
            if group == layer.groups - 1:
                taken = self._arrival(index + 1, offered, count)
            else:
                taken = offered + count - 1
            state.free = taken + 1
            start = end + 1
        if self.gate and layer.groups > 1:
            # The last address is issued as the word before the last is accepted.
            issued = ends[-2] if layer.inputs == 1 else ends[-2] + layer.inputs - 1
            state.released = (state.released[1], issued)
        else:
            state.released = (state.released[1], ends[-1])
        state.accepted = ends[-1]
        return self._layer(index + 1, taken)

    def snapshot(self, origin: int, floor: int) -> tuple:
        """Everything that later frames depend on, relative to an origin."""
        times = tuple(state.relative(origin, floor) for state in self.state)
        return (self.source - origin, max(self.sink - origin, floor), *times)

    @property
    def span(self) -> int:
        """Clocks after which nothing binds any more."""
        return sum(
            sum(run) + layer.inputs + layer.outputs + 9
            for run, layer in zip(self.runs, self.layers, strict=True)
        )


class _Unrolled:
    """Walks frame after frame through the unrolled layers."""

    def __init__(self, spec: SparseMLPSpec) -> None:
        self.inputs, self.outputs = spec.layers[0].inputs, spec.layers[-1].outputs
        self.registers = len(spec.layers) * (1 + spec.pipeline) - 1
        self.source = -1  # clock of the last input beat
        self.launched = -(1 << 40)  # the frame before was launched
        self.taken = -(1 << 40)  # its scores were taken
        self.sent = -(1 << 40)  # the last of its scores was sent

    def frame(self) -> tuple[int, int]:
        """Clocks of a frame's first input beat and last output beat."""
        begin = max(self.source + 1, self.launched)
        self.source = begin + self.inputs - 1
        self.launched = max(self.source + 1, self.taken)
        self.taken = max(self.launched + 1 + self.registers, self.sent + 1)
        self.sent = self.taken + self.outputs
        return begin, self.sent + 1

    def snapshot(self, origin: int, floor: int) -> tuple:
        """Everything that later frames depend on, relative to an origin."""
        past = (self.source, self.launched, self.taken, self.sent)
        return tuple(max(t - origin, floor) for t in past)

    @property
    def span(self) -> int:
        """Clocks after which nothing binds any more."""
        return self.inputs + self.registers + self.outputs + 9


def _events(spec: SparseMLPSpec, frames: int) -> tuple[list[int], list[int], int]:
    """First-in clocks and durations of the frames until they repeat, and the period's start."""
    pipeline = _Unrolled(spec) if spec.datapath == "unrolled" else _Pipeline(spec)
    begins: list[int] = []
    spans: list[int] = []
    seen: dict[tuple, int] = {}
    floor = -4 * pipeline.span
    for _ in range(frames):
        begin, end = pipeline.frame()
        begins.append(begin)
        spans.append(end - begin + 1)
        shape = pipeline.snapshot(begin, floor)
        if shape in seen:
            return begins, spans, seen[shape]
        seen[shape] = len(begins) - 1
    return begins, spans, len(begins)


def clocks(spec: SparseMLPSpec, frames: int) -> np.ndarray:
    """Clocks of each of ``frames`` frames offered back to back, int64 ``[frames]``."""
    _, spans, start = _events(spec, frames)
    # The state after frame `start` came back after the last frame: from there on it repeats.
    period = spans[start + 1 :]
    if len(spans) < frames:
        spans += [period[k % len(period)] for k in range(frames - len(spans))]
    return np.array(spans, dtype=np.int64)


@dataclass(frozen=True)
class Timing:
    """Clocks of a frame.

    Members
    -------
    latency : int     From the first input beat to the last output beat of a lone frame, inclusive.
    interval : float  Between two frames of a long run without stalls, on average.
    """

    latency: int
    interval: float


def timing(spec: SparseMLPSpec) -> Timing:
    """Latency and interval of a Spec."""
    begins, spans, start = _events(spec, 1 << 16)
    interval = (begins[-1] - begins[start]) / (len(begins) - 1 - start)
    return Timing(latency=spans[0], interval=interval)
