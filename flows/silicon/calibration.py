"""Measured designs that estimates are fitted to: those that come with Gatesmith, and the user's."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.families import FAMILIES, Family, family
from gatesmith.flows.folders import check_writable
from gatesmith.flows.progress import working
from gatesmith.flows.silicon.area import AreaReport
from gatesmith.flows.silicon.liberty import GENERIC_LIBRARY
from gatesmith.flows.silicon.recipes import SCRIPTS
from gatesmith.models.errors import UserError
from gatesmith.models.store import write_atomically
from gatesmith.sim.cache import cache_folder, cached_values, keep_json
from gatesmith.sim.yosys import tool_version

__all__ = ["CALIBRATION", "TARGETS", "Model", "Point", "calibrate", "points", "remember"]

# Measured by ``gatesmith estimate --calibrate``.
CALIBRATION = Path(__file__).parent / "calibration.json"
FORMAT, VERSION = "gatesmith-calibration", 1
EXAMPLES, SEED = 46, 1

# What is estimated, and from which counts; None for all.
TARGETS: dict[str, tuple[str, ...] | None] = {
    "gate_equivalents": None,
    "cells": None,
    "flip_flops": ("register_bits", "memory_bits", "frame_bits", "stage_bits"),
}


@dataclass(frozen=True, kw_only=True)
class Point:
    """One measured design.

    Members
    -------
    kind : str         Designs of a kind are estimated alike: datapath and memory.
    features : dict    Counts of the Spec, from the family's ``features``.
    measured : dict    What synthesis found, by the names of :data:`TARGETS`.
    library : str      Cell library; gate equivalents are in its own NAND2.
    """

    kind: str
    features: dict[str, float]
    measured: dict[str, float]
    library: str


def _point(entry: Family, spec: Any, report: AreaReport) -> Point:
    models = entry.models
    return Point(
        kind=models.kind(spec),
        features=models.features(spec),
        measured={
            "gate_equivalents": round(report.gate_equivalents(report.total.area), 1),
            "cells": report.total.mapped_cells,
            "flip_flops": report.total.flip_flops,
        },
        library=report.library,
    )


def recipe_digest() -> str:
    """Of the synthesis recipe: points of another recipe are not comparable."""
    return hashlib.sha256("\n".join(SCRIPTS["default"]).encode()).hexdigest()[:16]


def _tag(entry: Family) -> dict[str, Any]:
    """What the user's points must agree in with the present program to count."""
    version = entry.models.FEATURES_VERSION
    return {"family": entry.name, "features_version": version, "recipe": recipe_digest()}


def remember(spec: Any, report: AreaReport) -> None:
    """Keep a synthesis of the user for later estimates; families without counts are passed over.

    Parameters
    ----------
    spec : Spec of a family
    report : AreaReport   Of its whole design, with any library.
    """
    entry = FAMILIES.get(getattr(spec, "family", ""))
    if entry is None or not hasattr(entry.models, "features"):
        return
    tag = _tag(entry)
    record = {"tag": tag, "point": asdict(_point(entry, spec, report))}
    keep_json("estimate", [VERSION, tag, report.verilog_sha256, report.library_sha256], record)


def points(name: str) -> list[Point]:
    """All measured designs of a family: those that come with Gatesmith, then the user's."""
    entry = family(name)
    if not hasattr(entry.models, "features"):
        raise UserError(f"Designs of {name} cannot be estimated yet")
    try:
        data = json.loads(CALIBRATION.read_text(encoding="utf-8"))
        shipped = [Point(**point) for point in data["families"][name]["points"]]
        stale = data["families"][name]["features_version"] != entry.models.FEATURES_VERSION
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{CALIBRATION}: is damaged: {error!r}") from error
    if stale:
        raise UserError(f"{CALIBRATION}: is of another version: gatesmith estimate --calibrate")
    tag, mine = _tag(entry), []
    for record in cached_values("estimate"):
        try:
            if record["tag"] == tag:
                mine.append(Point(**record["point"]))
        except (KeyError, TypeError):
            continue
    return shipped + mine


