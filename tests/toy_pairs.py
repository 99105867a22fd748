"""A hand-written design with frames of any length, and one that asks for weights; faults for both.

Frame in: a head, then one to four pairs of a digit and a factor; a digit above 9 makes it void.
Frame out: a word a pair, ``head + digit * factor``, then the number of pairs. With weights outside,
a pair asks for a burst, of which ``digit % 3`` decides address and length, and its word is
``head + factor`` and the sum of ``low ^ high 16 bits`` of the burst's words of 40 bits.

Nothing overlaps. A frame takes a clock for each word in and out; with weights also a clock for
each of them, and one for the first request: the others are answered without a gap.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from gatesmith.flows.verify import make_vectors
from gatesmith.models.frames import PAD, Field, FrameFormat, GoldenRun
from gatesmith.models.weights import WeightPort
from gatesmith.sim.vectors import Vectors

__all__ = ["ENTRY", "FAULTS", "OUTSIDE_FAULTS", "PairsSpec", "broken", "vectors"]

BURSTS = {0: 3, 3: 1, 4: 2}  # address: words
WORDS = [0x12_3400_ABCD, 0xFF_FF00_0001, 0x00_0000_8000, 0xA5_5A00_FFFE, 0x01_0200_0304, 3 << 38]


@dataclass(frozen=True, kw_only=True)
class PairsSpec:
    """Whether the weights lie outside, and what is added to each word."""

    outside: bool = False
    offset: int = 0
    name: str = "toy_pairs"
    config_format: ClassVar[None] = None
    family: ClassVar[str] = "pairs"

    @property
    def input_format(self) -> FrameFormat:
        return FrameFormat(
            fields=(Field(name="head", count=1, width=8, signed=False),),
            repeated=(
                Field(name="digit", count=1, width=4, signed=False, most=9),
                Field(name="factor", count=1, width=8, signed=False),
            ),
            repeats=4,
        )

    @property
    def output_format(self) -> FrameFormat:
        return FrameFormat(
            fields=(),
            repeated=(Field(name="result", count=1, width=16, signed=False),),
            repeats=4,
            tail=(Field(name="pairs", count=1, width=3, signed=False),),
        )

    @property
    def weight_port(self) -> WeightPort | None:
        return WeightPort(width=40, depth=len(WORDS)) if self.outside else None

    def weight_words(self) -> list[int]:
        return WORDS

    def weight_bursts(self) -> dict[int, int]:
        return BURSTS

    def config_words(self) -> None:
        return None

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> "PairsSpec":
        return cls(**json.loads(path.read_text()))


def golden(spec: PairsSpec, frames: np.ndarray) -> GoldenRun:
    """What the design must answer."""
    outputs, clocks = np.full((len(frames), 5), PAD), []
    sums = [sum(w & 0xFFFF ^ w >> 24 for w in WORDS[a : a + n]) for a, n in BURSTS.items()]
    for answer, frame in zip(outputs, spec.input_format.check(frames), strict=True):
        head, *pairs = frame[frame != PAD].tolist()
        digits, factors = pairs[::2], pairs[1::2]
        clocks.append(1 + len(pairs) + len(digits) + 1)
        for place, (digit, factor) in enumerate(zip(digits, factors, strict=True)):
            word = factor + sums[digit % 3] if spec.outside else digit * factor
            answer[place] = (head + word + spec.offset) & 0xFFFF
        answer[len(digits)] = len(digits)
        if spec.outside:
            clocks[-1] += 1 + sum([*BURSTS.values()][digit % 3] for digit in digits)
    return GoldenRun(outputs=outputs, clocks=np.array(clocks, dtype=np.int64))


def verilog(spec: PairsSpec) -> str:
    """The design as it should be."""
    text = _VERILOG
    for mark, inside, outside in (
        ("PORTS", "", _PORTS),
        ("ASK", "  wire have = 1'b1;\n", _ASK),
        ("MOVE", "", _MOVE),
        ("WORD", "digits[place[1:0]] * factors[place[1:0]]", "factors[place[1:0]] + sum"),
        ("GIVE", "", "\n        have <= 1'b0;\n        sum <= 16'd0;"),
        ("RESET", "", "\n      {have, asked, got, sum} <= 22'd0;"),
        ("DONE", "", "\n          asked <= 3'd0;"),
    ):
        text = text.replace(f"/*{mark}*/", outside if spec.outside else inside)
    return text.replace("/*OFFSET*/", f"16'd{spec.offset}")


ENTRY: Any = SimpleNamespace(
    name="pairs",
    spec=PairsSpec,
    verilog=verilog,
    models=SimpleNamespace(
        golden=golden,
        timing=lambda spec: SimpleNamespace(latency=15, interval=15.0),
        faults=lambda spec: {"offset": replace(spec, offset=1)},
    ),
)


def vectors(frames: int = 16, *, seed: int = 0, outside: bool = False) -> Vectors:
    """Random frames and the right answers."""
    spec = PairsSpec(outside=outside)
    return make_vectors(ENTRY, spec, spec.input_format.random(np.random.default_rng(seed), frames))


def broken(fault: str) -> tuple[str, bool]:
    """Verilog with one of :data:`FAULTS`, or of OUTSIDE_FAULTS; whether weights lie outside."""
    outside = fault in OUTSIDE_FAULTS
    text = verilog(PairsSpec(outside=outside))
    for old, new in (OUTSIDE_FAULTS if outside else FAULTS)[fault]:
        assert text.count(old) == 1, (fault, old, text.count(old))
        text = text.replace(old, new)
    return text, outside


_VERILOG = """\
module toy_pairs(
  clk, rst, s_axis_tdata, s_axis_tvalid, s_axis_tready, s_axis_tlast,
  m_axis_tdata, m_axis_tvalid, m_axis_tready, m_axis_tlast, frame_error/*PORTS*/
);
  input clk, rst;
  input [7:0] s_axis_tdata;
  input s_axis_tvalid, s_axis_tlast, m_axis_tready;
  output s_axis_tready, m_axis_tvalid, m_axis_tlast;
  output [15:0] m_axis_tdata;
  output reg frame_error;
  reg [7:0] head;
  reg [3:0] digits [0:3];
  reg [7:0] factors [0:3];
  reg [2:0] pairs, place;  // words in, words out
  reg started, second, swallowing, answering;
  reg toggle;  // for faults
