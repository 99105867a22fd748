"""How many clocks a decoder takes: those of an iteration, and the time line of its frames.

The constants are those of the Core; a test holds every clock of random designs against it.
"""

from dataclasses import dataclass

import numpy as np

from gatesmith.models.minsum.block_schedule import block_clocks
from gatesmith.models.minsum.layout import row_groups
from gatesmith.models.minsum.spec import MinSumSpec

__all__ = ["Timing", "clocks", "iteration_clocks", "mean_interval", "timing"]

LOAD = 1  # from the last word in to the clock that loads the decoder
DECIDE = 1  # from loading, or the end of an iteration, to the clock that looks at the decision
SEND = 1  # from the clock that gives a decision to the output to its first word out


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


def iteration_clocks(spec: MinSumSpec) -> int:
    """Clocks of an iteration: stages of ``flooding``, groups of rows of ``layered``.

    With ``sram``, from the end of one to the end of the next.
    """
    if spec.memory == "sram":
        return block_clocks(spec).next
    return spec.stages if spec.schedule == "flooding" else len(row_groups(spec))


def _work(spec: MinSumSpec, iterations: np.ndarray) -> np.ndarray:
    """Clocks from loading to the decision that goes out."""
    done = np.asarray(iterations, dtype=np.int64)
    if spec.memory == "sram":
        found = block_clocks(spec)
        more = np.where(done > 0, found.first + (done - 1) * found.next, 0)
        return DECIDE + found.load + more
    return DECIDE + iteration_clocks(spec) * done


def _line_up(spec: MinSumSpec, iterations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Clocks of the first word in and the last word out of frames one behind the other."""
    words, answer = spec.input_format.words, spec.output_format.words
    work = _work(spec, iterations)
    firsts, lasts = [], []
    # Clocks in which the frame before was loaded, and given to the output.
    loaded, given = -1, -answer - SEND
    for each in work.tolist():
        first = loaded + 1
        loaded = max(first + words - 1 + LOAD, given)
        given = max(loaded + each, given + answer + SEND)
        firsts.append(first)
        lasts.append(given + answer)
    return np.array(firsts, dtype=np.int64), np.array(lasts, dtype=np.int64)


def clocks(spec: MinSumSpec, iterations: np.ndarray) -> np.ndarray:
    """Clocks of each frame, from its first word in to its last word out, int64 ``[frames]``.

    The frames come back to back and nothing stalls. ``iterations`` is how many each one did.
    """
    firsts, lasts = _line_up(spec, iterations)
    return lasts - firsts + 1


def timing(spec: MinSumSpec) -> Timing:
    """Latency and interval of frames that need all iterations."""
    firsts, lasts = _line_up(spec, np.full(8, spec.iterations))
    return Timing(latency=int(lasts[0] - firsts[0] + 1), interval=float(lasts[-1] - lasts[-2]))


def mean_interval(spec: MinSumSpec, iterations: np.ndarray) -> float:
    """Clocks between two frames of a long run of at least two that do so many iterations each."""
    lasts = _line_up(spec, iterations)[1]
    return float(lasts[-1] - lasts[0]) / (len(lasts) - 1)
