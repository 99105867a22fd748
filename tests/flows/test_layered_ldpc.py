"""The table of decoders of real codes, on a small one that is not trained."""

import json

import pytest
from rich.console import Console
from tiny_cells import tiny_library

from gatesmith.flows import layered_ldpc
from gatesmith.flows.layered_ldpc import SHOWN, Shown, reproduce_layered_ldpc
from gatesmith.models.checkpoint import BUNDLED
from gatesmith.models.minsum_net import MinSumConfig, MinSumDecoder, load_checkpoint
from gatesmith.models.minsum_net.checkpoint import save_checkpoint


def test_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GATESMITH_CACHE", str(tmp_path / "cache"))
    config = MinSumConfig(code="bch-15-11", iterations=3, schedule="layered", tying="iteration")
    save_checkpoint(MinSumDecoder(config), tmp_path / "small.safetensors")
    shown = Shown(
        checkpoint=str(tmp_path / "small.safetensors"),
        levels=(3.0, 5.0),
        published={3.0: 0.1, 5.0: 0.01},
        reference="another decoder",
        options=({"rows_per_clock": 1}, {"rows_per_clock": 2}),
    )
    monkeypatch.setattr(layered_ldpc, "SHOWN", (shown,))
    monkeypatch.setattr(layered_ldpc, "TIMED_FRAMES", 50)
    library = tiny_library(tmp_path).path
    paths = {"output": tmp_path / "t.json", "plot": tmp_path / "t.svg"}
    result = reproduce_layered_ldpc(library, console=Console(width=250), **paths)
    assert json.loads(paths["output"].read_text()) == result
    assert "another decoder" in paths["plot"].read_text()
    (found,) = result["codes"]
    assert (found["n"], found["k"], found["edges"]) == (15, 11, 32)
    assert [curve["rows_per_clock"] for curve in found["curves"]] == [1, 2]
    for curve in found["curves"]:
        assert [point["ebn0"] for point in curve["points"]] == [3.0, 5.0]
        assert all(point["frame_errors"] >= 100 for point in curve["points"])
    slow, quick = found["designs"]
    assert (slow["clocks_an_iteration"], quick["clocks_an_iteration"]) == (4, 2)
    assert slow["clocks_at_most"] == 3 * 4 + 1
    assert slow["gate_equivalents"] < quick["gate_equivalents"]
    for row in (slow, quick):
        assert row["mean_clocks"] <= row["clocks_at_most"]
        assert row["bits_a_clock"] == pytest.approx(11 / row["mean_clocks"], rel=0.01)
        assert row["memory_bits"] == 0 and row["memory"] == "flipflop"
    assert "published: another decoder" in capsys.readouterr().out


@pytest.mark.parametrize("shown", SHOWN, ids=[shown.checkpoint for shown in SHOWN])
def test_codes_have_published_rates_at_their_levels(shown):
    net = load_checkpoint(BUNDLED / shown.checkpoint)
    assert set(shown.published) == set(shown.levels)
    assert net.config.message_bits == 5 and net.config.schedule == "layered"
