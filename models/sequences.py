"""Sequences for training and proof: texts of characters, images row by row, spoken vowels."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatesmith.models import data
from gatesmith.models.errors import UserError

__all__ = ["SEQUENCES", "TEXTS", "Sequences", "Shape", "Text", "load", "shape_of"]

VOWELS = "japanese-vowels"
TEXTS = ("war-and-peace", "austen")
SEQUENCES = (
    "digits",
    "mnist-rows",
    "mnist-pixels",
    "fashion-mnist-rows",
    VOWELS,
    *TEXTS,
)
MOST_CODE = 127  # inputs are Q0.7
MOST_SYMBOLS = 4096
VOWEL_STEPS = 64  # codes a unit of a coefficient: the range is -1.98 to 1.98
VALID_UTTERANCES = 3  # of each speaker
VOWELS_SOURCE = "aeon/datasets/data/JapaneseVowels in the PyPI package aeon, or the UCI archive"

# Name of the file, bytes of it that are read, where it comes from. Some copies of War and Peace
# end in other text: the novel, as Karpathy et al. cut it, is the first 3,258,246 bytes.
_FILES = {
    "war-and-peace": (
        "war_and_peace.txt",
        3_258_246,
        "cs.stanford.edu/people/karpathy/char-rnn/warpeace_input.txt",
    ),
    "austen": (
        "austen.txt",
        None,
        "the six novels of the R package janeaustenr, one after the other",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Values of a step, classes, most steps."""

    inputs: int
    classes: int
    steps: int


_SHAPES = {
    "digits": Shape(inputs=8, classes=10, steps=8),
    "mnist-rows": Shape(inputs=28, classes=10, steps=28),
    "mnist-pixels": Shape(inputs=1, classes=10, steps=784),
    "fashion-mnist-rows": Shape(inputs=28, classes=10, steps=28),
    VOWELS: Shape(inputs=12, classes=9, steps=29),
}


