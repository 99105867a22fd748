"""What the output words of frames mean: bits, posteriors, iterations; and errors among them."""

from dataclasses import dataclass

import numpy as np

from gatesmith.models.errors import UserError, check
from gatesmith.models.minsum.spec import MinSumSpec

__all__ = ["Errors", "count_errors", "counters", "posteriors", "predictions"]


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Errors of decoded frames.

    Members
    -------
    frames, bits : int    Decoded.
    bit_errors : int      Bits that differ from what was sent.
    frame_errors : int    Frames with such a bit.
    undetected : int      Frames with such a bit whose decision is a code word.
    """

    frames: int
    bits: int
    bit_errors: int
    frame_errors: int
    undetected: int

    def __add__(self, other: "Errors") -> "Errors":
        names = ("frames", "bits", "bit_errors", "frame_errors", "undetected")
        return Errors(**{name: getattr(self, name) + getattr(other, name) for name in names})


def predictions(spec: MinSumSpec, outputs: np.ndarray) -> np.ndarray:
    """Decided bits, uint8 ``[frames, bits]``: of all variables, or those of the information."""
    count, width = len(spec.out_variables), spec.bits_per_beat
    words = -(-count // width)
    packed = np.ascontiguousarray(outputs[:, 2 : 2 + words].astype("<i8"))
    bits = np.unpackbits(packed.view(np.uint8), axis=1, bitorder="little")
    kept = bits.reshape(len(outputs), words, 64)[:, :, :width]
    return kept.reshape(len(outputs), words * width)[:, :count]


def posteriors(spec: MinSumSpec, outputs: np.ndarray) -> np.ndarray:
    """Posteriors, int64 ``[frames, variables]``, LLR steps; UserError when frames hold none."""
    check(spec.posteriors, "Posteriors", "in the frames", "left out")
    return outputs[:, -spec.variables :]


def counters(spec: MinSumSpec, outputs: np.ndarray) -> dict[str, np.ndarray]:
    """``iterations`` done and ``satisfied``, 1 for a code word, of frames: int64 ``[frames]``."""
    return {"iterations": outputs[:, 0], "satisfied": outputs[:, 1]}


def count_errors(spec: MinSumSpec, outputs: np.ndarray, sent: np.ndarray) -> Errors:
    """Errors in output words when the code words ``[frames, variables]`` were sent.

    Counted among the bits that go out. UserError when the shapes do not agree.
    """
    shape = (len(outputs), spec.variables)
    if sent.shape != shape:
        raise UserError(f"Words sent must have shape {shape}, not {sent.shape}")
    wrong = predictions(spec, outputs) != sent[:, spec.out_variables]
    frames = wrong.any(axis=1)
    return Errors(
        frames=len(outputs),
        bits=wrong.size,
        bit_errors=int(wrong.sum()),
        frame_errors=int(frames.sum()),
        undetected=int((frames & (outputs[:, 1] == 1)).sum()),
    )
