"""What every verification plays: whole frames, void ones, resets, configurations, stalls."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from gatesmith.models.frames import Field
from gatesmith.sim.vectors import Vectors, beat_counts

__all__ = ["Scenario", "Sent", "scenarios", "sent", "whole"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sent:
    """A frame on the wire, right or void.

    Members
    -------
    frame : int             Its index.
    places : int64 [beats]  The beats of it, in order.
    spoilt : (int, int)     Beat that has another value, and that value; or None.
    void_at : int or None   Beats after which it is void; None when it is right.
    """

    frame: int
    places: np.ndarray
    spoilt: tuple[int, int] | None = None
    void_at: int | None = None

    def beats(self, vectors: Vectors) -> np.ndarray:
        """What goes over ``tdata``, uint64 ``[beats]``."""
        beats = vectors.inputs[self.frame][self.places]
        if self.spoilt is not None:
            beats[self.spoilt[0]] = self.spoilt[1]
        return beats


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Frames to play after a reset.

    Members
    -------
    name : str
    sent : tuple of Sent   In order. The last beat of each carries tlast.
    cut : bool             The last one stops short of its end, without tlast.
    stop : int or None     The scenario ends after so many words of the first answer.
    burst : bool           The scenario ends in the middle of a burst of weights.
    reload : bool          Void configurations, and the right one again, come with the frames.
    stall : float          Part of the clocks in which each stream stalls.
    """

    name: str
    sent: tuple[Sent, ...]
    stall: float
    cut: bool = False
    stop: int | None = None
    burst: bool = False
    reload: bool = False

    @property
    def right(self) -> list[int]:
        """Places in ``sent`` of the right frames that end."""
        whole = self.sent[: -1 if self.cut else None]
        return [k for k, one in enumerate(whole) if one.void_at is None]

    @property
    def expected(self) -> list[int]:
        """Frames that must come out whole."""
        if self.stop is not None or self.burst:
            return []
        return [self.sent[k].frame for k in self.right]


def whole(vectors: Vectors, frames: Iterable[int]) -> tuple[Sent, ...]:
    """Right frames, one after the other."""
    counts = beat_counts(vectors.inputs)
    return tuple(Sent(frame=k, places=np.arange(counts[k])) for k in frames)


def sent(vectors: Vectors, frame: int, length: int) -> Sent:
    """A frame of a length that need not be its own: cut short, or with beats too many.

    What is too much repeats the frame; where its length may vary, the words that are repeated.
    ValueError for a length that some other frame may have.
    """
    own, longest = int(beat_counts(vectors.inputs)[frame]), vectors.inputs.shape[1]
    places, void_at = np.arange(length), None
    head, group = _parts(vectors)
    places[own:] = head + (places[own:] - head) % group
    if length != own:
        if head < length <= longest and (length - head) % group == 0:
            raise ValueError(f"Length of a void frame must not be legal, as {length} beats are")
        void_at = min(length, longest)
    return Sent(frame=frame, places=places, void_at=void_at)


