"""A verification as JUnit XML, which CI servers show as a table of tests."""

import re
import xml.etree.ElementTree as xml
from pathlib import Path

from gatesmith.flows.verify_report import PlayReport, VerifyReport
from gatesmith.models.errors import UserError
from gatesmith.models.store import write_atomically

__all__ = ["junit_xml", "write_junit"]

SHOWN = 20  # mismatches of a scenario that are written out
# What XML cannot hold, not even escaped.
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(report: VerifyReport, path: str | Path) -> None:
    """Write the XML whole or not at all; UserError when the file cannot be written."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, junit_xml(report))
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error


def junit_xml(report: VerifyReport) -> str:
    """One test case a scenario, and one for each fault that the self-test planted.

    A mismatch is a failure, a broken rule an error; when a scenario has both it is an error that
    lists both. The simulator plays all scenarios in one run: a case's time is its share of the
    clocks, and the suite's time is what the run took.
    """
    suite = xml.Element("testsuite", name=_clean(f"gatesmith.{report.name}.{report.simulator}"))
    properties = xml.SubElement(suite, "properties")
    for name, value in (
        ("design", report.directory),
        ("verilog_sha256", report.verilog_sha256),
        ("verilog_is_as_lowered", str(not report.changed).lower()),
        ("simulator", report.simulator),
        ("tool", report.tool),
        ("frames", str(report.frames)),
        ("frames_from", report.source),
        ("seed", str(report.seed)),
        ("stall", f"{report.stall:g}"),
        ("words_compared", str(report.total("words"))),
        ("clock_counts_compared", str(report.total("clocks_checked"))),
    ):
        xml.SubElement(properties, "property", name=name, value=_clean(value))
    clocks = report.total("clocks") or 1
    place = f"gatesmith.{report.name}.{report.simulator}"
    for play in report.plays:
        case = _case(suite, place, play.name, report.seconds * play.clocks / clocks)
        _judge(case, play)
    for fault, seen in report.faults.items():
        case = _case(suite, f"{place}.self_test", fault, 0.0)
        if not seen:
            message = "the planted fault was not seen"
            xml.SubElement(case, "failure", message=message, type="MissedFault")
    if not report.total("words"):
        case = _case(suite, place, "something was compared", 0.0)
        xml.SubElement(case, "failure", message="no word was compared", type="NothingCompared")
    counts = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": 0,
    }
    for name, count in counts.items():
        suite.set(name, str(count))
    suite.set("time", f"{report.seconds:.3f}")
    root = xml.Element("testsuites", {**suite.attrib, "name": "gatesmith verify"})
    root.append(suite)
    xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(root, "unicode") + "\n"


def _case(suite: xml.Element, place: str, name: str, seconds: float) -> xml.Element:
    return xml.SubElement(
        suite, "testcase", name=_clean(name), classname=_clean(place), time=f"{seconds:.3f}"
    )


def _judge(case: xml.Element, play: PlayReport) -> None:
    lines = [f"broken rule: {error}" for error in play.errors]
    for found in play.mismatches[:SHOWN]:
        what = "clocks" if found.word is None else f"word {found.word}"
        lines.append(
            f"frame {found.frame}, {what}: expected {found.expected:#x}, got {found.got:#x}"
        )
    if len(play.mismatches) > SHOWN:
        lines.append(f"and {len(play.mismatches) - SHOWN:,} more mismatches")
    if not lines:
        return
    kind, rule = ("error", "BrokenRule") if play.errors else ("failure", "Mismatch")
    node = xml.SubElement(case, kind, message=_clean(lines[0]), type=rule)
    node.text = _clean("\n".join(lines))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
