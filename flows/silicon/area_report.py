"""The area report of a design: as JSON, and as tables for a person."""

from typing import Any

from rich.console import Console
from rich.table import Table

from gatesmith.flows.silicon.area import AreaReport, Count, MemoryArea
from gatesmith.flows.silicon.memory import MemoryModel

__all__ = ["area_json", "area_notes", "print_area"]

FORMAT, VERSION = "gatesmith-area", 1


def _numbers(report: AreaReport, count: Count) -> dict[str, Any]:
    area = count.area if report.unit == "um2" else None
    return {
        "generic_cells": count.generic_cells,
        "gate_transistors": count.transistors,
        "flip_flops": count.flip_flops,
        "mapped_cells": count.mapped_cells,
        "area_um2": None if area is None else round(area, 4),
        "gate_equivalents": round(report.gate_equivalents(count.area), 2),
        "flip_flop_gate_equivalents": round(report.gate_equivalents(count.flip_flop_area), 2),
    }


def area_json(report: AreaReport, model: MemoryModel) -> dict[str, Any]:
    """The content of ``reports/area.json``."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": report.name,
        "verilog_sha256": report.verilog_sha256,
        "yosys": report.yosys,
        "buffered": report.buffered,
        "recipe": report.recipe,
        "library": {
            "name": report.library,
            "file": report.library_file,
            "sha256": report.library_sha256,
            "unit": report.unit,
            "nand2_area": report.nand2_area,
        },
        "memory_model": model.to_json(),
        "notes": area_notes(report, model),
        "total": _numbers(report, report.total),
        "logic": _numbers(report, report.logic),
        "memory": _numbers(report, report.memory),
        "hierarchy": [
            {
                "instance": part.instance,
                "module": part.module,
                "own": _numbers(report, part.own),
                "with_all_below": _numbers(report, report.below(part.instance)),
            }
            for part in report.modules
        ],
        "memories": [
            {
                "instance": memory.instance,
                "name": memory.name,
                "kind": memory.kind,
                "count": len(memory.words),
                "bits": memory.bits,
                "mapped": _numbers(report, memory.count) if memory.count.mapped_cells else None,
                "macro_area_um2": _macro_area(memory, model),
                "each": [
                    {"instance": path, "depth": depth, "width": width, "bits": depth * width}
                    for path, depth, width in memory.words
                ],
            }
            for memory in report.memories
        ],
        "generic_cells": report.generic_cells,
        "mapped_cells": report.mapped_cells,
    }


def _macro_area(memory: MemoryArea, model: MemoryModel) -> float | None:
    """Area of a memory's macros, um2; None for one that is not built of macros."""
    if not model.is_macro(memory.kind) or memory.count.mapped_cells:
        return None
    return round(model.area_um2(memory.bits, memory.kind, len(memory.words)), 1)


def area_notes(report: AreaReport, model: MemoryModel) -> list[str]:
    """What the numbers mean and leave out, one sentence each."""
    lines = [
        f"1 GE is the smallest NAND2 of the library, {report.nand2_area:g} {report.unit}."
        if report.unit == "um2"
        else "No Liberty library was given: areas are gate equivalents of our generic library, "
        "transistors of textbook circuits over the 4 of a NAND2.",
        "Before placement: no wires, no clock tree, "
        + ("cells sized and nets" if report.buffered else "cells not sized and nets not")
        + " buffered for what they drive in their own module.",
        "Transistors are Yosys' CMOS estimate of the generic gates; flip-flops are not in it.",
    ]
    kinds = {memory.kind for memory in report.memories}
    macros = [memory for memory in report.memories if _macro_area(memory, model) is not None]
    if macros:
        found = sorted({memory.kind for memory in macros})
        area = sum(_macro_area(memory, model) or 0.0 for memory in macros)
        lines.append(
            f"Memory macros ({', '.join(found)}) are in no other figure: {area:,.0f} µm² by a "
            f"model of bits ({model.technology}; {model.macros[found[0]].source})."
        )
    if kinds & {"rom", "flipflop"}:
        lines.append(
            "ROM and flip-flop memories include their address decoders and read registers."
        )
    if "table" in kinds:
        lines.append("Small tables inside the logic are counted with the module they are in.")
    return lines


def _cells(report: AreaReport, count: Count, indent: str, first: str, *middle: str) -> list[str]:
    equivalents = report.gate_equivalents(count.area)
    share = 100 * count.area / report.total.area if report.total.area else 0.0
    area = [f"{count.area:,.1f}"] if report.unit == "um2" else []
    row = [indent + first, *middle, f"{count.generic_cells:,}", f"{count.transistors:,}"]
    row += [f"{count.flip_flops:,}", f"{count.mapped_cells:,}", *area, f"{equivalents:,.1f}"]
    return [*row, f"{share:.1f}"]


def _columns(report: AreaReport) -> list[str]:
    area = ["µm²"] if report.unit == "um2" else []
    return ["gates", "transistors", "flip-flops", "cells", *area, "GE", "%"]


def print_area(report: AreaReport, model: MemoryModel, console: Console) -> None:
    """The report as tables: hierarchy, memories, generic gates."""
    console.print(
        f"[bold]{report.name}[/]: {report.gate_equivalents(report.total.area):,.0f} GE"
        + (f", {report.total.area:,.1f} µm²" if report.unit == "um2" else "")
        + f", {report.total.flip_flops:,} flip-flops"
        + f" ({report.library}, {report.yosys}, Verilog {report.verilog_sha256[:12]})"
    )
    tree = Table(title="Modules with all below, memories apart", title_justify="left")
    tree.add_column("instance")
    for column in _columns(report):
        tree.add_column(column, justify="right")
    for part in report.modules:
        level = part.instance.count(".") + 1 if part.instance else 0
        label = part.instance.rsplit(".", 1)[-1] or report.name
        logic = report.below(part.instance, memories=False)
        tree.add_row(*_cells(report, logic, "  " * level, label))
    tree.add_row(*_cells(report, report.memory, "", "memories below"))
    tree.add_row(*_cells(report, report.total, "", "total"), style="bold")
    console.print(tree)
    if report.memories:
        table = Table(title="Memories", title_justify="left")
        for column in ("memory", "kind"):
            table.add_column(column)
        for column in ("number", "words", "width", "bits", "flip-flops", "GE", "%", "macro µm²"):
            table.add_column(column, justify="right")
        for memory in report.memories:
            depths = sorted({depth for _, depth, _ in memory.words})
            widths = sorted({width for _, _, width in memory.words})
            middle = [memory.kind, str(len(memory.words)), _span(depths), _span(widths)]
            middle.append(f"{memory.bits:,}")
            label = f"{memory.instance}.{memory.name}".lstrip(".")
            row = _cells(report, memory.count, "", label)
            figures = [row[3], *row[-2:]] if memory.count.mapped_cells else ["–"] * 3
            macro = _macro_area(memory, model)
            table.add_row(label, *middle, *figures, "–" if macro is None else f"{macro:,.0f}")
        console.print(table)
    gates = sorted(report.generic_cells.items(), key=lambda entry: -entry[1])
    listed = ", ".join(f"{cell.strip('$_')} {number:,}" for cell, number in gates)
    console.print(f"Generic cells: {listed}", highlight=False)
    for line in area_notes(report, model):
        console.print(line, highlight=False)


def _span(values: list[int]) -> str:
    return str(values[0]) if len(values) == 1 else f"{values[0]}-{values[-1]}"
