"""The algebraic decoder of BCH codes: hard decisions, up to t errors, all frames at once.

Syndromes, Berlekamp and Massey's shortest register, Chien's search: Lin and Costello, "Error
Control Coding", chapter 6.
"""

import numpy as np

from gatesmith.models.codes import Code
from gatesmith.models.codes.bch import PRIMITIVE
from gatesmith.models.errors import UserError

__all__ = ["BoundedDistance"]


class BoundedDistance:
    """Decoder of a primitive BCH code that corrects up to t hard errors and else gives up.

    Parameters
    ----------
    code : Code   Cyclic, of 2**m - 1 bits, whose words have the roots alpha, alpha^2, ..., or
                  their inverses. UserError for any other.

    Members
    -------
    t : int       Half of the consecutive roots.
    """

    def __init__(self, code: Code) -> None:
        size = code.n.bit_length()
        if code.n != (1 << size) - 1 or size not in PRIMITIVE or not code.k:
            raise UserError(f"{code.name}: an algebraic decoder needs a BCH code of 2^m - 1 bits")
        self.n = n = code.n
        exponents = [1]
        for _ in range(n - 1):
            following = exponents[-1] << 1
            exponents.append(following ^ PRIMITIVE[size] if following > n else following)
        self.exp = np.array(exponents * 2, dtype=np.int64)
        self.log = np.zeros(n + 1, dtype=np.int64)
        self.log[self.exp[:n]] = np.arange(n)
        words = code.encode(np.eye(code.k, dtype=np.uint8)).T
        # The first bit may be the constant term, or the other end: take the order with more roots.
        self.t, self.order = max((self._roots(words, order) // 2, order) for order in (1, -1))
        if not self.t:
            raise UserError(f"{code.name}: an algebraic decoder needs a BCH code")

    def _roots(self, words: np.ndarray, order: int) -> int:
        """How many of alpha, alpha^2, ... are roots of every word."""
        found = 0
        while found < self.n - 1 and not self._evaluate(words, order * (found + 1)).any():
            found += 1
        return found

    def _evaluate(self, words: np.ndarray, exponent: int) -> np.ndarray:
        """Each word as a polynomial at alpha^exponent, int64 ``[frames]``."""
        powers = self.exp[exponent * np.arange(self.n) % self.n]
        found = np.zeros(words.shape[1], dtype=np.int64)
        for bits, power in zip(words, powers, strict=True):
            found ^= bits.astype(np.int64) * power
        return found

    def _times(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        product = self.exp[self.log[a] + self.log[b]]
        return np.where((a == 0) | (b == 0), 0, product)

    def decode(self, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Corrected words, uint8 ``[n, frames]``, and where the decoder found one, ``[frames]``.

        A word that is not within t errors of a codeword stays as it is.
        """
        words = np.asarray(words, dtype=np.uint8)
        frames = words.shape[1]
        syndromes = [self._evaluate(words, self.order * (k + 1)) for k in range(2 * self.t)]
        locator, length = self._register(syndromes, frames)
        flips = np.zeros_like(words)
        for place in range(self.n):
            # An error at a place is a root at the inverse of its element.
            root = self.exp[-self.order * place * np.arange(self.t + 1) % self.n]
            value = np.zeros(frames, dtype=np.int64)
            for coefficient, power in zip(locator, root, strict=True):
                value ^= self._times(coefficient, np.full(frames, power))
            flips[place] = value == 0
        good = (length <= self.t) & (flips.sum(0, dtype=np.int64) == length)
        return words ^ (flips * good).astype(np.uint8), good

    def _register(self, syndromes: list[np.ndarray], frames: int) -> tuple[np.ndarray, np.ndarray]:
        """Error locator ``[t + 1, frames]``, lowest power first, and its length ``[frames]``."""
        rows = 2 * self.t + 1
        locator = np.zeros((rows, frames), dtype=np.int64)
        locator[0] = 1
        before, last = locator.copy(), np.ones(frames, dtype=np.int64)
        length = np.zeros(frames, dtype=np.int64)
        for step in range(2 * self.t):
            discrepancy = syndromes[step].copy()
            for k in range(1, step + 1):
                discrepancy ^= self._times(locator[k], syndromes[step - k])
            before = np.roll(before, 1, axis=0)
            before[0] = 0
            wrong = discrepancy != 0
            ratio = self.exp[(self.log[discrepancy] - self.log[last]) % self.n]
            changed = locator ^ self._times(np.where(wrong, ratio, 0)[None], before)
            longer = wrong & (2 * length <= step)
            before = np.where(longer, locator, before)
            last = np.where(longer, discrepancy, last)
            length = np.where(longer, step + 1 - length, length)
            locator = changed
        return locator[: self.t + 1], length
