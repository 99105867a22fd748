"""How many clocks a chip takes: entries of each pass, and the time line of its frames.

The constants are those of the Core; a test holds every clock of random designs against it.
"""

from dataclasses import dataclass

import numpy as np

from gatesmith.models.lstm.layout import passes
from gatesmith.models.lstm.spec import COUNTERS, LSTMSpec

__all__ = ["Timing", "Work", "clocks", "fillers", "timing"]

ADMIT = 2  # from the last word in to the first clock of work
PASS = 1  # from the clock in which a pass begins to its end, beside its entries
TURN = 1  # from the end of a pass to what follows
ELEMENTWISE = 9  # from the start of the element-wise stage to when it is idle, beside its cells
SEND = 2  # from the start of the output to its last word, beside its words
FREE = 2  # the same to when the sums may be written again
NEVER = -(1 << 40)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Clocks of the longest frame in dense mode, which is the worst case.

    Members
    -------
    latency : int     From the first input beat to the last output beat of a lone frame, inclusive.
    interval : float  Between two frames of a long run without stalls.
    """

    latency: int
    interval: float


def fillers(zero: np.ndarray, offset_bits: int) -> np.ndarray:
    """Entries without a column in lists of elements, ``zero`` bool ``[..., positions]``.

    A run of 2**offset_bits zeros ends in one, and so does a list whose last element is zero.
    """
    positions = zero.shape[-1]
    place = np.arange(positions, dtype=np.int32)
    kept = np.maximum.accumulate(np.where(zero, -1, place), axis=-1)
    full = (place - kept) % (1 << offset_bits) == 0
    full[..., -1] = True
    return (zero & full).sum(axis=-1)


class Work:
    """Entries of every pass at every step of frames, counted as they are met.

    Parameters
    ----------
    spec : LSTMSpec
    steps : int64 [frames]    Of each frame.
    dense : bool [frames]     Its mode.
    """

    def __init__(self, spec: LSTMSpec, steps: np.ndarray, dense: np.ndarray) -> None:
        self.spec, self.steps, self.dense = spec, steps, dense
        self.passes = passes(spec)
        longest = int(steps.max(initial=1))
        self.cost = np.zeros((len(self.passes), longest, len(steps)), dtype=np.int32)
        self.taken = np.zeros(len(steps), dtype=np.int64)
        self.skipped = np.zeros(len(steps), dtype=np.int64)
        if spec.one_hot:
            self.cost[0] = spec.batch * self.passes[0].groups
            self.taken += spec.batch * steps

    def count(self, number: int, step: int, frames: np.ndarray, values: np.ndarray) -> None:
        """A pass of some frames over the elements ``[frames, batch, columns]`` of a vector."""
        if not frames.size:
            return
        one, spec = self.passes[number], self.spec
        lists = spec.elementwise if one.source == "state" else 1
        zero = ~(values != 0).any(axis=1) & ~self.dense[frames, None]
        # Element k * lists + e is element k of list e.
        by_list = zero.reshape(len(frames), -1, lists).transpose(0, 2, 1)
        zeros = zero.sum(axis=1)
        self.taken[frames] += one.columns - zeros
        self.skipped[frames] += zeros
        self.cost[number, step, frames] = (one.columns - zeros) * one.groups + fillers(
            by_list, spec.offset_bits
        ).sum(axis=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Line:
    """Time line of lone frames from their first clock of work, int64 ``[frames]`` each.

    Members: release of the input bank; first begin of a head's pass; start of the last output;
    clocks in which the core waited for the output alone.
    """

    release: np.ndarray
    first_head: np.ndarray
    last_output: np.ndarray
    waited: np.ndarray


def _time_line(spec: LSTMSpec, work: Work) -> _Line:
    """What a frame does when the output is free at its start."""
    layers, count = spec.layers, len(work.steps)
    head = len(work.cost) - 1
    cells = [layer.hidden // spec.elementwise * spec.batch for layer in layers]
    states = 2 * spec.elementwise if spec.state else 1  # words, or all lanes at once
    ready = np.full(count, sum(cells) * states)
    stage_free, output_free = np.full(count, NEVER), np.full(count, NEVER)
    waited, release = np.zeros(count, np.int64), np.zeros(count, np.int64)
    first_head, last_output = np.full(count, NEVER), np.zeros(count, np.int64)
    answer = spec.batch * (spec.head.classes + 1)

    def answered(now: np.ndarray, step: int) -> None:
        """The pass of the head at a step, of the frames ``now``, and the start of its output."""
        nonlocal ready, output_free, waited, first_head, last_output
        wanted = np.maximum(ready, stage_free)
        begin = np.maximum(wanted, output_free)
        end = begin + work.cost[head, step] + PASS
        waited = np.where(now, waited + begin - wanted, waited)
        first_head = np.where(now & (first_head == NEVER), begin, first_head)
        output_free = np.where(now, end + answer + FREE, output_free)
        ready, last_output = np.where(now, end + TURN, ready), np.where(now, end, last_output)

    for step in range(work.cost.shape[1]):
        now = work.steps > step
        end = ready + work.cost[0, step] + PASS
        release = np.where(work.steps == step + 1, end, release)
        ready = np.where(now, end + TURN, ready)
        if spec.every_step and step:
            answered(now, step - 1)
        for index in range(len(layers)):
            begin = np.maximum(ready, stage_free) if len(layers) == 1 else ready
            end = begin + work.cost[2 * index + 1, step] + PASS
            if index:
                begin = np.maximum(end + TURN, stage_free)
                end = begin + work.cost[2 * index, step] + PASS
            launch = np.maximum(end, stage_free)
            stage_free = np.where(now, launch + cells[index] + ELEMENTWISE, stage_free)
            ready = np.where(now, launch + TURN, ready)
        ended = work.steps == step + 1
        if ended.any():
            answered(ended, step)
    return _Line(release=release, first_head=first_head, last_output=last_output, waited=waited)


def _tail_words(spec: LSTMSpec) -> int:
    cells = sum(layer.hidden for layer in spec.layers) * spec.batch
    return len(COUNTERS) + (2 * cells if spec.state else 0)


def clocks(spec: LSTMSpec, work: Work) -> tuple[np.ndarray, np.ndarray]:
    """The word ``clocks`` of each frame, and its clocks from first word in to last word out.

    The frames come back to back and nothing stalls: int64 ``[frames]`` each.
    """
    line = _time_line(spec, work)
    worked = line.last_output - line.waited
    begins, ends = _line_up(spec, work, line)
    return worked, ends - begins + 1


def _line_up(spec: LSTMSpec, work: Work, line: _Line) -> tuple[np.ndarray, np.ndarray]:
    """Clocks of the first word in and the last word out of frames one behind the other."""
    words = [spec.input_format.length(int(steps)) for steps in work.steps]
    answer = spec.batch * (spec.head.classes + 1) + _tail_words(spec)
    late = 1 if spec.memory == "stream" else 0  # a register more on the way out
    firsts, lasts = [], []
    committed, released, idle, output_free = -1, [NEVER, NEVER], NEVER, NEVER
    columns = (line.release, line.first_head, line.last_output)
    for length, release, first_head, last_output in zip(
        words, *(column.tolist() for column in columns), strict=True
    ):
        first = max(committed + 1, released[-2] + 1)
        committed = first + length - 1
        begin = max(committed + ADMIT, idle + 1)
        if spec.state:  # the final states of the last frame must have left
            begin = max(begin, output_free + 1)
        extra = max(0, output_free - (begin + first_head))
        if release > first_head:
            release += extra
        output = begin + last_output + extra
        released.append(begin + release)
        idle, output_free = output + 1, output + answer + FREE
        firsts.append(first)
        lasts.append(output + answer + SEND + late)
    return np.array(firsts, dtype=np.int64), np.array(lasts, dtype=np.int64)


def timing(spec: LSTMSpec) -> Timing:
    """Latency and interval of the longest frames in dense mode."""
    frames = 8
    work = Work(spec, np.full(frames, spec.steps), np.ones(frames, dtype=bool))
    for number, one in enumerate(work.passes):
        if one.source != "symbols":
            work.cost[number] = one.columns * one.groups
    begins, ends = _line_up(spec, work, _time_line(spec, work))
    return Timing(latency=int(ends[0] - begins[0] + 1), interval=float(ends[-1] - ends[-2]))
