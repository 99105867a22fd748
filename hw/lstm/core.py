"""The Core: intake, work, and what loads the memories or fetches weights from outside."""

from amaranth.hdl import EnableInserter, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.lstm.compute import Compute
from gatesmith.hw.lstm.intake import Intake
from gatesmith.hw.lstm.loader import CHUNK, Loader
from gatesmith.models.lstm import LSTMSpec

__all__ = ["LSTM"]


class LSTM(wiring.Component):
    """LSTM of a Spec; clocks as :func:`gatesmith.models.lstm.timing` says.

    A frame is read whole before work on it begins; meanwhile the frame before is in work. With
    loadable memories no frame enters before a whole configuration frame has come. A later
    configuration waits until no frame is inside and then comes before the next frame.

    Weights from outside are asked for a column at a time; all work stands still in a clock in
    which a word is late or a request is not taken.

    Members
    -------
    i : In(stream)        Words of a frame: ``data`` and ``last``.
    abort : In(1)         Forget the words of the input frame in progress.
    o : Out(stream)       Beats of ``data`` and ``last``.
    config : In(stream), config_abort : In(1)   Configuration words, when memories are loadable.
    config_request : In(1)                      A word of a configuration waits, right or wrong.
    request : Out(stream)    Address of the first word of a column, when weights lie outside.
    weights : In(stream)     The column's words, one a group of rows.
    """

    i: stream.Interface
    abort: Signal
    o: stream.Interface
    config: stream.Interface
    config_abort: Signal
    config_request: Signal
    request: stream.Interface
    weights: stream.Interface

    def __init__(self, spec: LSTMSpec) -> None:
        self._spec = spec
        self.shared: dict[str, str] = {}
        kind = "flipflop" if spec.memory == "rom" else "sram"
        self._intake = Intake(spec, spec.input_format.data_width, kind)
        self._compute = Compute(spec, kind)
        members: dict = {
            "i": In(self._intake.i.signature.flip()),
            "abort": In(1),
            "o": Out(self._compute.o.signature),
        }
        if spec.loadable:
            members |= {
                "config": In(stream.Signature(CHUNK)),
                "config_abort": In(1),
                "config_request": In(1),
            }
        if spec.memory == "stream":
            address, width = self._compute.address.shape(), self._compute.weights.shape()
            members |= {
                "request": Out(stream.Signature(address)),
                "weights": In(stream.Signature(width)),
            }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.intake = intake = self._intake
        compute = self._compute
        admit: Value | int = self._configure(m) if self._spec.loadable else 1
        go: Value | int = 1
        if self._spec.memory == "stream":
            go = Signal()
            m.submodules.compute = EnableInserter(go)(compute)
            self._fetch(m, go)
        else:
            m.submodules.compute = compute
            wiring.connect(m, compute.o, wiring.flipped(self.o))
        m.d.comb += [
            intake.i.payload.eq(self.i.payload),
            intake.i.valid.eq(self.i.valid & admit),
            self.i.ready.eq(intake.i.ready & admit),
            intake.abort.eq(self.abort),
            compute.full.eq(intake.full),
            compute.dense.eq(intake.dense),
            compute.step.eq(intake.step),
            compute.state.eq(intake.state),
            intake.release.eq(compute.release & go),
            intake.advance.eq(compute.advance & go),
            intake.advance_state.eq(compute.advance_state & go),
        ]
        return m

    def _fetch(self, m: Module, go: Signal) -> None:
        """Ask for columns outside and stand still while a word is late.

        What the work sends passes through a register that does not stand still, because a word
        once offered may not be withdrawn.
        """
        compute = self._compute
        asked, wanted, granted = Signal(), Signal(), Signal()
        m.d.comb += [
            wanted.eq(compute.start & ~asked),
            self.request.valid.eq(wanted),
            self.request.payload.eq(compute.address),
            granted.eq(~wanted | self.request.ready),
            self.weights.ready.eq(compute.use & granted),
            compute.weights.eq(self.weights.payload),
            go.eq(granted & (~compute.use | self.weights.valid)),
        ]
        m.d.sync += asked.eq(~go & (asked | (wanted & self.request.ready)))
        m.d.comb += compute.o.ready.eq(~self.o.valid | self.o.ready)
        with m.If(compute.o.ready):
            m.d.sync += [
                self.o.valid.eq(compute.o.valid & go),
                self.o.payload.eq(compute.o.payload),
            ]

    def _configure(self, m: Module) -> Value:
        """Load the memories while no frame is inside; whether frames may enter."""
        compute = self._compute
        loader = Loader([(one.width, one.depth) for one in compute.memories])
        m.submodules.loader = loader
        loading, inside = Signal(init=1), Signal(range(4))  # frames: two in the intake, and one
        partial, admit, accept, left = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            self.config.ready.eq(loading),
            loader.i.payload.eq(self.config.payload),
            loader.i.valid.eq(self.config.valid & loading),
            loader.abort.eq(self.config_abort),
            compute.load.eq(loader.write),
            compute.load_address.eq(loader.address),
            *(into.eq(word) for into, word in zip(compute.load_data, loader.data, strict=True)),
            admit.eq(~loading & (partial | ~self.config_request)),
            accept.eq(self.i.valid & self.i.ready),
            left.eq(self.o.valid & self.o.ready & self.o.payload.last),
        ]
        with m.If(self.abort):
            m.d.sync += partial.eq(0)
        with m.Elif(accept):
            m.d.sync += partial.eq(~self.i.payload.last)
        m.d.sync += inside.eq(inside + (accept & self.i.payload.last) - left)
        with m.If(loader.done):
            m.d.sync += loading.eq(0)
        with m.Elif(self.config_request & ~partial & (inside == 0)):
            m.d.sync += loading.eq(1)
        return admit
