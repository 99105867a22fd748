"""The network in PyTorch: what the chip computes, with gradients straight through."""

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from gatesmith.models.errors import UserError
from gatesmith.models.lstm_net.config import LSTMConfig
from gatesmith.models.lstm_net.layer import EXACT_FLOAT32, ONE, LowBitLayer
from gatesmith.models.lstm_net.quantise import MOST, quantise, round_through

__all__ = ["LowBitHead", "LowBitLSTM", "State", "Trace"]

MOST_FRACTION = 20

State = list[tuple[Tensor, Tensor]]  # state and cell of each layer, [B, H]


class LowBitHead(nn.Module):
    """The classifier: ``score = codes @ h + bias`` in integers, logits = score / 2**fraction."""

    fraction: Tensor

    def __init__(self, inputs: int, classes: int, kind: str, seed: tuple[int, ...] = (0,)) -> None:
        super().__init__()
        self.inputs, self.classes, self.kind = inputs, classes, kind
        bound = 1 / math.sqrt(inputs)
        drawn = np.random.default_rng(seed).uniform(-bound, bound, (classes, inputs))
        self.weight = nn.Parameter(torch.from_numpy(drawn.astype(np.float32)))
        self.bias = nn.Parameter(torch.zeros(classes))
        self.register_buffer("fraction", torch.zeros(1, dtype=torch.int64))
        self.adapting = True
        self.adapt()

    @torch.no_grad()
    def adapt(self) -> None:
        """Let the fraction follow the masters' magnitude."""
        size = self.weight.abs()
        if self.kind in ("binary", "ternary"):
            if not self.adapting:
                return
            if self.kind == "ternary":
                size = size[quantise(self.weight, "ternary") != 0]
            bits = round(-math.log2(max(float(size.mean()), 1e-6)))
        else:
            most = MOST[self.kind] + 0.49
            bits = math.floor(math.log2(most / max(float(size.max()), 1e-6)))
        self.fraction.fill_(min(max(bits + 7, 0), MOST_FRACTION))

    def codes(self) -> Tensor:
        """Integer weights in floats ``[classes, inputs]``, with gradients to the masters."""
        if self.kind in ("binary", "ternary"):
            return quantise(self.weight, self.kind)
        most = MOST[self.kind]
        scaled = self.weight * 2.0 ** (int(self.fraction) - 7)
        return round_through(scaled).clamp(-most, most)

    def fold(self) -> tuple[Tensor, Tensor]:
        """Integer weights and biases, float64."""
        bias = self.bias.detach().double() * 2.0 ** int(self.fraction)
        return self.codes().detach().double(), torch.floor(bias + 0.5)

    def forward(self, h: Tensor) -> Tensor:
        """Logits of integer states."""
        self.adapt()
        codes = self.codes()
        return nn.functional.linear(h, codes * 2.0 ** -int(self.fraction), self.bias)

    @torch.no_grad()
    def exact(self, h: Tensor) -> Tensor:
        """int64 scores of integer states."""
        codes, bias = self.fold()
        bound = ONE * float(codes.abs().sum(1).max())
        dtype = torch.float32 if bound < EXACT_FLOAT32 else torch.float64
        return nn.functional.linear(h.to(dtype), codes.to(dtype)).long() + bias.long()


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """What a net computed, all integers: scores, and the state of every layer at every step.

    scores int64 [T, B, classes] at every step, or [B, classes] after the last; states and cells,
    one a layer, float32 [T, B, H]. Steps of a sequence after its end mean nothing.
    """

    scores: Tensor
    states: list[Tensor]
    cells: list[Tensor]

    @property
    def final(self) -> State:
        """State and cell of each layer after the last step."""
        return [(h[-1], c[-1]) for h, c in zip(self.states, self.cells, strict=True)]


