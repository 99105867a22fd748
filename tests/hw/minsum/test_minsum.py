"""The Verilog of whole decoders: equal to the golden model, clean, and without multipliers."""

import hashlib
import os
import subprocess
import sys
from unittest import mock

import numpy as np
import pytest
from equality import differs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from minsum_designs import (
    block_specs,
    code_spec,
    matrix_spec,
    quasi_cyclic_matrix,
    random_frames,
    specs,
)

from gatesmith.families import FAMILIES
from gatesmith.flows.silicon.mapping import cells_of
from gatesmith.hw.minsum.check import Found, least_two
from gatesmith.models.codes import code

FAMILY = FAMILIES["minsum"]

tmp_path_is_fine = HealthCheck.function_scoped_fixture
HAMMING = [[1, 1, 0, 1, 1, 0, 0], [1, 0, 1, 1, 0, 1, 0], [0, 1, 1, 1, 0, 0, 1]]


def check_equal(spec, stall, folder, count=8, simulator="icarus"):
    frames = random_frames(spec, count)
    assert not differs(FAMILY.verilog(spec), spec, frames, folder, simulator, stall=stall)


@settings(max_examples=10, suppress_health_check=[tmp_path_is_fine])
@given(st.one_of(specs(), block_specs()), st.sampled_from([0.0, 0.3, 0.7]))
def test_verilog_matches_golden(tmp_path, spec, stall):
    check_equal(spec, stall, tmp_path)


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=[tmp_path_is_fine])
@given(st.one_of(specs(), block_specs()), st.sampled_from([0.0, 0.3, 0.7]))
def test_verilog_matches_golden_at_length(tmp_path, spec, stall):
    check_equal(spec, stall, tmp_path)


def designs():
    """A design of each kind that a random small matrix rarely or never gives."""
    rng = np.random.default_rng(3)
    blocks = quasi_cyclic_matrix(rng, 2, 3, 4)
    repeated = np.hstack([np.array(HAMMING, dtype=np.uint8), np.eye(3, dtype=np.uint8)])
    bch = code("bch-15-11")
    layered: dict = dict(schedule="layered", posteriors=True)
    serial: dict = dict(schedule="layered", memory="sram")
    return {
        "flooding": code_spec(bch, posteriors=True, llrs_per_beat=5),
        "two stages": code_spec(bch, stages=2, outputs="information", bits_per_beat=64),
        "each edge": matrix_spec(repeated, tying="edge", early_stop=False, posteriors=True),
        "normalised": matrix_spec(repeated, tying="edge", update="normalised", posteriors=True),
        "cyclic": code_spec(bch, llrs_per_beat=12, **layered),
        "cyclic, two rows": code_spec(bch, rows_per_clock=2, **layered),
        "cyclic, each edge": code_spec(
            bch, parameters=rng.integers(0, 3, (5, bch.edges)), groups=np.arange(bch.edges),
            **layered,
        ),
        "blocks": matrix_spec(blocks, lifting=4, rows_per_clock=4, tying="check", **layered),
        "blocks that turn": matrix_spec(blocks, lifting=4, rows_per_clock=2, **layered),
        "one block": matrix_spec(blocks, lifting=4, rows_per_clock=4, llrs_per_beat=3, **serial),
        "one block, each edge": matrix_spec(
            blocks, lifting=4, rows_per_clock=4, tying="edge", update="normalised", **serial
        ),
        "any matrix": matrix_spec(repeated, rows_per_clock=2, update="plain", **layered),
        "least": matrix_spec(np.array([[1]]), message_bits=3, iterations=1, bits_per_beat=1),
    }  # fmt: skip


@pytest.mark.parametrize("name", designs())
def test_verilog_is_clean(tmp_path, name):
    path = tmp_path / "design.v"
    path.write_text(FAMILY.verilog(designs()[name]))
    for command in (
        ["iverilog", "-g2005", "-Wall", "-o", str(tmp_path / "out"), str(path)],
        ["verilator", "--lint-only", str(path)],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize(
    "name", ["flooding", "two stages", "cyclic, each edge", "blocks", "one block"]
)
def test_design_matches_golden(tmp_path, name):
    check_equal(designs()[name], 0.3, tmp_path)


@pytest.mark.parametrize("schedule", ["flooding", "layered"])
def test_many_frames_on_the_compiled_engine(tmp_path, schedule):
    spec = code_spec(code("bch-15-11"), schedule=schedule, llrs_per_beat=12)
    check_equal(spec, 0.3, tmp_path, 500, "cxxrtl")


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["flooding", "layered"])
@pytest.mark.parametrize("name", ["bch-63-36", "ccsds-128-64"])
def test_codes_of_the_papers(tmp_path, name, schedule):
    spec = code_spec(code(name), schedule=schedule, llrs_per_beat=12)
    check_equal(spec, 0.3, tmp_path, 100, "cxxrtl")


def test_many_frames_of_one_block_a_clock_on_the_compiled_engine(tmp_path):
    check_equal(designs()["one block"], 0.3, tmp_path, 500, "cxxrtl")


