"""Seed search: what it promises, what it reports, what it refuses."""

import time

import numpy as np
import pytest

from gatesmith.models.errors import UserError
from gatesmith.models.masks import default_lookahead, draw, lfsr_for, report, search_seeds


def test_rejects_generator():
    with pytest.raises(UserError, match="^Generator must be one of leap, paper, not 'random'$"):
        draw(64, 64, 0.5, kind="random")


def test_rejects_sparsity_beyond_the_lfsr():
    with pytest.raises(
        UserError, match="^Sparsity must be at most 0.875 for a 3-bit LFSR, not 0.9"
    ):
        draw(5, 20, 0.9, kind="paper")


@pytest.mark.parametrize(
    ("sparsity", "inputs", "expected"),
    [(0.9, 784, 32), (0.5, 784, 8), (0.8125, 784, 16), (0.99, 784, 64), (0.9, 20, 32), (0.5, 1, 2)],
)
def test_default_lookahead(sparsity, inputs, expected):
    assert default_lookahead(sparsity, inputs) == expected


def test_lfsr_of_the_paper_and_of_the_default():
    taps, leap, threshold = lfsr_for("paper", 784, 512, 0.9)
    assert (max(taps), leap, threshold) == (10, 1, 922)
    taps, leap, threshold = lfsr_for("leap", 784, 512, 0.5)
    assert (max(taps), leap, threshold) == (19, 8, 1 << 18)
    assert lfsr_for("leap", 784, 512, 0.5, leap=3)[1] == 3


def test_report_of_a_known_mask():
    mask = np.array([[1, 1, 0, 0, 0], [1, 0, 1, 1, 0], [1, 1, 0, 0, 0]], dtype=bool)
    found = report(mask)
    assert (found.fan_in_min, found.fan_in_max, found.dead_inputs) == (2, 3, 1)
    assert found.max_overlap == 1 and found.mean_overlap == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert found.keep_after_keep == pytest.approx(3 / 7)
    assert found.repeated_masks == 1


@pytest.mark.parametrize(
    ("inputs", "outputs", "sparsity"),
    [(64, 64, 0.9), (64, 64, 0.5), (97, 31, 0.75), (256, 128, 0.9), (784, 512, 0.9)],
)
def test_masks_are_even(inputs, outputs, sparsity):
    lfsr = draw(inputs, outputs, sparsity)
    mask = lfsr.mask(inputs)
    found = report(mask)
    assert found.fan_in_min == found.fan_in_max == round((1 - sparsity) * inputs)
    assert found.dead_inputs == 0 and found.repeated_masks == 0
    assert len(np.unique(lfsr.seeds)) == outputs
    # Inputs are used about equally often: far closer than the spread of a random mask.
    uses = mask.sum(axis=0)
    assert uses.std() < 0.7 * np.sqrt(outputs * sparsity * (1 - sparsity))
    block = default_lookahead(sparsity, inputs)
    for start in range(0, inputs - block + 1, block):
        assert mask[:, start : start + block].any(axis=1).all()


def test_leap_cures_clustering():
    figures = {k: report(draw(784, 512, 0.9, kind=k).mask(784)) for k in ("leap", "paper")}
    assert figures["paper"].keep_after_keep == pytest.approx(0.5, abs=0.03)
    assert figures["leap"].keep_after_keep == pytest.approx(0.1, abs=0.02)
    assert figures["leap"].max_overlap < 0.25 < figures["paper"].max_overlap


def test_search_is_deterministic():
    first, again, other = (draw(100, 40, 0.8, seed=seed).seeds for seed in (3, 3, 4))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize("kind", ["leap", "paper"])
@pytest.mark.parametrize("inputs", [1, 2, 3, 7, 8, 9, 31])
@pytest.mark.parametrize("outputs", [1, 2, 5, 17])
@pytest.mark.parametrize("sparsity", [0.01, 0.5, 0.8])
def test_awkward_shapes(kind, inputs, outputs, sparsity):
    lfsr = draw(inputs, outputs, sparsity, kind=kind)
    assert lfsr.seeds.shape == (outputs,) and lfsr.seeds.min() > 0
    mask = lfsr.mask(inputs)
    assert mask.shape == (outputs, inputs)
    if kind == "leap":
        assert (mask.sum(axis=1) == max(1, round((1 - sparsity) * inputs))).all()


def test_more_neurons_than_states_reuse_seeds():
    seeds = search_seeds(7, 20, 0.57, (3, 2), 1, 5, 4, 0)
    assert len(np.unique(seeds)) == 7
    assert report(draw(7, 20, 0.57, kind="paper").mask(7)).repeated_masks >= 13


@pytest.mark.slow
@pytest.mark.parametrize(("inputs", "outputs", "limit_s"), [(784, 512, 4), (1024, 1024, 10)])
def test_search_is_quick(inputs, outputs, limit_s):
    start = time.perf_counter()
    draw(inputs, outputs, 0.9)
    assert time.perf_counter() - start < limit_s
