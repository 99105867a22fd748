"""Parity-check matrices of binary BCH codes, with arithmetic in GF(2^m) of its own.

Narrow-sense primitive codes of Bose, Ray-Chaudhuri and Hocquenghem, as in Lin and Costello, "Error
Control Coding", chapter 6. A polynomial over GF(2) is an int whose bit i is the coefficient of x^i.
"""

import numpy as np

from gatesmith.models.codes.code import Code
from gatesmith.models.errors import UserError

__all__ = ["bch", "dimensions", "generator"]

# Primitive polynomials that define GF(2^m), those of Lin and Costello, table 2.7.
PRIMITIVE = {
    3: 0b1011,
    4: 0b10011,
    5: 0b100101,
    6: 0b1000011,
    7: 0b10001001,
    8: 0b100011101,
    9: 0b1000010001,
    10: 0b10000001001,
}


def bch(n: int, k: int) -> Code:
    """The BCH code of n = 2^m - 1 bits, m from 3 to 10, with k of them information.

    H has n - k rows, each the one above shifted by one column: the first holds the coefficients of
    h(x) = (x^n - 1) / g(x), highest power first. UserError when there is no such code.
    """
    polynomial = generator(n, k)
    parity = np.array([int(bit) for bit in f"{_divide((1 << n) | 1, polynomial):b}"])
    ones = np.flatnonzero(parity)  # h has degree k and h(0) = 1: k + 1 coefficients
    shifts = np.arange(n - k)[:, None]
    return Code(
        name=f"bch-{n}-{k}",
        n=n,
        checks=np.repeat(np.arange(n - k), len(ones)),
        variables=(shifts + ones).ravel(),
        information=np.arange(k),
    )


def generator(n: int, k: int) -> int:
    """The generator polynomial g(x) of the BCH code (n, k), of degree n - k."""
    lengths = [2**m - 1 for m in PRIMITIVE]
    if n not in lengths:
        raise UserError(f"n of a BCH code must be one of {', '.join(map(str, lengths))}, not {n}")
    found = dict(_generators(n))
    if k not in found:
        raise UserError(
            f"k of a BCH code with n = {n} must be one of {', '.join(map(str, found))}, not {k}"
        )
    return found[k]


def dimensions(n: int) -> list[int]:
    """All k of the BCH codes of n bits, falling."""
    return [k for k, _ in _generators(n)]


def _generators(n: int) -> list[tuple[int, int]]:
    """k and g(x) of every code of n bits: minimal polynomials of alpha, alpha^3, ... in turn."""
    field = PRIMITIVE[n.bit_length()]
    powers = [1]  # of alpha, a root of the field's polynomial
    for _ in range(n - 1):
        following = powers[-1] << 1
        powers.append(following ^ field if following > n else following)
    logarithms = {element: exponent for exponent, element in enumerate(powers)}
    found, polynomial, taken = [], 1, set()
    for exponent in range(1, n, 2):
        if exponent in taken:
            continue
        roots = {exponent * 2**i % n for i in range(n.bit_length())}  # the conjugates
        taken |= roots
        polynomial = _multiply(polynomial, _minimal(roots, powers, logarithms))
        degree = polynomial.bit_length() - 1
        found.append((n - degree, polynomial))
    return found


def _minimal(roots: set[int], powers: list[int], logarithms: dict[int, int]) -> int:
    """Product of (x - alpha^i) over conjugate exponents i; its coefficients are 0 or 1."""
    n = len(powers)
    coefficients = [1]  # elements of the field, lowest power first
    for root in roots:
        scaled = [powers[(logarithms[c] + root) % n] if c else 0 for c in coefficients] + [0]
        coefficients = [a ^ b for a, b in zip(scaled, [0, *coefficients], strict=True)]
    return sum(c << i for i, c in enumerate(coefficients))


def _multiply(a: int, b: int) -> int:
    """Product of two polynomials over GF(2)."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a, b = a << 1, b >> 1
    return product


def _divide(a: int, b: int) -> int:
    """Quotient of two polynomials over GF(2)."""
    quotient = 0
    while (shift := a.bit_length() - b.bit_length()) >= 0:
        quotient |= 1 << shift
        a ^= b << shift
    return quotient
