"""Sets the states and cells of all layers before a frame."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape, pick, times
from gatesmith.models.lstm import LSTMSpec

__all__ = ["Preset"]


class Preset(wiring.Component):
    """Walks over all states and cells and sets them to 0, or to the words of the frame.

    Without words all lanes are set at once, a sequence a clock. Words come one by one: the states
    of a layer, then its cells, lane after lane. A clock after a place was chosen, its word is
    there and is written.

    Members
    -------
    active : In(1)                 Work; hold it until ``begun``, which is high in the last clock.
    word : In(16), advance : Out   The word of the frame, a clock after ``advance``.
    load, address, cell : Out      As ``load``, ``load_address``, ``load_cell`` of Elementwise.
    write : Out(layers)            Set states of these lists of a layer: ``lanes``, ``values``.
    values : Out                   A cell, the same for all lists; 8 bits for each sequence.
    end : Out(1)                   They are the last of the layer.
    """

    active: Signal
    begun: Signal
    word: Signal
    advance: Signal
    load: Signal
    address: Signal
    cell: Signal
    write: Signal
    lanes: Signal
    values: Signal
    end: Signal

    def __init__(self, spec: LSTMSpec) -> None:
        self._spec = spec
        self._counts = [layer.hidden // spec.elementwise for layer in spec.layers]
        super().__init__(
            {
                "active": In(1),
                "begun": Out(1),
                "word": In(16),
                "advance": Out(1),
                "load": Out(spec.elementwise),
                "address": Out(count_shape(sum(self._counts) * spec.batch)),
                "cell": Out(16),
                "write": Out(len(spec.layers)),
                "lanes": Out(spec.elementwise),
                "values": Out(8 * spec.batch),
                "end": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec = self._spec
        chosen = self._walk(m)
        behind: dict[str, Signal] = {}
        for name, value in chosen.items():
            behind[name] = Signal.like(value, name=f"{name}_q")
            m.d.sync += behind[name].eq(value)
        mask: Value = Const((1 << spec.elementwise) - 1, spec.elementwise)
        word = Signal(16)
        sets_cell: Value = behind["active"]
        sets_state: Value = behind["active"] & behind["turn"]
        if spec.state:
            mask = Signal(spec.elementwise)
            m.d.comb += [mask.eq(1 << behind["lane"]), word.eq(self.word)]
            sets_cell = sets_cell & behind["cells"]
            sets_state = sets_state & ~behind["cells"]
        together: Value = word[:8]
        if spec.batch > 1:
            older = Signal(8 * (spec.batch - 1))
            with m.If(behind["active"]):
                m.d.sync += older.eq(Cat(older, word[:8])[8:])
            together = Cat(older, word[:8])
        m.d.comb += [
            self.load.eq(Mux(sets_cell, mask, 0)),
            self.address.eq(times(behind["position"], spec.batch) + behind["sequence"]),
            self.cell.eq(word),
            self.write.eq(Cat(sets_state & (behind["layer"] == k) for k in range(len(self.write)))),
            self.lanes.eq(mask),
            self.values.eq(together),
            self.end.eq(behind["last"]),
        ]
        return m

    def _walk(self, m: Module) -> dict[str, Any]:
        """Choose a place in each clock."""
        spec, counts = self._spec, self._counts
        lanes, batch = spec.elementwise, spec.batch
        layer, cells = Signal(count_shape(len(counts))), Signal()
        count, lane = Signal(count_shape(*counts)), Signal(count_shape(lanes))
        sequence, position = Signal(count_shape(batch)), Signal(count_shape(sum(counts)))
        first = Signal.like(position)  # position of the layer's first cells
        turn, row, last, over = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            turn.eq(sequence == batch - 1),
            row.eq(turn & ((lane == lanes - 1) if spec.state else 1)),
            last.eq(count == pick([k - 1 for k in counts], layer)),
            over.eq(row & last),
            self.begun.eq(
                self.active & over & (layer == len(counts) - 1) & (cells if spec.state else 1)
            ),
            self.advance.eq(self.active & spec.state),
        ]
        with m.If(self.active):
            m.d.sync += sequence.eq(Mux(turn, 0, sequence + 1))
            with m.If(turn & spec.state):
                m.d.sync += lane.eq(Mux(lane == lanes - 1, 0, lane + 1))
            with m.If(row):
                m.d.sync += [count.eq(count + 1), position.eq(position + 1)]
            with m.If(over):
                m.d.sync += [count.eq(0), cells.eq(~cells & spec.state)]
                with m.If(cells | (not spec.state)):
                    m.d.sync += [layer.eq(layer + 1), first.eq(position + 1)]
                with m.Else():
                    m.d.sync += position.eq(first)
            with m.If(self.begun):
                m.d.sync += [layer.eq(0), position.eq(0), first.eq(0)]
        return {
            "active": self.active, "turn": turn, "last": last, "layer": layer, "cells": cells,
            "lane": lane, "sequence": sequence, "position": position,
        }  # fmt: skip
