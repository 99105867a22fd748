"""Leap-forward linear-feedback shift registers."""

from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Module, Signal, Value

__all__ = ["output_sequence", "state_after"]


def output_sequence(m: Module, state: Value, taps: tuple[int, ...], steps: int) -> Value:
    """The bits that a Fibonacci LFSR holds now and shifts in during the next steps.

    The register shifts left, the XOR of its taps enters bit 0, and ``state`` has ``max(taps)``
    bits. The result has ``steps`` more, the newest at bit 0; :func:`state_after` cuts states
    from it.

    The recurrence b[t] = XOR of b[t - tap] over the taps holds with all taps multiplied by any
    power of two as well (squaring is linear over GF(2)), so the known bits grow by a constant
    factor a level instead of by a few bits: many states ahead cost two or three levels of XORs
    for each doubling, and three XORs a bit with four taps.
    """
    known = state
    length = max(taps) + steps
    while len(known) < length:
        scale = 1
        while 2 * scale * max(taps) <= len(known):
            scale *= 2
        count = min(scale * min(taps), length - len(known))
        fresh = reduce(xor, (known[scale * tap - count : scale * tap] for tap in taps))
        longer = Signal(len(known) + count, name=f"sequence_{len(known) + count}")
        m.d.comb += longer.eq(Cat(fresh, known))
        known = longer
    return known


def state_after(sequence: Value, taps: tuple[int, ...], steps: int) -> Value:
    """State of the register after some of the steps of an :func:`output_sequence`."""
    top = len(sequence) - steps
    return sequence[top - max(taps) : top]
