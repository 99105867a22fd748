"""The input side of a decoder that keeps words of a block: beats gathered to such words."""

from math import gcd
from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.hw.memory import NamedMemory, read_signature
from gatesmith.hw.minsum.intake import readable
from gatesmith.models.minsum import MinSumSpec

__all__ = ["Gather"]


class Gather(wiring.Component):
    """Keeps a frame in a memory, a word of ``lifting`` LLRs a block column, till it is taken.

    The next frame may come from the clock after, while the words of this one are read one a clock:
    no beat completes more than a word.

    Members
    -------
    i : In(stream)          Words of ``llrs_per_beat`` LLRs.
    abort : In(1)           Forget the words of the frame in progress.
    full : Out(1)           A frame is whole; from the clock after its last word.
    take : In(1)            It is taken, and read from the next clock on, a word a clock.
    llrs : In(read_signature(...))   Reads of words, the first variable lowest, in two's complement
                                     and without the least LLR.
    """

    i: stream.Interface
    abort: Signal
    full: Signal
    take: Signal
    llrs: Any

    def __init__(self, spec: MinSumSpec) -> None:
        self._bits, self._per_beat = spec.message_bits, spec.llrs_per_beat
        self._size, self._beats = spec.lifting, spec.input_format.words
        self._columns = spec.variables // spec.lifting
        columns, width = count_shape(self._columns), self._bits * self._size
        super().__init__(
            {
                "i": In(stream.Signature(self._bits * self._per_beat)),
                "abort": In(1),
                "full": Out(1),
                "take": In(1),
                "llrs": In(read_signature(columns, width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits, size, beat = self._bits, self._size, self._per_beat
        m.submodules.llrs_sram = memory = NamedMemory(width=bits * size, depth=self._columns)
        wiring.connect(m, wiring.flipped(self.llrs), memory.reads[0])
        accept, last = Signal(), Signal()
        count = Signal(count_shape(self._beats))
        # How many LLRs wait for their word; all counts are multiples of the step.
        step = gcd(size, beat)
        waiting = Signal(count_shape(size // step))
        column = Signal(count_shape(self._columns))
        filled = Signal(range((size + beat) // step))
        whole = Signal()
        m.d.comb += [
            self.i.ready.eq(~self.full),
            accept.eq(self.i.valid & self.i.ready),
            last.eq(accept & (count == self._beats - 1)),
            filled.eq(waiting + beat // step),
            whole.eq(accept & (filled >= size // step)),
        ]
        m.d.sync += self.full.eq(last | (self.full & ~self.take))
        with m.If(self.abort | last):
            m.d.sync += [count.eq(0), waiting.eq(0), column.eq(0)]
        with m.Elif(accept):
            m.d.sync += count.eq(count + 1)
            m.d.sync += waiting.eq(filled)
            with m.If(whole):
                m.d.sync += [waiting.eq(filled - size // step), column.eq(column + 1)]
        # The newest beat is on top. A word that it completes ends below what it brings beyond.
        gathered = Signal(bits * (size + beat - step), reset_less=True)
        new = Signal(len(gathered))
        m.d.comb += new.eq(
            Cat(gathered, *(readable(self.i.payload.word_select(k, bits)) for k in range(beat)))[
                bits * beat :
            ]
        )
        word = Signal(bits * size, reset_less=True)
        write, address = Signal(), Signal.like(column, reset_less=True)
        m.d.sync += write.eq(whole)
        m.d.sync += address.eq(column)
        with m.If(accept):
            m.d.sync += gathered.eq(new)
        with m.Switch(filled):
            for beyond in range(0, beat, step):
                # The last one serves as well where no word is whole.
                counts = [(size + beyond) // step] if beyond + step < beat else []
                with m.Case(*counts) if counts else m.Default():
                    end = len(new) - bits * beyond
                    m.d.sync += word.eq(new[end - bits * size : end])
        m.d.comb += [
            memory.write.eq(write),
            memory.write_address.eq(address),
            memory.write_data.eq(word),
        ]
        return m
