import random

import pytest
from clocked import run
from lstm_designs import random_spec

from gatesmith.hw.lstm.preset import Preset

SIZES = [(3, 2, 2), (3, 4, 2, 6, 2)]


def preset(spec, frames):
    """Cells of each lane by address, and what each list of each layer is given, of all frames."""
    dut, found = Preset(spec), []

    async def bench(ctx):
        for words in frames:
            cells = [{} for _ in range(spec.elementwise)]
            lists = [[[] for _ in range(spec.elementwise)] for _ in spec.layers]
            rest = iter(words)
            ctx.set(dut.active, 1)
            active = True
            while True:
                mask = ctx.get(dut.load)
                for lane in range(spec.elementwise):
                    if mask >> lane & 1:
                        cells[lane][ctx.get(dut.address)] = ctx.get(dut.cell)
                for layer in range(len(spec.layers)):
                    for lane in range(spec.elementwise):
                        if ctx.get(dut.write) >> layer & 1 and ctx.get(dut.lanes) >> lane & 1:
                            lists[layer][lane].append((ctx.get(dut.values), ctx.get(dut.end)))
                if not active:
                    break
                advance, active = ctx.get(dut.advance), not ctx.get(dut.begun)
                await ctx.tick()
                ctx.set(dut.active, active)
                if advance:
                    ctx.set(dut.word, next(rest))
            assert not list(rest)
            found.append((cells, lists))
            await ctx.tick()

    run(dut, bench)
    return found


def wanted(spec, words):
    """The same, from the order of words in a frame; words are unsigned, None for zeros."""
    rest = iter(words) if words else None
    cells = [{} for _ in range(spec.elementwise)]
    lists = [[[] for _ in range(spec.elementwise)] for _ in spec.layers]
    base = 0
    for layer, one in enumerate(spec.layers):
        count = one.hidden // spec.elementwise

        def take(hidden=one.hidden):
            return [[next(rest) if rest else 0 for _ in range(spec.batch)] for _ in range(hidden)]

        for cell, values in enumerate(take()):
            value = sum((word & 255) << 8 * b for b, word in enumerate(values))
            place, lane = divmod(cell, spec.elementwise)
            lists[layer][lane].append((value, place == count - 1))
        for cell, values in enumerate(take()):
            place, lane = divmod(cell, spec.elementwise)
            for sequence, word in enumerate(values):
                cells[lane][(base + place) * spec.batch + sequence] = word
        base += count
    return cells, lists


@pytest.mark.parametrize("batch", [1, 2, 3])
@pytest.mark.parametrize("elementwise", [1, 2])
@pytest.mark.parametrize("sizes", SIZES)
def test_words_of_a_frame_are_set(sizes, elementwise, batch):
    rng = random.Random(batch)
    spec = random_spec(1, sizes, state=True, batch=batch, elementwise=elementwise)
    count = sum(2 * layer.hidden for layer in spec.layers) * batch
    frames = [[rng.getrandbits(16) for _ in range(count)] for _ in range(2)]
    assert preset(spec, frames) == [wanted(spec, words) for words in frames]


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("sizes", SIZES)
def test_frames_without_states_begin_at_zero(sizes, batch):
    spec = random_spec(1, sizes, batch=batch)
    assert preset(spec, [[], []]) == [wanted(spec, None)] * 2
