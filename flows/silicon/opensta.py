"""A second opinion from OpenSTA, where its program ``sta`` is installed.

The netlist is written anew with plain names, since old versions stumble over escaped ones; cells
are ``u<number>`` in the order of the netlist and nets ``n<number>``.
"""

import gzip
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.flows.progress import working
from gatesmith.flows.silicon.liberty import Library
from gatesmith.flows.silicon.netlist import Netlist
from gatesmith.models.errors import UserError
from gatesmith.sim.process import run_logged

__all__ = ["available", "opinion"]

PROGRAM = "sta"
COUNTED = re.compile(r"^Total\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", re.MULTILINE)
SLACK = re.compile(r"^\s*(-?[\d.]+)\s+slack", re.MULTILINE)
PERIOD = 100.0  # of the clock that paths are measured against, in units of the library


@cache
def available() -> str | None:
    """Version of the installed OpenSTA, or None."""
    if not shutil.which(PROGRAM):
        return None
    with tempfile.TemporaryDirectory(prefix="gatesmith-") as name:
        script = Path(name, "version.tcl")
        script.write_text("exit\n")
        try:
            run = subprocess.run(
                [PROGRAM, "-exit", str(script)], capture_output=True, text=True, timeout=60
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    found = re.search(r"OpenSTA (\S+)", run.stdout)
    return f"OpenSTA {found[1]}" if found else None


def opinion(
    netlist: Netlist,
    library: Library,
    *,
    activity: Mapping[str, np.ndarray] | None = None,
    period: float = 0.0,
    timeout_seconds: float = 600,
) -> dict[str, Any] | None:
    """Timing of a netlist, and its power when the activity of its nets is given.

    Parameters
    ----------
    activity : mapping   ``toggles`` a clock and ``duty`` of each net, float ``[nets]``.
    period : float       Clock period of the power, ns, when the activity is given.

    Returns ``version`` and ``period_ns``, and with an activity ``internal``, ``switching``,
    ``leakage`` and ``total`` in mW; or ``version`` and an ``error`` of one line; or None where
    OpenSTA is not installed.
    """
    version = available()
    if version is None:
        return None
    with working("Asking OpenSTA"):
        try:
            found = _ask(netlist, library, activity, period, timeout_seconds)
        except UserError as error:
            found = {"error": str(error)}
    return {"version": version, **found}


def _ask(
    netlist: Netlist,
    library: Library,
    activity: Mapping[str, np.ndarray] | None,
    period: float,
    timeout_seconds: float,
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="gatesmith-") as name:
        folder = Path(name)
        plain = library.path.read_bytes()
        plain = gzip.decompress(plain) if library.path.suffix == ".gz" else plain
        # Without the wires that it would guess from the number of pins on a net.
        plain = re.sub(rb"\n\s*default_wire_load\s*:[^;\n]*;?", b"", plain)
        (folder / "cells.lib").write_bytes(plain)
        (folder / "netlist.v").write_text("\n".join(_verilog(netlist)) + "\n")
        unit = library.scale("time_unit") / 1e-9
        script = _script(netlist, activity, period / unit)
        (folder / "run.tcl").write_text("\n".join(script) + "\n")
        log = folder / "run.log"
        command = [PROGRAM, "-exit", "run.tcl"]
        code = run_logged(command, folder, log, tool="OpenSTA", timeout_seconds=timeout_seconds)
        text = log.read_text(errors="replace")
    slacks, total = SLACK.findall(text), COUNTED.search(text)
    if code or not slacks or (activity is not None and total is None):
        lines = [line for line in text.splitlines() if "rror" in line or "No paths" in line]
        reason = lines[0].strip() if lines else f"exit status {code}"
        raise UserError(f"OpenSTA failed: {reason}")
    answer: dict[str, Any] = {"period_ns": (PERIOD - float(slacks[0])) * unit}
    if total is not None:
        names = ("internal", "switching", "leakage", "total")
        watts = map(float, total.groups())
        answer |= {name: value * 1e3 for name, value in zip(names, watts, strict=True)}
    return answer


def _verilog(netlist: Netlist) -> Iterable[str]:
    """The netlist in Verilog that any version reads."""

    def name(net: int) -> str:
        return f"1'b{net}" if net <= Netlist.ONE else f"n{net}"

    flat = [(f"p{k}_{bit}", port, net) for k, port in enumerate(netlist.ports)
            for bit, net in enumerate(port.nets)]  # fmt: skip
    yield f"module top({', '.join(port for port, _, _ in flat)});"
    for pin, port, _ in flat:
        yield f"  {'output' if port.output else 'input'} {pin};"
    for net in range(2, netlist.nets):
        yield f"  wire n{net};"
    for pin, port, net in flat:
        yield f"  assign {pin} = {name(net)};" if port.output else f"  assign n{net} = {pin};"
    number = 0
    for group in netlist.groups:
        columns = [(pin, nets.tolist()) for pin, nets in group.pins.items()]
        for index in range(len(group)):
            wired = ", ".join(f".{pin}({name(nets[index])})" for pin, nets in columns)
            yield f"  {group.cell.name} u{number} ({wired});"
            number += 1
    yield "endmodule"


def _script(
    netlist: Netlist,
    activity: Mapping[str, np.ndarray] | None,
    period: float,
) -> Iterable[str]:
    clock = next(k for k, port in enumerate(netlist.ports) if netlist.clock in port.nets)
    yield "read_liberty cells.lib"
    yield "read_verilog netlist.v"
    yield "link_design top"
    yield f"create_clock -name clock -period {PERIOD:.0f} [get_ports p{clock}_0]"
    yield "set_input_delay 0 -clock clock [all_inputs]"
    yield "set_output_delay 0 -clock clock [all_outputs]"
    yield "report_checks -path_delay max -digits 6"
    if activity is None:
        return
    # A density is in toggles a clock period: the period of the power is another clock's.
    yield f"create_clock -name clock -period {period:.9g} [get_ports p{clock}_0]"
    # The documented command fails in old versions, and the inner one counts otherwise in new ones.
    yield "proc activity {pin toggles duty} {"
    if re.match(r"OpenSTA 2\.0\b", available() or ""):
        yield "  ::sta::set_power_pin_activity $pin $toggles $duty"
    else:
        yield "  set_power_activity -pins $pin -activity $toggles -duty $duty"
    yield "}"
    toggles, duty = activity["toggles"].tolist(), activity["duty"].tolist()
    number = 0
    for group in netlist.groups:
        for index in range(len(group)):
            for pin, nets in group.pins.items():
                net = int(nets[index])
                if net > Netlist.ONE and net != netlist.clock:
                    yield (
                        f"activity [get_pins u{number}/{pin}] {toggles[net]:.6g} {duty[net]:.6g}"
                    )
            number += 1
    yield "report_power -digits 6"
