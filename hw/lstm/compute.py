"""What works on a frame: control, engine, element-wise stage, lists of states, and output."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape, pick
from gatesmith.hw.lstm.accumulators import Accumulators
from gatesmith.hw.lstm.elementwise import Elementwise
from gatesmith.hw.lstm.encoder import StateLists
from gatesmith.hw.lstm.engine import Engine
from gatesmith.hw.lstm.intake import step_layout
from gatesmith.hw.lstm.output import COUNTER_BITS, COUNTERS, Output
from gatesmith.hw.lstm.preset import Preset
from gatesmith.hw.memory import NamedMemory, read_signature
from gatesmith.models.lstm import LSTMSpec
from gatesmith.models.lstm.layout import bias_memory, passes, row_memory, sum_width, weight_memories

__all__ = ["Compute"]


class _State(enum.Enum, shape=2):
    """What the control does: nothing, set the states, wait to begin a pass, wait for its end."""

    IDLE = 0
    BEGIN = 1
    READY = 2
    WALK = 3


class Compute(wiring.Component):
    """The work on one frame after the other.

    A pass of the engine takes two clocks beside those of its entries: one in which it begins, and
    one after its end in which the control turns to what follows. Passes come in this order: for
    each step the inputs of layer 0, the head's of the step before if it answers every step, the
    states of layer 0; then for each further layer its states and its inputs. The element-wise
    stage of a layer runs beside the passes that do not need its states.

    Members
    -------
    full, dense, release, advance, step, advance_state, state   As of Intake, seen from here.
    o : Out(stream)              Beats of ``data`` and ``last``.
    ask, address, start, use, weights   As of Engine, when the weights lie outside.
    load, load_address, load_data       As of Loader, when there is one.
    """

    full: Signal
    dense: Signal
    release: Signal
    advance: Signal
    step: Any
    advance_state: Signal
    state: Signal
    o: stream.Interface
    ask: Signal
    address: Signal
    start: Signal
    use: Signal
    weights: Signal
    load: Signal
    load_address: Signal
    load_data: Any

    def __init__(self, spec: LSTMSpec, kind: str) -> None:
        self._spec, self._kind, self._passes = spec, kind, passes(spec)
        lanes, layers = spec.elementwise, spec.layers
        self._counts = [layer.hidden // lanes for layer in layers]
        words = spec.lanes * spec.batch * sum_width(spec)
        columns = [-(-4 * layer.hidden // spec.lanes) for layer in layers]
        groups = max(columns)
        names = {"x0": groups, "x1": groups, "h0": groups}
        if len(layers) > 1:
            names["h1"] = groups
        names["head"] = -(-spec.head.classes // spec.lanes)
        self._sums = {
            name: Accumulators(
                width=sum_width(spec),
                sums=spec.lanes * spec.batch,
                groups=count,
                shortest=count if name == "head" else min(columns),
                kind=kind,
            )
            for name, count in names.items()
        }
        order = list(names)
        of_pass = [
            {"x": (0, 1), "h": (2, 3 if len(layers) > 1 else 2)}.get(
                one.branch, (len(order) - 1, len(order) - 1)
            )
            for one in self._passes
        ]
        self._engine = Engine(spec, list(self._sums.values()), of_pass)
        rows, bias = row_memory(spec), bias_memory(spec)
        self._elementwise = Elementwise(
            spec, read_signature(count_shape(rows.depth), rows.width), kind
        )
        positions = count_shape(sum(self._counts))
        self._presets = Preset(spec)
        self._output = Output(
            spec,
            sums=read_signature(count_shape(names["head"]), words),
            bias=read_signature(count_shape(bias.depth), bias.width),
            cells=self._elementwise.cells.signature.flip(),
            states=read_signature(positions, 8 * spec.batch * lanes),
        )
        self.memories = [*weight_memories(spec), rows, bias]
        members: dict = {
            "full": In(1),
            "dense": In(1),
            "release": Out(1),
            "advance": Out(1),
            "step": In(step_layout(spec)),
            "advance_state": Out(1),
            "state": In(16),
            "o": Out(self._output.o.signature),
        }
        if spec.memory == "stream":
            members |= {
                "ask": Out(1),
                "address": Out(self._engine.address.shape()),
                "start": Out(1),
                "use": Out(1),
                "weights": In(max(one.width for one in weight_memories(spec))),
            }
        if spec.loadable:
            depth = count_shape(*(one.depth for one in self.memories))
            members |= {
                "load": In(len(self.memories)),
                "load_address": In(depth),
                "load_data": In(max(one.width for one in self.memories)).array(len(self.memories)),
            }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.engine = engine = self._engine
        m.submodules.elementwise = self._elementwise
        m.submodules.output = output = self._output
        for name, sums in self._sums.items():
            m.submodules[f"sums_{name}"] = sums
        wiring.connect(m, output.o, wiring.flipped(self.o))
        dense = Signal()  # mode of the frame in work
        self._connect_memories(m)
        lists = self._lists(m, dense)
        self._feed(m, lists)
        bank_q = self._control(m, dense, lists)
        self._use_sums(m, bank_q)
        m.d.comb += engine.dense.eq(dense)
        return m

    def _connect_memories(self, m: Module) -> None:
        """The memories of weights, rows and biases, and who reads them."""
        spec, engine = self._spec, self._engine
        ports: list[Any] = []
        for number, one in enumerate(self.memories):
            outside = spec.memory == "stream" and one.name.startswith("weights")
            if outside:
                ports.append(None)
                continue
            loaded = spec.loadable
            kind = "sram" if loaded else "rom"
            memory = NamedMemory(
                width=one.width, depth=one.depth, init=() if loaded else one.words()
            )
            m.submodules[f"{one.name}_{kind}"] = memory
            if loaded:
                m.d.comb += [
                    memory.write.eq(self.load[number]),
                    memory.write_address.eq(self.load_address),
                    memory.write_data.eq(self.load_data[number]),
                ]
            ports.append(memory.reads[0])
        *weights, rows, bias = ports
        wiring.connect(m, self._elementwise.rows, rows)
        wiring.connect(m, self._output.bias, bias)
        if spec.memory == "stream":
            kinds = weight_memories(spec)
            m.d.comb += [
                self.ask.eq(engine.ask),
                self.address.eq(engine.address),
                self.start.eq(engine.start),
                self.use.eq(engine.use),
                engine.weights.eq(Cat(self.weights[: one.width] for one in kinds)),
            ]
            return
        for one, port in zip(weight_memories(spec), weights, strict=True):
            numbers = [k for k, each in enumerate(self._passes) if each.kind == one.kind]
            chosen = Cat(engine.number == k for k in numbers).any()
            m.d.comb += [
                port.enable.eq(engine.ask & chosen),
                port.address.eq(engine.address),
            ]
        m.d.comb += engine.weights.eq(Cat(port.data for port in weights))

    def _lists(self, m: Module, dense: Signal) -> list[StateLists]:
        """The lists of each layer, written when a frame begins and by the element-wise stage."""
        spec, elementwise = self._spec, self._elementwise
        found = []
        for index, count in enumerate(self._counts):
            lists = StateLists(
                lists=spec.elementwise,
                positions=count,
                batch=spec.batch,
                offset_bits=spec.offset_bits,
                kind=self._kind,
            )
            m.submodules[f"states{index}"] = lists
            mine = elementwise.write & (elementwise.written == index)
            m.d.comb += [
                lists.dense.eq(dense),
                lists.values.eq(elementwise.values),
                lists.end.eq(elementwise.end),
                lists.write.eq(mine.replicate(spec.elementwise)),
            ]
            found.append(lists)
        if spec.state:
            depth = sum(self._counts)
            width = 8 * spec.batch * spec.elementwise
            memory = NamedMemory(width=width, depth=depth)
            m.submodules[f"final_{self._kind}"] = memory
            m.d.comb += [
                memory.write.eq(elementwise.write),
                memory.write_address.eq(elementwise.position),
                memory.write_data.eq(elementwise.values),
            ]
            wiring.connect(m, self._output.states, memory.reads[0])
        return found

    def _feed(self, m: Module, lists: list[StateLists]) -> None:
        """Give the engine the entries of the vector that its pass walks over."""
        engine, spec = self._engine, self._spec
        entry = self.step.entry
        with m.Switch(engine.number):
            for number, one in enumerate(self._passes):
                with m.Case(number):
                    if one.source == "state":
                        source = lists[one.layer_read]
                        m.d.comb += [
                            source.first.eq(engine.first),
                            source.advance.eq(engine.advance),
                            engine.values.eq(source.entry.values),
                            engine.offset.eq(source.entry.offset),
                            engine.last.eq(source.entry.last),
                            engine.which.eq(source.number),
                            engine.done.eq(source.done),
                        ]
                        continue
                    m.d.comb += [
                        self.advance.eq(engine.first | engine.advance),
                        engine.last.eq(entry.last),
                        engine.done.eq(entry.last),
                    ]
                    if spec.one_hot:
                        m.d.comb += engine.symbol.eq(entry.symbol)
                    else:
                        m.d.comb += [
                            engine.values.eq(entry.values),
                            engine.offset.eq(entry.offset),
                        ]

    def _use_sums(self, m: Module, bank: Signal) -> None:
        """The element-wise stage reads the sums of its layer, the output those of the head."""
        elementwise, sums = self._elementwise, self._sums
        for name, found in (("x", elementwise.sums_x), ("h", elementwise.sums_h)):
            banks = [sums[key] for key in (f"{name}0", f"{name}1") if key in sums]
            for number, one in enumerate(banks):
                chosen = (bank == number) if len(banks) > 1 else Const(1)
                m.d.comb += [
                    one.use.enable.eq(elementwise.sums_enable & chosen),
                    one.use.address.eq(elementwise.sums_address),
                ]
            m.d.comb += found.eq(pick([one.use.data for one in banks], bank))
        wiring.connect(m, self._output.sums, sums["head"].use)
        wiring.connect(m, self._output.cells, elementwise.cells)

    def _control(self, m: Module, dense: Signal, lists: list[StateLists]) -> Signal:
        """The order of work; the bank of sums that the element-wise stage reads."""
        spec, engine = self._spec, self._engine
        elementwise, output = self._elementwise, self._output
        layers, head = len(spec.layers), len(self._passes) - 1
        state, number = Signal(_State), Signal(count_shape(len(self._passes)))
        bank, bank_q = Signal(), Signal()
        empty_x, empty_h = Signal(), Signal()
        started, final, closing = Signal(), Signal(), Signal()  # of the steps of the frame
        taken, skipped, clocks = (Signal(COUNTER_BITS) for _ in range(COUNTERS))
        done, unit_end, may_begin, launch = Signal(), Signal(), Signal(), Signal()
        begun = self._preset(m, state, lists)
        work = Signal()

        m.d.comb += [
            engine.number.eq(number),
            engine.bank.eq(bank),
            done.eq((state == _State.WALK) & ~engine.busy),
            work.eq(state != _State.IDLE),
            output.counters.eq(Cat(taken, skipped, clocks)),
            output.empty.eq(engine.empty),
            output.final.eq(closing),
            elementwise.empty_x.eq(empty_x),
            elementwise.empty_h.eq(empty_h),
        ]
        # What each pass waits for, and what follows it.
        with m.Switch(number):
            for index, one in enumerate(self._passes):
                with m.Case(index):
                    layer = index // 2
                    if index == head:
                        m.d.comb += [
                            may_begin.eq(~elementwise.busy & ~output.busy),
                            output.start.eq(done),
                        ]
                        with m.If((state == _State.READY) & ~elementwise.busy & output.busy):
                            m.d.comb += work.eq(0)
                        with m.If(done):
                            m.d.sync += [number.eq(1), state.eq(_State.READY)]
                            with m.If(closing):
                                m.d.sync += state.eq(_State.IDLE)
                    elif index == 0:
                        m.d.comb += [may_begin.eq(1), self.release.eq(done & self.step.final)]
                        with m.If(done):
                            m.d.sync += [
                                empty_x.eq(engine.empty),
                                final.eq(self.step.final),
                                started.eq(1),
                                number.eq(Mux(started, head, 1) if spec.every_step else 1),
                                state.eq(_State.READY),
                            ]
                    elif one.branch == "h":
                        m.d.comb += may_begin.eq(~elementwise.busy if layers == 1 else 1)
                        m.d.comb += elementwise.empty_h.eq(engine.empty)
                        if layer == 0:
                            m.d.comb += unit_end.eq(done)
                        else:
                            m.d.comb += elementwise.empty_h.eq(empty_h)
                            with m.If(done):
                                m.d.sync += [empty_h.eq(engine.empty), number.eq(index - 1)]
                                m.d.sync += state.eq(_State.READY)
                    else:
                        m.d.comb += [
                            may_begin.eq(~elementwise.busy),
                            unit_end.eq(done),
                            elementwise.empty_x.eq(engine.empty),
                        ]
                    m.d.comb += elementwise.layer.eq(layer if index != head else 0)
                    with m.If(launch):
                        if layer < layers - 1:
                            m.d.sync += number.eq(2 * layer + 3)
                        else:
                            m.d.sync += [number.eq(Mux(final, head, 0)), closing.eq(final)]
        m.d.comb += [
            launch.eq(unit_end & ~elementwise.busy),
            elementwise.start.eq(launch),
            engine.begin.eq((state == _State.READY) & may_begin),
        ]
        with m.If(launch):
            m.d.sync += [state.eq(_State.READY), bank.eq(~bank), bank_q.eq(bank)]
        with m.If(engine.begin):
            m.d.sync += state.eq(_State.WALK)
        m.d.sync += [
            taken.eq(taken + engine.taken),
            skipped.eq(skipped + engine.skipped),
            clocks.eq(clocks + work),
        ]
        with m.Switch(state):
            with m.Case(_State.IDLE):
                m.d.sync += [taken.eq(0), skipped.eq(0), clocks.eq(0), number.eq(0)]
                m.d.sync += [started.eq(0), closing.eq(0), dense.eq(self.dense)]
                # The final states of the last frame must have left before they are set again.
                with m.If(self.full & (~output.busy if spec.state else 1)):
                    m.d.sync += state.eq(_State.BEGIN)
            with m.Case(_State.BEGIN):
                with m.If(begun):
                    m.d.sync += state.eq(_State.READY)
        return bank_q

    def _preset(self, m: Module, state: Signal, lists: list[StateLists]) -> Signal:
        """Set states and cells before a frame; high in the last clock of it."""
        m.submodules.preset = preset = self._presets
        elementwise = self._elementwise
        m.d.comb += [
            preset.active.eq(state == _State.BEGIN),
            preset.word.eq(self.state),
            self.advance_state.eq(preset.advance),
            elementwise.load.eq(preset.load),
            elementwise.load_address.eq(preset.address),
            elementwise.load_cell.eq(preset.cell),
        ]
        for index, one in enumerate(lists):
            with m.If(preset.write[index]):
                m.d.comb += [
                    one.write.eq(preset.lanes),
                    one.values.eq(preset.values.replicate(self._spec.elementwise)),
                    one.end.eq(preset.end),
                ]
        return preset.begun
