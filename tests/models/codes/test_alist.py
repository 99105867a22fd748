"""alist files: what is read and written, and one clear line for each way to spoil one."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatesmith.models.codes import Code, bch
from gatesmith.models.codes.alist import read
from gatesmith.models.errors import UserError

# Rows 1 1 0 1 and 0 1 1 0.
SOUND = """4 2
2 3
1 2 1 1
3 2
1 0
1 2
2 0
1 0
1 2 4
2 3 0
"""
MATRIX = [[1, 1, 0, 1], [0, 1, 1, 0]]


def _write(folder: Path, text: str) -> Path:
    path = folder / "small.alist"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        SOUND,
        SOUND.replace(" 0\n", "\n"),
        SOUND.replace("\n", " \r\n"),
        "# by hand\n\n" + SOUND.replace("3 2\n", "3 2\n# columns\n") + "\n\n",
        SOUND.replace("1 2 4", "4 1 2"),
    ],
    ids=["padded", "bare", "windows", "comments", "any order"],
)
def test_read(text, tmp_path):
    code = Code.from_alist(_write(tmp_path, text))
    assert code.matrix().tolist() == MATRIX
    assert code.name == "small" and code.lifting == 1


def test_write(tmp_path):
    path = tmp_path / "made" / "small.alist"
    Code.from_matrix(np.array(MATRIX)).to_alist(path)
    assert path.read_text() == SOUND
    assert [each.name for each in path.parent.iterdir()] == ["small.alist"]


@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 12))
def test_round_trip(tmp_path_factory, seed, m, n):
    matrix = np.random.default_rng(seed).integers(0, 2, (m, n))
    matrix[:, 0] = matrix[0] = 1
    path = tmp_path_factory.mktemp("alist") / "code.alist"
    Code.from_matrix(matrix).to_alist(path)
    assert np.array_equal(Code.from_alist(path).matrix(), matrix)


def test_the_information_bits_are_those_of_the_matrix(tmp_path):
    path = tmp_path / "bch.alist"
    bch(63, 36).to_alist(path)
    assert np.array_equal(Code.from_alist(path).information, np.arange(36))


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("4 2\n", "4\n", ["line 1", "found '4'", "columns and rows"]),
        ("4 2\n", "4 two\n", ["line 1", "found '4 two'"]),
        ("4 2\n", "4 0\n", ["line 1", "each 1 to"]),
        ("4 2\n", "4 99999999\n", ["line 1", "'4 99999999'"]),
        ("2 3\n", "2 5\n", ["line 2", "found '2 5'", "of a row, 1 to 4"]),
        ("2 3\n", "2\n", ["line 2", "largest degrees"]),
        ("1 2 1 1\n", "1 2 1\n", ["line 3", "4 degrees of columns, each 1 to 2"]),
        ("1 2 1 1\n", "1 2 1 3\n", ["line 3", "each 1 to 2"]),
        ("1 2 1 1\n", "1 2 1 0\n", ["line 3", "each 1 to 2"]),
        ("3 2\n", "3 0\n", ["line 4", "2 degrees of rows, each 1 to 3"]),
        ("1 0\n", "1 1\n", ["line 5", "found '1 1'", "the one row of column 1"]),
        ("1 0\n", "3 0\n", ["line 5", "each 1 to 2"]),
        ("1 0\n", "0 0\n", ["line 5", "found '0 0'"]),
        ("1 0\n", "-1 0\n", ["line 5", "found '-1 0'"]),
        ("1 0\n", "0_1 0\n", ["line 5", "found '0_1 0'"]),
        ("1 0\n", "9" * 5000 + " 0\n", ["line 5", "found '999"]),
        ("1 0\n", "1.0 0\n", ["line 5", "found '1.0 0'"]),
        ("1 2\n2 0", "1\n2 0", ["line 6", "the 2 different rows of column 2, each 1 to 2"]),
        ("1 2\n2 0", "2 2\n2 0", ["line 6", "2 different rows"]),
        ("1 2 4\n", "1 2 4 0\n", ["line 9", "found '1 2 4 0'", "columns of row 1"]),
        ("1 2 4\n", "1 2 3\n", ["line 8", "must agree", "row 1, column 3"]),
        ("2 3 0\n", "", ["ends too early", "columns of row 2"]),
        ("2 3 0\n", "2 3 0\n7\n", ["line 11", "found '7'", "nothing after the last of the 2 rows"]),
        ("2 3 0\n", "2 3 0\n% x\n", ["line 11", "found '% x'", "nothing"]),
        (SOUND, "", ["ends too early", "columns and rows"]),
        (SOUND, "9 " * 50, ["line 1", "9 9 9...'"]),
        ("4 2\n", "4 2é\n", ["is not text"]),
    ],
)
def test_refuses(old, new, words, tmp_path):
    assert SOUND.count(old) == 1 or old in ("1 0\n", "3 2\n")
    path = _write(tmp_path, SOUND.replace(old, new, 1))
    with pytest.raises(UserError) as error:
        read(path)
    message = str(error.value)
    assert message.startswith(str(path)) and "\n" not in message
    for word in words:
        assert word in message, message


def test_refuses_a_place(tmp_path):
    code = bch(15, 11)
    with pytest.raises(UserError, match="no such file; expected an alist file$"):
        read(tmp_path / "none.alist")
    with pytest.raises(UserError, match="cannot be read: Is a directory$"):
        read(tmp_path)
    with pytest.raises(UserError, match="cannot be written: Is a directory$"):
        code.to_alist(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        code.to_alist(tmp_path / "file" / "x.alist")


@given(st.integers(0, len(SOUND) - 1), st.text("0123456789 -.#x\n", max_size=3), st.integers(0, 4))
def test_a_spoilt_file_is_read_or_refused(tmp_path_factory, place, text, length):
    path = tmp_path_factory.mktemp("alist") / "spoilt.alist"
    path.write_text(SOUND[:place] + text + SOUND[place + length :])
    try:
        matrix = Code.from_alist(path).matrix()
    except UserError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        assert matrix.any(axis=0).all() and matrix.any(axis=1).all()
