"""The page of one design."""

from typing import Any

from gatesmith.flows.pages import about, cost
from gatesmith.flows.pages.document import (
    Block,
    Bullets,
    Code,
    Commands,
    Document,
    Heading,
    Inline,
    Notice,
    Paragraph,
    Table,
    Tile,
    Tiles,
)
from gatesmith.flows.pages.findings import Findings, Report, reading
from gatesmith.flows.pages.words import area_of, energy, joined, megahertz, percent

__all__ = ["design_page"]


def design_page(found: Findings) -> Document:
    """Everything that is known of a design, and what is missing or out of date."""
    design = found.design
    title = f"{design['name']}: {found.entry.title}"
    lead: list[Block] = [Tiles(_tiles(found)), *_warnings(found)]
    sections = [
        about.what(found),
        about.structure(found),
        about.equality(found),
        about.accuracy(found),
        about.clocks(found),
        cost.area(found),
        cost.timing(found),
        cost.power(found),
        cost.fpga(found),
        _commands(found),
        _notes(found),
    ]
    return Document(title, [*lead, *(block for section in sections for block in section)])


def _tiles(found: Findings) -> list[Tile]:
    tiles = [_verdict(found)]
    if found.accuracy:
        count, part = found.accuracy
        whose = "chip" if found.equal else "golden model"
        tiles.append(Tile(f"accuracy of the {whose}", percent(part), f"{count:,} test images"))
    else:
        tiles.append(
            Tile("accuracy of the golden model", "not scored", "no test set here", "missing")
        )
    with reading(found.directory / "design.json"):
        latency, interval = found.design["latency_clocks"], found.design["interval_clocks"]
        tiles.append(Tile("clocks between frames", f"{interval:,g}", f"latency {latency:,}"))
    tiles.append(_tile(found, "area", "area", _area_tile))
    tiles.append(_tile(found, "timing", "fastest clock", _timing_tile))
    tiles.append(_tile(found, "power", "energy a frame", _power_tile))
    return tiles


def _verdict(found: Findings) -> Tile:
    label = "Verilog is the golden model"
    verified = found.verified()
    if not verified:
        old = bool(found.verifications)
        words = ("out of date", "verify again", "stale") if old else ("not verified", "", "missing")
        return Tile(label, *words)
    plays = []
    for report in verified:
        with reading(report.path):
            plays += report.content["plays"]
            if not report.content["equal"]:
                return Tile(label, "NOT EQUAL", f"on {report.content['simulator']}", "bad")
            words = sum(play["words"] for play in plays)
            clocks = sum(play["clocks_checked"] for play in plays)
    names = joined([report.content["simulator"] for report in verified])
    note = f"{words:,} words, {clocks:,} clock counts, {names}"
    return Tile(label, "equal", note, "good")


def _tile(found: Findings, kind: str, label: str, make: Any) -> Tile:
    report = found.reports.get(kind)
    if report is None:
        return Tile(label, "not measured", "", "missing")
    if report.stale:
        return Tile(label, "out of date", "of other Verilog", "stale")
    with reading(report.path):
        value, note = make(report.content)
    return Tile(label, value, note)


def _area_tile(content: dict[str, Any]) -> tuple[str, str]:
    cells = f"{content['total']['mapped_cells']:,} cells"
    if content["total"].get("area_um2") is not None:
        cells += f", {content['total']['gate_equivalents']:,.0f} GE"
    macros = cost.macro_area(content)
    if macros:
        cells += f"; and {macros:,.0f} µm² of memory macros"
    return area_of(content["total"]), cells


def _timing_tile(content: dict[str, Any]) -> tuple[str, str]:
    levels = f"{content['levels']} levels of gates"
    if content["period_ns"] is None:
        return "unknown", f"no delays; {levels}"
    return megahertz(content["max_mhz"]), f"{content['period_ns']:.3f} ns, {levels}"


def _power_tile(content: dict[str, Any]) -> tuple[str, str]:
    total = content["total"]
    power = f"{total['power_mw']:,.3g} mW at {content['clock_mhz']:g} MHz"
    return energy(total["pj_per_frame"]), power


