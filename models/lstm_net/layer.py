"""One LSTM layer with low-bit weights, and how it becomes integers."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gatesmith.models.errors import UserError
from gatesmith.models.lstm_net.cell import Sums, exact, recur
from gatesmith.models.lstm_net.config import LSTMConfig, threshold_code
from gatesmith.models.lstm_net.quantise import draw_codes, quantise, round_through

__all__ = ["EXACT_FLOAT32", "ONE", "Folded", "LowBitLayer"]

STEP = 64  # of the pre-activation: Q3.6
ONE = 128  # of a state or a dense input: Q0.7
EPSILON = 1e-5
MOST_SHIFT, MOST_POWER, MOST_BIAS = 40, 15, 2047
CELL_BITS = 16
POWERS = 0  # instead of the width of multipliers: row scales are powers of two
MOMENTUM = 0.05
EXACT_FLOAT32 = 1 << 24  # sums of integers below it are exact in float32, in any order


def _most(bits: int) -> int:
    return (1 << bits - 1) - 1


def _scale_shift(scales: list[Tensor], bits: int) -> int:
    """The shift that lets the greatest of these scales just fit its width."""
    most = max(float(s.detach().abs().max()) for s in scales)
    if most <= 0:
        return 0
    wanted = (
        MOST_POWER - round(math.log2(most)) if bits == POWERS else math.log2(_most(bits) / most)
    )
    return min(max(math.floor(wanted), 0), MOST_SHIFT)


def _scale_codes(scale: Tensor, shift: int, bits: int) -> Tensor:
    """Multipliers of so many bits, or powers of two, for scales; in floats, straight through."""
    wanted = scale * 2.0**shift
    if bits != POWERS:
        return round_through(wanted).clamp(-_most(bits), _most(bits))
    exponent = torch.floor(wanted.detach().clamp(min=1e-9).log2() + 0.5).clamp(0, MOST_POWER)
    return wanted + (torch.exp2(exponent) - wanted).detach()


@dataclass(frozen=True, kw_only=True, eq=False)
class Folded:
    """A layer in integers, held in float64: what its Spec holds."""

    codes_x: Tensor  # [4H, inputs]
    codes_h: Tensor  # [4H, H]
    scale_x: Tensor  # [4H]; the multiplier, also with powers of two
    scale_h: Tensor  # [4H]
    shift: int
    bias: Tensor  # [4H]
    cell_scale: Tensor  # [H], or [0] without normalisation of the cell
    cell_bias: Tensor  # [H], or [0]
    cell_shift: int


class LowBitLayer(nn.Module):
    """One LSTM layer with low-bit weights; gates in the order i, f, g, o.

    ``pre = m_x * (Wx x) + m_h * (Wh h) + bias`` with integer codes Wx, Wh and one scale a row;
    x and h are Q0.7, a symbol's input is 1.
    ``weight`` norm: m = gain / norm of the row's codes. ``shared-bn``: m = gain / deviation of the
    row's product, its mean folded into the bias, and the same for the cell before its tanh; the
    statistics are running ones, shared over time.

    Parameters
    ----------
    inputs, hidden : int   Sizes.
    kind : str             Of the weights.
    symbols : bool         Inputs are symbols: x is the index of the one-hot input.
    config : LSTMConfig    Norm, quantiser, threshold, scales.
    seed : tuple of int    Of the masters.
    """

    mean_x: Tensor  # with shared-bn, running statistics: of both products and the cell
    mean_h: Tensor
    mean_c: Tensor
    variance_x: Tensor
    variance_h: Tensor
    variance_c: Tensor

    def __init__(
        self,
        inputs: int,
        hidden: int,
        kind: str,
        *,
        symbols: bool,
        config: LSTMConfig,
        seed: tuple[int, ...] = (0,),
    ) -> None:
        super().__init__()
        self.inputs, self.hidden, self.kind, self.symbols = inputs, hidden, kind, symbols
        self.normalised = config.norm == "shared-bn"
        self.scale_bits = POWERS if config.scales == "power" else config.scale_bits
        self.stochastic = config.quantiser == "stochastic"
        self.frozen = False  # the masters are a sample of the stochastic quantiser
        self.threshold = threshold_code(config.state_threshold)
        self.momentum = MOMENTUM
        self.generator = torch.Generator()
        rows = 4 * hidden
        random = np.random.default_rng(seed)

        def masters(columns: int) -> nn.Parameter:
            bound = math.sqrt(6 / (columns + rows))
            drawn = random.uniform(-bound, bound, (rows, columns)).astype(np.float32)
            return nn.Parameter(torch.from_numpy(drawn))

        self.weight_x, self.weight_h = masters(inputs), masters(hidden)
        first = torch.ones(rows)
        if self.normalised:
            self.gain_x, self.gain_h = nn.Parameter(first * 0.1), nn.Parameter(first * 0.1)
            self.gain_c = nn.Parameter(torch.full((hidden,), 0.1))
            self.bias_c = nn.Parameter(torch.zeros(hidden))
            for name, size in (("x", rows), ("h", rows), ("c", hidden)):
                self.register_buffer(f"mean_{name}", torch.zeros(size))
                self.register_buffer(f"variance_{name}", torch.zeros(size))
        else:
            start = math.sqrt(inputs) / 4 if symbols else 1.0
            self.gain_x, self.gain_h = nn.Parameter(first * start), nn.Parameter(first * 1.0)
        bias = torch.zeros(4, hidden)
        bias[1] = 1.0  # the forget gate opens
        self.bias = nn.Parameter(bias.view(-1))

    def codes(self) -> tuple[Tensor, Tensor]:
        """Integer weights of x and h in floats, with gradients to the masters."""
        if self.frozen:
            return self.weight_x, self.weight_h
        if self.stochastic:
            return (
                draw_codes(self.weight_x, self.kind, self.generator),
                draw_codes(self.weight_h, self.kind, self.generator),
            )
        return quantise(self.weight_x, self.kind), quantise(self.weight_h, self.kind)

    @property
    def powers(self) -> bool:
        """Whether row scales are powers of two."""
        return self.scale_bits == POWERS

    @torch.no_grad()
    def freeze(self) -> None:
        """Replace the masters of the stochastic quantiser by one sample of it."""
        if self.stochastic and not self.frozen:
            for master, codes in zip((self.weight_x, self.weight_h), self.codes(), strict=True):
                master.copy_(codes)
            self.frozen = True

    @torch.no_grad()
    def clip_(self) -> None:
        """Bring the masters back into [-1, 1], and gains of power-of-two scales above 0."""
        self.weight_x.clamp_(-1, 1)
        self.weight_h.clamp_(-1, 1)
        if self.powers:
            self.gain_x.clamp_(min=1e-3)
            self.gain_h.clamp_(min=1e-3)

    def _scales(self, codes_x: Tensor, codes_h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Steps of pre for one step of either product, and the bias, all as real numbers.

        Statistics are copied: they move before the gradient is taken.
        """
        like = codes_h.dtype
        gain_x, gain_h = self.gain_x.to(like), self.gain_h.to(like)
        bias = STEP * self.bias.to(like)
        if not self.normalised:
            norm_x = codes_x.square().sum(1).clamp(min=1).sqrt()
            norm_h = codes_h.square().sum(1).clamp(min=1).sqrt()
            return STEP / ONE * gain_x / norm_x, STEP / ONE * gain_h / norm_h, bias
        scale_x = STEP * gain_x / (self.variance_x.to(like).clone() + EPSILON).sqrt()
        scale_h = STEP * gain_h / (self.variance_h.to(like).clone() + EPSILON).sqrt()
        bias = (
            bias - scale_x * self.mean_x.to(like).clone() - scale_h * self.mean_h.to(like).clone()
        )
        return scale_x, scale_h, bias

    def _cell_scales(self, like: torch.dtype) -> tuple[Tensor, Tensor]:
        """Entry of tanh from the cell: scale and bias, as real numbers."""
        scale = STEP * self.gain_c.to(like) / (self.variance_c.to(like).clone() + EPSILON).sqrt()
        return scale, STEP * self.bias_c.to(like) - scale * self.mean_c.to(like).clone()

    def fold(self, codes: tuple[Tensor, Tensor] | None = None) -> Folded:
        """The layer in integers; float64 when ``codes`` are, with gradients if they have them."""
        if codes is None:
            found = self.codes()
            codes = found[0].detach().double(), found[1].detach().double()
        scale_x, scale_h, bias = self._scales(*codes)
        shift = _scale_shift([scale_x, scale_h], self.scale_bits)
        cell_scale, cell_bias, cell_shift = scale_x.new_zeros(0), scale_x.new_zeros(0), 0
        if self.normalised:
            real, real_bias = self._cell_scales(codes[1].dtype)
            cell_shift = _scale_shift([real], CELL_BITS)
            cell_scale = _scale_codes(real, cell_shift, CELL_BITS)
            cell_bias = round_through(real_bias).clamp(-MOST_BIAS, MOST_BIAS)
        return Folded(
            codes_x=codes[0],
            codes_h=codes[1],
            scale_x=_scale_codes(scale_x, shift, self.scale_bits),
            scale_h=_scale_codes(scale_h, shift, self.scale_bits),
            shift=shift,
            bias=round_through(bias).clamp(-MOST_BIAS, MOST_BIAS),
            cell_scale=cell_scale,
            cell_bias=cell_bias,
            cell_shift=cell_shift,
        )

    def _cell_entry(self, folded: Folded) -> tuple[Tensor, Tensor]:
        if self.normalised:
            return folded.cell_scale * 2.0**-folded.cell_shift, folded.cell_bias
        like = folded.scale_h.detach()
        return like.new_full((self.hidden,), 1 / STEP), like.new_zeros(self.hidden)

    def _x_part(self, folded: Folded, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Part of pre that x and the bias make ``[T, B, 4H]``; the products of a dense x."""
        scale = folded.scale_x * 2.0**-folded.shift
        if self.symbols:
            # A symbol counts as 1.0, that is 128.
            columns = folded.codes_x * (ONE * scale)[:, None] + folded.bias[:, None]
            return nn.functional.embedding(x, columns.t().contiguous()), None
        products = nn.functional.linear(x.to(folded.codes_x.dtype), folded.codes_x)
        return torch.addcmul(folded.bias, products, scale), products

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """States ``[T, B, H]`` and the last cell of a training window, integers in float32.

        ``x`` is int64 ``[T, B]`` of symbols or float32 ``[T, B, inputs]`` of integers.
        """
        if self.training and self.frozen:
            raise UserError("Net must not be frozen to be trained: its masters are a sample")
        folded = self.fold(self.codes())
        part, products = self._x_part(folded, x)
        sums = Sums() if self.normalised else None
        found = recur(
            part,
            folded.codes_h,
            folded.scale_h * 2.0**-folded.shift,
            *state,
            *self._cell_entry(folded),
            threshold=self.threshold,
            normalised=self.normalised,
            sums=sums,
        )
        if sums is not None:
            self._learn(folded, x, products, sums)
        return found

    @torch.no_grad()
    def _learn(self, folded: Folded, x: Tensor, products: Tensor | None, sums: Sums) -> None:
        """Move the running statistics towards those of a window."""
        if products is None:
            products = ONE * nn.functional.embedding(x, folded.codes_x.t().contiguous())
        flat = products.reshape(-1, products.shape[-1]).double()
        assert sums.product is not None and sums.cell is not None
        figures = {
            "x": (flat.mean(0), flat.square().mean(0)),
            "h": tuple(sums.product / sums.count),
            "c": tuple(sums.cell / sums.count),
        }
        for name, (mean, square) in figures.items():
            kept_mean, kept_variance = (
                getattr(self, f"mean_{name}"),
                getattr(self, f"variance_{name}"),
            )
            weight = self.momentum if kept_variance.any() else 1.0
            kept_mean.lerp_(mean.float(), weight)
            kept_variance.lerp_((square - mean.square()).clamp(min=1e-3).float(), weight)

    @torch.no_grad()
    def exact(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """States and cells of every step, integers in float32 ``[T, B, H]``: as the chip."""
        folded = self.fold()
        part, _ = self._x_part(folded, x)
        bound = ONE * float(folded.codes_h.abs().sum(1).max())
        return exact(
            part,
            folded.codes_h.float() if bound < EXACT_FLOAT32 else folded.codes_h,
            folded.scale_h * 2.0**-folded.shift,
            *state,
            *self._cell_entry(folded),
            threshold=self.threshold,
        )
