"""The cocotb bench on a hand-written design: a sound one passes, every planted fault is seen."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import toy

from gatesmith.flows.verify import judge, simulate
from gatesmith.models.errors import UserError
from gatesmith.sim.run import run_bench
from gatesmith.sim.scenarios import Scenario, scenarios, whole
from gatesmith.sim.vectors import Vectors


def findings(verilog: str, vectors: Vectors, folder: Path, stall: float = 0.0) -> list[str]:
    """Everything that the scenarios find wrong."""
    path = folder / "toy.v"
    path.write_text(verilog)
    seen = simulate(path, toy.NAME, vectors, "icarus", stall, 3, folder / "run")
    reports = judge(vectors, seen)
    assert len(reports) == 5 + (stall > 0) + (vectors.config is not None)
    return [f"{r.name}: {found}" for r in reports for found in (*r.mismatches, *r.errors)]


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_sound_design_passes(tmp_path: Path, stall: float) -> None:
    assert findings(toy.sound(), toy.vectors(), tmp_path, stall) == []


@pytest.mark.parametrize(
    "right, wrong",
    [
        ("offset <= c_axis_tdata; loaded", "loaded"),  # never loaded
        ("else begin skipping", "else begin offset <= c_axis_tdata; loaded <= 1; skipping"),
        ("c_error <= 1'b1;", ""),
        ("~answering & count == 3'd0", "1'b0"),  # never again
    ],
)
def test_fault_of_the_configuration_is_seen(tmp_path: Path, right: str, wrong: str) -> None:
    text = toy.configured()
    assert text.count(right) == 1
    assert findings(text.replace(right, wrong), toy.vectors(offset=37), tmp_path)


def test_configured_design_passes_with_the_right_configuration_only(tmp_path: Path) -> None:
    assert findings(toy.configured(), toy.vectors(offset=37), tmp_path, 0.3) == []
    other = toy.vectors(offset=38)
    wrong = Vectors(
        inputs=other.inputs,
        expected=toy.vectors(offset=37).expected,
        clocks=other.clocks,
        config=other.config,
    )
    assert findings(toy.configured(), wrong, tmp_path)


@pytest.mark.parametrize("fault", toy.FAULTS)
def test_every_fault_is_seen(tmp_path: Path, fault: str) -> None:
    assert findings(toy.broken(fault), toy.vectors(), tmp_path, 0.3)


def test_clocks_are_those_of_the_frame(tmp_path: Path) -> None:
    vectors = toy.vectors()
    vectors.clocks[2] += 1
    found = findings(toy.sound(), vectors, tmp_path)
    assert found and all("word=None" in line and "expected=7, got=6" in line for line in found)


def test_scenarios_expect_only_whole_frames() -> None:
    plays = {play.name: play for play in scenarios(toy.vectors(5), stall=0.1, seed=0)}
    for name, stall in (("all frames", 0), ("all frames, stalled", 0.1)):
        assert (plays[name].stall, plays[name].expected) == (stall, [0, 1, 2, 3, 4])
    wrong = plays["wrong lengths"]
    lengths = [len(one.places) for one in wrong.sent]
    assert min(lengths) < 4 < max(lengths) and len(wrong.expected) == lengths.count(4)
    for name in ("frame cut by reset", "answer cut by reset"):
        assert plays[name].expected == []
    names = list(plays)
    assert names.index("all frames") > names.index("frame cut by reset"), "finds what is left over"


def test_frames_and_answers_of_one_word_are_not_cut() -> None:
    one = np.ones((3, 1), dtype=np.uint64)
    vectors = Vectors(inputs=one, expected=one, clocks=np.ones(3, dtype=np.int64))
    names = [play.name for play in scenarios(vectors, stall=0, seed=0)]
    assert not [name for name in names if "cut" in name]


def test_waves_are_written(tmp_path: Path) -> None:
    (tmp_path / "toy.v").write_text(toy.sound())
    play = Scenario(name="one", sent=whole(toy.vectors(), [0]), stall=0)
    run_bench(
        tmp_path / "toy.v", toy.NAME, toy.vectors(), [play], tmp_path, waves=tmp_path / "toy.vcd"
    )
    assert "m_axis_tdata" in (tmp_path / "toy.vcd").read_text()


def test_rejects_missing_simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for simulator, program in (("icarus", "iverilog"), ("verilator", "verilator")):
        with pytest.raises(UserError, match=f"^{program} was not found; apt-get install {program}"):
            run_bench(tmp_path / "x.v", "x", toy.vectors(), [], tmp_path, simulator=simulator)


def test_rejects_old_verilator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = subprocess.CompletedProcess([], 0, "Verilator 5.006 2023-01-22\n", "")
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: old)
    with pytest.raises(UserError, match=r"^Verilator must be 5\.036 or later .*, not 5\.006"):
        run_bench(tmp_path / "x.v", "x", toy.vectors(), [], tmp_path, simulator="verilator")


def test_rejects_verilog_that_does_not_compile(tmp_path: Path) -> None:
    (tmp_path / "toy.v").write_text("module toy(input a; endmodule\n")
    with pytest.raises(UserError, match=r"^icarus failed on .*toy\.v .*; see .*build\.log"):
        findings((tmp_path / "toy.v").read_text(), toy.vectors(), tmp_path)
