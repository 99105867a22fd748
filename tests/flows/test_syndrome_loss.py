"""The table of losses, of decoders that are not trained."""

import json

import pytest
from decoder_tables import untrained
from rich.console import Console

from gatesmith.flows import syndrome_loss
from gatesmith.flows.syndrome_loss import loss_configs, reproduce_syndrome_loss
from gatesmith.models.errors import UserError


def test_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(syndrome_loss, "FRAMES", dict.fromkeys(syndrome_loss.LEVELS, 100))
    monkeypatch.setattr(syndrome_loss, "train_decoders", untrained)
    result = reproduce_syndrome_loss(tmp_path / "t", seeds=2, console=Console(width=200))
    assert json.loads((tmp_path / "t" / "syndrome-loss.json").read_text()) == result
    assert [(row["tying"], row["loss"]) for row in result["decoders"]] == [
        (tying, loss) for tying in syndrome_loss.TYINGS for loss in syndrome_loss.LOSSES
    ]
    for row in result["decoders"]:
        assert [run["seed"] for run in row["runs"]] == [0, 1]
        assert all(p["frames"] == 100 for run in row["runs"] for p in run["points"])
    printed = capsys.readouterr().out
    assert "half syndrome" in printed and "over 2 seeds" in printed


def test_runs_differ_in_loss_and_seed_alone():
    runs = loss_configs(3)
    assert len(runs) == len(syndrome_loss.TYINGS) * len(syndrome_loss.LOSSES) * 3
    losses = {(config.loss, config.mix) for _, loss, config in runs.values() if "half" in loss}
    assert losses == {("syndrome", 0.5), ("frame-error", 0.5)}
    assert not any(config.quantised for _, _, config in runs.values())


def test_rejects_seeds(tmp_path):
    with pytest.raises(UserError, match="^Seeds must be at least 1, not 0$"):
        reproduce_syndrome_loss(tmp_path / "t", seeds=0)
    assert not (tmp_path / "t").exists()
