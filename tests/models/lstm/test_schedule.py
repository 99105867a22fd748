"""Entries against brute force, and the time line against a plain walk; the Verilog is held against
both by the tests of ``hw``."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_designs import random_frames, random_spec
from lstm_reference import entries, reference

from gatesmith.models.lstm import counters, golden, timing
from gatesmith.models.lstm.schedule import ELEMENTWISE, FREE, PASS, TURN, Work, fillers


def _fillers(zero, offset_bits):
    vector = [(0 if one else 3,) for one in zero]
    return sum(not any(values) for _, values, _ in entries(vector, offset_bits, False))


@pytest.mark.parametrize("offset_bits", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 31, 32, 33])
def test_fillers_of_corner_vectors(size, offset_bits):
    place = np.arange(size)
    runs = [place >= 0, place < 0, place > 0, place < size - 1]
    runs += [place % (1 << offset_bits) != k for k in range(1 << offset_bits)]
    found = fillers(np.array(runs), offset_bits)
    assert found.tolist() == [_fillers(zero, offset_bits) for zero in runs]


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 5))
def test_fillers_of_any_vector(zero, offset_bits):
    assert fillers(np.array([zero]), offset_bits).tolist() == [_fillers(zero, offset_bits)]


@pytest.mark.parametrize(
    ("zeros", "wanted"),
    [
        (3, [(3, 1)]),  # the longest run that an offset of two bits skips
        (4, [(3, 0), (0, 1)]),  # one zero more: a filler
        (7, [(3, 0), (3, 1)]),
        (8, [(3, 0), (3, 0), (0, 1)]),
    ],
)
def test_entries_at_the_longest_offset(zeros, wanted):
    """The definition that the others are held against, at its corner."""
    found = entries([(0,)] * zeros + [(1,)], 2, False)
    assert [(skipped, values[0]) for skipped, values, _ in found] == wanted
    assert [last for *_, last in found] == [False] * (len(wanted) - 1) + [True]
    assert len(entries([(0,)] * zeros + [(1,)], 2, True)) == zeros + 1


def test_an_element_is_skipped_only_where_all_sequences_are_zero():
    assert entries([(0, 0), (0, 2), (0, 0), (1, 0)], 4, False) == [
        (1, (0, 2), False),
        (1, (1, 0), True),
    ]
    spec = random_spec(1, (6, 8, 4), batch=2)
    work = Work(spec, np.array([1]), np.array([False]))
    values = np.zeros((1, 2, 8), dtype=np.int64)
    values[0, 0, 2], values[0, 1, 2], values[0, 1, 5] = 5, 7, -1
    work.count(1, 0, np.array([0]), values)
    assert (work.taken[0], work.skipped[0]) == (2, 6)
    # Lists of the even and of the odd cells: 2 ends in a filler, so does 5.
    assert work.cost[1, 0, 0] == 2 * 4 + 2


def _worked(spec, costs):
    """Clocks of work on one frame, walked in plain integers."""
    per_cell = 2 * spec.elementwise if spec.state else 1
    cells = [layer.hidden // spec.elementwise * spec.batch for layer in spec.layers]
    engine, stage, output, waited = sum(cells) * per_cell, -1000, -1000, 0

    def head(step):
        nonlocal engine, output, waited
        wanted = max(engine, stage)
        begin = max(wanted, output)
        waited += begin - wanted
        end = begin + costs[step]["head"] + PASS
        output = end + spec.batch * (spec.head.classes + 1) + FREE
        engine = end + TURN
        return end

    for step, cost in enumerate(costs):
        engine += cost[0, "x"] + PASS + TURN
        if spec.every_step and step:
            head(step - 1)
        for layer, count in enumerate(cells):
            begin = max(engine, stage) if len(cells) == 1 else engine
            end = begin + cost[layer, "h"] + PASS
            if layer:
                end = max(end + TURN, stage) + cost[layer, "x"] + PASS
            launch = max(end, stage)
            stage, engine = launch + count + ELEMENTWISE, launch + TURN
    return head(len(costs) - 1) - waited


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(1, 3),
)
def test_counters_match_a_plain_walk(seed, hidden, one_hot, every_step, state, batch):
    spec = random_spec(
        seed,
        [7, *(2 * size for size in hidden), 9],
        one_hot=one_hot,
        every_step=every_step,
        state=state,
        batch=batch,
        steps=6,
        threshold=40,
        offset_bits=1 + seed % 3,
    )
    frames = random_frames(spec, 5, seed)
    found = counters(spec, golden(spec, frames).outputs)
    for number, frame in enumerate(frames):
        answer = reference(spec, frame)
        assert found["taken"][number] == answer.taken
        assert found["skipped"][number] == answer.skipped
        assert found["clocks"][number] == _worked(spec, answer.costs)


def test_dense_takes_every_column():
    spec = random_spec(3, (6, 8, 4, 5), steps=3, every_step=True, threshold=60)
    frames = spec.input_format.random(np.random.default_rng(0), 6)
    both = []
    for dense in (0, 1):
        frames[:, 0] = dense
        run = golden(spec, frames)
        both.append(counters(spec, run.outputs) | {"span": run.clocks})
    sparse, dense = both
    steps = spec.input_format.repetitions(frames)
    assert np.array_equal(dense["taken"], steps * (6 + 8 + 8 + 4 + 4))
    assert not dense["skipped"].any()
    assert np.array_equal(sparse["taken"] + sparse["skipped"], dense["taken"])
    assert (sparse["clocks"] < dense["clocks"]).all() and (sparse["span"] <= dense["span"]).all()


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("every_step", [False, True])
def test_timing_is_that_of_the_longest_dense_frames(one_hot, every_step):
    spec = random_spec(3, (6, 8, 5), steps=3, one_hot=one_hot, every_step=every_step)
    frames = spec.input_format.random(np.random.default_rng(0), 12)[1:2].repeat(9, axis=0)
    frames[:, 0] = 1
    found, clocks = timing(spec), golden(spec, frames).clocks
    assert found.latency == clocks[0] == golden(spec, frames[:1]).clocks[0]
    assert 0 < found.interval <= found.latency


def test_a_lone_frame_is_no_slower_than_one_of_many():
    spec = random_spec(3, (6, 8, 5), steps=5, batch=2, state=True)
    frames = random_frames(spec, 8)
    clocks = golden(spec, frames).clocks
    alone = [int(golden(spec, frames[k : k + 1]).clocks[0]) for k in range(8)]
    assert clocks[0] == alone[0] and (clocks >= alone).all()
