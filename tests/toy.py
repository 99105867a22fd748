"""A hand-written design with the ports of every generated one, and single faults to plant in it.

It takes four bytes and answers with their sum and the exclusive or of all of them. A frame takes
six clocks: four words in, two out, nothing overlapped.
"""

import numpy as np

from gatesmith.sim.vectors import Vectors

__all__ = ["FAULTS", "NAME", "broken", "configured", "sound", "vectors"]

NAME = "toy"

_VERILOG = """\
module toy(
  clk, rst, s_axis_tdata, s_axis_tvalid, s_axis_tready, s_axis_tlast,
  m_axis_tdata, m_axis_tvalid, m_axis_tready, m_axis_tlast, frame_error/*PORTS*/
);
  input clk, rst;
  input [7:0] s_axis_tdata;
  input s_axis_tvalid, s_axis_tlast, m_axis_tready;
  output s_axis_tready, m_axis_tvalid, m_axis_tlast;
  output [15:0] m_axis_tdata;
  output reg frame_error;
  /*CONFIG*/
  reg [15:0] sum;
  reg [7:0] parity;
  reg [2:0] count;
  reg answering, second, swallowing;
  reg [15:0] frames;  // answered since reset, for faults that come late
  reg [3:0] pause;  // for faults of time
  wire loaded = 1'b1;
  wire [15:0] offset = 16'd0;
  assign s_axis_tready = loaded & ~answering & ~rst;
  assign m_axis_tvalid = answering;
  assign m_axis_tlast = second;
  assign m_axis_tdata = second ? {8'd0, parity} : sum;
  wire take = s_axis_tvalid & s_axis_tready;
  wire give = m_axis_tvalid & m_axis_tready;
  always @(posedge clk) begin
    pause <= pause + 4'd1;
    if (take) begin
      if (swallowing) swallowing <= ~s_axis_tlast;
      else if (s_axis_tlast | count == 3'd3) begin
        count <= 3'd0;
        sum <= offset;
        parity <= 8'd0;
        if (s_axis_tlast & count == 3'd3) begin
          answering <= 1'b1;
          sum <= sum + s_axis_tdata;
          parity <= parity ^ s_axis_tdata;
        end else begin
          frame_error <= 1'b1;
          swallowing <= ~s_axis_tlast;
        end
      end else begin
        count <= count + 3'd1;
        sum <= sum + s_axis_tdata;
        parity <= parity ^ s_axis_tdata;
      end
    end
    if (give) begin
      second <= ~second;
      if (second) begin
        answering <= 1'b0;
        sum <= offset;
        parity <= 8'd0;
        frames <= frames + 16'd1;
      end
    end
    if (rst) begin
      sum <= offset;
      parity <= 8'd0;
      count <= 3'd0;
      answering <= 1'b0;
      second <= 1'b0;
      swallowing <= 1'b0;
      frame_error <= 1'b0;
      frames <= 16'd0;
      pause <= 4'd0;
    end
  end
endmodule
"""

_CONFIG = """\
input [15:0] c_axis_tdata;
  input c_axis_tvalid, c_axis_tlast;
  output c_axis_tready;
  reg loaded, skipping, c_error;
  reg [15:0] offset;
  assign frame_error = s_error | c_error;
  assign c_axis_tready = ~rst & (skipping | ~loaded | (~answering & count == 3'd0));
  always @(posedge clk) begin
    if (c_axis_tvalid & c_axis_tready) begin
      if (skipping) skipping <= ~c_axis_tlast;
      else if (c_axis_tlast) begin offset <= c_axis_tdata; loaded <= 1'b1; end
      else begin skipping <= 1'b1; c_error <= 1'b1; end
    end
    if (rst) begin loaded <= 0; skipping <= 0; c_error <= 0; offset <= 0; end
  end"""

