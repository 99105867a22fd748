"""The output side: scores, their argmax, final states and counters, a word a clock."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape, pick
from gatesmith.models.lstm import LSTMSpec
from gatesmith.models.lstm.layout import sum_width

__all__ = ["COUNTERS", "Output"]

COUNTERS = 3  # columns taken, columns skipped, clocks
COUNTER_BITS = 32


class _Item(enum.Enum, shape=3):
    """What a clock of the output stage is for."""

    NONE = 0
    SCORE = 1
    ARGMAX = 2
    STATE = 3
    CELL = 4
    COUNTER = 5


class Output(wiring.Component):
    """Sends the answer of a step from the head's sums, and after the last step the frame's tail.

    Items follow each other through a read, a choice and a register, a clock each; without stalls
    the first word is there three clocks after ``start`` and another in every clock. Scores that
    are not sent still take their clock, in which the argmax looks at them.

    Members
    -------
    start : In(1)             Begin with a step; the stage must not be busy.
    final : In(1)             It is the last of its frame; read with ``start``.
    empty : In(1)             All sums are 0; read with ``start``.
    counters : In             The words of the tail, the first lowest; read with ``start``.
    busy : Out(1)             The sums, cells and states are still being read.
    sums : Out(read_signature(...))      Of the head, a group of classes.
    bias : Out(read_signature(...))      Of a class.
    cells, states : Out(read_signature)  Of all lanes, for the final states.
    o : Out(stream)           Beats of ``data`` and ``last``.
    """

    start: Signal
    final: Signal
    empty: Signal
    counters: Signal
    busy: Signal
    sums: Any
    bias: Any
    cells: Any
    states: Any
    o: stream.Interface

    def __init__(
        self,
        spec: LSTMSpec,
        *,
        sums: wiring.Signature,
        bias: wiring.Signature,
        cells: wiring.Signature,
        states: wiring.Signature,
    ) -> None:
        self._spec = spec
        beat = data.StructLayout({"data": spec.output_format.data_width, "last": 1})
        super().__init__(
            {
                "start": In(1),
                "final": In(1),
                "empty": In(1),
                "counters": In(COUNTERS * COUNTER_BITS),
                "busy": Out(1),
                "sums": Out(sums),
                "bias": Out(bias),
                "cells": Out(cells),
                "states": Out(states),
                "o": Out(stream.Signature(beat)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Read what an item needs; a clock later choose its word; a clock later offer it."""
        m = Module()
        final, empty = Signal(), Signal()
        counters = Signal(COUNTERS * COUNTER_BITS)
        with m.If(self.start):
            m.d.sync += [
                final.eq(self.final),
                empty.eq(self.empty),
                counters.eq(self.counters),
            ]
        advance = Signal()
        m.d.comb += advance.eq(~self.o.valid | self.o.ready)
        item, at = self._read(m, advance, final)

        item_q = Signal(_Item)
        at_q = {name: Signal.like(value, name=f"{name}_q") for name, value in at.items()}
        with m.If(advance):
            m.d.sync += item_q.eq(item)
            m.d.sync += [at_q[name].eq(value) for name, value in at.items()]
        m.d.comb += self.busy.eq((item != _Item.NONE) | (item_q != _Item.NONE))
        word = self._choose(m, advance, item_q, at_q, empty, counters)

        sent = Signal()
        m.d.comb += sent.eq(item_q != _Item.NONE)
        if self._spec.outputs == "argmax":
            m.d.comb += sent.eq((item_q != _Item.NONE) & (item_q != _Item.SCORE))
        with m.If(advance):
            m.d.sync += [
                self.o.valid.eq(sent),
                self.o.payload.data.eq(word),
                self.o.payload.last.eq((item_q == _Item.COUNTER) & (at_q["index"] == COUNTERS - 1)),
            ]
        return m

    def _read(self, m: Module, advance: Value, final: Value) -> tuple[Signal, dict[str, Signal]]:
        """The item in this clock and its place, and the reads that it needs."""
        spec, lanes, batch = self._spec, self._spec.lanes, self._spec.batch
        item = Signal(_Item)
        classes = spec.head.classes
        at = {
            "index": Signal(count_shape(classes, COUNTERS), name="index"),  # class or counter
            "lane": Signal(count_shape(lanes, spec.elementwise), name="lane"),
            "sequence": Signal(count_shape(batch), name="sequence"),
        }
        group = Signal.like(self.sums.address)
        index, lane, sequence = at["index"], at["lane"], at["sequence"]
        turn = Signal()
        m.d.comb += [
            turn.eq(sequence == batch - 1),
            self.sums.enable.eq(advance & (item == _Item.SCORE)),
            self.sums.address.eq(group),
            self.bias.enable.eq(advance & (item == _Item.SCORE)),
            self.bias.address.eq(index),
        ]
        with m.If(advance):
            with m.Switch(item):
                with m.Case(_Item.SCORE):
                    m.d.sync += [index.eq(index + 1), lane.eq(lane + 1)]
                    with m.If(lane == lanes - 1):
                        m.d.sync += [lane.eq(0), group.eq(group + 1)]
                    with m.If(index == classes - 1):
                        m.d.sync += [index.eq(0), lane.eq(0), group.eq(0), item.eq(_Item.ARGMAX)]
                with m.Case(_Item.ARGMAX):
                    tail = _Item.STATE if spec.state else _Item.COUNTER
                    m.d.sync += sequence.eq(Mux(turn, 0, sequence + 1))
                    m.d.sync += item.eq(_Item.SCORE)
                    with m.If(turn):
                        m.d.sync += item.eq(Mux(final, tail, _Item.NONE))
                with m.Case(_Item.COUNTER):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == COUNTERS - 1):
                        m.d.sync += [index.eq(0), item.eq(_Item.NONE)]
        if spec.state:
            self._read_states(m, advance, item, lane, sequence, turn)
        with m.If(self.start):
            m.d.sync += item.eq(_Item.SCORE)
        return item, at

    def _read_states(
        self, m: Module, advance: Value, item: Signal, lane: Signal, sequence: Signal, turn: Value
    ) -> None:
        """Walk over the states, then the cells, of layer after layer; cells of lane after lane."""
        spec = self._spec
        counts = [layer.hidden // spec.elementwise for layer in spec.layers]
        layer, count = Signal(count_shape(len(counts))), Signal(count_shape(*counts))
        position, begin = Signal.like(self.states.address), Signal.like(self.states.address)
        address, begin_cell = Signal.like(self.cells.address), Signal.like(self.cells.address)
        walking, row, over = Signal(), Signal(), Signal()
        m.d.comb += [
            walking.eq(advance & ((item == _Item.STATE) | (item == _Item.CELL))),
            row.eq(turn & (lane == spec.elementwise - 1)),
            over.eq(row & (count == pick([k - 1 for k in counts], layer))),
            self.states.enable.eq(advance & (item == _Item.STATE)),
            self.states.address.eq(position),
            self.cells.enable.eq(advance & (item == _Item.CELL)),
            self.cells.address.eq(address + sequence),
        ]
        with m.If(walking):
            m.d.sync += sequence.eq(Mux(turn, 0, sequence + 1))
            with m.If(turn):
                m.d.sync += lane.eq(Mux(lane == spec.elementwise - 1, 0, lane + 1))
            with m.If(row):
                m.d.sync += [count.eq(count + 1), position.eq(position + 1)]
                m.d.sync += address.eq(address + spec.batch)
            with m.If(over):
                m.d.sync += count.eq(0)
                with m.If(item == _Item.STATE):
                    m.d.sync += [item.eq(_Item.CELL), position.eq(begin), address.eq(begin_cell)]
                with m.Elif(layer == len(counts) - 1):
                    m.d.sync += [item.eq(_Item.COUNTER), layer.eq(0)]
                    m.d.sync += [position.eq(0), address.eq(0), begin.eq(0), begin_cell.eq(0)]
                with m.Else():
                    m.d.sync += [item.eq(_Item.STATE), layer.eq(layer + 1)]
                    m.d.sync += [begin.eq(position + 1), begin_cell.eq(address + spec.batch)]

    def _choose(
        self,
        m: Module,
        advance: Value,
        item: Signal,
        at: dict[str, Signal],
        empty: Value,
        counters: Signal,
    ) -> Value:
        """The word of an item, sign- or zero-extended; and the argmax of the scores that pass."""
        spec, width = self._spec, sum_width(self._spec)
        sums = [
            pick(
                [
                    self.sums.data[at_ * width : (at_ + 1) * width]
                    for at_ in range(b * spec.lanes, b * spec.lanes + spec.lanes)
                ],
                at["lane"],
            )
            for b in range(spec.batch)
        ]
        total = Signal(signed(width))
        score = Signal(signed(max(width, len(self.bias.data)) + 1))
        best, winner = Signal.like(score), Signal(count_shape(spec.head.classes))
        m.d.comb += [
            total.eq(Mux(empty, 0, pick(sums, at["sequence"]))),
            score.eq(total + self.bias.data.as_signed()),
        ]
        with m.If(advance & (item == _Item.SCORE) & ((at["index"] == 0) | (score > best))):
            m.d.sync += [best.eq(score), winner.eq(at["index"])]
        word = Signal(signed(len(self.o.payload.data)))
        with m.Switch(item):
            with m.Case(_Item.SCORE):
                m.d.comb += word.eq(score)
            with m.Case(_Item.ARGMAX):
                m.d.comb += word.eq(winner)
            with m.Case(_Item.COUNTER):
                m.d.comb += word.eq(
                    pick(
                        [counters.word_select(k, COUNTER_BITS) for k in range(COUNTERS)],
                        at["index"],
                    )
                )
            if spec.state:
                lanes = range(spec.elementwise)
                states = [self.states.data.word_select(lane, 8 * spec.batch) for lane in lanes]
                cells = [self.cells.data.word_select(lane, 16).as_signed() for lane in lanes]
                state = pick(states, at["lane"])
                bytes_ = [state.word_select(b, 8) for b in range(spec.batch)]
                chosen, cell = Signal(signed(8)), Signal(signed(16))
                m.d.comb += [
                    chosen.eq(pick(bytes_, at["sequence"])),
                    cell.eq(pick(cells, at["lane"])),
                ]
                with m.Case(_Item.STATE):
                    m.d.comb += word.eq(chosen)
                with m.Case(_Item.CELL):
                    m.d.comb += word.eq(cell)
        return word
