"""The sections of a design's page that say what it costs."""

from collections.abc import Mapping
from typing import Any

from gatesmith.flows.pages.bars import bars
from gatesmith.flows.pages.document import (
    Block,
    Code,
    Heading,
    Inline,
    Notice,
    Paragraph,
    Picture,
    Table,
)
from gatesmith.flows.pages.findings import COMMANDS, Findings, Report, reading
from gatesmith.flows.pages.words import energy, megahertz, number, short
from gatesmith.flows.silicon.power_report import LABELS

__all__ = ["area", "area_parts", "macro_area", "fpga", "power", "timing"]


def _absent(found: Findings, kind: str, what: str) -> list[Block] | None:
    """A notice for a report that is missing or stale; None for one that can be shown."""
    report = found.reports.get(kind)
    if report is None:
        return [Notice("missing", (f"{what} not measured yet: ", Code(COMMANDS[kind])))]
    if report.stale:
        with reading(report.path):
            digest = short(report.content.get("verilog_sha256"))
        words: Inline = (
            f"{what} was measured on other Verilog, sha256 ",
            Code(digest),
            f", and is not shown ({report.path.name}). Run ",
            Code(COMMANDS[kind]),
        )
        return [Notice("stale", words)]
    return None


def area_parts(content: Mapping[str, Any]) -> list[tuple[str, float, float, float, int, int]]:
    """Instance, gates, flip-flops and memories in gate equivalents, cells, flip-flops by number.

    Each part without those below it, but with the memories in it.
    """
    memory: dict[str, list[Mapping[str, Any]]] = {}
    for entry in content["memories"]:
        if entry["mapped"]:
            memory.setdefault(entry["instance"], []).append(entry["mapped"])
    rows = []
    for part in content["hierarchy"]:
        own, inside = part["own"], memory.get(part["instance"], [])
        flops = own["flip_flop_gate_equivalents"]
        rows.append(
            (
                part["instance"],
                own["gate_equivalents"] - flops,
                flops,
                sum(m["gate_equivalents"] for m in inside),
                own["mapped_cells"] + sum(m["mapped_cells"] for m in inside),
                own["flip_flops"] + sum(m["flip_flops"] for m in inside),
            )
        )
    return rows


def macro_area(content: Mapping[str, Any]) -> float:
    """Area of the memory macros, µm² by a model; it is in no other figure of the report."""
    return float(sum(memory.get("macro_area_um2") or 0.0 for memory in content["memories"]))


def area(found: Findings) -> list[Block]:
    """Picture and table of the area by part, and the memories."""
    absent = _absent(found, "area", "Area")
    if absent:
        return [Heading("Area"), *absent]
    report = found.reports["area"]
    with reading(report.path):
        return [Heading("Area"), *_area(found, report)]


def _area(found: Findings, report: Report) -> list[Block]:
    content, library = report.content, report.content["library"]
    metric = library["unit"] == "um2"
    scale = library["nand2_area"] if metric else 1.0
    parts = area_parts(content)
    total = content["total"]
    whole = total["gate_equivalents"] or 1.0
    shown = [
        (found.label(path), [scale * value for value in (gates, flops, memory)])
        for path, gates, flops, memory, _, _ in parts
        if gates + flops + memory > 0
    ]
    rows: list[tuple[Inline, ...]] = []
    for path, gates, flops, memory, cells, count in parts:
        mine = gates + flops + memory
        extra = [number(mine * scale, 1)] if metric else []
        rows.append(
            (
                found.label(path),
                Code(path or content["name"]),
                number(gates),
                number(flops),
                number(memory),
                number(mine),
                *extra,
                f"{100 * mine / whole:.1f}",
                number(cells),
                number(count),
            )
        )
    flops = total["flip_flop_gate_equivalents"] - content["memory"]["flip_flop_gate_equivalents"]
    in_memory = content["memory"]["gate_equivalents"]
    sums = [total["gate_equivalents"] - flops - in_memory, flops, in_memory]
    rows.append(
        (
            "total",
            "",
            *map(number, sums),
            number(total["gate_equivalents"]),
            *([number(total["area_um2"], 1)] if metric else []),
            "100.0",
            number(total["mapped_cells"]),
            number(total["flip_flops"]),
        )
    )
    unit = ["µm²"] if metric else []
    columns = ("part", "instance", "gates GE", "flip-flops GE", "memories GE", "GE", *unit, "%",
               "cells", "flip-flops")  # fmt: skip
    words = f"{number(total['gate_equivalents'])} gate equivalents"
    if metric:
        words += f", {number(total['area_um2'])} µm²"
    words += f", in {library['name']}; 1 GE is its smallest NAND2."
    macros = macro_area(content)
    if macros:
        words += f" Memory macros are not in it: {number(macros)} µm² more by a model of bits."
    name = "Area by part, " + ("µm²" if metric else "gate equivalents")
    series = ("gates", "flip-flops", "memories")
    return [
        Paragraph(words),
        Picture("area", bars(name, shown, series, "µm²" if metric else "GE")),
        Table(
            caption="Area by part, each without the parts below it",
            columns=columns,
            rows=rows,
            numbers=frozenset(range(2, len(columns))),
            total=True,
        ),
        *_mapped_memories(content["memories"]),
    ]


