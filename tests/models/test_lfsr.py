import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatesmith.models.lfsr import keep_masks, states


def by_bits(taps: list[int], seed: int, count: int, leap: int) -> list[int]:
    """Independent reference: one list of bits, one step at a time, newest bit first."""
    bits = [seed >> k & 1 for k in range(max(taps))]
    out = []
    for _ in range(count):
        out.append(sum(bit << k for k, bit in enumerate(bits)))
        for _ in range(leap):
            bits = [sum(bits[tap - 1] for tap in taps) % 2, *bits[:-1]]
    return out


@pytest.mark.parametrize("taps", [(1,), (10, 10), (33, 2), (4, 0), ()])
def test_rejects_taps(taps):
    with pytest.raises(ValueError):
        states(taps, np.array([1]), 1)


@pytest.mark.parametrize("seed", [0, 1024])
def test_rejects_seed(seed):
    with pytest.raises(ValueError, match="between 1 and 1023"):
        states((10, 7), np.array([seed]), 1)


@pytest.mark.parametrize("taps", [(3, 2), (10, 7), (16, 15, 13, 4)])
def test_period_is_maximal(taps):
    period = (1 << max(taps)) - 1
    run = states(taps, np.array([1]), period + 1)[0]
    assert len(set(run[:-1])) == period and run[-1] == 1


def test_paper_example_keeps_four_of_seven():
    masks = keep_masks((3, 2), np.arange(1, 8), 7, threshold=4)  # p = 0.5 at 3 bits
    assert (masks.sum(axis=1) == 4).all()


@given(
    st.lists(st.integers(1, 32), min_size=2, max_size=4, unique=True),
    st.integers(1, 40),
    st.data(),
)
def test_matches_bit_reference(taps, leap, data):
    seed = data.draw(st.integers(1, (1 << max(taps)) - 1))
    assert states(tuple(taps), np.array([seed]), 9, leap)[0].tolist() == by_bits(
        taps, seed, 9, leap
    )
