"""The Verilog of whole designs: equal to the golden model, clean, and the same every time."""

import os
import subprocess
import sys
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from designs import random_spec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatesmith.families import FAMILIES
from gatesmith.flows.silicon.mapping import cells_of
from gatesmith.flows.verify import judge, make_vectors, simulate
from gatesmith.hw.sparse_mlp.mask import mask_verilog

FAMILY = FAMILIES["sparse-mlp"]
MEMORIES = ["rom", "flipflop", "sram"]
# Combinations of datapath and memory that there are.
BUILT = [("gate", "rom"), ("gate", "sram"), ("index", "rom"), ("index", "sram")]
BUILT.append(("unrolled", "rom"))
AWKWARD = st.sampled_from([1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17])


@st.composite
def specs(draw):
    width = draw(st.sampled_from([4, 8, 11]))
    datapath = draw(st.sampled_from(["gate", "index", "unrolled"]))
    return random_spec(
        draw(st.integers(0, 2**32 - 1)),
        draw(st.lists(AWKWARD, min_size=2, max_size=4)),
        datapath=datapath,
        memory="rom" if datapath == "unrolled" else draw(st.sampled_from(MEMORIES)),
        depth=draw(st.sampled_from([None, 0, 1])),
        pipeline=draw(st.integers(0, 3)),
        input_bits=draw(st.integers(1, 8)),
        activation_bits=draw(st.integers(1, 8)),
        weight_kind=draw(st.sampled_from(["binary", "ternary", "int8"])),
        sparsity=draw(st.sampled_from([0, 0.25, 0.5, 0.8, 0.93])),
        width=width,
        leap=draw(st.sampled_from([1, 3, width, width + 2])),
        lanes=draw(st.sampled_from([1, 2, 3, 5, 64])),
        lookahead=draw(st.sampled_from([2, 4, 16])),
        shift=draw(st.integers(0, 6)),
    )


def differs(text, spec, frames, folder, simulator="icarus", stall=0.0, brief=False):
    """What a simulator finds wrong with a Verilog text that should do what the Spec says."""
    (folder / "design.v").write_text(text)
    vectors = make_vectors(FAMILY, spec, frames)
    seen = simulate(
        folder / "design.v", spec.name, vectors, simulator, stall, 1, folder / "run", brief=brief
    )
    reports = judge(vectors, seen)
    assert brief or sum(report.words for report in reports) > 0
    return [found for report in reports for found in (*report.mismatches, *report.errors)]


def frames_of(spec, count, seed=0):
    frames = spec.input_format.random(np.random.default_rng(seed), count)
    frames[0], frames[-1] = 0, (1 << spec.layers[0].input_bits) - 1
    return frames


def check_equal(spec, stall, folder):
    assert not differs(FAMILY.verilog(spec), spec, frames_of(spec, 5), folder, stall=stall)


tmp_path_is_fine = HealthCheck.function_scoped_fixture


@settings(max_examples=20, suppress_health_check=[tmp_path_is_fine])
@given(specs(), st.sampled_from([0.0, 0.3, 0.7]))
def test_verilog_matches_golden(tmp_path, spec, stall):
    check_equal(spec, stall, tmp_path)


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=[tmp_path_is_fine])
@given(specs(), st.sampled_from([0.0, 0.3, 0.7]))
def test_verilog_matches_golden_at_length(tmp_path, spec, stall):
    check_equal(spec, stall, tmp_path)


@pytest.mark.parametrize("datapath, memory", BUILT)
def test_both_engines_agree_on_many_frames(tmp_path, datapath, memory):
    spec = random_spec(5, [33, 17, 9], datapath=datapath, memory=memory, lanes=6)
    text = FAMILY.verilog(spec)
    assert not differs(text, spec, frames_of(spec, 12), tmp_path, stall=0.3)
    assert not differs(text, spec, frames_of(spec, 1000), tmp_path, "cxxrtl", stall=0.3)


def test_datapaths_give_the_same_words(tmp_path):
    gate = random_spec(8, [40, 24, 10], lanes=8)
    index = gate.with_options(datapath="index", lanes=5, lookahead=16)
    frames = frames_of(gate, 50)
    golden = FAMILY.models.golden
    assert np.array_equal(golden(gate, frames).outputs, golden(index, frames).outputs)
    unrolled = gate.with_options(datapath="unrolled", pipeline=1)
    assert np.array_equal(golden(gate, frames).outputs, golden(unrolled, frames).outputs)


