"""The decoder in PyTorch: integers held in floats, gradients straight through.

Training and evaluation compute the same: what is rounded on the chip is rounded in training.
Frames lie in the last axis everywhere, which is contiguous.
"""

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

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


def rounded(x: Tensor) -> Tensor:
    """x rounded to whole numbers, halves up; the gradient passes."""
    return x + (torch.floor(x + 0.5) - x).detach()


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
    relax : Parameter []         Of relaxed decoders: the filter's factor before the sigmoid.
    """

    place: Tensor  # says on which device the decoder lies

    def __init__(self, config: MinSumConfig, graph: Code | None = None) -> None:
        super().__init__()
        self.config = config
        self.code = graph = code(config.code) if graph is None else graph
        self.groups = groups_of(graph, config.schedule, config.rows)
        self.history: list[dict[str, float]] = []
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
            self.relax = nn.Parameter(torch.tensor(-2.0))
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

    def values(self) -> Tensor:
        """Learned values ``[T', G]`` as they act: offsets in units, or factors."""
        config = self.config
        if not config.learned:
            return torch.zeros(1, 1)
        positive = torch.relu if config.positivity == "relu" else nn.functional.softplus
        found = positive(self.master)
        if config.update == "normalised":
            if not config.quantised:
                return found
            one = 1 << SCALE_BITS
            return rounded(found * one).clamp(0, 2 * one - 1) / one
        return rounded(found / self.unit).clamp(0, self.most) if config.quantised else found

    def quantise(self, llr: Tensor) -> Tensor:
        """Channel LLRs ``[n, frames]`` in units of the decoder, rounded and saturated."""
        if llr.dim() != 2 or llr.shape[0] != self.code.n:
            raise UserError(f"LLRs must have shape [{self.code.n}, frames], not {list(llr.shape)}")
        llr = llr.to(torch.get_default_dtype()) if not llr.is_floating_point() else llr
        channel = llr / self.unit
        if self.config.quantised:
            channel = torch.floor(channel + 0.5).clamp_(-self.most, self.most)
        return channel

    def _check_nodes(self, messages: Tensor, group: int, value: Tensor) -> Tensor:
        """New messages of the checks of a group; ``value`` is that of each edge, ``[e, 1]``."""
        config, part = self.config, self.groups[group]
        if config.update == "sum-product":
            return part.extrinsic(messages, extrinsic_sum_product, self.most)
        least = part.extrinsic(messages, extrinsic_minimum, self.most)
        if config.update == "plain":
            return least
        magnitude = least.abs()
        if config.update == "offset":
            magnitude = torch.relu(magnitude - value)
        elif config.quantised:
            magnitude = rounded(magnitude * value).clamp(max=self.most)
        else:
            magnitude = magnitude * value
        # The sign of a 0 does not matter: it is added.
        return torch.copysign(magnitude, least.detach())

    def run(self, channel: Tensor) -> list[Tensor]:
        """Posteriors ``[n, frames]`` after each iteration, from what :meth:`quantise` gave."""
        return list(self._iterate(channel))

    def _iterate(self, channel: Tensor) -> Iterator[Tensor]:
        config, values = self.config, self.values().to(channel.device, channel.dtype)
        old: list[Tensor | None] = [None] * len(self.groups)
        filtered: list[Tensor | float] = [0.0] * len(self.groups)
        posterior = channel
        for iteration in range(config.iterations):
            row = values[min(iteration, len(values) - 1)]
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
                value = row.index_select(0, self._columns[index])[:, None]
                new = self._check_nodes(messages, index, value)
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
