"""Neural min-sum decoders in PyTorch: training, checkpoints, simulation, lowering.

A decoder of your own code in a few lines::

    config = MinSumConfig(code="mine.alist", tying="iteration", message_bits=5, llr_step=0.5)
    net = fit(MinSumDecoder(config))
    points = simulate(NetDecoder(net, "mine"), ebn0=[3, 4], target_errors=100)
    spec = lower(net, schedule="layered")
"""

from gatesmith.models.minsum_net.checkpoint import load_checkpoint, read_metrics, save_checkpoint
from gatesmith.models.minsum_net.config import RECIPES, MinSumConfig
from gatesmith.models.minsum_net.decoders import (
    AlgebraicDecoder,
    GoldenDecoder,
    NetDecoder,
    baseline,
    tune,
)
from gatesmith.models.minsum_net.lowering import lower
from gatesmith.models.minsum_net.net import MinSumDecoder
from gatesmith.models.minsum_net.simulation import Point, simulate
from gatesmith.models.minsum_net.training import EpochReport, fit, resume_path, train
from gatesmith.models.minsum_net.weighted import WeightedBP

__all__ = [
    "RECIPES",
    "AlgebraicDecoder",
    "EpochReport",
    "GoldenDecoder",
    "MinSumConfig",
    "MinSumDecoder",
    "NetDecoder",
    "Point",
    "WeightedBP",
    "baseline",
    "fit",
    "load_checkpoint",
    "lower",
    "read_metrics",
    "resume_path",
    "save_checkpoint",
    "simulate",
    "train",
    "tune",
]
