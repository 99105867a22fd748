"""``gatesmith verify``: equal designs pass, and a difference is shown, named and drawn."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from designs import random_spec

from gatesmith.families import FAMILIES
from gatesmith.flows import verify, write_design
from gatesmith.flows.verify import judge, make_vectors
from gatesmith.flows.verify_report import VerifyReport
from gatesmith.models.errors import UserError
from gatesmith.sim.vectors import Outcome, Vectors

FAMILY = FAMILIES["sparse-mlp"]
OPTIONS = {
    "gate": dict(datapath="gate", memory="rom"),
    "index": dict(datapath="index", memory="sram", lanes=2),
    "unrolled": dict(datapath="unrolled", pipeline=1),
}


@pytest.fixture(scope="module", params=OPTIONS)
def design(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small design folder."""
    spec = random_spec(1, (9, 5, 3), **OPTIONS[request.param])
    return write_design(spec, tmp_path_factory.mktemp("designs") / "d")


@pytest.fixture
def wrong(design: Path, tmp_path: Path) -> Path:
    """The same design with the Verilog of another: every other number of the last scores."""
    copy = shutil.copytree(design, tmp_path / "wrong")
    verilog = copy / "rtl" / "sparse_mlp.v"
    text = verilog.read_text()
    found = re.search(r"assign m_axis_tdata = (.*);", text)
    assert found is not None
    verilog.write_text(text.replace(found[0], f"assign m_axis_tdata = {found[1]} ^ 8'd2;"))
    return copy


@pytest.mark.parametrize("simulator", ["icarus", "cxxrtl"])
def test_sound_design_is_equal(simulator: str, design: Path, gatesmith: Callable) -> None:
    outcome = gatesmith("verify", design, "--frames", "6", "--simulator", simulator, "--stall", 0.3)
    assert outcome.code == 0 and "\nEQUAL: " in outcome.out
    written = json.loads((design / "reports" / "verify.json").read_text())
    assert written["equal"] and written["simulator"] == simulator and not written["changed"]
    assert sum(play["words"] for play in written["plays"]) >= 6 * 4
    assert sum(play["clocks_checked"] for play in written["plays"]) >= 6
    assert not any(play["mismatches"] or play["errors"] for play in written["plays"])
    assert not (design / "reports" / "mismatch.vcd").exists()


@pytest.mark.parametrize("simulator", ["icarus", "cxxrtl"])
def test_difference_is_named_and_drawn(simulator: str, wrong: Path, gatesmith: Callable) -> None:
    outcome = gatesmith("verify", wrong, "--frames", "4", "--simulator", simulator)
    assert outcome.code == 1 and "NOT EQUAL: " in outcome.out
    assert "is not the text that lower wrote" in outcome.out
    found = re.search(r"all frames: frame 0, word 0: expected 0x(\w+), got 0x(\w+)\n", outcome.out)
    assert found and int(found[1], 16) ^ int(found[2], 16) == 2
    target = wrong / "reports" / "mismatch.vcd"
    assert f"Waveform: {target}" in outcome.out.replace("\n", " ").replace("  ", " ")
    assert "m_axis_tdata" in target.read_text()
    assert json.loads((wrong / "reports" / "verify.json").read_text())["equal"] is False


@pytest.mark.parametrize(
    "design, simulator",
    [
        ("gate", "cxxrtl"),
        ("index", "icarus"),
        pytest.param("gate", "icarus", marks=pytest.mark.slow),
        pytest.param("index", "cxxrtl", marks=pytest.mark.slow),
        ("unrolled", "icarus"),
        pytest.param("unrolled", "cxxrtl", marks=pytest.mark.slow),
    ],
    indirect=["design"],
)
def test_self_test_sees_every_planted_fault(simulator: str, design: Path) -> None:
    report = verify(design, frames=6, simulator=simulator, self_test=True)
    assert report.equal and report.faults and all(report.faults.values())
    kinds = {name.split(":")[0] for name in report.faults}
    assert kinds == {"control", "vectors", "design", "ports"}


