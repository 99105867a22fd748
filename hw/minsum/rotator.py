"""A word of elements turned by any number of places."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Rotator"]


class Rotator(wiring.Component):
    """Moves a word down: element r of ``o`` is element (r + shift) % count of ``i``.

    Combinational: a multiplexer an element for each bit of ``shift``, whatever the count.

    Parameters
    ----------
    count, width : int   Elements, and bits of one.

    Members
    -------
    i, o : In, Out       Element 0 lowest.
    shift : In           0 to count - 1.
    """

    i: Signal
    o: Signal
    shift: Signal

    def __init__(self, *, count: int, width: int) -> None:
        self._count, self._width = count, width
        size = count * width
        super().__init__({"i": In(size), "shift": In(range(max(2, count))), "o": Out(size)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = self.i
        for place, wanted in enumerate(self.shift):
            low = ((1 << place) % self._count) * self._width
            turned = Signal(len(word), name=f"turned_{1 << place}")
            m.d.comb += turned.eq(Mux(wanted, Cat(word[low:], word[:low]), word))
            word = turned
        m.d.comb += self.o.eq(word)
        return m
