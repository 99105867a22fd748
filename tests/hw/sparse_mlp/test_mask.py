"""Mask bits in Icarus, from every state of a short register."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from designs import random_layer

from gatesmith.hw.sparse_mlp.mask import mask_name, mask_verilog
from gatesmith.models.lfsr import states

BENCH = """
module bench;
  reg [{width}-1:0] state;
  wire [{count}-1:0] kept;
  wire [{width}-1:0] after;
  {name} dut(.state(state), .kept(kept), .after(after));
  initial begin
    state = 0;
    repeat ((1 << {width}) - 1) begin
      state = state + 1;
      #1 $display("%b %0d", kept, after);
    end
  end
endmodule
"""


@pytest.mark.parametrize("width, leap", [(3, 3), (6, 1), (6, 5), (6, 8), (6, 11), (7, 40)])
@pytest.mark.parametrize("count", [1, 2, 16, 64])
@pytest.mark.parametrize("sparsity", [0.3, 0.8])
def test_every_state(tmp_path: Path, width: int, leap: int, count: int, sparsity: float):
    layer = random_layer(np.random.default_rng(0), width=width, leap=leap, sparsity=sparsity)
    name = mask_name("part", layer, count)
    bench = BENCH.format(width=width, count=count, name=name)
    (tmp_path / "part.v").write_text(mask_verilog(name, layer, count) + bench)
    build = ["iverilog", "-g2005", "-Wall", "-o", "sim", "part.v"]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(["vvp", "sim"], cwd=tmp_path, capture_output=True, text=True)
    found = [line.split() for line in done.stdout.splitlines()]
    run = states(layer.taps, np.arange(1, 1 << width), count + 1, leap)
    assert len(found) == len(run)
    for (kept, after), row in zip(found, run, strict=True):
        assert [int(bit) for bit in reversed(kept)] == (row[:-1] >= layer.threshold).tolist()
        assert int(after) == row[-1]
