"""The AXI4-Stream shell around a Core."""

from collections.abc import Iterator
from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.models.frames import FrameFormat
from gatesmith.models.weights import WeightPort

__all__ = ["AxiStreamShell", "FrameGuard"]


class FrameGuard(wiring.Component):
    """Passes the words of whole frames; tells when a frame turns out to be void.

    Words pass in the same clock, all but the last of the longest frame unconditionally. That one
    passes only with ``tlast``; otherwise the frame is over-long and swallowed up to its ``tlast``.
    A ``tlast`` where no frame may end is swallowed with its word, and so is a word above the
    ``most`` of its field, with the rest of its frame. Either way ``abort`` is high for that one
    clock, and the Core behind forgets the words of the frame it has seen.

    Parameters
    ----------
    width : int            Width of a word, bits.
    layout : FrameFormat   Of the frames; without a tail.

    Members
    -------
    tdata, tvalid, tlast : In(width), In(1), In(1)   AXI4-Stream.
    tready : Out(1)
    o : Out(stream.Signature(width))                 Words, without frame borders.
    last : Out(1)                                    The word on ``o`` is the frame's last; only
                                                     where the length of a frame varies.
    abort : Out(1)                                   The frame in progress is void.
    request : Out(1)                                 A word waits that is not to be swallowed; it
                                                     may turn out to be void.
    """

    tdata: Signal
    tvalid: Signal
    tlast: Signal
    tready: Signal
    o: stream.Interface
    last: Signal
    abort: Signal
    request: Signal

    def __init__(self, width: int, layout: FrameFormat) -> None:
        if layout.tail:
            raise ValueError(f"Frames in must have no tail, not {layout.tail!r}")
        self._layout = layout
        members: dict = {
            "tdata": In(width),
            "tvalid": In(1),
            "tlast": In(1),
            "tready": Out(1),
            "o": Out(stream.Signature(width)),
            "abort": Out(1),
            "request": Out(1),
        }
        if layout.repeated:
            members["last"] = Out(1)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layout = self._layout
        head, words = layout.length(0), layout.length(1)
        count = Signal(count_shape(words))  # of the word; goes back to head for each repetition
        repetition = Signal(count_shape(layout.repeats))
        swallow = Signal()
        final = count == words - 1
        good, transfer = Signal(), Signal()
        right = self.tlast == final
        if layout.repeated:
            right = right | (final & (repetition != layout.repeats - 1))
        for above in self._above(count):
            right = right & ~above
        m.d.comb += [
            good.eq(right),
            transfer.eq(self.tvalid & self.tready),
            self.tready.eq(self.o.ready | swallow),
            self.o.payload.eq(self.tdata),
            self.o.valid.eq(self.tvalid & good & ~swallow),
            self.abort.eq(transfer & ~good & ~swallow),
            self.request.eq(self.tvalid & ~swallow),
        ]
        if layout.repeated:
            m.d.comb += self.last.eq(self.tlast)
        with m.If(transfer):
            m.d.sync += count.eq(count + 1)
            if layout.repeated:
                with m.If(final):
                    m.d.sync += [count.eq(head), repetition.eq(repetition + 1)]
                with m.If(swallow | ~good | self.tlast):
                    m.d.sync += [count.eq(0), repetition.eq(0), swallow.eq(~self.tlast)]
            else:
                with m.If(swallow | ~good | final):
                    m.d.sync += [count.eq(0), swallow.eq(~self.tlast)]
        return m

    def _above(self, count: Value) -> Iterator[Value]:
        """For each field with a limit: its word is on ``tdata``, and greater."""
        start = 0
        for field in self._layout.all_fields:
            end = start + field.count
            if field.most is not None and field.most < (1 << len(self.tdata)) - 1:
                above = self.tdata > field.most
                if start > 0:
                    above = above & (count >= start)
                if end < self._layout.length(1):
                    above = above & (count < end)
                yield above
            start = end


