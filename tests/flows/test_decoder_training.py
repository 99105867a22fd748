"""Trainings side by side, kept and gone on with."""

import dataclasses

import pytest
import torch
from rich.console import Console

from gatesmith.flows.decoder_training import load_decoders, train_decoders
from gatesmith.models.errors import UserError
from gatesmith.models.minsum_net import MinSumConfig

SMALL = MinSumConfig(code="bch-15-11", iterations=2, steps=2, batch=6, tying="scalar")
CONFIGS = {
    "offsets": SMALL,
    "weights": dataclasses.replace(SMALL, update="sum-product", tying="edge", message_bits=None),
}


def test_trains_once_and_loads(tmp_path, capsys):
    console = Console(width=100)
    paths = train_decoders(CONFIGS, tmp_path / "runs", console)
    printed = capsys.readouterr().out
    assert printed.count("trained ") == 2
    nets = load_decoders(CONFIGS, paths)
    assert not nets["offsets"].training and not nets["weights"].training
    assert nets["offsets"].config == SMALL
    assert not torch.equal(nets["weights"].pair, torch.ones_like(nets["weights"].pair))
    before = [path.read_bytes() for path in paths.values()]
    assert train_decoders(CONFIGS, tmp_path / "runs", console) == paths
    assert [path.read_bytes() for path in paths.values()] == before
    assert "offsets" not in capsys.readouterr().out


def test_refuses_what_is_of_another_training(tmp_path):
    train_decoders({"one": SMALL}, tmp_path, Console(quiet=True))
    other = {"one": dataclasses.replace(SMALL, seed=1)}
    with pytest.raises(UserError, match=r"one\.safetensors: was trained with another"):
        train_decoders(other, tmp_path, Console(quiet=True))
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file"):
        train_decoders(other, tmp_path / "file", Console(quiet=True))
