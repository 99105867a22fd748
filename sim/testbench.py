"""A plain Verilog testbench of a design, for whoever has a simulator and nothing else."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.models.frames import GoldenRun
from gatesmith.sim.vectors import Weights, beat_counts

__all__ = ["write_testbench"]

# Clocks without any transfer, beyond those of the slowest frame, after which a run gives up.
PATIENCE = 1000
LATE = 8  # times that many where late weights can slow a frame


def write_testbench(folder: Path, spec: Any, frames: np.ndarray, run: GoldenRun) -> None:
    """Write ``tb.v`` and the vectors it reads: beats in hexadecimal, one a line.

    Parameters
    ----------
    folder : Path                           ``sim`` of the design folder; made if missing.
    spec : Spec of a family                 Gives the name of the top module and the formats.
    frames : int64 [frames, input words]    At least one frame.
    run : GoldenRun                         What the design must answer to the frames.

    The vectors are ``input.hex``, ``expected.hex``, ``clocks.hex``; where lengths vary
    ``input_words.hex`` and ``expected_words.hex``; for a design with a configuration stream
    ``config.hex``; and for one with weights outside ``weights.hex`` and ``bursts.hex``. UserError
    for frames out of range.
    """
    if len(frames) < 1:
        raise ValueError(f"Frames must be at least 1, not {len(frames)!r}")
    for found in (len(run.outputs), len(run.clocks)):
        if found != len(frames):
            raise ValueError(f"Golden run must have {len(frames)} frames, not {found}")
    folder.mkdir(parents=True, exist_ok=True)
    beats_in = spec.input_format.pack(frames)
    beats_out = spec.output_format.pack(run.outputs)
    weights = Weights.of(spec)
    patience = PATIENCE + int(np.max(run.clocks)) * (1 if weights is None else LATE)
    values = {"NAME": spec.name, "FRAMES": len(frames), "PATIENCE": patience}
    values |= _frames(folder, "input", beats_in, spec.input_format.data_width)
    values |= _frames(folder, "expected", beats_out, spec.output_format.data_width)
    _write_hex(folder / "clocks.hex", run.clocks.tolist(), 32)
    values |= dict.fromkeys(("CONFIG_SIGNALS", "CONFIG_PORTS", "CONFIG_READY", "CONFIG_SEND"), "")
    values |= dict.fromkeys((*WEIGHT_TEXTS, "WEIGHT_READY"), "")
    if spec.config_format is not None:
        width = spec.config_format.data_width
        settings = spec.config_format.pack(spec.config_words()).ravel().tolist()
        _write_hex(folder / "config.hex", settings, width)
        values |= {
            "CONFIG_SIGNALS": CONFIG_SIGNALS,
            "CONFIG_PORTS": CONFIG_PORTS,
            "CONFIG_READY": ", c_axis_tready",
            "CONFIG_SEND": CONFIG_SEND,
            "CONFIG_WORDS": len(settings),
            "CONFIG_WIDTH": width,
        }
    if weights is not None:
        width = spec.weight_port.data_width
        words = [int.from_bytes(row.tobytes(), "little") for row in weights.words]
        _write_hex(folder / "weights.hex", words, width)
        _write_hex(folder / "bursts.hex", weights.bursts.tolist(), 32)
        values |= WEIGHT_TEXTS
        values |= {
            "WEIGHT_READY": ", r_axis_tvalid, w_axis_tready",
            "WEIGHT_COUNT": len(words),
            "WEIGHT_WIDTH": width,
            "REQUEST_WIDTH": spec.weight_port.request_width,
        }
    text = TESTBENCH
    for key, value in values.items():  # the texts before what is in them
        text = text.replace(f"@{key}@", str(value))
    (folder / "tb.v").write_text(text, encoding="ascii")


def _frames(folder: Path, name: str, beats: np.ndarray, width: int) -> dict[str, Any]:
    """Write the beats of frames, and how the testbench knows how many each has."""
    counts = beat_counts(beats)
    inside = np.arange(beats.shape[1]) < counts[:, None]
    _write_hex(folder / f"{name}.hex", beats[inside].tolist(), width)
    side = "IN" if name == "input" else "OUT"
    values: dict[str, Any] = {f"{side}_WIDTH": width}
    if (counts == counts[0]).all():
        words = f"{side}_WORDS"
        return values | {
            f"{side}_SIZE": f"localparam {words} = {counts[0]};",
            f"{side}_BEATS": f"FRAMES*{words}",
            f"{side}_COUNT": words,
            f"{side}_READ": "",
        }
    words, file = f"{side.lower()}_words", f"{name}_words.hex"
    _write_hex(folder / file, counts.tolist(), 32)
    return values | {
        f"{side}_SIZE": f"reg [31:0] {words} [0:FRAMES-1];  // of each frame",
        f"{side}_BEATS": counts.sum(),
        f"{side}_COUNT": f"{words}[{side.lower()}_frame]",
        f"{side}_READ": f'    $readmemh({{DIR, "/{file}"}}, {words});\n',
    }


def _write_hex(path: Path, values: Iterable[int], width: int) -> None:
    lines = [f"{value:0{width // 4}x}\n" for value in values]
    path.write_text("".join(lines), encoding="ascii")


# One process drives while the clock is low and looks one time unit before it rises, when
# everything has settled, so that nothing depends on the order of events at an edge.
TESTBENCH = """\
// Self-checking testbench of @NAME@. From the design folder:
//   iverilog -g2005 -o tb sim/tb.v rtl/@NAME@.v && vvp tb
// vvp tb +stall stalls all streams at random; without it the clocks of each frame are checked too.
// iverilog -P tb.DIR='"elsewhere"' reads the vectors from another folder.
// The last line is PASS or FAIL.
module tb;
  parameter DIR = "sim";
  parameter FRAMES = @FRAMES@;
  parameter PATIENCE = @PATIENCE@;  // clocks without a transfer
  parameter REST = 64;  // clocks after the last word
  @IN_SIZE@
  @OUT_SIZE@

  reg clk, rst;
  reg [@IN_WIDTH@-1:0] s_axis_tdata;
  reg s_axis_tvalid, s_axis_tlast, m_axis_tready;
  wire [@OUT_WIDTH@-1:0] m_axis_tdata;
  wire s_axis_tready, m_axis_tvalid, m_axis_tlast, frame_error;