def _warnings(found: Findings) -> list[Block]:
    blocks: list[Block] = []
    if found.changed:
        words: Inline = (
            "The Verilog is not the text that lower wrote: it was changed since. Its digest is ",
            Code(found.verilog_sha256[:12]),
            "; the Spec, the accuracy and the clocks below are those of the text that was lowered.",
        )
        blocks.append(Notice("bad", words))
    stale = [report.path.name for report in _all(found) if report.stale]
    if stale:
        verb = "was" if len(stale) == 1 else "were"
        words = f"{joined(stale)} {verb} made from other Verilog and left out of this page."
        blocks.append(Notice("stale", words))
    return blocks


def _all(found: Findings) -> list[Report]:
    return [*found.verifications, *found.reports.values()]


def _commands(found: Findings) -> list[Block]:
    """How to repeat it, and with which versions."""
    design = found.design
    sets = "".join(f" --set {key}={_set(v)}" for key, v in (design.get("options") or {}).items())
    lines = [f"gatesmith lower CKPT -o DIR{sets}"]
    versions: dict[str, str] = dict(design.get("versions") or {})
    for report in found.verified():
        with reading(report.path):
            seen = report.content
            line = f"gatesmith verify DIR --frames {seen['frames']}"
            line += f" --simulator {seen['simulator']}" if seen["simulator"] != "icarus" else ""
            line += f" --stall {seen['stall']:g}" if seen["stall"] else ""
            line += f" --seed {seen['seed']}" if seen["seed"] else ""
            lines.append(line + (" --self-test" if seen["faults"] else ""))
            versions[f"verify, {seen['simulator']}"] = seen["tool"]
    mapped, measured = found.fresh("area"), found.fresh("power")
    libraries = {}
    for found_report in filter(None, (mapped, measured)):
        with reading(found_report.path):
            library = found_report.content["library"]
            libraries[library["name"]] = library
            versions["synthesis"] = found_report.content["yosys"]
    if mapped:
        with reading(mapped.path):
            library = mapped.content["library"]
            given = f" --liberty {library['file']}" if library["unit"] == "um2" else ""
            recipe = mapped.content.get("recipe", "default")
            given += f" --recipe {recipe}" if recipe != "default" else ""
            lines.append(f"gatesmith synth DIR{given}")
            model = mapped.content.get("memory_model")
            if model and cost.macro_area(mapped.content):
                versions["memory macros"] = f"{model['name']}, {model['technology']}"
    if measured:
        with reading(measured.path):
            content = measured.content
            lines.append(
                f"gatesmith power DIR --liberty {content['library']['file']} --frames "
                f"{content['frames']['count']} --clock {content['clock_mhz']:g}"
            )
            versions["gate-level simulation"] = content["simulator"]
    board = found.fresh("fpga")
    if board:
        with reading(board.path):
            target = board.content["target"]
            lines.append(f"gatesmith synth DIR --fpga {target['family']}")
            versions["place and route"] = board.content["nextpnr"]
    lines.append("gatesmith report DIR")
    rows: list[tuple[Inline, ...]] = [(name, Code(text)) for name, text in versions.items()]
    for name, library in libraries.items():
        rows.append((f"library {name}", Code(f"sha256 {library['sha256']}")))
    checkpoint = design.get("checkpoint_sha256")
    words: Inline = (
        "CKPT is the checkpoint",
        *((" whose sha256 is ", Code(str(checkpoint))) if checkpoint else ()),
        ", DIR this design folder; cell libraries are named by their files.",
    )
    return [
        Heading("Commands and versions"),
        Paragraph(words),
        Commands("\n".join(lines)),
        Table(caption="Versions", columns=("what", "version"), rows=rows),
    ]


def _set(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _notes(found: Findings) -> list[Block]:
    """What the figures leave out, in the words of each report."""
    blocks: list[Block] = []
    for kind, title in (("area", "Area"), ("timing", "Timing"), ("power", "Energy"),
                        ("fpga", "FPGA")):  # fmt: skip
        report = found.fresh(kind)
        if report:
            with reading(report.path):
                notes = [str(note) for note in report.content["notes"]]
            blocks += [Heading(title, 3), Bullets(notes)]
    if not blocks:
        return []
    return [Heading("What is counted, and what not"), *blocks]
