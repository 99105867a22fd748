"""Reports of a design as the flows write them, with figures made up: no cell library is needed."""

import json
from pathlib import Path
from typing import Any

from gatesmith.flows.silicon.devices import Resources
from gatesmith.flows.silicon.fpga_report import FpgaModule, FpgaReport
from gatesmith.flows.silicon.power_report import MacroEnergy, PartEnergy, PowerReport
from gatesmith.flows.silicon.timing import Path as TimedPath
from gatesmith.flows.silicon.timing import Step
from gatesmith.flows.silicon.timing_report import TimingReport

__all__ = ["LIBRARY", "fpga_report", "power_report", "timing_report", "write"]

LIBRARY = {
    "name": "made_up",
    "file": "made_up.lib",
    "sha256": "0" * 64,
    "unit": "um2",
    "nand2_area": 2.0,
    "corner": "tt, 1.8 V, 25 °C",
}
KINDS = {"clock": 40.0, "flip_flop": 20.0, "logic": 25.0, "switching": 12.5, "leakage": 0.25}


def power_report(digest: str, **changes: Any) -> PowerReport:
    """Energy of two parts and a macro."""
    values: dict[str, Any] = dict(
        name="sparse_mlp",
        verilog_sha256=digest,
        yosys="pyosys 0.70",
        simulator="Icarus Verilog version 11.0",
        library=LIBRARY,
        frames=4,
        clocks=100,
        source="4 of the digits test set",
        words=44,
        clock_mhz=100.0,
        max_mhz=300.0,
        operations=50,
        operation="one kept connection",
        parts=(
            PartEnergy(instance="", label="AXI4-Stream ports", memory=False, kinds=KINDS),
            PartEnergy(instance="core.layer0", label="layer 0", memory=False, kinds=KINDS),
        ),
        macros=(
            MacroEnergy(
                instance="core.m_sram",
                group="core.m_sram",
                bits=64,
                reads=3.0,
                writes=0.0,
                access=5.0,
                leakage=1.0,
            ),
        ),
        memory_model={
            "name": "macro",
            "technology": "made up",
            "sha256": "0" * 64,
            "macros": {
                "sram": {
                    "area_um2": 0.0,
                    "area_um2_per_bit": 1.0,
                    "read_fj_per_bit": 1.0,
                    "write_fj_per_bit": 1.0,
                    "leakage_nw_per_bit": 1.0,
                    "source": "made up",
                }
            },
        },
        unknown=1,
        second={"version": "OpenSTA 2", "internal": 1.0, "switching": 1.0, "leakage": 0.1,
                "total": 2.1, "period_ns": 3.0},
    )  # fmt: skip
    return PowerReport(**(values | changes))


def timing_report(digest: str) -> TimingReport:
    """A critical path of one cell."""
    step = Step(
        instance="core.layer0._1_", cell="nand2", pin="Y", net="core.layer0.n", edge="rise",
        delay=0.5, arrival=0.5, slew=0.1, load=3.0, fanout=2,
    )  # fmt: skip
    path = TimedPath(
        kind="register to register", end="core.layer0._2_/D", part="core.layer0", setup=0.25,
        period=0.75, steps=(step,),
    )  # fmt: skip
    return TimingReport(
        name="sparse_mlp", verilog_sha256=digest, yosys="pyosys 0.70", library=LIBRARY,
        period=0.75, levels=1, path=path, parts=(("core.layer0", "layer 0", 0.75),),
        second={"version": "OpenSTA 2", "period_ns": 0.75},
    )  # fmt: skip


def fpga_report(digest: str) -> dict[str, Any]:
    """What nextpnr would say of a small FPGA."""
    return FpgaReport(
        name="sparse_mlp", verilog_sha256=digest, yosys="pyosys 0.70", nextpnr="nextpnr 0.9",
        family="ice40", device="hx8k", package="ct256", pins=20, fits=True,
        max_frequency_mhz=77.0, critical_path=None,
        utilisation={"logic_cells": {"used": 123, "available": 7680}},
        attempts=("hx8k: placed and routed.",), wrapper=None,
        modules=(FpgaModule(instance="", module="sparse_mlp", own=Resources(luts=120)),),
        memories=(),
    ).to_json()  # fmt: skip


def write(folder: Path, kind: str, content: dict[str, Any]) -> Path:
    """Write a report into a design folder."""
    path = folder / "reports" / f"{kind}.json"
    path.write_text(json.dumps(content))
    return path
