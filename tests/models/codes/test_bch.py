"""BCH matrices, against their definition and against the matrices of other libraries."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from gatesmith.models.codes import bch
from gatesmith.models.codes.bch import dimensions, generator
from gatesmith.models.errors import UserError

SIONNA = find_spec("sionna")  # not imported, which would load torch

# Edges, check degree and 4-cycles as measured elsewhere for Lugosch's files of "Neural offset
# min-sum decoding", and a digest of galois.BCH(n, k).H of galois 0.4.11 with both axes reversed.
KNOWN = {
    (15, 11): (32, 8, 36, "1dfba62f579fa957"),
    (63, 36): (486, 18, 5909, "c5fc0774d7ae9c63"),
    (63, 39): (672, 28, 32625, "8a4f5d890dfb1d6e"),
    (63, 45): (432, 24, 7251, "f3383cd80e40d23d"),
    (127, 106): (1008, 48, 35762, "fbe801eb6e81a022"),
}


@pytest.mark.parametrize("size", KNOWN)
def test_known_matrices(size):
    edges, degree, cycles, digest = KNOWN[size]
    code = bch(*size)
    assert code.name == f"bch-{size[0]}-{size[1]}"
    assert (code.m, code.n, code.k) == (size[0] - size[1], *size)
    assert code.edges == edges and set(code.check_degrees) == {degree}
    assert code.four_cycles == cycles and code.girth == 4
    assert code.rank == code.m and code.cyclic and code.lifting == 1
    assert hashlib.sha256(np.packbits(code.matrix())).hexdigest()[:16] == digest


@pytest.mark.skipif(SIONNA is None, reason="sionna-no-rt is not installed")
@pytest.mark.parametrize("size, key", [((63, 45), "pcm_1"), ((127, 106), "pcm_2")])
def test_matrices_of_sionna(size, key):
    (folder,) = SIONNA.submodule_search_locations
    with np.load(Path(folder, "phy/fec/ldpc/codes/example_codes.npz"), allow_pickle=True) as file:
        assert np.array_equal(bch(*size).matrix(), file[key])


def test_generator_polynomials():
    # Lin and Costello, table 6.4 (octal 1033500423 for t = 5), and komm 0.37 for (63, 36).
    assert generator(63, 36) == 0o1033500423 == 0x86E8113
    assert generator(15, 11) == 0b10011
    assert generator(15, 7) == 0b111010001
    assert generator(15, 5) == 0b10100110111
    assert generator(127, 113) == 0o41567


@pytest.mark.parametrize("size", [(7, 4), (15, 7), (31, 16), (63, 18), (255, 187)])
def test_roots_of_the_words(size):
    """The words are the polynomials that vanish at alpha, alpha^2, ... alpha^2t, and only they."""
    n, k = size
    primitive = {7: 0b1011, 15: 0b10011, 31: 0b100101, 63: 0b1000011, 255: 0b100011101}[n]
    width = n.bit_length()
    powers = [1]
    for _ in range(n - 1):
        doubled = powers[-1] << 1
        powers.append(doubled ^ primitive if doubled >> width else doubled)
    powers = np.array(powers)
    # Bits of alpha^(root * position): H by definition, with dependent rows.
    for t in range(1, n):
        roots = np.arange(1, 2 * t + 1)[:, None] * np.arange(n) % n
        by_definition = np.concatenate([powers[roots] >> bit & 1 for bit in range(width)])
        words = bch(n, k).encode(np.eye(k, dtype=int))
        if (by_definition @ words.T % 2).any():
            break
    assert t - 1 == {(7, 4): 1, (15, 7): 2, (31, 16): 3, (63, 18): 10, (255, 187): 9}[size]


def test_dimensions():
    assert dimensions(15) == [11, 7, 5, 1]
    assert dimensions(31) == [26, 21, 16, 11, 6, 1]
    assert dimensions(63) == [57, 51, 45, 39, 36, 30, 24, 18, 16, 10, 7, 1]
    assert dimensions(127)[:5] == [120, 113, 106, 99, 92]
    assert dimensions(255)[:5] == [247, 239, 231, 223, 215]
    assert 513 in dimensions(1023) and 768 in dimensions(1023)


@pytest.mark.parametrize("n", [7, 15, 31, 63])
def test_every_code_of_a_length(n):
    for k in dimensions(n):
        code = bch(n, k)
        assert code.rank == n - k and code.cyclic
        bits = np.random.default_rng(k).integers(0, 2, (20, k))
        words = code.encode(bits)
        assert np.array_equal(words[:, :k], bits) and not code.syndrome(words).any()
        # A cyclic code: a shifted word is a word.
        assert not code.syndrome(np.roll(words, 1, axis=1)).any()


@pytest.mark.parametrize("size", [(64, 36), (3, 1), (2047, 2036), (0, 0)])
def test_refuses_a_length(size):
    with pytest.raises(UserError, match=f"n of a BCH code must be one of 7, .*1023, not {size[0]}"):
        bch(*size)


@pytest.mark.parametrize("k", [37, 0, 63, -1])
def test_refuses_a_dimension(k):
    with pytest.raises(UserError, match=f"k of a BCH code with n = 63 must be .*36.*, not {k}$"):
        bch(63, k)
