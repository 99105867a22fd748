"""The full-adder recipe: the cells it finds, and mapped netlists that still compute the design."""

import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from designs import random_spec
from rich.console import Console

from gatesmith.families import FAMILIES
from gatesmith.flows.silicon.full_adder import (
    ADDERS,
    ADDERS_FILE,
    adder_cells,
    adders_verilog,
)
from gatesmith.flows.silicon.gate_level import gate_verilog, simulate_gates
from gatesmith.flows.silicon.liberty import GENERIC_LIBRARY, read_library
from gatesmith.flows.silicon.mapping import map_design
from gatesmith.flows.silicon.netlist import read_netlist
from gatesmith.flows.silicon.recipes import RECIPES
from gatesmith.flows.synth import synth
from gatesmith.flows.verify import make_vectors
from gatesmith.models.errors import UserError
from gatesmith.sim.scenarios import Scenario, whole
from gatesmith.sim.vectors import compare
from gatesmith.sim.yosys import yosys

# Sums, differences, products and comparisons; of constants, of equal bits, signed and not, of
# different widths, with a carry that is an input.
DESIGN = r"""
module adders(input [5:0] a, b, input [2:0] c, input signed [4:0] s, input signed [7:0] t, input m,
              output [6:0] o0, o1, output [7:0] o2, output signed [8:0] o3, o4, output [9:0] o5,
              output [7:0] o6, o7, output [11:0] o8, o9, output [5:0] o10, o11, o12,
              output signed [9:0] o13, output [13:0] o14);
  wire [5:0] named = a - {c, c}, more = b + 6'd11;
  assign o14 = {named[5:2], more, named[5:2]};
  assign o0 = a + b, o1 = a - b, o2 = a + b + c + m, o3 = s - t, o4 = s + t - 8'sd77;
  assign o5 = {a, 3'd0} + b, o6 = {a < b, a <= b, a == b, a >= b, a > c, s < t, s >= t, s != t};
  assign o7 = -t, o8 = a * 8'd13 + b, o9 = a + (b << 2) - c - 21 + {c, 3'b101}, o10 = a + a;
  assign o11 = a + {6{m}}, o12 = a + 6'd37 + m, o13 = t + t - {s, s[0]} + $signed({1'b0, a});
endmodule
"""
# The cells of Yosys themselves, with all their outputs, and an inversion that is an input.
CELLS = r"""
module cells(input [5:0] a, b, input [2:0] c, input m, n, output [5:0] o0, o1, o2, o3, o4, o5, o6,
             output [2:0] o7);
  \$alu #(.A_SIGNED(0), .B_SIGNED(0), .A_WIDTH(6), .B_WIDTH(3), .Y_WIDTH(6)) alu
    (.A(a), .B(c), .BI(m), .CI(n), .X(o0), .Y(o1), .CO(o2));
  wire [5:0] unread;
  \$alu #(.A_SIGNED(1), .B_SIGNED(1), .A_WIDTH(3), .B_WIDTH(6), .Y_WIDTH(6)) constants
    (.A(c), .B({a[1:0], 2'b01, a[2:1]}), .BI(1'b1), .CI(1'b0), .X(o3), .Y(o4), .CO(unread));
  \$fa #(.WIDTH(6)) fa (.A(a), .B(b), .C({a[5], 2'b01, b[2], c[1:0]}), .X(o5), .Y(o6));
  \$lcu #(.WIDTH(3)) lcu (.P(c), .G(a[2:0]), .CI(m), .CO(o7));
endmodule
"""
INPUTS = {"a": 6, "b": 6, "c": 3, "s": 5, "t": 8, "m": 1}
OUTPUTS = dict(zip(
    [f"o{k}" for k in range(15)], [7, 7, 8, 9, 9, 10, 8, 8, 12, 12, 6, 6, 6, 10, 14], strict=True
))  # fmt: skip


def without(library: str, *cells: str) -> str:
    """The text of a library without some cells."""
    for cell in cells:
        library = re.sub(rf"  cell \({cell}\) .*?\n  }}\n", "", library, flags=re.DOTALL)
    return library


