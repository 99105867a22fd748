"""The recurrence: tables, gradients against autograd, training against exact evaluation."""

import numpy as np
import pytest
import torch

from gatesmith.models.lstm.tables import SIGMOID, TANH
from gatesmith.models.lstm_net import cell
from gatesmith.models.lstm_net.cell import exact, recur

STEPS, BATCH, HIDDEN = 12, 5, 16


@pytest.fixture
def operands():
    torch.manual_seed(0)
    return (
        60 * torch.randn(STEPS, BATCH, 4 * HIDDEN),
        torch.randint(-1, 2, (4 * HIDDEN, HIDDEN)).float(),
        0.3 * torch.rand(4 * HIDDEN),
    )


def zeros(like=torch.float32):
    return (
        torch.zeros(BATCH, HIDDEN),
        torch.zeros(BATCH, HIDDEN),
        torch.full((HIDDEN,), 1 / 64, dtype=like),
        torch.zeros(HIDDEN, dtype=like),
    )


def test_tables_are_those_of_the_golden_model():
    gates, _, tanh, _ = cell._tables(torch.device("cpu"))
    assert np.array_equal(256 * gates[:1024].numpy(), SIGMOID)
    assert np.array_equal(gates[1024:].numpy() / 32, TANH)
    assert np.array_equal(tanh.numpy(), TANH)


def float_states(inputs, weight, scale, cell_scale=None, cell_bias=None):
    """The float LSTM that the integers stand for: states in Q0.7."""
    h = c = torch.zeros(BATCH, HIDDEN, dtype=inputs.dtype)
    found = []
    for step in inputs:
        i, f, g, o = ((step + (h @ weight.t()) * scale) / 64).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        q = c if cell_scale is None else (4096 * c * cell_scale + cell_bias) / 64
        h = 128 * o.sigmoid() * q.tanh()
        found.append(h)
    return torch.stack(found)


@pytest.mark.parametrize("normalised", [False, True])
def test_gradients_are_those_of_the_float_recurrence(operands, normalised):
    """Straight through the roundings: within a few per cent of autograd on what is rounded."""
    extra = [0.01 + 0.01 * torch.rand(HIDDEN), 4 * torch.randn(HIDDEN)] if normalised else []
    exactly = [t.double().requires_grad_() for t in (*operands, *extra)]
    rounded = [t.clone().requires_grad_() for t in (*operands, *extra)]
    wanted = torch.randn(STEPS, BATCH, HIDDEN)
    (float_states(*exactly) * wanted).sum().backward()
    h, c, cell_scale, cell_bias = zeros()
    if normalised:
        cell_scale, cell_bias = rounded[3:]
    states, _ = recur(*rounded[:3], h, c, cell_scale, cell_bias, normalised=normalised)
    (states * wanted).sum().backward()
    for a, b in zip(exactly, rounded, strict=True):
        angle = torch.nn.functional.cosine_similarity(a.grad.ravel(), b.grad.double().ravel(), 0)
        assert angle > 0.995
        assert 0.95 < b.grad.norm() / a.grad.norm() < 1.05


def test_pruning_is_straight_through(operands):
    """A threshold changes states, not how a state's gradient reaches its gates."""
    inputs = operands[0][:1].clone().requires_grad_()
    zero = zeros()
    found = []
    for threshold in (0, 127):
        states, _ = recur(inputs, *operands[1:], *zero, threshold=threshold)
        assert bool(states.any()) == (threshold == 0)
        (gradient,) = torch.autograd.grad(states.sum(), inputs)
        found.append(gradient)
    assert torch.equal(*found)


@pytest.mark.parametrize("threshold", [0, 1, 40])
def test_training_computes_what_evaluation_does(operands, threshold):
    """With scales that float32 holds exactly, every state is the same."""
    inputs, weight, scale = (t.mul(16).round().div(16) for t in operands)
    trained, last = recur(inputs, weight, scale, *zeros(), threshold=threshold)
    states, cells = exact(
        inputs.double(), weight, scale.double(), *zeros(torch.float64), threshold=threshold
    )
    assert torch.equal(trained, states) and torch.equal(last, cells[-1])
    assert not ((states != 0) & (states.abs() < threshold)).any()


def test_eight_bit_products_are_exact(monkeypatch, operands):
    inputs, weight, scale = operands
    weight = torch.randint(-127, 128, weight.shape).float()
    arguments = (inputs.double(), weight, scale.double(), *zeros(torch.float64))
    found = exact(*arguments)[0]
    monkeypatch.setattr(cell, "_has_int8", lambda: False)
    assert torch.equal(exact(*arguments)[0], found)


def test_cell_saturates():
    """Gates open for ever: the cell climbs to the end of its 16 bits and stays."""
    inputs = torch.full((40, 1, 4), 511.0, dtype=torch.float64)
    one = torch.ones(1, dtype=torch.float64)
    arguments = (torch.zeros(4, 1), 0 * one.expand(4), torch.zeros(1, 1), torch.zeros(1, 1))
    _, cells = exact(inputs, *arguments, one / 64, 0 * one)
    assert cells.max() == 32767 and cells[-1] == 32767
    inputs[:, :, 2] = -511
    _, cells = exact(inputs, *arguments, one / 64, 0 * one)
    assert cells.min() == -32768 and cells[-1] == -32768
