"""A trained ``torch.nn.LSTM`` with its ``nn.Linear``, quantised without training."""

import dataclasses
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from gatesmith.models.errors import UserError
from gatesmith.models.lstm_net.config import OWN_DATA, LSTMConfig
from gatesmith.models.lstm_net.net import ONE, LowBitLSTM
from gatesmith.models.lstm_net.quantise import quantise

__all__ = ["from_torch"]

# What the trained modules and the other arguments say.
DERIVED = {
    "data", "inputs", "classes", "one_hot", "every_step", "hidden", "weights", "input_scale",
    "norm", "quantiser",
}  # fmt: skip
GATES = "ifgo"  # the order of rows in torch and here
MOST_CELL = 8.0  # Q3.12


def from_torch(
    lstm: nn.LSTM,
    linear: nn.Linear,
    *,
    calibration: Tensor,
    weights: str = "int8",
    gates: str = GATES,
    every_step: bool = False,
    **settings: Any,
) -> LowBitLSTM:
    """The low-bit net nearest to a trained LSTM and the classifier behind it.

    Parameters
    ----------
    lstm, linear             Trained modules; the linear one takes the states of the last layer.
    calibration : Tensor     Inputs of the LSTM, in its own layout (``batch_first`` or not): their
                             greatest magnitude sets the input scale. Integers ``[n, T]`` (or
                             ``[T, n]``) are symbols of a net that is fed one-hot vectors.
    weights : str            ``int8`` or ``int12``; ``binary`` and ``ternary`` only make sense as
                             the start of a training with :func:`fit`.
    gates : str              Order of the gates in the rows of the weights, if not PyTorch's.
    every_step : bool        The classifier answers after every step; else after the last one.
    settings                 Any other of :class:`LSTMConfig`: steps, scales, state_threshold,
                             epochs ...

    Feed the net ``net.codes_of(x)``, integers. UserError for an LSTM that cannot be lowered
    (projections, bidirectional) and for gates that are no order. Warns of cells that leave the
    range of the chip's, -8 to 8.
    """
    _check(lstm, linear, gates)
    free = {field.name for field in dataclasses.fields(LSTMConfig)} - DERIVED
    unknown = sorted(set(settings) - free)
    if unknown:
        raise UserError(f"Setting must be one of {', '.join(sorted(free))}, not {unknown[0]!r}")
    if not isinstance(calibration, Tensor) or not calibration.numel():
        found = type(calibration).__name__ if not isinstance(calibration, Tensor) else "empty"
        raise UserError(f"Calibration must be a torch.Tensor of some inputs, not {found}")
    symbols = not calibration.is_floating_point()
    if calibration.dim() != (2 if symbols else 3):
        wanted = "[n, T] of symbols or [n, T, inputs] of floats"
        raise UserError(f"Calibration must be a tensor {wanted}, not {list(calibration.shape)}")
    if lstm.batch_first:
        calibration = calibration.transpose(0, 1)
    _check_inputs(lstm, calibration, symbols)
    scale = 1.0 if symbols else float(calibration.abs().max()) * ONE / (ONE - 1)
    _check_cells(lstm, calibration, symbols)
    if settings.get("scales") != "power":
        settings = {"scale_bits": 16, **settings}
    config = LSTMConfig(
        data=OWN_DATA,
        inputs=lstm.input_size,
        classes=linear.out_features,
        one_hot=symbols,
        every_step=every_step,
        hidden=(lstm.hidden_size,) * lstm.num_layers,
        weights=weights,
        input_scale=scale,
        **{"steps": len(calibration), **settings},
    )
    net = LowBitLSTM(config)
    with torch.no_grad():
        for index, layer in enumerate(net.stack):
            unit = scale if index == 0 else 1.0
            for branch, row_unit in (("x", unit), ("h", 1.0)):
                rows = _rows(
                    getattr(lstm, f"weight_{'ih' if branch == 'x' else 'hh'}_l{index}"), gates
                )
                master = rows / rows.abs().amax(dim=1, keepdim=True).clamp(min=1e-12)
                codes = quantise(master, layer.kind)
                # The factor of the codes that comes nearest to the row, least squares.
                norm = codes.square().sum(1).clamp(min=1)
                factor = (rows * codes).sum(1) / norm
                getattr(layer, f"weight_{branch}").copy_(master)
                getattr(layer, f"gain_{branch}").copy_(row_unit * factor * norm.sqrt())
            bias = torch.zeros(4 * lstm.hidden_size)
            if lstm.bias:
                bias = getattr(lstm, f"bias_ih_l{index}") + getattr(lstm, f"bias_hh_l{index}")
            layer.bias.copy_(_rows(bias[:, None], gates)[:, 0])
        net.head.weight.copy_(linear.weight)
        net.head.bias.copy_(linear.bias if linear.bias is not None else torch.zeros(()))
        net.head.adapt()
    return net.eval()  # type: ignore[no-any-return]