def inverting(library: str) -> str:
    """Outputs of the full adder, and one input of it, inverted; no half adder."""
    full = {"A ^ B ^ C": "!(!A ^ B ^ C)", "(A & B) | (C & (A | B))": "!((!A & B) | (C & (!A | B)))"}
    for before, after in full.items():
        library = library.replace(f'"{before}"', f'"{after}"')
    return without(library, "HA")


def libraries(tmp_path: Path) -> dict[str, Path]:
    generic = GENERIC_LIBRARY.read_text()
    (tmp_path / "inverting.lib").write_text(inverting(generic))
    found = {"generic": GENERIC_LIBRARY, "inverting": tmp_path / "inverting.lib"}
    if "GATESMITH_LIBERTY" in os.environ:
        found["named"] = Path(os.environ["GATESMITH_LIBERTY"])
    return found


NAMES = ["generic", "inverting", *(["named"] if "GATESMITH_LIBERTY" in os.environ else [])]


@pytest.fixture
def design(tmp_path):
    """A design folder with an adder, as far as synth reads it."""
    folder = tmp_path / "adder"
    (folder / "rtl").mkdir(parents=True)
    text = "module adder(input [7:0] a, b, output [8:0] o); assign o = a + b; endmodule"
    (folder / "rtl" / "adder.v").write_text(text)
    entry = {"format": "gatesmith-design", "version": 1, "name": "adder"}
    entry |= {"family": "", "streams": {}, "memories": [], "verilog_sha256": ""}
    (folder / "design.json").write_text(json.dumps(entry))
    return folder


def test_rejects_recipe(design):
    with pytest.raises(UserError, match=r"^Recipe must be one of default, full-adder, not 'fast'$"):
        synth(design, recipe="fast")


