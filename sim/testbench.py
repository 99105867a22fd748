"""A plain Verilog testbench of a design, for whoever has a simulator and nothing else."""

from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.models.frames import FrameFormat, GoldenRun

__all__ = ["write_testbench"]

# Clocks without any transfer, beyond those of the slowest frame, after which a run gives up.
PATIENCE = 1000


def write_testbench(folder: Path, spec: Any, frames: np.ndarray, run: GoldenRun) -> None:
    """Write ``tb.v`` and the vectors it reads: beats in hexadecimal, one a line.

    Parameters
    ----------
    folder : Path                           ``sim`` of the design folder; made if missing.
    spec : Spec of a family                 Gives the name of the top module and the formats.
    frames : int64 [frames, input words]    At least one frame.
    run : GoldenRun                         What the design must answer to the frames.

    The vectors are ``input.hex``, ``expected.hex``, ``clocks.hex`` and, for a design with a
    configuration stream, ``config.hex``. UserError for frames out of range.
    """
    if len(frames) < 1:
        raise ValueError(f"Frames must be at least 1, not {len(frames)!r}")
    for found in (len(run.outputs), len(run.clocks)):
        if found != len(frames):
            raise ValueError(f"Golden run must have {len(frames)} frames, not {found}")
    folder.mkdir(parents=True, exist_ok=True)
    _write_beats(folder / "input.hex", spec.input_format, frames)
    _write_beats(folder / "expected.hex", spec.output_format, run.outputs)
    _write_hex(folder / "clocks.hex", run.clocks, 32)
    values = {
        "NAME": spec.name,
        "FRAMES": len(frames),
        "IN_WORDS": spec.input_format.words,
        "IN_WIDTH": spec.input_format.data_width,
        "OUT_WORDS": spec.output_format.words,
        "OUT_WIDTH": spec.output_format.data_width,
        "PATIENCE": PATIENCE + int(np.max(run.clocks)),
    } | dict.fromkeys(("CONFIG_SIGNALS", "CONFIG_PORTS", "CONFIG_READY", "CONFIG_SEND"), "")
    if spec.config_format is not None:
        _write_beats(folder / "config.hex", spec.config_format, spec.config_words())
        values |= {
            "CONFIG_SIGNALS": CONFIG_SIGNALS,
            "CONFIG_PORTS": CONFIG_PORTS,
            "CONFIG_READY": ", c_axis_tready",
            "CONFIG_SEND": CONFIG_SEND,
            "CONFIG_WORDS": spec.config_format.words,
            "CONFIG_WIDTH": spec.config_format.data_width,
        }
    text = TESTBENCH
    for key, value in values.items():  # the texts for the configuration before what is in them
        text = text.replace(f"@{key}@", str(value))
    (folder / "tb.v").write_text(text, encoding="ascii")


def _write_beats(path: Path, layout: FrameFormat, frames: np.ndarray) -> None:
    _write_hex(path, layout.pack(frames), layout.data_width)


def _write_hex(path: Path, values: np.ndarray, width: int) -> None:
    lines = [f"{value:0{width // 4}x}\n" for value in values.ravel().tolist()]
    path.write_text("".join(lines), encoding="ascii")


