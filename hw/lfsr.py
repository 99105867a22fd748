"""Leap-forward linear-feedback shift registers."""

from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Module, Signal, Value

__all__ = ["states_ahead"]


def states_ahead(
    m: Module, state: Value, taps: tuple[int, ...], leap: int, count: int
) -> list[Value]:
    """States of a Fibonacci LFSR 0, leap, 2 * leap ... (count - 1) * leap steps ahead.

    The register shifts left, the XOR of its taps enters bit 0, and ``state`` has ``max(taps)``
    bits. A state is a window of ``max(taps)`` bits on the sequence that the register shifts out,
    so that only the bits of that sequence need logic.

    The recurrence b[t] = XOR of b[t - tap] over the taps holds with all taps multiplied by any
    power of two as well (squaring is linear over GF(2)), so the known bits grow by a constant
    factor a level instead of by a few bits: many states ahead cost two or three levels of XORs
    for each doubling, and three XORs a bit with four taps.
    """
    width = max(taps)
    length = width + leap * (count - 1)
    known = state  # the newest bit of the sequence at bit 0
    while len(known) < length:
        scale = 1
        while 2 * scale * width <= len(known):
            scale *= 2
        fresh_bits = min(scale * min(taps), length - len(known))
        fresh = reduce(xor, (known[scale * tap - fresh_bits : scale * tap] for tap in taps))
        longer = Signal(len(known) + fresh_bits, name=f"sequence{len(known) + fresh_bits}")
        m.d.comb += longer.eq(Cat(fresh, known))
        known = longer
    if leap < width:
        tops = (length - k * leap for k in range(count))
        return [known[top - width : top] for top in tops]
    # One assignment cuts the sequence. As many slices would cost time in proportion to the
    # square of its length when the Verilog is written.
    states = [Signal(width, name=f"state{k}") for k in range(count)]
    pieces: list[Value] = [states[-1]]
    for after in reversed(states[:-1]):
        pieces += [Signal(leap - width, name="skipped"), after] if leap > width else [after]
    m.d.comb += Cat(*pieces).eq(known)
    return list(states)
