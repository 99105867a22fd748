"""Low-bit weights: known answers, idempotence, and the odds of the stochastic quantiser."""

import math

import numpy as np
import pytest
import torch

from gatesmith.models.lstm_net.quantise import MOST, draw_codes, glorot, quantise, round_through

ROW = [-1.0, -0.4, -0.2, 0.0, 0.2, 1.0]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("binary", [-1, -1, -1, 1, 1, 1]),
        ("ternary", [-1, -1, 0, 0, 0, 1]),  # mean magnitude 0.467, threshold 0.327
        ("int8", [-127, -51, -25, 0, 25, 127]),
        ("int12", [-2047, -819, -409, 0, 409, 2047]),
    ],
)
def test_known_answers(kind, expected):
    rows = torch.tensor([ROW, [0.1 * value for value in ROW]])  # a row's scale does not matter
    assert quantise(rows, kind).tolist() == [expected, expected]


@pytest.mark.parametrize("kind", list(MOST))
def test_codes_quantised_again_are_the_same(kind):
    masters = torch.from_numpy(np.random.default_rng(3).normal(size=(50, 33)).astype(np.float32))
    masters[0] = 0
    codes = quantise(masters, kind)
    assert codes.abs().max() == MOST[kind]
    assert torch.equal(quantise(codes / MOST[kind], kind), codes)


@pytest.mark.parametrize("kind", list(MOST))
def test_gradient_is_straight_through(kind):
    masters = torch.randn(4, 9, requires_grad=True)
    wanted = torch.randn(4, 9)
    quantise(masters, kind).backward(wanted)
    assert torch.equal(masters.grad, wanted)


def test_rounds_half_up():
    assert round_through(torch.tensor([-1.5, -0.5, 0.5, 1.4])).tolist() == [-1, 0, 1, 1]


@pytest.mark.parametrize(("kind", "share"), [("binary", 0.75), ("ternary", 0.5)])
def test_stochastic_odds(kind, share):
    """Masters of half the scale: +1 with (0.5 + 1)/2, or not 0 with 0.5."""
    rows, columns = 400, 100
    alpha = glorot(columns, rows)
    assert math.isclose(alpha, math.sqrt(6 / (rows + columns)) / 2)
    masters = torch.full((rows, columns), alpha / 2, requires_grad=True)
    codes = draw_codes(masters, kind, torch.Generator().manual_seed(1))
    assert abs(float((codes == 1).float().mean()) - share) < 0.01
    assert set(codes.unique().tolist()) == ({-1.0, 1.0} if kind == "binary" else {0.0, 1.0})
    codes.sum().backward()
    assert torch.equal(masters.grad, torch.ones_like(masters))
    again = draw_codes(masters, kind, torch.Generator().manual_seed(1))
    assert torch.equal(codes, again)


@pytest.mark.parametrize("kind", ["binary", "ternary"])
def test_stochastic_masters_beyond_the_scale_are_certain(kind):
    masters = 3 * glorot(8, 6) * torch.tensor([[1.0, -1.0] * 4] * 6)
    codes = draw_codes(masters, kind, torch.Generator().manual_seed(2))
    assert torch.equal(codes, masters.sign())
