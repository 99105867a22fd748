"""Frames on the wires: fields of integer words, one word a beat."""

from dataclasses import asdict, dataclass

import numpy as np

from gatesmith.models.errors import UserError

__all__ = ["Field", "FrameFormat", "GoldenRun"]


@dataclass(frozen=True, kw_only=True)
class Field:
    """Consecutive words of one kind in a frame.

    Parameters
    ----------
    name : str      What the words mean.
    count : int     Number of words, at least 1.
    width : int     Width of a word, bits, 1 to 64.
    signed : bool   Two's complement when true.
    """

    name: str
    count: int
    width: int
    signed: bool

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"Field {self.name!r} must have at least 1 word, not {self.count!r}")
        if not 1 <= self.width <= 64:
            raise ValueError(f"Width must be between 1 and 64 bits, not {self.width!r}")

    @property
    def low(self) -> int:
        """Least value of a word."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Greatest value of a word."""
        return (1 << (self.width - self.signed)) - 1


@dataclass(frozen=True, kw_only=True)
class FrameFormat:
    """One AXI4-Stream frame: the fields' words in order, one a beat, ``tlast`` on the last.

    A word is sign- or zero-extended to the width of ``tdata``.
    """

    fields: tuple[Field, ...]

    @property
    def words(self) -> int:
        """Beats of a frame."""
        return sum(field.count for field in self.fields)

    @property
    def data_width(self) -> int:
        """Width of ``tdata`` in bits: whole bytes that hold the widest field."""
        return 8 * ((max(field.width for field in self.fields) + 7) // 8)

    def _limits(self) -> tuple[np.ndarray, np.ndarray]:
        counts = [field.count for field in self.fields]
        low = np.repeat([field.low for field in self.fields], counts)
        return low, np.repeat([field.high for field in self.fields], counts)

    def check(self, frames: np.ndarray) -> np.ndarray:
        """Return the frames as int64 ``[frames, words]``; UserError for a wrong shape or range."""
        frames = np.asarray(frames)
        if frames.ndim != 2 or frames.shape[1] != self.words:
            raise UserError(f"Frames must have shape [frames, {self.words}], not {frames.shape}")
        if frames.dtype.kind not in "iu":
            raise UserError(f"Frames must be integers, not {frames.dtype}")
        low, high = self._limits()
        wrong = (frames < low) | (frames > high)
        if wrong.any():
            frame, word = (int(k) for k in np.argwhere(wrong)[0])
            raise UserError(
                f"Word {word} of frame {frame} must be between {low[word]} and {high[word]}, "
                f"not {frames[frame, word]}"
            )
        return frames.astype(np.int64)

    def pack(self, frames: np.ndarray) -> np.ndarray:
        """Beats, uint64 ``[frames, words]``, of integer frames of the same shape."""
        mask = np.uint64((1 << self.data_width) - 1)
        return self.check(frames).astype(np.uint64) & mask

    def unpack(self, beats: np.ndarray) -> np.ndarray:
        """Integer frames, int64 ``[frames, words]``, of beats; the inverse of :meth:`pack`."""
        shift = np.int64(64 - self.data_width)
        words = np.asarray(beats).astype(np.uint64).astype(np.int64) << shift
        signed = np.repeat([f.signed for f in self.fields], [f.count for f in self.fields])
        unsigned = (words.astype(np.uint64) >> np.uint64(shift)).astype(np.int64)
        return np.where(signed, words >> shift, unsigned)

    def random(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Random frames, int64 ``[count, words]``, uniform over the range of each field."""
        low, high = self._limits()
        return rng.integers(low, high, size=(count, self.words), endpoint=True, dtype=np.int64)

    def to_json(self) -> list[dict]:
        """The fields as plain dictionaries."""
        return [asdict(field) for field in self.fields]

    @classmethod
    def from_json(cls, fields: list[dict]) -> "FrameFormat":
        """The format that :meth:`to_json` described."""
        return cls(fields=tuple(Field(**field) for field in fields))


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
