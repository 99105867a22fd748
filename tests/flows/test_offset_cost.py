"""What offsets cost, of a small code and decoders that are not trained."""

import json

import pytest
from decoder_tables import untrained
from rich.console import Console
from tiny_cells import tiny_library

from gatesmith.flows import offset_cost
from gatesmith.flows.offset_cost import decoder_configs, reproduce_offset_cost
from gatesmith.models.errors import UserError
from gatesmith.models.minsum_net import RECIPES, MinSumConfig


@pytest.fixture
def small(monkeypatch, tmp_path_factory):
    """A code of 15 bits, 4-bit messages alone, few frames, no training."""
    monkeypatch.setenv("GATESMITH_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(offset_cost, "CODE", "bch-15-11")
    monkeypatch.setattr(offset_cost, "RECIPE", "small")
    monkeypatch.setitem(
        RECIPES, "small", MinSumConfig(code="bch-15-11", iterations=3, start=1.5, spread=1.0)
    )
    monkeypatch.setattr(offset_cost, "STEPS", {4: 1.0})
    monkeypatch.setattr(offset_cost, "FRAMES", 500)
    monkeypatch.setattr(offset_cost, "train_decoders", untrained)


def test_table(small, tmp_path, capsys):
    library = tiny_library(tmp_path).path
    result = reproduce_offset_cost(library, output=tmp_path / "t", console=Console(width=200))
    assert json.loads((tmp_path / "t" / "offset-cost.json").read_text()) == result
    rows = result["decoders"]
    assert [(row["schedule"], row["tying"]) for row in rows] == [
        (schedule, tying)
        for schedule in ("flooding", "layered")
        for tying in ("scalar", "iteration", "check", "edge")
    ]
    assert [row["offsets"] for row in rows[:4]] == [1, 3, 3 * 4, 3 * 32]
    for schedule in ("flooding", "layered"):
        own = [row for row in rows if row["schedule"] == schedule]
        areas = [row["gate_equivalents"] for row in own]
        assert own[0]["area_against_scalar"] == 1
        assert max(areas[:3]) < areas[3]
        for row, area in zip(own, areas, strict=True):
            assert row["area_against_scalar"] == pytest.approx(area / areas[0], abs=1e-3)
            assert row["decoder_gate_equivalents"] < area
            assert row["point"]["frames"] == 500
    # A frame comes in two beats; layered, three iterations of four rows are what it waits for.
    assert rows[0]["clocks"] < rows[4]["clocks"] == 3 * 4 + 1
    printed = capsys.readouterr().out
    assert "bch-15-11, flooding" in printed and "a check and iteration" in printed


def test_decoders_differ_in_tying_and_bits_alone():
    configs = decoder_configs()
    assert len(configs) == 12 and len(set(configs.values())) == 12
    for config in configs.values():
        most = ((1 << config.message_bits - 1) - 1) * config.llr_step
        assert 10 < most < 12  # the same range of LLRs
        assert config.code == "bch-63-36" and config.start == 1.3


def test_rejects_library(small, tmp_path):
    with pytest.raises(UserError, match="^Liberty library .*none.lib cannot be read: "):
        reproduce_offset_cost(tmp_path / "none.lib", output=tmp_path / "t")
