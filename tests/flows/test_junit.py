"""JUnit XML as a CI server reads it."""

import xml.etree.ElementTree as xml
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatesmith.flows.junit import junit_xml
from gatesmith.flows.verify_report import PlayReport, VerifyReport
from gatesmith.sim.vectors import Mismatch


def _play(name: str, **changes: Any) -> PlayReport:
    values: dict[str, Any] = dict(
        frames=2, words=6, clocks=30, clocks_checked=2, mismatches=[], errors=[]
    )
    return PlayReport(name=name, **(values | changes))


def _report(*plays: PlayReport, **changes: Any) -> VerifyReport:
    values: dict[str, Any] = dict(
        directory="build/d",
        name="chip",
        verilog_sha256="a" * 64,
        changed=False,
        simulator="icarus",
        tool="Icarus Verilog version 11.0",
        frames=2,
        stall=0.3,
        seed=7,
        source="random",
        plays=list(plays),
        seconds=6.0,
    )
    return VerifyReport(**(values | changes))


def _read(report: VerifyReport) -> xml.Element:
    """As consumers do: the root, whose counts must be those of the cases."""
    root = xml.fromstring(junit_xml(report))
    assert root.tag == "testsuites"
    (suite,) = root
    assert suite.tag == "testsuite" and suite[0].tag == "properties"
    for node in (root, suite):
        assert int(node.attrib["tests"]) == len(root.findall(".//testcase"))
        assert int(node.attrib["failures"]) == len(root.findall(".//failure"))
        assert int(node.attrib["errors"]) == len(root.findall(".//error"))
        float(node.attrib["time"])
    for case in root.iter("testcase"):
        assert case.attrib["name"] and case.attrib["classname"].startswith("gatesmith.chip.")
        assert float(case.attrib["time"]) >= 0
        assert len(case) <= 1
    return root


def test_equal() -> None:
    report = _report(_play("all frames"), _play("stalled", clocks=60))
    root = _read(report)
    assert root.attrib["tests"] == "2" and root.attrib["failures"] == "0"
    times = [float(case.attrib["time"]) for case in root.iter("testcase")]
    assert times == [2.0, 4.0], "a share of the clocks"
    properties = {p.attrib["name"]: p.attrib["value"] for p in root.iter("property")}
    assert properties["simulator"] == "icarus" and properties["seed"] == "7"
    assert properties["tool"] == "Icarus Verilog version 11.0"
    assert properties["verilog_is_as_lowered"] == "true"


def test_mismatches_are_failures_and_broken_rules_errors() -> None:
    many = [Mismatch(frame=k, word=1, expected=k, got=255) for k in range(30)]
    late = Mismatch(frame=1, word=None, expected=6, got=7)
    root = _read(_report(
        _play("all frames", mismatches=many),
        _play("clocks", mismatches=[late]),
        _play("much stalled", errors=["tlast is not on the last word"], mismatches=[late]),
    ))  # fmt: skip
    first, second = root.iter("failure")
    assert first.attrib["message"] == "frame 0, word 1: expected 0x0, got 0xff"
    assert first.text and first.text.endswith("and 10 more mismatches")
    assert second.attrib["message"] == "frame 1, clocks: expected 0x6, got 0x7"
    (error,) = root.iter("error")
    assert error.attrib["message"] == "broken rule: tlast is not on the last word"
    assert error.text and "frame 1, clocks" in error.text


def test_planted_faults_are_cases() -> None:
    root = _read(_report(_play("all frames"), faults={"a word": True, "a clock": False}))
    cases = {case.attrib["name"]: case for case in root.iter("testcase")}
    assert cases["a word"].attrib["classname"] == "gatesmith.chip.icarus.self_test"
    assert len(cases["a word"]) == 0 and cases["a clock"][0].tag == "failure"


def test_comparing_nothing_is_a_failure() -> None:
    root = _read(_report(_play("all frames", frames=0, words=0, clocks=0)))
    assert root.attrib["failures"] == "1"


def test_hostile_text_is_escaped() -> None:
    text = "</failure><script>\"'&\x00\x1b\ud800"
    root = _read(_report(_play(text, errors=[text]), source=text, faults={text: False}))
    names = [case.attrib["name"] for case in root.iter("testcase")]
    assert names == ["</failure><script>\"'&\ufffd\ufffd\ufffd"] * 2
    assert junit_xml(_report(_play(text))).encode()


def test_command_writes_it(gatesmith: Callable, measured: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "verify.xml"
    outcome = gatesmith("verify", measured, "--frames", 3, "--junit", path)
    assert outcome.code == 0
    root = xml.parse(path).getroot()
    assert {case.attrib["name"] for case in root.iter("testcase")} >= {"all frames"}
    assert [file.name for file in path.parent.iterdir()] == ["verify.xml"]


def test_refuses_a_place_before_it_simulates(
    gatesmith: Callable, measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    gatesmith("verify", measured, "--junit", tmp_path).check_refused(str(tmp_path), "folder")
    gatesmith("verify", measured, "--junit", file / "x.xml").check_refused("not a folder")
    assert file.read_text() == "mine"
