import pytest
from amaranth.sim import Simulator

from gatesmith.hw.minsum.rotator import Rotator


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 27])
def test_every_shift(count, width):
    dut = Rotator(count=count, width=width)
    elements = [(5 * k + 3) % (1 << width) if width > 1 else k % 3 % 2 for k in range(count)]

    def word(values):
        return sum(value << width * k for k, value in enumerate(values))

    async def bench(ctx):
        ctx.set(dut.i, word(elements))
        for shift in range(count):
            ctx.set(dut.shift, shift)
            assert ctx.get(dut.o) == word([elements[(r + shift) % count] for r in range(count)])

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()