class Model:
    """Prices of the counts, fitted to measured designs by least squares of relative errors.

    No price is negative: more hardware never costs less.

    Parameters
    ----------
    known : points     Measured with one library.
    """

    def __init__(self, known: Iterable[Point]) -> None:
        self.known = list(known)
        self.names = sorted({name for point in self.known for name in point.features})
        self.counts = np.array([self._row(point.features) for point in self.known])
        self.prices = {target: self._fit(target, self.counts, self.known) for target in TARGETS}

    def _row(self, features: dict[str, float]) -> list[float]:
        return [features.get(name, 0.0) for name in self.names]

    def _fit(self, target: str, counts: np.ndarray, known: list[Point]) -> np.ndarray:
        from scipy.optimize import nnls  # type: ignore[import-untyped]

        measured = np.array([max(point.measured[target], 1.0) for point in known])
        chosen = TARGETS[target]
        used = np.array([chosen is None or name in chosen for name in self.names])
        prices = np.zeros(len(self.names))
        prices[used] = nnls(counts[:, used] / measured[:, None], np.ones(len(known)))[0]
        return prices

    def predict(self, features: dict[str, float]) -> dict[str, float]:
        """Estimates by the names of :data:`TARGETS`."""
        row = np.array(self._row(features))
        return {target: float(row @ prices) for target, prices in self.prices.items()}

    def errors(self, target: str, kind: str) -> np.ndarray:
        """Relative errors of designs of a kind, each estimated from all others, ``[designs]``."""
        found = []
        for number, point in enumerate(self.known):
            if point.kind == kind:
                counts = np.delete(self.counts, number, axis=0)
                rest = self.known[:number] + self.known[number + 1 :]
                estimate = float(self.counts[number] @ self._fit(target, counts, rest))
                found.append(estimate / max(point.measured[target], 1.0) - 1)
        return np.array(found)

    def outside(self, features: dict[str, float], kind: str) -> list[str]:
        """Why a design lies outside what was measured, a phrase each; empty when it does not."""
        same = [point for point in self.known if point.kind == kind]
        if not same:
            return [f"no design of kind {kind} was measured"]
        found = []
        for name, value in features.items():
            most = max(point.features.get(name, 0.0) for point in same)
            if value > 1.1 * most:
                label = name.replace("_", " ")
                found.append(f"{value:,.0f} {label} are more than the {most:,.0f} measured")
        return found


def calibrate(
    path: str | Path = CALIBRATION,
    *,
    count: int = EXAMPLES,
    timeout_seconds: float = 600,
) -> None:
    """Measure random designs of all families with the generic library and write the points.

    Takes some seconds a design. A design over the time limit is an error, not left out.

    Parameters
    ----------
    path : path       JSON file to write; the file that estimates read unless given.
    count : int       Random designs a family; a few wide ones come on top.
    """
    from gatesmith.flows.synth import mapping_of

    path = Path(path)
    check_writable(path)
    log = cache_folder() / "calibrate.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    for entry in FAMILIES.values():
        if not hasattr(entry.models, "examples"):
            continue
        measured = []
        for number, spec in enumerate(entry.models.examples(count, SEED), start=1):
            with working(f"{entry.name}: design {number}"):
                mapping = mapping_of(
                    entry.verilog(spec),
                    spec.name,
                    liberty=GENERIC_LIBRARY,  # whatever else this machine has
                    log=log,
                    timeout_seconds=timeout_seconds,
                )
            measured.append(asdict(_point(entry, spec, mapping.report)))
        found[entry.name] = {
            "features_version": entry.models.FEATURES_VERSION,
            "recipe": recipe_digest(),
            "yosys": tool_version(),
            "library": GENERIC_LIBRARY.name,
            "points": measured,
        }
    data = {"format": FORMAT, "version": VERSION, "seed": SEED, "families": found}
    write_atomically(path, _compact(data))


def _compact(data: dict[str, Any]) -> str:
    """JSON with a line for each point: a change of one is a change of one line."""
    families = []
    for name, entry in data["families"].items():
        lines = ",\n".join(f"   {json.dumps(point)}" for point in entry["points"])
        head = json.dumps({k: v for k, v in entry.items() if k != "points"})[:-1]
        families.append(f'  {json.dumps(name)}: {head}, "points": [\n{lines}\n  ]}}')
    head = json.dumps({k: v for k, v in data.items() if k != "families"})[:-1]
    body = ",\n".join(families)
    return f'{head}, "families": {{\n{body}\n}}}}\n'
