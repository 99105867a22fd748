"""A code from its matrix: what is checked, what it computes."""

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatesmith.models.codes import Code, bch, ldpc
from gatesmith.models.errors import UserError

HAMMING = np.array([[1, 0, 1, 0, 1, 0, 1], [0, 1, 1, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1, 1]])


@st.composite
def matrices(draw):
    """Small matrices without empty rows and columns, some with rows that depend on others."""
    m, n = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    matrix = (generator.random((m, n)) < draw(st.floats(0.1, 0.9))).astype(np.uint8)
    matrix[generator.integers(0, m, n), np.arange(n)] = 1
    if draw(st.booleans()):
        matrix = np.concatenate([matrix, matrix[:1]])
    return matrix[matrix.any(axis=1)]


@given(matrices())
def test_matrix_and_words(matrix):
    code = Code.from_matrix(matrix)
    m, n = matrix.shape
    assert np.array_equal(code.matrix(), matrix) and (code.m, code.n) == (m, n)
    assert code.edges == matrix.sum()
    assert np.array_equal(code.check_degrees, matrix.sum(axis=1))
    assert np.array_equal(code.variable_degrees, matrix.sum(axis=0))
    # All words by trial: the encoder must give these, each once.
    words = np.array(list(product((0, 1), repeat=n)))
    syndromes = words @ matrix.T % 2
    assert np.array_equal(code.syndrome(words), syndromes)
    valid = words[~syndromes.any(axis=1)]
    assert len(valid) == 2**code.k and code.k == n - code.rank
    bits = np.array(list(product((0, 1), repeat=code.k))).reshape(2**code.k, code.k)
    encoded = code.encode(bits)
    assert encoded.dtype == np.uint8 and np.array_equal(encoded[:, code.information], bits)
    assert np.array_equal(np.unique(encoded, axis=0), valid)


def test_hamming():
    code = Code.from_matrix(HAMMING, "hamming")
    assert code.name == "hamming" and code.rank == 3 and code.k == 4
    assert code.checks.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert code.variables.tolist() == [0, 2, 4, 6, 1, 2, 5, 6, 3, 4, 5, 6]
    assert code.checks.dtype == code.variables.dtype == code.information.dtype == np.int32
    assert code.information.tolist() == [0, 1, 2, 3]  # pivots are taken from the right
    assert not code.cyclic and code.girth == 4 and code.four_cycles == 3
    assert len(code.punctured) == len(code.shortened) == 0
    with pytest.raises(ValueError, match="read-only"):
        code.checks[0] = 1


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint64, float])
def test_kinds_of_numbers(kind):
    assert np.array_equal(Code.from_matrix(HAMMING.astype(kind)).matrix(), HAMMING)


@pytest.mark.parametrize(
    "change, message",
    [
        ((1, 3, 2), "row 1, column 3 holds 2$"),
        ((0, 0, -1), "row 0, column 0 holds -1$"),
        ((2, 6, 0.5), "row 2, column 6 holds 0.5$"),
        ((0, 1, np.nan), "row 0, column 1 holds nan$"),
    ],
)
def test_refuses_other_entries(change, message):
    row, column, value = change
    matrix = HAMMING.astype(np.result_type(HAMMING, value))
    matrix[row, column] = value
    with pytest.raises(UserError, match=f"^mine: a parity-check.*0 and 1 only, but {message}"):
        Code.from_matrix(matrix, "mine")


@pytest.mark.parametrize("row", [0, 1, 2])
def test_refuses_a_row_of_zeros(row):
    matrix = HAMMING.copy()
    matrix[row] = 0
    with pytest.raises(UserError, match=rf"^matrix: every row .* but row {row} \(counted from 0\)"):
        Code.from_matrix(matrix)


@pytest.mark.parametrize("column", [0, 3, 6])
def test_refuses_a_column_of_zeros(column):
    matrix = HAMMING.copy()
    matrix[:, column] = 0
    with pytest.raises(UserError, match=rf"every column .* but column {column} \(counted from 0\)"):
        Code.from_matrix(matrix)


@pytest.mark.parametrize("matrix", [np.zeros((0, 3)), np.ones(4), np.ones((2, 2, 2)), [[]]])
def test_refuses_a_shape(matrix):
    with pytest.raises(UserError, match="must have rows and columns, not shape"):
        Code.from_matrix(matrix)


@pytest.mark.parametrize("entry", ["1", None])
def test_refuses_what_is_no_number(entry):
    with pytest.raises(UserError, match=f"0 and 1 only, but row 0, column 0 holds {entry!r}"):
        Code.from_matrix(np.array([[entry, entry]]))