def test_standard_code_of_one_block_a_clock(tmp_path):
    spec = code_spec(code("wifi-648-r12"), schedule="layered", llrs_per_beat=12, bits_per_beat=64)
    check_equal(spec.with_options(memory="sram", iterations=2), 0.0, tmp_path, 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wifi-648-r12", "wimax-576-r34b", "ccsds-128-64"])
def test_standard_codes_of_one_block_a_clock(tmp_path, name):
    spec = code_spec(code(name), schedule="layered", llrs_per_beat=12, iterations=10)
    check_equal(spec.with_options(memory="sram", bits_per_beat=64), 0.3, tmp_path)


@pytest.mark.slow
def test_long_code_of_one_block_a_clock(tmp_path):
    spec = code_spec(code("nr-512-1024"), schedule="layered", llrs_per_beat=12, iterations=3)
    check_equal(spec.with_options(memory="sram", bits_per_beat=64), 0.0, tmp_path, 2)


@pytest.mark.parametrize("schedule", ["flooding", "layered"])
@pytest.mark.parametrize("update", ["plain", "offset"])
def test_nothing_multiplies(schedule, update):
    spec = matrix_spec(np.array(HAMMING), update=update, tying="edge", schedule=schedule)
    assert "$mul" not in cells_of(FAMILY.verilog(spec), spec.name)


@pytest.mark.parametrize("update, tying", [("plain", "scalar"), ("offset", "edge"),
                                           ("normalised", "scalar")])  # fmt: skip
def test_nothing_multiplies_with_one_block_a_clock(update, tying):
    matrix = quasi_cyclic_matrix(np.random.default_rng(3), 2, 3, 4)
    spec = matrix_spec(matrix, update=update, tying=tying, lifting=4, schedule="layered")
    text = FAMILY.verilog(spec.with_options(memory="sram"))
    assert "$mul" not in cells_of(text, spec.name)


@pytest.mark.parametrize("schedule", ["flooding", "layered"])
def test_one_scale_needs_no_multiplier(schedule):
    spec = matrix_spec(np.array(HAMMING), update="normalised", schedule=schedule)
    assert "$mul" not in cells_of(FAMILY.verilog(spec), spec.name)


@pytest.mark.parametrize("seed", ["1", "2"])
@pytest.mark.parametrize("name", ["each edge", "cyclic, each edge", "one block"])
def test_verilog_is_the_same_on_every_run(seed, name):
    """Also where sets and hashes come in another order."""
    script = (
        "import sys, hashlib; sys.path.insert(0, 'tests/hw/minsum'); sys.path.insert(0, 'tests')\n"
        "from test_minsum import FAMILY, designs\n"
        f"print(hashlib.sha256(FAMILY.verilog(designs()[{name!r}]).encode()).hexdigest())"
    )
    environment = os.environ | {"PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    here = hashlib.sha256(FAMILY.verilog(designs()[name]).encode()).hexdigest()
    assert done.stdout.strip() == here


@pytest.mark.parametrize("schedule", ["flooding", "layered"])
@pytest.mark.parametrize("fault", ["second minimum", "saturation"])
def test_fault_is_seen(tmp_path, schedule, fault):
    """What random small decoders must not be blind to."""
    spec = code_spec(code("bch-15-11"), schedule=schedule, posteriors=True, update="plain")

    def approximate(m, magnitudes):
        found = least_two(m, magnitudes)
        return Found(first=found.first, second=found.first, index=found.index)

    def unclamped(m, total, bits):
        return total[-1], abs(total)[: bits - 1]

    where, what = {
        "second minimum": ("gatesmith.hw.minsum.check.least_two", approximate),
        "saturation": (
            "gatesmith.hw.minsum.variable.to_check"
            if schedule == "flooding"
            else "gatesmith.hw.minsum.layered.to_check",
            unclamped,
        ),
    }[fault]
    with mock.patch(where, what):
        text = FAMILY.verilog(spec)
    assert differs(text, spec, random_frames(spec, 8), tmp_path, brief=True)


@pytest.mark.parametrize(
    "where, change",
    [
        ("lanes.Lanes._answers", lambda self, m, name, fields, place: fields.first),
        ("lanes.to_check", lambda m, total, bits: (total[-1], abs(total)[: bits - 1])),
        ("program.WRITTEN", 2),
        ("program.FOUND", 2),
        ("program.HELD", 3),
    ],
)
def test_fault_of_one_block_a_clock_is_seen(tmp_path, where, change):
    """Also of its program: a clock sooner than the pipeline allows."""
    # A row of many blocks, one of a single other one, and one of them all.
    bases = np.array([[1] * 6 + [0], [0] * 6 + [1], [1] * 7])
    matrix = np.kron(bases, np.eye(5, dtype=int))
    spec = matrix_spec(matrix, update="plain", lifting=5, schedule="layered", early_stop=False)
    spec = spec.with_options(memory="sram")
    with mock.patch(f"gatesmith.hw.minsum.{where}", change):
        text = FAMILY.verilog(spec)
    assert differs(text, spec, random_frames(spec, 20), tmp_path, brief=True)


def test_decision_stands_while_the_output_is_busy(tmp_path):
    """What one iteration repairs the next one spoils, from the first block that it gives back."""
    matrix = np.kron([[1] * 20 + [0] * 20, [0] * 20 + [1] * 20], np.eye(5, dtype=int))
    spec = matrix_spec(
        matrix, iterations=2, parameters=np.array([[0], [15]]), lifting=5, schedule="layered"
    ).with_options(memory="sram", bits_per_beat=1, llrs_per_beat=5)
    frames = random_frames(spec, 20)
    assert not differs(FAMILY.verilog(spec), spec, frames, tmp_path)
    with mock.patch("gatesmith.hw.minsum.program.DECIDED", 1):
        text = FAMILY.verilog(spec)
    assert differs(text, spec, frames, tmp_path, brief=True)