def _rows(weight: Tensor, gates: str) -> Tensor:
    """Rows in the order i, f, g, o, float32."""
    parts = weight.detach().cpu().float().chunk(4)
    return torch.cat([parts[gates.index(gate)] for gate in GATES])


def _check(lstm: nn.LSTM, linear: nn.Linear, gates: str) -> None:
    if not isinstance(lstm, nn.LSTM):
        raise UserError(f"Layer must be a torch.nn.LSTM, not {type(lstm).__name__}")
    if not isinstance(linear, nn.Linear):
        raise UserError(f"Classifier must be a torch.nn.Linear, not {type(linear).__name__}")
    if lstm.proj_size:
        raise UserError(f"LSTM must be without projections, not proj_size={lstm.proj_size}")
    if lstm.bidirectional:
        raise UserError("LSTM must read in one direction, not bidirectional=True")
    if linear.in_features != lstm.hidden_size:
        raise UserError(
            f"Classifier must have {lstm.hidden_size} inputs, the cells of the LSTM, "
            f"not {linear.in_features}"
        )
    parameters = (*lstm.parameters(), *linear.parameters())
    if not all(bool(value.isfinite().all()) for value in parameters):
        raise UserError("Parameters must be finite, but hold NaN or infinity")
    if not isinstance(gates, str) or sorted(gates) != sorted(GATES):
        raise UserError(f"Gates must be an order of the letters {GATES}, not {gates!r}")


def _check_inputs(lstm: nn.LSTM, calibration: Tensor, symbols: bool) -> None:
    if symbols:
        low, high = int(calibration.min()), int(calibration.max())
        if low < 0 or high >= lstm.input_size:
            raise UserError(
                f"Calibration must hold symbols 0 to {lstm.input_size - 1}, not {low} to {high}"
            )
    elif calibration.shape[2] != lstm.input_size:
        raise UserError(
            f"Calibration must have {lstm.input_size} inputs, not {calibration.shape[2]}"
        )
    elif not bool(calibration.isfinite().all()) or not bool(calibration.any()):
        raise UserError("Calibration must be finite and not all 0")


@torch.no_grad()
def _check_cells(lstm: nn.LSTM, calibration: Tensor, symbols: bool) -> None:
    """Warn when a cell of the float net leaves the range that the chip's cell has.

    ``calibration`` is ``[T, n]`` or ``[T, n, inputs]``.
    """
    x = nn.functional.one_hot(calibration, lstm.input_size) if symbols else calibration
    x = x.to(next(lstm.parameters()))
    training = lstm.training
    lstm.eval()
    state, most = None, 0.0
    for step in x:
        _, state = lstm(step[:, None] if lstm.batch_first else step[None], state)
        most = max(most, float(state[1].abs().max()))
    lstm.train(training)
    if most >= MOST_CELL:
        warnings.warn(
            f"Cells reach {most:.1f} on the calibration data; those of the chip saturate at "
            f"{MOST_CELL:g}",
            stacklevel=3,
        )
