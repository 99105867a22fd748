"""Low-bit weights of dense masters, with gradients straight through."""

import math
from typing import Any

import torch
from torch import Tensor

from gatesmith.models.lstm.layer import WEIGHT_MOST

__all__ = ["MOST", "draw_codes", "glorot", "quantise", "round_through"]

MOST = WEIGHT_MOST  # greatest code of a kind
TERNARY = 0.7  # of a row's mean magnitude: masters below it are 0 (ternary weight networks)


class _Codes(torch.autograd.Function):
    """Integer codes of masters; the gradient goes to the masters as it is."""

    @staticmethod
    def forward(ctx: Any, master: Tensor, kind: str) -> Tensor:
        if kind == "binary":
            return (master >= 0).to(master.dtype).mul_(2).sub_(1)
        if kind == "ternary":
            threshold = TERNARY * master.abs().mean(dim=1, keepdim=True)
            return (master.abs() > threshold) * master.sign()
        most = MOST[kind]
        scale = most / master.abs().amax(dim=1, keepdim=True).clamp_(min=1e-12)
        return (master * scale).round_().clamp_(-most, most)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


class _Replace(torch.autograd.Function):
    """Another tensor of the same shape; the gradient goes to the first as it is."""

    @staticmethod
    def forward(ctx: Any, master: Tensor, codes: Tensor) -> Tensor:
        return codes

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


def quantise(master: Tensor, kind: str) -> Tensor:
    """Integer codes, in floats, of masters ``[rows, inputs]``; each row has a scale of its own.

    ``binary`` +1 for a master >= 0, else -1; ``ternary`` 0 where the magnitude is at most 0.7 of
    the row's mean magnitude, else the sign; ``int8`` and ``int12`` the row's greatest magnitude
    becomes 127 and 2047. Codes quantised again are the same codes.
    """
    return _Codes.apply(master, kind)  # type: ignore[no-any-return]


def glorot(fan_in: int, rows: int) -> float:
    """Half the bound of Glorot's uniform start: the fixed scale of the stochastic quantiser."""
    return 0.5 * math.sqrt(6 / (fan_in + rows))


def draw_codes(master: Tensor, kind: str, generator: torch.Generator) -> Tensor:
    """One sample of the stochastic quantiser, ``binary`` or ``ternary``, straight through.

    With w = master / alpha: P(+1) = clip((w + 1)/2, 0, 1), else -1; or, ternary, P(sign(w)) =
    clip(abs(w), 0, 1), else 0.
    """
    scaled = master.detach() / glorot(master.shape[1], master.shape[0])
    dice = torch.rand(scaled.shape, generator=generator).to(master.device)
    if kind == "binary":
        codes = (dice < (scaled + 1) / 2).to(master.dtype).mul_(2).sub_(1)
    else:
        codes = (dice < scaled.abs()) * scaled.sign()
    return _Replace.apply(master, codes)  # type: ignore[no-any-return]


def round_through(x: Tensor) -> Tensor:
    """floor(x + 1/2); the gradient passes as it is."""
    return _Replace.apply(x, torch.floor(x.detach() + 0.5))  # type: ignore[no-any-return]
