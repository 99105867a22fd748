import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from gatesmith.hw.memory import NamedMemory, lookup


def run(dut, bench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("depth", [1, 2, 5, 16])
def test_read_only_memory_returns_its_words(depth):
    words = [-(k % 7) for k in range(depth)]
    dut = NamedMemory(width=4, depth=depth, init=words, reads=2)
    assert not hasattr(dut, "write")

    async def bench(ctx):
        for read in dut.reads:
            ctx.set(read.enable, 1)
        for k in range(depth):
            ctx.set(dut.reads[0].address, k)
            ctx.set(dut.reads[1].address, depth - 1 - k)
            await ctx.tick()
            assert ctx.get(dut.reads[0].data) == words[k] & 15
            assert ctx.get(dut.reads[1].data) == words[depth - 1 - k] & 15

    run(dut, bench)


def test_written_word_is_read_a_clock_later_and_held():
    dut = NamedMemory(width=8, depth=3)

    async def bench(ctx):
        for address in range(3):
            ctx.set(dut.write, 1)
            ctx.set(dut.write_address, address)
            ctx.set(dut.write_data, 100 + address)
            await ctx.tick()
        ctx.set(dut.write, 0)
        ctx.set(dut.reads[0].enable, 1)
        ctx.set(dut.reads[0].address, 2)
        await ctx.tick()
        ctx.set(dut.reads[0].enable, 0)
        ctx.set(dut.reads[0].address, 1)
        await ctx.tick()
        assert ctx.get(dut.reads[0].data) == 102

    run(dut, bench)


@pytest.mark.parametrize("words", [[3], [3, 3, 3], [1, 2, 3], [9, 0, 9, 0, 1]])
def test_lookup_returns_the_word_in_the_same_clock(words):
    m, index, found = Module(), Signal(3), Signal(8)
    m.d.comb += found.eq(lookup(m, "table", 8, words, index))

    async def bench(ctx):
        for k, word in enumerate(words):
            ctx.set(index, k)
            assert ctx.get(found) == word

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
