"""The channel: its noise has the variance of Eb/N0 with the rate of the code."""

import dataclasses

import numpy as np
import pytest

from gatesmith.models.codes import Code, bch
from gatesmith.models.errors import UserError
from gatesmith.models.minsum_net.channel import KNOWN, draw, rate, variance

CODE = bch(63, 36)


def test_variance_counts_the_rate():
    assert rate(CODE) == 36 / 63
    assert variance(CODE, 0.0) == pytest.approx(63 / 72)
    assert variance(CODE, 10.0) == pytest.approx(63 / 720)


def test_llrs_are_consistent():
    """LLRs of a Gaussian channel have half their variance as their mean, for either bit."""
    found = draw(CODE, 4.0, 20_000, np.random.default_rng(1))
    assert not CODE.syndrome(found.words.T).any() and 0.49 < found.words.mean() < 0.51
    turned = found.llr * (1 - 2 * found.words.astype(np.float32))
    mean = 2 / variance(CODE, 4.0)
    assert turned.mean() == pytest.approx(mean, rel=0.01)
    assert turned.var() == pytest.approx(2 * mean, rel=0.01)


def test_levels_of_each_frame():
    levels = np.repeat([0.0, 8.0], 5000)
    found = draw(CODE, levels, 10_000, np.random.default_rng(1), zero=True)
    assert not found.words.any()
    for part, level in ((found.llr[:, :5000], 0.0), (found.llr[:, 5000:], 8.0)):
        assert part.mean() == pytest.approx(2 / variance(CODE, level), rel=0.02)


def test_assumed_scales_only():
    true, wrong = (
        draw(CODE, 4.0, 100, np.random.default_rng(1), assumed=assumed) for assumed in (None, 7.0)
    )
    ratio = variance(CODE, 4.0) / variance(CODE, 7.0)
    assert np.allclose(wrong.llr, true.llr * ratio, rtol=1e-5)


def test_punctured_and_shortened():
    """What is not sent: LLR 0 where the bit is unknown, a great one where it is known to be 0."""
    plain = Code.from_matrix(np.array([[1, 1, 0, 1, 0], [0, 1, 1, 0, 1]]))
    information = np.setdiff1d(plain.information, [1])
    code = dataclasses.replace(
        plain, punctured=np.array([4]), shortened=np.array([1]), information=information
    )
    assert rate(code) == len(information) / 3
    found = draw(code, 3.0, 50, np.random.default_rng(1))
    assert not found.words[1].any() and not code.syndrome(found.words.T).any()
    assert not found.llr[4].any() and (found.llr[1] == KNOWN).all()


def test_rejects_code_that_carries_nothing():
    with pytest.raises(UserError, match="^matrix: a code must carry at least 1 bit"):
        rate(Code.from_matrix(np.eye(3, dtype=np.uint8)))
