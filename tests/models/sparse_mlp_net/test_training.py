"""Training: learns, resumes bit for bit, refuses data and files that do not fit."""

import dataclasses

import numpy as np
import pytest
import torch

from gatesmith.models import data
from gatesmith.models.errors import UserError
from gatesmith.models.sparse_mlp_net import (
    SparseMLP,
    SparseMLPConfig,
    fit,
    float_baseline,
    load_checkpoint,
    lower,
    resume_path,
    train,
)

SHORT = SparseMLPConfig(hidden=(24,), epochs=4, batch=50)


class Stop(Exception):
    pass


def stop_after(epoch):
    def progress(report):
        if report.epoch == epoch:
            raise Stop

    return progress


def test_rejects_training_data():
    net = SparseMLP(SHORT)
    x, y = np.zeros((10, 64), dtype=np.int64), np.zeros(10, dtype=np.int64)
    with pytest.raises(UserError, match=r"^Training data must have shapes \[n, 64\] and \[n\]"):
        fit(net, x[:, 1:], y)
    with pytest.raises(UserError, match="^Training inputs must be integers between 0 and 15$"):
        fit(net, x + 16, y)
    with pytest.raises(UserError, match="^Training inputs must be integers between 0 and 15$"):
        fit(net, x.astype(float), y)
    with pytest.raises(UserError, match="^Classes must be integers between 0 and 9$"):
        fit(net, x, y + 10)


def test_rejects_checkpoint_name(tmp_path):
    with pytest.raises(UserError, match=r"^Checkpoint must be named \*.safetensors, not 'net.pt'"):
        train(SHORT, tmp_path / "net.pt")


def test_rejects_own_data(tmp_path):
    config = SparseMLPConfig(data="own", inputs=3)
    with pytest.raises(UserError, match="^Data must be a named data set for train"):
        train(config, tmp_path / "net.safetensors")


def test_training_learns_digits(tmp_path):
    reports = []
    config = dataclasses.replace(SHORT, hidden=(64,), epochs=15, learning_rate=0.03)
    path = tmp_path / "net.safetensors"
    metrics = train(config, path, progress=reports.append)
    assert metrics["test_accuracy"] > 0.93
    assert [r.epoch for r in reports] == list(range(1, 16))
    assert reports[-1].valid_accuracy == metrics["valid_accuracy"]
    for layer in metrics["mask_of_layer"]:
        assert layer["fan_in_min"] == layer["fan_in_max"] and layer["dead_inputs"] == 0
    assert list(tmp_path.iterdir()) == [path]


def test_own_data_in_a_few_lines():
    random = np.random.default_rng(0)
    x = random.integers(0, 16, (600, 20))
    y = (x[:, :10].sum(axis=1) > x[:, 10:].sum(axis=1)).astype(int)
    config = SparseMLPConfig(data="own", inputs=20, classes=2, hidden=(32,), input_bits=4)
    net = fit(SparseMLP(config), x, y)
    assert (net(torch.from_numpy(x)).argmax(1).numpy() == y).mean() > 0.9
    assert lower(net).input_format.words == 20


def test_resume_is_bit_identical(tmp_path):
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    train(SHORT, whole)
    with pytest.raises(Stop):
        train(SHORT, broken, progress=stop_after(2))
    assert resume_path(broken).is_file() and not broken.exists()
    seen = []
    train(SHORT, broken, resume=True, progress=seen.append)
    assert [r.epoch for r in seen] == [3, 4]
    assert broken.read_bytes() == whole.read_bytes()
    # A finished training is read, not repeated.
    assert train(SHORT, broken, resume=True, progress=stop_after(1))["epochs"] == 4


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


def test_squared_hinge_trains():
    found = data.load("digits")
    x = data.quantise(found.train_x, 16, 4)
    config = dataclasses.replace(SHORT, loss="squared-hinge", learning_rate=0.03, epochs=8)
    net = fit(SparseMLP(config), x, found.train_y)
    assert (net(torch.from_numpy(x)).argmax(1).numpy() == found.train_y).mean() > 0.8


def test_float_baseline(tmp_path):
    assert float_baseline(dataclasses.replace(SHORT, epochs=20)) > 0.9
    metrics = train(SHORT, tmp_path / "net.safetensors", baseline=True)
    assert metrics["float_test_accuracy"] > 0.6


def test_checkpoint_holds_generators_and_no_mask(tmp_path):
    path = tmp_path / "net.safetensors"
    train(SHORT, path)
    net = load_checkpoint(path)
    assert not net.training and net.config == SHORT
    assert not any("mask" in name for name in net.state_dict())
    assert net.linears[0].lfsr.seeds.shape == (24,)
