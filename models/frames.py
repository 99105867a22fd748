"""Frames on the wires: fields of integer words, one word a beat."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from gatesmith.models.errors import UserError

__all__ = ["PAD", "Field", "FrameFormat", "GoldenRun"]

# Behind the last word of a frame that is shorter than the longest; as a beat it is 2**63. No word
# of a format of varying length has this value.
PAD = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, kw_only=True)
class Field:
    """Consecutive words of one kind in a frame.

    Parameters
    ----------
    name : str      What the words mean.
    count : int     Number of words, at least 1.
    width : int     Width of a word, bits, 1 to 64.
    signed : bool   Two's complement when true.
    most : int      Greatest value of an unsigned word, 0 to 2**width - 1; None for that.
    """

    name: str
    count: int
    width: int
    signed: bool
    most: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"Field {self.name!r} must have at least 1 word, not {self.count!r}")
        if not 1 <= self.width <= 64:
            raise ValueError(f"Width must be between 1 and 64 bits, not {self.width!r}")
        if self.most is None:
            return
        if self.signed:
            raise ValueError(f"Most must be None for signed words, not {self.most!r}")
        if not 0 <= self.most < 1 << self.width:
            limit = (1 << self.width) - 1
            raise ValueError(f"Most must be between 0 and {limit}, not {self.most!r}")

    @property
    def low(self) -> int:
        """Least value of a word."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Greatest value of a word."""
        return (1 << (self.width - self.signed)) - 1 if self.most is None else self.most


