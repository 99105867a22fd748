"""Data sets: splits, quantiser, and files that are missing or damaged."""

import gzip
import re
import struct

import numpy as np
import pytest

from gatesmith.models import data
from gatesmith.models.errors import UserError


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path):
    """A data folder with four files of MNIST's shapes, two plain and two compressed."""
    generator = np.random.default_rng(1)
    files = {
        "train-images-idx3-ubyte": generator.integers(0, 256, (60_000, 28, 28), dtype=np.uint8),
        "train-labels-idx1-ubyte": generator.integers(0, 10, 60_000, dtype=np.uint8),
        "t10k-images-idx3-ubyte.gz": np.zeros((10_000, 28, 28), dtype=np.uint8),
        "t10k-labels-idx1-ubyte.gz": np.arange(10_000) % 10,
    }
    (tmp_path / "mnist").mkdir()
    for name, array in files.items():
        content = idx(array)
        path = tmp_path / "mnist" / name
        path.write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    return tmp_path


def test_rejects_name():
    with pytest.raises(UserError, match=r"^Data must be one of digits, .*, not 'cifar'$"):
        data.load("cifar")


def test_rejects_no_folder(monkeypatch):
    monkeypatch.delenv("GATESMITH_DATA", raising=False)
    with pytest.raises(UserError, match="train-images-idx3-ubyte.*--data-dir DIR or set .GATESMI"):
        data.load("mnist")


def test_rejects_missing_file(tmp_path):
    place = re.escape(str(tmp_path / "fashion-mnist"))
    with pytest.raises(UserError, match=rf"no train-images-idx3-ubyte.*{place}.*source: .*zaland"):
        data.load("fashion-mnist", tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"\x80\x04pickled", "not an IDX file"),
        (b"\0\0\x0d\x03" + bytes(12), "not an IDX file of unsigned bytes"),
        (b"\0\0\x08\x03\0\0", "truncated in its header"),
        (idx(np.zeros((3, 28, 28)))[:-1], "must hold 2352 bytes"),
        (gzip.compress(idx(np.zeros((3, 28, 28))), mtime=0)[:-20], "cannot be read"),
        (idx(np.zeros((3, 28, 28))), "shape must be .60000, 28, 28., not .3, 28, 28."),
        (struct.pack(">BBBB4I", 0, 0, 8, 4, *[0xFFFFFFFF] * 4), "must hold 3402823"),
    ],
)
def test_rejects_damaged_images(tmp_path, content, message):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(UserError, match=message):
        data.load("mnist", tmp_path)


def test_rejects_labels_out_of_range(folder):
    labels = np.zeros(60_000)
    labels[7] = 10
    (folder / "mnist" / "train-labels-idx1-ubyte").write_bytes(idx(labels))
    with pytest.raises(UserError, match="labels must be below 10, not 10"):
        data.load("mnist", folder)


def test_digits_split_is_stratified_and_complete():
    found = data.load("digits")
    assert (found.inputs, found.levels) == (64, 16)
    sizes = [len(found.train_y), len(found.valid_y), len(found.test_y)]
    assert sum(sizes) == 1797 and sizes == [1266, 176, 355]
    for labels in (found.train_y, found.valid_y, found.test_y):
        counts = np.bincount(labels, minlength=10)
        assert counts.max() - counts.min() <= 0.1 * counts.max() + 1
    # The same split on every machine.
    assert found.test_y[:10].tolist() == [5, 9, 2, 4, 6, 7, 9, 3, 4, 6]


def test_mnist_split(folder, monkeypatch):
    found = data.load("mnist", folder)
    assert found.train_x.shape == (55_000, 784) and found.valid_x.shape == (5_000, 784)
    assert found.test_x.shape == (10_000, 784) and found.levels == 255
    assert found.test_y[:3].tolist() == [0, 1, 2]
    monkeypatch.setenv("GATESMITH_DATA", str(folder / "mnist"))
    assert np.array_equal(data.load("mnist").valid_y, found.valid_y)


def test_quantise():
    assert data.quantise(np.arange(17), 16, 4).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9] + [
        10,
        11,
        12,
        13,
        14,
        15,
    ]
    assert data.quantise(np.array([0, 127, 128, 255]), 255, 1).tolist() == [0, 0, 1, 1]
    assert np.array_equal(data.quantise(np.arange(256), 255, 8), np.arange(256))
