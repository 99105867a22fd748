import random

import pytest
from clocked import run

from gatesmith.hw.lstm.loader import CHUNK, Loader

MEMORIES = [(40, 3), (12, 1), (97, 2), (32, 4)]  # width in bits, depth in words


def contents(rng):
    return [[rng.getrandbits(width) for _ in range(depth)] for width, depth in MEMORIES]


def chunks(words):
    """The configuration frame of all memories, the lowest chunk of each word first."""
    return [
        word >> CHUNK * k & (1 << CHUNK) - 1
        for (width, _), memory in zip(MEMORIES, words, strict=True)
        for word in memory
        for k in range(-(-width // CHUNK))
    ]


@pytest.mark.parametrize("stall", [0, 0.4])
def test_words_come_to_their_places(stall):
    """Also after frames that were given up, wherever that was."""
    rng = random.Random(2)
    dut = Loader(MEMORIES)
    found, wanted = [], []

    async def put(ctx, frame, stored):
        for place, chunk in enumerate(frame):
            while rng.random() < stall:
                ctx.set(dut.i.valid, 0)
                assert not ctx.get(dut.write) and not ctx.get(dut.done)
                await ctx.tick()
            ctx.set(dut.i.valid, 1)
            ctx.set(dut.i.payload, chunk)
            assert ctx.get(dut.i.ready)
            assert ctx.get(dut.done) == (place == len(frame) - 1 and stored is not None)
            mask = ctx.get(dut.write)
            if mask and stored is not None:
                number = mask.bit_length() - 1
                assert mask == 1 << number
                word = ctx.get(dut.data[number]) % (1 << MEMORIES[number][0])
                stored.append((number, ctx.get(dut.address), word))
            await ctx.tick()
        ctx.set(dut.i.valid, 0)

    async def bench(ctx):
        length = len(chunks(contents(rng)))
        for stop in [0, *range(length)]:
            if stop:
                await put(ctx, chunks(contents(rng))[:stop], None)
                ctx.set(dut.abort, 1)
                await ctx.tick()
                ctx.set(dut.abort, 0)
            words = contents(rng)
            await put(ctx, chunks(words), found)
            wanted.extend(
                (number, address, word)
                for number, memory in enumerate(words)
                for address, word in enumerate(memory)
            )

    run(dut, bench)
    assert found == wanted