@pytest.mark.parametrize(
    "design",
    [*(pytest.param(name, marks=pytest.mark.slow) for name in ("gate", "index")), "unrolled"],
    indirect=True,
)
def test_self_test_of_a_dead_design_fails(design: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(design, tmp_path / "dead")
    verilog = copy / "rtl" / "sparse_mlp.v"
    text = verilog.read_text()
    verilog.write_text(text.replace("if (rst)", "if (1'b1)"))
    assert verilog.read_text() != text
    report = verify(copy, frames=4, simulator="cxxrtl", self_test=True)
    assert not report.equal and not report.faults["ports: nothing spoilt, which passes"]


def test_a_missed_fault_is_a_failure(design: Path) -> None:
    report = verify(design, frames=2, simulator="cxxrtl")
    assert report.equal
    assert not replace(report, faults={"vectors: a word": False}).equal


def test_nothing_compared_is_a_failure(design: Path) -> None:
    report = verify(design, frames=2, simulator="cxxrtl")
    assert not replace(report, plays=[]).equal
    none = [replace(play, frames=0, words=0, mismatches=[], errors=[]) for play in report.plays]
    assert not replace(report, plays=none).equal


@pytest.mark.parametrize("missing", [1, 3])
def test_missing_frames_are_errors(missing: int) -> None:
    vectors = some_vectors()
    outcome = Outcome(
        outputs=vectors.expected[:-missing], clocks=vectors.clocks[:-missing], total_clocks=9
    )
    (report,) = judge(vectors, [("all frames", list(range(4)), True, outcome)])
    assert report.errors == [f"{4 - missing} frames were compared, not 4"]


def test_differences_carry_the_frame_that_was_sent() -> None:
    vectors = some_vectors()
    answers = vectors.expected[[3, 1]]
    answers[1, 2] += np.uint64(1)
    outcome = Outcome(outputs=answers, clocks=vectors.clocks[:2], total_clocks=9)
    (report,) = judge(vectors, [("two", [3, 1], False, outcome)])
    assert [(m.frame, m.word) for m in report.mismatches] == [(1, 2)]
    assert report.clocks_checked == 0 and report.frames == 2


def some_vectors() -> Vectors:
    spec = random_spec(1, (9, 5, 3))
    return make_vectors(FAMILY, spec, spec.input_format.random(np.random.default_rng(0), 4))


@pytest.mark.parametrize(
    "options, words",
    [
        (["--frames", "0"], ["Frames", "at least 1"]),
        (["--stall", "1"], ["Stall", "0.95"]),
        (["--seed", "-1"], ["Seed", "negative"]),
        (["--stall", "nan"], ["Stall", "nan"]),
        (["--simulator", "modelsim"], ["Simulator", "icarus", "'modelsim'"]),
    ],
)
def test_refuses_options(
    options: list[str], words: list[str], design: Path, gatesmith: Callable
) -> None:
    gatesmith("verify", design, *options).check_refused(*words)


def test_without_icarus(
    design: Path, tmp_path: Path, gatesmith: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    gatesmith("verify", design).check_refused("iverilog was not found", "apt-get install iverilog")


def test_refuses_a_spec_of_another_design(
    design: Path, tmp_path: Path, gatesmith: Callable
) -> None:
    copy = shutil.copytree(design, tmp_path / "d")
    random_spec(1, (9, 5, 3)).with_options(name="other").save(copy / "spec.safetensors")
    gatesmith("verify", copy).check_refused("disagree on the name")
    (copy / "spec.safetensors").write_bytes(b"\x80\x04cos\nsystem\n")
    gatesmith("verify", copy).check_refused("is a pickle")


def test_frames_are_real_where_the_data_set_is_known(tmp_path: Path) -> None:
    spec = random_spec(1, (64, 4, 10))
    folder = write_design(spec, tmp_path / "d", config={"data": "digits"})
    report = verify(folder, frames=8, simulator="cxxrtl")
    assert isinstance(report, VerifyReport)
    assert report.source == "6 of the digits test set, 2 random or extreme"
    with pytest.raises(UserError, match="^Frames must be at least 1, not -1$"):
        verify(folder, frames=-1)