class LowBitLSTM(nn.Module):
    """Stacked low-bit LSTM layers and a classifier.

    In training mode :meth:`forward` returns logits; in evaluation mode int64 scores, bit for bit
    those of the golden model of its lowered Spec.

    Parameters
    ----------
    config : LSTMConfig        Shape and quantisation.
    vocabulary : tuple of str  The characters of a text, by symbol; else empty.
    """

    def __init__(self, config: LSTMConfig, vocabulary: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.config, self.vocabulary = config, vocabulary
        inputs, *hidden, classes = config.sizes
        self.every_step = config.answers_every_step
        self.history: list[dict[str, float]] = []  # what each epoch of the training reported
        self.layers = nn.ModuleList()
        before = inputs
        for index, (size, kind) in enumerate(zip(hidden, config.kinds, strict=True)):
            self.layers.append(
                LowBitLayer(
                    before,
                    size,
                    kind,
                    symbols=config.symbols and index == 0,
                    config=config,
                    seed=(config.seed, index),
                )
            )
            before = size
        self.head = LowBitHead(before, classes, config.head_kind, (config.seed, len(hidden)))

    @property
    def stack(self) -> list[LowBitLayer]:
        """The layers, in order of data flow."""
        return cast(list[LowBitLayer], list(self.layers))

    def codes_of(self, x: Tensor) -> Tensor:
        """Float inputs as the integers that the net takes: Q0.7 of ``input_scale``, int64."""
        codes = torch.floor(x.double() * (ONE / self.config.input_scale) + 0.5)
        return codes.clamp(1 - ONE, ONE - 1).long()

    def check_frozen(self) -> None:
        """UserError while evaluation would differ from one call to the next, or has no figures."""
        for index, layer in enumerate(self.stack):
            if layer.stochastic and not layer.frozen:
                raise UserError(
                    f"Layer {index} must be frozen to one sample of its stochastic weights: "
                    "train it to the end, or call freeze()"
                )
            if layer.normalised and not layer.variance_h.any():
                raise UserError(
                    f"Layer {index} must have batch normalisation statistics, not zeros: train "
                    "it, or call estimate()"
                )

    def freeze(self) -> None:
        """Freeze stochastic weights to one sample; statistics must be estimated anew then."""
        for layer in self.stack:
            layer.freeze()

    def start(self, batch: int) -> State:
        """Initial states of all layers: zeros."""
        device = self.head.bias.device
        return [(torch.zeros(batch, n, device=device),) * 2 for n in self.config.hidden]

    @torch.no_grad()
    def estimate(self, x: Tensor, state: State | None = None, momentum: float = 1.0) -> State:
        """Move the statistics of ``shared-bn`` towards those of a window, weights unchanged.

        Returns the state after the window.
        """
        state = self.start(x.shape[1]) if state is None else state
        final = []
        for layer, before in zip(self.stack, state, strict=True):
            layer.momentum, kept = momentum, layer.momentum
            x, cell = layer(x, before)
            layer.momentum = kept
            final.append((x[-1], cell))
        return final

    def clip_(self) -> None:
        """Bring all masters back into their range."""
        for layer in self.stack:
            layer.clip_()

    def run(self, x: Tensor, state: State | None = None) -> tuple[list[Tensor], State]:
        """States of each layer ``[T, B, H]`` and the final state, for training."""
        state = self.start(x.shape[1]) if state is None else state
        states, final = [], []
        for layer, before in zip(self.stack, state, strict=True):
            x, cell = layer(x, before)
            states.append(x)
            final.append((x[-1].detach(), cell.detach()))
        return states, final

    def logits(self, states: list[Tensor], lengths: Tensor | None = None) -> Tensor:
        """Logits of the states that :meth:`run` returned."""
        return self.head(  # type: ignore[no-any-return]
            states[-1] if self.every_step else _last(states[-1], lengths)
        )

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits or scores ``[B, classes]`` or, at every step, ``[T, B, classes]``.

        ``x`` is ``[T, B]`` of symbols or ``[T, B, inputs]`` of integers -128 to 127.
        """
        if not self.training:
            return self.trace(x, lengths=lengths).scores
        states, _ = self.run(x if self.config.symbols else x.float())
        return self.logits(states, lengths)

    def _check(self, x: Tensor) -> None:
        """UserError for inputs of another shape or beyond the range of their width."""
        inputs, symbols = self.config.sizes[0], self.config.symbols
        if x.dim() != (2 if symbols else 3) or (not symbols and x.shape[2] != inputs):
            wanted = "[T, B] of symbols" if symbols else f"[T, B, {inputs}]"
            raise UserError(f"Inputs must have shape {wanted}, not {list(x.shape)}")
        if x.is_floating_point() or x.dtype == torch.bool:
            raise UserError(f"Inputs must be integers, not {x.dtype}: see codes_of")
        if x.numel():
            least, most = (0, inputs - 1) if symbols else (-ONE, ONE - 1)
            low, high = int(x.min()), int(x.max())
            if low < least or high > most:
                raise UserError(f"Inputs must be between {least} and {most}, not {low} to {high}")

    @torch.no_grad()
    def trace(self, x: Tensor, state: State | None = None, lengths: Tensor | None = None) -> Trace:
        """Scores and every state of every step, as the chip computes them."""
        self._check(x)
        state = self.start(x.shape[1]) if state is None else state
        all_states, all_cells = [], []
        for layer, before in zip(self.stack, state, strict=True):
            x, cells = layer.exact(x, before)
            all_states.append(x)
            all_cells.append(cells)
        return Trace(
            scores=self.head.exact(x if self.every_step else _last(x, lengths)),
            states=all_states,
            cells=all_cells,
        )


def _last(states: Tensor, lengths: Tensor | None) -> Tensor:
    """The state after the last step of each sequence."""
    if lengths is None:
        return states[-1]
    return states[lengths - 1, torch.arange(states.shape[1], device=states.device)]
