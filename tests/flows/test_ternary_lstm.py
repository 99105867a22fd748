"""The paper's table of LSTM accelerators, on engines of few lanes."""

import json

import pytest
from rich.console import Console
from tiny_cells import tiny_library

from gatesmith.flows import ternary_lstm
from gatesmith.flows.ternary_lstm import engine_spec, reproduce_ternary_lstm, weight_bits
from gatesmith.models.errors import UserError

PAPER = {("int12", 100): 2.56, ("ternary", 100): 0.42, ("binary", 100): 0.24, ("binary", 4): 0.24}


@pytest.fixture
def small(monkeypatch, tmp_path_factory):
    """Engines of 4 and 8 lanes for 8 cells."""
    monkeypatch.setenv("GATESMITH_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(ternary_lstm, "SYMBOLS", 5)
    monkeypatch.setattr(ternary_lstm, "HIDDEN", 8)
    monkeypatch.setattr(ternary_lstm, "LANES", 4)
    monkeypatch.setattr(ternary_lstm, "MORE_LANES", {"ternary": 8, "binary": 8})
    monkeypatch.setattr(ternary_lstm, "PAPER_MM2", PAPER)


def test_rejects_library(small, tmp_path):
    with pytest.raises(UserError, match="^Liberty library .*none.lib cannot be read: "):
        reproduce_ternary_lstm(tmp_path / "none.lib", output=tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("bits, saving", [(1, 12), (2, 6), (1.6, 7.5)])
def test_weight_bits_known_answers(bits, saving):
    assert weight_bits(1) == 4 * 512 * (83 + 512) == 1_218_560
    assert weight_bits(12) / weight_bits(bits) == pytest.approx(saving)


@pytest.mark.parametrize("kind, lanes", ternary_lstm._designs())
def test_all_lanes_are_in_use(kind, lanes):
    spec = engine_spec(kind, lanes)
    assert spec.lanes == lanes and spec.kinds == (kind,)
    assert 4 * spec.layers[0].hidden % lanes == 0


def test_small_table(small, tmp_path, capsys):
    output = tmp_path / "build" / "lstm.json"
    result = reproduce_ternary_lstm(
        tiny_library(tmp_path).path, output=output, console=Console(width=200)
    )
    assert json.loads(output.read_text()) == result
    ours = result["ours"]
    found = [(entry["weights"], entry["lanes"], entry["weight_word_bits"]) for entry in ours]
    assert found == [
        ("int12", 4, 48), ("ternary", 4, 8), ("binary", 4, 4), ("ternary", 8, 16), ("binary", 8, 8),
    ]  # fmt: skip
    # Sums of 8 products of an int8 state, the widest of them 8 * 128 * 2047.
    assert [entry["sum_width"] for entry in ours] == [22, 12, 12, 12, 12]
    areas = [entry["gate_equivalents"] for entry in ours]
    assert areas[0] > max(areas[1:3]) and areas[3] > areas[1] and areas[4] > areas[2]
    assert result["nand2_um2"] == 2 and ours[0]["area_against_int12"] == 1
    assert [entry["area_um2"] for entry in ours] == [2 * area for area in areas]
    assert [entry["area_against_int12"] for entry in result["paper_65nm"]][::3] == [1, 0.0938]
    for entry, few, many in zip(result["equal_area"], areas[1:3], areas[3:], strict=True):
        lanes = 4 + (areas[0] - few) / (many - few) * 4
        assert entry["speed"] == pytest.approx(lanes / 4, abs=0.02)
    assert [entry["saving"] for entry in result["weight_memory"]] == [1, 6, 7.5, 12]
    printed = capsys.readouterr().out
    assert "ours, µm²" in printed and "0.094" in printed
    assert "In the area of int12 x 4: ternary" in printed
    assert "in the paper 43 % less" in printed
    assert "22 bits (int12), 12 bits (ternary)" in printed
