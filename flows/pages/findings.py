"""What a design folder holds: the design, and the reports that still belong to its Verilog."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatesmith.families import Family
from gatesmith.flows.accuracy import golden_accuracy
from gatesmith.flows.design import read_spec, sha256
from gatesmith.flows.silicon.labels import label_of
from gatesmith.flows.verify import SIMULATORS
from gatesmith.models.errors import UserError

__all__ = ["COMMANDS", "Findings", "Report", "gather", "reading"]

VERSION = 1
# Report to the command that writes it; DIR stands for the design folder.
COMMANDS = {
    "verify": "gatesmith verify DIR",
    "area": "gatesmith synth DIR --liberty LIB",
    "timing": "gatesmith synth DIR --liberty LIB",
    "power": "gatesmith power DIR --liberty LIB",
    "fpga": "gatesmith synth DIR --fpga ice40",
}


@dataclass(frozen=True)
class Report:
    """A report that was found.

    ``stale`` is whether it was made from other Verilog than the design has now.
    """

    path: Path
    content: dict[str, Any]
    stale: bool


@dataclass(frozen=True, kw_only=True)
class Findings:
    """A design and its reports.

    Members
    -------
    design : dict            Content of ``design.json``.
    verilog : str            Text of the design; ``verilog_sha256`` is its digest.
    changed : bool           The Verilog is not the text that ``lower`` wrote.
    labels : dict            What the family says of its instances.
    reports : dict           ``area``, ``timing``, ``power``, ``fpga`` to a Report, if there.
    verifications : tuple    One Report a simulator.
    accuracy : tuple         Test images and the golden model's accuracy, or None and why not.
    """

    directory: Path
    design: dict[str, Any]
    entry: Family
    spec: Any
    verilog: str
    verilog_sha256: str
    changed: bool
    labels: Mapping[str, str]
    reports: Mapping[str, Report]
    verifications: tuple[Report, ...]
    accuracy: tuple[int, float] | None
    no_accuracy: str

    def fresh(self, kind: str) -> Report | None:
        """The report of a kind, when it belongs to the present Verilog."""
        report = self.reports.get(kind)
        return report if report and not report.stale else None

    def verified(self) -> list[Report]:
        """Verifications of the present Verilog."""
        return [report for report in self.verifications if not report.stale]

    @property
    def equal(self) -> bool:
        """Whether the present Verilog was verified, and always found equal."""
        seen = [report.content.get("equal") is True for report in self.verified()]
        return bool(seen) and all(seen)

    def label(self, instance: str) -> str:
        """An instance in the words of the family."""
        return label_of(instance, self.labels) or instance


def gather(directory: str | Path, *, data_dir: str | Path | None = None) -> Findings:
    """Read a design folder and all its reports.

    UserError for a folder that is no design, a report that cannot be read or is another's, and
    for a data set that is not in the ``data_dir`` that was given.
    """
    directory = Path(directory)
    design, entry, spec = read_spec(directory)
    path = directory / "rtl" / f"{design['name']}.v"
    try:
        verilog, digest = path.read_text(encoding="utf-8"), sha256(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    folder = directory / "reports"
    reports = {
        kind: report
        for kind in ("area", "timing", "power", "fpga")
        if (report := _read(folder / f"{kind}.json", kind, digest))
    }
    verifications = [
        report
        for simulator in SIMULATORS
        if (report := _read(folder / f"verify-{simulator}.json", "verify", digest))
    ]
    last = None if verifications else _read(folder / "verify.json", "verify", digest)
    accuracy, reason = _accuracy(entry, spec, design.get("data"), data_dir)
    return Findings(
        directory=directory,
        design=design,
        entry=entry,
        spec=spec,
        verilog=verilog,
        verilog_sha256=digest,
        changed=digest != design["verilog_sha256"],
        labels=entry.models.parts(spec),
        reports=reports,
        verifications=tuple([*verifications, *([last] if last else [])]),
        accuracy=accuracy,
        no_accuracy=reason,
    )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """UserError for what is not in a report, or not of its kind, while a section is written."""
    try:
        yield
    except KeyError as error:
        raise UserError(f"{path}: key {error} is missing; run its command again") from error
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise UserError(f"{path}: is damaged: {error}; run its command again") from error


def _read(path: Path, kind: str, digest: str) -> Report | None:
    """A report, None when there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read: {error}; remove it, or run "
                        f"{COMMANDS[kind]} again") from error  # fmt: skip
    wanted = f"gatesmith-{kind}"
    if not isinstance(content, dict) or content.get("format") != wanted:
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise UserError(f"{path}: format must be {wanted!r}, not {found!r}; "
                        f"run {COMMANDS[kind]} again")  # fmt: skip
    if content.get("version") != VERSION:
        raise UserError(f"{path}: version must be {VERSION}, not {content.get('version')!r}")
    return Report(path, content, content.get("verilog_sha256") != digest)


def _accuracy(
    entry: Family, spec: Any, name: str | None, data_dir: str | Path | None
) -> tuple[tuple[int, float] | None, str]:
    if not name:
        return None, "The design names no data set, so the golden model was not scored."
    try:
        return golden_accuracy(entry, spec, name, data_dir), ""
    except UserError as error:
        if data_dir is not None:
            raise
        return None, f"The golden model was not scored here: {error}"
