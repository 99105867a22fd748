"""The network without streams: a frame in and scores out in every clock."""

import subprocess

import numpy as np
import pytest
from designs import random_spec

from gatesmith.hw.sparse_mlp.network import network_verilog
from gatesmith.models.sparse_mlp import golden

BENCH = """
module bench;
  reg [{inputs}-1:0] frames [0:{count}-1];
  reg [{inputs}-1:0] i;
  wire [{outputs}-1:0] o;
  reg clk = 0;
  integer k;
  net dut({clock}.i(i), .o(o));
  initial begin
    $readmemh("frames.hex", frames);
    for (k = 0; k < {count} + {latency}; k = k + 1) begin
      i = k < {count} ? frames[k] : 0;
      #1 if (k >= {latency}) $display("%h", o);
      clk = 1;
      #1 clk = 0;
    end
  end
endmodule
"""


def packed(row, width):
    return sum((int(value) % (1 << width)) << k * width for k, value in enumerate(row))


@pytest.mark.parametrize("pipeline", [0, 1, 3])
@pytest.mark.parametrize("shift", [0, 3, 9])  # always clamped, sometimes, never positive
@pytest.mark.parametrize("sizes", [(9, 7, 5, 3), (4, 2)])
def test_network_matches_golden(tmp_path, sizes, shift, pipeline):
    spec = random_spec(6, sizes, weight_kind="int8", shift=shift, pipeline=pipeline)
    frames = spec.input_format.random(np.random.default_rng(0), 20)
    frames[0], frames[-1] = 0, 15
    net = network_verilog(spec, "net")
    assert net.latency == (len(sizes) - 1) * (1 + pipeline) - 1
    bench = BENCH.format(
        inputs=4 * sizes[0],
        outputs=net.width * sizes[-1],
        count=len(frames),
        latency=net.latency,
        clock=".clk(clk), " if net.latency else "",
    )
    (tmp_path / "net.v").write_text(net.text + bench)
    (tmp_path / "frames.hex").write_text("".join(f"{packed(row, 4):x}\n" for row in frames))
    build = ["iverilog", "-g2005", "-Wall", "-o", "sim", "net.v"]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(["vvp", "sim"], cwd=tmp_path, capture_output=True, text=True)
    scores = golden(spec, frames).outputs[:, :-1]
    assert [int(line, 16) for line in done.stdout.split()] == [packed(s, net.width) for s in scores]
