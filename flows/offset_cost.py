"""``gatesmith reproduce offset-cost``: what learned offsets cost in area, and what they gain."""

import dataclasses
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gatesmith.families import family
from gatesmith.flows.decoder_training import load_decoders, train_decoders
from gatesmith.flows.folders import check_writable, write_json
from gatesmith.flows.progress import working
from gatesmith.flows.silicon.area import AreaReport
from gatesmith.flows.silicon.cells import choose_library
from gatesmith.flows.silicon.liberty import read_library
from gatesmith.flows.silicon.netlist import read_netlist
from gatesmith.flows.silicon.timing import analyse
from gatesmith.flows.synth import mapping_of
from gatesmith.sim.cache import cache_folder

__all__ = ["decoder_configs", "reproduce_offset_cost"]

CODE = "bch-63-36"
RECIPE = "bch-63-36-edge"
TYINGS = ("scalar", "iteration", "check", "edge")
# Message bits and the LLR of a step: the same range of LLRs, about 11, in each.
STEPS = {4: 1.5, 5: 0.75, 6: 0.375}
LEVEL = 5.0  # Eb/N0, dB
FRAMES = 40_000
SEED = 1
SCHEDULES = ("flooding", "layered")
SCALAR = "scalar"
NOTES = (
    (
        f"{CODE}, 5 iterations, never stopped early, 8 LLRs a beat. Offsets are trained with "
        "the quantiser in the loop, in flooding, and are the same in both schedules; "
        "constants of the chip."
    ),
    (
        "Flooding: all checks and variables at once, an iteration a clock. Layered: a check a "
        "clock, posteriors in a register that turns."
    ),
    (
        "Gate equivalents count the whole chip with its buffers of LLRs and bits; cells an "
        "edge count the decoder alone. Areas of synthesis: no wires, no clock tree."
    ),
    (
        f"Error rates: the golden model on {FRAMES:,} random codewords at {LEVEL:g} dB, the "
        "same for all; ± is half of the 95 % interval of these frames. One training each: others "
        "of the same kind may differ by more."
    ),
)


def decoder_configs() -> dict[str, Any]:
    """Training of each decoder, by name: all alike but for tying and bits."""
    from gatesmith.models.minsum_net import RECIPES

    return {
        f"{CODE}-{tying}-{bits}-bits": dataclasses.replace(
            RECIPES[RECIPE], tying=tying, message_bits=bits, llr_step=step
        )
        for bits, step in STEPS.items()
        for tying in TYINGS
    }


def reproduce_offset_cost(
    liberty: str | Path | None = None,
    *,
    output: str | Path = "build/offset-cost",
    console: Console | None = None,
) -> dict[str, Any]:
    """Print area and error rates of one decoder with few and with many offsets, at 4 to 6 bits.

    Each is trained with its quantiser in the loop, lowered twice (flooding, an iteration a clock;
    layered, a row a clock), mapped, and its golden model simulated on the same noisy frames.

    Parameters
    ----------
    liberty : path   Cell library; without one, as of ``gatesmith cells``.
    output : path    Folder of the trained decoders and of ``offset-cost.json``.
    """
    console, folder = console or Console(), Path(output)
    check_writable(folder)
    library = choose_library(liberty)
    configs = decoder_configs()
    nets = load_decoders(configs, train_decoders(configs, folder, console))
    jobs = [(name, schedule) for schedule in SCHEDULES for name in configs]

    def measure(job: tuple[str, str]) -> tuple[dict[str, Any], AreaReport]:
        return _measure(nets[job[0]], job[1], library)

    with working(f"Mapping and simulating {len(jobs)} decoders"):
        # The first alone, so that a broken library is one error and not several.
        found = [measure(jobs[0])]
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            found += pool.map(measure, jobs[1:])
    result = _result([row for row, _ in found], found[0][1])
    write_json(folder / "offset-cost.json", result)
    _print(result, console)
    return result


def _measure(net: Any, schedule: str, library: Path) -> tuple[dict[str, Any], AreaReport]:
    """A line of the table, and the report of its area."""
    from gatesmith.models.minsum_net import GoldenDecoder, lower, simulate

    options = {"schedule": schedule, "rows_per_clock": 1, "early_stop": False}
    spec = lower(net, **options, llrs_per_beat=8)
    entry, config = family("minsum"), net.config
    log = f"offset-cost-{schedule}-{config.tying}-{config.message_bits}.log"
    mapping = mapping_of(
        entry.verilog(spec), spec.name, liberty=library, log=cache_folder() / "logs" / log
    )
    report = mapping.report
    decoder = report.below("core.decoder")
    cells = read_library(library)
    period = analyse(read_netlist(mapping.netlist, spec.name, cells)).period
    point = simulate(
        GoldenDecoder(spec=spec, code=net.code), [LEVEL], target_errors=FRAMES, max_frames=FRAMES,
        seed=SEED,
    )[0]  # fmt: skip
    row = {
        "schedule": schedule,
        "bits": config.message_bits,
        "tying": config.tying,
        "offsets": int(spec.parameters.size),
        "edges": spec.edges,
        "cells": report.total.mapped_cells,
        "gate_equivalents": round(report.gate_equivalents(report.total.area), 1),
        "decoder_gate_equivalents": round(report.gate_equivalents(decoder.area), 1),
        "cells_per_edge": round(decoder.mapped_cells / spec.edges, 2),
        "clocks": int(entry.models.timing(spec).interval),
        "max_mhz": round(1000 / period, 1) if period else None,
        "point": point.to_json(),
    }
    return row, report


def _result(rows: list[dict[str, Any]], report: AreaReport) -> dict[str, Any]:
    for row in rows:
        (base,) = (
            one for one in rows
            if (one["schedule"], one["bits"], one["tying"])
            == (row["schedule"], row["bits"], SCALAR)
        )  # fmt: skip
        row["area_against_scalar"] = round(row["gate_equivalents"] / base["gate_equivalents"], 3)
    return {
        "format": "gatesmith-offset-cost",
        "version": 1,
        "code": CODE,
        "ebn0": LEVEL,
        "frames": FRAMES,
        **report.origin,
        "decoders": rows,
        "notes": list(NOTES),
    }


def _print(result: dict[str, Any], console: Console) -> None:
    for schedule in SCHEDULES:
        title = f"{result['code']}, {schedule}: {result['library']}, {result['yosys']}"
        table = Table(title=title, title_justify="left")
        table.add_column("bits")
        table.add_column("an offset")
        for column in ("offsets", "gate equivalents", "against scalar", "cells an edge", "MHz",
                       "clocks a frame", f"FER, {result['ebn0']:g} dB", "BER"):  # fmt: skip
            table.add_column(column, justify="right")
        for row in (row for row in result["decoders"] if row["schedule"] == schedule):
            point = row["point"]
            low, high = point["fer_interval"]
            names = {"scalar": "in all", "edge": "an edge and iteration",
                     "check": "a check and iteration", "iteration": "an iteration"}  # fmt: skip
            table.add_row(
                str(row["bits"]),
                names[row["tying"]],
                f"{row['offsets']:,}",
                f"{row['gate_equivalents']:,.0f}",
                f"{row['area_against_scalar']:.2f}x",
                f"{row['cells_per_edge']:.1f}",
                f"{row['max_mhz']:.0f}" if row["max_mhz"] else "",
                f"{row['clocks']:,}",
                f"{point['fer']:.4f} ±{(high - low) / 2:.4f}",
                f"{point['ber']:.2e}",
                end_section=row["tying"] == TYINGS[-1],
            )
        console.print(table)
    for note in result["notes"]:
        console.print(note, style="dim", highlight=False)
