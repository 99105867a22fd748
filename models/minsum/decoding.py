"""Decoding of whole batches of LLRs, exact and quick."""

from dataclasses import dataclass

import numpy as np

from gatesmith.models.errors import UserError, check
from gatesmith.models.minsum.blocks import RowGroup
from gatesmith.models.minsum.layout import check_degrees, first_edges, row_groups
from gatesmith.models.minsum.spec import MinSumSpec

__all__ = ["Decoded", "check_llrs", "decode"]

AT_ONCE = 1 << 18  # messages of the checks that are computed at once: fits the cache of a core
WIDTHS = (128, 4096)  # frames side by side, at least and at most
KEPT = 1 << 27  # messages that are kept at once: bounds the memory


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoded:
    """What decoding found.

    Members
    -------
    posteriors : int [frames, variables]   After the last iteration, LLR steps.
    iterations : int64 [frames]            Whole iterations done.
    satisfied : bool [frames]              Whether the decision is a code word.
    """

    posteriors: np.ndarray
    iterations: np.ndarray
    satisfied: np.ndarray

    @property
    def bits(self) -> np.ndarray:
        """Decisions, uint8 ``[frames, variables]``: 1 where the posterior is negative."""
        return (self.posteriors < 0).view(np.uint8)


class _Graph:
    """The matrix of a Spec, ready to decode."""

    def __init__(self, spec: MinSumSpec) -> None:
        self.spec = spec
        # Three magnitudes are the most that a message sums up to before it saturates.
        self.kind = np.int8 if 3 * spec.most <= 127 else np.int16
        wide = 8 if self.kind is np.int8 else 16
        bits = max(spec.posterior_bits, wide)
        self.posterior_kind = np.int8 if bits <= 8 else np.int16 if bits <= 16 else np.int32
        rows = row_groups(spec) if spec.schedule == "layered" else [range(spec.checks)]
        self.groups: list[RowGroup] = []
        begin = 0
        for checks in rows:
            group = RowGroup(spec, checks, begin, self.kind)
            self.groups.append(group)
            begin = group.rows.stop
        degrees, firsts = check_degrees(spec), first_edges(spec)[:-1]
        self._checks = [
            spec.edge_variable[firsts[degrees == degree] + np.arange(degree)[:, None]]
            for degree in np.unique(degrees).tolist()
        ]  # of each degree int32 [degree, checks]
        widest = max(group.rows.stop - group.rows.start for group in self.groups)
        low, high = WIDTHS
        self.width = int(np.clip(AT_ONCE // widest // 64 * 64, low, high))

    def satisfied(self, posteriors: np.ndarray) -> np.ndarray:
        """Whether the decisions of posteriors ``[variables, frames]`` are code words."""
        bits = np.packbits(posteriors < 0, axis=1)  # eight frames a byte
        wrong = np.zeros(bits.shape[1], dtype=np.uint8)
        for variables in self._checks:
            parity = np.bitwise_xor.reduce(bits.take(variables, axis=0), axis=0)
            wrong |= np.bitwise_or.reduce(parity, axis=0)
        return np.unpackbits(wrong, count=posteriors.shape[1]) == 0


@dataclass(kw_only=True)
class _Batch:
    """Frames side by side: their rows in the result, whether each one still runs, their state."""

    frames: np.ndarray
    running: np.ndarray
    posteriors: np.ndarray  # [variables, frames]
    messages: np.ndarray  # [edges, frames]

    def squeezed(self) -> "_Batch":
        """Without the frames that have ended, when that is worth the copying."""
        keep = np.flatnonzero(self.running)
        if 4 * keep.size > 3 * self.running.size:
            return self
        return _Batch(
            frames=self.frames[keep],
            running=self.running[keep],
            posteriors=self.posteriors.take(keep, axis=1),
            messages=self.messages.take(keep, axis=1),
        )


def _merged(batches: list[_Batch], width: int) -> list[_Batch]:
    """Neighbours that fit side by side become one batch; those without frames go."""
    found: list[_Batch] = []
    waiting: list[_Batch] = []

    def flush() -> None:
        if len(waiting) == 1:
            found.append(waiting[0])
        elif waiting:
            frames, running = (
                np.concatenate([getattr(one, name) for one in waiting])
                for name in ("frames", "running")
            )
            posteriors, messages = (
                np.concatenate([getattr(one, name) for one in waiting], axis=1)
                for name in ("posteriors", "messages")
            )
            found.append(
                _Batch(frames=frames, running=running, posteriors=posteriors, messages=messages)
            )
        waiting.clear()

    total = 0
    for one in batches:
        if total + one.frames.size > width:
            flush()
            total = 0
        if one.frames.size:
            waiting.append(one)
            total += one.frames.size
    flush()
    return found


def check_llrs(spec: MinSumSpec, llrs: np.ndarray) -> np.ndarray:
    """The LLRs; UserError unless they are integers ``[frames, variables]`` from -M - 1 to M."""
    llrs = np.asarray(llrs)
    if llrs.ndim != 2 or llrs.shape[1] != spec.variables:
        raise UserError(f"LLRs must have shape [frames, {spec.variables}], not {llrs.shape}")
    check(llrs.dtype.kind in "iu", "LLRs", "integers", str(llrs.dtype))
    low, high = -spec.most - 1, spec.most
    wrong = np.argwhere((llrs < low) | (llrs > high))
    if wrong.size:
        frame, variable = wrong[0].tolist()
        raise UserError(
            f"LLR {variable} of frame {frame} must be between {low} and {high}, "
            f"not {llrs[frame, variable]}"
        )
    return llrs


def decode(spec: MinSumSpec, llrs: np.ndarray) -> Decoded:
    """Decode int ``[frames, variables]``: LLRs in steps, positive means bit 0.

    UserError unless they are integers from -M - 1 to M; -M - 1 is read as -M.
    """
    llrs = check_llrs(spec, llrs)
    graph = _Graph(spec)
    result = Decoded(
        posteriors=np.empty(llrs.shape, dtype=graph.posterior_kind),
        iterations=np.full(len(llrs), spec.iterations, dtype=np.int64),
        satisfied=np.zeros(len(llrs), dtype=bool),
    )
    chunks = max(1, KEPT // (graph.width * spec.edges)) if spec.early_stop else 1
    for start in range(0, len(llrs), chunks * graph.width):
        end = min(start + chunks * graph.width, len(llrs))
        batches = []
        for first in range(start, end, graph.width):
            frames = np.arange(first, min(first + graph.width, end))
            posteriors = np.clip(llrs[frames[0] : frames[-1] + 1].T, -spec.most, spec.most)
            batches.append(
                _Batch(
                    frames=frames,
                    running=np.ones(frames.size, dtype=bool),
                    posteriors=posteriors.astype(graph.posterior_kind, order="C"),
                    messages=np.zeros((spec.edges, frames.size), dtype=graph.kind),
                )
            )
        _run(graph, batches, result)
    return result


def _run(graph: _Graph, batches: list[_Batch], result: Decoded) -> None:
    """Iterate over batches; those that thin out are put together."""
    spec = graph.spec
    for time in range(spec.iterations + 1):
        last = time == spec.iterations
        for one in batches:
            if not (spec.early_stop or last):
                continue
            words = graph.satisfied(one.posteriors)
            ended = one.running if last else one.running & words
            columns = np.flatnonzero(ended)
            rows = one.frames[columns]
            result.posteriors[rows] = one.posteriors.take(columns, axis=1).T
            result.iterations[rows] = time
            result.satisfied[rows] = words[columns]
            one.running = one.running & ~ended
        if last:
            return
        if spec.early_stop:
            batches = _merged([one.squeezed() for one in batches], graph.width)
        for one in batches:
            for group in graph.groups:
                group.step(one.posteriors, one.messages, time)