def without_saturation(value, shift, bits):
    return value[shift:][:bits]


@pytest.mark.parametrize("datapath", ["gate", "index"])
def test_missing_saturation_is_seen(tmp_path, datapath):
    spec = random_spec(9, [24, 12, 5], datapath=datapath, sparsity=0.5)
    with mock.patch("gatesmith.hw.sparse_mlp.lane.requantise", without_saturation):
        text = FAMILY.verilog(spec)
    assert differs(text, spec, frames_of(spec, 8), tmp_path, brief=True)


def strictly_greater(name, layer, count):
    return mask_verilog(name, layer, count).replace(">=", ">")


@pytest.mark.parametrize("datapath", ["gate", "index"])
def test_comparator_off_by_one_is_seen(tmp_path, datapath):
    # A full period visits the threshold itself.
    spec = random_spec(9, [40, 12, 5], datapath=datapath, width=4, leap=1, sparsity=0.5)
    with mock.patch("gatesmith.hw.sparse_mlp.core.mask_verilog", strictly_greater):
        text = FAMILY.verilog(spec)
    assert differs(text, spec, frames_of(spec, 8), tmp_path, brief=True)


@pytest.mark.parametrize("datapath", ["gate", "index", "unrolled"])
def test_every_fault_of_the_spec_is_seen(tmp_path, datapath):
    spec = random_spec(7, [24, 12, 5], datapath=datapath, weight_kind="int8", sparsity=0.5)
    frames = frames_of(spec, 64)
    right = FAMILY.models.golden(spec, frames).outputs
    seen = []
    for name, faulty in FAMILY.models.faults(spec).items():
        if np.array_equal(FAMILY.models.golden(faulty, frames).outputs, right):
            continue
        text = FAMILY.verilog(replace(faulty, name=spec.name))
        assert differs(text, spec, frames, tmp_path, brief=True), name
        seen.append(name)
    assert {name.split(": ")[1] for name in seen} >= {
        "wrong tap", "threshold too high", "two seeds swapped", "one weight",
    }  # fmt: skip


LINTED = [
    dict(sizes=[17, 12, 5], lanes=5),
    dict(sizes=[1, 4, 1], lanes=3, weight_kind="int8", sparsity=0),
    dict(sizes=[8, 1, 2], lanes=1, sparsity=0.9),
    dict(sizes=[5, 3], weight_kind="binary", leap=1, lookahead=64),
]


@pytest.mark.parametrize("options", LINTED, ids=lambda o: "-".join(map(str, o["sizes"])))
@pytest.mark.parametrize("datapath, memory", BUILT)
def test_verilog_is_clean(tmp_path, options, datapath, memory):
    path = tmp_path / "design.v"
    path.write_text(FAMILY.verilog(random_spec(4, datapath=datapath, memory=memory, **options)))
    for command in (
        ["iverilog", "-g2005", "-Wall", "-o", str(tmp_path / "out"), str(path)],
        ["verilator", "--lint-only", str(path)],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("kind", ["binary", "ternary", "int8"])
@pytest.mark.parametrize("datapath", ["gate", "index"])
def test_only_int8_weights_multiply(kind, datapath):
    spec = random_spec(6, [12, 7, 3], datapath=datapath, weight_kind=kind)
    assert ("$mul" in cells_of(FAMILY.verilog(spec), spec.name)) == (kind == "int8")
    unrolled = spec.with_options(datapath="unrolled")
    assert "$mul" not in cells_of(FAMILY.verilog(unrolled), spec.name)


@pytest.mark.parametrize("datapath", ["gate", "index", "unrolled"])
def test_verilog_is_the_same_in_every_process(datapath):
    code = (
        "import hashlib; from designs import random_spec; from gatesmith.families import FAMILIES;"
        f"spec = random_spec(2, [20, 9, 4], datapath={datapath!r});"
        "text = FAMILIES['sparse-mlp'].verilog(spec);"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    tests = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": tests},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "77")
    }
    assert len(digests) == 1
