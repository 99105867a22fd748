"""Training: learns, resumes bit for bit, refuses data and files that do not fit."""

import dataclasses

import numpy as np
import pytest
import torch

from gatesmith.models import sequences
from gatesmith.models.errors import UserError
from gatesmith.models.lstm_net import (
    LowBitLSTM,
    LSTMConfig,
    fit,
    load_checkpoint,
    lower,
    read_metrics,
    resume_path,
    train,
)
from gatesmith.models.lstm_net.baseline import float_baseline
from gatesmith.models.lstm_net.training import fast_products
from gatesmith.models.sequences import Part

SHORT = LSTMConfig(hidden=(16,), epochs=4, batch=100)
TEXT = LSTMConfig(
    data="war-and-peace", hidden=(24,), epochs=4, batch=8, bptt=16, learning_rate=0.02
)


class Stop(Exception):
    pass


def stop_after(epoch):
    def progress(report):
        if report.epoch == epoch:
            raise Stop

    return progress


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data folder with a text of words that follow one another by rule."""
    random = np.random.default_rng(4)
    words = ["the ", "cat ", "sat ", "on ", "a ", "mat.\n"]
    text = "".join(words[(k + int(random.integers(0, 2))) % 6] for k in range(3000))
    path = tmp_path_factory.mktemp("data")
    (path / "war_and_peace.txt").write_text(text)
    return path


def part(x, y, steps=8) -> Part:
    return Part(x=x, y=y, lengths=np.full(len(x), steps, dtype=np.int64))


def test_rejects_training_data():
    net = LowBitLSTM(SHORT)
    x, y = np.zeros((10, 8, 8), dtype=np.int64), np.zeros(10, dtype=np.int64)
    with pytest.raises(UserError, match=r"^Training data must have shapes \['n', 8, 8\], \['n'\]"):
        fit(net, part(x[:, 1:], y))
    with pytest.raises(UserError, match="^Training inputs must be integers between -128 and 127$"):
        fit(net, part(x + 128, y))
    with pytest.raises(UserError, match="^Training inputs must be integers between -128 and 127$"):
        fit(net, part(x.astype(float), y))
    with pytest.raises(UserError, match="^Classes must be integers between 0 and 9$"):
        fit(net, part(x, y + 10))
    with pytest.raises(UserError, match="^Lengths must be integers between 1 and 8$"):
        fit(net, part(x, y, 9))
    with pytest.raises(UserError, match="^Training data must be sequences with classes for digit"):
        fit(net, y)


def test_rejects_symbols():
    net = LowBitLSTM(dataclasses.replace(TEXT, inputs=5, classes=5), tuple("abcde"))
    with pytest.raises(UserError, match="^Symbols must be integers between 0 and 4$"):
        fit(net, np.full(100, 5))
    with pytest.raises(UserError, match="^A text must be at least 16 symbols in one dimension"):
        fit(net, np.zeros(9, dtype=np.int64))


def test_rejects_checkpoint_name(tmp_path):
    with pytest.raises(UserError, match=r"^Checkpoint must be named \*.safetensors, not 'net.pt'"):
        train(SHORT, tmp_path / "net.pt")


def test_rejects_own_data(tmp_path):
    config = LSTMConfig(data="own", inputs=3, classes=2, steps=4)
    with pytest.raises(UserError, match="^Data must be a named data set for train"):
        train(config, tmp_path / "net.safetensors")


def test_rejects_sizes_of_another_text(tmp_path, folder):
    with pytest.raises(UserError, match="^Inputs must be 12 for this text, not 9$"):
        train(dataclasses.replace(TEXT, inputs=9), tmp_path / "net.safetensors", folder)


def test_training_learns_digits(tmp_path):
    reports = []
    config = dataclasses.replace(SHORT, hidden=(32,), epochs=15, batch=50, state_threshold=0.1)
    path = tmp_path / "net.safetensors"
    metrics = train(config, path, progress=reports.append)
    assert metrics["test_accuracy"] > 0.9
    assert [r.epoch for r in reports] == list(range(1, 16))
    assert reports[-1].valid_accuracy == metrics["valid_accuracy"]
    assert 0 < metrics["state_sparsity_of_8"][0] < metrics["state_sparsity"][0] < 1
    assert [entry["epoch"] for entry in load_checkpoint(path).history] == list(range(1, 16))
    assert list(tmp_path.iterdir()) == [path] and read_metrics(path) == metrics


def test_training_learns_a_text(tmp_path, folder):
    path = tmp_path / "net.safetensors"
    metrics = train(TEXT, path, folder, baseline=True)
    # Each word is one of two: a bit a word of 3.8 characters, and less once the state is used.
    assert metrics["test_bpc"] < 0.6 and metrics["float_test_bpc"] < 0.6
    net = load_checkpoint(path)
    assert net.vocabulary == tuple("\n .acehmnost") and lower(net).one_hot


@pytest.mark.parametrize(
    "values",
    [
        {"norm": "shared-bn"},
        {"norm": "shared-bn", "quantiser": "stochastic", "weights": "binary"},
        {"scales": "power", "weights": "int8"},
        {"hidden": (12, 12), "state_penalty": 1.0, "head_weights": "ternary"},
    ],
)
def test_every_way_learns_digits(tmp_path, values):
    config = dataclasses.replace(SHORT, **{"hidden": (24,), "epochs": 12, "batch": 50, **values})
    assert train(config, tmp_path / "net.safetensors")["test_accuracy"] > 0.6


def test_penalty_makes_states_zero():
    found = sequences.load("digits")
    zeros = []
    for penalty in (0.0, 5.0):
        config = dataclasses.replace(SHORT, state_threshold=0.1, state_penalty=penalty)
        net = fit(LowBitLSTM(config), found.train, valid=found.valid)
        zeros.append(net.history[-1]["sparsity"])
    assert zeros[1] > zeros[0] + 0.1


@pytest.mark.parametrize(
    "config",
    [SHORT, TEXT, dataclasses.replace(SHORT, quantiser="stochastic", norm="shared-bn")],
    ids=["digits", "text", "stochastic"],
)
def test_resume_is_bit_identical(tmp_path, folder, config):
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    train(config, whole, folder)
    with pytest.raises(Stop):
        train(config, broken, folder, progress=stop_after(2))
    assert resume_path(broken).is_file() and not broken.exists()
    seen = []
    train(config, broken, folder, resume=True, progress=seen.append)
    assert [r.epoch for r in seen] == [3, 4]
    first, second = load_checkpoint(whole), load_checkpoint(broken)
    for (name, a), b in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    # A finished training is read, not repeated.
    assert train(config, broken, folder, resume=True, progress=stop_after(1))["epochs"] == 4


def test_resume_rejects_another_configuration(tmp_path):
    path = tmp_path / "net.safetensors"
    with pytest.raises(Stop):
        train(SHORT, path, progress=stop_after(1))
    other = dataclasses.replace(SHORT, seed=1)
    with pytest.raises(UserError, match="belongs to a training with another configuration$"):
        train(other, path, resume=True)
    resume_path(path).write_bytes(b"broken")
    with pytest.raises(UserError, match="not a readable safetensors file"):
        train(SHORT, path, resume=True)
    resume_path(path).unlink()
    train(SHORT, path)
    with pytest.raises(UserError, match="was trained with another configuration$"):
        train(other, path, resume=True)


@pytest.mark.parametrize(
    ("kinds", "precision"),
    [
        ({"weights": "ternary"}, "medium"),
        ({"weights": "ternary", "head_weights": "int12"}, "highest"),
        ({"weights": "int12"}, "highest"),
    ],
)
def test_products_are_exact(kinds, precision):
    before = torch.get_float32_matmul_precision()
    with fast_products(LSTMConfig(**kinds)):
        assert torch.get_float32_matmul_precision() == precision
    assert torch.get_float32_matmul_precision() == before


def test_training_leaves_the_threads_as_they_were():
    before = torch.get_num_threads()
    found = sequences.load("digits").train
    torch.set_num_threads(2)
    try:
        fit(LowBitLSTM(dataclasses.replace(SHORT, epochs=1)), found)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_float_baseline():
    config = dataclasses.replace(SHORT, hidden=(32,), epochs=10, batch=50)
    assert float_baseline(config, sequences.load("digits")) > 0.85


def test_own_data_in_a_few_lines():
    random = np.random.default_rng(0)
    x = random.integers(-128, 128, (600, 6, 3))
    y = (x[:, :3].sum(axis=(1, 2)) > x[:, 3:].sum(axis=(1, 2))).astype(int)
    config = LSTMConfig(data="own", inputs=3, classes=2, steps=6, hidden=(16,), epochs=20)
    net = fit(LowBitLSTM(config), part(x, y, 6))
    assert (net(torch.from_numpy(x).transpose(0, 1)).argmax(1).numpy() == y).mean() > 0.9