def test_rejects_library_without_a_full_adder(design, tmp_path):
    path = tmp_path / "bare.lib"
    path.write_text(without(GENERIC_LIBRARY.read_text(), "FA"))
    message = (
        f"Liberty library {path} must have a full-adder cell for the recipe full-adder, "
        "but has none"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        synth(design, liberty=path, recipe="full-adder")


def test_finds_the_cheapest_cells(tmp_path):
    generic = GENERIC_LIBRARY.read_text()
    cells = adder_cells(read_library(GENERIC_LIBRARY))
    assert (cells.full.name, cells.full.area) == ("FA", 7.0)
    assert cells.half and (cells.half.name, cells.half.area) == ("HA", 3.5)
    path = tmp_path / "changed.lib"
    path.write_text(inverting(generic))
    cells = adder_cells(read_library(path))
    # An adder is its own dual: with all inputs inverted, so are both outputs.
    assert (cells.full.area, cells.half) == (8.0, None)
    assert sum(flip for _, flip in (*cells.full.inputs, cells.full.sum, cells.full.carry)) == 2
    path.write_text(generic.replace("area : 3.5;", "area : 4;"))
    assert adder_cells(read_library(path)).half is None  # an XOR2 and an AND2 are as large


def test_known_area(design, capsys):
    """A half adder and seven full adders; the default beside it."""
    report = synth(design, recipe="full-adder", console=Console(width=120))
    assert report.mapped_cells == {"FA": 7, "HA": 1}
    assert report.total.area == 7 * 7 + 3.5
    written = json.loads((design / "reports" / "area.json").read_text())
    assert written["recipe"] == "full-adder"
    printed = capsys.readouterr().out
    assert re.search(r"full-adder\W+52\.5\W+7\W+1\W", printed) and "default" in printed
    assert synth(design, console=Console(file=open(os.devnull, "w"))).recipe == "default"
    assert "FA" not in json.loads((design / "reports" / "area.json").read_text())["mapped_cells"]


@pytest.mark.parametrize("name", ["generic", "inverting"])
def test_parts_are_the_cells_of_yosys(name, tmp_path):
    """A proof by SAT, of what the Verilog that designs are written in cannot ask for."""
    path = libraries(tmp_path)[name]
    library = read_library(path)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / ADDERS_FILE).write_text(adders_verilog(adder_cells(library)))
    (tmp_path / "cells.v").write_text(CELLS)
    read = ["read_verilog -icells cells.v", "hierarchy -top cells", "proc"]
    script = [*read, "techmap", "rename cells gold", "design -stash gold"]
    script += [*read, *ADDERS, "tee -o stat.txt stat", f"read_liberty -overwrite {path}"]
    script += ["flatten", "rename cells gate", "design -stash gate"]
    script += ["design -copy-from gold gold", "design -copy-from gate gate"]
    script += ["miter -equiv -flatten gold gate miter", "sat -verify -prove trigger 0 miter"]
    log = yosys(script, tmp_path).read_text()
    assert "SAT proof finished - no model found: SUCCESS!" in log
    assert "FA" in (tmp_path / "stat.txt").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_netlists_compute_the_design(name, tmp_path):
    """Both recipes against the Verilog they were made from: random inputs and all extremes."""
    library = read_library(libraries(tmp_path)[name])
    texts = [DESIGN]
    cells = adder_cells(library)
    for recipe in RECIPES:
        mapping = map_design(DESIGN, "adders", library, log=tmp_path / "log", recipe=recipe)
        netlist = read_netlist(mapping.netlist, "adders", library)
        netlist.top = f"mapped{len(texts)}"
        texts.append(gate_verilog(netlist, {}))
        used = {cell.name for cell in (cells.full, cells.half) if cell}
        assert bool(used & set(mapping.report.mapped_cells)) == (recipe == "full-adder")
    assert used <= set(mapping.report.mapped_cells)
    bits = sum(INPUTS.values())
    wires = ", ".join(f".{pin}({pin})" for pin in INPUTS)
    lines = [f"module bench; reg [{bits - 1}:0] i; integer k, wrong, seed;"]
    lines += [f"wire [{width - 1}:0] {pin};" for pin, width in INPUTS.items()]
    lines += [f"assign {{{', '.join(INPUTS)}}} = i;"]
    for number, top in enumerate(["adders", "mapped1", "mapped2"]):
        width = sum(OUTPUTS.values())
        lines += [f"wire [{width - 1}:0] r{number};"]
        lines += [f"wire [{w - 1}:0] {pin}_{number};" for pin, w in OUTPUTS.items()]
        lines += [f"assign r{number} = {{{', '.join(f'{pin}_{number}' for pin in OUTPUTS)}}};"]
        outs = ", ".join(f".{pin}({pin}_{number})" for pin in OUTPUTS)
        lines += [f"{top} u{number}({wires}, {outs});"]
    ends = [f"{{{width}{{k[{j}]}}}}" for j, width in enumerate(INPUTS.values())]
    lines += [
        "initial begin wrong = 0; seed = 1;",
        "for (k = 0; k < 4096; k = k + 1) begin",
        # The first 64: all inputs at their ends, in every combination.
        "i = {$random(seed), $random(seed)};",
        f"if (k < 64) i = {{{', '.join(ends)}}};",
        "#1 if (r1 !== r0 || r2 !== r0) wrong = wrong + 1; end",
        '$display("wrong %0d", wrong); end endmodule',
    ]
    (tmp_path / "all.v").write_text("\n".join([*texts, *lines]))
    command = ["iverilog", "-g2012", "-o", str(tmp_path / "all"), str(tmp_path / "all.v")]
    subprocess.run(command, check=True, capture_output=True)
    out = subprocess.run(["vvp", str(tmp_path / "all")], check=True, capture_output=True, text=True)
    assert out.stdout.strip() == "wrong 0"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "inverting"])
def test_netlist_of_a_network_matches_golden(name, tmp_path):
    entry = FAMILIES["sparse-mlp"]
    spec = random_spec(2, (8, 4, 3), lanes=2)
    vectors = make_vectors(entry, spec, spec.input_format.random(np.random.default_rng(1), 6))
    library = read_library(libraries(tmp_path)[name])
    mapping = map_design(
        entry.verilog(spec), spec.name, library, log=tmp_path / "log", recipe="full-adder"
    )
    assert adder_cells(library).full.name in mapping.report.mapped_cells
    netlist = read_netlist(mapping.netlist, spec.name, library)
    play = Scenario(name="all", sent=whole(vectors, range(6)), stall=0)
    outcome, _ = simulate_gates(netlist, {}, vectors, play, tmp_path / "bench", 100)
    assert compare(vectors, outcome, clocks=True) == []
