"""The Core: intake, decoding and output, each with a frame of its own."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.minsum.block_serial import BlockSerial
from gatesmith.hw.minsum.flooding import Flooding
from gatesmith.hw.minsum.gather import Gather
from gatesmith.hw.minsum.intake import Intake
from gatesmith.hw.minsum.layered import Layered
from gatesmith.hw.minsum.output import Output
from gatesmith.models.minsum import MinSumSpec
from gatesmith.models.minsum.layout import first_edges

__all__ = ["MinSum", "Syndrome"]


class Syndrome(wiring.Component):
    """Whether a word is a code word.

    Members
    -------
    word : In(variables)    Bit of each variable.
    satisfied : Out(1)      Every check has an even number of ones.
    """

    word: Signal
    satisfied: Signal

    def __init__(self, spec: MinSumSpec) -> None:
        self._spec = spec
        super().__init__({"word": In(spec.variables), "satisfied": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        firsts, variables = first_edges(self._spec).tolist(), self._spec.edge_variable.tolist()
        odd = Signal(self._spec.checks)
        for check in range(self._spec.checks):
            bits = Cat(self.word[v] for v in variables[firsts[check] : firsts[check + 1]])
            m.d.comb += odd[check].eq(bits.xor())
        m.d.comb += self.satisfied.eq(~odd.any())
        return m


class MinSum(wiring.Component):
    """Min-sum decoder of a Spec; clocks as :func:`gatesmith.models.minsum.timing` says.

    Three frames are inside at once: one comes in, one is decoded, and the answer of one goes out.

    Members
    -------
    i : In(stream)    Words of LLRs.
    abort : In(1)     Forget the words of the input frame in progress.
    o : Out(stream)   Beats of ``data`` and ``last``.

    ``shared`` holds the modules that the Core instantiates by name.
    """

    i: stream.Interface
    abort: Signal
    o: stream.Interface
    shared: dict[str, Any]

    def __init__(self, spec: MinSumSpec) -> None:
        self._spec = spec
        self._output = Output(spec)
        self._intake: Any
        self._engine: Any
        if spec.memory == "sram":
            self._intake, self._engine = Gather(spec), BlockSerial(spec)
        else:
            self._intake = Intake(spec)
            self._engine = Flooding(spec) if spec.schedule == "flooding" else Layered(spec)
        self.shared = self._engine.shared
        super().__init__(
            {
                "i": In(self._intake.i.signature.flip()),
                "abort": In(1),
                "o": Out(self._output.o.signature),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec, engine = self._spec, self._engine
        m.submodules.intake = intake = self._intake
        m.submodules.decoder = engine
        m.submodules.syndrome = syndrome = Syndrome(spec)
        m.submodules.output = output = self._output
        wiring.connect(m, wiring.flipped(self.i), intake.i)
        wiring.connect(m, output.o, wiring.flipped(self.o))

        iteration, busy = Signal(range(spec.iterations + 1)), Signal()
        ended, give, load = Signal(), Signal(), Signal()
        m.d.comb += [
            intake.abort.eq(self.abort),
            intake.take.eq(load),
            engine.load.eq(load),
            syndrome.word.eq(engine.decision),
        ]
        if spec.memory == "sram":
            wiring.connect(m, engine.llrs, intake.llrs)
        else:
            m.d.comb += [engine.llrs.eq(intake.llrs), engine.iteration.eq(iteration)]
        enough = iteration == spec.iterations
        if spec.early_stop:
            enough = enough | syndrome.satisfied
        m.d.comb += [
            ended.eq(engine.boundary & enough),
            engine.step.eq(busy & ~ended),
            give.eq(busy & ended & output.free),
            load.eq(intake.full & (~busy | give)),
        ]
        m.d.sync += busy.eq(load | (busy & ~give))
        with m.If(load):
            m.d.sync += iteration.eq(0)
        with m.Elif(engine.step & engine.last):
            m.d.sync += iteration.eq(iteration + 1)
        m.d.comb += [
            output.give.eq(give),
            output.iterations.eq(iteration),
            output.satisfied.eq(syndrome.satisfied),
            output.decision.eq(engine.decision),
        ]
        if spec.posteriors:
            m.d.comb += output.posterior.eq(engine.posterior)
        return m
