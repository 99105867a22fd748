"""Whether a Verilog text does what a Spec says, in the bench."""

from pathlib import Path
from typing import Any

import numpy as np

from gatesmith.families import FAMILIES
from gatesmith.flows.verify import judge, make_vectors, simulate


def differs(
    text: str, spec: Any, frames: np.ndarray, folder: Path, simulator: str = "icarus",
    stall: float = 0.0, brief: bool = False,
) -> list[Any]:  # fmt: skip
    """What a simulator finds wrong with a text that should do what the Spec says."""
    (folder / "design.v").write_text(text)
    vectors = make_vectors(FAMILIES[spec.family], spec, frames)
    seen = simulate(
        folder / "design.v", spec.name, vectors, simulator, stall, 1, folder / "run", brief=brief
    )
    reports = judge(vectors, seen)
    assert brief or sum(report.words for report in reports) > 0
    return [found for report in reports for found in (*report.mismatches, *report.errors)]
