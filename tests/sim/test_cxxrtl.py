"""The compiled engine on a hand-written design: what two states can show, it sees."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import toy

from gatesmith.models.errors import UserError
from gatesmith.sim import cxxrtl
from gatesmith.sim.cxxrtl import run_cxxrtl
from gatesmith.sim.vectors import Vectors, compare


@pytest.fixture(autouse=True)
def fresh_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATESMITH_CACHE", str(tmp_path / "cache"))


def findings(verilog: str, vectors: Vectors, folder: Path, stall: float = 0.0) -> list[object]:
    path = folder / "toy.v"
    path.write_text(verilog)
    outcome = run_cxxrtl(path, toy.NAME, vectors, stall=stall, seed=3)
    short = [] if len(outcome.outputs) == len(vectors.expected) else ["frames are missing"]
    return [*compare(vectors, outcome, clocks=not stall), *outcome.errors, *short]


@pytest.mark.parametrize("stall", [0.0, 0.5])
def test_sound_design_passes(tmp_path: Path, stall: float) -> None:
    assert findings(toy.sound(), toy.vectors(500), tmp_path, stall) == []


def test_configured_design_passes(tmp_path: Path) -> None:
    assert findings(toy.configured(), toy.vectors(offset=1000), tmp_path, 0.3) == []


# The rest needs an X, a reset in mid-frame or a frame of the wrong length.
VISIBLE = [
    "one bit of a word, in the fourth frame",
    "words of a frame swapped",
    "tlast on every word",
    "tlast on no word",
    "a frame answered twice",
    "third frame lost",
    "nothing comes",
    "never ready",
    "tdata follows tready",
    "tlast follows tready",
    "tvalid withdrawn",
    "frame_error on right frames",
    "tvalid ignored",
    "m_axis_tready ignored",
]


@pytest.mark.parametrize("fault", VISIBLE)
def test_fault_is_seen(tmp_path: Path, fault: str) -> None:
    assert findings(toy.broken(fault), toy.vectors(), tmp_path, 0.5)


def test_a_clock_late_is_seen_without_stalls(tmp_path: Path) -> None:
    assert findings(toy.broken("a clock late"), toy.vectors(), tmp_path)


def test_stalls_cost_clocks_and_repeat(tmp_path: Path) -> None:
    (tmp_path / "toy.v").write_text(toy.sound())
    run = [
        run_cxxrtl(tmp_path / "toy.v", toy.NAME, toy.vectors(), stall=stall, seed=seed)
        for stall, seed in ((0.0, 1), (0.5, 1), (0.5, 1), (0.5, 2))
    ]
    spans = [outcome.clocks.tolist() for outcome in run]
    assert sum(spans[0]) < sum(spans[1]) and spans[1] == spans[2] != spans[3]


def test_model_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "toy.v").write_text(toy.sound())
    vectors = toy.vectors()
    first = run_cxxrtl(tmp_path / "toy.v", toy.NAME, vectors, stall=0, seed=0)
    monkeypatch.setattr(cxxrtl, "yosys", None)
    again = run_cxxrtl(tmp_path / "toy.v", toy.NAME, vectors, stall=0, seed=0)
    assert np.array_equal(first.outputs, again.outputs)


def test_rejects_missing_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(UserError, match=r"^CXXRTL needs a C\+\+ compiler: g\+\+ was not found"):
        run_cxxrtl(tmp_path / "x.v", "x", toy.vectors(), stall=0, seed=0)


def test_rejects_missing_yosys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"^Yosys is missing: install it with 'pip install pyosys'"):
        run_cxxrtl(tmp_path / "x.v", "x", toy.vectors(), stall=0, seed=0)


def test_rejects_verilog_that_does_not_compile(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^Yosys failed: .*ERROR.* \(log: .*\)$"):
        findings("module toy(input a; endmodule\n", toy.vectors(), tmp_path)


def test_compiler_error_names_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(UserError, match=r"^false could not compile .* \(log: .*\.log\)$"):
        findings(toy.sound(), toy.vectors(), tmp_path)
