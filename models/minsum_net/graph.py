"""Edges of a code as tensors: groups of checks, in each group blocks of checks of one degree."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatesmith.models.codes import Code
from gatesmith.models.errors import check

__all__ = ["Group", "extrinsic_minimum", "extrinsic_sum_product", "groups_of", "tied"]

FARTHEST = 1e6  # magnitude that stands for certainty where nothing saturates
SUREST = 1e-7  # of sum-product, least distance of a product from 1


class Group:
    """Checks that update together, their edges ordered by degree, then check, then variable.

    Parameters
    ----------
    code : Code
    rows : int array   Checks of the group.

    Members
    -------
    edges : int64 [e]        Number in the code of each edge of the group.
    variables : int64 [e]    Variable of each edge of the group.
    blocks : list            (first edge, end, degree) of the edges of the checks of each degree.
    """

    def __init__(self, code: Code, rows: np.ndarray) -> None:
        degrees = np.bincount(code.checks, minlength=int(code.checks.max(initial=-1)) + 1)
        own = np.flatnonzero(np.isin(code.checks, rows))
        order = own[np.argsort(degrees[code.checks[own]], kind="stable")]
        self.edges = torch.from_numpy(order.astype(np.int64))
        self.variables = torch.from_numpy(code.variables[order].astype(np.int64))
        self.blocks: list[tuple[int, int, int]] = []
        start = 0
        for degree, count in zip(
            *np.unique(degrees[code.checks[order]], return_counts=True), strict=True
        ):
            self.blocks.append((start, start + int(count), int(degree)))
            start += int(count)

    def to(self, device: torch.device) -> None:
        """Move the index tensors."""
        self.edges, self.variables = self.edges.to(device), self.variables.to(device)

    def extrinsic(self, messages: Tensor, function: Any, most: float) -> Tensor:
        """Apply a function of ``[checks, degree, frames]`` to the messages of each block."""
        found = [
            function(messages[a:b].unflatten(0, (-1, degree)), most).flatten(0, 1)
            for a, b, degree in self.blocks
        ]
        return found[0] if len(found) == 1 else torch.cat(found)


def groups_of(code: Code, schedule: str, rows: int | None) -> list[Group]:
    """One group of all checks for ``flooding``, groups of ``rows`` for ``layered``.

    UserError unless ``rows`` divide the lifting of a quasi-cyclic code.
    """
    if rows is not None and code.lifting > 1:
        legal = code.lifting % rows == 0
        check(legal, "Rows", f"a divisor of the lifting {code.lifting}", rows)
    checks = int(code.checks.max()) + 1
    each = checks if schedule == "flooding" else (rows or code.lifting)
    return [Group(code, np.arange(a, min(a + each, checks))) for a in range(0, checks, each)]


def tied(code: Code, tying: str) -> np.ndarray:
    """Which learned value each edge uses, int32 ``[edges]``."""
    if tying in ("edge", "recurrent"):
        return np.arange(len(code.checks), dtype=np.int32)
    if tying == "check":
        return code.checks.astype(np.int32)
    if tying == "degree":
        of_edge = np.bincount(code.checks)[code.checks]
        return np.unique(of_edge, return_inverse=True)[1].astype(np.int32)
    return np.zeros(len(code.checks), dtype=np.int32)


class _ExtrinsicMinimum(torch.autograd.Function):
    """Least magnitude among the other edges; its gradient goes to the edge that has it.

    By value: every edge that equals the minimum gets the second minimum, which is the same number
    when several do.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, most: float) -> Tensor:
        first = x.amin(1, keepdim=True)
        is_first = x == first
        second = x.masked_fill(is_first, most).amin(1, keepdim=True)
        several = is_first.to(x.dtype).sum(1, keepdim=True) > 1
        second = torch.where(several, first, second)
        ctx.save_for_backward(x, first, second)
        return torch.where(is_first, second, first)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (g,) = gradients
        x, first, second = ctx.saved_tensors
        is_first = (x == first).to(g.dtype)
        count = is_first.sum(1, keepdim=True)
        own = (g * is_first).sum(1, keepdim=True)  # reaches the second minimum
        whole = g.sum(1, keepdim=True)
        result = is_first * (torch.where(count > 1, whole, whole - own) / count)
        is_second = (x == second).to(g.dtype) * (count == 1)
        result += is_second * (own / is_second.sum(1, keepdim=True).clamp_(min=1))
        return result, None


def signs_of_others(x: Tensor) -> Tensor:
    """+1 or -1: the product of the signs of the other edges, sign(0) = +1."""
    signs = 1 - 2 * (x < 0).to(x.dtype)
    return signs.prod(1, keepdim=True) * signs


def extrinsic_minimum(x: Tensor, most: float) -> Tensor:
    """Signed minimum over the other edges of a check, at most ``most``; ``[checks, degree, B]``."""
    if x.shape[1] == 1:
        return torch.full_like(x, most)
    least = _ExtrinsicMinimum.apply(x.abs(), most)
    return signs_of_others(x.detach()) * least


def extrinsic_sum_product(x: Tensor, most: float) -> Tensor:
    """2 atanh of the product of tanh(x / 2) over the other edges of a check.

    In the form phi(sum phi(others)) with phi(x) = -ln tanh(x / 2), its own inverse, which is exact
    for large x too.
    """
    if x.shape[1] == 1:
        return torch.full_like(x, most)
    phi = _phi(x.abs())
    return signs_of_others(x.detach()) * _phi(phi.sum(1, keepdim=True) - phi)


def _phi(x: Tensor) -> Tensor:
    x = x.clamp(SUREST, 40.0)
    return torch.log1p(torch.exp(-x)) - torch.log(-torch.expm1(-x))
