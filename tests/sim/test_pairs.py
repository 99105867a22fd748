"""Frames of any length, and weights that lie outside: a sound design passes, faults are seen."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import toy_pairs as toy
from toy_pairs import ENTRY, FAULTS, OUTSIDE_FAULTS, PairsSpec

from gatesmith.flows.self_test import plant_faults
from gatesmith.flows.verify import choose_frames, judge, make_vectors, simulate
from gatesmith.models.frames import PAD
from gatesmith.sim.scenarios import scenarios, sent
from gatesmith.sim.testbench import write_testbench
from gatesmith.sim.vectors import PAD_BEAT, Vectors, Weights, beat_counts

both = pytest.mark.parametrize("outside", [False, True], ids=["inside", "outside"])
stalls = pytest.mark.parametrize("stall", [0.0, 0.4])


def findings(
    verilog: str, vectors: Vectors, folder: Path, stall: float = 0.0, simulator: str = "icarus"
) -> list[str]:
    """Everything that the scenarios find wrong."""
    path = folder / "toy.v"
    path.write_text(verilog)
    seen = simulate(path, PairsSpec.name, vectors, simulator, stall, 3, folder / "run", keep=False)
    return [
        f"{r.name}: {found}" for r in judge(vectors, seen) for found in (*r.mismatches, *r.errors)
    ]


def sound(outside: bool) -> str:
    return ENTRY.verilog(PairsSpec(outside=outside))


@both
@stalls
@pytest.mark.parametrize("simulator", ["icarus", "cxxrtl"])
def test_sound_design_passes(tmp_path: Path, simulator: str, stall: float, outside: bool) -> None:
    vectors = toy.vectors(40, outside=outside)
    assert findings(sound(outside), vectors, tmp_path, stall, simulator) == []


@pytest.mark.parametrize("fault", [*FAULTS, *OUTSIDE_FAULTS])
def test_every_fault_is_seen(tmp_path: Path, fault: str) -> None:
    verilog, outside = toy.broken(fault)
    assert findings(verilog, toy.vectors(outside=outside), tmp_path, 0.3)


# The rest needs a void frame, a reset in mid-burst or an X.
VISIBLE = [
    "most one too low",
    "most of another word",
    "most pairs refused",
    "answers always the longest",
    "another burst",
    "an address at which no burst begins",
    "an address outside of the memory",
    "request withdrawn",
    "r_axis_tready ignored",
    "w_axis_tready ignored",
    "w_axis_tvalid ignored",
    "weights never asked for",
    "high bits ignored",
    "asks when nothing is under way",
]


@pytest.mark.parametrize("fault", VISIBLE)
def test_fault_is_seen_by_cxxrtl(tmp_path: Path, fault: str) -> None:
    verilog, outside = toy.broken(fault)
    assert findings(verilog, toy.vectors(outside=outside), tmp_path, 0.5, "cxxrtl")


def test_cause_is_named(tmp_path: Path) -> None:
    for fault, message in (
        ("a word out of range accepted", "frame_error must rise once and stay"),
        ("a pair too many accepted", "frame_error rose after 10 beats, not 9"),
        ("an address at which no burst begins", "no burst of weights begins at 5"),
        ("request withdrawn", "r_axis changed while it waited for tready"),
    ):
        verilog, outside = toy.broken(fault)
        found = findings(verilog, toy.vectors(outside=outside), tmp_path, 0.3)
        assert any(message in line for line in found), fault


@both
@pytest.mark.parametrize("simulator", ["icarus", "cxxrtl"])
def test_clocks_are_those_of_the_frame(tmp_path: Path, simulator: str, outside: bool) -> None:
    vectors = toy.vectors(outside=outside)
    vectors.clocks[5] += 1
    found = findings(sound(outside), vectors, tmp_path, 0.3, simulator)
    assert len(found) == 1 and "all frames: Mismatch(frame=5, word=None" in found[0]


@pytest.mark.parametrize("simulator", ["icarus", "cxxrtl"])
def test_other_weights_are_seen(tmp_path: Path, simulator: str) -> None:
    vectors = toy.vectors(outside=True)
    assert vectors.weights is not None
    words = vectors.weights.words.copy()
    words[4, 3] ^= 1
    changed = replace(vectors, weights=Weights(words=words, bursts=vectors.weights.bursts))
    assert findings(sound(True), changed, tmp_path, simulator=simulator)


@both
@pytest.mark.parametrize("simulator", ["icarus", "cxxrtl"])
def test_self_test_sees_every_planted_fault(tmp_path: Path, simulator: str, outside: bool) -> None:
    spec, vectors = PairsSpec(outside=outside), toy.vectors(8, outside=outside)
    path = tmp_path / "toy.v"
    path.write_text(sound(outside))
    seen = simulate(path, spec.name, vectors, simulator, 0.3, 0, tmp_path / "run", keep=False)
    caught = plant_faults(ENTRY, spec, vectors, seen, path, simulator, 0, tmp_path)
    assert all(caught.values()), caught
    assert outside == ("ports: weights never taken" in caught)


@pytest.mark.parametrize("seed", range(5))
def test_void_frames_are_void(seed: int) -> None:
    vectors = toy.vectors(3, seed=seed)
    counts = beat_counts(vectors.inputs)
    plays = {play.name: play for play in scenarios(vectors, stall=0.1, seed=seed)}
    names = ("wrong lengths", "too many repetitions", "digit out of range")
    for name in names:
        void = [one for one in plays[name].sent if one.void_at is not None]
        assert void and len(plays[name].expected) == len(plays[name].sent) - len(void)
        for one in void:
            beats, length = one.beats(vectors), len(one.places)
            above = [k for k in range(1, length, 2) if beats[k] > 9]
            legal = length in (3, 5, 7, 9)
            assert one.void_at == (above[0] + 1 if legal else min(length, 9))
            assert legal == (name == "digit out of range")
    lengths = {len(one.places) for name in names for one in plays[name].sent}
    assert lengths > {1, 2, 8, 10}
    assert plays["all frames"].expected == [0, 1, 2]
    assert [len(one.places) for one in plays["all frames"].sent] == counts.tolist()


def test_a_frame_of_another_legal_length_is_not_void() -> None:
    vectors = toy.vectors(5)
    frame = int(beat_counts(vectors.inputs).argmax())
    with pytest.raises(ValueError, match="^Length of a void frame must not be legal, as 3 beats a"):
        sent(vectors, frame, 3)


def test_padding_is_no_beat() -> None:
    vectors = toy.vectors(3)
    assert beat_counts(vectors.inputs)[:2].tolist() == [3, 9], "the shortest and the longest"
    assert (vectors.inputs[0, 3:] == PAD_BEAT).all() and (vectors.expected[0, 2:] == PAD_BEAT).all()
    assert beat_counts(vectors.inputs[:0]).tolist() == []


def test_lengths_of_chosen_frames_vary() -> None:
    spec = PairsSpec()
    for count in (4, 20):
        frames, source = choose_frames(ENTRY, spec, "some text", count, 0, None)
        lengths = spec.input_format.lengths(frames)
        assert {3, 9} <= set(lengths.tolist()) and source == "random, not real data"
        make_vectors(ENTRY, spec, frames)
    assert frames[-1].tolist() == [0] * 9 and frames[-2].tolist() == [255, *[9, 255] * 4]
    assert PAD in frames


# --- the plain Verilog testbench ---

needs_icarus = pytest.mark.skipif(not shutil.which("iverilog"), reason="needs Icarus Verilog")


def run_testbench(folder: Path, verilog: str, outside: bool, *arguments: str) -> list[str]:
    """Lines that the testbench prints."""
    spec = PairsSpec(outside=outside)
    frames = spec.input_format.random(np.random.default_rng(2), 12)
    write_testbench(folder, spec, frames, ENTRY.models.golden(spec, frames))
    (folder / "toy.v").write_text(verilog)
    build = ["iverilog", "-g2005", "-Wall", "-o", "tb", "tb.v", "toy.v"]
    done = subprocess.run(build, cwd=folder, capture_output=True, text=True, timeout=60)
    warnings = [line for line in done.stderr.splitlines() if line.startswith("tb.v")]
    assert (done.returncode, warnings) == (0, [])
    (folder / "sim").unlink(missing_ok=True)
    (folder / "sim").symlink_to(folder)
    command = ["vvp", "tb", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    return done.stdout.splitlines()


plain = pytest.mark.parametrize("arguments", [(), ("+stall",)])


@needs_icarus
@both
@plain
def test_right_design_passes(tmp_path: Path, outside: bool, arguments: tuple[str, ...]) -> None:
    lines = run_testbench(tmp_path, sound(outside), outside, *arguments)
    assert len(lines) == 1 and lines[0].startswith("PASS: 12 frames, ")


LATE = "asks when nothing is under way"  # a fault of time


@needs_icarus
@plain
@pytest.mark.parametrize("fault", [f for f in VISIBLE if f != LATE])
def test_broken_design_fails(tmp_path: Path, fault: str, arguments: tuple[str, ...]) -> None:
    verilog, outside = toy.broken(fault)
    lines = run_testbench(tmp_path, verilog, outside, *arguments)
    assert lines[-1].startswith("FAIL: ") and not any("PASS" in line for line in lines)


@needs_icarus
def test_wrong_clocks_fail(tmp_path: Path) -> None:
    verilog, outside = toy.broken(LATE)
    assert run_testbench(tmp_path, verilog, outside)[-1].startswith("FAIL: ")
    assert run_testbench(tmp_path, verilog, outside, "+stall")[-1].startswith("PASS: ")
