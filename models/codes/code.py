"""A linear block code as its parity-check matrix, held as the edges of its Tanner graph."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from gatesmith.models.codes import alist, gf2, graph
from gatesmith.models.errors import UserError, check

__all__ = ["Code"]


def _nowhere() -> np.ndarray:
    return np.empty(0, dtype=np.int32)


@dataclass(frozen=True, eq=False, kw_only=True)
class Code:
    """A binary linear code, given by a parity-check matrix H of ``m`` checks and ``n`` variables.

    Rows of H may depend on each other, so ``m`` is at least ``rank``.

    Parameters
    ----------
    name : str
    n : int                    Columns of H: bits of a word.
    checks : int32 [E]         Row of each 1 of H, ascending.
    variables : int32 [E]      Its column, ascending within a row.
    information : int32 [k]    Positions of the information bits in a word, ascending.
    lifting : int              Z of a quasi-cyclic H: rows and columns come in blocks of Z, and
                               shifting both by one within all blocks leaves H as it is.
    punctured : int32          Variables that are not sent: their LLR is 0.
    shortened : int32          Variables known to be 0: their LLR is as large as can be.

    Raises UserError for a row or column without a 1 and for a lifting that H does not have,
    ValueError for anything else that is wrong.
    """

    name: str
    n: int
    checks: np.ndarray
    variables: np.ndarray
    information: np.ndarray
    lifting: int = 1
    punctured: np.ndarray = field(default_factory=_nowhere)
    shortened: np.ndarray = field(default_factory=_nowhere)

    def __post_init__(self) -> None:
        for name in ("checks", "variables", "information", "punctured", "shortened"):
            given = np.asarray(getattr(self, name))
            array = given.astype(np.int32)
            if array.ndim != 1 or not np.array_equal(array, given):
                raise ValueError(f"{name.capitalize()} must be a vector of integers")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if len(self.checks) != len(self.variables):
            raise ValueError("Checks and variables must have one entry an edge each")
        check(self.n >= 1 and len(self.checks) > 0, "A code", "a matrix with a 1 in it", self.name)
        for name in ("variables", "information", "punctured", "shortened"):
            array = getattr(self, name)
            if len(array) and not (array.min() >= 0 and array.max() < self.n):
                raise ValueError(f"{name.capitalize()} must be from 0 to {self.n - 1}")
            if name != "variables" and (np.diff(array) <= 0).any():
                raise ValueError(f"{name.capitalize()} must be ascending")
        keys = self._keys
        if self.checks.min() < 0 or (np.diff(keys) <= 0).any():
            raise ValueError("Edges must be ascending by check, then by variable, none twice")
        for what, degrees in (("row", self.check_degrees), ("column", self.variable_degrees)):
            empty = np.flatnonzero(degrees == 0)
            if len(empty):
                raise UserError(
                    f"{self.name}: every {what} of a parity-check matrix must have a 1, "
                    f"but {what} {empty[0]} (counted from 0) has none"
                )
        if np.isin(self.shortened, [*self.information, *self.punctured]).any():
            raise ValueError("Information and punctured bits must not be shortened")
        if self.lifting != 1 and not self._lifts():
            raise UserError(
                f"{self.name}: its blocks of {self.lifting} rows and columns must each be 0 or "
                f"a sum of cyclic shifts, for a lifting of {self.lifting}"
            )

    @classmethod
    def from_matrix(cls, matrix: np.ndarray, name: str = "matrix", lifting: int = 1) -> "Code":
        """The code of a dense parity-check matrix ``[m, n]`` of 0 and 1.

        Information bits are the positions that Gaussian elimination leaves free when it takes its
        pivots from the right. UserError for another entry, or a row or column of zeros.
        """
        matrix = np.asarray(matrix)
        if matrix.ndim != 2 or 0 in matrix.shape:
            raise UserError(
                f"{name}: a parity-check matrix must have rows and columns, "
                f"not shape {matrix.shape}"
            )
        binary = matrix.dtype.kind in "biuf"
        wrong = np.argwhere((matrix != 0) & (matrix != 1)) if binary else np.zeros((1, 2), int)
        if len(wrong):
            row, column = wrong[0]
            raise UserError(
                f"{name}: a parity-check matrix must hold 0 and 1 only, "
                f"but row {row}, column {column} holds {matrix.tolist()[row][column]!r}"
            )
        checks, variables = np.nonzero(matrix)
        return cls.from_edges(checks, variables, matrix.shape, name, lifting)

    @classmethod
    def from_edges(
        cls,
        checks: np.ndarray,
        variables: np.ndarray,
        shape: tuple[int, int],
        name: str,
        lifting: int = 1,
    ) -> "Code":
        """The code of a matrix ``shape`` = (m, n) given by the places of its ones, in any order."""
        _nonzero_rows(checks, shape[0], name)
        order = np.lexsort((variables, checks))
        checks, variables = np.asarray(checks)[order], np.asarray(variables)[order]
        pivots, _ = gf2.eliminate(checks, variables, shape, np.arange(shape[1])[::-1])
        free = np.setdiff1d(np.arange(shape[1]), pivots)
        return cls(
            name=name,
            n=shape[1],
            checks=checks,
            variables=variables,
            information=free,
            lifting=lifting,
        )

    @classmethod
    def from_alist(cls, path: str | Path, lifting: int = 1) -> "Code":
        """The code of an alist file, named after it; UserError when the file is not sound."""
        checks, variables, shape = alist.read(path)
        return cls.from_edges(checks, variables, shape, Path(path).stem, lifting)

    def to_alist(self, path: str | Path) -> None:
        """Write H as an alist file, whole or not at all; UserError when that cannot be done."""
        alist.write(path, self.checks, self.variables, (self.m, self.n))

    @property
    def m(self) -> int:
        """Rows of H."""
        return int(self.checks[-1]) + 1

    @property
    def k(self) -> int:
        """Information bits of a word."""
        return len(self.information)

    @property
    def edges(self) -> int:
        """Ones of H."""
        return len(self.checks)

    @cached_property
    def check_degrees(self) -> np.ndarray:
        """Ones of each row, int64 ``[m]``."""
        return np.bincount(self.checks, minlength=self.m)

    @cached_property
    def variable_degrees(self) -> np.ndarray:
        """Ones of each column, int64 ``[n]``."""
        return np.bincount(self.variables, minlength=self.n)

    @property
    def sent(self) -> np.ndarray:
        """Positions that go over the channel, int64, ascending: not punctured, not shortened."""
        away = np.concatenate([self.punctured, self.shortened])
        return np.setdiff1d(np.arange(self.n), away)

    @cached_property
    def cyclic(self) -> bool:
        """Whether each row of H is the row above, shifted by one column to the right, around."""
        if self.m == 1 or len(np.unique(self.check_degrees)) > 1:
            return False
        rows = self.variables.reshape(self.m, -1)
        return bool(np.array_equal(np.sort((rows[:-1] + 1) % self.n, axis=1), rows[1:]))

    @cached_property
    def rank(self) -> int:
        """Rank of H over GF(2)."""
        return len(self._systematic[0])

    @cached_property
    def girth(self) -> int:
        """Length of the shortest cycle of the Tanner graph; 0 when there is none."""
        if self.four_cycles:
            return 4
        return graph.girth(self.checks, self.variables, self.lifting)

    @cached_property
    def four_cycles(self) -> int:
        """Cycles of length 4 in the Tanner graph."""
        return graph.four_cycles(self.checks, self.variables)

    def matrix(self) -> np.ndarray:
        """H, uint8 ``[m, n]``."""
        dense = np.zeros((self.m, self.n), dtype=np.uint8)
        dense[self.checks, self.variables] = 1
        return dense

    def encode(self, bits: np.ndarray) -> np.ndarray:
        """Words, uint8 ``[frames, n]``, of information bits ``[frames, k]``; shortened bits are 0.

        Raises ValueError for another shape, or for bits that are not 0 or 1.
        """
        bits = np.asarray(bits)
        if bits.ndim != 2 or bits.shape[1] != self.k:
            raise ValueError(f"Bits must have shape [frames, {self.k}], not {list(bits.shape)}")
        if ((bits != 0) & (bits != 1)).any():
            raise ValueError("Bits must be 0 or 1")
        parity, generator = self._systematic
        words = np.zeros((len(bits), self.n), dtype=np.uint8)
        words[:, self.information] = bits
        # float32 for the speed of BLAS; sums stay exact up to 2**24 information bits.
        sums = bits.astype(np.float32) @ generator
        words[:, parity] = sums.astype(np.int32) & 1
        return words

    def syndrome(self, words: np.ndarray) -> np.ndarray:
        """Parities, uint8 ``[frames, m]``, of words ``[frames, n]``; 0 where a check holds."""
        words = np.asarray(words)
        if words.ndim != 2 or words.shape[1] != self.n:
            raise ValueError(f"Words must have shape [frames, {self.n}], not {list(words.shape)}")
        bits = np.ascontiguousarray(words.T.astype(np.uint8))  # gathers whole rows
        starts = np.cumsum(self.check_degrees) - self.check_degrees
        parity = np.bitwise_xor.reduceat(bits[self.variables], starts, axis=0)
        return np.ascontiguousarray(parity.T)

    @property
    def _keys(self) -> np.ndarray:
        return self.checks.astype(np.int64) * self.n + self.variables

    def _lifts(self) -> bool:
        size = self.lifting
        if size < 1 or self.m % size or self.n % size:
            return False

        def shift(places: np.ndarray) -> np.ndarray:
            return places - places % size + (places + 1) % size

        moved = shift(self.checks).astype(np.int64) * self.n + shift(self.variables)
        return np.array_equal(np.sort(moved), self._keys)

    @cached_property
    def _systematic(self) -> tuple[np.ndarray, np.ndarray]:
        """Parity positions ``[rank]``, and float32 ``[k, rank]``: which bits each is the sum of."""
        given = np.isin(np.arange(self.n), self.information)
        given |= np.isin(np.arange(self.n), self.shortened)
        places = np.arange(self.n)[::-1]
        order = np.concatenate([places[~given[places]], places[given[places]]])
        pivots, reduced = gf2.eliminate(self.checks, self.variables, (self.m, self.n), order)
        if given[pivots].any() or len(pivots) != self.n - given.sum():
            raise ValueError(f"{self.name}: these information positions do not fix a word")
        return pivots, gf2.columns(reduced, self.information).T.astype(np.float32)


def _nonzero_rows(checks: np.ndarray, rows: int, name: str) -> None:
    """UserError for a row without ones, which edges alone cannot show when it is the last."""
    empty = np.setdiff1d(np.arange(rows), checks)
    if len(empty):
        raise UserError(
            f"{name}: every row of a parity-check matrix must have a 1, "
            f"but row {empty[0]} (counted from 0) has none"
        )