def _mapped_memories(memories: list[dict[str, Any]]) -> list[Block]:
    if not memories:
        return []
    rows = []
    for memory in memories:
        sizes = sorted({(one["depth"], one["width"]) for one in memory["each"]})
        size = ", ".join(f"{depth} × {width}" for depth, width in sizes[:4])
        mapped = memory["mapped"]
        rows.append(
            (
                Code(f"{memory['instance']}.{memory['name']}".lstrip(".")),
                memory["kind"],
                number(memory["count"]),
                size + (", …" if len(sizes) > 4 else ""),
                number(memory["bits"]),
                number(mapped["gate_equivalents"] if mapped else None),
                number(mapped["gate_equivalents"] / memory["bits"], 2)
                if mapped and memory["bits"]
                else "–",
                number(memory.get("macro_area_um2")),
            )
        )
    return [
        Table(
            caption="Memories as mapped",
            columns=(
                "memory",
                "kind",
                "number",
                "words × bits",
                "bits in all",
                "GE",
                "GE a bit",
                "macro µm²",
            ),
            rows=rows,
            numbers=frozenset(range(2, 8)),
        )
    ]


def timing(found: Findings) -> list[Block]:
    """The critical path, and the slowest path into each part."""
    absent = _absent(found, "timing", "Timing")
    if absent:
        return [Heading("Timing"), *absent]
    report = found.reports["timing"]
    with reading(report.path):
        return [Heading("Timing"), *_timing(report.content)]


def _timing(content: dict[str, Any]) -> list[Block]:
    period, critical = content["period_ns"], content["critical_path"]
    levels = f"{content['levels']} levels of gates on the longest path."
    if period is None or critical is None:
        words = f"{levels} The library {content['library']['name']} has no delays."
        return [Paragraph(words)]
    words = (
        f"Shortest clock period {period:.3f} ns, {megahertz(content['max_mhz'])}, in "
        f"{content['library']['name']}; {levels}"
    )
    second = content.get("opensta")
    if second and "period_ns" in second:
        words += f" {second['version']} says {second['period_ns']:.3f} ns."
    rows: list[tuple[Inline, ...]] = [
        (
            Code(step["instance"]) if step["instance"] else "port",
            Code(step["cell"]),
            step["edge"],
            number(step["fanout"]),
            number(step["load"], 1),
            number(step["delay"], 3),
            number(step["arrival"], 3),
        )
        for step in critical["steps"]
    ]
    setup = number(critical["setup"], 3)
    rows.append(("setup", "", "", "", "", setup, number(critical["period"], 3)))
    parts = [
        (part["label"], Code(part["instance"] or content["name"]), number(part["period_ns"], 3))
        for part in content["parts"]
    ]
    return [
        Paragraph(words),
        Table(
            caption=f"Critical path, {critical['kind']}, to {critical['end']}",
            columns=("instance", "cell", "edge", "fan-out", "load fF", "delay ns", "at ns"),
            rows=rows,
            numbers=frozenset({3, 4, 5, 6}),
            total=True,
        ),
        Table(
            caption="Slowest path that ends in each part",
            columns=("part", "instance", "period ns"),
            rows=parts,
            numbers=frozenset({2}),
        ),
    ]


def power(found: Findings) -> list[Block]:
    """Energy a frame, by kind and part."""
    absent = _absent(found, "power", "Energy")
    if absent:
        area_report = found.fresh("area")
        library = (area_report.content.get("library") or {}) if area_report else {}
        if found.reports.get("power") is None and library.get("unit", "um2") != "um2":
            absent.append(Notice("note", "Energy needs a cell library with delays and energies."))
        return [Heading("Energy"), *absent]
    report = found.reports["power"]
    with reading(report.path):
        return [Heading("Energy"), *_other_library(found, report), *_power(report.content)]


def _other_library(found: Findings, report: Report) -> list[Block]:
    """A warning when area and energy come from different libraries or recipes."""
    mapped = found.fresh("area")
    if not mapped:
        return []
    recipe = mapped.content.get("recipe", "default")
    if recipe != "default":  # power knows no other
        words = f"Area and timing are of the recipe {recipe}, energy of the default one."
        return [Notice("stale", words)]
    if mapped.content["library"]["sha256"] == report.content["library"]["sha256"]:
        return []
    words = (f"Area is of {mapped.content['library']['name']}, energy of "
             f"{report.content['library']['name']}: do not set one against the other.")  # fmt: skip
    return [Notice("stale", words)]


