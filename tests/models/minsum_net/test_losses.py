"""Losses: known values, and what each of them rewards."""

import pytest
import torch

from gatesmith.models.codes import bch
from gatesmith.models.minsum_net import MinSumConfig
from gatesmith.models.minsum_net.graph import groups_of
from gatesmith.models.minsum_net.losses import (
    cross_entropy,
    frame_error,
    loss_of,
    soft_syndrome,
    syndrome_loss,
)

CODE = bch(15, 7)
GROUPS = groups_of(CODE, "flooding", None)
ZERO = torch.zeros(15, 4)


def test_cross_entropy_is_that_of_bits():
    posteriors = 3 * torch.randn(2, 15, 4)
    words = torch.randint(0, 2, (15, 4)).float()
    chance = torch.sigmoid(-posteriors)  # of a 1
    known = torch.nn.functional.binary_cross_entropy(chance, words.expand(2, -1, -1))
    assert cross_entropy(posteriors, words) == pytest.approx(float(known), rel=1e-4)


def test_frame_error_is_the_chance_of_any_wrong_bit():
    posteriors = torch.zeros(1, 15, 4)
    assert frame_error(posteriors, ZERO) == pytest.approx(1 - 0.5**15)
    assert frame_error(posteriors + 30, ZERO) < 1e-6
    assert frame_error(posteriors - 1000, ZERO) == 1


def test_frame_error_gives_up_lost_frames():
    """Cross-entropy pulls hardest at a lost frame, the frame-error loss at one it can save."""
    posteriors = torch.full((1, 15, 2), 6.0)
    posteriors[0, :8, 0] = -9.0  # lost
    posteriors[0, 0, 1] = -0.5  # nearly right
    pulls = []
    for loss in (cross_entropy, frame_error):
        x = posteriors.clone().requires_grad_()
        loss(x, ZERO[:, :2]).backward()
        pulls.append(x.grad[0].abs().sum(0))
    assert pulls[0][0] > pulls[0][1] and pulls[1][0] < 1e-3 * pulls[1][1]


def test_soft_syndrome():
    posteriors = torch.full((1, 15, 1), 4.0)
    (soft,) = soft_syndrome(posteriors, GROUPS)
    assert soft.shape == (1, 8, 1) and (soft == 4).all()
    posteriors[0, 7] = -2.0
    (soft,) = soft_syndrome(posteriors, GROUPS)
    hit = torch.from_numpy(CODE.matrix()[:, 7] == 1)
    assert (soft[0, hit] == -2).all() and (soft[0, ~hit] == 4).all()


def test_syndrome_loss_knows_no_word():
    """Any codeword satisfies it, a wrong one too: with mix 0 a decoder may lock on to those."""
    words = torch.from_numpy(CODE.encode(torch.eye(7, dtype=torch.uint8).numpy()).T.copy()).float()
    sure = (1 - 2 * words)[None] * 5
    assert syndrome_loss(sure, GROUPS) == 0
    assert syndrome_loss(torch.zeros(1, 15, 3), GROUPS) == 1
    assert cross_entropy(sure, torch.zeros(15, 7)) > 1


def test_syndrome_gradient_reaches_the_least_reliable_bit_alone():
    x = (torch.arange(15.0) / 100 + 0.1)[None, :, None].requires_grad_()
    syndrome_loss(x, GROUPS).backward()
    least = {int(CODE.variables[CODE.checks == row].min()) for row in range(CODE.m)}
    assert set(x.grad.flatten().nonzero().flatten().tolist()) == least


@pytest.mark.parametrize("loss", ["syndrome", "frame-error"])
def test_mix(loss):
    posteriors, words = torch.randn(3, 15, 4), torch.randint(0, 2, (15, 4)).float()
    found = [
        float(loss_of(MinSumConfig(loss=loss, mix=mix), posteriors, words, GROUPS))
        for mix in (0.0, 0.5, 1.0)
    ]
    assert found[1] == pytest.approx((found[0] + found[2]) / 2)
    assert found[2] == pytest.approx(float(cross_entropy(posteriors, words)))
