"""The element-wise stage: scales, gates, cell and state, some cells a clock."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape, pick, round_shift, saturate
from gatesmith.hw.memory import NamedMemory, lookup, read_signature
from gatesmith.models.lstm import LSTMSpec
from gatesmith.models.lstm.layout import BIAS_BITS, row_bits, scale_bits, sum_width
from gatesmith.models.lstm.tables import SIGMOID, TANH

__all__ = ["Elementwise"]

INDEX = 10  # bits of a pre-activation
GATES = 4
TANH_GATE = 2  # i, f, g, o
STAGES = 8  # of the pipeline
ONE_BITS = 7  # 1.0 is 2**7


class Elementwise(wiring.Component):
    """Turns the sums of a layer into its new cells and states.

    A clock does one sequence of ``elementwise`` cells; the sequences follow each other, then come
    the next cells. A state is written eight clocks after its sums have been read.

    Members
    -------
    start : In(1), layer : In          Begin with a layer; the stage must not be busy.
    busy : Out(1)                      Until the last state has been written.
    empty_x, empty_h : In(1)           The sums are to be taken as 0; read with ``start``.
    sums_enable, sums_address : Out    Read both sums of a group of rows.
    sums_x, sums_h : In                The sums, a clock later.
    rows : Out(read_signature)         Read of the scales and biases.
    write : Out(1), written : Out      New states are here, of this layer.
    end : Out(1)                       They are its last.
    values : Out                       8 bits for each sequence of each cell, the first cell lowest.
    position : Out                     Which cells, counted in ``elementwise`` of all layers.
    load : In(elementwise)             Set the cell of these lanes: ``load_address``, ``load_cell``.
    cells : In(read_signature)         Read of the cells of all lanes while the stage is idle.
    """

    start: Signal
    layer: Signal
    busy: Signal
    empty_x: Signal
    empty_h: Signal
    sums_enable: Signal
    sums_address: Signal
    sums_x: Signal
    sums_h: Signal
    rows: Any
    write: Signal
    written: Signal
    end: Signal
    values: Signal
    position: Signal
    load: Signal
    load_address: Signal
    load_cell: Signal
    cells: Any

    def __init__(self, spec: LSTMSpec, rows: wiring.Signature, kind: str) -> None:
        self._spec, self._kind = spec, kind
        self._counts = [layer.hidden // spec.elementwise for layer in spec.layers]
        self._depth = sum(self._counts) * spec.batch
        groups = [-(-GATES * layer.hidden // spec.lanes) for layer in spec.layers]
        words = spec.lanes * spec.batch * sum_width(spec)
        lanes = spec.elementwise
        super().__init__(
            {
                "start": In(1),
                "layer": In(count_shape(len(spec.layers))),
                "busy": Out(1),
                "empty_x": In(1),
                "empty_h": In(1),
                "sums_enable": Out(1),
                "sums_address": Out(count_shape(*groups)),
                "sums_x": In(words),
                "sums_h": In(words),
                "rows": Out(rows),
                "write": Out(1),
                "written": Out(count_shape(len(spec.layers))),
                "end": Out(1),
                "values": Out(lanes * 8 * spec.batch),
                "position": Out(count_shape(sum(self._counts))),
                "load": In(lanes),
                "load_address": In(count_shape(self._depth)),
                "load_cell": In(16),
                "cells": In(read_signature(count_shape(self._depth), 16 * lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Stages, a clock each: read, scale, round, look up, cell, norm, look up, state, write."""
        m = Module()
        spec, batch = self._spec, self._spec.batch
        stages = self._delay(m, self._issue(m))
        together: list[Value] = []
        for lane in range(spec.elementwise):
            sums, norm = self._scale(m, lane, stages[1])
            gates = self._activate(m, lane, sums, stages[2])
            fresh = self._state(m, lane, gates, norm, stages)
            # The states of all sequences of a cell are written together.
            if batch > 1:
                older = Signal(8 * (batch - 1), name=f"older{lane}")
                with m.If(stages[8]["valid"]):
                    m.d.sync += older.eq(Cat(older, fresh)[8:])
                together.append(Cat(older, fresh))
            else:
                together.append(fresh)
        now = stages[8]
        m.d.comb += [
            self.write.eq(now["valid"] & (now["sequence"] == batch - 1)),
            self.written.eq(now["layer"]),
            self.end.eq(now["end"]),
            self.values.eq(Cat(together)),
            self.position.eq(now["position"]),
        ]
        with m.If(self.start):
            m.d.sync += self.busy.eq(1)
        with m.Elif(self.write & self.end):
            m.d.sync += self.busy.eq(0)
        return m

    def _issue(self, m: Module) -> dict[str, Value]:
        """Walk over sequences, cells and groups, and read the sums and the row constants."""
        spec, batch = self._spec, self._spec.batch
        parts = spec.lanes // GATES // spec.elementwise  # reads of the same group
        layer, group = Signal.like(self.layer), Signal.like(self.sums_address)
        empty_x, empty_h = Signal(), Signal()
        active, sequence, part = Signal(), Signal(count_shape(batch)), Signal(count_shape(parts))
        count = Signal(count_shape(*self._counts))
        position, address = Signal.like(self.position), Signal.like(self.load_address)
        end, turn = Signal(), Signal()
        bases = [sum(self._counts[:k]) for k in range(len(self._counts))]
        m.d.comb += [
            turn.eq(sequence == batch - 1),
            end.eq(turn & (count == pick([k - 1 for k in self._counts], layer))),
            self.sums_enable.eq(active),
            self.sums_address.eq(group),
            self.rows.enable.eq(active),
            self.rows.address.eq(position),
        ]
        with m.If(active):
            m.d.sync += [sequence.eq(Mux(turn, 0, sequence + 1)), address.eq(address + 1)]
            with m.If(turn):
                m.d.sync += [position.eq(position + 1), count.eq(count + 1)]
                m.d.sync += part.eq(Mux(part == parts - 1, 0, part + 1))
                with m.If(part == parts - 1):
                    m.d.sync += group.eq(group + 1)
            with m.If(end):
                m.d.sync += active.eq(0)
        with m.If(self.start):
            m.d.sync += [
                active.eq(1),
                sequence.eq(0),
                part.eq(0),
                group.eq(0),
                count.eq(0),
                position.eq(pick(bases, self.layer)),
                address.eq(pick([base * batch for base in bases], self.layer)),
                layer.eq(self.layer),
                empty_x.eq(self.empty_x),
                empty_h.eq(self.empty_h),
            ]
        return {
            "valid": active, "end": end, "sequence": sequence, "part": part, "layer": layer,
            "position": position, "address": address, "empty_x": empty_x, "empty_h": empty_h,
        }  # fmt: skip

    def _delay(self, m: Module, issue: dict[str, Value]) -> list[dict[str, Value]]:
        """What was issued, and the same after 1 to 8 clocks."""
        found = [issue]
        for stage in range(1, STAGES + 1):
            behind: dict[str, Value] = {}
            for name, value in found[-1].items():
                behind[name] = delayed = Signal(len(value), name=f"{name}_{stage}")
                m.d.sync += delayed.eq(value)
            found.append(behind)
        return found

    def _scale(
        self, m: Module, lane: int, now: dict[str, Value]
    ) -> tuple[list[tuple[Value, Value]], Value]:
        """Stage 1: of each gate the scaled sum and the bias, registered; norm of the cell."""
        spec, width = self._spec, sum_width(self._spec)
        parts = spec.lanes // GATES // spec.elementwise
        bits = scale_bits(spec)
        row = 2 * bits + BIAS_BITS
        low = lane * row_bits(spec)
        found: list[tuple[Value, Value]] = []
        for gate in range(GATES):
            products: list[Value] = []
            for branch, (name, word) in enumerate((("x", self.sums_x), ("h", self.sums_h))):
                places = [
                    [b * spec.lanes + GATES * (p * spec.elementwise + lane) + gate
                     for p in range(parts)]
                    for b in range(spec.batch)
                ]  # fmt: skip
                by_sequence = [
                    pick([word[at * width : (at + 1) * width] for at in row_], now["part"])
                    for row_ in places
                ]
                source = pick(by_sequence, now["sequence"])
                chosen: Value = Signal(signed(width), name=f"sum_{name}{lane}_{gate}")
                m.d.comb += chosen.eq(Mux(now[f"empty_{name}"], 0, source))
                if name == "x" and spec.one_hot:
                    # A symbol counts as 1.0, the sum of its column is in units of one weight.
                    unit = chosen << ONE_BITS
                    chosen = unit if len(spec.layers) == 1 else Mux(now["layer"] == 0, unit, chosen)
                at = low + gate * row + branch * bits
                scale = self.rows.data[at : at + bits]
                if spec.layers[0].scale_kind == "integer":
                    products.append(chosen * scale.as_signed())
                else:
                    products.append(chosen << scale)
            wide = width + ONE_BITS * spec.one_hot + 17
            total = Signal(signed(wide), name=f"scaled{lane}_{gate}")
            bias = Signal(signed(BIAS_BITS), name=f"bias{lane}_{gate}")
            at = low + gate * row + 2 * bits
            m.d.sync += [
                total.eq(products[0] + products[1]),
                bias.eq(self.rows.data[at : at + BIAS_BITS]),
            ]
            found.append((total, bias))
        norm = self.rows.data[low + GATES * row : low + row_bits(spec)]
        for stage in range(2, 6):
            if len(norm):
                later = Signal(len(norm), name=f"norm{lane}_{stage}")
                m.d.sync += later.eq(norm)
                norm = later
        return found, norm

    def _activate(
        self, m: Module, lane: int, sums: list[tuple[Value, Value]], now: dict[str, Value]
    ) -> list[Signal]:
        """Stages 2 and 3: gates i, f, g, o of a lane, registered."""
        gates = []
        for gate, (total, bias) in enumerate(sums):
            before = Signal(signed(INDEX), name=f"pre{lane}_{gate}")
            by_layer = [round_shift(total, layer.shift) for layer in self._spec.layers]
            # No wider than what it can hold: Verilator reads the copies of a sign as a loop.
            shape = signed(max(map(len, by_layer)))
            rounded = Signal(shape, name=f"rounded{lane}_{gate}")
            with m.Switch(now["layer"]):
                for number, value in enumerate(by_layer):
                    with m.Case(number):
                        m.d.comb += rounded.eq(value)
            wide = signed(max(len(rounded), BIAS_BITS) + 1)
            biased = Signal(wide, name=f"biased{lane}_{gate}")
            m.d.comb += biased.eq(rounded + bias)
            m.d.sync += before.eq(saturate(biased, INDEX))
            name = f"{'ifgo'[gate]}{lane}"
            if gate == TANH_GATE:
                active = Signal(signed(8), name=name)
                m.d.sync += active.eq(_table(m, f"table_{name}", TANH, 8, before))
            else:
                active = Signal(9, name=name)
                m.d.sync += active.eq(_table(m, f"table_{name}", SIGMOID, 9, before))
            gates.append(active)
        return gates

    def _state(
        self, m: Module, lane: int, gates: list[Signal], norm: Value, stages: list[dict[str, Value]]
    ) -> Value:
        """Stages 4 to 7: the new cell, stored, and the new state, pruned and registered."""
        spec = self._spec
        i, f, g, o = gates
        memory = NamedMemory(width=16, depth=self._depth)
        m.submodules[f"cell{lane}_{self._kind}"] = memory
        port = memory.reads[0]
        # A gate is at most 1.0, or 256: no product needs the bit that its factors could ask for.
        cell, total = Signal(signed(16), name=f"cell{lane}"), Signal(signed(26), name=f"sum{lane}")
        gain, kept = Signal(signed(17), name=f"gain{lane}"), Signal(signed(25), name=f"kept{lane}")
        m.d.comb += [
            port.enable.eq(self.cells.enable | stages[3]["valid"]),
            port.address.eq(Mux(self.cells.enable, self.cells.address, stages[3]["address"])),
            self.cells.data[16 * lane : 16 * lane + 16].eq(port.data),
            gain.eq(i * g),
            kept.eq(f * port.data.as_signed()),
            total.eq(kept + (gain << 5)),
            memory.write.eq(stages[5]["valid"] | self.load[lane]),
            memory.write_address.eq(Mux(self.load[lane], self.load_address, stages[5]["address"])),
            memory.write_data.eq(Mux(self.load[lane], self.load_cell, cell)),
        ]
        m.d.sync += cell.eq(saturate(round_shift(total, 8), 16))

        index = Signal(signed(INDEX), name=f"index{lane}")
        with m.Switch(stages[5]["layer"]):
            for number, layer in enumerate(spec.layers):
                with m.Case(number):
                    scaled: Value = round_shift(cell, 6)
                    if layer.cell_scale.size:
                        product = norm[:16].as_signed() * cell
                        scaled = round_shift(product, layer.cell_shift) + norm[16:].as_signed()
                    m.d.sync += index.eq(saturate(scaled, INDEX))
        squashed = Signal(signed(8), name=f"squashed{lane}")
        m.d.sync += squashed.eq(_table(m, f"table_c{lane}", TANH, 8, index))
        for stage in range(5, 8):
            later = Signal(9, name=f"o{lane}_{stage}")
            m.d.sync += later.eq(o)
            o = later
        state, product_o = (
            Signal(signed(8), name=f"state{lane}"),
            Signal(signed(17), name=f"out{lane}"),
        )
        rounded = Signal(signed(10), name=f"unpruned{lane}")
        m.d.comb += [product_o.eq(o * squashed), rounded.eq(round_shift(product_o, 8))]
        with m.Switch(stages[7]["layer"]):
            for number, layer in enumerate(spec.layers):
                with m.Case(number):
                    least = layer.threshold
                    small = (rounded < least) & (rounded > -least)
                    m.d.sync += state.eq(Mux(small, 0, rounded))
        return state


def _table(m: Module, name: str, words: Any, width: int, index: Signal) -> Value:
    """Word of a table of signed indices."""
    # Lowest address first is index 0: the upper half of the addresses are the negative indices.
    half = 1 << INDEX - 1
    mask = (1 << width) - 1
    ordered = [int(word) & mask for word in (*words[half:], *words[:half])]
    return lookup(m, name, width, ordered, index.as_unsigned())