PLAIN = {"name": "x", "n": 3, "checks": [0, 0, 1, 1], "variables": [0, 1, 1, 2], "information": [0]}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"checks": [0, 0, 1]}, "one entry an edge"),
        ({"checks": [0, 0, 1, 0.5]}, "Checks must be a vector of integers"),
        ({"checks": [[0, 0, 1, 1]]}, "Checks must be a vector of integers"),
        ({"checks": [0, 0, -1, 1]}, "ascending"),
        ({"checks": [1, 1, 0, 0]}, "Edges must be ascending"),
        ({"variables": [1, 0, 1, 2]}, "Edges must be ascending"),
        ({"variables": [0, 0, 1, 2]}, "none twice"),
        ({"variables": [0, 1, 1, 3]}, "Variables must be from 0 to 2"),
        ({"information": [3]}, "Information must be from 0 to 2"),
        ({"information": [1, 0]}, "Information must be ascending"),
        ({"punctured": [-1]}, "Punctured must be from 0 to 2"),
        ({"shortened": [1, 1]}, "Shortened must be ascending"),
        ({"shortened": [0]}, "Information and punctured bits must not be shortened"),
        ({"shortened": [2], "punctured": [1, 2]}, "must not be shortened"),
    ],
)
def test_refuses_a_member(change, message):
    with pytest.raises(ValueError, match=message):
        Code(**PLAIN | change)


def test_refuses_no_edges():
    with pytest.raises(UserError, match="A code must be a matrix with a 1 in it, not 'x'"):
        Code(**PLAIN | {"checks": [], "variables": []})


@pytest.mark.parametrize("information", [[], [0, 1]])
def test_information_must_fix_a_word(information):
    code = Code(**PLAIN | {"information": information})
    with pytest.raises(ValueError, match="x: these information positions do not fix a word"):
        code.encode(np.zeros((1, len(information)), dtype=int))


def test_information_elsewhere():
    assert Code(**PLAIN | {"information": [2]}).encode(np.array([[1]])).tolist() == [[1, 1, 1]]


def test_shortened_bits_are_zero():
    code = Code.from_matrix(HAMMING)
    short = Code(
        name="short",
        n=7,
        checks=code.checks,
        variables=code.variables,
        information=[0, 2],
        punctured=[6],
        shortened=[1, 4],
    )
    words = short.encode(np.array(list(product((0, 1), repeat=2))))
    assert len(np.unique(words, axis=0)) == 4 and not words[:, [1, 4]].any()
    assert not short.syndrome(words).any() and short.sent.tolist() == [0, 2, 3, 5]


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 5)])
def test_encode_refuses_a_shape(shape):
    with pytest.raises(ValueError, match=r"Bits must have shape \[frames, 4\], not"):
        Code.from_matrix(HAMMING).encode(np.zeros(shape, dtype=int))


def test_encode_refuses_other_bits():
    with pytest.raises(ValueError, match="Bits must be 0 or 1"):
        Code.from_matrix(HAMMING).encode(np.array([[0, 1, 2, 0]]))


def test_syndrome_refuses_a_shape():
    with pytest.raises(ValueError, match=r"Words must have shape \[frames, 7\], not \[2, 6\]"):
        Code.from_matrix(HAMMING).syndrome(np.zeros((2, 6)))


def test_no_frames():
    code = Code.from_matrix(HAMMING)
    assert code.encode(np.zeros((0, 4))).shape == (0, 7)
    assert code.syndrome(np.zeros((0, 7))).shape == (0, 3)


def test_cyclic():
    assert bch(15, 7).cyclic
    assert Code.from_matrix(np.eye(5)).cyclic
    ring = np.eye(5, dtype=int) + np.roll(np.eye(5, dtype=int), 1, axis=1)
    assert Code.from_matrix(ring).cyclic  # the last row begins anew in column 0
    assert not Code.from_matrix(ring[::-1]).cyclic
    assert not Code.from_matrix(ring[:1, :2]).cyclic
    assert not ldpc("ccsds-128-64").cyclic


def test_lifting():
    matrix = ldpc("ccsds-128-64").matrix()
    assert Code.from_matrix(matrix, lifting=16).girth == Code.from_matrix(matrix).girth == 6
    assert Code.from_matrix(matrix, lifting=1).lifting == 1
    for wrong in (8, 32, 5, 0, -1):
        with pytest.raises(UserError, match=f"^mine: its blocks of {wrong} rows .* 0 or a sum of"):
            Code.from_matrix(matrix, "mine", lifting=wrong)


def test_encoding_is_quick():
    code = ldpc("wifi-648-r12")
    bits = np.random.default_rng(0).integers(0, 2, (10_000, code.k), dtype=np.uint8)
    start = time.perf_counter()
    assert not code.syndrome(code.encode(bits)).any()
    assert time.perf_counter() - start < 5  # 0.1 s on a machine at rest
