import random

import pytest
from clocked import run
from lstm_reference import entries

from gatesmith.hw.lstm.encoder import Encoder, StateLists

VECTORS = {
    "at the limit": ([0, 0, 0, 5], [(3, 5)]),
    "one beyond": ([0, 0, 0, 0, 5], [(3, 0), (0, 5)]),
    "ends at the limit": ([0, 0, 0, 0], [(3, 0)]),
    "ends below the limit": ([7, 0, 0], [(0, 7), (1, 0)]),
    "all zero": ([0] * 10, [(3, 0), (3, 0), (1, 0)]),
    "none zero": ([1, -1, 127, -128], [(0, 1), (0, -1), (0, 127), (0, -128)]),
    "a single zero": ([0], [(0, 0)]),
}


def pack(values):
    """The values of all sequences, of 8 bits each, the first lowest."""
    return sum((value & 255) << 8 * k for k, value in enumerate(values))


def unpack(word, batch):
    return tuple((word >> 8 * k & 255 ^ 128) - 128 for k in range(batch))


def entry_of(ctx, entry, batch):
    values = unpack(ctx.get(entry.values), batch)
    return ctx.get(entry.offset), values, bool(ctx.get(entry.last))


def sparse(rng, count, batch):
    """A vector of elements, most of which are zero in all sequences."""
    return [
        tuple(rng.choice([0, rng.randint(-128, 127)]) if some else 0 for _ in range(batch))
        for some in (rng.random() < 0.4 for _ in range(count))
    ]


async def feed(ctx, dut, vector, found, *, stop=None, stall=0.0, rng=None):
    """Put in a vector, or its elements before ``stop``, and add what is to be stored."""
    for place, values in enumerate(vector[:stop]):
        while stall and rng.random() < stall:
            ctx.set(dut.valid, 0)
            assert not ctx.get(dut.write)
            await ctx.tick()
        ctx.set(dut.valid, 1)
        ctx.set(dut.values, pack(values))
        ctx.set(dut.end, place == len(vector) - 1)
        if ctx.get(dut.write):
            found.append(entry_of(ctx, dut.entry, len(values)))
        await ctx.tick()
    ctx.set(dut.valid, 0)


@pytest.mark.parametrize("name", VECTORS)
def test_known_entries(name):
    vector, wanted = VECTORS[name]
    dut, found = Encoder(batch=1, offset_bits=2), []

    async def bench(ctx):
        for _ in range(2):  # what was counted is forgotten at the end of a vector
            await feed(ctx, dut, [(value,) for value in vector], found)

    run(dut, bench)
    once = [(zeros, (value,), k == len(wanted) - 1) for k, (zeros, value) in enumerate(wanted)]
    assert found == once * 2


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize(("batch", "offset_bits"), [(1, 1), (2, 3), (3, 2)])
def test_entries_match_reference(batch, offset_bits, dense):
    rng = random.Random(batch)
    dut, found = Encoder(batch=batch, offset_bits=offset_bits), []
    vectors = [sparse(rng, rng.randint(1, 20), batch) for _ in range(20)]

    async def bench(ctx):
        ctx.set(dut.dense, dense)
        for vector in vectors:
            await feed(ctx, dut, vector, found, stall=0.3, rng=rng)

    run(dut, bench)
    assert found == [entry for vector in vectors for entry in entries(vector, offset_bits, dense)]


@pytest.mark.parametrize("before", [[0], [0, 0], [0, 0, 0], [5, 0], [0, 5, 0, 0, 0, 0]])
def test_abort_forgets_the_zeros(before):
    dut, found = Encoder(batch=1, offset_bits=2), []

    async def bench(ctx):
        await feed(ctx, dut, [(value,) for value in [*before, 9]], [], stop=len(before))
        ctx.set(dut.abort, 1)
        await ctx.tick()
        ctx.set(dut.abort, 0)
        await feed(ctx, dut, [(0,), (7,), (0,)], found)

    run(dut, bench)
    assert found == [(1, (7,), False), (0, (0,), True)]


async def write(ctx, dut, vector, lists, one_by_one):
    """All lists take a cell in a clock, or one list after the other."""
    batch = len(vector[0])
    for first in range(0, len(vector), lists):
        ctx.set(dut.values, sum(pack(vector[first + k]) << 8 * batch * k for k in range(lists)))
        ctx.set(dut.end, first + lists == len(vector))
        for mask in [1 << k for k in range(lists)] if one_by_one else [(1 << lists) - 1]:
            ctx.set(dut.write, mask)
            await ctx.tick()
            ctx.set(dut.write, 0)


async def read(ctx, dut, batch, stall, rng, most):
    """Entries of all lists, each with the number of its list; at most so many."""
    found = []
    ctx.set(dut.first, 1)
    while len(found) < most:
        await ctx.tick()
        ctx.set(dut.first, 0)
        ctx.set(dut.advance, 0)
        while rng.random() < stall:
            await ctx.tick()
        found.append((ctx.get(dut.number), *entry_of(ctx, dut.entry, batch)))
        if ctx.get(dut.done):
            break
        ctx.set(dut.advance, 1)
    ctx.set(dut.advance, 0)
    return found


@pytest.mark.parametrize("stall", [0, 0.4])
@pytest.mark.parametrize(
    ("lists", "positions", "batch", "offset_bits"),
    [(1, 1, 1, 1), (1, 6, 2, 1), (2, 5, 1, 2), (3, 1, 2, 1), (3, 7, 1, 1)],
)
def test_lists_hold_a_state(lists, positions, batch, offset_bits, stall):
    rng = random.Random(positions)
    dut = StateLists(
        lists=lists, positions=positions, batch=batch, offset_bits=offset_bits, kind="flipflop"
    )
    count = lists * positions
    states = [[(0,) * batch] * count, [(k + 1,) * batch for k in range(count)]]
    states += [sparse(rng, count, batch) for _ in range(6)]
    found, wanted = [], []

    async def bench(ctx):
        for number, state in enumerate(states):
            dense = number % 3 == 2
            ctx.set(dut.dense, dense)
            await write(ctx, dut, state, lists, one_by_one=number % 2 == 1)
            kept = [entries(state[k::lists], offset_bits, dense) for k in range(lists)]
            listed = [(k, *entry) for k, one in enumerate(kept) for entry in one]
            for most in (count + 1, 2, count + 1):  # any number of times, from the first entry on
                found.append(await read(ctx, dut, batch, stall, rng, most))
                wanted.append(listed[:most])

    run(dut, bench)
    assert found == wanted
