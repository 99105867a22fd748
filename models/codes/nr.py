"""LDPC codes of 5G New Radio: 3GPP TS 38.212, 5.3.2 (the code) and 5.4.2 (which bits are sent)."""

from importlib.resources import files

import numpy as np

from gatesmith.models.codes.code import Code
from gatesmith.models.codes.quasi_cyclic import lift
from gatesmith.models.errors import UserError

__all__ = ["base_graph", "lifting_size", "nr"]

SETS = (2, 3, 5, 7, 9, 11, 13, 15)  # set i holds the lifting sizes SETS[i] * 2**j up to 384
INFORMATION = {1: 22, 2: 10}  # block columns of information
COLUMNS = {1: 68, 2: 52}


def nr(k: int, n: int, trim: bool = False) -> Code:
    """The 5G code that sends n bits for k, from the start of the circular buffer (version 0).

    Punctured are the first 2 Z variables, as always in 5G, and the parity bits after the last one
    sent; shortened are the filler bits behind the information. The whole base graph is lifted, or
    with ``trim`` without the last blocks of which no bit is sent: each such variable has one check,
    which can tell the others nothing, so the bits that are sent decode alike in a smaller graph.
    UserError when 5G has no such code without repeating bits.
    """
    if not 12 <= k <= 8448:
        raise UserError(f"k of a 5G code must be from 12 to 8448, not {k}")
    graph = base_graph(k, n)
    if graph == 2 and k > 3840:
        raise UserError(f"k of a 5G code at a rate of 1/4 or less must be at most 3840, not {k}")
    size = lifting_size(k, graph)
    fillers = np.arange(k, INFORMATION[graph] * size)
    buffer = np.setdiff1d(np.arange(2 * size, COLUMNS[graph] * size), fillers)
    least = -(-k * 1024 // 948)  # the largest rate of 5G, TS 38.214
    if not least <= n <= len(buffer):
        raise UserError(
            f"n of a 5G code with k = {k} must be from {least} to {len(buffer)} "
            f"(base graph {graph}, Z = {size}), not {n}"
        )
    blocks = COLUMNS[graph]
    if trim:
        # The first 4 parity blocks hold together; each later one has a block row of its own.
        blocks = max(INFORMATION[graph] + 4, int(buffer[n - 1]) // size + 1)
    terms = _table(graph, size)
    checks, variables = lift(terms[:, terms[0] < blocks - INFORMATION[graph]], size)
    unsent = np.concatenate([np.arange(2 * size), buffer[n:]])
    return Code(
        name=f"nr-{k}-{n}" + "-trim" * trim,
        n=blocks * size,
        checks=checks,
        variables=variables,
        information=np.arange(k),
        lifting=size,
        punctured=unsent[unsent < blocks * size],
        shortened=fillers,
    )


def base_graph(k: int, n: int) -> int:
    """1 or 2: the base graph for k bits at rate k / n, by TS 38.212, 6.2.2."""
    return 2 if k <= 292 or (k <= 3824 and k <= 0.67 * n) or k <= 0.25 * n else 1


def lifting_size(k: int, graph: int) -> int:
    """Z: the least lifting size whose information blocks in use hold k bits, TS 38.212, 5.2.2."""
    blocks = 22 if graph == 1 else 10 if k > 640 else 9 if k > 560 else 8 if k > 192 else 6
    sizes = sorted(factor << j for factor in SETS for j in range(8) if factor << j <= 384)
    return next(size for size in sizes if blocks * size >= k)


def _table(graph: int, size: int) -> np.ndarray:
    """Block row, block column and shift of each block, ``[3, blocks]``, for one lifting size."""
    text = files("gatesmith.models.codes").joinpath(f"tables/nr-bg{graph}.txt").read_text("ascii")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    numbers = np.array(lines, dtype=np.int64).T
    odd = size // (size & -size)
    return np.stack([*numbers[:2], numbers[2 + SETS.index(max(odd, 2))] % size])
