"""The clocks of decoders, by hand; that they are the chip's is tested with the Core."""

import numpy as np
import pytest
from minsum_designs import code_spec

from gatesmith.models.codes import code
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
