"""The decoder in PyTorch: integers held in floats, gradients straight through.

Training and evaluation compute the same: what is rounded on the chip is rounded in training.
Frames lie in the last axis everywhere, which is contiguous.
"""

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gatesmith.models.codes import Code, code
from gatesmith.models.errors import UserError
from gatesmith.models.minsum_net.config import MinSumConfig
from gatesmith.models.minsum_net.graph import (
    FARTHEST,
    extrinsic_minimum,
    extrinsic_sum_product,
    groups_of,
    tied,
)

__all__ = ["SCALE_BITS", "Decoded", "MinSumDecoder"]

SCALE_BITS = 4  # of a factor on the chip: a whole number of sixteenths
LEAST_START = 1e-3


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """What a decoder says of frames.

    Members
    -------
    bits : uint8 [n, frames]          1 where the posterior is below 0.
    posterior : float32 [n, frames]   In steps for a quantised decoder, else in LLR.
    iterations : int64 [frames]       Whole iterations done.
    satisfied : bool [frames]         Every check of the bits holds.
    """

    bits: Tensor
    posterior: Tensor
    iterations: Tensor
    satisfied: Tensor


class _Through(torch.autograd.Function):
    """The second number, with the gradient of the first."""

    @staticmethod
    def forward(ctx: Any, soft: Tensor, hard: Tensor) -> Tensor:
        return hard

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


