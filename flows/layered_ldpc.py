"""``gatesmith reproduce layered-ldpc``: decoders of real codes, beside known curves."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gatesmith.families import family
from gatesmith.flows.folders import check_writable, write_json
from gatesmith.flows.progress import working
from gatesmith.flows.silicon.area import AreaReport
from gatesmith.flows.silicon.cells import choose_library
from gatesmith.flows.silicon.liberty import read_library
from gatesmith.flows.silicon.netlist import read_netlist
from gatesmith.flows.silicon.timing import analyse
from gatesmith.flows.synth import mapping_of
from gatesmith.models.checkpoint import BUNDLED
from gatesmith.sim.cache import cache_folder

__all__ = ["SHOWN", "reproduce_layered_ldpc"]

WRONG_FRAMES, MAX_FRAMES = 100, 1_000_000
SEED = 1
TIMED_FRAMES = 2000


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A code in the table.

    Members
    -------
    checkpoint : str        Bundled: 5-bit messages, an offset an iteration.
    levels : tuple          Eb/N0, dB; the clocks of a usual frame are those at the highest.
    published : dict        Frame error rates of AFF3CT's reference curves, by Eb/N0.
    reference : str         What those are of.
    options : tuple         Of ``lower``, a design each.
    """

    checkpoint: str
    levels: tuple[float, ...]
    published: dict[float, float]
    reference: str
    options: tuple[dict[str, Any], ...] = field(default=({},))


SHOWN = (
    Shown(
        checkpoint="minsum_ccsds_128_64.safetensors",
        levels=(3.0, 3.5, 4.0, 4.5),
        published={3.0: 5.0e-2, 3.5: 1.0e-2, 4.0: 1.5e-3, 4.5: 2.1e-4},
        reference="CCSDS (128,64), float belief propagation, layered, 50 iterations",
        options=(
            {"rows_per_clock": 1},
            {"rows_per_clock": 4},
            {"rows_per_clock": 16},
            {"memory": "sram"},
        ),
    ),
    Shown(
        checkpoint="minsum_wifi_648_r56.safetensors",
        levels=(3.5, 4.0, 4.5),
        published={3.5: 0.228, 4.0: 3.6e-2, 4.5: 1.8e-3},
        reference="802.11n (648,540), float normalised min-sum, layered, 10 iterations",
        options=({"memory": "sram"},),
    ),
)
NOTES = (
    (
        "5-bit messages, row-layered, offsets trained with the quantiser in the loop, until a "
        "code word or the last iteration; the golden model, which the chip equals, on random "
        "codewords. ±: half of the 95 % interval."
    ),
    "Published: AFF3CT's reference curves of float decoders, read from its files, not run here.",
    (
        "Flipflop: every posterior is at hand. Sram: a block a clock, posteriors and messages in "
        "memories, which are not counted in the gate equivalents and answer at once: MHz leave out "
        "their access time."
    ),
    (
        "Gate equivalents: the whole chip without SRAM, with the buffers that let one frame in "
        "and one out while one is decoded. MHz: static timing, no wires. Mbit/s: information "
        f"bits at that clock. Usual: {TIMED_FRAMES:,} frames at the highest Eb/N0 of the table."
    ),
)


