# amaranth: UnusedElaboratable=no

import random

import pytest
from amaranth.sim import Simulator

from gatesmith.hw.axi import FrameGuard
from gatesmith.models.frames import Field, FrameFormat


def guard(beats, layout, stall, seed):
    """Words of whole frames that pass the guard, and the beats in which it aborts."""
    rng = random.Random(seed)
    dut = FrameGuard(8, layout)
    frames, aborts = [[]], []

    async def bench(ctx):
        for number, (data, last) in enumerate(beats):
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
                    ends = len(frames[-1]) == layout.words
                    if layout.repeated:
                        assert ctx.get(dut.last) or not ends
                        ends = ctx.get(dut.last)
                    if ends:
                        frames.append([])
                if ctx.get(dut.abort):
                    aborts.append(number)
                    frames[-1] = []
                await ctx.tick()
                if taken:
                    break

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return frames, aborts


def field(count, most=None, name="word"):
    return Field(name=name, count=count, width=8, signed=False, most=most)


def beats_of(sent):
    return [(word, k == len(f) - 1) for f in sent for k, word in enumerate(f)]


@pytest.mark.parametrize("words", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("stall", [0, 0.4])
def test_only_frames_of_the_right_length_pass(words, stall):
    rng = random.Random(words)
    lengths = [rng.choice([words, words, 1, words + 1, 2 * words, 3 * words]) for _ in range(60)]
    sent = [[rng.randrange(256) for _ in range(length)] for length in lengths]
    frames, aborts = guard(beats_of(sent), FrameFormat(fields=(field(words),)), stall, seed=1)
    assert frames == [frame for frame in sent if len(frame) == words] + [[]]
    assert len(aborts) == sum(length != words for length in lengths)


@pytest.mark.parametrize(
    ("head", "repeated", "repeats"), [(1, 1, 1), (1, 2, 3), (3, 1, 4), (0, 2, 2), (2, 3, 1)]
)
@pytest.mark.parametrize("stall", [0, 0.4])
def test_frames_that_end_after_a_repetition_pass(head, repeated, repeats, stall):
    layout = FrameFormat(
        fields=(field(head),) if head else (), repeated=(field(repeated),), repeats=repeats
    )
    legal = [head + k * repeated for k in range(1, repeats + 1)]
    rng = random.Random(repeats)
    lengths = [rng.choice([*legal, *range(1, 2 * legal[-1] + 2)]) for _ in range(100)]
    sent = [[rng.randrange(256) for _ in range(length)] for length in lengths]
    frames, aborts = guard(beats_of(sent), layout, stall, seed=1)
    assert frames == [frame for frame in sent if len(frame) in legal] + [[]]
    begin, expected = 0, []
    for length in lengths:
        if length not in legal:
            expected.append(begin + min(length, legal[-1]) - 1)
        begin += length
    assert aborts == expected


@pytest.mark.parametrize("repeats", [0, 1, 3])
def test_frames_with_a_word_above_the_most_of_its_field_are_swallowed(repeats):
    head, group = (field(1, most=1), field(2)), (field(1, most=9), field(2, most=200))
    most = [1, 255, 255, 9, 200, 200]
    if repeats:
        layout = FrameFormat(fields=head, repeated=group, repeats=repeats)
    else:
        layout = FrameFormat(fields=(*head, *group))
    rng = random.Random(repeats)
    sent, expected, aborts, begin = [], [], [], 0
    for _ in range(80):
        steps = rng.randint(1, repeats or 1)
        limits = most[:3] + most[3:] * steps
        frame = [rng.randint(0, limit) for limit in limits]
        place = rng.randrange(2 * len(frame))
        if place < len(frame) and limits[place] < 255:
            frame[place] = rng.choice([limits[place] + 1, 255])
            aborts.append(begin + place)
        else:
            expected.append(frame)
        begin += len(frame)
        sent.append(frame)
    assert guard(beats_of(sent), layout, 0.2, seed=2) == ([*expected, []], aborts)


def test_rejects_a_tail():
    layout = FrameFormat(fields=(), repeated=(field(2),), repeats=2, tail=(field(1, name="end"),))
    with pytest.raises(ValueError, match=r"^Frames in must have no tail, not \(Field\(name='end'"):
        FrameGuard(8, layout)
