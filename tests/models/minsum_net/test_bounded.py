"""The algebraic decoder corrects what it must, and gives up or errs beyond."""

import itertools

import numpy as np
import pytest

from gatesmith.models.codes import Code, bch, code
from gatesmith.models.errors import UserError
from gatesmith.models.minsum_net.bounded import BoundedDistance


@pytest.mark.parametrize(("n", "k", "t"), [(15, 11, 1), (15, 7, 2), (63, 45, 3), (63, 36, 5)])
def test_corrects_up_to_t_errors(n, k, t):
    graph, random = bch(n, k), np.random.default_rng(1)
    decoder = BoundedDistance(graph)
    assert decoder.t == t
    words = graph.encode(random.integers(0, 2, (400, k))).T
    for errors in range(t + 1):
        noisy = words.copy()
        for frame in range(400):
            noisy[random.choice(n, errors, replace=False), frame] ^= 1
        found, good = decoder.decode(noisy)
        assert np.array_equal(found, words) and good.all()


def test_every_pattern_of_two_errors():
    graph = bch(15, 7)
    patterns = np.zeros((15, 105), dtype=np.uint8)
    for column, places in enumerate(itertools.combinations(range(15), 2)):
        patterns[list(places), column] = 1
    found, good = BoundedDistance(graph).decode(patterns)
    assert good.all() and not found.any()


def test_beyond_t_errors():
    """More than t: left as it is, or another codeword within t, never anything else."""
    graph, random = bch(63, 45), np.random.default_rng(2)
    noisy = np.zeros((63, 2000), dtype=np.uint8)
    for frame in range(2000):
        noisy[random.choice(63, 5, replace=False), frame] = 1
    found, good = BoundedDistance(graph).decode(noisy)
    assert np.array_equal(found[:, ~good], noisy[:, ~good])
    assert not graph.syndrome(found[:, good].T).any() and good.any() and not good.all()
    assert ((found != noisy).sum(0) <= 3).all() and found[:, good].any(axis=0).all()


@pytest.mark.parametrize("graph", [code("ccsds-128-64"), Code.from_matrix(np.ones((3, 7)))])
def test_rejects_other_codes(graph):
    with pytest.raises(UserError, match="an algebraic decoder needs a BCH code"):
        BoundedDistance(graph)
