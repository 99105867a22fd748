"""Reports against the schemas that document them."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from measurements import fpga_report, power_report, timing_report
from schemas import SCHEMAS, check_schema, schema

from gatesmith.flows import verify
from gatesmith.flows.silicon.devices import FAMILIES

KINDS = ("area", "design", "estimate", "fpga", "power", "timing", "verify")


def _objects(part: Any) -> list[dict[str, Any]]:
    """All parts of a schema that are themselves schemas of objects."""
    if isinstance(part, list):
        return [found for entry in part for found in _objects(entry)]
    if not isinstance(part, dict):
        return []
    inside = [found for entry in part.values() for found in _objects(entry)]
    return [part, *inside] if "properties" in part and "type" in part else inside


def test_every_schema_is_of_a_kind() -> None:
    assert {path.name for path in SCHEMAS.iterdir()} == {f"{kind}.schema.json" for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_schema_documents_every_field(kind: str) -> None:
    whole = schema(kind)
    Draft202012Validator.check_schema(whole)
    for found in _objects(whole):
        assert found["additionalProperties"] is False, found
        for name, field in found["properties"].items():
            described = field.get("description") or whole["$defs"][
                field["$ref"].rpartition("/")[2]
            ].get("description")
            assert described, name


@pytest.mark.parametrize("kind", ["design", "area", "timing", "verify", "verify-icarus"])
def test_matches_what_the_flows_write(kind: str, measured: Path) -> None:
    place = measured if kind == "design" else measured / "reports"
    check_schema(kind.partition("-")[0], place / f"{kind}.json")


def test_matches_other_reports(measured: Path) -> None:
    digest = "a" * 64
    check_schema("power", power_report(digest).to_json())
    check_schema("power", power_report(digest, macros=(), second=None).to_json())
    check_schema("timing", timing_report(digest).to_json())
    check_schema("fpga", fpga_report(digest))


def test_matches_a_mismatch(tmp_path: Path, measured: Path) -> None:
    import shutil

    copy = shutil.copytree(measured, tmp_path / "d")
    verilog = copy / "rtl" / "sparse_mlp.v"
    text = verilog.read_text()
    assert text.count("assign m_axis_tdata = ") == 1
    verilog.write_text(text.replace("assign m_axis_tdata = ", "assign m_axis_tdata = ~"))
    report = verify(copy, frames=1)
    assert not report.equal and report.changed
    check_schema("verify", copy / "reports" / "verify.json")


def test_every_place_of_a_device_is_documented() -> None:
    named = {place for entry in FAMILIES.values() for place in entry.utilisation.values()}
    assert set(schema("fpga")["properties"]["utilisation"]["properties"]) == named


def test_an_undocumented_key_fails(measured: Path) -> None:
    content = json.loads((measured / "design.json").read_text())
    with pytest.raises(AssertionError, match="colour"):
        check_schema("design", content | {"colour": "red"})
