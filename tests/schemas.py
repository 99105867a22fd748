"""Reports against the schemas that document them."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

__all__ = ["SCHEMAS", "check_schema", "schema"]

SCHEMAS = Path(__file__).parents[1] / "flows" / "schemas"


def schema(kind: str) -> dict[str, Any]:
    """The schema of a kind of report."""
    return json.loads((SCHEMAS / f"{kind}.schema.json").read_text())


def check_schema(kind: str, content: Any) -> None:
    """A report, or the path of one, that is as its schema says; returns nothing."""
    if isinstance(content, Path):
        content = json.loads(content.read_text())
    validator = Draft202012Validator(schema(kind))
    wrong = [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(content)]
    assert not wrong, wrong
