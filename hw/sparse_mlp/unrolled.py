"""All layers of a sparse MLP at once, between a stream of words and a stream of scores."""

from amaranth.hdl import Cat, ClockSignal, Instance, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.hw.sparse_mlp.network import network_verilog
from gatesmith.models.sparse_mlp import SparseMLPSpec

__all__ = ["Unrolled"]


class Unrolled(wiring.Component):
    """The network of :func:`network_verilog`; clocks as the Spec's ``timing`` says.

    Three frames are inside at once: one is gathered word by word, one is in the layers, and the
    scores of one are sent. The registers inside the layers have neither enable nor reset: the
    frame before them stands still until its scores are taken, and these wait as long as they must.

    Members
    -------
    i : In(stream)       Activations of the first layer, ``inputs`` words a frame.
    abort : In(1)        Forget the words of the input frame in progress.
    o : Out(stream)      Scores, signed, ``outputs`` words a frame.

    ``shared`` holds the Verilog of the network.
    """

    i: stream.Interface
    abort: Signal
    o: stream.Interface
    shared: dict[str, str]

    def __init__(self, spec: SparseMLPSpec) -> None:
        self._network = network_verilog(spec, f"{spec.name}_network")
        self._inputs, self._outputs = spec.layers[0].inputs, spec.layers[-1].outputs
        self._word = spec.layers[0].input_bits
        self.shared = {self._network.name: self._network.text}
        super().__init__(
            {
                "i": In(stream.Signature(self._word)),
                "abort": In(1),
                "o": Out(stream.Signature(self._network.width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        gathered = Signal(self._inputs * self._word)
        frame = Signal.like(gathered)
        scores = Signal(self._outputs * self._network.width)
        full, launch, busy, take = Signal(), Signal(), Signal(), Signal()
        self._gather(m, gathered, full, launch)

        # A frame waits until the one before has left; then its scores come after the latency.
        wait = Signal(count_shape(self._network.latency + 1))
        m.d.comb += launch.eq(full & (~busy | take))
        with m.If(launch):
            m.d.sync += [frame.eq(gathered), busy.eq(1), wait.eq(self._network.latency)]
        with m.Elif(take):
            m.d.sync += busy.eq(0)
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        ports: dict[str, Value] = {"i_i": frame, "o_o": scores}
        if self._network.latency:
            ports["i_clk"] = ClockSignal()
        m.submodules.network = Instance(self._network.name, **ports)

        self._send(m, scores, busy & (wait == 0), take)
        return m

    def _gather(self, m: Module, gathered: Signal, full: Signal, launch: Signal) -> None:
        """Shift words in, the first one down to the lowest bits, until the frame is whole."""
        count, accept, last = Signal(count_shape(self._inputs)), Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(~full | launch),
            accept.eq(self.i.valid & self.i.ready),
            last.eq(accept & (count == self._inputs - 1)),
        ]
        m.d.sync += full.eq(last | (full & ~launch))
        with m.If(accept):
            m.d.sync += gathered.eq(Cat(gathered, self.i.payload)[self._word :])
        with m.If(self.abort | last):
            m.d.sync += count.eq(0)
        with m.Elif(accept):
            m.d.sync += count.eq(count + 1)

    def _send(self, m: Module, scores: Signal, ready: Value, take: Signal) -> None:
        """Take the scores once those of the frame before are gone, and send them one a clock."""
        width = self._network.width
        results, remaining = Signal.like(scores), Signal(range(self._outputs + 1))
        m.d.comb += [
            take.eq(ready & (remaining == 0)),
            self.o.payload.eq(results[:width]),
            self.o.valid.eq(remaining != 0),
        ]
        with m.If(take):
            m.d.sync += [results.eq(scores), remaining.eq(self._outputs)]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += [results.eq(results >> width), remaining.eq(remaining - 1)]