# One process drives while the clock is low and looks one time unit before it rises, when
# everything has settled, so that nothing depends on the order of events at an edge.
TESTBENCH = """\
// Self-checking testbench of @NAME@. From the design folder:
//   iverilog -g2005 -o tb sim/tb.v rtl/@NAME@.v && vvp tb
// vvp tb +stall stalls both streams at random; without it the clocks of each frame are checked too.
// iverilog -P tb.DIR='"elsewhere"' reads the vectors from another folder.
// The last line is PASS or FAIL.
module tb;
  parameter DIR = "sim";
  parameter FRAMES = @FRAMES@;
  parameter PATIENCE = @PATIENCE@;  // clocks without a transfer
  parameter REST = 64;  // clocks after the last word
  localparam IN_WORDS = @IN_WORDS@;
  localparam OUT_WORDS = @OUT_WORDS@;

  reg clk, rst;
  reg [@IN_WIDTH@-1:0] s_axis_tdata;
  reg s_axis_tvalid, s_axis_tlast, m_axis_tready;
  wire [@OUT_WIDTH@-1:0] m_axis_tdata;
  wire s_axis_tready, m_axis_tvalid, m_axis_tlast, frame_error;
@CONFIG_SIGNALS@
  @NAME@ dut (
    .clk(clk), .rst(rst), .frame_error(frame_error),@CONFIG_PORTS@
    .s_axis_tdata(s_axis_tdata), .s_axis_tlast(s_axis_tlast),
    .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tlast(m_axis_tlast),
    .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );

  reg [@IN_WIDTH@-1:0] beats [0:FRAMES*IN_WORDS-1];
  reg [@OUT_WIDTH@-1:0] expected [0:FRAMES*OUT_WORDS-1];
  reg [31:0] clocks [0:FRAMES-1];  // of each frame
  reg [31:0] first [0:FRAMES-1];  // clock of the first input beat of each frame

  reg stalls;
  reg [31:0] lfsr, clock;  // clock: number of the clock since reset
  wire source_stall = stalls & (clock[7] ? lfsr[0] | lfsr[9] : lfsr[0] & lfsr[9]);
  wire sink_stall = stalls & (clock[7] ? lfsr[4] & lfsr[22] : lfsr[4] | lfsr[22] | lfsr[29]);

  integer quiet, sent, received, errors, shown;  // quiet: clocks since the last transfer
  reg [7:0] seen;  // rules broken before, so that each is counted and printed once
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
                 received / OUT_WORDS, received % OUT_WORDS, what, want, got);
    end
  endtask

  task receive;
    begin
      compare("tdata", expected[received], m_axis_tdata);
      compare("tlast", received % OUT_WORDS == OUT_WORDS - 1, m_axis_tlast);
      if (!stalls && received % OUT_WORDS == OUT_WORDS - 1)
        compare("clocks", clocks[received / OUT_WORDS], clock - first[received / OUT_WORDS] + 1);
      received = received + 1;
      quiet = 0;
    end
  endtask

  // One clock, from low to low; the inputs are driven before.
  task tick;
    begin
      #4 quiet = quiet + 1;
      if (^{s_axis_tready, m_axis_tvalid, frame_error@CONFIG_READY@} === 1'bx)
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
        if (sent % IN_WORDS == 0) first[sent / IN_WORDS] = clock;
        sent = sent + 1;
        quiet = 0;
      end
      if (m_axis_tvalid === 1'b1) begin
        if (received == FRAMES * OUT_WORDS) broken(5, "a word too many");
        else if (m_axis_tready) receive;
      end
      #1 clk = 1;
      #5 clk = 0;
      if (in_taken) s_axis_tvalid = 0;
      clock = clock + 1;
      lfsr = {lfsr[30:0], lfsr[31] ^ lfsr[21] ^ lfsr[1] ^ lfsr[0]};
    end
  endtask

  // The data is wrong on purpose while it is not valid.
  task drive;
    begin
      s_axis_tvalid = sent < FRAMES * IN_WORDS && (s_axis_tvalid || !source_stall);
      s_axis_tdata = s_axis_tvalid ? beats[sent] : ~s_axis_tdata;
      s_axis_tlast = s_axis_tvalid == (sent % IN_WORDS == IN_WORDS - 1);
      m_axis_tready = !sink_stall;
    end
  endtask

  initial begin
    $readmemh({DIR, "/input.hex"}, beats);
    $readmemh({DIR, "/expected.hex"}, expected);
    $readmemh({DIR, "/clocks.hex"}, clocks);
    if (^{beats[0], expected[0], clocks[0]} === 1'bx) begin
      $display("FAIL: no vectors in the folder %0s: run this in the design folder", DIR);
      $finish(0);
    end
    stalls = $test$plusargs("stall") != 0;
    lfsr = 32'h2545f491;
    {clock, quiet, sent, received, errors, shown, seen, waiting} = 0;
    {s_axis_tvalid, s_axis_tdata, s_axis_tlast, m_axis_tready} = 0;
    {clk, rst} = 1;
    repeat (4) begin
      #5 clk = 1;
      #5 clk = 0;
    end
    rst = 0;
@CONFIG_SEND@    while (received < FRAMES * OUT_WORDS && quiet <= PATIENCE) begin
      drive;
      tick;
    end
    if (received < FRAMES * OUT_WORDS) broken(6, "no transfer for too long");
    else if (sent < FRAMES * IN_WORDS) broken(7, "the last word came before the last input");
    repeat (REST) begin
      drive;
      tick;
    end
    if (errors == 0 && received > 0)
      $display("PASS: %0d frames, %0d words", received / OUT_WORDS, received);
    else
      $display("FAIL: %0d errors in %0d frames, %0d words", errors, received / OUT_WORDS, received);
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
