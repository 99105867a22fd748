"""The golden model: exact output words and clocks of a batch of frames."""

import numpy as np

from gatesmith.models.frames import GoldenRun
from gatesmith.models.minsum.decoding import Decoded, decode
from gatesmith.models.minsum.schedule import clocks
from gatesmith.models.minsum.spec import MinSumSpec

__all__ = ["golden", "llrs_of", "pack_bits"]


def llrs_of(spec: MinSumSpec, frames: np.ndarray) -> np.ndarray:
    """LLRs in the words of frames, int8 ``[frames, variables]``, -M - 1 read as -M."""
    bits = spec.message_bits
    fields = np.empty((*frames.shape, spec.llrs_per_beat), dtype=np.int8)
    for place in range(spec.llrs_per_beat):
        # The field's sign bit goes to bit 63, and back.
        field = frames << np.int64(64 - bits * (place + 1))
        fields[:, :, place] = field >> np.int64(64 - bits)
    llrs = fields.reshape(len(frames), frames.shape[1] * spec.llrs_per_beat)
    return np.clip(llrs[:, : spec.variables], -spec.most, spec.most)


def pack_bits(bits: np.ndarray, width: int) -> np.ndarray:
    """Words of ``width`` bits, int64 ``[frames, words]``, of uint8 ``[frames, bits]``.

    The first bit is bit 0 of the first word; behind the last bit there are zeros.
    """
    frames, count = bits.shape
    words = -(-count // width)
    padded = np.zeros((frames, words * width), dtype=np.uint8)
    padded[:, :count] = bits
    packed = np.packbits(padded.reshape(frames, words, width), axis=2, bitorder="little")
    whole = np.zeros((frames, words, 8), dtype=np.uint8)
    whole[:, :, : packed.shape[2]] = packed
    return whole.view("<i8")[:, :, 0].astype(np.int64)


def words_of(spec: MinSumSpec, decoded: Decoded) -> np.ndarray:
    """Output words, int64 ``[frames, words]``, of what decoding found."""
    parts = [
        decoded.iterations[:, None],
        decoded.satisfied[:, None].astype(np.int64),
        pack_bits(decoded.bits.take(spec.out_variables, axis=1), spec.bits_per_beat),
    ]
    if spec.posteriors:
        parts.append(decoded.posteriors.astype(np.int64))
    return np.concatenate(parts, axis=1)


def golden(spec: MinSumSpec, frames: np.ndarray) -> GoldenRun:
    """Output words of int64 ``[frames, words]``, and the clocks of each frame.

    UserError when a frame has the wrong number of words or a word is out of range.
    """
    frames = spec.input_format.check(frames)
    decoded = decode(spec, llrs_of(spec, frames))
    return GoldenRun(outputs=words_of(spec, decoded), clocks=clocks(spec, decoded.iterations))
