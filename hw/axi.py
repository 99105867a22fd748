"""The AXI4-Stream shell around a Core."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gatesmith.hw.arith import count_shape
from gatesmith.models.frames import FrameFormat

__all__ = ["AxiStreamShell", "FrameGuard"]


class FrameGuard(wiring.Component):
    """Passes the words of whole frames; tells when a frame turns out to be of the wrong length.

    Words pass in the same clock, all but the last unconditionally. The last word passes only with
    ``tlast``; otherwise the frame is over-long and swallowed up to its ``tlast``. A ``tlast`` on
    an earlier word is swallowed with that word. Either way ``abort`` is high for that one clock,
    and the Core behind forgets the words of the frame it has seen.

    Parameters
    ----------
    width : int   Width of a word, bits.
    words : int   Words of a frame.

    Members
    -------
    tdata, tvalid, tlast : In(width), In(1), In(1)   AXI4-Stream.
    tready : Out(1)
    o : Out(stream.Signature(width))                 Words, without frame borders.
    abort : Out(1)                                   The frame in progress is void.
    request : Out(1)                                 A word waits that is not to be swallowed; it
                                                     may turn out to be void.
    """

    tdata: Signal
    tvalid: Signal
    tlast: Signal
    tready: Signal
    o: stream.Interface
    abort: Signal
    request: Signal

    def __init__(self, width: int, words: int) -> None:
        self._words = words
        super().__init__(
            {
                "tdata": In(width),
                "tvalid": In(1),
                "tlast": In(1),
                "tready": Out(1),
                "o": Out(stream.Signature(width)),
                "abort": Out(1),
                "request": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = Signal(count_shape(self._words))
        swallow = Signal()
        final = count == self._words - 1
        good, transfer = Signal(), Signal()
        m.d.comb += [
            good.eq(self.tlast == final),
            transfer.eq(self.tvalid & self.tready),
            self.tready.eq(self.o.ready | swallow),
            self.o.payload.eq(self.tdata),
            self.o.valid.eq(self.tvalid & good & ~swallow),
            self.abort.eq(transfer & ~good & ~swallow),
            self.request.eq(self.tvalid & ~swallow),
        ]
        with m.If(transfer):
            m.d.sync += count.eq(count + 1)
            with m.If(swallow | ~good | final):
                m.d.sync += [count.eq(0), swallow.eq(~self.tlast)]
        return m


class AxiStreamShell(wiring.Component):
    """A Core with AXI4-Stream ports; clock ``clk``, synchronous active-high reset ``rst``.

    The Core has the members ``i : In(stream)`` and ``o : Out(stream)`` with the payload
    ``data``, ``last``; ``abort : In(1)``; and for a design with a configuration stream also
    ``config : In(stream)``, ``config_abort : In(1)`` and ``config_request : In(1)``.

    Parameters
    ----------
    core : wiring.Component
    input_format, output_format : FrameFormat
    config_format : FrameFormat or None

    Members
    -------
    s_axis_tdata, s_axis_tvalid, s_axis_tready, s_axis_tlast   Frames in.
    m_axis_tdata, m_axis_tvalid, m_axis_tready, m_axis_tlast   Frames out.
    c_axis_tdata, c_axis_tvalid, c_axis_tready, c_axis_tlast   Configuration, if there is one.
    frame_error : Out(1)   A frame of the wrong length was dropped since reset.
    """

    m_axis_tdata: Signal
    m_axis_tvalid: Signal
    m_axis_tready: Signal
    m_axis_tlast: Signal
    frame_error: Signal

    def __init__(
        self,
        core: Any,
        *,
        input_format: FrameFormat,
        output_format: FrameFormat,
        config_format: FrameFormat | None,
    ) -> None:
        self._core = core
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
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = core = self._core
        for name, (stream_name, abort, layout) in self._sinks.items():
            sink = getattr(core, stream_name)
            guard = FrameGuard(len(sink.payload), layout.words)
            m.submodules[f"{name}_guard"] = guard
            m.d.comb += [
                guard.tdata.eq(getattr(self, f"{name}_axis_tdata")),
                guard.tvalid.eq(getattr(self, f"{name}_axis_tvalid")),
                guard.tlast.eq(getattr(self, f"{name}_axis_tlast")),
                getattr(self, f"{name}_axis_tready").eq(guard.tready),
                sink.payload.eq(guard.o.payload),
                sink.valid.eq(guard.o.valid),
                guard.o.ready.eq(sink.ready),
                getattr(core, abort).eq(guard.abort),
            ]
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
        return m
