"""Design folders whose frames vary in length, and whose weights lie outside."""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from lstm_designs import random_spec
from schemas import check_schema
from toy_pairs import ENTRY, PairsSpec

from gatesmith.families import FAMILIES
from gatesmith.flows import power, verify, write_design
from gatesmith.flows.accuracy import golden_accuracy
from gatesmith.flows.design import read_design
from gatesmith.flows.pages import about
from gatesmith.flows.pages.frame_waves import frame_waveform
from gatesmith.flows.verify import choose_frames
from gatesmith.models import sequences
from gatesmith.models.errors import UserError
from gatesmith.models.frames import FrameFormat

both = pytest.mark.parametrize("outside", [False, True], ids=["inside", "outside"])


@pytest.fixture(scope="module", autouse=True)
def family() -> Any:
    """The hand-written design as a family."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FAMILIES, "pairs", ENTRY)
        yield


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Its design folders, without and with weights outside."""
    place = tmp_path_factory.mktemp("designs")
    return [write_design(PairsSpec(outside=k), place / str(k)) for k in (False, True)]


def described(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "design.json").read_text())


def test_design_says_how_frames_repeat(folders: list[Path]) -> None:
    design = described(folders[False])
    fields = design["streams"]["s_axis"]["fields"]
    assert FrameFormat.from_json(fields) == PairsSpec().input_format
    assert "weights_outside" not in design
    text = (folders[False] / "README.md").read_text()
    assert "Up to 9 beats of 8 bits: the words that are repeated come, all in turn, 1 to 4" in text
    assert "| 1 | digit | [3:0] | unsigned, at most 9; repeated |" in text
    assert "| 1 | pairs | [2:0] | unsigned; tail |" in text
    assert "with a word\nabove its limit, is dropped" in text and "r_axis" not in text
    words = about._fields(design["streams"]["s_axis"])
    assert words == (
        "1 × head of 8 bits, unsigned, then 1 to 4 times (1 × digit of 4 bits, unsigned, at most "
        "9, then 1 × factor of 8 bits, unsigned)"
    )


def test_design_says_how_weights_are_asked_for(folders: list[Path]) -> None:
    design = described(folders[True])
    sizes = {"data_width": 40, "request_width": 8, "width": 40, "words": 6}
    assert design["weights_outside"] == sizes
    ports = {port["name"]: (port["direction"], port["width"]) for port in design["ports"]}
    assert ports["r_axis_tdata"] == ("output", 8) and ports["w_axis_tdata"] == ("input", 40)
    verilog = ENTRY.verilog(PairsSpec(outside=True))
    head = verilog[: verilog.index(");")]
    assert {name.strip() for name in head.partition("(")[2].split(",")} == set(ports)
    text = (folders[True] / "README.md").read_text()
    assert "The weights, 6 words of 40 bits, lie outside." in text and "sim/bursts.hex" in text


@both
def test_design_matches_its_schema(folders: list[Path], outside: bool) -> None:
    check_schema("design", folders[outside] / "design.json")


@both
@pytest.mark.parametrize("simulator", ["icarus", "cxxrtl"])
def test_design_is_verified(folders: list[Path], simulator: str, outside: bool) -> None:
    report = verify(folders[outside], frames=20, simulator=simulator, stall=0.3)
    assert report.equal and report.source == "random, not real data"
    names = {play.name for play in report.plays}
    if simulator == "icarus":
        assert names >= {"wrong lengths", "too many repetitions", "digit out of range"}
        assert outside == ("burst cut by reset" in names)


def test_difference_is_drawn(folders: list[Path]) -> None:
    verilog = folders[True] / "rtl" / f"{PairsSpec.name}.v"
    text = verilog.read_text()
    verilog.write_text(text.replace("16'd0;  // offset", "16'd1;  // offset"))
    assert verilog.read_text() != text
    report = verify(folders[True], frames=4)
    verilog.write_text(text)
    assert (
        not report.equal and report.waveform and "w_axis_tdata" in Path(report.waveform).read_text()
    )


@both
@pytest.mark.parametrize("arguments", [(), ("+stall",)])
def test_testbench_passes(
    folders: list[Path], tmp_path: Path, outside: bool, arguments: tuple[str, ...]
) -> None:
    program = str(tmp_path / "tb")
    build = ["iverilog", "-g2005", "-o", program, "sim/tb.v", f"rtl/{PairsSpec.name}.v"]
    subprocess.run(build, cwd=folders[outside], check=True)
    command = ["vvp", program, *arguments]
    done = subprocess.run(command, cwd=folders[outside], capture_output=True, text=True)
    assert done.stdout.startswith("PASS: 8 frames, ")


@both
def test_a_frame_is_drawn(folders: list[Path], outside: bool) -> None:
    verilog = folders[outside] / "rtl" / f"{PairsSpec.name}.v"
    ports = described(folders[outside])["ports"]
    drawing = frame_waveform(ENTRY, PairsSpec(outside=outside), verilog, ports)
    assert "One frame" in drawing.title


def test_power_refuses_weights_outside(folders: list[Path]) -> None:
    with pytest.raises(UserError, match="memory=stream: weights lie outside; lower with memory=r"):
        power(folders[True])


def test_accuracy_needs_frames_of_the_data_set() -> None:
    entry = SimpleNamespace(name="pairs", models=SimpleNamespace())
    with pytest.raises(UserError, match="^Family 'pairs' makes no frames of data set 'digits'$"):
        golden_accuracy(entry, PairsSpec(), "digits")


def test_a_design_trained_on_a_text_is_verified_on_it(tmp_path):
    (tmp_path / "austen.txt").write_text("abcdefghij" * 200)
    text = sequences.load("austen", tmp_path)
    spec = random_spec(1, (10, 4, 10), one_hot=True, every_step=True, steps=5)
    folder = write_design(spec, tmp_path / "d", config={"data": "austen"})
    assert read_design(folder)["data"] == "austen"
    report = verify(folder, frames=4, data_dir=tmp_path)
    assert report.equal and report.source.startswith("3 of the austen test set")
    frames, _ = choose_frames(FAMILIES["lstm"], spec, "austen", 4, 0, tmp_path)
    assert np.array_equal(frames[0, 1:], text.test[:5])
    with pytest.raises(UserError, match="^Data set 'austen' has no classes to be right or wrong"):
        golden_accuracy(FAMILIES["lstm"], spec, "austen", tmp_path)
