"""Low-bit LSTMs whose zero states cost nothing: the Spec and its golden model.

Follows Ardakani, Ji, Smithson, Meyer and Gross, "Learning Recurrent Binary/Ternary Weights", ICLR
2019 (arXiv 1809.11086), and Ardakani, Ji and Gross, "Learning to Skip Ineffectual Recurrent
Computations in LSTMs", DATE 2019 (arXiv 1811.10396).
"""

from gatesmith.models.lstm.answers import bits_per_character, counters, predictions, scores
from gatesmith.models.lstm.faults import faults
from gatesmith.models.lstm.golden import StateTrace, golden, trace
from gatesmith.models.lstm.inputs import DATA, dataset_frames, load_data
from gatesmith.models.lstm.layer import Head, LSTMLayer
from gatesmith.models.lstm.parts import OPERATION, operations, parts
from gatesmith.models.lstm.schedule import Timing, timing
from gatesmith.models.lstm.spec import LSTMSpec

__all__ = [
    "OPERATION",
    "Head",
    "LSTMLayer",
    "LSTMSpec",
    "StateTrace",
    "Timing",
    "bits_per_character",
    "counters",
    "DATA",
    "dataset_frames",
    "load_data",
    "faults",
    "golden",
    "operations",
    "parts",
    "predictions",
    "scores",
    "timing",
    "trace",
]
