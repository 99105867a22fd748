"""The sections of a design's page that say what it is and whether it is right."""

from collections import Counter
from typing import Any

from gatesmith.flows.lower import option_names
from gatesmith.flows.pages.diagram import MOST_PARTS, diagram
from gatesmith.flows.pages.document import (
    Block,
    Bullets,
    Code,
    Heading,
    Inline,
    Notice,
    Paragraph,
    Picture,
    Table,
)
from gatesmith.flows.pages.findings import COMMANDS, Findings, Report, reading
from gatesmith.flows.pages.frame_waves import frame_waveform
from gatesmith.flows.pages.structure import Structure, read_structure
from gatesmith.flows.pages.words import number, percent, short
from gatesmith.models.errors import UserError

__all__ = ["accuracy", "clocks", "equality", "structure", "what"]

_STREAMS = {
    "s_axis": "frames in",
    "m_axis": "frames out",
    "c_axis": "configuration, loaded after reset",
}
_METRICS = {
    "test_accuracy": "of the trained network in integers, when it was saved",
    "valid_accuracy": "on images kept apart for validation",
    "float_test_accuracy": "of a dense float network of the same shape, on the test set",
}


def what(found: Findings) -> list[Block]:
    """Family, shape, options, streams, memories, origin."""
    design = found.design
    with reading(found.directory / "design.json"):
        options: list[Inline] = [
            (f"{name}: ", Code(str(value)))
            for name in option_names(found.entry)
            if isinstance(value := getattr(found.spec, name, None), str | int) and name != "name"
        ]
        read = _structure(found)
        parts = [found.label(part) for part in read.parts] if read else []
        config = design.get("config") or {}
        rows: list[tuple[Inline, ...]] = [
            ("family", (Code(found.entry.name), f": {found.entry.title}")),
            ("after", found.entry.paper),
            *([("parts", "; ".join(parts))] if parts else []),
            *((plain_name(one), one[1]) for one in options if isinstance(one, tuple)),
            ("top module", Code(design["name"])),
            ("checkpoint", Code(f"sha256 {design.get('checkpoint_sha256') or 'unknown'}")),
            ("Verilog", Code(f"sha256 {found.verilog_sha256}")),
        ]
        if config:
            trained = ", ".join(f"{k} {_value(v)}" for k, v in config.items() if v is not None)
            rows.append(("trained as", trained))
        streams = [
            (Code(name), title, str(entry["words"]), str(entry["data_width"]), _fields(entry))
            for name, title in _STREAMS.items()
            if (entry := design["streams"].get(name))
        ]
        outside = design.get("weights_outside")
        if outside:
            words = f"address of a burst's first word, below {outside['words']}"
            bits = str(outside["request_width"])
            streams.append((Code("r_axis"), "requests for weights", "1", bits, words))
            words = f"words of {outside['width']} bits"
            bits = str(outside["data_width"])
            streams.append((Code("w_axis"), "weights", "a burst", bits, words))
        return [
            Heading("What it is"),
            Table(caption="The design", columns=("", ""), rows=rows),
            Heading("Ports", 3),
            Paragraph(
                (
                    "AXI4-Stream, one word a beat in the low bits of ",
                    Code("tdata"),
                    ", on the rising edge of ",
                    Code("clk"),
                    "; ",
                    Code("rst"),
                    " is synchronous, ",
                    Code("frame_error"),
                    " tells of a frame of the wrong length.",
                )
            ),
            Table(
                caption="Streams",
                columns=("stream", "purpose", "words a frame", "bits", "words in order"),
                rows=streams,
                numbers=frozenset({2, 3}),
            ),
            *_memories(design["memories"]),
        ]


def plain_name(pair: tuple[Any, ...]) -> str:
    """Name of an option that is shown as (name and colon, value)."""
    return str(pair[0]).rstrip(": ")


