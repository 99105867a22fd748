"""What a decoder of one block a clock does in each clock."""

from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from amaranth.lib import data

from gatesmith.hw.arith import count_shape
from gatesmith.models.minsum import MinSumSpec
from gatesmith.models.minsum.layout import block_rows

__all__ = ["Block", "Program"]

# Clocks from one event to another, as the pipeline of the decoder has them.
FOUND = 3  # the last block of a row to its messages, or a word read to what is kept of it
WRITTEN = 3  # a block on its way back to the first look at what was written
DECIDED = 2  # the last block on its way back to the next: a final decision stands
HELD = 2  # the last block of a row to the clock in which the messages of the row before go


class Block(NamedTuple):
    """A cyclic shift of the matrix.

    Members
    -------
    layer, column, shift : int   Row and column of blocks; row r has its one at r + shift.
    place : int                  In the order in which its layer is read.
    again : bool                 Its layer has its column before.
    """

    layer: int
    column: int
    shift: int
    place: int
    again: bool


class _Event(NamedTuple):
    """A block is read, read once more, or given back."""

    kind: str
    block: Block


@dataclass(frozen=True, kw_only=True)
class Program:
    """Words of the control store: those that load a frame, then those of an iteration.

    Members
    -------
    shape : data.StructLayout   Fields of a word, see :meth:`of`.
    words : list of dict        Value of each field; those left out are 0.
    loop : int                  Word that follows the last one.
    blocks : list of Block      In the order in which they are given back.
    turns : dict                By how far each column is turned after an iteration.
    """

    shape: data.StructLayout
    words: list[dict[str, int]]
    loop: int
    blocks: list[Block]
    turns: dict[int, int]

    @classmethod
    def of(cls, spec: MinSumSpec) -> "Program":
        """That of a Spec.

        ``read`` a word of ``column`` and turn it by ``shift``; with ``feed`` it goes to the checks
        as block ``place`` of ``layer``, the first with ``start`` and the last with ``finish``; with
        ``keep`` it waits at ``place`` to be given back; ``edge`` is the block's number. ``write``
        gives it back, with ``settle`` for good in this iteration, ``end`` as the last of its layer
        and ``last`` as that of the iteration, all with a ``to_`` before the name of a place;
        ``late`` is of the iteration before. ``load`` means a frame that comes in.
        """
        layers = _ordered(spec)
        reads, writes = _events(layers)
        columns, depth = spec.variables // spec.lifting, max(map(len, layers))
        turns = {event.block.column: event.block.shift for event in writes}
        loading = _loading([turns[column] for column in range(columns)], depth)
        shape = data.StructLayout(
            dict.fromkeys(("load", "read", "feed", "keep", "start", "finish"), 1)
            | dict.fromkeys(("write", "late", "settle", "end", "last"), 1)
            | dict.fromkeys(("column", "to_column"), count_shape(columns))
            | dict.fromkeys(("edge", "to_edge"), count_shape(len(writes)))
            | dict.fromkeys(("place", "to_place"), count_shape(depth))
            | {"layer": count_shape(len(layers)), "shift": count_shape(spec.lifting)}
        )
        return cls(
            shape=shape,
            words=loading + _running(layers, reads, writes, turns, spec.lifting),
            loop=len(loading),
            blocks=[event.block for event in writes],
            turns=turns,
        )

    def packed(self) -> list[int]:
        """The words as integers."""
        return [
            sum(value << self.shape[name].offset for name, value in word.items())
            for word in self.words
        ]


def _distance(columns: list[set[int]], layer: int, column: int, step: int) -> int:
    """Layers on, or back with a step of -1, to the next that has a column."""
    return next(k for k in count(1) if column in columns[(layer + step * k) % len(columns)])


def _given(blocks: list[Block], columns: list[set[int]]) -> list[Block]:
    """The order in which a layer is given back: what is needed soonest first."""
    return sorted(
        blocks,
        key=lambda b: (b.again, 0 if b.again else _distance(columns, b.layer, b.column, 1)),
    )


def _ordered(spec: MinSumSpec) -> list[list[Block]]:
    """Blocks of each layer in the order in which they are read: what waited longest first."""
    rows = block_rows(spec)
    columns = [{column for column, _ in row} for row in rows]
    found: list[list[Block]] = []
    for layer, row in enumerate(rows):
        keys = []
        for column, shift in row:
            back = _distance(columns, layer, column, -1)
            rank = column
            if back <= layer:
                order = [b.column for b in _given(found[layer - back], columns)]
                rank = len(order) - order[::-1].index(column)
            keys.append((-back, rank, shift, column))
        seen: list[int] = []
        blocks = []
        for place, (_, _, shift, column) in enumerate(sorted(keys)):
            blocks.append(Block(layer, column, shift, place, column in seen))
            seen.append(column)
        found.append(blocks)
    return found


