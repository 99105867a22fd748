"""Memories, named after what they are built from so that synthesis can list them apart."""

from collections.abc import Iterable
from typing import Any

from amaranth.hdl import Const, Module, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape

__all__ = ["NamedMemory", "read_signature", "lookup"]


def read_signature(address: range, width: int) -> wiring.Signature:
    """A read port as seen by the reader: ``enable``, ``address``, and ``data`` a clock later.

    Each port has signals of its own. One vector of all addresses would cost a simulator time in
    proportion to the square of the number of ports.
    """
    return wiring.Signature({"enable": Out(1), "address": Out(address), "data": In(width)})


class NamedMemory(wiring.Component):
    """A memory that stays a module of its own, so that area can be told apart or a macro put in.

    Reads take one clock; a word written in a clock is read from the next clock on. At least two
    words are stored.

    Parameters
    ----------
    width, depth : int   Of a word in bits, and the number of words.
    init : iterable      Words of a read-only memory; a loadable memory has none.
    reads : int          Number of read ports.

    Members
    -------
    reads : In(read_signature(...)).array(reads)   Reads.
    write, write_address, write_data : In          Write; none when read-only.
    """

    reads: Any
    write: Signal
    write_address: Signal
    write_data: Signal

    def __init__(self, *, width: int, depth: int, init: Iterable[int] = (), reads: int = 1) -> None:
        mask = (1 << width) - 1
        words = [int(word) & mask for word in init]
        self._writable = not words
        self._memory: Memory = Memory(shape=unsigned(width), depth=max(2, depth), init=words)
        address = count_shape(depth)
        members: dict = {"reads": In(read_signature(address, width)).array(reads)}
        if self._writable:
            members |= {"write": In(1), "write_address": In(address), "write_data": In(width)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = self._memory
        for read in self.reads:
            port = self._memory.read_port()
            m.d.comb += [
                port.en.eq(read.enable),
                port.addr.eq(read.address),
                read.data.eq(port.data),
            ]
        if self._writable:
            write = self._memory.write_port()
            m.d.comb += [
                write.en.eq(self.write),
                write.addr.eq(self.write_address),
                write.data.eq(self.write_data),
            ]
        return m


def lookup(m: Module, name: str, width: int, words: list[int], index: Value) -> Value:
    """Word of a constant table in the same clock; a table of equal words needs no memory."""
    if len(set(words)) == 1:
        return Const(words[0], width)
    memory: Memory = Memory(shape=unsigned(width), depth=len(words), init=words)
    m.submodules[name] = memory
    port = memory.read_port(domain="comb")
    m.d.comb += port.addr.eq(index)
    found = Signal(width, name=name)
    m.d.comb += found.eq(port.data)
    return found
