"""Rows of blocks one behind the other, a block a clock: posteriors in a memory, and one rotator."""

from typing import Any

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.hw.memory import NamedMemory, lookup, read_signature
from gatesmith.hw.minsum.lanes import Lanes
from gatesmith.hw.minsum.parameters import Parameters
from gatesmith.hw.minsum.program import Program
from gatesmith.hw.minsum.rotator import Rotator
from gatesmith.models.minsum import MinSumSpec

__all__ = ["BlockSerial"]


class BlockSerial(wiring.Component):
    """A lane for each row of a block, and a program that says which block is where in each clock.

    A word of posteriors stays turned as the last row of blocks wanted it, so that one rotator
    serves all; a frame is loaded turned as the last one of an iteration leaves it. What a row of
    blocks made of the posteriors waits in a memory of its own to be given back with the new
    messages; of a column that the row has before it waits what is read once more. No word of a
    memory is read in the clock in which it is written.

    A step is a clock. What is in progress when a decision is final runs on, without any effect,
    till the next frame is loaded.

    Members
    -------
    load : In(1)                      Begin: read a frame.
    llrs : Out(read_signature(...))   Its words, a block column each.
    step : In(1)                      Go on.
    boundary : Out(1)                 The decision is that after whole iterations, or before them.
    last : Out(1)                     The step in this clock is the last of an iteration.
    decision : Out                    Bit of each variable.

    ``shared`` is empty.
    """

    load: Signal
    llrs: Any
    step: Signal
    boundary: Signal
    last: Signal
    decision: Signal

    def __init__(self, spec: MinSumSpec) -> None:
        self._spec, self._program, self._tying = spec, Program.of(spec), Parameters.of(spec)
        self._columns = spec.variables // spec.lifting
        self.shared: dict[str, Any] = {}
        columns, width = count_shape(self._columns), spec.lifting * spec.message_bits
        super().__init__(
            {
                "load": In(1),
                "llrs": Out(read_signature(columns, width)),
                "step": In(1),
                "boundary": Out(1),
                "last": Out(1),
                "decision": Out(spec.variables),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build it; a word of the program is named after the stage that it has reached.

        What is read: ``fetch``, ``turn``, ``take``, ``feed`` and ``store``. What is given back:
        ``wanted``, ``give`` and ``write``.
        """
        m = Module()
        spec, size = self._spec, self._spec.lifting
        m.submodules.lanes = lanes = Lanes(spec)
        m.submodules.rotator = rotator = Rotator(count=size, width=spec.posterior_bits)
        # Not `step` itself, which waits for the syndrome.
        going = Signal()
        m.d.sync += going.eq(self.load | self.step)
        fetch, fresh = self._fetch(m, going)
        bank, bank_new = Signal(), Signal()  # half of what waits, changed with each row
        m.d.comb += bank_new.eq(bank ^ (fetch.read & fetch.start))
        turn, take, feed, store = self._pipeline(m, fetch, "read", 4)
        was_fresh = self._delayed(m, fresh, 2)
        bank_kept = self._delayed(m, bank_new, 2)
        wanted = Signal()  # a block is given back
        m.d.comb += wanted.eq(fetch.write & ~(fresh & fetch.late))
        give, write = self._pipeline(m, fetch, "write", 2, wanted)
        bank_given = Signal()
        with m.If(self.load):
            m.d.sync += [bank.eq(0), bank_given.eq(0)]
        with m.Elif(self.step):
            m.d.sync += [bank.eq(bank_new), bank_given.eq(bank_given ^ (wanted & fetch.end))]

        posteriors = self._memory(m, "posteriors", size * spec.posterior_bits, self._columns)
        self._read(m, posteriors, fetch.read & ~fetch.load, fetch.column)
        self._write(m, posteriors, write.write, write.to_column, lanes.posteriors_new)
        m.d.comb += [
            self.llrs.enable.eq(fetch.read & fetch.load),
            self.llrs.address.eq(fetch.column),
            rotator.i.eq(Mux(turn.load, self._widened(m), posteriors.reads[0].data)),
            rotator.shift.eq(turn.shift),
        ]
        turned = Signal.like(rotator.o, name="turned", reset_less=True)
        m.d.sync += turned.eq(rotator.o)

        self._old_messages(m, lanes, turn, store, write)
        m.d.comb += [
            lanes.take.eq(take.read),
            lanes.posteriors.eq(turned),
            lanes.place.eq(take.place),
            lanes.fresh.eq(was_fresh),
            lanes.feed.eq(feed.read & feed.feed),
            lanes.start.eq(feed.start),
            lanes.feed_place.eq(feed.place),
            lanes.finish.eq(feed.read & feed.finish),
            lanes.plain.eq(give.load),
            lanes.give_place.eq(give.to_place),
        ]
        self._waiting(m, lanes, take, bank_kept, wanted, Cat(fetch.to_place, bank_given))
        if self._tying.constant is None:
            m.d.comb += lanes.parameters.eq(self._parameters(m, feed, give))

        m.d.comb += self.last.eq(write.write & write.last)
        with m.If(self.load):
            m.d.sync += self.boundary.eq(0)
        with m.Elif(self.step):
            loaded = write.write & write.load & write.end
            m.d.sync += self.boundary.eq(self.last | loaded)
        self._decide(m, going, write, lanes.posteriors_new)
        return m

    def _fetch(self, m: Module, going: Value) -> tuple[Any, Signal]:
        """The word of the program, and whether this is the first iteration."""
        program = self._program
        count, fresh = Signal(range(len(program.words))), Signal()
        word = lookup(m, "program", program.shape.size, program.packed(), count)
        fetch: Any = Signal(program.shape, name="fetch")
        m.d.comb += fetch.eq(word)
        for name in ("read", "write"):
            m.d.comb += fetch[name].eq(data.View(program.shape, word)[name] & going)
        with m.If(self.load):
            m.d.sync += [count.eq(0), fresh.eq(1)]
        with m.Elif(self.step):
            m.d.sync += count.eq(count + 1)
            with m.If(count == len(program.words) - 1):
                m.d.sync += [count.eq(program.loop), fresh.eq(0)]
        return fetch, fresh

    def _pipeline(
        self, m: Module, word: Any, name: str, stages: int, valid: Value | None = None
    ) -> list[Any]:
        """A word of the program in the stages behind it, of which ``name`` says whether it is one.

        Synthesis leaves out the fields that no stage uses.
        """
        found = []
        for stage in range(stages):
            register: Any = Signal(word.shape(), name=f"{name}_{stage + 1}", reset_less=True)
            m.d.sync += register.eq(word)
            there = word[name] if valid is None else valid
            m.d.sync += register[name].eq(there & ~self.load)
            word, valid = register, None
            found.append(register)
        return found

    def _delayed(self, m: Module, value: Value, clocks: int) -> Value:
        for _ in range(clocks):
            later = Signal(len(value), name="later", reset_less=True)
            m.d.sync += later.eq(value)
            value = later
        return value

    def _memory(self, m: Module, name: str, width: int, depth: int) -> NamedMemory:
        memory = NamedMemory(width=width, depth=depth)
        m.submodules[f"{name}_sram"] = memory
        return memory

    def _read(self, m: Module, memory: NamedMemory, enable: Value, address: Value) -> Any:
        port = memory.reads[0]
        m.d.comb += [port.enable.eq(enable), port.address.eq(address)]
        return port.data

    def _write(
        self, m: Module, memory: NamedMemory, write: Value, address: Value, word: Value
    ) -> None:
        m.d.comb += [
            memory.write.eq(write),
            memory.write_address.eq(address),
            memory.write_data.eq(word),
        ]

    def _widened(self, m: Module) -> Value:
        """A word of LLRs as one of posteriors."""
        spec = self._spec
        wide = spec.posterior_bits
        found = Signal(spec.lifting * wide, name="loaded")
        llrs = [
            self.llrs.data.word_select(k, spec.message_bits).as_signed()
            for k in range(spec.lifting)
        ]
        m.d.comb += found.eq(Cat(Cat(one, one[-1].replicate(wide - len(one))) for one in llrs))
        return found

    def _old_messages(self, m: Module, lanes: Lanes, turn: Any, store: Any, write: Any) -> None:
        """What the rows told the variables in the iteration before."""
        given, size = write.write & ~write.load, self._spec.lifting
        blocks = len(self._program.blocks)
        if self._tying.each:
            new = Cat(lanes.signs_new, lanes.magnitudes_new)
            memory = self._memory(m, "messages", len(new), blocks)
            old = self._read(m, memory, turn.read, turn.edge)
            m.d.comb += [lanes.signs.eq(old[:size]), lanes.magnitudes.eq(old[size:])]
            self._write(m, memory, given, write.to_edge, new)
            return
        signs = self._memory(m, "signs", size, blocks)
        m.d.comb += lanes.signs.eq(self._read(m, signs, turn.read, turn.edge))
        self._write(m, signs, given, write.to_edge, lanes.signs_new)
        layers = self._spec.checks // size
        rows = self._memory(m, "rows", lanes.fields.size, layers)
        m.d.comb += lanes.old.eq(self._read(m, rows, turn.read & turn.start, turn.layer))
        self._write(m, rows, store.read & store.finish, store.layer, lanes.found)

    def _waiting(
        self, m: Module, lanes: Lanes, take: Any, bank: Value, wanted: Value, address: Value
    ) -> None:
        """What was read waits till its rows are whole; its sign is that of its message."""
        size, width = self._spec.lifting, self._spec.posterior_bits
        word: Value = lanes.without
        signs: Value = Cat(word[(k + 1) * width - 1] for k in range(size))
        again = sorted({block.place for block in self._program.blocks if block.again})
        if again:
            # What is read once more is no message: its sign was seen the first time.
            seen = {place: Signal(size, name=f"seen_{place}", reset_less=True) for place in again}
            chosen = Signal(size, name="chosen")
            m.d.comb += chosen.eq(signs)
            with m.If(~take.feed & ~take.load), m.Switch(take.place):
                for place, kept in seen.items():
                    with m.Case(place):
                        m.d.comb += chosen.eq(kept)
            with m.If(take.read & take.feed), m.Switch(take.place):
                for place, kept in seen.items():
                    with m.Case(place):
                        m.d.sync += kept.eq(signs)
            word = Cat(word, chosen)
        depth = 2 << len(take.place)
        memory = self._memory(m, "waiting", len(word), depth)
        self._write(m, memory, take.read & take.keep, Cat(take.place, bank), word)
        kept = self._read(m, memory, wanted, address)
        posteriors = kept[: size * width]
        signs = kept[size * width :] if again else Cat(
            posteriors[(k + 1) * width - 1] for k in range(size)
        )  # fmt: skip
        m.d.comb += [lanes.kept.eq(posteriors), lanes.kept_signs.eq(signs)]

    def _parameters(self, m: Module, feed: Any, give: Any) -> Value:
        """Of the rows that finish in this iteration, or of the blocks that are given back."""
        spec, tying, size = self._spec, self._tying, self._spec.lifting
        values = spec.parameters[:, spec.groups]  # [times, edges]
        layers = spec.checks // size
        finished = feed.read & feed.finish
        if tying.alike:
            words = [int(values[min(t, len(values) - 1), 0]) for t in range(spec.iterations + 1)]
            event: Value = finished & (feed.layer == layers - 1)
        else:
            edges = self._edges()
            if not tying.each:
                firsts = np.searchsorted(spec.edge_check, np.arange(spec.checks))
                edges = firsts.reshape(layers, size)
            words = [tying.packed(row[each]) for row in values for each in edges]
            event = (give.write & ~give.load) if tying.each else finished
        place = Signal(count_shape(len(words)))
        with m.If(self.load):
            m.d.sync += place.eq(0)
        with m.Elif(event):
            m.d.sync += place.eq(Mux(place == len(words) - 1, 0, place + 1))
        return lookup(m, "parameters", tying.width * (1 if tying.alike else size), words, place)

    def _edges(self) -> np.ndarray:
        """Edge of each row of each block, in the order in which blocks are given back."""
        spec, size = self._spec, self._spec.lifting
        rows = np.arange(size)
        places = spec.edge_check.astype(np.int64) * spec.variables + spec.edge_variable
        return np.array(
            [
                np.searchsorted(
                    places,
                    (block.layer * size + rows) * spec.variables
                    + block.column * size
                    + (rows + block.shift) % size,
                )
                for block in self._program.blocks
            ]
        )

    def _decide(self, m: Module, going: Value, write: Any, word: Value) -> None:
        """Bits of the columns that are given back for good, in their natural order.

        In the clock that finds a decision to be final nothing is given back.
        """
        size, width = self._spec.lifting, self._spec.posterior_bits
        bits = []
        for column in range(self._columns):
            kept = Signal(size, name=f"decision_{column}", reset_less=True)
            back = -self._program.turns[column]
            signs = [word[((k + back) % size + 1) * width - 1] for k in range(size)]
            with m.If(going & write.write & write.settle & (write.to_column == column)):
                m.d.sync += kept.eq(Cat(signs))
            bits.append(kept)
        m.d.comb += self.decision.eq(Cat(bits))
