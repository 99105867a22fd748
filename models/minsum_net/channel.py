"""BPSK over additive white Gaussian noise, of random codewords; Eb/N0 counts the code's rate."""

from dataclasses import dataclass

import numpy as np

from gatesmith.models.codes import Code
from gatesmith.models.errors import UserError

__all__ = ["KNOWN", "Frames", "draw", "rate", "variance"]

KNOWN = 1000.0  # LLR of a bit that is known to be 0


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Words and what the channel makes of them.

    Members
    -------
    words : uint8 [n, frames]   Codewords.
    llr : float32 [n, frames]   ln p(0) / p(1); 0 of punctured bits, ``KNOWN`` of shortened ones.
    """

    words: np.ndarray
    llr: np.ndarray


def rate(code: Code) -> float:
    """Information bits a bit that is sent; UserError for a code that carries none."""
    sent = len(code.sent)
    if not code.k or not sent:
        raise UserError(f"{code.name}: a code must carry at least 1 bit to be simulated")
    return code.k / sent


def variance(code: Code, ebn0: float) -> float:
    """Variance of the noise of one sample, for samples of +1 and -1, at Eb/N0 in dB."""
    return float(1 / (2 * rate(code) * 10 ** (ebn0 / 10)))


def draw(
    code: Code,
    ebn0: float | np.ndarray,
    frames: int,
    random: np.random.Generator,
    *,
    zero: bool = False,
    assumed: float | None = None,
) -> Frames:
    """Random codewords, or the all-zero one, through the channel.

    Parameters
    ----------
    ebn0 : float or [frames]   In dB.
    zero : bool                All-zero words: fine for training, but they flatter a decoder whose
                               ties go to bit 0.
    assumed : float            Eb/N0 that the receiver scales LLRs for; None: the true one.
    """
    if zero:
        words = np.zeros((code.n, frames), dtype=np.uint8)
    else:
        bits = random.integers(0, 2, (frames, code.k), dtype=np.uint8)
        words = np.ascontiguousarray(code.encode(bits).T)
    levels = np.broadcast_to(np.asarray(ebn0, dtype=np.float64), frames)
    noise = np.array([variance(code, level) for level in np.unique(levels)])
    noise = noise[np.unique(levels, return_inverse=True)[1]].astype(np.float32)
    llr = random.standard_normal((code.n, frames), dtype=np.float32)
    llr *= np.sqrt(noise)
    llr += 1 - 2 * words.astype(np.float32)
    llr *= 2 / (noise if assumed is None else np.float32(variance(code, assumed)))
    llr[code.punctured], llr[code.shortened] = 0, KNOWN
    return Frames(words=words, llr=llr)
