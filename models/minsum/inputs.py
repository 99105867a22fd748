"""LLRs as frames of a Spec, and noisy code words to try a decoder on."""

from dataclasses import dataclass

import numpy as np

from gatesmith.models.codes import Code
from gatesmith.models.errors import UserError, check
from gatesmith.models.minsum.decoding import check_llrs
from gatesmith.models.minsum.spec import MinSumSpec

__all__ = ["NoisyFrames", "code_of", "llr_frames", "made_frames", "noisy_frames", "quantise"]

TRIED_DB = (1, 2, 3, 4, 5, 6)  # Eb/N0 of frames to verify with: all goes wrong, some, nothing
EBN0_MOST = 100.0


@dataclass(frozen=True, kw_only=True, eq=False)
class NoisyFrames:
    """Frames of noisy code words, int64 ``[frames, words]``, and those words.

    ``sent`` is uint8 ``[frames, variables]``.
    """

    frames: np.ndarray
    sent: np.ndarray


def quantise(spec: MinSumSpec, llrs: np.ndarray) -> np.ndarray:
    """LLRs in steps of the wire, int8 of the same shape: to the nearest, ties to even, -M to M.

    ``llrs`` are float, ln p(0) / p(1), where infinity is allowed. UserError for NaN.
    """
    llrs = np.asarray(llrs, dtype=np.float64)
    if np.isnan(llrs).any():
        raise UserError("LLRs must be numbers, not NaN")
    steps = np.rint(llrs * (spec.llr_step_den / spec.llr_step_num))
    return np.clip(steps, -spec.most, spec.most).astype(np.int8)


def llr_frames(spec: MinSumSpec, llrs: np.ndarray) -> np.ndarray:
    """Frames, int64 ``[frames, words]``, of int ``[frames, variables]`` LLRs in steps.

    UserError for another shape, or an LLR outside of the wire's range -M - 1 to M.
    """
    llrs = check_llrs(spec, llrs)
    words, each = spec.input_format.words, spec.llrs_per_beat
    fields = np.zeros((len(llrs), words * each), dtype=np.int64)
    fields[:, : spec.variables] = llrs.astype(np.int64) & ((1 << spec.message_bits) - 1)
    frames = np.zeros((len(llrs), words), dtype=np.int64)
    for place in range(each):
        frames |= fields[:, place::each] << np.int64(place * spec.message_bits)
    return frames


def code_of(spec: MinSumSpec) -> Code:
    """The code of a Spec's matrix; what is punctured or shortened a Spec does not know."""
    shape = (spec.checks, spec.variables)
    return Code.from_edges(spec.edge_check, spec.edge_variable, shape, spec.name, spec.lifting)


def noisy_frames(
    spec: MinSumSpec,
    count: int,
    *,
    ebn0_db: float | np.ndarray,
    seed: int,
    code: Code | None = None,
) -> NoisyFrames:
    """Random code words through a channel with white Gaussian noise, one antipodal symbol a bit.

    Bit b is sent as 1 - 2 b; with R information bits a symbol the noise has variance
    1 / (2 R Eb/N0), and the LLR of a symbol y is 2 y / variance.

    Parameters
    ----------
    count : int       Frames.
    ebn0_db : float   Eb/N0, dB; or one for each frame, ``[count]``.
    seed : int        Of words and noise.
    code : Code       Says what is punctured (LLR 0) and shortened (bit 0, LLR M); None for the code
                      of the Spec's matrix, all of whose bits are sent.

    UserError for a code of another matrix, or a ratio that is not between -100 and 100 dB.
    """
    check(count >= 0, "Frames", "at least 0", count)
    decibels = np.broadcast_to(np.asarray(ebn0_db, dtype=np.float64), (count,))
    wrong = decibels[~(abs(decibels) <= EBN0_MOST)]
    requirement = f"between {-EBN0_MOST:g} and {EBN0_MOST:g} dB"
    check(not wrong.size, "Eb/N0", requirement, wrong[:1].tolist())
    if code is None:
        code = code_of(spec)
    elif code.n != spec.variables or not (
        np.array_equal(code.checks, spec.edge_check)
        and np.array_equal(code.variables, spec.edge_variable)
    ):
        raise UserError(f"Code {code.name!r} must have the matrix of {spec.name!r}")
    rng = np.random.default_rng(seed)
    sent = code.encode(rng.integers(0, 2, (count, code.k), dtype=np.uint8))
    rate = max(code.k, 1) / len(code.sent)  # the one word of a code without bits has noise, too
    variance = (1 / (2 * rate * 10 ** (decibels / 10)))[:, None]
    symbols = 1.0 - 2.0 * sent + np.sqrt(variance) * rng.standard_normal(sent.shape)
    llrs = 2 * symbols / variance
    llrs[:, code.punctured] = 0
    llrs[:, code.shortened] = np.inf
    return NoisyFrames(frames=llr_frames(spec, quantise(spec, llrs)), sent=sent)


def made_frames(spec: MinSumSpec, count: int, seed: int) -> tuple[np.ndarray, str]:
    """Frames to verify a decoder with, and what they are.

    Noisy code words over a range of noise, so that the iterations that they take differ.
    """
    decibels = np.resize(np.array(TRIED_DB, dtype=np.float64), count)
    what = f"noisy code words at {TRIED_DB[0]} to {TRIED_DB[-1]} dB"
    return noisy_frames(spec, count, ebn0_db=decibels, seed=seed).frames, what
