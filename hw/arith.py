"""Combinational arithmetic that several Cores share."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed

__all__ = [
    "add_signed_unit",
    "count_shape",
    "lowest_set",
    "pick",
    "requantise",
    "round_shift",
    "saturate",
    "times",
]


def count_shape(*counts: int) -> range:
    """Shape of a counter from 0 to any of the counts less 1; at least one bit wide.

    A vector of no bits is legal Verilog for few tools.
    """
    return range(max(2, *counts))


def pick(choices: Sequence[Any], index: Value) -> Any:
    """One of the choices; no multiplexer for a single one."""
    return choices[0] if len(choices) == 1 else Array(choices)[index]


def requantise(value: Value, shift: int, bits: int) -> Value:
    """clamp(value >> shift, 0, 2**bits - 1) of a signed value, as ``bits`` unsigned bits."""
    sign, magnitude = value[-1], value[min(shift, len(value) - 1) : -1]
    clamped: Value
    if len(magnitude) <= bits:
        clamped = Cat(magnitude, Const(0, bits - len(magnitude)))
    else:
        clamped = Mux(magnitude[bits:].any(), Const((1 << bits) - 1, bits), magnitude[:bits])
    return Mux(sign, Const(0, bits), clamped)


def add_signed_unit(m: Module, base: Value, operand: Value, negate: Value) -> Value:
    """base - operand when ``negate``, else base + operand, with one adder and no negation.

    ``operand`` is unsigned and narrower than the signed ``base``; the result is as wide as
    ``base`` and wraps. The inverted operand's missing 1 comes in as the carry of an extra bit.
    """
    width = len(base)
    widened, total = Signal(width), Signal(width + 1)
    m.d.comb += [
        widened.eq(operand ^ negate.replicate(width)),
        total.eq(Cat(negate, base) + Cat(negate, widened)),
    ]
    return total[1:].as_signed()


def lowest_set(m: Module, bits: Value) -> tuple[Value, Value]:
    """Index of the lowest set bit, and the bits without it; index 0 when none is set."""
    count = len(bits)
    rest, one_hot = Signal(count), Signal(count)
    m.d.comb += [rest.eq(bits & (bits - 1)), one_hot.eq(bits & ~(bits - 1))]
    # A constant for each bit of the index: gathering single bits takes longer to simulate.
    masks = [
        sum(1 << k for k in range(count) if k >> b & 1) for b in range((count - 1).bit_length())
    ]
    index = Cat((one_hot & mask).any() for mask in masks)
    return index, rest


def round_shift(value: Value, shift: int) -> Value:
    """A signed value divided by 2**shift and rounded, halves up."""
    if shift == 0:
        return value
    total = value + Const(1 << (shift - 1), signed(shift + 1))
    return total[shift:].as_signed()


def saturate(value: Value, bits: int) -> Value:
    """A signed value clamped to ``bits`` bits, two's complement."""
    if len(value) <= bits:
        return value
    sign, beyond = value[-1], value[bits - 1 :]
    fits = beyond.all() | ~beyond.any()
    clamped = Cat((~sign).replicate(bits - 1), sign)
    return Mux(fits, value[:bits], clamped).as_signed()


def times(value: Value, constant: int) -> Value:
    """An unsigned value times a constant, from shifts and additions: no multiplier."""
    parts = [value << place for place in range(constant.bit_length()) if constant >> place & 1]
    return sum(parts[1:], parts[0]) if parts else Const(0)
