"""The input side: whole frames in two banks, the steps' inputs already as entries."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.hw.lstm.encoder import Encoder, entry_layout
from gatesmith.hw.memory import NamedMemory
from gatesmith.models.lstm import LSTMSpec

__all__ = ["Intake", "step_layout"]


def step_layout(spec: LSTMSpec) -> data.StructLayout:
    """An entry of a step's input: a symbol of one sequence, or an element of a vector."""
    if spec.one_hot:
        symbol = data.StructLayout({"symbol": count_shape(spec.layers[0].inputs), "last": 1})
        return data.StructLayout({"entry": symbol, "final": 1})
    return data.StructLayout({"entry": entry_layout(spec.batch, spec.offset_bits), "final": 1})


class Intake(wiring.Component):
    """Stores two frames, one filling while the other is read.

    Members
    -------
    i : In(stream)          Words of ``data`` and ``last``: mode, states, inputs of each step.
    abort : In(1)           Forget the words of the frame in progress.
    full : Out(1)           A whole frame is there to be read.
    dense : Out(1)          Its mode.
    release : In(1)         It has been read.
    advance : In(1)         Read the next entry of its steps; in order, the first one first.
    step : Out(step_layout) Entry read; valid from the clock after, until the next read.
    advance_state : In(1)   Read the next word of its initial states, if frames have them.
    state : Out(16)         Word read, likewise.
    """

    i: stream.Interface
    abort: Signal
    full: Signal
    dense: Signal
    release: Signal
    advance: Signal
    step: Any
    advance_state: Signal
    state: Signal

    def __init__(self, spec: LSTMSpec, width: int, kind: str) -> None:
        self._spec, self._kind = spec, kind
        word = data.StructLayout({"data": width, "last": 1})
        super().__init__(
            {
                "i": In(stream.Signature(word)),
                "abort": In(1),
                "full": Out(1),
                "dense": Out(1),
                "release": In(1),
                "advance": In(1),
                "step": Out(step_layout(spec)),
                "advance_state": In(1),
                "state": Out(16),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec = self._spec
        states = sum(2 * layer.hidden for layer in spec.layers) * spec.batch if spec.state else 0
        fill, write_bank, bank = Signal(range(3)), Signal(), Signal()
        modes = Signal(2)
        accept, commit = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(fill != 2),
            accept.eq(self.i.valid & self.i.ready),
            commit.eq(accept & self.i.payload.last),
            self.full.eq(fill != 0),
            self.dense.eq(Mux(bank, modes[1], modes[0])),
        ]
        m.d.sync += fill.eq(fill + commit - self.release)
        with m.If(self.release):
            m.d.sync += bank.eq(~bank)
        with m.If(commit):
            m.d.sync += write_bank.eq(~write_bank)

        # A frame is its mode, its states, and its steps, one phase after the other.
        phase = Signal(range(3))
        count = Signal(count_shape(max(states, 1)))
        with m.If(self.abort | commit):
            m.d.sync += [phase.eq(0), count.eq(0)]
        with m.Elif(accept):
            with m.Switch(phase):
                with m.Case(0):
                    m.d.sync += phase.eq(1 if states else 2)
                with m.Case(1):
                    m.d.sync += count.eq(count + 1)
                    with m.If(count == states - 1):
                        m.d.sync += phase.eq(2)
        with m.If(accept & (phase == 0)):
            m.d.sync += modes.bit_select(write_bank, 1).eq(self.i.payload.data[0])
        if states:
            self._bank(
                m, "states", 16, states, accept & (phase == 1), self.i.payload.data[:16],
                commit, write_bank, self.advance_state, bank, self.state,
            )  # fmt: skip
        mode = Mux(write_bank, modes[1], modes[0])
        write, entry = self._encode(m, accept & (phase == 2), mode)
        positions = spec.batch if spec.one_hot else spec.layers[0].inputs
        self._bank(
            m, "steps", step_layout(spec).size, spec.steps * positions, write,
            Cat(entry, self.i.payload.last), commit, write_bank, self.advance, bank,
            self.step.as_value(),
        )  # fmt: skip
        return m

    def _encode(self, m: Module, valid: Any, dense: Any) -> tuple[Any, Any]:
        """Whether an entry is to be stored in this clock, and the entry, of the words of steps."""
        spec = self._spec
        sequence = Signal(count_shape(spec.batch))
        final = sequence == spec.batch - 1
        with m.If(self.abort):
            m.d.sync += sequence.eq(0)
        with m.Elif(valid):
            m.d.sync += sequence.eq(Mux(final, 0, sequence + 1))
        word = self.i.payload.data
        if spec.one_hot:
            symbol = Signal(count_shape(spec.layers[0].inputs))
            m.d.comb += symbol.eq(word)
            return valid, Cat(symbol, final)
        encoder = Encoder(batch=spec.batch, offset_bits=spec.offset_bits)
        m.submodules.encoder = encoder
        inputs = spec.layers[0].inputs
        position = Signal(count_shape(inputs))
        before = Signal(8 * (spec.batch - 1)) if spec.batch > 1 else None
        values = Cat(before, word[:8]) if before is not None else word[:8]
        m.d.comb += [
            encoder.valid.eq(valid & final),
            encoder.values.eq(values),
            encoder.end.eq(position == inputs - 1),
            encoder.dense.eq(dense),
            encoder.abort.eq(self.abort),
        ]
        with m.If(self.abort):
            m.d.sync += position.eq(0)
        with m.Elif(valid & final):
            m.d.sync += position.eq(Mux(position == inputs - 1, 0, position + 1))
        if before is not None:
            with m.If(valid):  # the oldest leaves at the low end
                m.d.sync += before.eq(Cat(before, word[:8])[8:])
        return encoder.write, encoder.entry.as_value()

    def _bank(
        self, m: Module, name: str, width: int, depth: int, write: Any, word: Any,
        commit: Any, write_bank: Any, advance: Any, bank: Any, found: Any,
    ) -> None:  # fmt: skip
        """A memory of two frames, written and read in order from the start of each bank."""
        memory = NamedMemory(width=width, depth=2 * depth)
        m.submodules[f"{name}_{self._kind}"] = memory
        place = Signal(range(2 * depth), name=f"{name}_place")
        following = Signal(range(2 * depth), name=f"{name}_following")
        m.d.comb += [
            memory.write.eq(write),
            memory.write_address.eq(place),
            memory.write_data.eq(word),
            memory.reads[0].enable.eq(advance),
            memory.reads[0].address.eq(following),
            found.eq(memory.reads[0].data),
        ]
        with m.If(self.abort):
            m.d.sync += place.eq(Mux(write_bank, depth, 0))
        with m.Elif(commit):
            m.d.sync += place.eq(Mux(write_bank, 0, depth))
        with m.Elif(write):
            m.d.sync += place.eq(place + 1)
        with m.If(self.release):
            m.d.sync += following.eq(Mux(bank, 0, depth))
        with m.Elif(advance):
            m.d.sync += following.eq(following + 1)
