"""The plain Verilog testbench passes a right design and fails everything else."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from designs import random_spec

from gatesmith.families import FAMILIES
from gatesmith.models.frames import GoldenRun
from gatesmith.models.sparse_mlp import golden
from gatesmith.sim.testbench import write_testbench

pytestmark = pytest.mark.skipif(not shutil.which("iverilog"), reason="needs Icarus Verilog")

FRAMES = 6
DESIGNS: dict[str, dict[str, Any]] = {
    "gate": dict(datapath="gate", memory="rom"),
    "index": dict(datapath="index", memory="sram", lanes=2),
}


@pytest.fixture(scope="module", params=DESIGNS)
def design(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``rtl`` and ``sim``."""
    spec = random_spec(4, (8, 5, 3), **DESIGNS[request.param])
    folder = tmp_path_factory.mktemp("designs") / request.param
    (folder / "rtl").mkdir(parents=True)
    verilog = FAMILIES["sparse-mlp"].verilog(spec)
    (folder / "rtl" / "sparse_mlp.v").write_text(verilog)
    frames = spec.input_format.random(np.random.default_rng(1), FRAMES)
    write_testbench(folder / "sim", spec, frames, golden(spec, frames))
    return folder


def simulate(folder: Path, *arguments: str, options: tuple[str, ...] = ()) -> list[str]:
    """Lines that the testbench prints."""
    build = ["iverilog", "-g2005", "-Wall", *options, "-o", "tb", "sim/tb.v", "rtl/sparse_mlp.v"]
    done = subprocess.run(build, cwd=folder, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = subprocess.run(
        ["vvp", "tb", *arguments], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    return done.stdout.splitlines()


def broken(design: Path, folder: Path, file: str, edit: Callable[[str], str]) -> Path:
    """A copy of the design with one file edited."""
    shutil.copytree(design, folder, dirs_exist_ok=True)
    before = (folder / file).read_text()
    after = edit(before)
    assert after != before
    (folder / file).write_text(after)
    return folder


def check_fails(lines: list[str]) -> None:
    assert re.fullmatch(r"FAIL: [1-9]\d* errors in \d+ frames, \d+ words", lines[-1])
    assert sum(line.startswith("FAIL") for line in lines) == 1
    assert not any("PASS" in line for line in lines)


@pytest.mark.parametrize("arguments", [(), ("+stall",)])
def test_right_design_passes(design: Path, arguments: tuple[str, ...]) -> None:
    assert simulate(design, *arguments) == [f"PASS: {FRAMES} frames, {FRAMES * 4} words"]


@pytest.mark.parametrize("arguments", [(), ("+stall",)])
def test_wrong_word_fails(design: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    def edit(text: str) -> str:
        words = text.split()
        words[9] = f"{int(words[9], 16) ^ 1:0{len(words[9])}x}"
        return "\n".join(words) + "\n"

    lines = simulate(broken(design, tmp_path, "sim/expected.hex", edit), *arguments)
    check_fails(lines)
    assert len(lines) == 2 and lines[0].startswith("frame 2, word 1: expected tdata ")
    assert lines[1] == f"FAIL: 1 errors in {FRAMES} frames, {FRAMES * 4} words"


@pytest.mark.parametrize("frame", [2, FRAMES - 1])
def test_dropped_frame_fails(design: Path, tmp_path: Path, frame: int) -> None:
    def edit(text: str) -> str:
        words = text.split()
        return "\n".join(words[: 4 * frame] + words[4 * frame + 4 :]) + "\n"

    check_fails(simulate(broken(design, tmp_path, "sim/expected.hex", edit)))


def test_wrong_clocks_fail_without_stalls(design: Path, tmp_path: Path) -> None:
    def edit(text: str) -> str:
        clocks = text.split()
        return "\n".join([*clocks[:-1], f"{int(clocks[-1], 16) + 1:x}"]) + "\n"

    folder = broken(design, tmp_path, "sim/clocks.hex", edit)
    lines = simulate(folder)
    check_fails(lines)
    assert lines[0].startswith(f"frame {FRAMES - 1}, word 3: expected clocks ")
    assert simulate(folder, "+stall")[-1].startswith("PASS")


def wrapped(port: str, assignment: str) -> Callable[[str], str]:
    """An edit of the Verilog: the top module, with one output made from ``inner`` of its own."""

    def edit(text: str) -> str:
        name = "sparse_mlp"
        head = text[text.index(f"module {name}(") :]
        ports = head[head.index("(") + 1 : head.index(")")].split(", ")
        declared = {p: re.search(rf"\n  ((?:in|out)put (?:\[\S+\] )?){p};", head) for p in ports}
        lines = [f"module {name}({', '.join(ports)});"]
        for p, found in declared.items():
            assert found
            lines.append(f"  {found[1]}{p};")
            if p == port:
                lines.append(f"  wire {found[1].removeprefix('output ')}inner;")
        lines.append(f"  assign {port} = {assignment};")
        links = ", ".join(f".{p}({'inner' if p == port else p})" for p in ports)
        lines += [f"  inside the_inside({links});", "endmodule", ""]
        return text.replace(f"module {name}(", "module inside(") + "\n".join(lines)

    return edit


@pytest.mark.parametrize("arguments", [(), ("+stall",)])
def test_inverted_data_fails(design: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    edit = wrapped("m_axis_tdata", "~inner")
    lines = simulate(broken(design, tmp_path, "rtl/sparse_mlp.v", edit), *arguments)
    check_fails(lines)
    assert len(lines) == 11 and all(line.startswith("frame ") for line in lines[:10])
    words = FRAMES * 4
    assert lines[-1] == f"FAIL: {words} errors in {FRAMES} frames, {words} words"


@pytest.mark.parametrize(
    ("port", "assignment", "message"),
    [
        ("m_axis_tdata", "inner | 1'bx", "X on m_axis_tdata"),
        ("m_axis_tdata", "m_axis_tready ? inner : ~inner", "changed before tready"),
        ("m_axis_tlast", "1'b0", "expected tlast 1, got 0"),
        ("m_axis_tlast", "1'b1", "expected tlast 0, got 1"),
        ("m_axis_tvalid", "inner & !m_axis_tready", "fell before tready"),
        ("m_axis_tvalid", "1'b0", "no transfer for too long"),
        ("m_axis_tvalid", "1'b1", "a word too many"),
        ("m_axis_tvalid", "rst ? 1'b0 : 1'bx", "X on an output"),
        ("s_axis_tready", "inner & frame_error", "no transfer for too long"),
        ("frame_error", "m_axis_tvalid", "frame_error rose"),
    ],
)
def test_broken_design_fails(
    design: Path, tmp_path: Path, port: str, assignment: str, message: str
) -> None:
    edit = wrapped(port, assignment)
    lines = simulate(broken(design, tmp_path, "rtl/sparse_mlp.v", edit), "+stall")
    check_fails(lines)
    assert any(message in line for line in lines)
    assert sum(line.startswith("frame ") for line in lines) <= 10


def test_data_that_is_not_valid_may_be_anything(design: Path, tmp_path: Path) -> None:
    edit = wrapped("m_axis_tdata", "m_axis_tvalid ? inner : 1'bx")
    lines = simulate(broken(design, tmp_path, "rtl/sparse_mlp.v", edit), "+stall")
    assert lines[-1].startswith("PASS")


def test_nothing_compared_fails(design: Path) -> None:
    lines = simulate(design, options=("-Ptb.FRAMES=0",))
    assert lines[-1] == "FAIL: 0 errors in 0 frames, 0 words"


def test_missing_vectors_fail(design: Path) -> None:
    lines = simulate(design, options=('-Ptb.DIR="nowhere"',))
    assert lines[-1] == "FAIL: no vectors in the folder nowhere: run this in the design folder"


def test_frames_and_golden_run_must_agree(tmp_path: Path) -> None:
    spec = random_spec(4, (8, 5, 3))
    frames = spec.input_format.random(np.random.default_rng(1), 2)
    run = golden(spec, frames)
    with pytest.raises(ValueError, match="must be at least 1"):
        write_testbench(tmp_path, spec, frames[:0], run)
    with pytest.raises(ValueError, match="must have 2 frames"):
        short = GoldenRun(outputs=run.outputs[:1], clocks=run.clocks)
        write_testbench(tmp_path, spec, frames, short)