class AxiStreamShell(wiring.Component):
    """A Core with AXI4-Stream ports; clock ``clk``, synchronous active-high reset ``rst``.

    The Core has the members ``i : In(stream)``, whose payload is a word, or ``data``, ``last``
    where the length of a frame varies; ``o : Out(stream)`` with the payload ``data``, ``last``;
    ``abort : In(1)``; for a design with a configuration stream also ``config : In(stream)``,
    ``config_abort : In(1)`` and ``config_request : In(1)``; and for one with weights outside
    ``request : Out(stream)``, the address of a burst's first word, and ``weights : In(stream)``,
    its words.

    Parameters
    ----------
    core : wiring.Component
    input_format, output_format : FrameFormat
    config_format : FrameFormat or None
    weight_port : WeightPort or None

    Members
    -------
    s_axis_tdata, s_axis_tvalid, s_axis_tready, s_axis_tlast   Frames in.
    m_axis_tdata, m_axis_tvalid, m_axis_tready, m_axis_tlast   Frames out.
    c_axis_tdata, c_axis_tvalid, c_axis_tready, c_axis_tlast   Configuration, if there is one.
    r_axis_tdata, r_axis_tvalid, r_axis_tready                 Requests for weights, if they lie
                                                               outside.
    w_axis_tdata, w_axis_tvalid, w_axis_tready, w_axis_tlast   The weights; ``tlast`` is ignored.
    frame_error : Out(1)   A frame of the wrong length, or with a word out of range, was dropped
                           since reset.
    """

    m_axis_tdata: Signal
    m_axis_tvalid: Signal
    m_axis_tready: Signal
    m_axis_tlast: Signal
    frame_error: Signal
    r_axis_tdata: Signal
    r_axis_tvalid: Signal
    r_axis_tready: Signal
    w_axis_tdata: Signal
    w_axis_tvalid: Signal
    w_axis_tready: Signal

    def __init__(
        self,
        core: Any,
        *,
        input_format: FrameFormat,
        output_format: FrameFormat,
        config_format: FrameFormat | None,
        weight_port: WeightPort | None = None,
    ) -> None:
        self._core, self._weights = core, weight_port is not None
        self._sinks = {"s": ("i", "abort", input_format)}
        if config_format is not None:
            self._sinks["c"] = ("config", "config_abort", config_format)
        members: dict = {}
        for name, (_, _, layout) in self._sinks.items():
            members |= {
                f"{name}_axis_tdata": In(layout.data_width),
                f"{name}_axis_tvalid": In(1),
                f"{name}_axis_tready": Out(1),
                f"{name}_axis_tlast": In(1),
            }
        members |= {
            "m_axis_tdata": Out(output_format.data_width),
            "m_axis_tvalid": Out(1),
            "m_axis_tready": In(1),
            "m_axis_tlast": Out(1),
            "frame_error": Out(1),
        }
        if weight_port is not None:
            members |= {
                "r_axis_tdata": Out(weight_port.request_width),
                "r_axis_tvalid": Out(1),
                "r_axis_tready": In(1),
                "w_axis_tdata": In(weight_port.data_width),
                "w_axis_tvalid": In(1),
                "w_axis_tready": Out(1),
                "w_axis_tlast": In(1),
            }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = core = self._core
        for name, (stream_name, abort, layout) in self._sinks.items():
            sink = getattr(core, stream_name)
            word = sink.payload.data if layout.repeated else sink.payload
            guard = FrameGuard(len(word), layout)
            m.submodules[f"{name}_guard"] = guard
            m.d.comb += [
                guard.tdata.eq(getattr(self, f"{name}_axis_tdata")),
                guard.tvalid.eq(getattr(self, f"{name}_axis_tvalid")),
                guard.tlast.eq(getattr(self, f"{name}_axis_tlast")),
                getattr(self, f"{name}_axis_tready").eq(guard.tready),
                word.eq(guard.o.payload),
                sink.valid.eq(guard.o.valid),
                guard.o.ready.eq(sink.ready),
                getattr(core, abort).eq(guard.abort),
            ]
            if layout.repeated:
                m.d.comb += sink.payload.last.eq(guard.last)
            if name == "c":
                m.d.comb += core.config_request.eq(guard.request)
            with m.If(guard.abort):
                m.d.sync += self.frame_error.eq(1)
        m.d.comb += [
            self.m_axis_tdata.eq(core.o.payload.data),
            self.m_axis_tlast.eq(core.o.payload.last),
            self.m_axis_tvalid.eq(core.o.valid),
            core.o.ready.eq(self.m_axis_tready),
        ]
        if self._weights:
            m.d.comb += [
                self.r_axis_tdata.eq(core.request.payload),
                self.r_axis_tvalid.eq(core.request.valid),
                core.request.ready.eq(self.r_axis_tready),
                core.weights.payload.eq(self.w_axis_tdata),
                core.weights.valid.eq(self.w_axis_tvalid),
                self.w_axis_tready.eq(core.weights.ready),
            ]
        return m
