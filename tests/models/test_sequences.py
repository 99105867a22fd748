"""Sequences: splits, codes, and files that are missing or damaged."""

import re

import numpy as np
import pytest

from gatesmith.models import data, sequences
from gatesmith.models.errors import UserError


def utterance(steps: int, speaker: int, value: float = 0.5) -> str:
    return ":".join([",".join([str(value)] * steps)] * 12 + [str(speaker)])


@pytest.fixture
def vowels(tmp_path):
    (tmp_path / "JapaneseVowels").mkdir()
    for part in ("TRAIN", "TEST"):
        lines = ["# a comment", "@data"]
        lines += [utterance(7 + k % 23, speaker) for speaker in range(1, 10) for k in range(5)]
        (tmp_path / "JapaneseVowels" / f"JapaneseVowels_{part}.ts").write_text("\n".join(lines))
    return tmp_path


def test_rejects_name():
    with pytest.raises(UserError, match=r"^Data must be one of digits, .*, not 'mnist'$"):
        sequences.load("mnist")


@pytest.mark.parametrize("name", ["austen", "japanese-vowels"])
def test_rejects_no_folder(monkeypatch, tmp_path, name):
    monkeypatch.delenv("GATESMITH_DATA", raising=False)
    with pytest.raises(UserError, match="needs a folder with .*: give --data-dir DIR or set .GATE"):
        sequences.load(name)
    place = re.escape(str(tmp_path))
    with pytest.raises(UserError, match=rf"no \w+\.\w+ in {place}.*, {place}; source: "):
        sequences.load(name, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\xff", "cannot be read as UTF-8"),
        (b"too short", "text must have at least 1000 characters of 2 to 4096 kinds, not 9 of 6"),
        (b"a" * 2000, "text must have at least 1000 characters of 2 to 4096 kinds, not 2000 of 1"),
    ],
)
def test_rejects_text(tmp_path, content, message):
    (tmp_path / "austen.txt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        sequences.load("austen", tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2:x", "utterance 46 is damaged"),
        (utterance(7, 10), "utterance 46 must have 12 channels .* not 12 of 7 and '10'"),
        (utterance(30, 1), "utterance 46 must have 12 channels .* not 12 of 30 and '1'"),
        (utterance(7, 1, float("nan")), "utterance 46 must have 12 channels"),
        ("1,2:3,4:1", "utterance 46 must have 12 channels .* not 2 of 2"),
        ("1:2,3:1", "utterance 46 is damaged"),
    ],
)
def test_rejects_utterance(vowels, line, message):
    path = vowels / "JapaneseVowels" / "JapaneseVowels_TRAIN.ts"
    path.write_text(path.read_text() + "\n" + line)
    with pytest.raises(UserError, match=message):
        sequences.load("japanese-vowels", vowels)


def test_digits_row_by_row():
    found, images = sequences.load("digits"), data.load("digits")
    assert found.train.x.shape == (1266, 8, 8) and found.train.x.dtype == np.int8
    assert np.array_equal(found.test.y, images.test_y)
    codes = data.quantise(images.test_x, 16, 7).reshape(-1, 8, 8)
    assert np.array_equal(found.test.x, codes) and found.test.x.max() == 127
    assert (found.valid.lengths == 8).all()


def test_vowels(vowels):
    found = sequences.load("japanese-vowels", vowels)
    assert len(found.train.y) == 18 and len(found.valid.y) == 27 and len(found.test.y) == 45
    assert found.test.x.shape == (45, 29, 12) and found.test.lengths[:3].tolist() == [7, 8, 9]
    assert (found.test.x[0, :7] == 32).all() and not found.test.x[0, 7:].any()


def test_text_split_and_vocabulary(tmp_path):
    text = "\ufeff" + "cab\r\n" * 300
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "austen.txt").write_bytes(text.encode())
    found = sequences.load("austen", tmp_path)
    assert found.vocabulary == ("\n", "\r", "a", "b", "c")
    assert [len(part) for part in (found.train, found.valid, found.test)] == [1200, 150, 150]
    assert found.train[:5].tolist() == [4, 2, 3, 1, 0]


def test_what_follows_the_novel_is_not_read(tmp_path):
    (tmp_path / "war_and_peace.txt").write_bytes(b"ab" * 1_629_123 + "☆".encode() * 9)
    found = sequences.load("war-and-peace", tmp_path)
    assert found.vocabulary == ("a", "b") and len(found.test) == 325_825
