"""Fibonacci linear-feedback shift registers, stepped for many seeds at once."""

from functools import reduce

import numpy as np

__all__ = ["PRIMITIVE_TAPS", "keep_masks", "states"]

# Primitive polynomials, one a width, so that the period is 2**width - 1. Of each width the four
# taps were taken whose lowest tap is high (many steps then need one level of XORs) and whose
# states, a whole width of steps apart, are least correlated once compared with a threshold.
PRIMITIVE_TAPS: dict[int, tuple[int, ...]] = {
    2: (2, 1),
    3: (3, 2),
    4: (4, 3),
    5: (5, 4, 3, 2),
    6: (6, 5, 3, 2),
    7: (7, 6, 5, 4),
    8: (8, 6, 5, 4),
    9: (9, 8, 6, 5),
    10: (10, 9, 7, 6),
    11: (11, 10, 9, 7),
    12: (12, 11, 8, 6),
    13: (13, 12, 10, 9),
    14: (14, 11, 9, 7),
    15: (15, 14, 11, 8),
    16: (16, 14, 11, 7),
    17: (17, 14, 13, 10),
    18: (18, 14, 11, 10),
    19: (19, 18, 17, 14),
    20: (20, 16, 15, 11),
    21: (21, 18, 15, 13),
    22: (22, 20, 14, 13),
    23: (23, 21, 20, 17),
    24: (24, 22, 19, 15),
    25: (25, 23, 19, 17),
    26: (26, 23, 22, 18),
    27: (27, 26, 20, 19),
    28: (28, 27, 25, 18),
    29: (29, 26, 22, 21),
    30: (30, 29, 26, 22),
    31: (31, 28, 26, 24),
    32: (32, 30, 27, 21),
}


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
