"""Reports against the schemas that document them."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from measurements import power_report, timing_report

from gatesmith.flows import verify

SCHEMAS = Path(__file__).parents[2] / "flows" / "schemas"
KINDS = ("area", "design", "power", "timing", "verify")


def _schema(kind: str) -> dict[str, Any]:
    return json.loads((SCHEMAS / f"{kind}.schema.json").read_text())


def _check(kind: str, content: Any) -> None:
    validator = Draft202012Validator(_schema(kind))
    wrong = [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(content)]
    assert not wrong, wrong


def _objects(schema: Any) -> list[dict[str, Any]]:
    """All parts of a schema that are themselves schemas of objects."""
    if isinstance(schema, list):
        return [found for part in schema for found in _objects(part)]
    if not isinstance(schema, dict):
        return []
    inside = [found for part in schema.values() for found in _objects(part)]
    return [schema, *inside] if "properties" in schema and "type" in schema else inside


@pytest.mark.parametrize("kind", KINDS)
def test_schema_documents_every_field(kind: str) -> None:
    schema = _schema(kind)
    Draft202012Validator.check_schema(schema)
    assert {path.name for path in SCHEMAS.iterdir()} >= {f"{kind}.schema.json"}
    for found in _objects(schema):
        assert found["additionalProperties"] is False, found
        for name, field in found["properties"].items():
            described = field.get("description") or schema["$defs"][
                field["$ref"].rpartition("/")[2]
            ].get("description")
            assert described, name


@pytest.mark.parametrize("kind", ["design", "area", "timing", "verify", "verify-icarus"])
def test_matches_what_the_flows_write(kind: str, measured: Path) -> None:
    place = measured if kind == "design" else measured / "reports"
    _check(kind.partition("-")[0], json.loads((place / f"{kind}.json").read_text()))


def test_matches_other_reports(measured: Path) -> None:
    digest = "a" * 64
    _check("power", power_report(digest).to_json())
    _check("power", power_report(digest, macros=(), second=None).to_json())
    _check("timing", timing_report(digest).to_json())


def test_matches_a_mismatch(tmp_path: Path, measured: Path) -> None:
    import shutil

    copy = shutil.copytree(measured, tmp_path / "d")
    verilog = copy / "rtl" / "sparse_mlp.v"
    text = verilog.read_text()
    assert text.count("assign m_axis_tdata = ") == 1
    verilog.write_text(text.replace("assign m_axis_tdata = ", "assign m_axis_tdata = ~"))
    report = verify(copy, frames=1)
    assert not report.equal and report.changed
    _check("verify", json.loads((copy / "reports" / "verify.json").read_text()))


def test_an_undocumented_key_fails(measured: Path) -> None:
    content = json.loads((measured / "design.json").read_text())
    with pytest.raises(AssertionError, match="colour"):
        _check("design", content | {"colour": "red"})
