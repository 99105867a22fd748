"""The paper's neuron table, on a small neuron and, when asked for, on the paper's."""

import json

import numpy as np
import pytest
from rich.console import Console
from tiny_cells import tiny_library

from gatesmith.flows import sparse_neuron
from gatesmith.flows.sparse_neuron import index_storage, neuron, reproduce_sparse_neuron
from gatesmith.models.errors import UserError


@pytest.fixture
def small(monkeypatch, tmp_path_factory):
    """A neuron of 64 inputs, dense and half empty."""
    monkeypatch.setenv("GATESMITH_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(sparse_neuron, "INPUTS", 64)
    monkeypatch.setattr(sparse_neuron, "SPARSITIES", (0.0, 0.5))
    monkeypatch.setattr(sparse_neuron, "PAPER_UM2", (26265, 13859))
    monkeypatch.setattr(sparse_neuron, "PAPER_SAVING", (0, 47))


def test_energy(small, tmp_path):
    library = tiny_library(tmp_path)
    result = reproduce_sparse_neuron(library.path, console=Console(quiet=True))
    assert result["inputs"] == "8 sheets of 16 handwritten digits (scikit-learn's test images)"
    for entries in result["ours"].values():
        dense, half = entries
        assert dense["energy_saving_percent"] == 0.0
        saving = 100 * (1 - half["energy_pj"] / dense["energy_pj"])
        assert half["energy_saving_percent"] == pytest.approx(saving, abs=0.1)
    flip_flops, rom = (result["ours"][name][0] for name in ("flipflop", "rom"))
    # Most of the energy is in the clock pins of weights that nobody writes.
    assert flip_flops["gated_energy_pj"] < 0.7 * flip_flops["energy_pj"]
    assert rom["energy_pj"] < flip_flops["gated_energy_pj"]
    assert "Gated" in result["notes"][-1]


def test_no_energy_without_delays(small):
    result = reproduce_sparse_neuron(console=Console(quiet=True))
    assert result["inputs"] is None
    assert {entry["energy_pj"] for entries in result["ours"].values() for entry in entries} == {
        None
    }


@pytest.mark.parametrize(
    "kept, length, expected",
    [
        ([0, 1, 2], 3, (3, 0)),
        ([14], 20, (1, 0)),  # 14 zeros fit an index of 4 bits
        ([15], 20, (2, 1)),  # 15 need a filler
        ([0, 31], 40, (4, 2)),
        ([0, 30], 40, (3, 1)),
    ],
)
def test_index_storage_known_answers(kept, length, expected):
    mask = np.zeros(length, dtype=bool)
    mask[kept] = True
    assert index_storage(mask) == expected


def test_index_storage_matches_an_encoder():
    rng = np.random.default_rng(0)
    for density in (0.5, 0.1, 0.02):
        mask = rng.random(500) < density
        words, zeros = [], 0
        for keep in mask:
            if keep:
                words.append(zeros)
                zeros = 0
            else:
                zeros += 1
                if zeros == 15:
                    words.append("filler")
                    zeros = 0
        while words and words[-1] == "filler":  # nothing follows it
            words.pop()
        assert index_storage(mask) == (len(words), words.count("filler"))


@pytest.mark.parametrize("variant", ["rom", "flipflop, wide LFSR"])
@pytest.mark.parametrize("sparsity", sparse_neuron.SPARSITIES)
def test_neuron_keeps_exactly_its_share(sparsity, variant):
    _, taps, leap = sparse_neuron.VARIANTS[variant]
    layer = neuron(sparsity, taps, leap)
    assert layer.fan_in.tolist() == [round((1 - sparsity) * 1024)] and layer.depth == layer.fan_in


def test_small_table(small, tmp_path, capsys):
    output, plot = tmp_path / "build" / "neuron.json", tmp_path / "build" / "neuron.svg"
    result = reproduce_sparse_neuron(output=output, plot=plot, console=Console(width=160))
    assert plot.read_text().startswith("<?xml") and "ours, rom" in plot.read_text()
    assert json.loads(output.read_text()) == result
    dense, half = result["ours"]["flipflop"]
    assert (dense["weight_bits"], half["weight_bits"]) == (64, 32)
    assert dense["flip_flops"] >= 64 and dense["saving_percent"] == 0
    expected = 100 * (1 - half["gate_equivalents"] / dense["gate_equivalents"])
    assert half["saving_percent"] == pytest.approx(expected, abs=0.06)
    assert result["ours"]["sram"][0]["weight_memory_gate_equivalents"] == 0
    # Flip-flops cost more than constants, which cost more than a macro that is not counted.
    key = "weight_memory_gate_equivalents"
    memory = [result["ours"][v][0][key] for v in ("flipflop", "rom", "sram")]
    assert memory[0] > memory[1] > memory[2]
    assert result["storage_bits"][1]["lfsr"] == 32 + 10
    assert result["storage_bits"][1]["bitmap"] == 64 + 32
    printed = capsys.readouterr().out
    assert "-47 %" in printed and "13,859" in printed and "ours, rom" in printed


def test_rejects_library(small, tmp_path):
    with pytest.raises(UserError, match="^Liberty library .*none.lib cannot be read: "):
        reproduce_sparse_neuron(tmp_path / "none.lib", output=tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()


def test_rejects_plot(small, tmp_path):
    with pytest.raises(UserError, match=r"^Plot must be named \*.svg, \*.png or \*.pdf, not "):
        reproduce_sparse_neuron(plot=tmp_path / "plot.txt")


@pytest.mark.slow
def test_savings_are_those_of_the_paper(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("GATESMITH_CACHE", str(tmp_path_factory.mktemp("cache")))
    result = reproduce_sparse_neuron(console=Console(width=160))
    ours = [entry["saving_percent"] for entry in result["ours"]["flipflop"]]
    assert ours == pytest.approx(sparse_neuron.PAPER_SAVING, abs=2)
