"""``gatesmith estimate``: what a design costs, in about a second, from its Spec alone."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from gatesmith.families import family
from gatesmith.flows.design import read_design
from gatesmith.flows.folders import make_folder
from gatesmith.flows.silicon.calibration import TARGETS, Model, points
from gatesmith.flows.silicon.cells import CellLibrary, choose_library, describe
from gatesmith.flows.silicon.liberty import GENERIC_LIBRARY
from gatesmith.models.errors import UserError
from gatesmith.models.store import write_atomically

__all__ = ["Estimate", "estimate", "estimate_spec"]

FORMAT, VERSION = "gatesmith-estimate", 1


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a design will cost.

    Members
    -------
    name, family, kind : str
    gate_equivalents : float   NAND2 of the generic library, SRAM not in it.
    cells, flip_flops : int
    errors : dict              For each of these three: median and worst relative error of the
                               measured designs of this kind, each estimated from all others.
    measured : int             How many designs of this kind were measured.
    outside : list of str      Why the design lies outside what was measured; its error is unknown.
    memory_bits : dict         Bits by kind of memory.
    latency_clocks : int       From the first input to the last output of a lone frame.
    interval_clocks : float    Between frames of a long run.
    library : CellLibrary      When one was given.
    area_um2 : float | None    In that library.
    factor : float             Its gate equivalents over the generic ones, from the user's own
                               syntheses; 1 when there are none.
    """

    name: str
    family: str
    kind: str
    gate_equivalents: float
    cells: int
    flip_flops: int
    errors: dict[str, tuple[float, float]]
    measured: int
    outside: list[str]
    memory_bits: dict[str, int]
    latency_clocks: int
    interval_clocks: float
    library: CellLibrary | None
    area_um2: float | None
    factor: float

    def to_json(self) -> dict[str, Any]:
        """The content of ``reports/estimate.json``."""
        library = self.library
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "family": self.family,
            "kind": self.kind,
            "notes": self.notes(),
            "gate_equivalents": round(self.gate_equivalents, 1),
            "cells": self.cells,
            "flip_flops": self.flip_flops,
            "errors": {
                target: {"median": round(median, 4), "worst": round(worst, 4)}
                for target, (median, worst) in self.errors.items()
            },
            "measured_designs": self.measured,
            "outside": self.outside,
            "memory_bits": self.memory_bits,
            "latency_clocks": self.latency_clocks,
            "interval_clocks": self.interval_clocks,
            "library": {"name": library.name, "nand2_area": library.nand2_area}
            if library
            else None,
            "library_factor": round(self.factor, 4),
            "area_um2": None if self.area_um2 is None else round(self.area_um2, 1),
        }

    def notes(self) -> list[str]:
        """What the numbers mean and leave out, one sentence each."""
        lines = [
            f"Errors: of {self.measured} measured designs ({self.kind}), each from all others."
        ]
        if self.outside:
            reasons = "; ".join(self.outside)
            lines.append(f"* Outside what was measured, the error may be larger: {reasons}.")
        if self.library and self.factor == 1:
            lines.append(
                "Area is generic gate equivalents times the NAND2 of the library, which adds some "
                "per cent of error; a synthesis with it makes that a measured ratio."
            )
        if self.memory_bits.get("sram"):
            lines.append("SRAM is counted in bits only.")
        return lines


def estimate(
    directory: str | Path, *, liberty: str | Path | None = None, console: Console | None = None
) -> Estimate:
    """Estimate the design in a folder, write ``reports/estimate.json`` and print a table.

    Parameters
    ----------
    directory : path   Written by ``gatesmith lower``; only its Spec is read.
    liberty : path     Cell library to give an area in.

    Raises UserError for a folder that is no design, a broken library, and a family that brings
    no counts.
    """
    directory = Path(directory)
    entry = family(str(read_design(directory)["family"]))
    found = estimate_spec(entry.spec.load(directory / "spec.safetensors"), liberty=liberty)
    reports = directory / "reports"
    make_folder(reports)
    try:
        text = json.dumps(found.to_json(), indent=1) + "\n"
        write_atomically(reports / "estimate.json", text)
    except OSError as error:
        raise UserError(f"{reports} must be writable: {error.strerror}") from error
    _print(found, console or Console())
    return found


def estimate_spec(spec: Any, *, liberty: str | Path | None = None) -> Estimate:
    """Estimate a Spec of any family; see :func:`estimate`."""
    models = family(spec.family).models
    known = points(spec.family)
    generic = Model(p for p in known if p.library == GENERIC_NAME)
    counts, kind = models.features(spec), models.kind(spec)
    found = generic.predict(counts)
    library, factor = None, 1.0
    generic_path = GENERIC_LIBRARY.resolve()
    if liberty is not None and choose_library(liberty).resolve() != generic_path:
        library = describe(liberty)
        if library.problem:
            raise UserError(f"Liberty library {liberty} {library.problem}")
        ratios = [
            point.measured["gate_equivalents"] / generic.predict(point.features)["gate_equivalents"]
            for point in known
            if point.library == library.name
        ]
        factor = float(np.median(ratios)) if ratios else 1.0
    timing = models.timing(spec)
    ge = found["gate_equivalents"]
    errors = {}
    for target in TARGETS:
        sizes = abs(generic.errors(target, kind))
        errors[target] = (float(np.median(sizes)), float(max(sizes))) if sizes.size else (1.0, 1.0)
    return Estimate(
        name=spec.name,
        family=spec.family,
        kind=kind,
        gate_equivalents=ge,
        cells=round(found["cells"]),
        flip_flops=round(found["flip_flops"]),
        errors=errors,
        measured=sum(point.kind == kind for point in generic.known),
        outside=generic.outside(counts, kind),
        memory_bits=models.memory_bits(spec),
        latency_clocks=timing.latency,
        interval_clocks=timing.interval,
        library=library,
        area_um2=ge * factor * (library.nand2_area or 0.0) if library else None,
        factor=factor,
    )


# As the generic library calls itself in reports.
GENERIC_NAME = f"gatesmith_{GENERIC_LIBRARY.stem}"


def _print(found: Estimate, console: Console) -> None:
    table = Table(title=f"{found.name}: estimate ({found.kind})", title_justify="left")
    table.add_column("")
    for column in ("estimate", "median error", "worst"):
        table.add_column(column, justify="right")
    for target in TARGETS:
        value = getattr(found, target)
        median, worst = found.errors[target]
        label = target.replace("_", " ").replace("flip flops", "flip-flops")
        mark = "*" if found.outside else ""
        shown = [f"{100 * error:.1f} %{mark}" for error in (median, worst)]
        table.add_row(label, f"{value:,.0f}", *shown)
    if found.library and found.area_um2 is not None:
        table.add_row(f"µm² in {found.library.name}", f"{found.area_um2:,.0f}", "", "")
    for kind, bits in found.memory_bits.items():
        if bits:
            table.add_row(f"bits of {kind}", f"{bits:,}", "", "")
    table.add_row("clocks of a frame", f"{found.latency_clocks:,}", "exact", "")
    table.add_row("clocks between frames", f"{found.interval_clocks:,.6g}", "exact", "")
    console.print(table)
    for line in found.notes():
        console.print(line, highlight=False, soft_wrap=True)
