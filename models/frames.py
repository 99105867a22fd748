"""Frames on the wires: fields of integer words, one word a beat."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gatesmith.models.errors import UserError

__all__ = ["PAD", "Field", "FrameFormat", "GoldenRun"]

# Fills up frames that are shorter than the longest of an array; no word has this value.
PAD = np.iinfo(np.int64).min


@dataclass(frozen=True, kw_only=True)
class Field:
    """Consecutive words of one kind in a frame.

    Parameters
    ----------
    name : str      What the words mean.
    count : int     Number of words, at least 1.
    width : int     Width of a word, bits, 1 to 63.
    signed : bool   Two's complement when true.
    most : int      Greatest legal value of an unsigned word, when that is not all ones.
    """

    name: str
    count: int
    width: int
    signed: bool
    most: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"Field {self.name!r} must have at least 1 word, not {self.count!r}")
        if not 1 <= self.width <= 63:
            raise ValueError(f"Width must be between 1 and 63 bits, not {self.width!r}")
        if self.most is not None and (self.signed or not 0 <= self.most < 1 << self.width):
            raise ValueError(f"Most must be an unsigned word of the width, not {self.most!r}")

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

    A word is sign- or zero-extended to the width of ``tdata``. Where fields are ``repeated``, the
    length of a frame varies: ``fields``, then all of ``repeated`` 1 to ``repeats`` times, then
    ``tail``. An array of frames is as wide as the longest can be, and shorter ones are filled up
    with :data:`PAD`.

    Parameters
    ----------
    fields : tuple of Field     At the start; may be empty when others are not.
    repeated : tuple of Field   Once for each repetition; none for frames of one length.
    repeats : int               Most repetitions.
    tail : tuple of Field       At the end.
    """

    fields: tuple[Field, ...]
    repeated: tuple[Field, ...] = ()
    repeats: int = 1
    tail: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        if self.repeats < 1 or (self.repeats > 1 and not self.repeated):
            raise ValueError(f"Repeats must be at least 1, and 1 of nothing, not {self.repeats!r}")

    @property
    def all_fields(self) -> tuple[Field, ...]:
        """Each field once, in order."""
        return (*self.fields, *self.repeated, *self.tail)

    @property
    def words(self) -> int:
        """Beats of a frame; of the longest."""
        return self.length(self.repeats)

    def length(self, repetitions: int) -> int:
        """Beats of a frame with so many repetitions."""
        ends = sum(field.count for field in (*self.fields, *self.tail))
        return ends + repetitions * sum(field.count for field in self.repeated)

    @property
    def data_width(self) -> int:
        """Width of ``tdata`` in bits: whole bytes that hold the widest field."""
        return 8 * ((max(field.width for field in self.all_fields) + 7) // 8)

    @cached_property
    def _columns(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Least and greatest value and signedness of each word, by number of repetitions less 1."""
        found = []
        for repetitions in range(1, self.repeats + 1):
            fields = (*self.fields, *self.repeated * repetitions, *self.tail)
            counts = [field.count for field in fields]
            low, high, signed = (
                np.repeat([getattr(field, name) for field in fields], counts)
                for name in ("low", "high", "signed")
            )
            found.append((low, high, signed))
        return found

    def lengths(self, frames: np.ndarray) -> np.ndarray:
        """Words of each frame, int64 ``[frames]``, of integers or beats."""
        pad = np.asarray(PAD).astype(frames.dtype)
        return (frames != pad).sum(axis=1)

    def repetitions(self, frames: np.ndarray) -> np.ndarray:
        """Repetitions in each frame, int64 ``[frames]``; UserError for an impossible length."""
        lengths = self.lengths(frames)
        if not self.repeated:
            found = np.where(lengths == self.words, 1, 0)
        else:
            each = self.length(1) - self.length(0)
            found, rest = np.divmod(lengths - self.length(0), each)
            found = np.where((rest == 0) & (found <= self.repeats), found, 0)
        wrong = np.flatnonzero(found < 1)
        if wrong.size:
            raise UserError(f"Frame {wrong[0]} must not have {lengths[wrong[0]]} words")
        return found

    def _by_length(self, frames: np.ndarray) -> Iterator[tuple[np.ndarray | slice, int, Any]]:
        """Frames of one length after the other: their rows, their length, and their columns."""
        if not self.repeated:
            yield slice(None), self.words, self._columns[0]
            return
        repetitions = self.repetitions(frames)
        for count in np.unique(repetitions).tolist():
            yield repetitions == count, self.length(count), self._columns[count - 1]

    def check(self, frames: np.ndarray) -> np.ndarray:
        """Return the frames as int64 ``[frames, words]``; UserError for a wrong shape or range."""
        frames = np.asarray(frames)
        if frames.ndim != 2 or frames.shape[1] != self.words:
            raise UserError(f"Frames must have shape [frames, {self.words}], not {frames.shape}")
        if frames.dtype.kind not in "iu":
            raise UserError(f"Frames must be integers, not {frames.dtype}")
        for rows, length, (low, high, _) in self._by_length(frames):
            mine = frames[rows, :length]
            wrong = (mine < low) | (mine > high)
            if wrong.any():
                frame, word = (int(k) for k in np.argwhere(wrong)[0])
                number = frame if isinstance(rows, slice) else np.flatnonzero(rows)[frame]
                raise UserError(
                    f"Word {word} of frame {number} must be between {low[word]} and {high[word]}, "
                    f"not {mine[frame, word]}"
                )
        return frames.astype(np.int64)

    def pack(self, frames: np.ndarray) -> np.ndarray:
        """Beats, uint64 ``[frames, words]``, of integer frames of the same shape.

        :data:`PAD` becomes 2**63, which no beat is.
        """
        frames = self.check(frames)
        beats = frames.astype(np.uint64) & np.uint64((1 << self.data_width) - 1)
        return np.where(frames == PAD, frames.astype(np.uint64), beats)

    def unpack(self, beats: np.ndarray) -> np.ndarray:
        """Integer frames, int64 ``[frames, words]``, of beats; the inverse of :meth:`pack`."""
        beats = np.asarray(beats).astype(np.uint64)
        shift = np.int64(64 - self.data_width)
        found = np.full(beats.shape, PAD)
        for rows, length, (_, _, signed) in self._by_length(beats):
            words = beats[rows, :length].astype(np.int64) << shift
            unsigned = (words.astype(np.uint64) >> np.uint64(shift)).astype(np.int64)
            found[rows, :length] = np.where(signed, words >> shift, unsigned)
        return found

    def random(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Random frames, int64 ``[count, words]``, uniform over the range of each field.

        Where lengths vary, the number of repetitions is uniform too; the first two frames are the
        shortest and the longest.
        """
        if not self.repeated:
            low, high, _ = self._columns[0]
            return rng.integers(low, high, size=(count, self.words), endpoint=True, dtype=np.int64)
        repetitions = rng.integers(1, self.repeats, size=count, endpoint=True)
        repetitions[:2] = (1, self.repeats)[:count]
        frames = np.full((count, self.words), PAD)
        for number in range(count):
            low, high, _ = self._columns[repetitions[number] - 1]
            frames[number, : low.size] = rng.integers(low, high, endpoint=True, dtype=np.int64)
        return frames

    def to_json(self) -> list[dict]:
        """The fields as plain dictionaries; of varying frames with the part they belong to."""
        found = []
        for part in ("fields", "repeated", "tail"):
            for field in getattr(self, part):
                entry = {name: value for name, value in asdict(field).items() if value is not None}
                if self.repeated and part != "fields":
                    entry["part"] = part
                if part == "repeated":
                    entry["repeats"] = self.repeats
                found.append(entry)
        return found

    @classmethod
    def from_json(cls, fields: list[dict]) -> "FrameFormat":
        """The format that :meth:`to_json` described."""
        parts: dict[str, list[Field]] = {"fields": [], "repeated": [], "tail": []}
        repeats = 1
        for entry in fields:
            values = dict(entry)
            part, repeats = values.pop("part", "fields"), values.pop("repeats", repeats)
            parts[part].append(Field(**values))
        return cls(repeats=repeats, **{name: tuple(found) for name, found in parts.items()})


@dataclass(frozen=True, kw_only=True)
class GoldenRun:
    """What a Core must answer.

    Members
    -------
    outputs : int64, shape [frames, words]   Output words.
    clocks : int64, shape [frames]
        Clocks from the one in which a frame's first input beat transfers to the one in which its
        last output beat transfers, both counted. The frames are offered back to back to an idle
        Core, with neither stream stalled from outside.
    """

    outputs: np.ndarray
    clocks: np.ndarray