@dataclass(frozen=True, kw_only=True)
class FrameFormat:
    """One AXI4-Stream frame: the fields' words in order, one a beat, ``tlast`` on the last.

    A word is sign- or zero-extended to the width of ``tdata``. With ``repeated`` fields the length
    varies: a frame is the words of ``fields``, then 1 to ``repeats`` times those of ``repeated``,
    then those of ``tail``. An array of frames has as many columns as the longest has words; behind
    the end of shorter ones it holds :data:`PAD`.

    Parameters
    ----------
    fields : tuple of Field     Once, in front.
    repeated : tuple of Field   As often as the frame likes, width at most 63; empty for one length.
    repeats : int               Most repetitions, at least 1.
    tail : tuple of Field       Once, behind; width at most 63 behind repeated fields.
    """

    fields: tuple[Field, ...]
    repeated: tuple[Field, ...] = ()
    repeats: int = 1
    tail: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        if self.repeats < 1 or (self.repeats > 1 and not self.repeated):
            what = "at least 1" if self.repeated else "1 without repeated fields"
            raise ValueError(f"Repeats must be {what}, not {self.repeats!r}")
        widest = max((field.width for field in self.all_fields), default=0)
        if not widest:
            raise ValueError("Fields must be at least 1, not none")
        if self.repeated and widest > 63:
            raise ValueError(f"Width must be at most 63 bits in varying frames, not {widest}")

    @property
    def all_fields(self) -> tuple[Field, ...]:
        """Every field once, in the order of the words."""
        return (*self.fields, *self.repeated, *self.tail)

    @property
    def words(self) -> int:
        """Beats of a frame, of the longest where lengths vary."""
        return self.length(self.repeats)

    def length(self, repetitions: int) -> int:
        """Beats of a frame with so many repetitions."""
        once = sum(field.count for field in (*self.fields, *self.tail))
        return once + repetitions * sum(field.count for field in self.repeated)

    @property
    def data_width(self) -> int:
        """Width of ``tdata`` in bits: whole bytes that hold the widest field."""
        return 8 * ((max(field.width for field in self.all_fields) + 7) // 8)

    def lengths(self, frames: np.ndarray) -> np.ndarray:
        """Words of each frame without the padding, int64 ``[frames]``, of integers or beats."""
        if not self.repeated:
            return np.full(len(frames), frames.shape[1])
        there = frames != (PAD if frames.dtype.kind == "i" else 1 << 63)
        return np.where(there.any(axis=1), frames.shape[1] - there[:, ::-1].argmax(axis=1), 0)

    def repetitions(self, frames: np.ndarray) -> np.ndarray:
        """Repetitions in each frame, int64 ``[frames]``; UserError for an impossible length."""
        if not self.repeated:
            return np.ones(len(frames), dtype=np.int64)
        lengths, least = self.lengths(frames), self.length(1)
        each = least - self.length(0)
        found, rest = np.divmod(lengths - self.length(0), each)
        wrong = np.flatnonzero((rest != 0) | (found < 1) | (found > self.repeats))
        if wrong.size:
            legal = f"{least} to {self.words} in steps of {each}"
            frame = int(wrong[0])
            raise UserError(f"Words of frame {frame} must be {legal}, not {lengths[frame]}")
        return found

    def _each_word(self, name: str, repetitions: int) -> np.ndarray:
        """A property of the field of each word of a frame."""
        fields = (*self.fields, *self.repeated * repetitions, *self.tail)
        return np.repeat([getattr(f, name) for f in fields], [f.count for f in fields])

    def _alike(self, repetitions: np.ndarray) -> Iterator[tuple[np.ndarray | slice, int]]:
        """Rows of the frames of each number of repetitions, and that number."""
        counts = np.unique(repetitions).tolist()
        if len(counts) == 1:
            yield slice(None), counts[0]
            return
        for count in counts:
            yield np.flatnonzero(repetitions == count), count

    def check(self, frames: np.ndarray) -> np.ndarray:
        """Return the frames as int64 ``[frames, words]``; UserError for a wrong shape or range."""
        frames = np.asarray(frames)
        if frames.ndim != 2 or frames.shape[1] != self.words:
            raise UserError(f"Frames must have shape [frames, {self.words}], not {frames.shape}")
        if frames.dtype.kind not in "iu":
            raise UserError(f"Frames must be integers, not {frames.dtype}")
        for rows, count in self._alike(self.repetitions(frames)):
            low, high = (self._each_word(name, count) for name in ("low", "high"))
            words = frames[rows, : low.size]
            wrong = (words < low) | (words > high)
            if wrong.any():
                row, word = (int(k) for k in np.argwhere(wrong)[0])
                frame = row if isinstance(rows, slice) else rows[row]
                raise UserError(
                    f"Word {word} of frame {frame} must be between {low[word]} and {high[word]}, "
                    f"not {words[row, word]}"
                )
        return frames.astype(np.int64)

    def pack(self, frames: np.ndarray) -> np.ndarray:
        """Beats, uint64 ``[frames, words]``, of integer frames of the same shape.

        Behind the end of a frame that is shorter than the longest they are 2**63.
        """
        frames = self.check(frames)
        beats = frames.astype(np.uint64) & np.uint64((1 << self.data_width) - 1)
        return np.where(frames == PAD, np.uint64(1 << 63), beats) if self.repeated else beats

    def unpack(self, beats: np.ndarray) -> np.ndarray:
        """Integer frames, int64 ``[frames, words]``, of beats; the inverse of :meth:`pack`."""
        beats = np.asarray(beats).astype(np.uint64)
        shift = np.int64(64 - self.data_width)
        frames = np.full(beats.shape, PAD)
        for rows, count in self._alike(self.repetitions(beats)):
            signed = self._each_word("signed", count)
            words = beats[rows, : signed.size].astype(np.int64) << shift
            unsigned = (words.astype(np.uint64) >> np.uint64(shift)).astype(np.int64)
            frames[rows, : signed.size] = np.where(signed, words >> shift, unsigned)
        return frames

    def random(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Random frames, int64 ``[count, words]``, uniform over the range of each field.

        Where lengths vary they are uniform too, but the first two frames are the shortest and the
        longest.
        """
        repetitions = np.ones(count, dtype=np.int64)
        if self.repeated:
            repetitions = rng.integers(1, self.repeats, size=count, endpoint=True)
            repetitions[:2] = (1, self.repeats)[:count]
        frames = np.full((count, self.words), PAD)
        for rows, number in self._alike(repetitions):
            low, high = (self._each_word(name, number) for name in ("low", "high"))
            size = (len(repetitions[rows]), low.size)
            frames[rows, : low.size] = rng.integers(
                low, high, size=size, endpoint=True, dtype=np.int64
            )
        return frames

    def to_json(self) -> list[dict]:
        """The fields as plain dictionaries.

        ``most`` is there only where it limits; ``part`` says ``repeated`` or ``tail`` of a field
        that is not in front; a repeated one says ``repeats``, the most repetitions.
        """
        found = []
        for part, fields in (("", self.fields), ("repeated", self.repeated), ("tail", self.tail)):
            for field in fields:
                entry = {name: value for name, value in asdict(field).items() if value is not None}
                if part:
                    entry["part"] = part
                if part == "repeated":
                    entry["repeats"] = self.repeats
                found.append(entry)
        return found

    @classmethod
    def from_json(cls, fields: list[dict]) -> "FrameFormat":
        """The format that :meth:`to_json` described; KeyError, TypeError, ValueError for others."""
        parts: dict[str, list[Field]] = {"fields": [], "repeated": [], "tail": []}
        repeats = 1
        for entry in fields:
            rest = dict(entry)
            part = rest.pop("part", "fields")
            if part == "repeated":
                repeats = rest.pop("repeats")
            parts[part].append(Field(**rest))
        return cls(repeats=repeats, **{part: tuple(found) for part, found in parts.items()})


@dataclass(frozen=True, kw_only=True)
class GoldenRun:
    """What a Core must answer.

    Members
    -------
    outputs : int64, shape [frames, words]   Output words, short frames padded with :data:`PAD`.
    clocks : int64, shape [frames]
        Clocks from the one in which a frame's first input beat transfers to the one in which its
        last output beat transfers, both counted. The frames are offered back to back to an idle
        Core, with neither stream stalled from outside.
    """

    outputs: np.ndarray
    clocks: np.ndarray
