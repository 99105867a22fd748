"""The serial check nodes, against the definition of the least two."""

import numpy as np
import pytest
from amaranth.sim import Simulator
from minsum_designs import matrix_spec

from gatesmith.hw.minsum.lanes import Lanes

LANES = 3


def ring(blocks, **options):
    """A spec with a row of so many blocks."""
    matrix = np.tile(np.eye(LANES, dtype=int), (1, blocks))
    return matrix_spec(matrix, lifting=LANES, schedule="layered", **options).with_options(
        memory="sram"
    )


def word(values, width):
    """Of two's complement or unsigned elements, the first lowest."""
    return sum((int(v) & ((1 << width) - 1)) << width * k for k, v in enumerate(values))


def elements(number, width, signed=False):
    found = [number >> width * k & (1 << width) - 1 for k in range(LANES)]
    return [v - (v >> width - 1 << width) if signed else v for v in found]


def run(dut, bench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


async def feed(ctx, dut, messages, width):
    """Feed a row of blocks, int ``[blocks, lanes]``, a clock each, and wait for what it found."""
    for place in range(len(messages) + 1):
        ctx.set(dut.take, place < len(messages))
        ctx.set(dut.fresh, 1)
        if place < len(messages):
            ctx.set(dut.posteriors, word(messages[place], width))
        ctx.set(dut.feed, 1 <= place <= len(messages))
        ctx.set(dut.start, place == 1)
        ctx.set(dut.feed_place, max(0, min(place, len(messages)) - 1))
        ctx.set(dut.finish, place == len(messages))
        await ctx.tick()
    ctx.set(dut.feed, 0)
    ctx.set(dut.finish, 0)


@pytest.mark.parametrize("blocks", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("offset", [0, 2])
def test_messages_of_rows(blocks, offset):
    """Ties, zeros, magnitudes beyond what a message holds; two rows one behind the other."""
    spec = ring(blocks, update="offset", message_bits=4, parameters=np.array([[offset]]))
    dut, most, width = Lanes(spec), spec.most, spec.posterior_bits
    rng = np.random.default_rng(blocks)
    rows = rng.integers(-most - 1, most + 1, (20, blocks, LANES))
    rows[::3] = rng.integers(-1, 2, rows[::3].shape)

    async def bench(ctx):
        for messages in rows:
            await feed(ctx, dut, messages, width)
            sizes = np.minimum(np.abs(messages), most)
            negative = messages < 0
            for place in range(blocks):
                ctx.set(dut.kept, word(messages[place], width))
                ctx.set(dut.kept_signs, word(negative[place], 1))
                ctx.set(dut.give_place, place)
                await ctx.tick()
                others = np.delete(np.arange(blocks), place)
                least = sizes[others].min(axis=0) if blocks > 1 else np.full(LANES, most)
                least = np.maximum(least - offset, 0)
                signs = negative[others].sum(axis=0) % 2
                expected = messages[place] + np.where(signs, -least, least)
                assert elements(ctx.get(dut.posteriors_new), width, True) == expected.tolist()
                assert elements(ctx.get(dut.signs_new), 1) == signs.tolist()

    run(dut, bench)


def test_old_messages_are_taken_off():
    spec = ring(3, update="plain", message_bits=4)
    dut, width, bits = Lanes(spec), spec.posterior_bits, 3

    async def bench(ctx):
        ctx.set(dut.take, 1)
        ctx.set(dut.posteriors, word([5, -3, 2], width))
        ctx.set(dut.signs, 0b010)
        ctx.set(dut.old.first, word([1, 2, 3], bits))
        ctx.set(dut.old.second, word([4, 5, 6], bits))
        ctx.set(dut.old.index, 0b010_001)  # bit planes: places 1, 2, 0
        for place, sizes in enumerate(([1, 2, 6], [4, 2, 3], [1, 5, 3])):
            ctx.set(dut.place, place)
            expected = [5 - sizes[0], -3 + sizes[1], 2 - sizes[2]]
            assert elements(ctx.get(dut.without), width, True) == expected
        ctx.set(dut.fresh, 1)
        assert elements(ctx.get(dut.without), width, True) == [5, -3, 2]
        ctx.set(dut.take, 0)
        assert ctx.get(dut.without) == 0

    run(dut, bench)
