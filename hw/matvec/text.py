"""Verilog of a constant integer matrix times a vector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal as Choice

import numpy as np

from gatesmith.hw.matvec.compressor import CounterGraph, Literal, counter_graph
from gatesmith.hw.matvec.digits import digits
from gatesmith.hw.matvec.graph import AdderGraph, check_matrix, signed_width
from gatesmith.hw.matvec.netlist import Netlist, stage_map
from gatesmith.hw.matvec.sharing import adder_graph

__all__ = ["MatVec", "Style", "matvec_verilog"]

Style = Choice["auto", "shared", "compressor", "flat"]
STYLES = ("auto", "shared", "compressor", "flat")
SMALL = 1024  # weights up to which Yosys' carry-save trees are smaller than adders apart
LINT = "/* verilator lint_off WIDTH */"  # sums are as wide as they must be, operands are not
NARROW = 2  # bits of an input up to which counting bits is smaller than sharing sums

Outputs = list[tuple[tuple[int, ...], str]]


@dataclass(frozen=True, kw_only=True)
class MatVec:
    """A Verilog module that computes y = matrix @ x + bias.

    Ports: ``i``, input k in ``[k * input_bits +: input_bits]``; ``o``, output j, two's
    complement, in ``[j * width +: width]``; ``clk``, when there are registers.

    Members
    -------
    name, text : str     Of the module.
    style : str          ``shared``, ``compressor`` or ``flat``.
    width : int          Bits of every output: the fewest that hold all of them.
    low, high : tuple    Least and greatest value of each output, exactly.
    latency : int        Registers on every way from ``i`` to ``o``.
    adders, depth : int  Adders (full adders of one bit for ``compressor``), in all and in a row.
    """

    name: str
    text: str
    style: str
    width: int
    low: tuple[int, ...]
    high: tuple[int, ...]
    latency: int
    adders: int
    depth: int


def matvec_verilog(
    name: str,
    matrix: np.ndarray,
    *,
    input_bits: int,
    signed: bool,
    bias: Sequence[int] | np.ndarray | None = None,
    depth: int | None = None,
    pipeline: int = 0,
    stages: int | None = None,
    style: Style = "auto",
) -> MatVec:
    """Verilog-2005 of a matrix-vector product; a result every clock when it has registers.

    Parameters
    ----------
    name : str           Of the module.
    matrix : int array, shape [outputs, inputs]
    input_bits : int     Width of an input, at least 1.
    signed : bool        Inputs are two's complement.
    bias : int [outputs] Added to the outputs; 0 when not given.
    depth : int          Of ``shared``, see :func:`adder_graph`. None: whatever is smallest.
    pipeline : int       A register after so many adders in a row; 0 for none.
    stages : int         Instead of ``pipeline``: exactly so many registers, at equal distances.
    style : str          ``shared`` builds sums that outputs share, ``compressor`` counts single
                         bits, ``flat`` is one expression an output, behind all registers;
                         ``auto`` is ``compressor`` up to 2 bits, else ``shared``.
    """
    matrix = check_matrix(matrix)
    if input_bits < 1:
        raise ValueError(f"Input bits must be at least 1, not {input_bits}")
    if style not in STYLES:
        raise ValueError(f"Style must be one of {STYLES}, not {style!r}")
    if pipeline < 0:
        raise ValueError(f"Pipeline must be at least 0, not {pipeline}")
    if stages is not None and (stages < 0 or pipeline):
        raise ValueError(f"Stages must be at least 0 and without pipeline, not {stages}")
    least, most = (
        (-(1 << input_bits - 1), (1 << input_bits - 1) - 1)
        if signed
        else (0, (1 << input_bits) - 1)
    )
    offsets = np.zeros(len(matrix), dtype=np.int64) if bias is None else np.asarray(bias)
    positive, negative = np.maximum(matrix, 0).sum(axis=1), np.minimum(matrix, 0).sum(axis=1)
    low = (positive * least + negative * most + offsets).tolist()
    high = (positive * most + negative * least + offsets).tolist()
    width = signed_width(min(low), max(high))
    if style == "auto":
        style = "compressor" if input_bits <= NARROW else "shared"
    net = Netlist("n")
    if style == "compressor":
        counters = counter_graph(matrix, input_bits, signed, width, offsets.tolist())
        outputs = _counters(net, counters)
        adders, levels = len(counters.adders), counters.depth
    else:
        _inputs(net, matrix.shape[1], input_bits, signed)
        if style == "shared":
            large = int(np.count_nonzero(matrix)) > SMALL
            apart = large and depth is None and not pipeline and not stages
            graph = adder_graph(matrix, least, most, depth, offsets, long_path=apart)
            outputs = _adders(net, graph, apart)
            adders, levels = len(graph.adders), graph.depth
        else:
            outputs, adders, levels = _sums(matrix, offsets)
    stage = stage_map(levels, every=pipeline, stages=stages)
    latency = stage(levels) if stages is None else stages
    lines, values = net.lines(outputs, stage, latency)
    inputs = matrix.shape[1] * input_bits
    head = [LINT, f"module {name}({'clk, ' if latency else ''}i, o);"]
    head += ["  input clk;"] if latency else []
    head += [f"  input [{inputs - 1}:0] i;", f"  output [{len(matrix) * width - 1}:0] o;"]
    ends = [f"  assign o[{j * width} +: {width}] = {v};" for j, v in enumerate(values)]
    text = "\n".join([*head, *lines, *ends, "endmodule", ""])
    return MatVec(
        name=name,
        text=text,
        style=style,
        width=width,
        low=tuple(low),
        high=tuple(high),
        latency=latency,
        adders=adders,
        depth=levels,
    )


def _inputs(net: Netlist, count: int, width: int, signed: bool) -> None:
    for k in range(count):
        field = f"i[{k * width} +: {width}]"
        if signed:
            net.add(width, 0, (), field)
        else:
            net.add(width + 1, 0, (), f"{{{{1'b0, {field}}}}}")


def _shifted(name: str, shift: int) -> str:
    return f"({name} <<< {shift})" if shift else name


def _adders(net: Netlist, graph: AdderGraph, apart: bool) -> Outputs:
    """Wires of an adder graph.

    ``apart`` keeps sums with a single use inverted. Yosys would merge such a sum with the adder
    that uses it into one carry-save tree; it does not look through an inversion, which costs
    nothing in gates. Beside a long path (see :func:`adder_graph`) the adders apart are smaller
    after ABC; in a small matrix, or where all paths are short, the tree is.
    """
    for value in graph.constants:
        width = signed_width(value, value)
        net.add(width, 0, (), f"-{width}'sd{-value}" if value < 0 else f"{width}'sd{value}")
    outputs = {term.node for term in graph.outputs if term}
    inverted = [
        apart and number >= graph.first and uses == 1 and number not in outputs
        for number, uses in enumerate(graph.uses)
    ]

    def operand(place: int, node: int, shift: int) -> str:
        return _shifted(f"{'~' if inverted[node] else ''}{{{place}}}", shift)

    for number, adder in enumerate(graph.adders, graph.first):
        left = operand(0, adder.left, adder.left_shift)
        right = operand(1, adder.right, adder.right_shift)
        total = f"{left} {'+' if adder.sign > 0 else '-'} {right}"
        net.add(
            signed_width(*graph.ranges[number]),
            graph.levels[number],
            (adder.left, adder.right),
            f"~({total})" if inverted[number] else total,
        )
    return [
        ((t.node,), ("-" if t.sign < 0 else "") + _shifted("{0}", t.shift)) if t else ((), "0")
        for t in graph.outputs
    ]


def _counters(net: Netlist, graph: CounterGraph) -> Outputs:
    """Wires of single bits: two XORs and a majority for a full adder."""
    places = [net.add(1, 0, (), f"i[{k}]") for k in range(graph.inputs)]

    def named(literal: Literal, place: int) -> str:
        return f"{'~' if literal.inverted else ''}{{{place}}}"

    for adder in graph.adders:
        a, b = adder.operands[:2]
        level = graph.levels[len(places)]
        two = (places[a.bit], places[b.bit])
        pair = net.add(1, level, two, f"{named(a, 0)} ^ {named(b, 1)}")
        both = f"{named(a, 0)} & {named(b, 1)}"
        if len(adder.operands) == 3:
            third = adder.operands[2]
            c = places[third.bit]
            places.append(net.add(1, level, (pair, c), f"{{0}} ^ {named(third, 1)}"))
            carry = f"({both}) | ({named(third, 2)} & {{3}})"
            places.append(net.add(1, level, (*two, c, pair), carry))
        elif adder.one:
            places.append(net.add(1, level, (pair,), "~{0}"))
            places.append(net.add(1, level, two, both.replace("&", "|")))
        else:
            places += [pair, net.add(1, level, two, both)]
    outputs: Outputs = []
    for bits_of in graph.outputs:
        operands: list[int] = []
        parts = []
        for bit in bits_of:
            if isinstance(bit, Literal):
                parts.append(named(bit, len(operands)))
                operands.append(places[bit.bit])
            else:
                parts.append(f"1'b{int(bit)}")
        outputs.append((tuple(operands), "{{" + ", ".join(reversed(parts)) + "}}"))
    return outputs


def _sums(matrix: np.ndarray, bias: np.ndarray) -> tuple[Outputs, int, int]:
    """One expression an output; its additions, and the depth of the deepest as a tree."""
    outputs: Outputs = []
    terms = []
    for row, offset in zip(matrix.tolist(), bias.tolist(), strict=True):
        used = [k for k, weight in enumerate(row) if weight]
        text = ""
        count = int(offset != 0)
        for place, k in enumerate(used):
            for shift, digit in digits(row[k]):
                text += (" + " if digit > 0 else " - ") + _shifted(f"{{{place}}}", shift)
                count += 1
        if offset or not used:
            text += f" {'-' if offset < 0 else '+'} {abs(offset)}"
        outputs.append((tuple(used), text.removeprefix(" + ").strip()))
        terms.append(count)
    most = max(terms)
    return outputs, sum(max(0, n - 1) for n in terms), max(0, most - 1).bit_length()
