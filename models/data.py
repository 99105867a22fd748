"""Data sets for training and proof: scikit-learn's digits, and MNIST's IDX files."""

import gzip
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatesmith.models.errors import UserError

__all__ = [
    "CLASSES",
    "DATASETS",
    "DEFAULT_BITS",
    "Dataset",
    "MissingData",
    "load",
    "quantise",
    "read_idx",
]

DATASETS = ("digits", "mnist", "fashion-mnist")
INPUTS = {"digits": 64, "mnist": 784, "fashion-mnist": 784}
CLASSES = 10
DEFAULT_BITS = {"digits": 4, "mnist": 8, "fashion-mnist": 8}
ENVIRONMENT = "GATESMITH_DATA"
TRAIN_IMAGES = 55_000  # of the 60,000 training images; the last 5,000 validate

_SOURCES = {
    "mnist": "torchvision.datasets.MNIST(DIR, download=True), or any copy of the four IDX files",
    "fashion-mnist": "Debian package dataset-fashion-mnist, github.com/zalandoresearch/"
    "fashion-mnist, or torchvision.datasets.FashionMNIST(DIR, download=True)",
}
_FOLDERS = {"mnist": ("mnist", "MNIST/raw"), "fashion-mnist": ("fashion-mnist", "FashionMNIST/raw")}
_IDX_UBYTE = 0x08


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Images as rows of raw grey levels, 0 to ``levels``, and their classes.

    Parameters
    ----------
    name : str       One of ``DATASETS``.
    levels : int     Greatest grey level: 16 for digits, 255 for the others.
    train_x, valid_x, test_x : uint8 [images, inputs]   Row by row of the image.
    train_y, valid_y, test_y : int64 [images]           Classes, 0 to 9.
    """

    name: str
    levels: int
    train_x: np.ndarray
    train_y: np.ndarray
    valid_x: np.ndarray
    valid_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray

    @property
    def inputs(self) -> int:
        """Pixels of an image."""
        return int(self.train_x.shape[1])


def quantise(x: np.ndarray, levels: int, bits: int) -> np.ndarray:
    """Grey levels 0 to ``levels`` rounded to 0 to 2**bits - 1, halves up; int64, same shape."""
    x = np.asarray(x, dtype=np.int64)
    return (2 * x * ((1 << bits) - 1) + levels) // (2 * levels)


def load(name: str, data_dir: str | Path | None = None) -> Dataset:
    """Read a data set; the same split on every machine.

    ``data_dir`` (or else the environment variable GATESMITH_DATA) is the folder with the IDX
    files, plain or ``.gz``, or with a folder named after the data set. Digits need none.
    UserError when a file is missing or damaged.
    """
    if name not in DATASETS:
        raise UserError(f"Data must be one of {', '.join(DATASETS)}, not {name!r}")
    if name == "digits":
        return _digits()
    train_x = _images(name, data_dir, "train-images-idx3-ubyte", 60_000)
    train_y = _labels(name, data_dir, "train-labels-idx1-ubyte", 60_000)
    return Dataset(
        name=name,
        levels=255,
        train_x=train_x[:TRAIN_IMAGES],
        train_y=train_y[:TRAIN_IMAGES],
        valid_x=train_x[TRAIN_IMAGES:],
        valid_y=train_y[TRAIN_IMAGES:],
        test_x=_images(name, data_dir, "t10k-images-idx3-ubyte", 10_000),
        test_y=_labels(name, data_dir, "t10k-labels-idx1-ubyte", 10_000),
    )


def _digits() -> Dataset:
    """1,797 images of 8 x 8; of each class a fifth tests and a tenth validates."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    bunch = load_digits()
    x, y = bunch.data.astype(np.uint8), bunch.target.astype(np.int64)
    generator = np.random.default_rng(0)
    parts: dict[str, list[np.ndarray]] = {"test": [], "valid": [], "train": []}
    for digit in range(CLASSES):
        members = generator.permutation(np.flatnonzero(y == digit))
        tests, valids = len(members) // 5, len(members) // 10
        parts["test"].append(members[:tests])
        parts["valid"].append(members[tests : tests + valids])
        parts["train"].append(members[tests + valids :])
    # Ascending indices mix the classes, as the images of the source are mixed.
    train, valid, test = (np.sort(np.concatenate(parts[k])) for k in ("train", "valid", "test"))
    return Dataset(
        name="digits",
        levels=16,
        train_x=x[train],
        train_y=y[train],
        valid_x=x[valid],
        valid_y=y[valid],
        test_x=x[test],
        test_y=y[test],
    )


class MissingData(UserError):
    """A data set is not where it was looked for."""


def _find(name: str, data_dir: str | Path | None, stem: str) -> Path:
    """Path of one IDX file, or a UserError that says where it was looked for."""
    folder = data_dir if data_dir is not None else os.environ.get(ENVIRONMENT)
    if not folder:
        raise MissingData(
            f"Data {name!r} needs a folder with {stem}[.gz]: give --data-dir DIR or set "
            f"${ENVIRONMENT}; source: {_SOURCES[name]}"
        )
    folders = [Path(folder, inner) for inner in _FOLDERS[name]] + [Path(folder)]
    for place in folders:
        for suffix in ("", ".gz"):
            path = place / (stem + suffix)
            if path.is_file():
                return path
    raise MissingData(
        f"Data {name!r}: no {stem}[.gz] in {', '.join(map(str, folders))}; source: {_SOURCES[name]}"
    )


def read_idx(path: str | Path) -> np.ndarray:
    """The uint8 array of an IDX file, plain or gzip; UserError when it is not one."""
    path = Path(path)
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _IDX_UBYTE or not 1 <= data[3] <= 4:
        raise UserError(f"{path}: not an IDX file of unsigned bytes: starts with {data[:4]!r}")
    header = 4 + 4 * data[3]
    if len(data) < header:
        raise UserError(f"{path}: truncated in its header")
    shape = struct.unpack(f">{data[3]}I", data[4:header])
    size = int(np.prod(shape, dtype=object))
    if len(data) - header != size:
        raise UserError(f"{path}: must hold {size} bytes for {shape}, not {len(data) - header}")
    return np.frombuffer(data, dtype=np.uint8, offset=header).reshape(shape)


def _images(name: str, data_dir: str | Path | None, stem: str, count: int) -> np.ndarray:
    path = _find(name, data_dir, stem)
    images = read_idx(path)
    if images.shape != (count, 28, 28):
        raise UserError(f"{path}: shape must be {(count, 28, 28)}, not {images.shape}")
    return images.reshape(count, -1)


def _labels(name: str, data_dir: str | Path | None, stem: str, count: int) -> np.ndarray:
    path = _find(name, data_dir, stem)
    labels = read_idx(path)
    if labels.shape != (count,):
        raise UserError(f"{path}: shape must be {(count,)}, not {labels.shape}")
    if labels.max() >= CLASSES:
        raise UserError(f"{path}: labels must be below {CLASSES}, not {int(labels.max())}")
    return labels.astype(np.int64)
