"""What a simulation is given and what it gives back."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gatesmith.models.frames import FrameFormat

__all__ = ["PAD_BEAT", "Mismatch", "Outcome", "Vectors", "Weights", "beat_counts", "compare"]

# Behind the beats of a frame that is shorter than the longest. No word of less than 64 bits looks
# like this, sign-extended or not.
PAD_BEAT = np.uint64(1 << 63)


def beat_counts(beats: np.ndarray) -> np.ndarray:
    """Beats of each frame, int64 ``[frames]``: those before the padding."""
    padding = beats == PAD_BEAT
    if padding.any():
        return (~np.logical_and.accumulate(padding[:, ::-1], axis=1)).sum(axis=1, dtype=np.int64)
    return np.full(len(beats), beats.shape[1], dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A memory of weights outside of the design.

    Members
    -------
    words : uint8 [addresses, bytes]   Beats of ``w_axis``, low byte first.
    bursts : int64 [addresses]         Words of the burst that begins there; 0 where none may.
    """

    words: np.ndarray
    bursts: np.ndarray

    @classmethod
    def of(cls, spec: Any) -> "Weights | None":
        """The memory of a Spec; None when its weights lie inside."""
        port = spec.weight_port
        if port is None:
            return None
        size = port.data_width // 8
        words = b"".join(int(word).to_bytes(size, "little") for word in spec.weight_words())
        bursts = np.zeros(port.depth, dtype=np.int64)
        lengths = spec.weight_bursts()
        for address, length in lengths.items() if isinstance(lengths, dict) else enumerate(lengths):
            bursts[address] = length
        return cls(words=np.frombuffer(words, np.uint8).reshape(port.depth, size), bursts=bursts)


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """Beats to send and beats to expect, ``tdata`` as uint64.

    Members
    -------
    inputs : uint64 [frames, words]     Shorter frames than the longest end in PAD_BEAT.
    expected : uint64 [frames, words]   Padded likewise.
    clocks : int64 [frames]             Of each frame when nothing stalls.
    config : uint64 [words] or None     The configuration frame.
    layout : FrameFormat or None        Of the frames in; without it, frames of other lengths than
                                        these are wrong, and no word is out of range.
    weights : Weights or None           The memory that the design asks for its weights.
    """

    inputs: np.ndarray
    expected: np.ndarray
    clocks: np.ndarray
    config: np.ndarray | None = None
    layout: FrameFormat | None = None
    weights: Weights | None = None

    def patience(self, stall: float = 0.0) -> int:
        """Clocks without any transfer after which a design is taken to hang.

        ``stall`` is the part of the clocks in which each stream stalls; words of weights that are
        late hold up a design that has nothing else to show for it.
        """
        slower = 1 / (1 - stall) if self.weights is not None else 1
        return 1000 + int(4 * slower * int(self.clocks.max(initial=0)))

    def take(self, frames: "slice | list[int] | np.ndarray") -> "Vectors":
        """The vectors of some of the frames, in that order."""
        return replace(
            self,
            inputs=self.inputs[frames],
            expected=self.expected[frames],
            clocks=self.clocks[frames],
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an engine saw.

    Members
    -------
    outputs : uint64 [frames, words]   Frames that came out whole, in order, padded as the vectors.
    clocks : int64 [frames]            Clocks of each.
    total_clocks : int                 Clocks simulated.
    errors : list of str               Broken rules of the protocol, in order of time.
    """

    outputs: np.ndarray
    clocks: np.ndarray
    total_clocks: int
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """One difference; ``word`` is None where the clocks of a frame differ."""

    frame: int
    word: int | None
    expected: int
    got: int


def compare(vectors: Vectors, outcome: Outcome, *, clocks: bool) -> list[Mismatch]:
    """Differences of words, and of clocks when asked for, frame by frame.

    Frames that did not come out are not looked at here.
    """
    done = min(len(outcome.outputs), len(vectors.expected))
    found = []
    wrong = np.argwhere(outcome.outputs[:done] != vectors.expected[:done])
    for frame, word in wrong.tolist():
        found.append(
            Mismatch(
                frame=frame,
                word=word,
                expected=int(vectors.expected[frame, word]),
                got=int(outcome.outputs[frame, word]),
            )
        )
    if clocks:
        for frame in np.flatnonzero(outcome.clocks[:done] != vectors.clocks[:done]).tolist():
            found.append(
                Mismatch(
                    frame=frame,
                    word=None,
                    expected=int(vectors.clocks[frame]),
                    got=int(outcome.clocks[frame]),
                )
            )
    return sorted(found, key=lambda one: (one.frame, one.word is None, one.word or 0))
