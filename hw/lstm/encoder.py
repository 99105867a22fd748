"""Sparse vectors as entries of an offset and a value, and the lists that hold a layer's state."""

from typing import Any

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.hw.memory import NamedMemory

__all__ = ["Encoder", "StateLists", "entry_layout"]


def entry_layout(batch: int, offset_bits: int) -> data.StructLayout:
    """An element that is kept: its value in each sequence, and the zeros skipped before it."""
    return data.StructLayout({"values": 8 * batch, "offset": offset_bits, "last": 1})


class Encoder(wiring.Component):
    """Turns the elements of a vector into entries, one element a clock.

    An element becomes an entry when it is not zero in some sequence, when the offset field can
    count no further, when it is the last of its vector, or in dense mode always. An entry passes
    in the clock of its element.

    Members
    -------
    valid : In(1)     An element is here.
    values : In       Its value in each sequence, 8 bits each.
    end : In(1)       It is the last of its vector.
    dense : In(1)     Keep every element.
    abort : In(1)     Forget the elements of the vector in progress.
    write : Out(1)    ``entry`` is to be stored.
    entry : Out(entry_layout(batch, offset_bits))
    """

    valid: Signal
    values: Signal
    end: Signal
    dense: Signal
    abort: Signal
    write: Signal
    entry: Any

    def __init__(self, *, batch: int, offset_bits: int) -> None:
        self._most = (1 << offset_bits) - 1
        super().__init__(
            {
                "valid": In(1),
                "values": In(8 * batch),
                "end": In(1),
                "dense": In(1),
                "abort": In(1),
                "write": Out(1),
                "entry": Out(entry_layout(batch, offset_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        zeros = Signal(range(self._most + 1))
        kept = self.dense | self.values.any() | (zeros == self._most) | self.end
        m.d.comb += [
            self.write.eq(self.valid & kept),
            self.entry.values.eq(self.values),
            self.entry.offset.eq(zeros),
            self.entry.last.eq(self.end),
        ]
        with m.If(self.abort | self.write):
            m.d.sync += zeros.eq(0)
        with m.Elif(self.valid):
            m.d.sync += zeros.eq(zeros + 1)
        return m


class StateLists(wiring.Component):
    """The state of a layer as a list of entries for each element-wise lane.

    List e holds the cells e, e + lists, e + 2 lists, ... in this order. A whole state is written,
    then read any number of times, list after list, an entry a clock.

    Parameters
    ----------
    lists, positions : int       Number of lists, and cells of each.
    batch, offset_bits : int     As of the Spec.
    kind : str                   Of the memories: ``flipflop`` or ``sram``.

    Members
    -------
    write : In(lists)            Lists that take a cell in this clock.
    values : In                  The cells, list 0 lowest; 8 bits for each sequence.
    end : In(1)                  They are the last cells.
    dense : In(1)                Keep every element.
    first, advance : In(1)       Read the first entry, or the one after the entry now read.
    entry : Out(entry_layout)    Entry read; valid from the clock after, until the next read.
    number : Out                 The list it came from.
    done : Out(1)                It is the last entry of the last list.
    """

    write: Signal
    values: Signal
    end: Signal
    dense: Signal
    first: Signal
    advance: Signal
    entry: Any
    number: Signal
    done: Signal

    def __init__(
        self, *, lists: int, positions: int, batch: int, offset_bits: int, kind: str
    ) -> None:
        self._lists, self._positions, self._kind = lists, positions, kind
        self._batch, self._offset_bits = batch, offset_bits
        super().__init__(
            {
                "write": In(lists),
                "values": In(lists * 8 * batch),
                "end": In(1),
                "dense": In(1),
                "first": In(1),
                "advance": In(1),
                "entry": Out(entry_layout(batch, offset_bits)),
                "number": Out(count_shape(lists)),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width, address = 8 * self._batch, count_shape(self._positions)
        layout = entry_layout(self._batch, self._offset_bits)
        following, to_read = Signal(address), Signal(address)
        turn, target = Signal(), Signal(count_shape(self._lists))
        m.d.comb += [
            turn.eq(self.first | self.entry.last),
            to_read.eq(Mux(turn, 0, following)),
            target.eq(Mux(self.first, 0, self.number + self.entry.last)),
            self.done.eq(self.entry.last & (self.number == self._lists - 1)),
        ]
        with m.If(self.first | self.advance):
            m.d.sync += [following.eq(to_read + 1), self.number.eq(target)]
        found = []
        for index in range(self._lists):
            encoder = Encoder(batch=self._batch, offset_bits=self._offset_bits)
            memory = NamedMemory(width=layout.size, depth=self._positions)
            m.submodules[f"encoder{index}"] = encoder
            m.submodules[f"list{index}_{self._kind}"] = memory
            place = Signal(address, name=f"place{index}")
            m.d.comb += [
                encoder.valid.eq(self.write[index]),
                encoder.values.eq(self.values[index * width : (index + 1) * width]),
                encoder.end.eq(self.end),
                encoder.dense.eq(self.dense),
                memory.write.eq(encoder.write),
                memory.write_address.eq(place),
                memory.write_data.eq(encoder.entry),
                memory.reads[0].enable.eq((self.first | self.advance) & (target == index)),
                memory.reads[0].address.eq(to_read),
            ]
            with m.If(encoder.write):
                m.d.sync += place.eq(Mux(self.end, 0, place + 1))
            found.append(memory.reads[0].data)
        m.d.comb += self.entry.as_value().eq(Array(found)[self.number])
        return m
