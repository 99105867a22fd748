"""Losses of posteriors, each the mean over frames and over the iterations it is given."""

import torch
from torch import Tensor, nn

from gatesmith.models.minsum_net.config import MinSumConfig
from gatesmith.models.minsum_net.graph import Group

__all__ = ["cross_entropy", "frame_error", "loss_of", "soft_syndrome", "syndrome_loss"]


def cross_entropy(posteriors: Tensor, words: Tensor) -> Tensor:
    """Multiloss of LLRs ``[T, n, frames]`` and words of 0 and 1 ``[n, frames]``."""
    return nn.functional.softplus((2 * words - 1) * posteriors).mean()


def frame_error(posteriors: Tensor, words: Tensor) -> Tensor:
    """Chance that any bit is wrong, were the posteriors independent: bounded for each frame.

    Unlike cross-entropy it gives up frames that are lost anyway.
    """
    right = -nn.functional.softplus((2 * words - 1) * posteriors).sum(-2)  # ln, [T, frames]
    return -torch.expm1(right).mean()


def soft_syndrome(posteriors: Tensor, groups: list[Group]) -> list[Tensor]:
    """Sign times least magnitude over the variables of each check, ``[T, checks, frames]``.

    One tensor a block of checks of one degree.
    """
    found = []
    for group in groups:
        edges = posteriors.index_select(-2, group.variables)
        for a, b, degree in group.blocks:
            part = edges[..., a:b, :].unflatten(-2, (-1, degree))
            signs = torch.where(part.detach() < 0, -1.0, 1.0).prod(-2)
            found.append(signs * part.abs().amin(-2))
    return found


def syndrome_loss(posteriors: Tensor, groups: list[Group]) -> Tensor:
    """Hinge of margin 1 on the soft syndrome; knows nothing of the word that was sent.

    Lugosch, Gross, Learning from the Syndrome, Asilomar 2018.
    """
    parts = [torch.relu(1 - soft) for soft in soft_syndrome(posteriors, groups)]
    return torch.cat([part.flatten() for part in parts]).mean()


def loss_of(config: MinSumConfig, posteriors: Tensor, words: Tensor, groups: list[Group]) -> Tensor:
    """The configured loss of LLRs ``[T, n, frames]`` and words ``[n, frames]``."""
    if config.loss == "cross-entropy":
        return cross_entropy(posteriors, words)
    if config.loss == "syndrome":
        other = syndrome_loss(posteriors, groups)
    else:
        other = frame_error(posteriors, words)
    return config.mix * cross_entropy(posteriors, words) + (1 - config.mix) * other