@CONFIG_SIGNALS@@WEIGHT_SIGNALS@
  @NAME@ dut (
    .clk(clk), .rst(rst), .frame_error(frame_error),@CONFIG_PORTS@@WEIGHT_PORTS@
    .s_axis_tdata(s_axis_tdata), .s_axis_tlast(s_axis_tlast),
    .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tlast(m_axis_tlast),
    .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );

  reg [@IN_WIDTH@-1:0] beats [0:@IN_BEATS@-1];
  reg [@OUT_WIDTH@-1:0] expected [0:@OUT_BEATS@-1];
  reg [31:0] clocks [0:FRAMES-1];  // of each frame
  reg [31:0] first [0:FRAMES-1];  // clock of the first input beat of each frame

  reg stalls;
  reg [31:0] lfsr, clock;  // clock: number of the clock since reset
  wire source_stall = stalls & (clock[7] ? lfsr[0] | lfsr[9] : lfsr[0] & lfsr[9]);
  wire sink_stall = stalls & (clock[7] ? lfsr[4] & lfsr[22] : lfsr[4] | lfsr[22] | lfsr[29]);

  integer quiet, sent, received, errors, shown;  // quiet: clocks since the last transfer
  integer in_frame, in_word, out_frame, out_word;  // place of the next word
  reg [9:0] seen;  // rules broken before, so that each is counted and printed once
  reg in_taken, waiting;  // waiting: a word was offered in the last clock, and not taken
  reg [@OUT_WIDTH@:0] held;  // its tlast and tdata

  task broken(input integer rule, input [8*48-1:0] text);
    if (!seen[rule]) begin
      seen[rule] = 1;
      errors = errors + 1;
      $display("clock %0d: %0s", clock, text);
    end
  endtask

  task compare(input [8*8-1:0] what, input [63:0] want, input [63:0] got);
    if (got !== want) begin
      errors = errors + 1;
      shown = shown + 1;
      if (shown <= 10)
        $display("frame %0d, word %0d: expected %0s %0h, got %0h (hexadecimal)",
                 out_frame, out_word, what, want, got);
    end
  endtask

  task receive;
    begin
      compare("tdata", expected[received], m_axis_tdata);
      compare("tlast", out_word == @OUT_COUNT@ - 1, m_axis_tlast);
      if (!stalls && out_word == @OUT_COUNT@ - 1)
        compare("clocks", clocks[out_frame], clock - first[out_frame] + 1);
      received = received + 1;
      out_word = out_word + 1;
      if (out_word == @OUT_COUNT@) begin
        out_word = 0;
        out_frame = out_frame + 1;
      end
      quiet = 0;
    end
  endtask

  // One clock, from low to low; the inputs are driven before.
  task tick;
    begin
      #4 quiet = quiet + 1;
      if (^{s_axis_tready, m_axis_tvalid, frame_error@CONFIG_READY@@WEIGHT_READY@} === 1'bx)
        broken(0, "X on an output");
      if (m_axis_tvalid === 1'b1 && ^{m_axis_tdata, m_axis_tlast} === 1'bx)
        broken(1, "X on m_axis_tdata or m_axis_tlast");
      if (frame_error === 1'b1) broken(2, "frame_error rose");
      if (waiting && m_axis_tvalid !== 1'b1) broken(3, "m_axis_tvalid fell before tready");
      if (waiting && {m_axis_tlast, m_axis_tdata} !== held)
        broken(4, "m_axis_tdata or tlast changed before tready");
      waiting = m_axis_tvalid === 1'b1 && !m_axis_tready;
      held = {m_axis_tlast, m_axis_tdata};
      in_taken = s_axis_tvalid && s_axis_tready === 1'b1;
      if (in_taken) begin
        if (in_word == 0) first[in_frame] = clock;
        sent = sent + 1;
        in_word = in_word + 1;
        if (in_word == @IN_COUNT@) begin
          in_word = 0;
          in_frame = in_frame + 1;
        end
        quiet = 0;
      end
      if (m_axis_tvalid === 1'b1) begin
        if (out_frame == FRAMES) broken(5, "a word too many");
        else if (m_axis_tready) receive;
      end
@WEIGHT_MOVE@      #1 clk = 1;
      #5 clk = 0;
      if (in_taken) s_axis_tvalid = 0;
@WEIGHT_CLOCK@      clock = clock + 1;
      lfsr = {lfsr[30:0], lfsr[31] ^ lfsr[21] ^ lfsr[1] ^ lfsr[0]};
    end
  endtask

  // The data is wrong on purpose while it is not valid.
  task drive;
    begin
      s_axis_tvalid = in_frame < FRAMES && (s_axis_tvalid || !source_stall);
      s_axis_tdata = s_axis_tvalid ? beats[sent] : ~s_axis_tdata;
      s_axis_tlast = s_axis_tvalid == (in_word + 1 === @IN_COUNT@);
      m_axis_tready = !sink_stall;
@WEIGHT_OFFER@    end
  endtask

  initial begin
    $readmemh({DIR, "/input.hex"}, beats);
    $readmemh({DIR, "/expected.hex"}, expected);
    $readmemh({DIR, "/clocks.hex"}, clocks);
@IN_READ@@OUT_READ@    if (^{beats[0], expected[0], clocks[0]} === 1'bx) begin
      $display("FAIL: no vectors in the folder %0s: run this in the design folder", DIR);
      $finish(0);
    end
    stalls = $test$plusargs("stall") != 0;
    lfsr = 32'h2545f491;
    {clock, quiet, sent, received, errors, shown, seen, waiting} = 0;
    {in_frame, in_word, out_frame, out_word} = 0;
    {s_axis_tvalid, s_axis_tdata, s_axis_tlast, m_axis_tready} = 0;
@WEIGHT_BEGIN@    {clk, rst} = 1;
    repeat (4) begin
      #5 clk = 1;
      #5 clk = 0;
    end
    rst = 0;
@CONFIG_SEND@    while (out_frame < FRAMES && quiet <= PATIENCE) begin
      drive;
      tick;
    end
    if (out_frame < FRAMES) broken(6, "no transfer for too long");
    else if (in_frame < FRAMES) broken(7, "the last word came before the last input");
    repeat (REST) begin
      drive;
      tick;
    end
    if (errors == 0 && received > 0)
      $display("PASS: %0d frames, %0d words", out_frame, received);
    else
      $display("FAIL: %0d errors in %0d frames, %0d words", errors, out_frame, received);
    $finish(0);
  end
endmodule
"""

CONFIG_SIGNALS = """\
  reg [@CONFIG_WIDTH@-1:0] c_axis_tdata;
  reg c_axis_tvalid, c_axis_tlast, c_taken;
  wire c_axis_tready;
  reg [@CONFIG_WIDTH@-1:0] settings [0:@CONFIG_WORDS@-1];
  integer loaded;  // configuration words
"""

CONFIG_PORTS = """
    .c_axis_tdata(c_axis_tdata), .c_axis_tlast(c_axis_tlast),
    .c_axis_tvalid(c_axis_tvalid), .c_axis_tready(c_axis_tready),"""

# A transfer is known a little before tick looks: nothing moves between the two.
CONFIG_SEND = """\
    $readmemh({DIR, "/config.hex"}, settings);
    {loaded, c_axis_tvalid} = 0;
    while (loaded < @CONFIG_WORDS@ && quiet <= PATIENCE) begin
      c_axis_tvalid = c_axis_tvalid || !source_stall;
      c_axis_tdata = c_axis_tvalid ? settings[loaded] : ~settings[loaded];
      c_axis_tlast = c_axis_tvalid == (loaded == @CONFIG_WORDS@ - 1);
      #1 c_taken = c_axis_tvalid && c_axis_tready === 1'b1;
      tick;
      if (c_taken) begin
        c_axis_tvalid = 0;
        loaded = loaded + 1;
        quiet = 0;
      end
    end
"""

# What a testbench has when weights lie outside. A request is taken when at most one word of the
# burst before is left. The first word of a burst is offered in the clock after its request, or
# after the last word of the burst before.
WEIGHT_TEXTS = {
    "WEIGHT_SIGNALS": """\
  wire [@REQUEST_WIDTH@-1:0] r_axis_tdata;
  wire r_axis_tvalid, w_axis_tready;
  reg [@WEIGHT_WIDTH@-1:0] w_axis_tdata;
  reg w_axis_tvalid, w_axis_tlast, r_axis_tready;
  reg [@WEIGHT_WIDTH@-1:0] weights [0:@WEIGHT_COUNT@-1];
  reg [31:0] bursts [0:@WEIGHT_COUNT@-1];  // words of the burst that begins there, or 0
  reg [31:0] left, next;  // words of the burst still to come, and address of the next
  reg w_taken;
  reg [31:0] wanted;  // request that waits for the last word of the burst before
  reg pending;  // there is one
  reg asking;  // a request was there in the last clock, and not taken
  reg [@REQUEST_WIDTH@-1:0] asked;
  wire weight_stall = stalls & (clock[7] ? lfsr[2] & lfsr[13] : lfsr[2] | lfsr[13]);
  wire request_stall = stalls & lfsr[17];
""",
    "WEIGHT_PORTS": """
    .r_axis_tdata(r_axis_tdata), .r_axis_tvalid(r_axis_tvalid), .r_axis_tready(r_axis_tready),
    .w_axis_tdata(w_axis_tdata), .w_axis_tlast(w_axis_tlast),
    .w_axis_tvalid(w_axis_tvalid), .w_axis_tready(w_axis_tready),""",
    "WEIGHT_MOVE": """\
      if (asking && (r_axis_tvalid !== 1'b1 || r_axis_tdata !== asked))
        broken(8, "r_axis_tvalid or tdata changed before tready");
      asking = r_axis_tvalid === 1'b1 && !r_axis_tready;
      asked = r_axis_tdata;
      w_taken = w_axis_tvalid && w_axis_tready === 1'b1;
      if (w_taken) begin
        next = next + 1;
        left = left - 1;
      end
      if (r_axis_tvalid === 1'b1 && r_axis_tready) begin
        pending = 1;
        wanted = r_axis_tdata;
      end
      if (pending && left == 0) begin
        pending = 0;
        next = wanted;
        left = next < @WEIGHT_COUNT@ ? bursts[next] : 0;
        if ((left > 0) !== 1'b1) broken(9, "no burst of weights begins there");
      end
""",
    "WEIGHT_CLOCK": """\
      if (w_taken) w_axis_tvalid = 0;
""",
    "WEIGHT_OFFER": """\
      w_axis_tvalid = left > 0 && (w_axis_tvalid || !weight_stall);
      w_axis_tdata = w_axis_tvalid ? weights[next] : ~w_axis_tdata;
      w_axis_tlast = w_axis_tvalid == (left == 1);
      r_axis_tready = left <= 1 && !pending && !request_stall;
""",
    "WEIGHT_BEGIN": """\
    $readmemh({DIR, "/weights.hex"}, weights);
    $readmemh({DIR, "/bursts.hex"}, bursts);
    {left, next, w_taken, pending, asking} = 0;
    {w_axis_tvalid, w_axis_tdata, w_axis_tlast, r_axis_tready} = 0;
""",
}