/*ASK*/
  wire done = place == pairs;
  wire ends = started & second;
  wire full = pairs == 3'd3;
  wire legal = ends ? s_axis_tlast | ~full : ~s_axis_tlast;
  wire above = started & ~second & s_axis_tdata > 8'd9;
  assign s_axis_tready = ~answering & ~rst;
  assign m_axis_tvalid = answering & (done | have);
  assign m_axis_tlast = done;
  wire [15:0] result = head + (/*WORD*/) + /*OFFSET*/;  // offset
  assign m_axis_tdata = ~m_axis_tvalid ? 16'd0 : done ? {13'd0, pairs} : result;
  wire take = s_axis_tvalid & s_axis_tready;
  wire give = m_axis_tvalid & m_axis_tready;
  always @(posedge clk) begin
    toggle <= ~toggle;
    if (take) begin
      if (swallowing) swallowing <= ~s_axis_tlast;
      else if (~legal | above) begin
        started <= 1'b0;
        second <= 1'b0;
        frame_error <= 1'b1;
        swallowing <= ~s_axis_tlast;
      end else if (~started) begin
        head <= s_axis_tdata;
        pairs <= 3'd0;
        started <= 1'b1;
      end else if (~second) begin
        digits[pairs[1:0]] <= s_axis_tdata[3:0];
        second <= 1'b1;
      end else begin
        factors[pairs[1:0]] <= s_axis_tdata;
        pairs <= pairs + 3'd1;
        second <= 1'b0;
        if (s_axis_tlast) begin
          started <= 1'b0;
          answering <= 1'b1;
        end
      end
    end
/*MOVE*/
    if (give) begin
      place <= place + 3'd1;/*GIVE*/
      if (done) begin
        place <= 3'd0;
        answering <= 1'b0;/*DONE*/
      end
    end
    if (rst) begin
      {started, second, swallowing, answering, frame_error, toggle} <= 6'd0;
      {place, pairs} <= 6'd0;/*RESET*/
    end
  end
endmodule
"""

_PORTS = """,
  r_axis_tdata, r_axis_tvalid, r_axis_tready,
  w_axis_tdata, w_axis_tvalid, w_axis_tready, w_axis_tlast"""

_ASK = """\
  output [7:0] r_axis_tdata;
  output r_axis_tvalid, w_axis_tready;
  input [39:0] w_axis_tdata;
  input w_axis_tvalid, w_axis_tlast, r_axis_tready;
  reg [2:0] asked;  // pairs whose weights are asked for
  reg [1:0] got;  // words of a burst
  reg have;  // all of them
  reg [15:0] sum;
  wire [3:0] kind = digits[asked[1:0]] % 4'd3;
  wire [3:0] here = digits[place[1:0]] % 4'd3;
  assign r_axis_tvalid = answering & asked != pairs;
  assign r_axis_tdata = ~r_axis_tvalid ? 8'd0 : kind == 0 ? 8'd0 : kind == 1 ? 8'd3 : 8'd4;
  assign w_axis_tready = answering & ~have & ~(place == pairs);
  wire fetch = w_axis_tvalid & w_axis_tready;
  wire [1:0] most = here == 0 ? 2'd2 : here == 1 ? 2'd0 : 2'd1;
