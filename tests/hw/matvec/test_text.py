"""The Verilog of matrix-vector products: equal to NumPy in Icarus, and clean."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatesmith.flows.silicon.mapping import cells_of
from gatesmith.hw.matvec import matvec_verilog

BENCH = """
module bench;
  reg [{inputs}-1:0] vectors [0:{count}-1];
  reg [{inputs}-1:0] i;
  wire [{outputs}-1:0] o;
  reg clk = 0;
  integer k;
  part dut({clock}.i(i), .o(o));
  initial begin
    $readmemh("vectors.hex", vectors);
    for (k = 0; k < {count} + {latency}; k = k + 1) begin
      i = k < {count} ? vectors[k] : 0;
      #1 if (k >= {latency}) $display("%h", o);
      clk = 1;
      #1 clk = 0;
    end
    $finish;
  end
endmodule
"""


def packed(row: np.ndarray, width: int) -> int:
    return sum((int(value) % (1 << width)) << k * width for k, value in enumerate(row))


def simulate(part, x: np.ndarray, bits: int, outputs: int, folder: Path) -> list[int]:
    """The output vector of each input vector, one sent a clock."""
    bench = BENCH.format(
        inputs=x.shape[1] * bits,
        outputs=outputs * part.width,
        count=len(x),
        latency=part.latency,
        clock=".clk(clk), " if part.latency else "",
    )
    (folder / "part.v").write_text(part.text + bench)
    (folder / "vectors.hex").write_text("".join(f"{packed(row, bits):x}\n" for row in x))
    build = ["iverilog", "-g2005", "-Wall", "-o", "sim", "part.v"]
    done = subprocess.run(build, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(["vvp", "sim"], cwd=folder, capture_output=True, text=True)
    lines = [line for line in done.stdout.split() if re.fullmatch("[0-9a-fxz]+", line)]
    return [int(line, 16) for line in lines]  # an x is no digit


@st.composite
def products(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(st.integers(1, 10), st.integers(1, 10)))
    high = draw(st.sampled_from([1, 1, 6, 128]))
    matrix = rng.integers(-high, high, shape, endpoint=True)
    matrix[rng.random(shape[0]) < 0.1] = 0
    options = dict(
        input_bits=draw(st.integers(1, 8)),
        signed=draw(st.booleans()),
        bias=rng.integers(-50, 50, shape[0]) * rng.integers(0, 2, shape[0]),
        style=draw(st.sampled_from(["auto", "shared", "compressor", "flat"])),
        depth=draw(st.sampled_from([None, 0, 2])),
    )
    key = draw(st.sampled_from(["pipeline", "stages"]))
    return matrix, options | {key: draw(st.integers(0, 4))}, rng


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(products())
def test_verilog_is_the_product(tmp_path_factory, product):
    matrix, options, rng = product
    part = matvec_verilog("part", matrix, **options)
    bits = options["input_bits"]
    low, high = (
        (-(1 << bits - 1), (1 << bits - 1) - 1) if options["signed"] else (0, (1 << bits) - 1)
    )
    x = rng.integers(low, high, (12, matrix.shape[1]), endpoint=True)
    x = np.concatenate([x, np.where(matrix > 0, low, high), np.where(matrix > 0, high, low)])
    y = x @ matrix.T + options["bias"]
    assert part.low == tuple(y.min(0)) and part.high == tuple(y.max(0))
    found = simulate(part, x, bits, len(matrix), tmp_path_factory.mktemp("part"))
    assert found == [packed(row, part.width) for row in y]
    if "stages" in options:
        assert part.latency == options["stages"]
    elif options["pipeline"]:
        assert part.latency == max(part.depth - 1, 0) // options["pipeline"]
    else:
        assert part.latency == 0


@pytest.mark.parametrize("style", ["shared", "compressor", "flat"])
def test_large_matrix_is_the_product(tmp_path, style):
    """Sums apart and a long path are for large matrices."""
    rng = np.random.default_rng(4)
    matrix = rng.integers(-1, 2, (41, 43))
    part = matvec_verilog("part", matrix, input_bits=3, signed=True, style=style)
    x = rng.integers(-4, 4, (20, 43))
    found = simulate(part, x, 3, 41, tmp_path)
    assert found == [packed(row, part.width) for row in x @ matrix.T]
    assert ("= ~(" in part.text) == (style == "shared")


@pytest.mark.parametrize("style", ["shared", "compressor", "flat"])
@pytest.mark.parametrize("options", [{}, {"stages": 2}, {"pipeline": 1, "depth": 0}])
def test_verilog_is_clean_and_never_multiplies(tmp_path, style, options):
    matrix = np.array([[1, -1, 0, 7], [0, 0, 0, 0], [-3, 127, 1, -128], [0, -1, -1, 0]])
    part = matvec_verilog("part", matrix, input_bits=5, signed=False, style=style, **options)
    (tmp_path / "part.v").write_text(part.text)
    for command in (
        ["iverilog", "-g2005", "-Wall", "-o", str(tmp_path / "out"), str(tmp_path / "part.v")],
        ["verilator", "--lint-only", str(tmp_path / "part.v")],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert "$mul" not in cells_of(part.text, "part")


def test_narrow_inputs_are_counted():
    matrix = np.random.default_rng(0).integers(-1, 2, (6, 9))
    styles = [
        matvec_verilog("part", matrix, input_bits=bits, signed=False).style for bits in (1, 2, 3, 8)
    ]
    assert styles == ["compressor", "compressor", "shared", "shared"]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"input_bits": 0}, "Input bits must be at least 1, not 0"),
        ({"style": "csa"}, "Style must be one of ('auto', 'shared', 'compressor', 'flat'), not"),
        ({"pipeline": -1}, "Pipeline must be at least 0, not -1"),
        ({"stages": -1}, "Stages must be at least 0 and without pipeline, not -1"),
        ({"stages": 2, "pipeline": 1}, "Stages must be at least 0 and without pipeline, not 2"),
    ],
)
def test_rejects(options, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        matvec_verilog("part", np.eye(2, dtype=int), **{"input_bits": 4, "signed": True, **options})
