"""The clocks of decoders, by hand; that they are the chip's is tested with the Core."""

import numpy as np
import pytest
from minsum_designs import code_spec, matrix_spec

from gatesmith.models.codes import code
from gatesmith.models.minsum.block_schedule import block_clocks
from gatesmith.models.minsum.schedule import clocks, iteration_clocks, mean_interval, timing

BCH = code("bch-63-36")


@pytest.mark.parametrize(
    "options, expected",
    [
        (dict(), 1),
        (dict(stages=2), 2),
        (dict(schedule="layered"), 27),
        (dict(schedule="layered", rows_per_clock=4), 7),
    ],
)
def test_clocks_of_an_iteration(options, expected):
    assert iteration_clocks(code_spec(BCH, **options)) == expected


def test_lone_frame():
    """In 6, loaded 1, looked at once more than there are iterations; out 2 + 8."""
    spec = code_spec(BCH, llrs_per_beat=12)
    assert spec.input_format.words == 6 and spec.output_format.words == 10
    found = [int(clocks(spec, np.array([k]))[0]) for k in range(6)]
    assert found == [6 + 1 + 1 + k + 10 for k in range(6)]
    assert timing(spec).latency == found[-1]


def test_slowest_part_sets_the_pace():
    """Input, decoding or output, and a clock to hand over."""
    assert timing(code_spec(BCH)).interval == 63 + 1
    assert timing(code_spec(BCH, llrs_per_beat=12)).interval == 10 + 1
    fast = code_spec(BCH, llrs_per_beat=12, bits_per_beat=64, schedule="layered")
    assert timing(fast).interval == 5 * 27 + 1


def test_a_frame_waits_for_the_one_before():
    spec = code_spec(BCH, llrs_per_beat=12, bits_per_beat=64, schedule="layered")
    alone = clocks(spec, np.array([0]))[0]
    assert clocks(spec, np.array([5, 0]))[1] > alone
    assert clocks(spec, np.array([0, 0]))[1] == alone
    assert len(clocks(spec, np.empty(0, dtype=int))) == 0


def test_mean_interval_is_what_the_slowest_part_leaves():
    fast = code_spec(BCH, llrs_per_beat=12, bits_per_beat=64, schedule="layered")
    for same in (2, 5):  # decoding is the slowest part
        assert mean_interval(fast, np.full(50, same)) == same * 27 + 1
    assert mean_interval(fast, np.tile([0, 0, 4], 40)) < (0 + 0 + 4) / 3 * 27 + 8
    assert mean_interval(fast, np.zeros(50, dtype=int)) == timing(code_spec(
        BCH, llrs_per_beat=12, bits_per_beat=64, iterations=1)).interval  # fmt: skip


def blocks(*rows, size=4):
    """One block a clock, of a matrix with these shifts in each block."""
    eye = np.eye(size, dtype=int)
    matrix = np.block([
        [sum((np.roll(eye, shift, axis=1) for shift in block), 0 * eye) for block in row]
        for row in rows
    ])  # fmt: skip
    spec = matrix_spec(matrix, lifting=size, schedule="layered", rows_per_clock=size)
    return spec.with_options(memory="sram")


@pytest.mark.parametrize(
    "rows, expected",
    [
        # Read in clocks 0 to 2, given back in 5 to 7; the first again from 5 + 3.
        ([[[0], [1], [2]]], (3 + 5, 7 + 3, 8)),
        # Read in 0 and 1, one given back in 4; read again in 7 and given back in 10.
        ([[[0, 1]]], (1 + 5, 10 + 3, 13)),
        # The second row reads its other columns in 2 and 3, given back in 6 and 7, while the
        # first is given back in 4 and 5; the first row again from 4 + 3 on.
        ([[[0], [1], [], []], [[], [], [0], [3]]], (4 + 5, 7 + 3, 7)),
        # Column 1 is read in 1 and given back in 4, before column 0, since the second row reads
        # it: in 7, behind column 2 in 2. It is given back in 10 and column 2 in 11.
        ([[[0], [1], []], [[], [0], [3]]], (3 + 5, 11 + 3, 10 + 3 - 1)),
    ],
)
def test_one_block_a_clock(rows, expected):
    found = block_clocks(blocks(*rows))
    assert (found.load, found.first, found.next) == expected
    assert iteration_clocks(blocks(*rows)) == found.next


def test_lone_frame_of_one_block_a_clock():
    spec = blocks([[0], [1], [2]])
    words = spec.input_format.words + spec.output_format.words
    found = [int(clocks(spec, np.array([k]))[0]) for k in range(3)]
    assert found == [words + 2 + 8 + more for more in (0, 10, 10 + 8)]


def test_standard_codes_of_one_block_a_clock():
    """Not far from a clock a block, of which they have 88 and 197."""
    for name, expected in (("wifi-648-r12", 111), ("nr-512-1024", 241)):
        spec = code_spec(code(name), schedule="layered").with_options(memory="sram")
        assert iteration_clocks(spec) == expected
