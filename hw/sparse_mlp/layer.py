"""A layer: lanes, the control that walks them through the groups, and the way out."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.hw.sparse_mlp.buffer import FrameBuffer
from gatesmith.hw.sparse_mlp.lane import GateLane, IndexLane, load_layout
from gatesmith.models.sparse_mlp import SparseLayer

__all__ = ["Layer"]


class Layer(wiring.Component):
    """One layer as a stream of activations in and a stream of activations or scores out.

    The lanes compute neurons group * lanes + lane, group after group. A group may end only when
    the results of the one before have left; they leave one a clock, from the third clock after.

    Parameters
    ----------
    layer : SparseLayer
    datapath, memory : str   As in the Spec.
    mask : str               Name of the module that makes mask bits, see :func:`mask_verilog`.

    Members
    -------
    i : In(stream)       Input activations, ``inputs`` words a frame.
    abort : In(1)        Forget the words of the input frame in progress.
    o : Out(stream)      Results in the order of the neurons, ``outputs`` words a frame.
    load : In(load_layout(layer))   Writes to the memories, when they are loadable.
    """

    i: stream.Interface
    abort: Signal
    o: stream.Interface
    load: data.View

    def __init__(self, layer: SparseLayer, datapath: str, memory: str, mask: str) -> None:
        self._layer, self._datapath, self._memory = layer, datapath, memory
        kind = GateLane if datapath == "gate" else IndexLane
        self._lanes: list[Any] = [kind(layer, memory, lane, mask) for lane in range(layer.lanes)]
        self._width = self._lanes[0].result_width
        members: dict = {
            "i": In(stream.Signature(layer.input_bits)),
            "abort": In(1),
            "o": Out(stream.Signature(self._width)),
        }
        if memory != "rom":
            members["load"] = In(load_layout(layer))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer = self._layer
        for number, lane in enumerate(self._lanes):
            m.submodules[f"lane{number}"] = lane
            if self._memory != "rom":
                m.d.comb += lane.load.eq(self.load)

        # The clock after reset acts as the end of the last group for the index datapath.
        first = 0 if self._datapath == "gate" else layer.groups - 1
        group = Signal(count_shape(layer.groups), init=first)
        upcoming = Signal(count_shape(layer.groups))
        start, end, final_group, busy = Signal(), Signal(), Signal(), Signal()
        m.d.comb += final_group.eq(1 if layer.groups == 1 else group == layer.groups - 1)
        m.d.comb += upcoming.eq(Mux(final_group, 0, group + 1))
        if self._datapath == "gate":
            self._walk_inputs(m, start, end, busy, group, upcoming, final_group)
        else:
            self._walk_blocks(m, start, end, busy, group, upcoming, final_group)

        start_q = Signal()
        m.d.sync += start_q.eq(start)
        for lane in self._lanes:
            m.d.comb += [lane.start.eq(start), lane.start_q.eq(start_q)]
        self._drain(m, end, final_group, busy)
        return m

    def _walk_inputs(
        self,
        m: Module,
        start: Value,
        end: Value,
        busy: Value,
        group: Value,
        upcoming: Value,
        final_group: Value,
    ) -> None:
        """Gate datapath: every lane sees the same input, one a clock."""
        layer = self._layer
        source, activation, abort = self._words(m)
        count, accept, last = Signal(count_shape(layer.inputs)), Signal(), Signal()
        m.d.comb += [
            last.eq(count == layer.inputs - 1),
            source.ready.eq(~(last & busy)),
            accept.eq(source.valid & source.ready),
            start.eq(accept & (count == 0)),
            end.eq(accept & last),
        ]
        with m.If(abort | end):
            m.d.sync += count.eq(0)
        with m.Elif(accept):
            m.d.sync += count.eq(count + 1)
        with m.If(end):
            m.d.sync += group.eq(upcoming)
        for lane in self._lanes:
            m.d.comb += [
                lane.group.eq(group),
                lane.accept.eq(accept),
                lane.restart.eq(abort | end),
                lane.upcoming.eq(upcoming),
                lane.rewind.eq(abort | (end & final_group)),
                lane.activation.eq(activation),
            ]

    def _words(self, m: Module) -> tuple[stream.Interface, Value, Value]:
        """The stream of activations group after group, its payload a clock late, its abort.

        A single group takes the words as they come. For several, a frame buffer replays them:
        it issues an address as soon as the word before is taken.
        """
        layer = self._layer
        if layer.groups == 1:
            activation = Signal(layer.input_bits)
            m.d.sync += activation.eq(self.i.payload)
            return self.i, activation, self.abort
        buffer = self._buffer(m, layer.inputs, 1)
        m.d.comb += buffer.abort.eq(self.abort)
        replay = stream.Signature(layer.input_bits).create(path=("replay",))
        address, place = Signal(range(2 * layer.inputs)), Signal(count_shape(layer.inputs))
        turn = Signal(range(layer.groups))
        issue, row_end, frame_end = Signal(), Signal(), Signal()
        m.d.comb += [
            issue.eq(buffer.full & (replay.ready | ~replay.valid)),
            row_end.eq(place == layer.inputs - 1),
            frame_end.eq(row_end & (turn == layer.groups - 1)),
            buffer.reads[0].enable.eq(issue),
            buffer.reads[0].address.eq(address),
            buffer.release.eq(issue & frame_end),
        ]
        with m.If(replay.ready | ~replay.valid):
            m.d.sync += replay.valid.eq(buffer.full)
        with m.If(issue):
            m.d.sync += [address.eq(address + 1), place.eq(place + 1)]
            with m.If(row_end):
                m.d.sync += [
                    address.eq(Mux(buffer.next_bank, layer.inputs, 0)),
                    place.eq(0),
                    turn.eq(Mux(frame_end, 0, turn + 1)),
                ]
        # The memory's output register holds the word until it is taken; a clock after that the
        # lanes want it, when the register may already hold the next.
        activation = Signal(layer.input_bits)
        m.d.sync += activation.eq(buffer.reads[0].data)
        return replay, activation, Const(0)  # the buffer holds whole frames only

    def _buffer(self, m: Module, stride: int, ports: int) -> FrameBuffer:
        """The frame buffer before the lanes, fed with the layer's input."""
        layer = self._layer
        buffer = FrameBuffer(
            width=layer.input_bits,
            words=layer.inputs,
            stride=stride,
            ports=ports,
            kind="sram" if self._memory == "sram" else "flipflop",
        )
        m.submodules.buffer = buffer
        wiring.connect(m, wiring.flipped(self.i), buffer.i)
        return buffer

    def _walk_blocks(
        self,
        m: Module,
        start: Value,
        end: Value,
        busy: Value,
        group: Value,
        upcoming: Value,
        final_group: Value,
    ) -> None:
        """Index datapath: every lane reads its own kept inputs; the slowest ends the group."""
        layer = self._layer
        stride = -(-layer.inputs // layer.lookahead) * layer.lookahead
        buffer = self._buffer(m, stride, layer.lanes)
        primed, fresh, advance = Signal(), Signal(), Signal()
        running = Signal()
        after = Signal.like(upcoming)
        m.d.comb += [
            buffer.abort.eq(self.abort),
            running.eq(buffer.full & primed),
            start.eq(running & fresh),
            end.eq(running & ~busy & Cat(lane.finishing for lane in self._lanes).all()),
            buffer.release.eq(end & final_group),
            advance.eq(end | ~primed),
            # Lanes seed the group after the one whose last block they load.
            after.eq(Mux(advance & (upcoming == layer.groups - 1), 0, upcoming + advance)),
        ]
        if layer.groups == 1:
            m.d.comb += after.eq(0)
        m.d.sync += primed.eq(1)
        with m.If(running):
            m.d.sync += fresh.eq(0)
        with m.If(advance):
            m.d.sync += [fresh.eq(1), group.eq(upcoming)]
        for lane, read in zip(self._lanes, buffer.reads, strict=True):
            m.d.comb += [
                lane.group.eq(group),
                lane.running.eq(running),
                lane.advance.eq(advance),
                lane.upcoming.eq(after),
                lane.bank.eq(buffer.next_bank),
                lane.rewind.eq(end & final_group),
                read.address.eq(lane.address),
                read.enable.eq(running),
                lane.activation.eq(read.data),
            ]

    def _drain(self, m: Module, end: Value, final_group: Value, busy: Value) -> None:
        """Keep a group's results two clocks after its end, and send them one a clock."""
        layer = self._layer
        end_q, end_q2 = Signal(), Signal()
        final_q, final_q2 = Signal(), Signal()
        results = Signal(layer.lanes * self._width)
        remaining = Signal(range(layer.lanes + 1))
        rest = layer.outputs - (layer.groups - 1) * layer.lanes
        m.d.sync += [end_q.eq(end), end_q2.eq(end_q)]
        m.d.sync += [final_q.eq(final_group), final_q2.eq(final_q)]
        m.d.comb += [
            self.o.payload.eq(results[: self._width]),
            self.o.valid.eq(remaining != 0),
        ]
        with m.If(end):
            m.d.sync += busy.eq(1)
        with m.If(end_q2):
            m.d.sync += results.eq(Cat(lane.result for lane in self._lanes))
            m.d.sync += remaining.eq(Mux(final_q2, rest, layer.lanes))
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += [results.eq(results >> self._width), remaining.eq(remaining - 1)]
            with m.If(remaining == 1):
                m.d.sync += busy.eq(0)
