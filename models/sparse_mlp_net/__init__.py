"""LFSR-masked sparse multilayer perceptrons in PyTorch: training, checkpoints, lowering.

Your own data in a few lines::

    config = SparseMLPConfig(data="own", inputs=20, classes=3, hidden=(32,), input_bits=4)
    net = fit(SparseMLP(config), x, y)    # x int [n, 20] of 0 to 15, y int [n]
    spec = lower(net, datapath="index", lanes=8)
"""

from gatesmith.models.sparse_mlp_net.checkpoint import (
    load_checkpoint,
    read_metrics,
    save_checkpoint,
)
from gatesmith.models.sparse_mlp_net.config import RECIPES, SparseMLPConfig
from gatesmith.models.sparse_mlp_net.net import SparseLinear, SparseMLP, lower
from gatesmith.models.sparse_mlp_net.training import (
    EpochReport,
    accuracy,
    fit,
    float_baseline,
    resume_path,
    train,
)

__all__ = [
    "RECIPES",
    "EpochReport",
    "SparseLinear",
    "SparseMLP",
    "SparseMLPConfig",
    "accuracy",
    "fit",
    "float_baseline",
    "load_checkpoint",
    "lower",
    "read_metrics",
    "resume_path",
    "save_checkpoint",
    "train",
]
