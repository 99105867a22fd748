"""Windows of training data, in the order in which an epoch reads them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gatesmith.models.lstm_net.config import LSTMConfig
from gatesmith.models.lstm_net.measure import streams
from gatesmith.models.sequences import Part

__all__ = ["Window", "window_count", "windows"]


@dataclass(frozen=True, kw_only=True)
class Window:
    """What a step of the optimiser reads.

    Members
    -------
    x : Tensor         Symbols ``[T, B]`` or codes ``[T, B, inputs]``.
    y : Tensor         Classes ``[B]``, or of a text the next symbols ``[T, B]``.
    lengths : Tensor   Steps of each sequence ``[B]``; None of a text.
    starts : bool      The state begins at zero; else it goes on from the window before.
    """

    x: Tensor
    y: Tensor
    lengths: Tensor | None
    starts: bool


def window_count(config: LSTMConfig, part: Part | np.ndarray) -> int:
    """Windows of an epoch over sequences, or over the symbols of a text."""
    if isinstance(part, Part):
        return max(1, len(part.y) // config.batch)
    return max(1, (len(part) // config.batch - 1) // config.bptt)


def windows(
    config: LSTMConfig, part: Part | np.ndarray, epoch: int, device: torch.device
) -> Iterator[Window]:
    """The windows of an epoch, shuffled by the seed of the configuration and the epoch."""
    random = np.random.default_rng((config.seed, 2, epoch))
    count = window_count(config, part)
    if isinstance(part, Part):
        order = random.permutation(len(part.y))[: count * config.batch]
        for chosen in np.array_split(order, count):
            codes = torch.from_numpy(np.ascontiguousarray(part.x[chosen].swapaxes(0, 1)))
            yield Window(
                x=(codes.long() if config.symbols else codes.float()).to(device),
                y=torch.from_numpy(part.y[chosen]).to(device),
                lengths=torch.from_numpy(part.lengths[chosen]).to(device),
                starts=True,
            )
        return
    # Turned by a random amount, so that no two epochs cut the text at the same places.
    turned = np.roll(part, -int(random.integers(len(part))))
    text = streams(turned, config.batch).to(device)
    for index in range(count):
        start = index * config.bptt
        y = text[start + 1 : start + 1 + config.bptt]
        yield Window(x=text[start : start + len(y)], y=y, lengths=None, starts=index == 0)