def reproduce_layered_ldpc(
    liberty: str | Path | None = None,
    *,
    output: str | Path | None = None,
    plot: str | Path | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Print error rates of the bundled 5-bit decoders of real codes, and what their chips cost.

    Parameters
    ----------
    liberty : path   Cell library; without one, as of ``gatesmith cells``.
    output : path    JSON file to write.
    plot : path      Draw the error rates and the published ones, *.svg, *.png or *.pdf.
    """
    from gatesmith.models.minsum_net import simulation

    console = console or Console()
    for path in (output, plot):
        if path is not None:
            check_writable(path)
    if plot is not None:
        simulation.check_plot(plot)
    library = choose_library(liberty)
    found, points, report = [], [], None
    for shown in SHOWN:
        with working(f"Simulating and mapping {shown.checkpoint}"):
            code, report, own = _measure(shown, library)
        found.append(code)
        points += own
    assert report is not None
    result = {
        "format": "gatesmith-layered-ldpc",
        "version": 1,
        **report.origin,
        "codes": found,
        "notes": list(NOTES),
    }
    _print(result, console)
    if output is not None:
        write_json(output, result)
    if plot is not None:
        simulation.plot(plot, points, {shown.reference: shown.published for shown in SHOWN})
    return result


def _measure(shown: Shown, library: Path) -> tuple[dict[str, Any], AreaReport, list[Any]]:
    """A code of the table, the report of an area, and its points."""
    from gatesmith.models.minsum_net import GoldenDecoder, load_checkpoint, lower, simulate

    net = load_checkpoint(BUNDLED / shown.checkpoint)
    specs = [lower(net, **options, llrs_per_beat=8) for options in shown.options]
    # Rows of a block see the same posteriors or one another's: a schedule each, and error rates.
    curves: dict[int, list[Any]] = {}
    for spec in specs:
        if spec.rows_per_clock not in curves:
            decoder = GoldenDecoder(
                spec=spec, code=net.code, name=f"{net.code.name}, {spec.rows_per_clock} rows"
            )
            curves[spec.rows_per_clock] = simulate(
                decoder, shown.levels, target_errors=WRONG_FRAMES, max_frames=MAX_FRAMES, seed=SEED
            )
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        costs = list(pool.map(lambda spec: _cost(spec, library), specs))
    designs = [
        row | _speed(spec, net, shown.levels[-1], row["max_mhz"])
        for spec, (row, _) in zip(specs, costs, strict=True)
    ]
    code = {
        "code": net.code.name,
        "n": net.code.n,
        "k": net.code.k,
        "edges": net.code.edges,
        "reference": shown.reference,
        "published_fer": {f"{level:g}": rate for level, rate in shown.published.items()},
        "curves": [
            {"rows_per_clock": rows, "points": [point.to_json() for point in found]}
            for rows, found in curves.items()
        ],
        "designs": designs,
    }
    return code, costs[0][1], [point for found in curves.values() for point in found]


def _cost(spec: Any, library: Path) -> tuple[dict[str, Any], AreaReport]:
    """Area and clock of a design."""
    entry = family("minsum")
    name = f"layered-ldpc-{spec.variables}-{spec.rows_per_clock}-{spec.memory}.log"
    log = cache_folder() / "logs" / name
    mapping = mapping_of(entry.verilog(spec), spec.name, liberty=library, log=log)
    cells = read_library(library)
    period = analyse(read_netlist(mapping.netlist, spec.name, cells)).period
    report = mapping.report
    row = {
        "rows_per_clock": spec.rows_per_clock,
        "memory": spec.memory,
        "gate_equivalents": round(report.gate_equivalents(report.total.area), 1),
        "area_um2": round(report.total.area, 1) if report.unit == "um2" else None,
        "memory_bits": sum(memory.bits for memory in report.memories if memory.kind == "sram"),
        "max_mhz": round(1000 / period, 1) if period else None,
    }
    return row, report


def _speed(spec: Any, net: Any, ebn0: float, mhz: float | None) -> dict[str, Any]:
    """Clocks of an iteration and of a frame, and information bits a clock."""
    from gatesmith.models.minsum import decode, noisy_frames
    from gatesmith.models.minsum.golden import llrs_of
    from gatesmith.models.minsum.schedule import iteration_clocks, mean_interval, timing

    made = noisy_frames(spec, TIMED_FRAMES, ebn0_db=ebn0, seed=SEED, code=net.code)
    iterations = decode(spec, llrs_of(spec, made.frames)).iterations
    worst, usual = timing(spec).interval, mean_interval(spec, iterations)
    bits = len(spec.information)
    return {
        "iterations": spec.iterations,
        "clocks_an_iteration": iteration_clocks(spec),
        "clocks_at_most": int(worst),
        "ebn0": ebn0,
        "mean_iterations": round(float(iterations.mean()), 2),
        "mean_clocks": round(usual, 1),
        "bits_a_clock": round(bits / usual, 3),
        "mbit_per_s": round(bits / usual * mhz, 1) if mhz else None,
    }


def _print(result: dict[str, Any], console: Console) -> None:
    for found in result["codes"]:
        table = Table(title=f"{found['code']}: frame error rate", title_justify="left")
        table.add_column("decoder")
        levels = list(found["published_fer"])
        for level in levels:
            table.add_column(f"{level} dB", justify="right")
        for curve in found["curves"]:
            rows = curve["rows_per_clock"]
            label = f"ours, 5 bits, {rows} row{'s' * (rows > 1)} at once"
            cells = []
            for point in curve["points"]:
                low, high = point["fer_interval"]
                cells.append(f"{point['fer']:.2e} ±{50 * (high - low) / point['fer']:.0f} %")
            table.add_row(label, *cells)
        published = [f"{rate:.2e}" for rate in found["published_fer"].values()]
        table.add_row(f"published: {found['reference']}", *published)
        console.print(table)
    title = f"Chips: {result['library']}, {result['yosys']}"
    table = Table(title=title, title_justify="left")
    table.add_column("code")
    for column in ("rows at once", "posteriors in", "gate equivalents", "SRAM bits", "MHz",
                   "clocks an iteration", "clocks a frame, at most", "usual", "at dB",
                   "bits a clock", "Mbit/s"):  # fmt: skip
        table.add_column(column, justify="left" if column == "posteriors in" else "right")
    for found in result["codes"]:
        for number, row in enumerate(found["designs"], start=1):
            table.add_row(
                found["code"],
                str(row["rows_per_clock"]),
                row["memory"],
                f"{row['gate_equivalents']:,.0f}",
                f"{row['memory_bits']:,}",
                f"{row['max_mhz']:.0f}" if row["max_mhz"] else "",
                f"{row['clocks_an_iteration']:,}",
                f"{row['clocks_at_most']:,}",
                f"{row['mean_clocks']:,.0f}",
                f"{row['ebn0']:g}",
                f"{row['bits_a_clock']:.2f}",
                f"{row['mbit_per_s']:,.0f}" if row["mbit_per_s"] else "",
                end_section=number == len(found["designs"]),
            )
    console.print(table)
    for note in result["notes"]:
        console.print(note, style="dim", highlight=False)
