"""Min-sum decoders of binary linear codes: the Spec and its golden model.

Follows Lugosch and Gross, "Neural Offset Min-Sum Decoding", ISIT 2017 (arXiv 1701.05931), and
Nachmani, Marciano, Lugosch, Gross, Burshtein and Be'ery, "Deep Learning Methods for Improved
Decoding of Linear Codes", JSTSP 2018 (arXiv 1706.07043).
"""

from gatesmith.models.minsum.answers import (
    Errors,
    count_errors,
    counters,
    posteriors,
    predictions,
)
from gatesmith.models.minsum.decoding import Decoded, decode
from gatesmith.models.minsum.faults import faults
from gatesmith.models.minsum.golden import golden
from gatesmith.models.minsum.inputs import (
    NoisyFrames,
    llr_frames,
    made_frames,
    noisy_frames,
    quantise,
)
from gatesmith.models.minsum.parts import OPERATION, operations, parts
from gatesmith.models.minsum.schedule import Timing, timing
from gatesmith.models.minsum.spec import MinSumSpec

__all__ = [
    "OPERATION",
    "Decoded",
    "Errors",
    "MinSumSpec",
    "NoisyFrames",
    "Timing",
    "count_errors",
    "counters",
    "decode",
    "faults",
    "golden",
    "llr_frames",
    "made_frames",
    "noisy_frames",
    "operations",
    "parts",
    "posteriors",
    "predictions",
    "quantise",
    "timing",
]
