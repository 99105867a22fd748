"""The Core: the chain of layers, the argmax behind it, and the loader beside it."""

from itertools import pairwise
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.hw.sparse_mlp.lane import load_layout
from gatesmith.hw.sparse_mlp.layer import Layer
from gatesmith.hw.sparse_mlp.mask import mask_name, mask_verilog
from gatesmith.hw.sparse_mlp.unrolled import Unrolled
from gatesmith.models.sparse_mlp import SparseLayer, SparseMLPSpec

__all__ = ["ArgmaxTail", "ConfigLoader", "SparseMLP"]


class ArgmaxTail(wiring.Component):
    """Passes the scores of a frame and sends the index of the greatest after them.

    A score passes in the clock in which it comes; the index follows in the clock after the last.
    Equal scores: the lowest index.

    Members
    -------
    i : In(stream)    Signed scores.
    o : Out(stream)   Scores and index, sign- or zero-extended; ``last`` on the index.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, scores: int, score_width: int, data_width: int) -> None:
        self._scores, self._score_width = scores, score_width
        beat = data.StructLayout({"data": data_width, "last": 1})
        super().__init__({"i": In(stream.Signature(score_width)), "o": Out(stream.Signature(beat))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        score = self.i.payload.as_signed()
        # Extended before the choice: a word whose upper bits copy a lower one displeases Verilator.
        extended = Signal(signed(len(self.o.payload.data)))
        best = Signal(signed(self._score_width))
        index, winner = Signal(count_shape(self._scores)), Signal(count_shape(self._scores))
        tail, transfer = Signal(), Signal()
        m.d.comb += [
            transfer.eq(self.o.valid & self.o.ready),
            self.i.ready.eq(self.o.ready & ~tail),
            self.o.valid.eq(self.i.valid | tail),
            extended.eq(score),
            self.o.payload.data.eq(Mux(tail, winner, extended)),
            self.o.payload.last.eq(tail),
        ]
        with m.If(transfer & tail):
            m.d.sync += tail.eq(0)
        with m.Elif(transfer):
            with m.If((index == 0) | (score > best)):
                m.d.sync += [best.eq(score), winner.eq(index)]
            m.d.sync += index.eq(index + 1)
            with m.If(index == self._scores - 1):
                m.d.sync += [index.eq(0), tail.eq(1)]
        return m


class ConfigLoader(wiring.Component):
    """Sends the words of a configuration frame to the memories, in the order of the format.

    Members
    -------
    i : In(stream)      Words: for each layer the lanes' weights, then the lanes' biases.
    abort : In(1)       The frame had a wrong length: begin again.
    done : Out(1)       The last word passes in this clock.
    load0 ... : Out     Writes for each layer.
    """

    i: stream.Interface
    abort: Signal
    done: Signal

    def __init__(self, layers: tuple[SparseLayer, ...], width: int) -> None:
        self._layers = layers
        super().__init__(
            {
                "i": In(stream.Signature(width)),
                "abort": In(1),
                "done": Out(1),
                **{f"load{k}": Out(load_layout(layer)) for k, layer in enumerate(layers)},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sections = [
            (index, layer.lanes, words, name)
            for index, layer in enumerate(self._layers)
            for name, words in (("weight", layer.depth), ("bias", layer.groups))
        ]
        section = Signal(range(len(sections)))
        lane = Signal(count_shape(*(lanes for _, lanes, _, _ in sections)))
        address = Signal(count_shape(*(words for _, _, words, _ in sections)))
        memory_end, section_end = Signal(), Signal()
        write = self.i.valid
        m.d.comb += self.i.ready.eq(1)
        with m.Switch(section):
            for number, (index, lanes, words, name) in enumerate(sections):
                with m.Case(number):
                    m.d.comb += [
                        memory_end.eq(address == words - 1),
                        section_end.eq(lane == lanes - 1),
                        getattr(self, f"load{index}")[name].eq(write),
                    ]
        for index in range(len(self._layers)):
            load = getattr(self, f"load{index}")
            m.d.comb += [
                load.lane.eq(lane),
                load.address.eq(address),
                load.data.eq(self.i.payload),
            ]
        end = memory_end & section_end
        m.d.comb += self.done.eq(write & end & (section == len(sections) - 1))
        with m.If(self.abort | self.done):
            m.d.sync += [section.eq(0), lane.eq(0), address.eq(0)]
        with m.Elif(write):
            m.d.sync += address.eq(Mux(memory_end, 0, address + 1))
            with m.If(memory_end):
                m.d.sync += lane.eq(Mux(section_end, 0, lane + 1))
            with m.If(end):
                m.d.sync += section.eq(section + 1)
        return m


class SparseMLP(wiring.Component):
    """Sparse MLP of a Spec; clocks as :func:`gatesmith.models.sparse_mlp.timing` says.

    With loadable memories no frame enters before a whole configuration frame has come. A later
    configuration waits until no frame is inside and then comes before the next frame.

    Members
    -------
    i : In(stream)        Activations of the first layer, frames of ``inputs`` words.
    abort : In(1)         Forget the words of the input frame in progress.
    o : Out(stream)       Beats of ``data`` and ``last``.
    config : In(stream), config_abort : In(1)   Configuration words, when memories are loadable.
    config_request : In(1)                      A word of a configuration waits, right or wrong.

    ``shared`` holds the Verilog of the modules that the Core instantiates by name.
    """

    i: stream.Interface
    abort: Signal
    o: stream.Interface
    config: stream.Interface
    config_abort: Signal
    config_request: Signal
    shared: dict[str, str]

    def __init__(self, spec: SparseMLPSpec) -> None:
        self._spec = spec
        self.shared = {}
        self._layers: list[Any] = []
        if spec.datapath == "unrolled":
            unrolled = Unrolled(spec)
            self.shared |= unrolled.shared
            self._layers.append(unrolled)
        else:
            self._add_layers(spec)
        output = spec.output_format
        self._tail = ArgmaxTail(
            scores=spec.layers[-1].outputs,
            score_width=output.fields[0].width,
            data_width=output.data_width,
        )
        members: dict = {
            "i": In(stream.Signature(spec.layers[0].input_bits)),
            "abort": In(1),
            "o": Out(self._tail.o.signature),
        }
        if spec.config_format is not None:
            self._config_width = max(field.width for field in spec.config_format.fields)
            members |= {
                "config": In(stream.Signature(self._config_width)),
                "config_abort": In(1),
                "config_request": In(1),
            }
        super().__init__(members)

    def _add_layers(self, spec: SparseMLPSpec) -> None:
        """A component for each layer, and the module of mask bits that its lanes share."""
        for layer in spec.layers:
            count = 1 if spec.datapath == "gate" else layer.lookahead
            name = mask_name(spec.name, layer, count)
            if layer.threshold:
                self.shared[name] = mask_verilog(name, layer, count)
            self._layers.append(Layer(layer, spec.datapath, spec.memory, name))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self._spec.datapath == "unrolled":
            m.submodules.unrolled = self._layers[0]
        else:
            for index, layer in enumerate(self._layers):
                m.submodules[f"layer{index}"] = layer
        m.submodules.tail = self._tail
        stages: list[Any] = [*self._layers, self._tail]
        for before, after in pairwise(stages):
            wiring.connect(m, before.o, after.i)
        wiring.connect(m, self._tail.o, wiring.flipped(self.o))
        first = self._layers[0]
        admit = self._configure(m) if self._spec.loadable else 1
        m.d.comb += [
            first.i.payload.eq(self.i.payload),
            first.i.valid.eq(self.i.valid & admit),
            self.i.ready.eq(first.i.ready & admit),
            first.abort.eq(self.abort),
        ]
        return m

    def _configure(self, m: Module) -> Value:
        """Load the memories while no frame is inside; whether frames may enter."""
        loader = ConfigLoader(self._spec.layers, self._config_width)
        m.submodules.loader = loader
        for index, layer in enumerate(self._layers):
            m.d.comb += layer.load.eq(getattr(loader, f"load{index}"))
        loading = Signal(init=1)
        inside = Signal(range(4 * len(self._layers) + 4))  # frames: two banks a layer, and more
        count, partial = Signal(count_shape(self._spec.layers[0].inputs)), Signal()
        admit, entered, left = Signal(), Signal(), Signal()
        accept = self.i.valid & self.i.ready
        m.d.comb += [
            self.config.ready.eq(loading),
            loader.i.payload.eq(self.config.payload),
            loader.i.valid.eq(self.config.valid & loading),
            loader.abort.eq(self.config_abort),
            partial.eq(count != 0),
            admit.eq(~loading & (partial | ~self.config_request)),
            entered.eq(accept & (count == self._spec.layers[0].inputs - 1)),
            left.eq(self.o.valid & self.o.ready & self.o.payload.last),
        ]
        with m.If(self.abort | entered):
            m.d.sync += count.eq(0)
        with m.Elif(accept):
            m.d.sync += count.eq(count + 1)
        m.d.sync += inside.eq(inside + entered - left)
        with m.If(loader.done):
            m.d.sync += loading.eq(0)
        with m.Elif(self.config_request & ~partial & (inside == 0)):
            m.d.sync += loading.eq(1)
        return admit