def _value(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _fields(stream: dict[str, Any]) -> str:
    parts: dict[str, list[str]] = {"": [], "repeated": [], "tail": []}
    for field in stream["fields"]:
        text = f"{field['count']} × {field['name']} of {field['width']} bits, "
        text += "signed" if field["signed"] else "unsigned"
        text += f", at most {field['most']}" if "most" in field else ""
        parts[field.get("part", "")].append(text)
    repeats = [field["repeats"] for field in stream["fields"] if "repeats" in field]
    if repeats:
        parts["repeated"] = [f"1 to {repeats[0]} times ({', then '.join(parts['repeated'])})"]
    return ", then ".join(text for part in parts.values() for text in part)


def _memories(entries: list[dict[str, Any]]) -> list[Block]:
    if not entries:
        return [Heading("Memories", 3), Paragraph("It has none.")]
    # Alike in name, kind and size, in the same part: one row.
    alike = Counter(
        (
            ".".join(m["instance"].split(".")[:2]) + "…." + m["instance"].split(".")[-1],
            m["kind"],
            m["depth"],
            m["width"],
        )
        for m in entries
    )
    rows = [
        (Code(name), kind, number(n), number(depth), number(width), number(n * depth * width))
        for (name, kind, depth, width), n in alike.items()
    ]
    total = sum(m["depth"] * m["width"] for m in entries)
    rows.append(("total", "", number(len(entries)), "", "", number(total)))  # type: ignore[arg-type]
    return [
        Heading("Memories", 3),
        Table(
            caption="Memories in the Verilog",
            columns=("instance", "kind", "number", "words", "bits a word", "bits"),
            rows=rows,
            numbers=frozenset({2, 3, 4, 5}),
            total=True,
        ),
    ]


def structure(found: Findings) -> list[Block]:
    """Block diagram of the top levels."""
    with reading(found.directory / "design.json"):
        read = _structure(found)
    if read is None or not 1 <= len(read.parts) <= MOST_PARTS:
        return []
    drawing = diagram(found.design["name"], read, found.labels)
    return [Heading("Structure"), Picture("structure", drawing)]


def _structure(found: Findings) -> Structure | None:
    streams = {name: s["data_width"] for name, s in found.design["streams"].items() if s}
    outside = found.design.get("weights_outside")
    if outside:
        streams |= {"r_axis": outside["request_width"], "w_axis": outside["data_width"]}
    return read_structure(found.verilog, found.design["name"], found.labels, streams)


def equality(found: Findings) -> list[Block]:
    """Verdict, and how much was compared."""
    blocks: list[Block] = [Heading("Verilog against golden model")]
    if not found.verifications:
        return [*blocks, Notice("missing", ("Not verified yet: ", Code(COMMANDS["verify"])))]
    for report in found.verifications:
        with reading(report.path):
            blocks += _verification(report)
    return blocks


def _verification(report: Report) -> list[Block]:
    seen = report.content
    name = seen["simulator"]
    if report.stale:
        command = f"{COMMANDS['verify']} --simulator {name}"
        digest = short(seen.get("verilog_sha256"))
        old = ("The verification on ", name, " is of other Verilog, sha256 ", Code(digest),
               ", and not shown. Run ", Code(command))  # fmt: skip
        return [Notice("stale", old)]
    plays = seen["plays"]
    wrong = sum(len(play["mismatches"]) for play in plays)
    broken = [(play["name"], error) for play in plays for error in play["errors"]]
    frames, words_compared = (sum(play[key] for play in plays) for key in ("frames", "words"))
    timed = sum(play["clocks_checked"] for play in plays)
    missed = [fault for fault, was_seen in seen["faults"].items() if not was_seen]
    verdict = (
        f"{seen['tool']}: {number(frames)} frames, {number(words_compared)} words and the clocks "
        f"of {number(timed)} frames compared; frames: {seen['source']}; seed {seen['seed']}"
    )
    if seen["stall"]:
        verdict += f"; all frames again with stalls in {100 * seen['stall']:g} % of the clocks"
    blocks: list[Block] = [Heading(f"On {name}", 3)]
    if seen["equal"]:
        blocks.append(Paragraph(f"Equal, every word and every clock. {verdict}."))
    else:
        blocks.append(
            Notice(
                "bad",
                f"Not equal: {number(wrong)} mismatches, {number(len(broken))} broken rules, "
                f"{number(len(missed))} planted faults missed. {verdict}.",
            )
        )
        if broken:
            blocks.append(Bullets([f"{play}: {error}" for play, error in broken[:10]]))
    rows = [
        (
            play["name"],
            *(number(play[key]) for key in ("frames", "words", "clocks", "clocks_checked")),
            number(len(play["mismatches"])),
            number(len(play["errors"])),
        )
        for play in plays
    ]
    blocks.append(
        Table(
            caption=f"Scenarios on {name}",
            columns=(
                "scenario",
                "frames",
                "words",
                "clocks simulated",
                "clock counts compared",
                "mismatches",
                "broken rules",
            ),
            rows=rows,
            numbers=frozenset(range(1, 7)),
        )  # fmt: skip
    )
    if seen["faults"]:
        caught = len(seen["faults"]) - len(missed)
        words = f"Self-test: {caught} of {len(seen['faults'])} planted faults and controls as due"
        blocks.append(Paragraph(words + (f"; missed: {', '.join(missed)}." if missed else ".")))
    return blocks


def accuracy(found: Findings) -> list[Block]:
    """Of training, and of the golden model."""
    rows: list[tuple[Inline, ...]] = []
    if found.accuracy:
        count, part = found.accuracy
        whose = "the golden model, and so of the chip," if found.equal else "the golden model"
        words = f"of {whose} on {count:,} test images"
        rows.append((words, percent(part)))
    metrics = found.design.get("metrics") or {}
    for name, words in _METRICS.items():
        if isinstance(metrics.get(name), int | float):
            rows.append((words, percent(metrics[name])))
    blocks: list[Block] = [Heading("Accuracy")]
    if rows:
        data = found.design.get("data") or "its data set"
        blocks.append(
            Table(
                caption=f"Accuracy, {data}",
                columns=("whose", "accuracy"),
                rows=rows,
                numbers=frozenset({1}),
            )
        )
    if not found.accuracy:
        blocks.append(Notice("missing", found.no_accuracy))
    return blocks


def clocks(found: Findings) -> list[Block]:
    """Latency and interval, and a frame on the ports."""
    with reading(found.directory / "design.json"):
        latency, interval = found.design["latency_clocks"], found.design["interval_clocks"]
        blocks: list[Block] = [
            Heading("Clocks"),
            Paragraph(
                f"A lone frame takes {latency:,} clocks from its first input beat to its last "
                f"output beat. In a long run a frame starts every {interval:,g} clocks."
            ),
        ]
    path = found.directory / "rtl" / f"{found.design['name']}.v"
    try:
        drawing = frame_waveform(found.entry, found.spec, path, found.design["ports"])
    except UserError as error:
        return [*blocks, Notice("missing", f"No waveform: {error}")]
    words = "A random frame that nothing stalls, in the middle cut; values are hexadecimal."
    return [*blocks, Paragraph(words), Picture("waveform", drawing)]
