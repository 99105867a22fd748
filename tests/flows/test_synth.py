"""Area: known gates have known areas, every cell is counted once, bad libraries are refused."""

import gzip
import json
import os
import shutil
from importlib import import_module

import numpy as np
import pytest
from designs import random_layer, random_spec
from rich.console import Console
from tiny_cells import tiny_text

from gatesmith.families import FAMILIES
from gatesmith.flows import write_design
from gatesmith.flows.silicon.liberty import GENERIC_LIBRARY, read_library
from gatesmith.flows.silicon.netlist import read_netlist
from gatesmith.flows.synth import mapping_of, synth
from gatesmith.models.errors import UserError
from gatesmith.models.sparse_mlp import SparseMLPSpec
from gatesmith.sim.yosys import yosys

TINY = """
module tiny(input clk, a, b, output reg q);
  always @(posedge clk) q <= !(a & b);
endmodule
"""

# One enable of a register of 100 bits, and a memory of flip-flops, whose words have their own.
ENABLED = """
module words_flipflop(input clk, we, input [1:0] a, input [2:0] d, output [2:0] y);
  reg [2:0] words [3:0];
  always @(posedge clk) if (we) words[a] <= d;
  assign y = words[a];
endmodule
module enabled(input clk, e, we, input [1:0] a, input [99:0] d, output reg [99:0] q,
               output [2:0] y);
  always @(posedge clk) if (e) q <= d;
  words_flipflop words(.clk(clk), .we(we), .a(a), .d(d[2:0]), .y(y));
endmodule
"""
ENABLE_CELL = """
  cell (DFFE) {
    area : 11;
    ff (IQ, IQN) { next_state : "(D & E) | (IQ & !E)"; clocked_on : "CK"; }
    pin (D) { direction : input; capacitance : 1; }
    pin (E) { direction : input; capacitance : 1; }
    pin (CK) { direction : input; clock : true; capacitance : 6; }
    pin (Q) { direction : output; function : "IQ"; }
  }
}
"""

# A NAND twice, a ROM, a flip-flop memory and an SRAM, each a module of its own.
TREE = """
module leaf(input a, b, output y); assign y = !(a & b); endmodule
module table_rom(input [2:0] a, output [1:0] y);
  reg [1:0] words [7:0];
  initial begin
    words[0] = 1; words[1] = 0; words[2] = 3; words[3] = 2;
    words[4] = 2; words[5] = 3; words[6] = 0; words[7] = 1;
  end
  assign y = words[a];
endmodule
module ram_flipflop(input clk, we, input [1:0] a, input [2:0] d, output [2:0] y);
  reg [2:0] words [3:0];
  always @(posedge clk) if (we) words[a] <= d;
  assign y = words[a];
endmodule
module ram_sram(input clk, we, input [4:0] a, input [7:0] d, output [7:0] y);
  reg [7:0] words [31:0];
  always @(posedge clk) if (we) words[a] <= d;
  assign y = words[a];
endmodule
module layer(input clk, we, input [4:0] a, input [7:0] d, output [7:0] y, output [1:0] z,
             output [2:0] f, output n);
  leaf one(.a(a[0]), .b(d[0]), .y(n));
  table_rom weight_rom(.a(a[2:0]), .y(z));
  ram_flipflop bias_flipflop(.clk(clk), .we(we), .a(a[1:0]), .d(d[2:0]), .y(f));
  ram_sram frames_sram(.clk(clk), .we(we), .a(a), .d(d), .y(y));
endmodule
module tree(input clk, we, input [4:0] a, input [7:0] d, output [7:0] y, output [1:0] z,
            output [2:0] f, output n, m);
  layer layer0(.clk(clk), .we(we), .a(a), .d(d), .y(y), .z(z), .f(f), .n(n));
  leaf two(.a(we), .b(a[4]), .y(m));
endmodule
"""