_LAST = "second <= 1'b0;\n      swallowing"
# Name to the edits that plant the fault: what stands there, what replaces it.
FAULTS: dict[str, list[tuple[str, str]]] = {
    "one bit of a word, in the fourth frame": [
        (": sum;", ": sum ^ (frames == 16'd3);"),
    ],
    "words of a frame swapped": [
        ("second ? {8'd0, parity} : sum", "second ? sum : {8'd0, parity}"),
    ],
    "tlast on every word": [("m_axis_tlast = second", "m_axis_tlast = 1'b1")],
    "tlast on no word": [("m_axis_tlast = second", "m_axis_tlast = 1'b0")],
    "a frame answered twice": [
        ("if (second) begin", "if (second & frames == 1) frames <= 2; else if (second) begin"),
    ],
    "third frame lost": [
        ("answering <= 1'b1;", "answering <= ~(frames == 16'd2); frames <= frames + (frames == 2);")
    ],
    "a clock late": [("m_axis_tvalid = answering", "m_axis_tvalid = answering & pause != 4'd0")],
    "nothing comes": [("m_axis_tvalid = answering", "m_axis_tvalid = 1'b0")],
    "never ready": [("s_axis_tready = loaded", "s_axis_tready = 1'b0 & loaded")],
    "tdata follows tready": [(": sum;", ": m_axis_tready ? sum : ~sum;")],
    "tlast follows tready": [("m_axis_tlast = second", "m_axis_tlast = second & m_axis_tready")],
    "tvalid withdrawn": [
        ("m_axis_tvalid = answering", "m_axis_tvalid = answering & (m_axis_tready | pause[0])"),
    ],
    "tdata unknown between frames": [(": sum;", ": answering ? sum : 16'bx;")],
    "tready unknown while answering": [
        ("loaded & ~answering", "loaded & (answering ? 1'bx : 1'b1)"),
    ],
    "frame_error without reset value": [("frame_error <= 1'b0;", "")],
    "short frames accepted": [
        ("if (s_axis_tlast & count == 3'd3)", "if (s_axis_tlast)"),
    ],
    "long frames accepted": [
        ("if (s_axis_tlast & count == 3'd3)", "if (count == 3'd3)"),
    ],
    "long frames not swallowed": [("swallowing <= ~s_axis_tlast;\n        end", "end")],
    "sum kept after a short frame": [
        ("sum <= offset;\n        parity <= 8'd0;\n        if (s", "parity <= 0;\n        if (s"),
    ],
    "frame_error late": [
        ("output reg frame_error;", "output frame_error; reg e_error, e_late;"),
        ("reg [7:0] parity;", "reg [7:0] parity; assign frame_error = e_late;"),
        ("frame_error <= 1'b1;", "e_error <= 1'b1;"),
        ("frame_error <= 1'b0;", "e_error <= 0; e_late <= 0;"),
        ("pause <= pause + 4'd1;", "pause <= pause + 4'd1; if (&pause) e_late <= e_error;"),
    ],
    "frame_error never": [("frame_error <= 1'b1", "frame_error <= 1'b0")],
    "frame_error not kept": [("pause <= pause + 4'd1;", "pause <= pause + 1; frame_error <= 0;")],
    "frame_error on right frames": [
        ("answering <= 1'b1;", "answering <= 1'b1; frame_error <= frames == 16'd1;"),
    ],
    "frame_error outlives reset": [
        (
            "frame_error <= 1'b0;\n      frames",
            "if (frame_error === 1'bx) frame_error <= 0;\n      frames",
        )
    ],
    "frame in progress outlives reset": [
        ("count <= 3'd0;\n      answering", "if (count === 3'bx) count <= 0;\n      answering"),
    ],
    "half an answer outlives reset": [
        (_LAST, "if (second === 1'bx) second <= 0;\n      swallowing"),
    ],
    "tvalid ignored": [("take = s_axis_tvalid &", "take =")],
    "m_axis_tready ignored": [("give = m_axis_tvalid & m_axis_tready", "give = m_axis_tvalid")],
}  # fmt: skip


def sound() -> str:
    """Verilog of the design as it should be."""
    return _VERILOG


def configured() -> str:
    """The same with a configuration stream: one word, added to the sum of each frame."""
    text = _VERILOG.replace("/*CONFIG*/", _CONFIG)
    ports = "c_axis_tdata, c_axis_tvalid, c_axis_tready, c_axis_tlast"
    text = text.replace("/*PORTS*/", f",\n  {ports}")
    text = text.replace("  wire loaded = 1'b1;\n  wire [15:0] offset = 16'd0;\n", "")
    text = text.replace("frame_error <=", "s_error <=")
    text = text.replace("output reg frame_error;", "output frame_error; reg s_error;")
    # The offset arrives after reset.
    return text.replace("sum <= sum +", "sum <= (count == 0 ? offset : sum) +")


def broken(fault: str) -> str:
    """Verilog with one of :data:`FAULTS`."""
    text = _VERILOG
    for old, new in FAULTS[fault]:
        assert text.count(old) == 1, (fault, old, text.count(old))
        text = text.replace(old, new)
    return text


def vectors(frames: int = 16, *, seed: int = 0, offset: int | None = None) -> Vectors:
    """Random frames and the right answers; with an offset, for :func:`configured`."""
    inputs = np.random.default_rng(seed).integers(0, 256, (frames, 4)).astype(np.uint64)
    total = inputs.sum(axis=1) + np.uint64(offset or 0)
    parity = np.bitwise_xor.reduce(inputs, axis=1)
    return Vectors(
        inputs=inputs,
        expected=np.stack([total, parity], axis=1),
        clocks=np.full(frames, 6, dtype=np.int64),
        config=None if offset is None else np.array([offset], dtype=np.uint64),
    )
