"""Parity-check matrices as alist files, the format of MacKay's collection.

Lines of integers: ``n m``; the largest column and row degree; the degree of each column; of each
row; then for each column the rows of its ones, and for each row the columns, counted from 1.
Short lists may be filled up with 0. Blank lines and lines that begin with # are passed over.
"""

from pathlib import Path

import numpy as np

from gatesmith.models.errors import UserError
from gatesmith.models.store import write_atomically

__all__ = ["read", "write"]

LARGEST = 1 << 16  # rows or columns; beyond any code that is built here


class _Lines:
    """The lines of a file that count, each with its number, and errors that name them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="ascii")
        except FileNotFoundError as error:
            raise UserError(f"{path}: no such file; expected an alist file") from error
        except UnicodeDecodeError as error:
            raise UserError(f"{path}: is not text; expected an alist file") from error
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror}") from error
        numbered = enumerate(text.splitlines(), 1)
        self.rest = [(k, s) for k, s in numbered if s.strip() and not s.lstrip().startswith("#")]
        self.rest.reverse()
        self.number = 0

    def next(self, expected: str) -> list[int]:
        """Integers of the next line; ``expected`` says what they should be."""
        if not self.rest:
            raise UserError(f"{self.path}: ends too early; expected {expected}")
        self.number, self.text = self.rest.pop()
        words = self.text.split()
        # Longer numbers are out of any range, and int would take "1_0" for 10.
        if not all(word.isdigit() and len(word) < 20 for word in words):
            raise self.error(expected)
        return [int(word) for word in words]

    def error(self, expected: str) -> UserError:
        """The error of the line just read."""
        shown = self.text.strip()
        shown = shown if len(shown) <= 40 else f"{shown[:37]}..."
        return UserError(f"{self.path}, line {self.number}: found {shown!r}, expected {expected}")


def read(path: str | Path) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Row and column of each 1, int64 ``[E]`` by rows, and the shape (m, n) of an alist file.

    UserError that names the line, what it holds and what was expected there.
    """
    lines = _Lines(Path(path))
    expected = f"the numbers of columns and rows, each 1 to {LARGEST}"
    sizes = lines.next(expected)
    if len(sizes) != 2 or not all(1 <= size <= LARGEST for size in sizes):
        raise lines.error(expected)
    n, m = sizes
    expected = f"the largest degrees of a column, 1 to {m}, and of a row, 1 to {n}"
    largest = lines.next(expected)
    if len(largest) != 2 or not (1 <= largest[0] <= m and 1 <= largest[1] <= n):
        raise lines.error(expected)
    degrees = [
        _degrees(lines, size, top, what)
        for size, top, what in zip(sizes, largest, ("column", "row"), strict=True)
    ]
    by_columns = _lists(lines, degrees[0], m, largest[0], "column")
    at = lines.number
    by_rows = _lists(lines, degrees[1], n, largest[1], "row")
    if lines.rest:
        lines.next("nothing more")
        raise lines.error(f"nothing after the last of the {m} rows")
    columns, rows = by_columns[:, 0], by_columns[:, 1]
    seen = np.sort(rows * n + columns)
    if not np.array_equal(seen, np.sort(by_rows[:, 0] * n + by_rows[:, 1])):
        odd = np.setxor1d(seen, by_rows[:, 0] * n + by_rows[:, 1])[0]
        raise UserError(
            f"{lines.path}: lists of columns (to line {at}) and of rows (after it) must agree, "
            f"but only one of them has a 1 in row {odd // n + 1}, column {odd % n + 1}"
        )
    return by_rows[:, 0], by_rows[:, 1], (m, n)


def _degrees(lines: _Lines, size: int, largest: int, what: str) -> list[int]:
    expected = f"{size} degrees of {what}s, each 1 to {largest}"
    found = lines.next(expected)
    if len(found) != size or not all(1 <= degree <= largest for degree in found):
        raise lines.error(expected)
    return found


def _lists(lines: _Lines, degrees: list[int], size: int, largest: int, what: str) -> np.ndarray:
    """Pairs [E, 2] of each node and its neighbours, counted from 0; neighbours ascend."""
    other = "row" if what == "column" else "column"
    pairs = []
    for node, degree in enumerate(degrees):
        ones = f"{degree} different {other}s" if degree > 1 else f"one {other}"
        expected = f"the {ones} of {what} {node + 1}, each 1 to {size}"
        found = lines.next(expected)
        places, padding = sorted(found[:degree]), found[degree:]
        sound = len(set(places)) == degree and len(found) <= largest and not any(padding)
        if not sound or places[0] < 1 or places[-1] > size:
            raise lines.error(expected)
        pairs += [(node, place - 1) for place in places]
    return np.array(pairs, dtype=np.int64)


def write(
    path: str | Path, checks: np.ndarray, variables: np.ndarray, shape: tuple[int, int]
) -> None:
    """Write the matrix of ``shape`` = (m, n) with ones at the given rows and columns."""
    path, (m, n) = Path(path), shape
    columns = _split(variables, checks, n)
    rows = _split(checks, variables, m)
    tops = [max(len(one) for one in lists) for lists in (columns, rows)]
    lines = [[n, m], tops, [len(one) for one in columns], [len(one) for one in rows]]
    for lists, top in zip((columns, rows), tops, strict=True):
        lines += [[*one, *[0] * (top - len(one))] for one in lists]
    text = "".join(" ".join(map(str, line)) + "\n" for line in lines)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error


def _split(nodes: np.ndarray, neighbours: np.ndarray, size: int) -> list[list[int]]:
    """Neighbours of each node, ascending and counted from 1."""
    order = np.lexsort((neighbours, nodes))
    ends = np.cumsum(np.bincount(nodes, minlength=size))[:-1]
    return [one.tolist() for one in np.split(neighbours[order] + 1, ends)]