@pytest.fixture(autouse=True)
def fresh_cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("GATESMITH_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def design(tmp_path):
    """Write a design folder as lower does, as far as synth reads it."""

    def write(verilog, name):
        folder = tmp_path / name
        (folder / "rtl").mkdir(parents=True)
        (folder / "rtl" / f"{name}.v").write_text(verilog)
        design = {"format": "gatesmith-design", "version": 1, "name": name}
        design |= {"family": "", "streams": {}, "memories": [], "verilog_sha256": ""}
        (folder / "design.json").write_text(json.dumps(design))
        return folder

    return write


def quiet(**options):
    return Console(file=open(os.devnull, "w"), **options)


def libraries(tmp_path):
    """Broken libraries, each with what its refusal must say."""
    generic = GENERIC_LIBRARY.read_text()
    no_flop = generic[: generic.index("  cell (DFF)")] + "}\n"
    no_nand = generic.replace("!(A & B)", "!(A | B)")
    return {
        "missing.lib": (None, "cannot be read: No such file"),
        "empty.lib": (b"", "must be a Liberty file"),
        "text.lib": (b"module tiny(); endmodule\n", "must be a Liberty file"),
        "binary.lib": (bytes(range(256)), "cannot be unpacked"),
        "cut.lib": (generic[:3000].encode(), "must be a whole file"),
        "packed.lib": (gzip.compress(generic.encode()), "its name must end in .gz"),
        "cut.lib.gz": (gzip.compress(generic.encode())[:500], "cannot be unpacked"),
        "no_flop.lib": (no_flop.encode(), "must have a flip-flop"),
        "no_nand.lib": (no_nand.encode(), "must have a two-input NAND"),
    }


@pytest.mark.parametrize("name", list(libraries(None)))
def test_rejects_library(name, design, tmp_path):
    content, reason = libraries(tmp_path)[name]
    folder = design(TINY, "tiny")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        synth(folder, liberty=tmp_path / name, console=quiet())
    message = str(caught.value)
    assert message.startswith(f"Liberty library {tmp_path / name} ") and reason in message
    assert "\n" not in message and not (folder / "reports").exists()


def test_rejects_folder(tmp_path):
    with pytest.raises(UserError, match="not a design folder"):
        synth(tmp_path)


def test_rejects_cell_that_the_library_lacks(design):
    latch = "module held(input e, d, output reg q); always @* if (e) q = d; endmodule"
    folder = design(latch, "held")
    with pytest.raises(UserError, match=r"^Yosys failed: .*_DLATCH_P_.* latches are not supp"):
        synth(folder, console=quiet())
    assert not (folder / "reports" / "area.json").exists()


def test_verilog_error_is_one_line_and_keeps_the_log(design):
    folder = design("module tiny(input a; endmodule", "tiny")
    with pytest.raises(UserError, match=r"^Yosys failed: .*ERROR.*area\.log\)$"):
        synth(folder, console=quiet())
    assert [path.name for path in (folder / "reports").iterdir()] == ["area.log"]


def test_known_area(design):
    """A NAND2 is 1 GE and a flip-flop 24 transistors, 6 GE."""
    folder = design(TINY, "tiny")
    report = synth(folder, console=quiet())
    assert report.mapped_cells == {"DFF": 1, "NAND2": 1}
    assert report.generic_cells == {"$_DFF_P_": 1, "$_NAND_": 1}
    assert report.total.area == 7.0 and report.total.flip_flop_area == 6.0
    assert report.total.transistors == 4 and report.total.flip_flops == 1
    written = json.loads((folder / "reports" / "area.json").read_text())
    assert written["total"]["gate_equivalents"] == 7.0 and written["total"]["area_um2"] is None
    assert written["library"]["name"] == "gatesmith_generic" and written["yosys"]
    found = sorted(path.name for path in (folder / "reports").iterdir())
    assert found == ["area.json", "area.ys", "netlist.v", "timing.json"]


@pytest.mark.parametrize("packed", [False, True])
def test_foreign_library_gives_um2(packed, design, tmp_path):
    """Areas of a library twice as large: the same gate equivalents, twice the area."""
    text = GENERIC_LIBRARY.read_text()
    lines = []
    for line in text.splitlines():
        key, _, value = line.partition(" : ")
        double = key.strip() == "area"
        lines.append(f"{key} : {2 * float(value.rstrip(';'))};" if double else line)
    content = "\n".join(lines).encode()
    path = tmp_path / ("my cells.lib.gz" if packed else "my cells.lib")
    path.write_bytes(gzip.compress(content) if packed else content)
    report = synth(design(TINY, "tiny"), liberty=path, console=quiet())
    assert (report.unit, report.nand2_area, report.total.area) == ("um2", 2.0, 14.0)
    assert report.gate_equivalents(report.total.area) == 7.0


def test_hierarchy_and_memories(design):
    folder = design(TREE, "tree")
    report = synth(folder, console=quiet())
    own = {part.instance: part.own.area for part in report.modules}
    assert own == {"": 0.0, "layer0": 0.0, "layer0.one": 1.0, "two": 1.0}
    memories = {memory.name: memory for memory in report.memories}
    assert {name: (m.kind, m.bits) for name, m in memories.items()} == {
        "weight_rom": ("rom", 16),
        "bias_flipflop": ("flipflop", 12),
        "frames_sram": ("sram", 256),
    }
    assert memories["bias_flipflop"].words == (("layer0.bias_flipflop", 4, 3),)
    assert memories["bias_flipflop"].count.flip_flops == 12
    assert memories["weight_rom"].count.flip_flops == 0
    assert memories["weight_rom"].count.area > 0
    assert memories["frames_sram"].count.area == 0
    assert report.below("").area == report.total.area == report.logic.area + report.memory.area
    assert report.below("layer0", memories=False).area == 1.0
    library = read_library(GENERIC_LIBRARY)
    counted = sum(library.areas[cell] * number for cell, number in report.mapped_cells.items())
    assert counted == report.total.area
    assert sum(report.generic_cells.values()) == report.total.generic_cells


def test_second_run_comes_from_the_cache(design, monkeypatch):
    folder = design(TINY, "tiny")
    first = synth(folder, console=quiet())
    text = (folder / "reports" / "area.json").read_bytes()
    shutil.rmtree(folder / "reports")
    monkeypatch.setattr(import_module("gatesmith.flows.synth"), "map_design", None)
    assert synth(folder, console=quiet()) == first
    assert (folder / "reports" / "area.json").read_bytes() == text
    (folder / "rtl" / "tiny.v").write_text(TINY.replace("&", "|"))
    with pytest.raises(TypeError):
        synth(folder, console=quiet())


def test_script_repeats_the_run(design):
    folder = design(TREE, "tree")
    report = synth(folder, console=quiet())
    yosys((folder / "reports" / "area.ys").read_text().splitlines(), folder, name="again")
    mapped = json.loads((folder / "reports" / "area.mapped.json").read_text())
    found = mapped["design"]["num_cells_by_type"]
    assert {cell: found[cell] for cell in report.mapped_cells} == report.mapped_cells


def chosen_libraries():
    named = os.environ.get("GATESMITH_LIBERTY")
    return [None, named] if named else [None]


@pytest.mark.parametrize("liberty", chosen_libraries())
@pytest.mark.parametrize("memory", ["rom", "flipflop", "sram"])
def test_family(memory, liberty, design, capsys):
    """Layers and memories of a real design are found under their names, and all bits counted."""
    rng = np.random.default_rng(3)
    layers = (
        random_layer(rng, inputs=12, outputs=5, lanes=2),
        random_layer(rng, inputs=5, outputs=3, lanes=3, output_bits=0),
    )
    spec = SparseMLPSpec(layers=layers, memory=memory, name="net")
    folder = design(FAMILIES["sparse-mlp"].verilog(spec), "net")
    report = synth(folder, liberty=liberty, console=Console(width=160))
    instances = {part.instance for part in report.modules}
    assert {"", "core", "core.layer0", "core.layer1"} <= instances
    weights = [m for m in report.memories if m.name == f"weight_{memory}"]
    assert sum(m.bits for m in weights) >= 2 * sum(int(layer.fan_in.sum()) for layer in layers)
    assert [len(m.words) for m in weights] == [2, 3]
    for entry in weights:
        assert (entry.kind, entry.count.area > 0) == (memory, memory != "sram")
        if memory == "flipflop":
            assert entry.count.flip_flops >= entry.bits
    printed = capsys.readouterr().out
    assert "layer1" in printed and f"weight_{memory}" in printed and "GE" in printed


def test_mask_that_looks_far_ahead_is_mapped_in_seconds(design):
    """ABC's SAT sweep did not finish on the XORs of 32 leaps of an LFSR."""
    spec = random_spec(1, (64, 4), datapath="index", lanes=1, width=16, leap=8, lookahead=32)
    folder = design(FAMILIES["sparse-mlp"].verilog(spec), "sparse_mlp")
    assert synth(folder, console=quiet(), timeout_seconds=100).total.mapped_cells > 1000


@pytest.mark.parametrize(
    "datapath, memory",
    [("gate", "rom"), ("gate", "flipflop"), ("index", "sram"), ("unrolled", "rom")],
)
def test_every_part_has_a_name_in_words(tmp_path, datapath, memory):
    spec = random_spec(1, (5, 4, 3), lanes=2, datapath=datapath, memory=memory)
    text = FAMILIES["sparse-mlp"].verilog(spec)
    mapping = mapping_of(text, spec.name, liberty=GENERIC_LIBRARY, log=tmp_path / "log")
    instances = {part.instance for part in mapping.report.modules}
    assert instances <= set(FAMILIES["sparse-mlp"].models.parts(spec))


def test_a_design_that_no_estimate_counts_is_measured_all_the_same(tmp_path, monkeypatch):
    def features(spec):
        raise UserError("Datapath must be another for an estimate")

    monkeypatch.setattr(FAMILIES["sparse-mlp"].models, "features", features)
    folder = write_design(random_spec(1, (4, 3), lanes=2), tmp_path / "d")
    report = synth(folder, liberty="generic", console=Console(quiet=True))
    assert report.total.mapped_cells > 0


def test_an_enable_is_buffered_but_in_memories(tmp_path):
    """A flip-flop with an enable hides from ABC how many of them one net drives."""
    library = tmp_path / "enabled.lib"
    library.write_text(tiny_text().rstrip().removesuffix("}") + ENABLE_CELL)
    mapping = mapping_of(ENABLED, "enabled", liberty=library, log=tmp_path / "log")
    assert mapping.report.mapped_cells["DFFE"] == 4 * 3  # the words of the memory
    assert mapping.report.mapped_cells["DFF"] == 100
    netlist = read_netlist(mapping.netlist, "enabled", read_library(library))
    (enable,) = next(port.nets for port in netlist.ports if port.name == "e")
    pins = [nets for group in netlist.groups for nets in group.pins.values()]
    assert sum(int((nets == enable).sum()) for nets in pins) < 20
