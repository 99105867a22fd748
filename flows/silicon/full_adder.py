"""The full-adder recipe: adders become chains of a library's full and half adders, not of gates.

ABC, which maps gates, leaves cells with two outputs alone. So adders are laid out before it runs,
bit by bit, in parts that :data:`LAYOUT` calls ``gs_full`` (sum and carry of three bits) and
``gs_half`` (of two). Constant and equal bits make smaller parts of them; a part of which only one
output is read becomes gates, for ABC; the rest becomes cells that ABC does not see.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product

from gatesmith.flows.silicon.expression import parse
from gatesmith.flows.silicon.liberty import FUNCTION, Library
from gatesmith.flows.silicon.tables import Cell, read_cell
from gatesmith.models.errors import UserError

__all__ = [
    "ADDERS",
    "ADDERS_FILE",
    "MAPS",
    "AdderCell",
    "AdderCells",
    "adder_cells",
    "adders_verilog",
]

ADDERS_FILE = "area.adders.v"

# Truth tables: bit k is the value where bit j of k is input j.
SUMS = {3: 0b10010110, 2: 0b0110}
CARRIES = {3: 0b11101000, 2: 0b1000}

FULL_PARTS = ("gs_full", "gs_full_sum", "gs_full_carry")
HALF_PARTS = ("gs_half", "gs_half_gates", "gs_half_sum", "gs_half_carry")

# On words, before gates; the file is what adders_verilog wrote.
ADDERS = (
    "# Adders become parts of one bit; also those that were written as gates.",
    f"read_verilog -lib -DPARTS reports/{ADDERS_FILE}",
    "maccmap",
    f"techmap -map reports/{ADDERS_FILE} -D LAYOUT",
    *"opt_expr -fine; opt_clean; techmap; opt -fast; extract_fa -fa".split("; "),
    f"techmap -map reports/{ADDERS_FILE} -D LAYOUT",
    *"opt_expr; opt_clean".split("; "),
    "# Parts get smaller where bits are constant or equal.",
    f"techmap -map reports/{ADDERS_FILE} -D SHRINK",
    *"simplemap; opt_expr; opt_merge; opt_clean".split("; "),
    f"techmap -map reports/{ADDERS_FILE} -D SHRINK",
    *"simplemap; opt_expr; opt_merge; splitnets; opt_clean".split("; "),
    "# Where nobody reads the sum, or nobody the carry, gates are smaller than a cell.",
    "select -set unread w:* t:* %ci1 o:* %u %a %d",
    *(
        line
        for part in ("gs_full", "gs_half")
        for pin, other in (("S", "carry"), ("CO", "sum"))
        for line in (
            f"select -set alone @unread %ci1:+{part}[{pin}] t:{part} %i",
            f"chtype -set {part}_{other} @alone",
        )
    ),
    "# A half adder pays where a chain of full adders begins; counters are smaller as gates.",
    "select -set begins t:gs_full %ci1 %a %ci1:+gs_half[CO] t:gs_half %i",
    "select -set others t:gs_half @begins %d",
    "chtype -set gs_half_gates @others",
    f"techmap -map reports/{ADDERS_FILE} -D CELLS",
    *"simplemap; opt_expr; opt_clean".split("; "),
)

LAYOUT = """\
`ifdef LAYOUT
(* techmap_celltype = "$alu" *)
module gs_alu (A, B, CI, BI, X, Y, CO);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_BI_ = 1'b0;
  parameter _TECHMAP_CONSTVAL_BI_ = 1'b0;
  (* force_downto *) input [A_WIDTH-1:0] A;
  (* force_downto *) input [B_WIDTH-1:0] B;
  input CI, BI;
  (* force_downto *) output [Y_WIDTH-1:0] X, Y, CO;
  genvar k;
  generate
    for (k = 0; k < Y_WIDTH; k = k + 1) begin : bits
      wire a, b_in, b, carry;
      if (k < A_WIDTH) assign a = A[k];
      else if (A_SIGNED) assign a = A[A_WIDTH-1];
      else assign a = 1'b0;
      if (k < B_WIDTH) assign b_in = B[k];
      else if (B_SIGNED) assign b_in = B[B_WIDTH-1];
      else assign b_in = 1'b0;
      if (!_TECHMAP_CONSTMSK_BI_) assign b = b_in ^ BI;
      else if (_TECHMAP_CONSTVAL_BI_) assign b = ~b_in;
      else assign b = b_in;
      if (k == 0) assign carry = CI;
      else assign carry = CO[k-1];
      assign X[k] = a ^ b;
      gs_full full (.A(a), .B(b), .C(carry), .S(Y[k]), .CO(CO[k]));
    end
  endgenerate
endmodule
(* techmap_celltype = "$fa" *)
module gs_fa (A, B, C, X, Y);
  parameter WIDTH = 1;
  (* force_downto *) input [WIDTH-1:0] A, B, C;
  (* force_downto *) output [WIDTH-1:0] X, Y;
  genvar k;
  generate
    for (k = 0; k < WIDTH; k = k + 1) begin : bits
      gs_full full (.A(A[k]), .B(B[k]), .C(C[k]), .S(Y[k]), .CO(X[k]));
    end
  endgenerate
endmodule
(* techmap_celltype = "$lcu" *)
module gs_lcu (P, G, CI, CO);
  parameter WIDTH = 1;
  (* force_downto *) input [WIDTH-1:0] P, G;
  input CI;
  (* force_downto *) output [WIDTH-1:0] CO;
  genvar k;
  generate
    for (k = 0; k < WIDTH; k = k + 1) begin : bits
      if (k == 0) assign CO[k] = G[k] | P[k] & CI;
      else assign CO[k] = G[k] | P[k] & CO[k-1];
    end
  endgenerate
endmodule
`endif
"""

SHRINK = """\
`ifdef SHRINK
module gs_full (A, B, C, S, CO);
  parameter _TECHMAP_CONSTMSK_A_ = 1'b0;
  parameter _TECHMAP_CONSTMSK_B_ = 1'b0;
  parameter _TECHMAP_CONSTMSK_C_ = 1'b0;
  parameter _TECHMAP_CONSTVAL_A_ = 1'b0;
  parameter _TECHMAP_CONSTVAL_B_ = 1'b0;
  parameter _TECHMAP_CONSTVAL_C_ = 1'b0;
  parameter _TECHMAP_BITS_CONNMAP_ = 8;
  parameter [_TECHMAP_BITS_CONNMAP_-1:0] _TECHMAP_CONNMAP_A_ = 0;
  parameter [_TECHMAP_BITS_CONNMAP_-1:0] _TECHMAP_CONNMAP_B_ = 0;
  parameter [_TECHMAP_BITS_CONNMAP_-1:0] _TECHMAP_CONNMAP_C_ = 0;
  input A, B, C;
  output S, CO;
  localparam ANY = _TECHMAP_CONSTMSK_A_ || _TECHMAP_CONSTMSK_B_ || _TECHMAP_CONSTMSK_C_;
  localparam ONE = _TECHMAP_CONSTMSK_A_ ? _TECHMAP_CONSTVAL_A_ === 1'b1
    : _TECHMAP_CONSTMSK_B_ ? _TECHMAP_CONSTVAL_B_ === 1'b1 : _TECHMAP_CONSTVAL_C_ === 1'b1;
  localparam AB = _TECHMAP_CONNMAP_A_ == _TECHMAP_CONNMAP_B_;
  localparam AC = _TECHMAP_CONNMAP_A_ == _TECHMAP_CONNMAP_C_;
  localparam BC = _TECHMAP_CONNMAP_B_ == _TECHMAP_CONNMAP_C_;
  wire _TECHMAP_FAIL_ = !(ANY || AB || AC || BC);
  wire x, y;
  generate
    if (_TECHMAP_CONSTMSK_A_) assign {x, y} = {B, C};
    else if (_TECHMAP_CONSTMSK_B_) assign {x, y} = {A, C};
    else assign {x, y} = {A, B};
    if (ANY && ONE) assign {CO, S} = {x | y, ~(x ^ y)};
    else if (ANY) gs_half half (.A(x), .B(y), .S(S), .CO(CO));
    else if (AB) assign {CO, S} = {A, C};
    else if (AC) assign {CO, S} = {A, B};
    else assign {CO, S} = {B, A};
  endgenerate
endmodule
module gs_half (A, B, S, CO);
  parameter _TECHMAP_CONSTMSK_A_ = 1'b0;
  parameter _TECHMAP_CONSTMSK_B_ = 1'b0;
  parameter _TECHMAP_CONSTVAL_A_ = 1'b0;
  parameter _TECHMAP_CONSTVAL_B_ = 1'b0;
  parameter _TECHMAP_BITS_CONNMAP_ = 8;
  parameter [_TECHMAP_BITS_CONNMAP_-1:0] _TECHMAP_CONNMAP_A_ = 0;
  parameter [_TECHMAP_BITS_CONNMAP_-1:0] _TECHMAP_CONNMAP_B_ = 0;
  input A, B;
  output S, CO;
  localparam ANY = _TECHMAP_CONSTMSK_A_ || _TECHMAP_CONSTMSK_B_;
  localparam ONE = _TECHMAP_CONSTMSK_A_ ? _TECHMAP_CONSTVAL_A_ === 1'b1
    : _TECHMAP_CONSTVAL_B_ === 1'b1;
  wire _TECHMAP_FAIL_ = !(ANY || _TECHMAP_CONNMAP_A_ == _TECHMAP_CONNMAP_B_);
  wire x;
  generate
    if (_TECHMAP_CONSTMSK_A_) assign x = B;
    else assign x = A;
    if (!ANY) assign {CO, S} = {x, 1'b0};
    else if (ONE) assign {CO, S} = {x, ~x};
    else assign {CO, S} = {1'b0, x};
  endgenerate
endmodule
`endif
"""

# Of a library without a half adder.
HALF = """\
module gs_half (A, B, S, CO);
  input A, B;
  output S, CO;
  gs_half_gates gates (.A(A), .B(B), .S(S), .CO(CO));
