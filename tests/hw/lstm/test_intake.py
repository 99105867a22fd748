import random

import pytest
from clocked import run
from lstm_designs import random_frames, random_spec
from lstm_reference import entries

from gatesmith.hw.lstm.intake import Intake
from gatesmith.models.frames import PAD


def taken_apart(spec, words):
    """Mode, words of states, and entries of the steps, each with whether it is the frame's last."""
    dense, *rest = words
    count = sum(2 * layer.hidden for layer in spec.layers) * spec.batch * spec.state
    states, rest = rest[:count], rest[count:]
    found = []
    if spec.one_hot:
        found = [(word, k % spec.batch == spec.batch - 1) for k, word in enumerate(rest)]
    else:
        each = spec.layers[0].inputs * spec.batch
        for first in range(0, len(rest), each):
            step = rest[first : first + each]
            vector = [tuple(step[k : k + spec.batch]) for k in range(0, each, spec.batch)]
            found += entries(vector, spec.offset_bits, dense == 1)
    return dense, states, [(*entry, k == len(found) - 1) for k, entry in enumerate(found)]


def read_entry(ctx, spec, step):
    last, final = bool(ctx.get(step.entry.last)), bool(ctx.get(step.final))
    if spec.one_hot:
        return ctx.get(step.entry.symbol), last, final
    word = ctx.get(step.entry.values)
    values = tuple((word >> 8 * b & 255 ^ 128) - 128 for b in range(spec.batch))
    return ctx.get(step.entry.offset), values, last, final


@pytest.mark.parametrize("stall", [0, 0.5])
@pytest.mark.parametrize(
    "options",
    [
        {"one_hot": True, "batch": 2},
        {"one_hot": True, "state": True},
        {"batch": 3, "offset_bits": 1},
        {"batch": 2, "offset_bits": 2, "state": True},
        {"offset_bits": 1, "steps": 1},
    ],
    ids=["symbols", "symbols and states", "vectors", "vectors and states", "single step"],
)
def test_frames_are_read_as_they_came(options, stall):
    """Frames given up on the way leave nothing behind, and two fit beside each other."""
    spec = random_spec(1, (5, 2, 3), **options)
    width = spec.input_format.data_width
    frames = [
        [int(word) for word in frame if word != PAD]
        for frame in random_frames(spec, 12, seed=len(options))
    ]
    dut, found = Intake(spec, width, "flipflop"), []
    rng = random.Random(1)

    async def put(ctx, words, whole):
        for place, word in enumerate(words):
            while rng.random() < stall:
                ctx.set(dut.i.valid, 0)
                await ctx.tick()
            ctx.set(dut.i.valid, 1)
            ctx.set(dut.i.payload.data, word & (1 << width) - 1)
            ctx.set(dut.i.payload.last, whole and place == len(words) - 1)
            while not ctx.get(dut.i.ready):
                await ctx.tick()
            await ctx.tick()
        ctx.set(dut.i.valid, 0)

    async def source(ctx):
        for number, words in enumerate(frames):
            if number % 3:
                other = frames[number - 1]
                await put(ctx, other[: rng.randrange(1, len(other))], False)
                ctx.set(dut.abort, 1)
                await ctx.tick()
                ctx.set(dut.abort, 0)
            await put(ctx, words, True)

    async def sink(ctx):
        for words in frames:
            _, states, steps = taken_apart(spec, words)
            while not ctx.get(dut.full):
                await ctx.tick()
            got = [], []
            for _ in states:
                ctx.set(dut.advance_state, 1)
                await ctx.tick()
                ctx.set(dut.advance_state, 0)
                word = ctx.get(dut.state)
                got[0].append((word ^ 1 << 15) - (1 << 15))
            for _ in steps:
                while rng.random() < stall:
                    await ctx.tick()
                ctx.set(dut.advance, 1)
                await ctx.tick()
                ctx.set(dut.advance, 0)
                got[1].append(read_entry(ctx, spec, dut.step))
            found.append((ctx.get(dut.dense), *got))
            ctx.set(dut.release, 1)
            await ctx.tick()
            ctx.set(dut.release, 0)

    run(dut, source, sink)
    assert found == [taken_apart(spec, words) for words in frames]