def _power(content: dict[str, Any]) -> list[Block]:
    total, frames = content["total"], content["frames"]
    whole = total["pj_per_frame"]
    kinds = [kind for kind in LABELS if kind in content["kinds_pj_per_frame"]]
    series = [LABELS[kind] for kind in kinds]
    macros = _macros(content)
    parts = sorted(content["parts"], key=lambda part: -part["pj_per_frame"])
    shown = [
        (part["label"], [part["kinds_pj_per_frame"][kind] for kind in kinds])
        for part in parts
        if part["pj_per_frame"] > 0.0005 * whole
    ]
    if macros:  # a colour of their own: they are no cells
        shown = [(name, [*values, 0.0]) for name, values in shown]
        shown += [(f"macros {group}", [*[0.0] * len(kinds), mine]) for group, _, mine in macros]
    rows: list[tuple[Inline, ...]] = []
    for part in parts:
        values = [number(part["kinds_pj_per_frame"][kind], 1) for kind in kinds]
        mine = part["pj_per_frame"]
        place = Code(part["instance"] or content["name"])
        share = f"{100 * mine / whole:.1f}" if whole else "–"
        rows.append((part["label"], place, *values, number(mine, 1), share))
    for group, count, mine in macros:
        values = ["–"] * len(kinds)
        share = f"{100 * mine / whole:.1f}" if whole else "–"
        name = f"{count} memory macro{'s' * (count > 1)}"
        rows.append((name, Code(group), *values, number(mine, 1), share))
    sums = [number(content["kinds_pj_per_frame"][kind], 1) for kind in kinds]
    rows.append(("total", "", *sums, number(whole, 1), "100.0"))
    columns = ("part", "instance", *series, "pJ a frame", "%")
    words = (
        f"{energy(whole)} a frame, {total['pj_per_operation']:,.3g} pJ an operation "
        f"({content['operation']}; {content['operations_per_frame']:,} a frame), "
        f"{total['power_mw']:,.3g} mW at {content['clock_mhz']:g} MHz, in "
        f"{content['library']['name']}. Measured over {frames['count']} frames "
        f"({frames['source']}), {frames['clocks']:,} clocks."
    )
    drawn = [*series, "memory macros"] if macros else series
    drawing = bars("Energy of a frame by part, pJ", shown, drawn, "pJ")
    return [
        Paragraph(words),
        Picture("energy", drawing),
        Table(
            caption="Energy by part and kind, pJ a frame",
            columns=columns,
            rows=rows,
            numbers=frozenset(range(2, len(columns))),
            total=True,
        ),
    ]


def _macros(content: Mapping[str, Any]) -> list[tuple[str, int, float]]:
    """Memory macros by group: its name, how many they are, and their energy, pJ a frame."""
    groups: dict[str, list[float]] = {}
    for macro in content.get("macros") or []:
        energies = groups.setdefault(str(macro["group"]), [])
        energies.append(macro["access"] + macro["leakage"])
    return [(group, len(energies), sum(energies)) for group, energies in groups.items()]


def fpga(found: Findings) -> list[Block]:
    """Resources of an FPGA, when it was tried."""
    if "fpga" not in found.reports:
        return []
    absent = _absent(found, "fpga", "The FPGA")
    if absent:
        return [Heading("FPGA"), *absent]
    report = found.reports["fpga"]
    with reading(report.path):
        content = report.content
        target = content["target"]
        where = f"{target['family']} {target['device']}, package {target['package']}"
        words = f"On {where}: " + ("it fits" if content["fits"] else "it does not fit")
        fastest = content.get("max_frequency_mhz")
        if fastest:
            words += f", at up to {megahertz(fastest)}"
        used = [
            (place.replace("_", " "), number(entry["used"]), number(entry["available"]),
             f"{100 * entry['used'] / entry['available']:.1f}" if entry["available"] else "–")
            for place, entry in content["utilisation"].items()
        ]  # fmt: skip
        return [
            Heading("FPGA"),
            Paragraph(f"{words}; {content['yosys']}, {content['nextpnr']}."),
            Table(
                caption="What is used of the device",
                columns=("place", "used", "available", "%"),
                rows=used,
                numbers=frozenset({1, 2, 3}),
            ),
            _resources(found, content["hierarchy"]),
        ]


def _resources(found: Findings, hierarchy: list[dict[str, Any]]) -> Table:
    kinds = list(hierarchy[0]["own"]) if hierarchy else []
    rows = [
        (found.label(part["instance"]), *(number(part["own"][kind]) for kind in kinds))
        for part in hierarchy
    ]
    return Table(
        caption="Cells by part, each without the parts below it",
        columns=("part", *(kind.replace("_", " ") for kind in kinds)),
        rows=rows,
        numbers=frozenset(range(1, len(kinds) + 1)),
    )