class MinSumDecoder(nn.Module):
    """Unrolled decoder of a code with learned offsets or factors.

    Each iteration, of each group of checks: ``t = P - c2v``, clamped to the range of messages; the
    least magnitude and the sign over the other edges of the check; minus the offset, not below 0,
    or times the factor; then ``P += new c2v - c2v``. Posteriors are exact. Paper: Lugosch, Gross,
    Neural Offset Min-Sum Decoding, ISIT 2017.

    Parameters
    ----------
    config : MinSumConfig
    graph : Code   The code; None: that of the configuration's name.

    Members
    -------
    master : Parameter [T', G]   Before ``softplus`` or ``relu``: offsets in LLR, or factors. T' is
                                 the iterations, or 1 where those are tied; G as of the tying.
    rounding : bool              Whether training rounds learned values too; evaluation always does.
    relax : Parameter [1]        Of relaxed decoders: the filter's factor before the sigmoid.
    """

    place: Tensor  # says on which device the decoder lies

    def __init__(self, config: MinSumConfig, graph: Code | None = None) -> None:
        super().__init__()
        self.config = config
        self.code = graph = code(config.code) if graph is None else graph
        self.groups = groups_of(graph, config.schedule, config.rows)
        self.history: list[dict[str, float]] = []
        self.rounding = True
        self.columns = tied(graph, config.tying if config.learned else "scalar")
        if config.learned:
            rows = 1 if config.tying in ("scalar", "recurrent") else config.iterations
            shape = (rows, int(self.columns.max()) + 1)
            start = config.first
            if config.positivity == "softplus":
                start = max(start, LEAST_START)
                start += math.log(-math.expm1(-start))
            # NumPy draws the masters, so that they are the same on every device.
            noise = np.random.default_rng((config.seed, 1)).standard_normal(shape)
            masters = torch.from_numpy((start + config.spread * noise).astype(np.float32))
            self.master = nn.Parameter(masters)
        if config.relaxation:
            self.relax = nn.Parameter(torch.full((1,), -2.0))
        columns = torch.from_numpy(self.columns.astype(np.int64))
        self._columns = [columns[group.edges] for group in self.groups]
        self.register_buffer("place", torch.zeros(0), persistent=False)

    @property
    def most(self) -> float:
        """Largest magnitude of a message."""
        bits = self.config.message_bits
        return FARTHEST if bits is None else float((1 << (bits - 1)) - 1)

    @property
    def unit(self) -> float:
        """LLR of 1 inside the decoder."""
        return self.config.llr_step if self.config.quantised else 1.0

    def to_bits(self, message_bits: int, llr_step: float) -> "MinSumDecoder":
        """The same learned values rounded for messages of so many bits, without more training."""
        config = dataclasses.replace(self.config, message_bits=message_bits, llr_step=llr_step)
        net = MinSumDecoder(config, self.code)
        net.load_state_dict(self.state_dict())
        net.history = self.history
        return net.train(self.training)

    def soft(self) -> Tensor:
        """Learned values ``[T', G]`` before rounding: offsets in units, or factors."""
        if not self.config.learned:
            return torch.zeros(1, 1)
        positive = torch.relu if self.config.positivity == "relu" else nn.functional.softplus
        found = positive(self.master)
        if not self.config.quantised:
            return found if self.config.update == "normalised" else found / self.unit
        if self.config.update == "normalised":
            return found.clamp(max=2 - 1 / (1 << SCALE_BITS))
        return (found / self.unit).clamp(max=self.most)

    def hard(self, soft: Tensor) -> Tensor:
        """Learned values as they act, without gradient: rounded where quantised."""
        if not self.config.quantised or (self.training and not self.rounding):
            return soft.detach()
        one = 1 << SCALE_BITS if self.config.update == "normalised" else 1
        return torch.floor(soft.detach() * one + 0.5) / one

    def values(self) -> Tensor:
        """Learned values ``[T', G]`` as they act: offsets in units, or factors."""
        return self.hard(self.soft())

    def quantise(self, llr: Tensor) -> Tensor:
        """Channel LLRs ``[n, frames]`` in units of the decoder: to the nearest, saturated."""
        if llr.dim() != 2 or llr.shape[0] != self.code.n:
            raise UserError(f"LLRs must have shape [{self.code.n}, frames], not {list(llr.shape)}")
        if bool(llr.isnan().any()):
            raise UserError("LLRs must be numbers, but there is NaN among them")
        if not self.config.quantised:
            return llr
        step = self.config.step_fraction
        # In double precision, as the frames of a Spec are made.
        steps = torch.round(llr.double() * (step.denominator / step.numerator))
        return steps.clamp_(-self.most, self.most).to(self.place.dtype)

    def _check_nodes(self, messages: Tensor, group: int, soft: Tensor, hard: Tensor) -> Tensor:
        """New messages of the checks of a group; values are those of each edge, ``[e, 1]``."""
        config, part = self.config, self.groups[group]
        if config.update == "sum-product":
            return part.extrinsic(messages, extrinsic_sum_product, self.most)
        least = part.extrinsic(messages, extrinsic_minimum, self.most)
        if config.update == "plain":
            return least
        magnitude = least.abs()
        if config.update == "offset":
            # The gradient is that at the offset before rounding: many magnitudes just equal the
            # rounded one, where a ReLU has none, so that offsets would only learn to rise.
            found = torch.relu(magnitude - soft)
            exact = torch.relu(magnitude.detach() - hard)
        else:
            found = magnitude * soft
            exact = torch.floor(magnitude.detach() * hard + 0.5)
        magnitude = _Through.apply(found, exact) if config.quantised else found
        if config.update == "normalised" and config.quantised:
            magnitude = magnitude.clamp(max=self.most)
        # The sign of a 0 does not matter: it is added.
        return torch.copysign(magnitude, least.detach())

    def run(self, channel: Tensor) -> list[Tensor]:
        """Posteriors ``[n, frames]`` after each iteration, from what :meth:`quantise` gave."""
        return list(self._iterate(channel))

    def _iterate(self, channel: Tensor) -> Iterator[Tensor]:
        config, soft = self.config, self.soft().to(channel.device, channel.dtype)
        hard = self.hard(soft)
        old: list[Tensor | None] = [None] * len(self.groups)
        filtered: list[Tensor | float] = [0.0] * len(self.groups)
        posterior = channel
        for iteration in range(config.iterations):
            row = min(iteration, len(soft) - 1)
            for index, group in enumerate(self.groups):
                before = old[index]
                messages = posterior.index_select(0, group.variables)
                if before is not None:
                    messages = messages - before
                messages = messages.clamp(-self.most, self.most)
                if config.relaxation:
                    factor = torch.sigmoid(self.relax)
                    messages = factor * filtered[index] + (1 - factor) * messages
                    filtered[index] = messages
                columns = self._columns[index]
                values = (v[row].index_select(0, columns)[:, None] for v in (soft, hard))
                new = self._check_nodes(messages, index, *values)
                change = new if before is None else new - before
                posterior = posterior.index_add(0, group.variables, change)
                old[index] = new
            yield posterior

    def forward(self, llr: Tensor) -> Tensor:
        """Posteriors for channel LLRs ``[n, frames]``.

        In training those of every iteration in LLR, ``[T, n, frames]``; in evaluation the last
        ones in units, ``[n, frames]``: whole numbers when quantised, as the chip has them.
        """
        if self.training:
            return self.unit * torch.stack(self.run(self.quantise(llr)))
        return self.decode(llr).posterior

    @torch.no_grad()
    def decode(self, llr: Tensor, early_stop: bool = False) -> Decoded:
        """Decide frames from channel LLRs ``[n, frames]``.

        With ``early_stop`` a frame stops at the first iteration, 0 included, whose decision
        satisfies every check.
        """
        channel = self.quantise(llr)
        posterior, done = channel, torch.zeros_like(channel[0], dtype=torch.bool)
        iterations = torch.zeros_like(done, dtype=torch.int64)
        for found in self._iterate(channel):
            if early_stop:
                done = self.satisfied(posterior)
                if bool(done.all()):
                    break
                posterior = torch.where(done, posterior, found)
            else:
                posterior = found
            iterations += ~done
        return Decoded(
            bits=(posterior < 0).to(torch.uint8),
            posterior=posterior,
            iterations=iterations,
            satisfied=self.satisfied(posterior),
        )

    def satisfied(self, posterior: Tensor) -> Tensor:
        """Whether the decision of each frame satisfies every check, bool ``[frames]``."""
        good = torch.ones_like(posterior[0], dtype=torch.bool)
        signs = torch.where(posterior < 0, -1.0, 1.0)
        for group in self.groups:
            edges = signs.index_select(0, group.variables)
            for a, b, degree in group.blocks:
                parity = edges[a:b].unflatten(0, (-1, degree)).prod(1)
                good &= parity.amin(0) > 0
        return good

    def _apply(self, *arguments, **options):  # type: ignore[no-untyped-def]
        # Index tensors follow the parameters without being state.
        super()._apply(*arguments, **options)
        device = self.place.device
        for group in self.groups:
            group.to(device)
        self._columns = [columns.to(device) for columns in self._columns]
        return self
