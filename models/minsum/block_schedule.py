"""The clocks of a decoder that takes one block of the matrix a clock."""

from dataclasses import dataclass

from gatesmith.models.minsum.layout import block_rows
from gatesmith.models.minsum.spec import MinSumSpec

__all__ = ["BlockClocks", "block_clocks"]

FOUND = 3  # from the last block of a row that is read to the first that is given back
GIVEN = 3  # from a block that is given back to the next look at its column, or at the decision
LOAD = 5  # beyond a clock a column


@dataclass(frozen=True, kw_only=True)
class BlockClocks:
    """Clocks of the parts of a frame.

    Members
    -------
    load : int     From loading to the first look at the decision, less those of any decoder.
    first : int    The first iteration, till its decision.
    next : int     Each further one.
    """

    load: int
    first: int
    next: int


class _Walk:
    """One iteration, row of blocks by row of blocks, with nothing before it."""

    def __init__(self, spec: MinSumSpec) -> None:
        self.rows = block_rows(spec)
        self.columns = [{column for column, _ in row} for row in self.rows]
        self.read, self.given = -1, -1  # clocks of the latest block
        self.first_read: dict[int, int] = {}  # clock, by column
        self.last_given: dict[int, int] = {}
        self.place: dict[int, int] = {}  # in the order in which its latest row was given back
        self.starts: tuple[int, int] | None = None  # last block read, first given, of the first row
        for number in range(len(self.rows)):
            self._take(number)

    def _rows_to(self, number: int, column: int, step: int) -> int:
        """How many rows on, or back with a step of -1, the column comes again."""
        distance = 1
        while column not in self.columns[(number + step * distance) % len(self.rows)]:
            distance += 1
        return distance

    def _take(self, number: int) -> None:
        row_before = self.given

        def wait(block: tuple[int, int]) -> tuple[int, int, int]:
            column, shift = block
            back = self._rows_to(number, column, -1)
            return -back, self.place[column] if back <= number else column, shift

        once: list[int] = []
        again: list[int] = []
        blocks = sorted(self.rows[number], key=wait)
        for k, (column, _) in enumerate(blocks):
            self.read = max(self.read + 1, self.last_given.get(column, -GIVEN) + GIVEN)
            if k == len(blocks) - 1:
                self.read = max(self.read, row_before + 1 - FOUND)
            self.first_read.setdefault(column, self.read)
            (again if column in once else once).append(column)
        once.sort(key=lambda column: self._rows_to(number, column, 1))
        whole = self.read
        for column in once:
            self.given = max(self.given + 1, whole + FOUND)
            self.last_given[column] = self.given
            if self.starts is None:
                self.starts = whole, self.given
        for column in again:
            self.read = max(self.read + 1, self.last_given[column] + GIVEN)
            self.given = max(self.given + 1, self.read + FOUND)
            self.last_given[column] = self.given
        self.place |= {column: place for place, column in enumerate(once + again)}


def block_clocks(spec: MinSumSpec) -> BlockClocks:
    """Those of a Spec whose memory is ``sram``, by the rules that it states."""
    walk = _Walk(spec)
    assert walk.starts is not None
    whole, first_given = walk.starts
    apart = [
        walk.read + 1,
        walk.given + 2 - first_given,
        walk.given + 1 - FOUND - whole,
        *(walk.last_given[c] + GIVEN - walk.first_read[c] for c in walk.last_given),
    ]
    load = spec.variables // spec.lifting + LOAD
    return BlockClocks(load=load, first=walk.given + GIVEN, next=max(apart))