def shape_of(name: str) -> Shape:
    """Shape of a data set that is not a text."""
    return _SHAPES[name]


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Sequences of one split.

    Parameters
    ----------
    x : int8 [sequences, most steps, inputs]   Q0.7; 0 after the end of a sequence.
    y : int64 [sequences]                      Classes.
    lengths : int64 [sequences]                Steps of each.
    """

    x: np.ndarray
    y: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Sequences:
    """Sequences to be classified, in three splits."""

    name: str
    train: Part
    valid: Part
    test: Part


@dataclass(frozen=True, kw_only=True, eq=False)
class Text:
    """A text as symbols: uint16 ``[characters]`` a split, the index in ``vocabulary``."""

    name: str
    vocabulary: tuple[str, ...]
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


def load(name: str, data_dir: str | Path | None = None) -> Sequences | Text:
    """Read a data set; the same split on every machine.

    ``data_dir`` (or else the environment variable GATESMITH_DATA) is the folder with the files.
    UserError when one is missing or damaged.
    """
    if name not in SEQUENCES:
        raise UserError(f"Data must be one of {', '.join(SEQUENCES)}, not {name!r}")
    if name in TEXTS:
        return split_text(name, read_text(name, data_dir))
    return _vowels(data_dir) if name == VOWELS else _images(name, data_dir)


def _images(name: str, data_dir: str | Path | None) -> Sequences:
    base, _, view = name.partition("-rows") if "-rows" in name else name.partition("-pixels")
    found = data.load(base, data_dir)
    shape = _SHAPES[name]

    def part(x: np.ndarray, y: np.ndarray) -> Part:
        codes = (2 * x.astype(np.int64) * MOST_CODE + found.levels) // (2 * found.levels)
        return Part(
            x=codes.astype(np.int8).reshape(len(x), shape.steps, shape.inputs),
            y=y,
            lengths=np.full(len(x), shape.steps, dtype=np.int64),
        )

    return Sequences(
        name=name,
        train=part(found.train_x, found.train_y),
        valid=part(found.valid_x, found.valid_y),
        test=part(found.test_x, found.test_y),
    )


def _find(name: str, file: str, inner: str, data_dir: str | Path | None, source: str) -> Path:
    """Path of a file in the data folder, or in a folder within it; UserError when it is not."""
    folder = data_dir if data_dir is not None else os.environ.get(data.ENVIRONMENT)
    if not folder:
        raise data.MissingData(
            f"Data {name!r} needs a folder with {file}: give --data-dir DIR or set "
            f"${data.ENVIRONMENT}; source: {source}"
        )
    places = [Path(folder, inner), Path(folder)]
    for place in places:
        if (place / file).is_file():
            return place / file
    raise data.MissingData(
        f"Data {name!r}: no {file} in {', '.join(map(str, places))}; source: {source}"
    )


def _decode(path: Path, size: int | None = None) -> str:
    """Text of a file, or of its first bytes, UTF-8 with or without a byte order mark."""
    try:
        return path.read_bytes()[:size].decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8: {error}") from error


def read_text(name: str, data_dir: str | Path | None = None) -> str:
    """The characters of a text file, line ends as they are."""
    file, size, source = _FILES[name]
    return _decode(_find(name, file, "text", data_dir, source), size)


def _vowels(data_dir: str | Path | None) -> Sequences:
    """Nine speakers' vowels, 12 coefficients a step; of each speaker the last three of the 30
    training utterances validate."""
    train, test = (_read_ts(data_dir, part) for part in ("TRAIN", "TEST"))
    place = np.zeros(len(train.y), dtype=np.int64)
    for speaker in np.unique(train.y):
        members = np.flatnonzero(train.y == speaker)
        place[members[-VALID_UTTERANCES:]] = 1

    def chosen(rows: np.ndarray) -> Part:
        return Part(x=train.x[rows], y=train.y[rows], lengths=train.lengths[rows])

    return Sequences(name=VOWELS, train=chosen(place == 0), valid=chosen(place == 1), test=test)


def _read_ts(data_dir: str | Path | None, part: str) -> Part:
    """One split of the vowels: a line an utterance, ``values of a channel:...:speaker``."""
    file = f"JapaneseVowels_{part}.ts"
    path = _find(VOWELS, file, "JapaneseVowels", data_dir, VOWELS_SOURCE)
    shape = _SHAPES[VOWELS]
    lines = [
        line
        for line in _decode(path).splitlines()
        if line.strip() and not line.startswith(("#", "@"))
    ]
    x = np.zeros((len(lines), shape.steps, shape.inputs), dtype=np.int8)
    y = np.zeros(len(lines), dtype=np.int64)
    lengths = np.zeros(len(lines), dtype=np.int64)
    for row, line in enumerate(lines):
        *channels, speaker = line.split(":")
        try:
            values = np.array([[float(v) for v in channel.split(",")] for channel in channels])
            y[row] = int(speaker) - 1
        except ValueError as error:
            raise UserError(f"{path}: utterance {row + 1} is damaged: {error}") from error
        inputs, steps = values.shape
        sound = inputs == shape.inputs and steps <= shape.steps and 0 <= y[row] < shape.classes
        if not sound or not np.isfinite(values).all():
            raise UserError(
                f"{path}: utterance {row + 1} must have {shape.inputs} channels of 1 to "
                f"{shape.steps} numbers and a speaker 1 to {shape.classes}, not {inputs} of "
                f"{steps} and {speaker!r}"
            )
        codes = np.floor(values.T * VOWEL_STEPS + 0.5)
        x[row, :steps] = np.clip(codes, -MOST_CODE, MOST_CODE)
        lengths[row] = steps
    if len(lines) < shape.classes:
        raise UserError(f"{path}: must hold at least {shape.classes} utterances, not {len(lines)}")
    return Part(x=x, y=y, lengths=lengths)


def split_text(name: str, text: str) -> Text:
    """The first 80 % train, the next 10 % validate, the last 10 % test.

    The vocabulary is every character of the whole text, in order of its code point.
    """
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    points, symbols = np.unique(codes, return_inverse=True)
    if len(codes) < 1000 or not 2 <= len(points) <= MOST_SYMBOLS:
        raise UserError(
            f"Data {name!r}: text must have at least 1000 characters of 2 to {MOST_SYMBOLS} "
            f"kinds, not {len(codes)} of {len(points)}"
        )
    symbols = symbols.astype(np.uint16)
    first, second = len(codes) * 8 // 10, len(codes) * 9 // 10
    return Text(
        name=name,
        vocabulary=tuple(chr(point) for point in points),
        train=symbols[:first],
        valid=symbols[first:second],
        test=symbols[second:],
    )
