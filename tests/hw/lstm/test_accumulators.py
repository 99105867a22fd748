import random

import pytest
from clocked import run

from gatesmith.hw.lstm.accumulators import Accumulators

WIDTH = 12


def add_up(dut, addresses, words):
    """Words after something was added at each address in turn, None for a clock without.

    As the engine does: a word is read in a clock, and written in the next, in which the word of
    the next address is read. The words are set, not added to, the first time.
    """
    rng = random.Random(1)
    wanted, found = {}, []

    async def bench(ctx):
        before = None
        for address in [*addresses, None]:
            ctx.set(dut.add.enable, address is not None)
            ctx.set(dut.add.address, rng.randrange(words) if address is None else address)
            ctx.set(dut.write, before is not None)
            ctx.set(dut.write_address, rng.randrange(words))
            if before is not None:
                value = rng.randrange(1 << WIDTH)
                base = ctx.get(dut.add.data) if before in wanted else 0
                ctx.set(dut.write_address, before)
                ctx.set(dut.write_data[0], (base + value) % (1 << WIDTH))
                wanted[before] = (wanted.get(before, 0) + value) % (1 << WIDTH)
            await ctx.tick()
            before = address
        ctx.set(dut.write, 0)
        ctx.set(dut.use.enable, 1)
        for address in sorted(wanted):
            ctx.set(dut.use.address, address)
            await ctx.tick()
            found.append(ctx.get(dut.use.data))

    run(dut, bench)
    return found, [wanted[address] for address in sorted(wanted)]


def columns(words, shortest, seed=0):
    """Addresses of columns of at least so many words, some of them after a pause."""
    rng = random.Random(seed)
    found = [*range(words)]
    for _ in range(40):
        found += [None] * rng.choice([0, 0, 0, 1, 2])
        found += range(rng.randint(shortest, words))
    return found


@pytest.mark.parametrize(
    ("words", "shortest"), [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (5, 1), (5, 5)]
)
def test_sums_of_columns(words, shortest):
    dut = Accumulators(width=WIDTH, sums=1, groups=words, shortest=shortest, kind="flipflop")
    found, wanted = add_up(dut, columns(words, shortest), words)
    assert found == wanted


def test_a_memory_alone_is_too_slow_for_columns_of_a_word():
    dut = Accumulators(width=WIDTH, sums=1, groups=3, shortest=2, kind="flipflop")
    found, wanted = add_up(dut, columns(3, 1), 3)
    assert found != wanted
