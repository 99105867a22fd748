import numpy as np
import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.sim import Simulator

from gatesmith.hw.lfsr import states_ahead
from gatesmith.models.lfsr import PRIMITIVE_TAPS, states


def ahead(taps, leap, count, seeds):
    m = Module()
    state = Signal(max(taps))
    found = Signal(max(taps) * count)
    m.d.comb += found.eq(Cat(states_ahead(m, state, taps, leap, count)))
    rows = []

    async def bench(ctx):
        for seed in seeds:
            ctx.set(state, int(seed))
            value, width = ctx.get(found), max(taps)
            rows.append([value >> width * k & (1 << width) - 1 for k in range(count)])

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    return rows


@pytest.mark.parametrize("width", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("leap", [1, 2, 5, 6, 13])
def test_every_state_of_short_registers(width, leap):
    seeds = np.arange(1, 1 << width)
    expected = states(PRIMITIVE_TAPS[width], seeds, 9, leap)
    assert ahead(PRIMITIVE_TAPS[width], leap, 9, seeds) == expected.tolist()


@pytest.mark.parametrize("width", [10, 16, 20, 32])
@pytest.mark.parametrize("leap", [1, 10, 32])
def test_random_states_of_long_registers(width, leap):
    seeds = np.random.default_rng(width).integers(1, 1 << width, 20)
    expected = states(PRIMITIVE_TAPS[width], seeds, 65, leap)
    assert ahead(PRIMITIVE_TAPS[width], leap, 65, seeds) == expected.tolist()


def test_state_zero_stays_zero():
    assert ahead((10, 7), 3, 4, [0]) == [[0, 0, 0, 0]]
