"""Fibonacci linear-feedback shift registers, stepped for many seeds at once."""

from functools import reduce

import numpy as np

__all__ = ["keep_masks", "states"]


def states(taps: tuple[int, ...], seeds: np.ndarray, count: int, leap: int = 1) -> np.ndarray:
    """Successive states of one LFSR polynomial run from several seeds.

    The register shifts left and the XOR of the tapped bits enters bit 0. The first state
    returned is the seed itself: the value used is the state before the step.

    Parameters
    ----------
    taps : tuple of int    Tapped positions, 1 is bit 0; the largest is the width in bits (2 to 32).
    seeds : int array, shape [n]    Start states, 1 to 2**width - 1.
    count : int            States to return for each seed.
    leap : int             Register steps between two returned states.

    Returns an int64 array of shape [n, count]. Raises ValueError for a value out of range.
    """
    width = max(taps, default=0)
    if not 2 <= width <= 32 or min(taps) < 1 or len(set(taps)) != len(taps):
        raise ValueError(f"Taps must be distinct, from 1 to a width of 2 to 32, not {taps!r}")
    if count < 0 or leap < 1:
        raise ValueError(f"Count must not be negative, leap must be positive, not {count}, {leap}")
    state = np.asarray(seeds, dtype=np.int64)
    top = (1 << width) - 1
    if state.ndim != 1 or np.any((state < 1) | (state > top)):
        raise ValueError(f"Seeds must be a vector of values between 1 and {top}")
    out = np.empty((state.size, count), dtype=np.int64)
    for index in range(count):
        out[:, index] = state
        remaining = leap
        while remaining:
            # A step reads no bit newer than its lowest tap, so min(taps) steps go in parallel.
            steps = min(remaining, min(taps))
            fresh = reduce(np.bitwise_xor, (state >> (tap - steps) for tap in taps))
            state = ((state << steps) | (fresh & ((1 << steps) - 1))) & top
            remaining -= steps
    return out


def keep_masks(
    taps: tuple[int, ...], seeds: np.ndarray, inputs: int, threshold: int, leap: int = 1
) -> np.ndarray:
    """Masks of Ardakani, Condo and Gross (ICLR 2017): input i is kept when its state >= threshold.

    Threshold is ceil(p * 2**width) for sparsity p. Returns a bool array [neurons, inputs].
    """
    return states(taps, seeds, inputs, leap) >= threshold
