"""Cycles of a Tanner graph: variables on one side, checks on the other, an edge for each 1 of H."""

import numpy as np

__all__ = ["four_cycles", "girth"]


def four_cycles(checks: np.ndarray, variables: np.ndarray) -> int:
    """Cycles of length 4: pairs of checks that share a pair of variables, each counted once.

    An edge e joins ``checks[e]`` and ``variables[e]``; no edge comes twice.
    """
    sides = ((checks, variables), (variables, checks))
    # Pairs of neighbours of one node; the side on which there are fewer of them.
    centre, around = min(sides, key=lambda side: int((np.bincount(side[0]) ** 2).sum()))
    order = np.lexsort((around, centre))
    around, degree = around[order], np.bincount(centre)
    start = np.cumsum(degree) - degree
    size, found = int(around.max()) + 1, []
    for count in np.unique(degree[degree > 1]):
        first, second = np.triu_indices(count, 1)
        places = start[degree == count][:, None]
        found.append(around[places + first].astype(np.int64) * size + around[places + second])
    if not found:
        return 0
    _, shared = np.unique(np.concatenate([pairs.ravel() for pairs in found]), return_counts=True)
    return int((shared.astype(np.int64) * (shared - 1) // 2).sum())


def girth(checks: np.ndarray, variables: np.ndarray, lifting: int = 1) -> int:
    """Length of the shortest cycle; 0 when there is none.

    Walks that never turn back start at all variables at once, or at the first of each block of
    ``lifting``, whose shifts have the same cycles. Two of one start that meet after d edges close
    a cycle of 2 d edges at the most, and the shortest cycle shows first.
    """
    nodes = int(checks.max()) + 1, int(variables.max()) + 1
    ends = (np.asarray(checks, dtype=np.int64), np.asarray(variables, dtype=np.int64))
    lists = [
        np.argsort(end, kind="stable") for end in ends
    ]  # edges of each check, of each variable
    degrees = [np.bincount(end, minlength=size) for end, size in zip(ends, nodes, strict=True)]
    starts = [np.cumsum(degree) - degree for degree in degrees]

    edges = np.flatnonzero(ends[1] % lifting == 0)  # the first step: from a variable to a check
    roots, steps = ends[1][edges], 1
    while len(edges):
        side = (steps - 1) % 2  # of the nodes just reached: 0 checks, 1 variables
        reached = ends[side][edges]
        keys = np.sort(roots * nodes[side] + reached)
        if (keys[1:] == keys[:-1]).any():
            return 2 * steps
        # Along every edge of the node but the one it was reached by.
        counts = degrees[side][reached]
        walk = np.repeat(np.arange(len(edges)), counts)
        place = np.arange(len(walk)) - np.repeat(np.cumsum(counts) - counts, counts)
        onward = lists[side][starts[side][reached][walk] + place]
        keep = onward != edges[walk]
        edges, roots, steps = onward[keep], roots[walk][keep], steps + 1
    return 0
