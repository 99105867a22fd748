"""A user's own LSTM: agreement with float, layouts, and what cannot be lowered."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from gatesmith.models.errors import UserError
from gatesmith.models.lstm_net import fit, from_torch, lower
from gatesmith.models.sequences import Part


def trained(**options) -> tuple[nn.LSTM, nn.Linear]:
    """Modules with weights as large as training makes them."""
    torch.manual_seed(0)
    lstm = nn.LSTM(6, 32, **options)
    with torch.no_grad():
        for value in lstm.parameters():
            value.mul_(3)
    return lstm, nn.Linear(32, 4)


def error(lstm, linear, x, net) -> float:
    """Root mean square error of the logits over that of the float logits."""
    states = lstm(x)[0].detach()
    codes = net.codes_of(x)
    if lstm.batch_first:
        states, codes = states.transpose(0, 1), codes.transpose(0, 1)
    wanted = linear(states if net.every_step else states[-1]).detach()
    found = net(codes).double() * 2.0 ** -int(net.head.fraction)
    return float((found - wanted).square().mean().sqrt() / wanted.square().mean().sqrt())


@pytest.mark.parametrize("weights", ["int8", "int12"])
@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize(
    "options", [{}, {"num_layers": 2, "batch_first": True}, {"bias": False}, {"dropout": 0.0}]
)
def test_agrees_with_float(options, weights, every_step):
    """8-bit states and weights: logits within 4 % of float, root mean square."""
    lstm, linear = trained(**options)
    x = 2 * torch.randn(20, 100, 6)
    x = x.transpose(0, 1) if lstm.batch_first else x
    net = from_torch(lstm, linear, calibration=x, weights=weights, every_step=every_step)
    assert error(lstm, linear, x, net) < 0.04
    spec = lower(net)
    assert spec.steps == 20 and spec.every_step == every_step
    assert [layer.inputs for layer in spec.layers] == [6, 32][: lstm.num_layers]


def test_symbols():
    lstm, linear = trained()
    symbols = torch.randint(0, 6, (20, 50))
    net = from_torch(lstm, linear, calibration=symbols)
    wanted = linear(lstm(nn.functional.one_hot(symbols, 6).float())[0][-1])
    found = net(symbols) * 2.0 ** -int(net.head.fraction)
    assert (found - wanted).abs().max() < 0.05 * wanted.abs().max()
    assert lower(net).one_hot


@pytest.mark.parametrize("gates", ["ifgo", "iofg", "gfio"])
def test_gate_orders(gates):
    lstm, linear = trained()
    other = nn.LSTM(6, 32)
    with torch.no_grad():
        for name, value in lstm.named_parameters():
            parts = value.chunk(4)
            getattr(other, name).copy_(torch.cat([parts["ifgo".index(gate)] for gate in gates]))
    x = torch.randn(20, 50, 6)
    net = from_torch(other, linear, calibration=x, gates=gates)
    assert error(lstm, linear, x, net) < 0.03


def test_start_of_a_ternary_training():
    """Fine-tuned on the float net's own answers, ternary weights come to agree with it."""
    lstm, linear = trained()
    x = torch.randn(8, 600, 6)
    y = linear(lstm(x)[0][-1]).argmax(1)
    net = from_torch(
        lstm, linear, calibration=x, weights="ternary", epochs=12, batch=20, learning_rate=0.01
    )
    codes = net.codes_of(x)
    part = Part(
        x=codes.transpose(0, 1).numpy().astype(np.int8),
        y=y.numpy(),
        lengths=np.full(600, 8, dtype=np.int64),
    )
    before = float((net(codes).argmax(1) == y).float().mean())
    after = float((fit(net, part)(codes).argmax(1) == y).float().mean())
    assert after > max(before, 0.9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"proj_size": 5}, "LSTM must be without projections, not proj_size=5"),
        ({"bidirectional": True}, "LSTM must read in one direction, not bidirectional=True"),
    ],
)
def test_rejects_options(options, message):
    lstm = nn.LSTM(6, 32, **options)
    with pytest.raises(UserError, match="^" + re.escape(message)):
        from_torch(lstm, nn.Linear(32, 4), calibration=torch.ones(3, 2, 6))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lstm": nn.GRU(6, 32)}, "Layer must be a torch.nn.LSTM, not GRU"),
        ({"linear": nn.ReLU()}, "Classifier must be a torch.nn.Linear, not ReLU"),
        ({"linear": nn.Linear(31, 4)}, "Classifier must have 32 inputs, the cells of the LSTM, no"),
        ({"gates": "ifog?"}, "Gates must be an order of the letters ifgo, not 'ifog?'"),
        ({"calibration": torch.ones(3, 6)}, "Calibration must be a tensor [n, T] of symbols or"),
        ({"calibration": torch.ones(3, 2, 5)}, "Calibration must have 6 inputs, not 5"),
        ({"calibration": torch.zeros(3, 2, 6)}, "Calibration must be finite and not all 0"),
        (
            {"calibration": torch.full((3, 2), 6)},
            "Calibration must hold symbols 0 to 5, not 6 to 6",
        ),
        ({"calibration": torch.zeros(0, 2, 6)}, "Calibration must be a torch.Tensor of some inp"),
        ({"calibration": np.ones((3, 2, 6))}, "Calibration must be a torch.Tensor of some inputs"),
        ({"norm": "shared-bn"}, "Setting must be one of batch, "),
        ({"hidden": (5,)}, "Setting must be one of batch, "),
        ({"speed": 1}, "Setting must be one of batch, "),
        ({"weights": "float"}, "Weights must be one of"),
    ],
)
def test_rejects(arguments, message):
    lstm, linear = trained()
    given = {"lstm": lstm, "linear": linear, "calibration": torch.ones(3, 2, 6), **arguments}
    with pytest.raises(UserError, match="^" + re.escape(message)):
        from_torch(given.pop("lstm"), given.pop("linear"), **given)


def test_rejects_parameters_that_are_not_finite():
    lstm, linear = trained()
    with torch.no_grad():
        linear.weight[0, 0] = float("nan")
    with pytest.raises(UserError, match="^Parameters must be finite, but hold NaN or infinity$"):
        from_torch(lstm, linear, calibration=torch.ones(3, 2, 6))


def test_warns_of_cells_beyond_the_range():
    lstm, linear = trained()
    with torch.no_grad():
        lstm.bias_ih_l0.fill_(9)  # every gate open: the cell counts its steps
    with pytest.warns(UserWarning, match=r"^Cells reach 12.0 on the calibration data; those of"):
        from_torch(lstm, linear, calibration=torch.full((12, 2, 6), 1e-6))