"""

_MOVE = """\
    if (r_axis_tvalid & r_axis_tready) asked <= asked + 3'd1;
    if (fetch) begin
      sum <= sum + (w_axis_tdata[15:0] ^ w_axis_tdata[39:24]);
      got <= got == most ? 2'd0 : got + 2'd1;
      have <= got == most;
    end"""

# Name to the edits that plant the fault: what stands there, what replaces it.
FAULTS: dict[str, list[tuple[str, str]]] = {
    "a word out of range accepted": [("if (~legal | above)", "if (~legal)")],
    "most one too high": [("> 8'd9", "> 8'd10")],
    "most one too low": [("> 8'd9", "> 8'd8")],
    "most of another word": [("above = started & ~second", "above = started & second")],
    "words of no limit limited": [("above = started & ~second", "above = ~second")],
    "a head alone accepted": [
        ("ends ? s_axis_tlast | ~full : ~", "ends ? s_axis_tlast | ~full : ~started | ~"),
        ("started <= 1'b1;", "started <= ~s_axis_tlast; answering <= s_axis_tlast;"),
    ],
    "half a pair accepted": [
        ("ends ? s_axis_tlast | ~full : ~", "ends ? s_axis_tlast | ~full : started | ~"),
        ("second <= 1'b1;", "second <= ~s_axis_tlast; answering <= s_axis_tlast;"),
    ],
    "a pair too many accepted": [("s_axis_tlast | ~full", "1'b1")],
    "most pairs refused": [("full = pairs == 3'd3", "full = pairs == 3'd2")],
    "a single pair refused": [
        ("if (~legal | above)", "if (~legal | above | (ends & s_axis_tlast & pairs == 0))"),
    ],
    "rest of a void frame not swallowed": [
        ("frame_error <= 1'b1;\n        swallowing <= ~s_axis_tlast;", "frame_error <= 1'b1;"),
    ],
    "rest of a frame out of range not swallowed": [
        ("frame_error <= 1'b1;\n        swallowing <= ~s_axis_tlast;",
         "frame_error <= 1'b1;\n        swallowing <= ~s_axis_tlast & ~above;"),
    ],
    "a void frame not forgotten": [("started <= 1'b0;\n        second <= 1'b0;\n", "")],
    "no frame_error on words out of range": [
        ("frame_error <= 1'b1;", "frame_error <= frame_error | ~above;"),
    ],
    "no frame_error on too many pairs": [
        ("frame_error <= 1'b1;", "frame_error <= frame_error | ~ends;"),
    ],
    "frame_error at the end of a void frame": [
        ("frame_error <= 1'b1;", "frame_error <= frame_error | s_axis_tlast;"),
        ("swallowing <= ~s_axis_tlast;\n      else",
         "begin swallowing <= ~s_axis_tlast; if (s_axis_tlast) frame_error <= 1; end\n      else"),
    ],
    "number of pairs always the most": [("{13'd0, pairs}", "16'd4")],
    "answers always the longest": [("done = place == pairs", "done = place == 3'd4")],
    "tlast on the last pair": [("m_axis_tlast = done", "m_axis_tlast = place + 1 == pairs")],
    "pairs of the frame before": [("pairs <= 3'd0;\n        started", "started")],
}  # fmt: skip

OUTSIDE_FAULTS: dict[str, list[tuple[str, str]]] = {
    "another burst": [("kind == 1 ? 8'd3 : 8'd4", "kind == 1 ? 8'd3 : 8'd3")],
    "an address at which no burst begins": [("kind == 1 ? 8'd3 : 8'd4", "kind == 1 ? 8'd3 : 8'd5")],
    "an address outside of the memory": [("kind == 1 ? 8'd3 : 8'd4", "kind == 1 ? 8'd3 : 8'd6")],
    "request withdrawn": [
        ("r_axis_tvalid = answering", "r_axis_tvalid = (r_axis_tready | toggle) & answering"),
    ],
    "address changes while it waits": [
        ("r_axis_tdata = ~r_axis_tvalid ?", "r_axis_tdata = ~r_axis_tready ?"),
    ],
    "r_axis_tready ignored": [("r_axis_tvalid & r_axis_tready", "r_axis_tvalid")],
    "w_axis_tready ignored": [("fetch = w_axis_tvalid & w_axis_tready", "fetch = w_axis_tvalid")],
    "w_axis_tvalid ignored": [("fetch = w_axis_tvalid &", "fetch =")],
    "weights never asked for": [("r_axis_tvalid = answering", "r_axis_tvalid = 1'b0 & answering")],
    "weights never taken": [("w_axis_tready = answering", "w_axis_tready = 1'b0 & answering")],
    "high bits ignored": [(" ^ w_axis_tdata[39:24]", "")],
    "a word too few": [("here == 0 ? 2'd2", "here == 0 ? 2'd1")],
    "asks when nothing is under way": [
        ("asked != pairs;", "asked != pairs & asked == place & got == 0 & ~have;"),
    ],
    "half a burst outlives reset": [
        ("{have, asked, got, sum} <= 22'd0",
         "if (^sum === 1'bx) {have, asked, got, sum} <= 22'd0; else {have, asked, sum} <= 0"),
    ],
    "requests outlive reset": [
        ("{have, asked, got, sum} <= 22'd0",
         "if (^sum === 1'bx) {have, asked, got, sum} <= 22'd0; else {have, got, sum} <= 0"),
    ],
    "address unknown between requests": [("? 8'd0 : kind == 0", "? 8'bx : kind == 0")],
    "ready for weights unknown": [
        ("w_axis_tready = answering", "w_axis_tready = ~answering ? 1'bx : answering"),
    ],
}  # fmt: skip
