"""What a simulation is given and what it gives back."""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Mismatch", "Outcome", "Vectors", "compare"]


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """Beats to send and beats to expect, ``tdata`` as uint64.

    Members
    -------
    inputs : uint64 [frames, words]
    expected : uint64 [frames, words]
    clocks : int64 [frames]             Of each frame when nothing stalls.
    config : uint64 [words] or None     The configuration frame.
    """

    inputs: np.ndarray
    expected: np.ndarray
    clocks: np.ndarray
    config: np.ndarray | None = None

    @property
    def patience(self) -> int:
        """Clocks without any transfer after which a design is taken to hang."""
        return 1000 + 4 * int(self.clocks.max(initial=0))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an engine saw.

    Members
    -------
    outputs : uint64 [frames, words]   Frames that came out whole, in order.
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
