"""The input side: LLRs gathered until their frame is whole."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.models.minsum import MinSumSpec

__all__ = ["Intake", "readable"]


def readable(llr: Value) -> Value:
    """An LLR from the wire: the least, whose magnitude no message has, is read as the one above."""
    least = llr[-1] & ~llr[:-1].any()
    return Cat(llr[0] | least, llr[1:])


class Intake(wiring.Component):
    """Shifts words in, the first one down to the lowest bits, and holds a frame till it is taken.

    Members
    -------
    i : In(stream)    Words of ``llrs_per_beat`` LLRs.
    abort : In(1)     Forget the words of the frame in progress.
    full : Out(1)     A frame is whole; from the clock after its last word.
    take : In(1)      It is taken; words come again from the next clock on.
    llrs : Out        Of the frame, the first variable lowest, two's complement.
    """

    i: stream.Interface
    abort: Signal
    full: Signal
    take: Signal
    llrs: Signal

    def __init__(self, spec: MinSumSpec) -> None:
        self._bits, self._per_beat = spec.message_bits, spec.llrs_per_beat
        self._words = spec.input_format.words
        super().__init__(
            {
                "i": In(stream.Signature(self._bits * self._per_beat)),
                "abort": In(1),
                "full": Out(1),
                "take": In(1),
                "llrs": Out(self._bits * spec.variables),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = len(self.i.payload)
        gathered = Signal(width * self._words, reset_less=True)
        count, accept, last = Signal(count_shape(self._words)), Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(~self.full),
            accept.eq(self.i.valid & self.i.ready),
            last.eq(accept & (count == self._words - 1)),
            self.llrs.eq(gathered),
        ]
        m.d.sync += self.full.eq(last | (self.full & ~self.take))
        word = Cat(
            readable(self.i.payload.word_select(k, self._bits)) for k in range(self._per_beat)
        )
        with m.If(accept):
            m.d.sync += gathered.eq(Cat(gathered, word)[width:])
        with m.If(self.abort | last):
            m.d.sync += count.eq(0)
        with m.Elif(accept):
            m.d.sync += count.eq(count + 1)
        return m
