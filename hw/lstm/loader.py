"""The loader of the memories: words of 32 bits put together to words of each memory."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape

__all__ = ["CHUNK", "Loader"]

CHUNK = 32  # bits of a word of the configuration frame


class Loader(wiring.Component):
    """Writes the words of a configuration frame to the memories, one memory after the other.

    Parameters
    ----------
    memories : list of (int, int)   Width in bits and depth of each.

    Members
    -------
    i : In(stream)                  Words; the lowest chunk of a memory's word comes first.
    abort : In(1)                   The frame had a wrong length: begin again.
    done : Out(1)                   The last word passes in this clock.
    write : Out                     A bit for each memory: ``data`` goes to ``address``.
    """

    i: stream.Interface
    abort: Signal
    done: Signal
    write: Signal
    address: Signal
    data: Any

    def __init__(self, memories: list[tuple[int, int]]) -> None:
        self._memories = memories
        super().__init__(
            {
                "i": In(stream.Signature(CHUNK)),
                "abort": In(1),
                "done": Out(1),
                "write": Out(len(memories)),
                "address": Out(count_shape(*(depth for _, depth in memories))),
                "data": Out(max(width for width, _ in memories)).array(len(memories)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        chunks = [-(-width // CHUNK) for width, _ in self._memories]
        memory, chunk = Signal(range(len(chunks))), Signal(count_shape(*chunks))
        word_end, memory_end = Signal(), Signal()
        before = Signal(CHUNK * max(1, max(chunks) - 1))  # the newest chunk is the highest
        m.d.comb += self.i.ready.eq(1)
        with m.Switch(memory):
            for number, (_, depth) in enumerate(self._memories):
                with m.Case(number):
                    m.d.comb += [
                        word_end.eq(chunk == chunks[number] - 1),
                        memory_end.eq(self.address == depth - 1),
                        self.write[number].eq(self.i.valid & word_end),
                    ]
        for number, count in enumerate(chunks):
            kept = before[len(before) - CHUNK * (count - 1) :]
            m.d.comb += self.data[number].eq(Cat(kept, self.i.payload))
        end = word_end & memory_end
        m.d.comb += self.done.eq(self.i.valid & end & (memory == len(chunks) - 1))
        with m.If(self.i.valid):
            m.d.sync += [before.eq(Cat(before, self.i.payload)[CHUNK:])]
            m.d.sync += chunk.eq(Mux(word_end, 0, chunk + 1))
            with m.If(word_end):
                m.d.sync += self.address.eq(Mux(memory_end, 0, self.address + 1))
            with m.If(end):
                m.d.sync += memory.eq(memory + 1)
        with m.If(self.abort | self.done):
            m.d.sync += [memory.eq(0), chunk.eq(0), self.address.eq(0)]
        return m
