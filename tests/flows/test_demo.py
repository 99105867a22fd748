"""The demo on the bundled checkpoint, and the tables by name."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gatesmith.families import FAMILIES, Family, family
from gatesmith.flows.demo import DEMOS, bundled_checkpoint


@pytest.mark.parametrize("entry", FAMILIES.values(), ids=FAMILIES)
def test_bundled_checkpoint_is_small_and_of_a_recipe(entry: Family) -> None:
    path = bundled_checkpoint(entry)
    assert path.stat().st_size < 200_000
    config = entry.net.load_checkpoint(path).config
    if entry.name == "lstm":  # a recipe leaves these to the text
        config = replace(config, inputs=None, classes=None)
    assert config in entry.net.RECIPES.values()
    assert path.name in (path.parent / "README.md").read_text()


def test_demo_lowers_verifies_measures_and_reports(gatesmith: Callable, tmp_path: Path) -> None:
    outcome = gatesmith("demo", "sparse-mlp", "-o", tmp_path / "demo")
    assert outcome.code == 0
    assert "94.65 %" in outcome.out and "98.03 %" in outcome.out
    assert outcome.out.count("equal: ") == 2 and "clocks of 371 frames" in outcome.out
    assert "NAND2 equivalents" in outcome.out
    assert "needs a cell library" in outcome.out
    assert outcome.out.endswith(f"Report: {tmp_path}/demo/reports/report.html\n")
    for name in ("verify-icarus.json", "verify-cxxrtl.json", "area.json", "report.html"):
        assert (tmp_path / "demo" / "reports" / name).is_file()


def test_demo_of_lstm_reads_text_and_writes_some() -> None:
    entry, chosen = family("lstm"), DEMOS["lstm"]
    path = bundled_checkpoint(entry)
    spec = entry.net.lower(entry.net.load_checkpoint(path), **chosen.options)
    assert spec.memory == "sram" and spec.state and spec.steps == 1
    found = chosen.read(entry, spec, path, 1000)
    assert [label for label, _ in found.rows] == [
        "bits a character, 1,000 of War and Peace",
        "columns skipped, as zero",
    ]
    assert found.text.startswith("The prince ") and len(found.text) == 211
    assert not chosen.energy  # it takes minutes: the table names the command


def test_every_family_has_a_demo() -> None:
    assert set(DEMOS) == set(FAMILIES)


def test_demo_keeps_what_is_not_its_own(gatesmith: Callable, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    gatesmith("demo", "sparse-mlp", "-o", tmp_path).check_refused("is not empty")
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def test_refusals(gatesmith: Callable, tmp_path: Path) -> None:
    gatesmith("demo", "sparse").check_refused("Unknown family 'sparse'")
    gatesmith("reproduce", "sparse-nuron").check_refused("did you mean 'sparse-neuron'")
    gatesmith("reproduce", "sparse-neuron", "--seeds", 3).check_refused("takes", "'seeds'")
    gatesmith("reproduce", "sparse-neuron", "--liberty", tmp_path / "x").check_refused("x cannot")
    gatesmith("reproduce", "sparse-accuracy", "--seeds", 0, "-o", tmp_path / "a").check_refused(
        "Seeds must be at least 1"
    )
    assert not list(tmp_path.iterdir())
