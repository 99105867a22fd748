import numpy as np
import pytest
from amaranth.sim import Simulator
from designs import random_layer

from gatesmith.hw.sparse_mlp.lookahead import LookAhead
from gatesmith.models.lfsr import states


@pytest.mark.parametrize("leap", [1, 5, 8, 11])
@pytest.mark.parametrize("lookahead", [2, 16])
@pytest.mark.parametrize("sparsity", [0.3, 0.5, 0.9])
def test_every_state_of_a_short_register(leap, lookahead, sparsity):
    layer = random_layer(
        np.random.default_rng(0), width=6, leap=leap, lookahead=lookahead, sparsity=sparsity
    )
    dut = LookAhead(layer)
    every = np.arange(1, 64)
    run = states(layer.taps, every, lookahead + 1, leap)

    async def bench(ctx):
        for row in run:
            ctx.set(dut.state, int(row[0]))
            kept = ctx.get(dut.kept)
            assert [kept >> k & 1 for k in range(lookahead)] == (
                row[:-1] >= layer.threshold
            ).tolist()
            assert ctx.get(dut.after) == row[-1]

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()
