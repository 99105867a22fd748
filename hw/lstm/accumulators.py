"""Accumulators of one matrix-vector product: a row of lanes for each group of output rows."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from gatesmith.hw.arith import count_shape
from gatesmith.hw.memory import NamedMemory, read_signature

__all__ = ["Accumulators"]


class Accumulators(wiring.Component):
    """Words of all lanes' sums, one a group; adding to a word takes two clocks.

    The engine reads a word in one clock, and writes it back in the next. The stage that uses the
    sums reads through a port of its own while the engine is elsewhere.

    Parameters
    ----------
    width, sums : int     Of a sum in bits, and sums in a word.
    groups : int          Words.
    shortest : int        Words of the shortest column: a single one is added to in every clock.
    kind : str            ``flipflop`` or ``sram``.

    Members
    -------
    add, use : In(read_signature(...))   Reads of the engine, and of the stage that uses the sums.
    write, write_address : In
    write_data : In(width).array(sums)   A port a sum: Icarus joins the parts of one vector bit by
                                         bit, all of them again whenever a lane changes.
    """

    add: Any
    use: Any
    write: Signal
    write_address: Signal
    write_data: Any

    def __init__(self, *, width: int, sums: int, groups: int, kind: str, shortest: int = 2) -> None:
        self._groups, self._kind, self._shortest = groups, kind, shortest
        self._width = width * sums
        address = count_shape(groups)
        super().__init__(
            {
                "add": In(read_signature(address, self._width)),
                "use": In(read_signature(address, self._width)),
                "write": In(1),
                "write_address": In(address),
                "write_data": In(width).array(sums),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self._groups == 1:
            # A word written in one clock is added to in the next: no memory is that quick.
            sums = Signal(self._width)
            with m.If(self.write):
                m.d.sync += sums.eq(Cat(self.write_data))
            m.d.comb += [self.add.data.eq(sums), self.use.data.eq(sums)]
            return m
        memory = NamedMemory(width=self._width, depth=self._groups)
        m.submodules[f"sums_{self._kind}"] = memory
        port = memory.reads[0]
        m.d.comb += [
            port.enable.eq(self.add.enable | self.use.enable),
            port.address.eq(Mux(self.add.enable, self.add.address, self.use.address)),
            self.add.data.eq(self._newest(m, port.data) if self._shortest == 1 else port.data),
            self.use.data.eq(port.data),
            memory.write.eq(self.write),
            memory.write_address.eq(self.write_address),
            memory.write_data.eq(Cat(self.write_data)),
        ]
        return m

    def _newest(self, m: Module, read: Value) -> Value:
        """The word that was read, or what was written to it in the same clock."""
        late, hit = Signal(self._width), Signal()
        m.d.sync += hit.eq(self.write & (self.add.address == self.write_address))
        with m.If(self.write):
            m.d.sync += late.eq(Cat(self.write_data))
        return Mux(hit, late, read)
