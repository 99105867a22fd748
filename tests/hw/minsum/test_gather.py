import numpy as np
import pytest
from amaranth.sim import Simulator
from minsum_designs import matrix_spec

from gatesmith.hw.minsum.gather import Gather
from gatesmith.models.minsum.inputs import llr_frames


@pytest.mark.parametrize("size, beat", [(2, 1), (2, 2), (5, 3), (6, 4), (7, 7), (8, 6)])
def test_words_while_the_next_frame_comes(size, beat):
    """Beats without a pause; the words of a frame are read while those of the next arrive."""
    matrix = np.tile(np.eye(size, dtype=int), (1, 3))
    spec = matrix_spec(
        matrix, lifting=size, schedule="layered", rows_per_clock=size, llrs_per_beat=beat
    )
    dut = Gather(spec)
    llrs = np.random.default_rng(size).integers(-spec.most - 1, spec.most + 1, (4, 3 * size))
    frames = llr_frames(spec, llrs)
    mask = (1 << spec.message_bits) - 1
    wanted = [
        sum((max(int(v), -spec.most) & mask) << spec.message_bits * k for k, v in enumerate(word))
        for word in llrs.reshape(-1, size)
    ]
    found = []

    async def beats(ctx):
        # A frame that is cut short leaves nothing behind.
        for number, one in [(-1, frames[0][:-1]), *enumerate(frames)]:
            for word in one.tolist():
                ctx.set(dut.i.valid, 1)
                ctx.set(dut.i.payload, word)
                await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)
            if number < 0:
                ctx.set(dut.abort, 1)
                await ctx.tick()
                ctx.set(dut.abort, 0)

    async def words(ctx):
        for _ in frames:
            while not ctx.get(dut.full):
                await ctx.tick()
            ctx.set(dut.take, 1)
            await ctx.tick()
            ctx.set(dut.take, 0)
            ctx.set(dut.llrs.enable, 1)
            for column in range(3):
                ctx.set(dut.llrs.address, column)
                await ctx.tick()
                found.append(ctx.get(dut.llrs.data))
            ctx.set(dut.llrs.enable, 0)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(beats)
    simulator.add_testbench(words)
    simulator.run()
    assert found == wanted
