"""Weighted belief propagation: with all weights 1 it is belief propagation."""

import numpy as np
import pytest
import torch

from gatesmith.models.codes import bch
from gatesmith.models.errors import UserError
from gatesmith.models.minsum_net import MinSumConfig, MinSumDecoder, WeightedBP, fit, weighted
from gatesmith.models.minsum_net.channel import draw
from gatesmith.models.minsum_net.losses import cross_entropy

CODE = bch(63, 36)
FLOAT = {"code": "bch-63-36", "update": "sum-product", "message_bits": None}


@pytest.mark.parametrize("tying", ["edge", "recurrent"])
def test_weights_of_one_are_belief_propagation(monkeypatch, tying):
    """But for the clipping of messages at 10, which the authors have."""
    monkeypatch.setattr(weighted, "CLIP", 1e6)
    config = MinSumConfig(**FLOAT, tying=tying)
    llr = torch.from_numpy(draw(CODE, 3.0, 100, np.random.default_rng(1)).llr).double()
    one, plain = WeightedBP(config, CODE).double().eval(), MinSumDecoder(config, CODE).eval()
    a, b = one.decode(llr), plain.decode(llr)
    assert torch.allclose(a.posterior, b.posterior) and torch.equal(a.bits, b.bits)
    assert torch.equal(a.satisfied, b.satisfied) and a.satisfied.any()


def test_numbers_of_weights():
    """Pairs of edges at a variable: 4,238 an iteration for BCH(63,36)."""
    net = WeightedBP(MinSumConfig(**FLOAT, tying="edge"), CODE)
    assert (
        net.pair.shape == (5, 4238) and net.out.shape == (5, 486) and net.channel.shape == (5, 63)
    )
    net = WeightedBP(MinSumConfig(**FLOAT, tying="recurrent"), CODE)
    assert net.pair.shape == (1, 4238) and not hasattr(net, "channel")


@pytest.mark.parametrize("tying", ["edge", "recurrent"])
def test_learns(tying):
    config = MinSumConfig(
        **FLOAT | {"code": "bch-15-7"}, tying=tying, steps=100, learning_rate=0.05, ebn0_low=4.0
    )
    net = WeightedBP(config)
    assert net(torch.zeros(15, 1)).shape == (5, 15, 1)
    frames = draw(net.code, 4.0, 1000, np.random.default_rng(1))
    llr, words = torch.from_numpy(frames.llr), torch.from_numpy(frames.words).float()
    before = cross_entropy(net(llr), words)
    net = fit(net).train()
    assert cross_entropy(net(llr), words) < before and net.pair.std() > 0.02


def test_rejects():
    with pytest.raises(UserError, match="^Weighted belief propagation must be sum-product"):
        WeightedBP(MinSumConfig(code="bch-63-36"), CODE)
    net = WeightedBP(MinSumConfig(**FLOAT, tying="edge"), CODE)
    with pytest.raises(UserError, match="^Weighted belief propagation must not stop early$"):
        net.decode(torch.zeros(63, 1), True)
