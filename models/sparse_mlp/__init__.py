"""LFSR-masked sparse multilayer perceptrons: the Spec and its golden model.

Follows Ardakani, Condo and Gross, "Sparsely-Connected Neural Networks: Towards Efficient VLSI
Implementation of Deep Neural Networks", ICLR 2017 (arXiv 1611.01427).
"""

from gatesmith.models.sparse_mlp.cost import FEATURES_VERSION, features, kind, memory_bits
from gatesmith.models.sparse_mlp.examples import examples
from gatesmith.models.sparse_mlp.faults import faults
from gatesmith.models.sparse_mlp.golden import (
    DATA,
    dataset_frames,
    golden,
    hidden,
    load_data,
    predictions,
)
from gatesmith.models.sparse_mlp.layer import SparseLayer
from gatesmith.models.sparse_mlp.parts import OPERATION, operations, parts
from gatesmith.models.sparse_mlp.schedule import Timing, timing
from gatesmith.models.sparse_mlp.spec import SparseMLPSpec

__all__ = [
    "FEATURES_VERSION",
    "OPERATION",
    "SparseLayer",
    "SparseMLPSpec",
    "Timing",
    "DATA",
    "dataset_frames",
    "load_data",
    "examples",
    "faults",
    "features",
    "golden",
    "hidden",
    "kind",
    "memory_bits",
    "operations",
    "parts",
    "predictions",
    "timing",
]