endmodule"""

GATES = """\
`ifdef CELLS
module gs_full_sum (A, B, C, S, CO);
  input A, B, C;
  output S, CO;
  assign S = A ^ B ^ C;
endmodule
module gs_full_carry (A, B, C, S, CO);
  input A, B, C;
  output S, CO;
  assign CO = A & B | C & (A | B);
endmodule
module gs_half_gates (A, B, S, CO);
  input A, B;
  output S, CO;
  assign {CO, S} = {A & B, A ^ B};
endmodule
module gs_half_sum (A, B, S, CO);
  input A, B;
  output S, CO;
  assign S = A ^ B;
endmodule
module gs_half_carry (A, B, S, CO);
  input A, B;
  output S, CO;
  assign CO = A & B;
endmodule
`endif
"""
MAPS = LAYOUT + SHRINK + GATES


@dataclass(frozen=True, kw_only=True)
class AdderCell:
    """A cell that adds bits, and which of its pins need an inverter.

    Members
    -------
    name : str
    area : float       With its inverters, in the library's unit.
    inputs : tuple     Pin and whether it wants the inverse, of each bit.
    sum, carry : tuple Pin and whether it gives the inverse.
    """

    name: str
    area: float
    inputs: tuple[tuple[str, bool], ...]
    sum: tuple[str, bool]
    carry: tuple[str, bool]


@dataclass(frozen=True, kw_only=True)
class AdderCells:
    """The full adder of a library, and its half adder if that is smaller than two gates."""

    full: AdderCell
    half: AdderCell | None


def adder_cells(library: Library) -> AdderCells:
    """The cheapest cells of a library that add; UserError when it has no full adder."""
    inverter = min(_areas(library, 1, 0b01), default=0.0)
    found: dict[int, list[AdderCell]] = {3: [], 2: []}
    for name, text in library.texts.items():
        usable = name not in library.flip_flops and name not in library.avoid
        if usable and len(FUNCTION.findall(text)) == 2 and library.areas[name] > 0:
            cell = read_cell(library, name)
            best = _match(cell, library.areas[name], inverter)
            if best:
                found[len(best.inputs)].append(best)
    if not found[3]:
        raise UserError(
            f"Liberty library {library.path} must have a full-adder cell for the recipe "
            "full-adder, but has none"
        )
    full, half = (
        min(cells, key=lambda cell: (cell.area, cell.name), default=None)
        for cells in (found[3], found[2])
    )
    assert full is not None
    gates = min(_areas(library, 2, SUMS[2]), default=math.inf)
    gates += min(_areas(library, 2, CARRIES[2]), default=math.inf)
    return AdderCells(full=full, half=half if half and half.area < gates else None)


def _areas(library: Library, inputs: int, truth: int) -> Iterator[float]:
    """Areas of the cells with one output of that truth table."""
    for name, text in library.texts.items():
        functions = FUNCTION.findall(text)
        if len(functions) == 1 and name not in library.avoid and library.areas[name] > 0:
            try:
                function = parse(functions[0])
            except ValueError:
                continue
            if len(function.pins) == inputs and function.truth() == truth:
                yield library.areas[name]


def _match(cell: Cell, area: float, inverter: float) -> AdderCell | None:
    """A cell as an adder, with as few inverters as it needs; None when it is none."""
    pins = tuple(pin.name for pin in cell.inputs)
    functions = {pin.name: pin.function for pin in cell.outputs if pin.function}
    if len(pins) not in SUMS or len(functions) != 2:
        return None
    wanted = SUMS[len(pins)], CARRIES[len(pins)]
    ones = (1 << (1 << len(pins))) - 1
    best = None
    for inverted in product((False, True), repeat=len(pins)):
        columns = _columns(pins, inverted)
        tables = {name: f.value(columns, ones) for name, f in functions.items()}
        for first, second in permutations(tables):
            for flips in product((False, True), repeat=2):
                got = tuple(
                    tables[name] ^ (ones if flip else 0)
                    for name, flip in zip((first, second), flips, strict=True)
                )
                number = sum(inverted) + sum(flips)
                if got == wanted and (best is None or number < best[0]):
                    best = (
                        number,
                        AdderCell(
                            name=cell.name,
                            area=area + number * inverter,
                            inputs=tuple(zip(pins, inverted, strict=True)),
                            sum=(first, flips[0]),
                            carry=(second, flips[1]),
                        ),
                    )
    return best[1] if best else None


def _columns(pins: tuple[str, ...], inverted: tuple[bool, ...]) -> dict[str, int]:
    """Values of the pins of a cell in each row of a truth table."""
    rows = range(1 << len(pins))
    return {
        pin: sum(1 << row for row in rows if (row >> k & 1) != flip)
        for k, (pin, flip) in enumerate(zip(pins, inverted, strict=True))
    }


def adders_verilog(cells: AdderCells) -> str:
    """Content of :data:`ADDERS_FILE`: declarations, and maps of techmap, one behind each macro."""
    bound = [_bound("gs_full", "ABC", cells.full)]
    bound.append(_bound("gs_half", "AB", cells.half) if cells.half else HALF)
    declared = [_declared(part, [*"ABC", "S", "CO"]) for part in FULL_PARTS]
    declared += [_declared(part, [*"AB", "S", "CO"]) for part in HALF_PARTS]
    for cell in (cells.full, cells.half):
        if cell:
            pins = [*(pin for pin, _ in cell.inputs), cell.sum[0], cell.carry[0]]
            declared.append(_declared(cell.name, pins))
    parts = ["`ifdef PARTS", *declared, "`endif"]
    return "\n".join([*parts, MAPS, "`ifdef CELLS", *bound, "`endif\n"])


def _declared(name: str, pins: list[str]) -> str:
    *inputs, total, carry = (f"\\{pin} " for pin in pins)
    return (
        f"module \\{name} ({', '.join([*inputs, total, carry])});\n"
        f"  input {', '.join(inputs)};\n  output {total}, {carry};\nendmodule"
    )


def _bound(part: str, bits: str, cell: AdderCell) -> str:
    """The map of a part to a cell."""
    pins = [
        f".\\{pin} ({'~' if flip else ''}{bit})"
        for bit, (pin, flip) in zip(bits, cell.inputs, strict=True)
    ]
    pins += [f".\\{cell.sum[0]} (sum)", f".\\{cell.carry[0]} (carry)"]
    return (
        f"module {part} ({', '.join(bits)}, S, CO);\n"
        f"  input {', '.join(bits)};\n  output S, CO;\n  wire sum, carry;\n"
        f"  \\{cell.name} cell ({', '.join(pins)});\n"
        f"  assign S = {'~' if cell.sum[1] else ''}sum;\n"
        f"  assign CO = {'~' if cell.carry[1] else ''}carry;\nendmodule"
    )
