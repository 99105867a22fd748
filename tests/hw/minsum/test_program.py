"""What a decoder of one block a clock does, clock by clock."""

import numpy as np
from hypothesis import given
from minsum_designs import block_specs

from gatesmith.hw.minsum.program import Program
from gatesmith.models.minsum.block_schedule import block_clocks


@given(block_specs())
def test_clocks_are_those_of_the_model(spec):
    program, clocks = Program.of(spec), block_clocks(spec)
    assert program.loop == clocks.load
    assert len(program.words) - program.loop == clocks.next
    last = [word.get("late", 0) * clocks.next + at - program.loop
            for at, word in enumerate(program.words) if word.get("last")]  # fmt: skip
    assert [at + 3 for at in last] == [clocks.first]


@given(block_specs())
def test_walk(spec):
    """Three iterations, word by word: each block comes turned to its rows, and once is enough."""
    program, size = Program.of(spec), spec.lifting
    turned: dict[int, int] = {}
    written: dict[int, int] = {}  # clock, by column
    fed: list[set[tuple[int, int]]] = []  # rows and variables
    period = len(program.words) - program.loop
    for clock in range(program.loop + 3 * period):
        first = clock < program.loop + period
        place = clock if first else program.loop + (clock - program.loop) % period
        word = program.words[place]
        if word.get("read") and not word.get("load"):
            column = word["column"]
            assert written[column] + 3 <= clock
            shift = (turned[column] + word["shift"]) % size
            if word["feed"]:
                if word["start"] and word["layer"] == 0:
                    fed.append(set())
                rows = np.arange(size)
                variables = column * size + (rows + shift) % size
                new = set(zip((word["layer"] * size + rows).tolist(), variables.tolist(),
                              strict=True))  # fmt: skip
                assert not new & fed[-1]
                fed[-1] |= new
        if word.get("write") and not (first and word.get("late")):
            column = word["to_column"]
            written[column] = clock
            if word.get("load"):
                turned[column] = program.words[column]["shift"]
            else:
                edge = word["to_edge"]
                turned[column] = shifts(program)[edge]
    edges = set(zip(spec.edge_check.tolist(), spec.edge_variable.tolist(), strict=True))
    assert fed[:2] == [edges] * 2


def shifts(program):
    """Of each block, by its number in the order of reading."""
    blocks = sorted(program.blocks, key=lambda block: (block.layer, block.place))
    return [block.shift for block in blocks]
