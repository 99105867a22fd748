"""Min-sum decoders of binary linear codes: the Spec and its golden model.

Follows Lugosch and Gross, "Neural Offset Min-Sum Decoding", ISIT 2017 (arXiv 1701.05931), and
Nachmani, Marciano, Lugosch, Gross, Burshtein and Be'ery, "Deep Learning Methods for Improved
Decoding of Linear Codes", JSTSP 2018 (arXiv 1706.07043).
"""

from gatesmith.models.minsum.schedule import Timing, timing
from gatesmith.models.minsum.spec import MinSumSpec

__all__ = ["MinSumSpec", "Timing", "timing"]
