"""Weighted belief propagation, the float baseline of the tables.

Nachmani, Marciano, Lugosch, Gross, Burshtein, Be'ery, Deep Learning Methods for Improved Decoding
of Linear Codes, JSTSP 2018: a weight a pair of edges that meet in a variable, an iteration.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from gatesmith.models.codes import Code, code
from gatesmith.models.errors import UserError
from gatesmith.models.minsum_net.config import MinSumConfig
from gatesmith.models.minsum_net.graph import FARTHEST, extrinsic_sum_product, groups_of
from gatesmith.models.minsum_net.net import Decoded

__all__ = ["WeightedBP"]

CLIP = 10.0  # of messages before the hyperbolic tangent, as the authors have it


class WeightedBP(nn.Module):
    """Belief propagation of learned weights; with all weights 1 it is belief propagation.

    Parameters
    ----------
    config : MinSumConfig   Update ``sum-product``, schedule ``flooding``. Tying ``recurrent`` has
                            the same weights in every iteration and none on the channel LLRs of
                            messages; ``edge`` anew in each.
    graph : Code            The code; None: that of the configuration's name.

    Members
    -------
    pair : Parameter [T', pairs]        From the message of an edge to another of its variable.
    channel : Parameter [T, n]          Of ``edge``: of channel LLRs in messages.
    out, out_channel : [T', E], [T', n] Of messages and channel LLRs in posteriors.
    """

    def __init__(self, config: MinSumConfig, graph: Code | None = None) -> None:
        super().__init__()
        right = (config.update, config.schedule, config.tying)
        if right not in (("sum-product", "flooding", k) for k in ("edge", "recurrent")):
            raise UserError(
                "Weighted belief propagation must be sum-product, flooding and edge or "
                f"recurrent, not {', '.join(right)}"
            )
        self.config = config
        self.code = graph = code(config.code) if graph is None else graph
        self.groups = groups_of(graph, "flooding", None)
        (self.group,) = self.groups
        self.history: list[dict[str, float]] = []
        self.recurrent = config.tying == "recurrent"
        places = self.group.variables.numpy()
        sources, targets = np.nonzero(places[:, None] == places[None])
        other = sources != targets
        self.register_buffer("sources", torch.from_numpy(sources[other]), persistent=False)
        self.register_buffer("targets", torch.from_numpy(targets[other]), persistent=False)
        times = 1 if self.recurrent else config.iterations
        self.pair = nn.Parameter(torch.ones(times, int(other.sum())))
        if not self.recurrent:
            self.channel = nn.Parameter(torch.ones(times, graph.n))
        self.out = nn.Parameter(torch.ones(times, graph.edges))
        self.out_channel = nn.Parameter(torch.ones(times, graph.n))

    sources: Tensor
    targets: Tensor
    unit = 1.0

    def _iterate(self, llr: Tensor) -> Iterator[Tensor]:
        places, messages = self.group.variables.to(llr.device), None
        for iteration in range(self.config.iterations):
            row = 0 if self.recurrent else iteration
            weighted = llr if self.recurrent else self.channel[row][:, None] * llr
            sent = weighted.index_select(0, places)
            if messages is not None:
                moved = self.pair[row][:, None] * messages.index_select(0, self.sources)
                sent = sent.index_add(0, self.targets, moved)
            sent = sent.clamp(-CLIP, CLIP)
            messages = self.group.extrinsic(sent, extrinsic_sum_product, FARTHEST)
            start = self.out_channel[row][:, None] * llr
            yield start.index_add(0, places, self.out[row][:, None] * messages)

    def forward(self, llr: Tensor) -> Tensor:
        """Posteriors in LLR: of every iteration in training, else the last ones."""
        found = list(self._iterate(llr))
        return torch.stack(found) if self.training else found[-1]

    @torch.no_grad()
    def decode(self, llr: Tensor, early_stop: bool = False) -> Decoded:
        """Decide frames from channel LLRs ``[n, frames]``; never stops early."""
        if early_stop:
            raise UserError("Weighted belief propagation must not stop early")
        *_, posterior = self._iterate(llr)
        bits = (posterior < 0).to(torch.uint8)
        edges = 1 - 2 * bits.to(llr.dtype).index_select(0, self.group.variables.to(llr.device))
        good = torch.ones_like(posterior[0], dtype=torch.bool)
        for a, b, degree in self.group.blocks:
            good &= edges[a:b].unflatten(0, (-1, degree)).prod(1).amin(0) > 0
        return Decoded(
            bits=bits,
            posterior=posterior,
            iterations=torch.full_like(good, self.config.iterations, dtype=torch.int64),
            satisfied=good,
        )
