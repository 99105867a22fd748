"""How many clocks a decoder takes."""

from dataclasses import dataclass

import numpy as np

from gatesmith.models.minsum.spec import MinSumSpec

__all__ = ["Timing", "clocks", "timing"]


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Clocks of a frame that needs all iterations, which is the worst case.

    Members
    -------
    latency : int     From the first input beat to the last output beat of a lone frame, inclusive.
    interval : float  Between two frames of a long run without stalls.
    """

    latency: int
    interval: float


def clocks(spec: MinSumSpec, iterations: np.ndarray) -> np.ndarray:
    """Clocks of each frame, from its first word in to its last word out, int64 ``[frames]``.

    The frames come back to back and nothing stalls. ``iterations`` is how many each one did.
    """
    words = spec.input_format.words + spec.output_format.words
    return words + np.asarray(iterations, dtype=np.int64)


def timing(spec: MinSumSpec) -> Timing:
    """Latency and interval of frames that need all iterations."""
    latency = int(clocks(spec, np.array([spec.iterations]))[0])
    return Timing(latency=latency, interval=float(latency))
