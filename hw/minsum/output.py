"""The output side: how decoding ended, the bits, and the posteriors, a word a clock."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.models.minsum import MinSumSpec

__all__ = ["Output"]


class _Item(enum.Enum, shape=3):
    """What the word on the way out is."""

    NONE = 0
    ITERATIONS = 1
    SATISFIED = 2
    BITS = 3
    POSTERIOR = 4


class Output(wiring.Component):
    """Sends a decision from the clock after it is given, a word a clock.

    Members
    -------
    give : In(1)         A decision is there; only while ``free``.
    free : Out(1)        Nothing is being sent.
    iterations : In      Whole iterations done.
    satisfied : In(1)    The decision is a code word.
    decision : In        Bit of each variable.
    posterior : In       Of each variable, ``posterior_bits`` each, if they are sent.
    o : Out(stream)      Beats of ``data`` and ``last``.
    """

    give: Signal
    free: Signal
    iterations: Signal
    satisfied: Signal
    decision: Signal
    posterior: Signal
    o: stream.Interface

    def __init__(self, spec: MinSumSpec) -> None:
        self._spec = spec
        beat = data.StructLayout({"data": spec.output_format.data_width, "last": 1})
        members = {
            "give": In(1),
            "free": Out(1),
            "iterations": In(range(spec.iterations + 1)),
            "satisfied": In(1),
            "decision": In(spec.variables),
            "o": Out(stream.Signature(beat)),
        }
        if spec.posteriors:
            members["posterior"] = In(spec.variables * spec.posterior_bits)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec, item = self._spec, Signal(_Item)
        chosen = [self.decision[k] for k in spec.out_variables.tolist()]
        words = -(-len(chosen) // spec.bits_per_beat)
        fill = words * spec.bits_per_beat - len(chosen)
        bits = Signal(words * spec.bits_per_beat, reset_less=True)
        iterations = Signal.like(self.iterations, reset_less=True)
        satisfied, transfer, end = Signal(reset_less=True), Signal(), Signal()
        count = Signal(count_shape(words, spec.variables if spec.posteriors else 1))
        kept = Signal.like(self.posterior, reset_less=True) if spec.posteriors else Signal()
        word = Signal(len(self.o.payload.data))
        m.d.comb += [
            self.free.eq(item == _Item.NONE),
            self.o.valid.eq(item != _Item.NONE),
            self.o.payload.data.eq(word),
            transfer.eq(self.o.valid & self.o.ready),
        ]
        last = _Item.POSTERIOR if spec.posteriors else _Item.BITS
        m.d.comb += self.o.payload.last.eq((item == last) & end)
        with m.Switch(item):
            with m.Case(_Item.ITERATIONS):
                m.d.comb += word.eq(iterations)
                with m.If(transfer):
                    m.d.sync += item.eq(_Item.SATISFIED)
            with m.Case(_Item.SATISFIED):
                m.d.comb += word.eq(satisfied)
                with m.If(transfer):
                    m.d.sync += [item.eq(_Item.BITS), count.eq(0)]
            with m.Case(_Item.BITS):
                m.d.comb += [word.eq(bits[: spec.bits_per_beat]), end.eq(count == words - 1)]
                with m.If(transfer):
                    m.d.sync += [bits.eq(bits >> spec.bits_per_beat), count.eq(count + 1)]
                    with m.If(end):
                        after = _Item.POSTERIOR if spec.posteriors else _Item.NONE
                        m.d.sync += [item.eq(after), count.eq(0)]
            if spec.posteriors:
                width = spec.posterior_bits
                with m.Case(_Item.POSTERIOR):
                    m.d.comb += [
                        word.eq(kept[:width].as_signed()),
                        end.eq(count == spec.variables - 1),
                    ]
                    with m.If(transfer):
                        m.d.sync += [kept.eq(kept >> width), count.eq(count + 1)]
                        with m.If(end):
                            m.d.sync += item.eq(_Item.NONE)
        with m.If(self.give):
            m.d.sync += [
                item.eq(_Item.ITERATIONS),
                iterations.eq(self.iterations),
                satisfied.eq(self.satisfied),
                bits.eq(Cat(*chosen, Const(0, fill)) if fill else Cat(*chosen)),
            ]
            if spec.posteriors:
                m.d.sync += kept.eq(self.posterior)
        return m
