"""The frame buffer between two layers: two banks, one filling while the other is read."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.hw.memory import NamedMemory, read_signature

__all__ = ["FrameBuffer"]


class FrameBuffer(wiring.Component):
    """Stores frames of ``words`` words in two banks, at addresses 0 and ``stride``.

    Parameters
    ----------
    width, words : int   Of a word in bits, and of a frame.
    stride : int         Words between the banks, at least ``words``.
    ports : int          Number of read ports; a read takes one clock.
    kind : str           ``flipflop`` or ``sram``.

    Members
    -------
    i : In(stream)       Words of the frames.
    abort : In(1)        Forget the words of the frame in progress.
    full : Out(1)        A whole frame is there to be read.
    bank : Out(1)        The bank that holds it, or will hold it.
    next_bank : Out(1)   The bank after a ``release`` in this clock.
    release : In(1)      The frame has been read.
    reads : In(read_signature(...)).array(ports)
    """

    i: stream.Interface
    abort: Signal
    full: Signal
    bank: Signal
    next_bank: Signal
    release: Signal
    reads: Any

    def __init__(self, *, width: int, words: int, stride: int, ports: int, kind: str) -> None:
        self._width, self._words, self._stride = width, words, stride
        self._ports, self._kind = ports, kind
        super().__init__(
            {
                "i": In(stream.Signature(width)),
                "abort": In(1),
                "full": Out(1),
                "bank": Out(1),
                "next_bank": Out(1),
                "release": In(1),
                "reads": In(read_signature(range(2 * stride), width)).array(ports),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        memory = NamedMemory(width=self._width, depth=2 * self._stride, reads=self._ports)
        m.submodules[f"frames_{self._kind}"] = memory
        count, write_bank = Signal(count_shape(self._words)), Signal()
        address = Signal(range(2 * self._stride))
        fill = Signal(range(3))
        commit = Signal()
        m.d.comb += [
            self.i.ready.eq(fill != 2),
            memory.write_address.eq(address),
            memory.write_data.eq(self.i.payload),
            memory.write.eq(self.i.valid & self.i.ready),
            commit.eq(memory.write & (count == self._words - 1)),
            self.full.eq(fill != 0),
            self.next_bank.eq(self.bank ^ self.release),
        ]
        with m.If(self.abort):
            m.d.sync += [count.eq(0), address.eq(Mux(write_bank, self._stride, 0))]
        with m.Elif(commit):
            m.d.sync += [count.eq(0), write_bank.eq(~write_bank)]
            m.d.sync += address.eq(Mux(write_bank, 0, self._stride))
        with m.Elif(memory.write):
            m.d.sync += [count.eq(count + 1), address.eq(address + 1)]
        with m.If(commit & ~self.release):
            m.d.sync += fill.eq(fill + 1)
        with m.Elif(~commit & self.release):
            m.d.sync += fill.eq(fill - 1)
        m.d.sync += self.bank.eq(self.next_bank)
        for outer, inner in zip(self.reads, memory.reads, strict=True):
            wiring.connect(m, wiring.flipped(outer), inner)
        return m