def _events(layers: list[list[Block]]) -> tuple[list[_Event], list[_Event]]:
    """Of an iteration, in order: what is read, and what is given back."""
    columns = [{block.column for block in layer} for layer in layers]
    reads, writes = [], []
    for layer in layers:
        reads += [_Event("feed", block) for block in layer]
        reads += [_Event("again", block) for block in layer if block.again]
        writes += [_Event("give", block) for block in _given(layer, columns)]
    return reads, writes


def _times(
    layers: list[list[Block]], reads: list[_Event], writes: list[_Event]
) -> tuple[dict[_Event, int], int]:
    """Clock of each event, and the clocks from one iteration to the next."""
    # What comes first, what then, how many clocks later at least, and how many iterations on.
    rules: list[tuple[_Event, _Event, int, int]] = []
    for events, apart in ((reads, 1), (writes, DECIDED)):
        rules += [(a, b, 1, 0) for a, b in zip(events, events[1:], strict=False)]
        rules.append((events[-1], events[0], apart, 1))
    finish = [_Event("feed", layer[-1]) for layer in layers]
    for layer in layers:
        for block in layer:
            kept = _Event("again", block) if block.again else finish[block.layer]
            rules.append((kept, _Event("give", block), FOUND, 0))
    ends = [[e for e in writes if e.block.layer == number][-1] for number in range(len(layers))]
    for number, end in enumerate(ends):
        follower = (number + 1) % len(layers)
        rules.append((end, finish[follower], -HELD, int(follower == 0)))
    for column in {block.column for layer in layers for block in layer}:
        # In the order of the program: a layer is read, given back, and read again where it must.
        mine = [(e.block.layer, e.kind != "feed", e.block.place, e.kind == "give", e)
                for e in (*reads, *writes) if e.block.column == column]  # fmt: skip
        order = [one[-1] for one in sorted(mine)]
        for k, event in enumerate(order):
            if event.kind == "give":
                follower = (k + 1) % len(order)
                while order[follower].kind == "give":
                    follower = (follower + 1) % len(order)
                rules.append((event, order[follower], WRITTEN, int(follower <= k)))
    clocks = dict.fromkeys((*reads, *writes), 0)
    moved = True
    while moved:
        moved = False
        for before, after, least, apart in rules:
            if not apart and clocks[after] < clocks[before] + least:
                clocks[after] = clocks[before] + least
                moved = True
    return clocks, max(
        clocks[before] + least - clocks[after] for before, after, least, apart in rules if apart
    )


def _loading(turns: list[int], depth: int) -> list[dict[str, int]]:
    """A frame goes through the decoder as a row of all columns that sends no messages."""
    words: list[dict[str, int]] = [{"load": 1} for _ in range(len(turns) + FOUND + WRITTEN - 1)]
    for column, shift in enumerate(turns):
        place, end = column % max(2, depth), int(column == len(turns) - 1)
        words[column] |= dict(read=1, keep=1, column=column, shift=shift, place=place)
        words[column + FOUND] |= dict(write=1, settle=1, to_column=column, to_place=place, end=end)
    return words


def _running(
    layers: list[list[Block]],
    reads: list[_Event],
    writes: list[_Event],
    turns: dict[int, int],
    lifting: int,
) -> list[dict[str, int]]:
    """An iteration, into which the end of the one before it reaches."""
    clocks, period = _times(layers, reads, writes)
    words: list[dict[str, int]] = [{} for _ in range(period)]
    edges = {block: k for k, block in enumerate(b for layer in layers for b in layer)}
    turned = dict(turns)
    ends = {event.block.layer: event for event in writes}
    last = {event.block.column: event for event in writes}
    for time, event in sorted((clocks[event], event) for event in (*reads, *writes)):
        block = event.block
        late, at = divmod(time, period)
        if event.kind == "give":
            assert "write" not in words[at] and late < 2
            turned[block.column] = block.shift
            words[at] |= dict(
                write=1, late=late, to_column=block.column, to_place=block.place,
                to_edge=edges[block], settle=int(last[block.column] == event),
                end=int(ends[block.layer] == event), last=int(event == writes[-1]),
            )  # fmt: skip
            continue
        assert "read" not in words[at] and not late
        feed = event.kind == "feed"
        words[at] |= dict(
            read=1, feed=int(feed), keep=int(not (feed and block.again)), place=block.place,
            column=block.column, edge=edges[block], layer=block.layer,
            shift=(block.shift - turned[block.column]) % lifting,
            start=int(feed and block.place == 0),
            finish=int(feed and block == layers[block.layer][-1]),
        )  # fmt: skip
    return words
