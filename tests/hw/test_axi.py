import random

import pytest
from amaranth.sim import Simulator

from gatesmith.hw.axi import FrameGuard


def guard(beats, words, stall, seed):
    """Words of whole frames that pass the guard, and the number of aborts."""
    rng = random.Random(seed)
    dut = FrameGuard(8, words)
    frames, aborts = [[]], 0

    async def bench(ctx):
        nonlocal aborts
        for data, last in beats:
            ctx.set(dut.tvalid, 0)
            while rng.random() < stall:
                await ctx.tick()
            ctx.set(dut.tvalid, 1)
            ctx.set(dut.tdata, data)
            ctx.set(dut.tlast, last)
            while True:
                ctx.set(dut.o.ready, rng.random() >= stall)
                taken = ctx.get(dut.tready)
                if ctx.get(dut.o.valid) and ctx.get(dut.o.ready):
                    assert taken
                    frames[-1].append(ctx.get(dut.o.payload))
                    if len(frames[-1]) == words:
                        frames.append([])
                if ctx.get(dut.abort):
                    aborts += 1
                    frames[-1] = []
                await ctx.tick()
                if taken:
                    break

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return frames, aborts


@pytest.mark.parametrize("words", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("stall", [0, 0.4])
def test_only_frames_of_the_right_length_pass(words, stall):
    rng = random.Random(words)
    lengths = [rng.choice([words, words, 1, words + 1, 2 * words, 3 * words]) for _ in range(60)]
    sent = [[rng.randrange(256) for _ in range(length)] for length in lengths]
    beats = [(word, k == len(f) - 1) for f in sent for k, word in enumerate(f)]
    frames, aborts = guard(beats, words, stall, seed=1)
    assert frames == [frame for frame in sent if len(frame) == words] + [[]]
    assert aborts == sum(length != words for length in lengths)
