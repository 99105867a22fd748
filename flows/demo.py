"""``gatesmith demo``: a bundled checkpoint lowered, verified, measured and reported."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gatesmith.families import Family, family
from gatesmith.flows.accuracy import golden_accuracy
from gatesmith.flows.demo_text import generate, read_bundled_text
from gatesmith.flows.design import read_design
from gatesmith.flows.folders import check_free
from gatesmith.flows.lower import lower
from gatesmith.flows.pages.words import energy
from gatesmith.flows.power import power
from gatesmith.flows.report import report as write_report
from gatesmith.flows.silicon.area import AreaReport
from gatesmith.flows.silicon.cells import choose_library
from gatesmith.flows.silicon.liberty import GENERIC_LIBRARY
from gatesmith.flows.silicon.power_report import PowerReport
from gatesmith.flows.synth import synth
from gatesmith.flows.verify import ODD_FRAMES, verify
from gatesmith.flows.verify_report import VerifyReport
from gatesmith.models.checkpoint import BUNDLED
from gatesmith.models.errors import UserError

__all__ = ["DemoReport", "bundled_checkpoint", "demo"]

POWER_FRAMES = 20
DECIBELS, WRONG_FRAMES = (3.0, 4.0), 100  # Eb/N0, and wrong frames to stop after at each


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What the demo of a family lowers, and how much of it is simulated.

    Members
    -------
    checkpoint : str        File that comes with the package.
    options : dict          Of ``lower``.
    icarus_frames : int     Simulated on Icarus, and more under stalls, resets, wrong lengths.
    cxxrtl_frames : int     Simulated on CXXRTL; None: the test set and a few odd ones.
    energy : bool           Whether the energy is measured; else the table names the command.
    read : callable         From the family, the Spec and the checkpoint to what was found on data.
    """

    checkpoint: str
    options: dict[str, Any] = field(default_factory=dict)
    icarus_frames: int
    cxxrtl_frames: int | None = None
    energy: bool = True
    read: "Callable[..., Found]"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the golden model made of data: lines of the table, frames of the test set, a text."""

    rows: tuple[tuple[str, str], ...]
    frames: int = 0
    text: str = ""


def _read_images(entry: Family, spec: Any, checkpoint: Path) -> Found:
    name = entry.net.load_checkpoint(checkpoint).config.data
    count, accuracy = golden_accuracy(entry, spec, name)
    dense = entry.net.read_metrics(checkpoint).get("float_test_accuracy")
    return Found(
        rows=(
            (f"accuracy on {count} test images, dense float", _percent(dense)),
            ("accuracy of the Spec, and of the chip", _percent(accuracy)),
        ),
        frames=count,
    )


def _read_text(entry: Family, spec: Any, checkpoint: Path, characters: int | None = None) -> Found:
    vocabulary = entry.net.load_checkpoint(checkpoint).vocabulary
    found = read_bundled_text(entry, spec, vocabulary, characters)
    return Found(
        rows=(
            (
                f"bits a character, {found.characters:,} of War and Peace",
                f"{found.bits:.3f}, of the Spec and of the chip",
            ),
            ("columns skipped, as zero", _percent(found.skipped)),
        ),
        text=generate(entry, spec, vocabulary),
    )


def _read_noise(entry: Family, spec: Any, checkpoint: Path) -> Found:
    net = entry.net
    trained = net.load_checkpoint(checkpoint)
    decoders = [
        net.GoldenDecoder(spec=spec, code=trained.code, name=f"{spec.message_bits} bits, the chip"),
        net.baseline(
            trained.code, "sum-product", spec.iterations, rows=spec.rows_per_clock,
            name="float belief propagation",
        ),
    ]  # fmt: skip
    points = [
        point
        for decoder in decoders
        for point in net.simulate(decoder, DECIBELS, target_errors=WRONG_FRAMES)
    ]
    return Found(
        rows=tuple(
            (
                f"frame error rate at {point.ebn0:g} dB, {point.decoder}",
                "{:.2e}, {:.1e} to {:.1e} (95 %), ".format(point.fer, *point.fer_interval)
                + f"of {point.frames:,} frames",
            )
            for point in sorted(points, key=lambda point: point.ebn0)
        )
    )


DEMOS = {
    "sparse-mlp": Demo(
        checkpoint="sparse_mlp_digits_p90.safetensors",
        icarus_frames=20,
        read=_read_images,
    ),
    "lstm": Demo(
        checkpoint="lstm_war_and_peace_128.safetensors",
        options={"lanes": 16, "elementwise": 1, "memory": "sram", "steps": 1},
        icarus_frames=2,
        cxxrtl_frames=4,
        energy=False,
        read=_read_text,
    ),
    "minsum": Demo(
        checkpoint="minsum_ccsds_128_64.safetensors",
        options={"rows_per_clock": 4, "llrs_per_beat": 4},
        icarus_frames=40,
        cxxrtl_frames=2000,
        energy=False,
        read=_read_noise,
    ),
}


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """What the demo found.

    Members
    -------
    directory : path               The design folder.
    found : Found                  Of the golden model, on data.
    icarus, cxxrtl : VerifyReport  Verilog against the golden model.
    area : AreaReport
    power : PowerReport | None     None without a cell library, or when it takes too long.
    page : path                    The report of all this, HTML.
    seconds : float                Of the whole demo.
    """

    directory: Path
    found: Found
    icarus: VerifyReport
    cxxrtl: VerifyReport
    area: AreaReport
    power: PowerReport | None
    page: Path
    seconds: float

    @property
    def equal(self) -> bool:
        """Whether every word and every clock was as the golden model says."""
        return self.icarus.equal and self.cxxrtl.equal


def demo(
    name: str = "sparse-mlp",
    *,
    directory: str | Path | None = None,
    liberty: str | Path | None = None,
    console: Console | None = None,
) -> DemoReport:
    """Lower the bundled checkpoint of a family, verify, measure and report it, print a table.

    Parameters
    ----------
    name : str         Of the family.
    directory : path   Work folder, ``build/demo/NAME`` when not given; a demo before is replaced.
    liberty : path     Cell library; without one, that of ``gatesmith cells``, or equivalents of
                       generic gates, and no energy.

    UserError for anything the user can mend. Unequal words are not an error: see the report.
    """
    entry = family(name)
    checkpoint, chosen = bundled_checkpoint(entry), DEMOS[entry.name]
    folder = Path(directory or Path("build", "demo", name))
    console = console or Console()
    start = time.perf_counter()

    def step(what: str, call: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        found = call()
        console.print(f"{what}: {time.perf_counter() - began:.1f} s", highlight=False)
        return found

    _clear(folder)
    step(
        f"Lowered {checkpoint.name} to {folder}",
        lambda: lower(checkpoint, folder, **chosen.options),
    )
    spec = entry.spec.load(folder / "spec.safetensors")
    found = step("Ran the golden model", lambda: chosen.read(entry, spec, checkpoint))
    if found.text:
        console.print(found.text, highlight=False, markup=False, style="italic")
    quiet = Console(quiet=True)
    icarus = step(
        f"Simulated {chosen.icarus_frames} frames on Icarus, and more under stalls, resets, "
        "wrong lengths",
        lambda: verify(folder, frames=chosen.icarus_frames),
    )
    count, what = chosen.cxxrtl_frames, f"{chosen.cxxrtl_frames} frames"
    if count is None:
        count = found.frames + ODD_FRAMES
        what = f"the {found.frames} test images and {ODD_FRAMES} odd frames"
    cxxrtl = step(
        f"Simulated {what} on CXXRTL", lambda: verify(folder, frames=count, simulator="cxxrtl")
    )
    area = step("Synthesised", lambda: synth(folder, liberty=liberty, console=quiet))
    measured = None
    library = choose_library(liberty)
    if library != GENERIC_LIBRARY and chosen.energy:
        measured = step(
            f"Measured the energy of {POWER_FRAMES} frames",
            lambda: power(folder, liberty=library, frames=POWER_FRAMES, console=quiet),
        )
    page = step("Wrote the report", lambda: write_report(folder, console=quiet))
    report = DemoReport(
        directory=folder,
        found=found,
        icarus=icarus,
        cxxrtl=cxxrtl,
        area=area,
        power=measured,
        page=page,
        seconds=time.perf_counter() - start,
    )
    _print(report, console, chosen)
    return report


def bundled_checkpoint(entry: Family) -> Path:
    """The checkpoint of a family that comes with the package, for the demo."""
    if entry.name not in DEMOS:
        raise UserError(f"There is no bundled checkpoint of {entry.name!r}")
    return BUNDLED / DEMOS[entry.name].checkpoint


def _clear(folder: Path) -> None:
    """Remove the folder of a demo before; UserError for a folder of anything else."""
    try:
        read_design(folder)
    except UserError:
        check_free(folder)
    else:
        shutil.rmtree(folder)


def _print(report: DemoReport, console: Console, chosen: Demo) -> None:
    design = read_design(report.directory)
    table = Table(show_header=False)
    for row in report.found.rows:
        table.add_row(*row)
    table.add_row(
        "clocks of a frame",
        f"{design['latency_clocks']}, one every {design['interval_clocks']:g}",
    )
    table.add_row("cells", f"{report.area.total.mapped_cells:,}")
    area = report.area.total.area
    shown = f"{report.area.gate_equivalents(area):,.0f} NAND2 equivalents"
    if report.area.unit == "um2":
        shown += f", {area:,.0f} µm²"
    table.add_row(f"area ({report.area.library})", shown)
    if report.power:
        total = report.power.cells_pj + report.power.macros_pj
        milliwatts = report.power.milliwatts(total)
        shown = f"{energy(total)}, {milliwatts:,.3g} mW at {report.power.clock_mhz:g} MHz"
    elif chosen.energy:
        shown = "needs a cell library: --liberty LIB"
    else:
        shown = f"takes longer: gatesmith power {report.directory} --liberty LIB"
    table.add_row("energy a frame", shown)
    for label, found in (("Icarus", report.icarus), ("CXXRTL", report.cxxrtl)):
        verdict = "equal" if found.equal else "NOT EQUAL"
        table.add_row(
            f"Verilog against golden model, {label}",
            f"{verdict}: {found.total('frames'):,} frames, {found.total('words'):,} words, "
            f"clocks of {found.total('clocks_checked'):,} frames",
        )
    console.print(table)
    console.print(f"Everything is in {report.directory}; {report.seconds:.0f} s", highlight=False)
    console.print(f"Report: {report.page}", highlight=False, soft_wrap=True)


def _percent(part: float | None) -> str:
    return "unknown" if part is None else f"{100 * part:.2f} %"