def scenarios(vectors: Vectors, *, stall: float, seed: int) -> list[Scenario]:
    """What every verification plays, one after the other, each after a reset.

    Frames of wrong lengths, and with words out of range, between right ones; an answer, a frame
    and a burst of weights that the next reset cuts; configurations of wrong lengths and a right
    one while frames are inside, if there are any; then all frames without stalls, which must find
    nothing left over; all frames again with the wanted stalls; and a few with many.
    """
    frames = len(vectors.inputs)
    rng = np.random.default_rng(seed)
    few = rng.permutation(frames)[:3].tolist()
    plays = list(_void(vectors, few, rng))
    if beat_counts(vectors.expected[few[:1]])[0] > 1:  # an answer of one word has no middle
        plays.append(
            Scenario(name="answer cut by reset", sent=whole(vectors, few), stall=0, stop=1)
        )
    words = int(beat_counts(vectors.inputs)[few[0]])
    if words > 1:
        part = Sent(frame=few[0], places=np.arange(words // 2))
        plays.append(Scenario(name="frame cut by reset", sent=(part,), stall=0, cut=True))
    if vectors.weights is not None and vectors.weights.bursts.max() > 1:
        plays.append(
            Scenario(name="burst cut by reset", sent=whole(vectors, few), stall=0, burst=True)
        )
    if vectors.config is not None:
        plays.append(
            Scenario(name="configured again", sent=whole(vectors, few), stall=0.2, reload=True)
        )
    every = whole(vectors, range(frames))
    plays.append(Scenario(name="all frames", sent=every, stall=0))
    if stall:
        plays.append(Scenario(name="all frames, stalled", sent=every, stall=stall))
    return [*plays, Scenario(name="a few, much stalled", sent=whole(vectors, few), stall=0.5)]


def _void(vectors: Vectors, few: list[int], rng: np.random.Generator) -> Iterator[Scenario]:
    """Void frames between right ones.

    Only the first of a scenario can show when ``frame_error`` rises: one scenario for each cause.
    """
    layout, counts = vectors.layout, beat_counts(vectors.inputs)
    by_length = sorted(few, key=counts.tolist().__getitem__)
    right, spoilt = whole(vectors, by_length[:1]), by_length[-1]  # short, as it comes often
    if layout is None or not layout.repeated:
        words = vectors.inputs.shape[1]
        # One beat too few or too many; one beat alone; a tlast where a second frame would end.
        lengths = (max(1, words - 1), words + 1, 1, words, 2 * words, 3 * words - 1, words)
        wrong = tuple(sent(vectors, int(rng.choice(few)), length) for length in lengths)
        yield Scenario(name="wrong lengths", sent=wrong, stall=0.2)
    else:
        head, group = _parts(vectors)
        # In the middle of the last and of the first repetition; the head alone; a beat alone.
        cuts = dict.fromkeys((int(counts[spoilt]) - 1, head + 1, head, 1))
        short = [n for n in cuts if 0 < n <= head or (n - head) % group]
        if short:
            wrong = tuple(one for n in short for one in (sent(vectors, spoilt, n), *right))
            yield Scenario(name="wrong lengths", sent=wrong, stall=0.2)
        long = (layout.words + 1, layout.words + head + group)
        wrong = tuple(one for n in long for one in (sent(vectors, spoilt, n), *right))
        yield Scenario(name="too many repetitions", sent=wrong, stall=0.2)
    for field, places in _limited(vectors, spoilt):
        mixed: list[Sent] = []
        for place, value in (
            (int(rng.choice(places)), field.high + 1),
            (places[-1], (1 << field.width) - 1),
        ):
            (one,) = whole(vectors, [spoilt])
            mixed += [replace(one, spoilt=(place, value), void_at=place + 1), *right]
        yield Scenario(name=f"{field.name} out of range", sent=tuple(mixed), stall=0.2)


def _limited(vectors: Vectors, frame: int) -> Iterator[tuple[Field, list[int]]]:
    """Fields whose words can be out of range, and the beats of a frame that hold them."""
    if vectors.layout is None:
        return
    head, group = _parts(vectors)
    own, start = int(beat_counts(vectors.inputs)[frame]), 0
    for field in vectors.layout.all_fields:
        if field.most is not None and field.high < (1 << field.width) - 1:
            places = list(range(start, start + field.count))
            if start >= head and vectors.layout.repeated:
                places = [k + n for n in range(0, own - head, group) for k in places]
            yield field, places
        start += field.count


def _parts(vectors: Vectors) -> tuple[int, int]:
    """Words before those that are repeated, and words repeated; a fixed frame repeats itself."""
    layout = vectors.layout
    if layout is None or not layout.repeated:
        return 0, vectors.inputs.shape[1]
    return layout.length(0), layout.length(1) - layout.length(0)
