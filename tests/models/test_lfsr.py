import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatesmith.models.lfsr import PRIMITIVE_TAPS, keep_masks, states


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


@pytest.mark.parametrize("width", sorted(PRIMITIVE_TAPS))
def test_table_is_primitive(width):
    """x has order 2**width - 1 modulo the polynomial: no power by a proper divisor is 1."""
    polynomial = sum(1 << (width - tap) for tap in PRIMITIVE_TAPS[width]) | 1 << width

    def power(exponent: int) -> int:
        result, square = 1, 2
        while exponent:
            if exponent & 1:
                result = multiply(result, square)
            square = multiply(square, square)
            exponent >>= 1
        return result

    def multiply(a: int, b: int) -> int:
        product = 0
        while b:
            product ^= a * (b & 1)
            a, b = a << 1, b >> 1
            a ^= polynomial * (a >> width)
        return product

    period = (1 << width) - 1
    rest, primes = period, []
    for divisor in range(2, 1 << 16):
        if rest % divisor == 0:
            primes.append(divisor)
            while rest % divisor == 0:
                rest //= divisor
    primes += [rest] if rest > 1 else []
    assert power(period) == 1
    assert all(power(period // prime) != 1 for prime in primes)
