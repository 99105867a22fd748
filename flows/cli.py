"""The command line: one command a verb, each a thin skin over the function of the same name."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gatesmith.models.errors import UserError

__all__ = ["cli", "main"]

HELP = {"help_option_names": ["-h", "--help"]}
SET = "KEY=VALUE"


def main() -> None:
    """Run the command line; an error that the user can mend is one line and exit code 2."""
    try:
        code = cli.main(standalone_mode=False)
    except UserError as error:
        _fail(str(error))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "gatesmith"
        _fail(f"{error.format_message()} (try '{command} --help')")
    except click.ClickException as error:
        _fail(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away; nobody is left to tell
        sys.exit(141)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> None:
    click.echo("error: " + " ".join(message.split()), err=True)
    sys.exit(2)


@click.group(context_settings=HELP)
@click.version_option(package_name="gatesmith")
def cli() -> None:
    """Trained models of low-complexity hardware in, proven Verilog out."""


def _set_option(what: str) -> Callable:
    return click.option("--set", "settings", metavar=SET, multiple=True, help=f"{what}; repeat.")


_data_dir = click.option(
    "--data-dir", type=click.Path(), help="Folder with data sets that are files."
)


_timeout = click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="Limit for each run of a tool.",
)
_liberty = click.option(
    "--liberty",
    metavar="LIB",
    help="Cell library, .lib or .lib.gz, or 'generic'; else the one that 'gatesmith cells' marks.",
)
_memory = click.option(
    "--memory",
    metavar="MODEL",
    default="macro",
    show_default=True,
    help="SRAMs are macros of our figures, or of those in a .toml file, or flipflop: cells.",
)


@cli.command()
def families() -> None:
    """The table of families."""
    from rich.table import Table

    from gatesmith.families import FAMILIES

    table = Table("family", "what it computes", "paper")
    for entry in FAMILIES.values():
        table.add_row(entry.name, entry.title, entry.paper)
    _console().print(table)


@cli.command()
@click.argument("family")
@click.option(
    "-o", "checkpoint", metavar="CKPT", required=True, help="Checkpoint to write, *.safetensors."
)
@click.option("--data", metavar="NAME", help="Data set: digits, mnist, fashion-mnist.")
@click.option("--recipe", metavar="NAME", help="Named preset to start from.")
@_set_option("A key of the configuration")
@_data_dir
@click.option("--resume", is_flag=True, help="Go on with an interrupted training.")
@click.option("--baseline", is_flag=True, help="Also measure a float baseline, trained if need be.")
def train(family: str, checkpoint: str, **options: Any) -> None:
    """Train a network of FAMILY and write a checkpoint."""
    from gatesmith.flows.progress import training_progress
    from gatesmith.flows.train import train as run

    with training_progress() as progress:
        metrics = run(family, checkpoint, progress=progress, **options)
    for name, value in metrics.items():
        for line in _metric_lines(name.replace("_", " "), value):
            click.echo(line)
    click.echo(f"wrote {checkpoint}")


@cli.command()
@click.argument("checkpoint", metavar="CKPT")
@click.option("-o", "directory", metavar="DIR", required=True, help="Design folder to write.")
@_set_option("How to build it, as datapath=index or lanes=8")
def lower(checkpoint: str, directory: str, settings: tuple[str, ...]) -> None:
    """Turn the checkpoint CKPT into Verilog and everything that belongs to it."""
    from gatesmith.flows.design import read_design
    from gatesmith.flows.lower import lower as run
    from gatesmith.flows.settings import parse_options

    run(checkpoint, directory, **parse_options(settings))
    design = read_design(directory)
    size = Path(directory, "rtl", f"{design['name']}.v").stat().st_size
    click.echo(
        f"wrote {directory}: rtl/{design['name']}.v of {size:,} bytes, "
        f"{design['latency_clocks']} clocks a frame, one every {design['interval_clocks']:g}"
    )


@cli.command()
@click.argument("name")
@click.option("-o", "output", metavar="FILE.alist", help="Also write the matrix as an alist file.")
def code(name: str, output: str | None) -> None:
    """Figures of the code NAME: its size, and the cycles of its parity-check matrix.

    bch-63-36, ccsds-128-64, wifi-648-r12, wimax-576-r12, nr-64-128, or the path of an alist file.
    """
    from gatesmith.flows.code import code as run

    for figure, value in run(name, output).items():
        click.echo(f"{figure}: {value}")
    if output:
        click.echo(f"wrote {output}")


@cli.command()
@click.argument("directory", metavar="DIR")
@click.option("--frames", type=int, default=20, show_default=True, help="Frames to send.")
@click.option(
    "--simulator",
    metavar="NAME",
    default="icarus",
    show_default=True,
    help="icarus or verilator: everything; cxxrtl: whole test sets.",
)
@click.option(
    "--stall",
    type=float,
    default=0.0,
    metavar="P",
    help="Send all frames again with stalls in this part of the clocks.",
)
@click.option("--seed", type=int, default=0, help="Of random frames and stalls.")
@click.option("--self-test", is_flag=True, help="Also plant faults; every one must be seen.")
@click.option("--junit", metavar="FILE", help="Also write JUnit XML, for a CI server.")
@_data_dir
def verify(directory: str, **options: Any) -> int:
    """Compare the Verilog in DIR with the golden model, every word and every clock.

    Exit code 0 when all are equal, 1 when not.
    """
    from gatesmith.flows.verify import verify as run
    from gatesmith.flows.verify_report import print_report

    report = run(directory, **options)
    print_report(report, _console())
    return 0 if report.equal else 1


@cli.command()
@click.argument("source", metavar="CKPT|DIR")
@click.option("--ebn0", metavar="DB,DB", required=True, help="Eb/N0 in dB, separated by commas.")
@click.option(
    "--target-errors",
    type=int,
    default=100,
    show_default=True,
    metavar="N",
    help="Wrong frames to stop after, at each Eb/N0.",
)
@click.option(
    "--max-frames",
    type=int,
    default=1_000_000,
    show_default=True,
    metavar="N",
    help="Frames to stop after in any case.",
)
@click.option(
    "--against",
    metavar="NAME",
    multiple=True,
    help="Decoder to see the same frames: algebraic, sum-product, min-sum; repeat.",
)
@click.option("--assumed", type=float, metavar="DB", help="Eb/N0 that LLRs are scaled for.")
@click.option("--seed", type=int, default=0, help="Of codewords and noise.")
@click.option("-o", "output", metavar="FILE", help="Results as JSON.")
@click.option("--plot", metavar="FILE", help="Draw error rates, *.svg, *.png or *.pdf.")
def simulate(source: str, ebn0: str, **options: Any) -> None:
    """Measure the error rates of a decoder with random codewords over a noisy channel.

    BPSK over AWGN, Eb/N0 by the bits that are sent, wrong bits of whole words. A quantised decoder
    is its golden model, which stops at a codeword; sum-product and min-sum are floats in the same
    schedule, of as many iterations, and never stop.
    """
    from gatesmith.flows.settings import parse_numbers
    from gatesmith.flows.simulate import simulate as run

    run(source, parse_numbers("--ebn0", ebn0), console=_console(), **options)


@cli.command()
@click.option(
    "--liberty",
    metavar="LIB",
    multiple=True,
    help="Cell library to list before those found; repeat.",
)
def cells(liberty: tuple[str, ...]) -> None:
    """The cell libraries on this machine, and the one that commands take."""
    from gatesmith.flows.silicon.cells import cells as run

    run(liberty, console=_console())


@cli.command()
@click.argument("directory", metavar="DIR", required=False)
@click.option("--liberty", metavar="LIB", help="Cell library to give an area in.")
@click.option(
    "--calibrate",
    metavar="FILE",
    help="Instead measure the designs that estimates are fitted to, for minutes, and write FILE.",
)
def estimate(directory: str | None, liberty: str | None, calibrate: str | None) -> None:
    """What the design in DIR costs, in about a second, from its Spec alone."""
    from gatesmith.flows.estimate import estimate as run
    from gatesmith.flows.silicon.calibration import calibrate as measure

    if (directory is None) == (calibrate is None):
        raise UserError("Give a design folder DIR, or --calibrate FILE")
    if calibrate is not None:
        measure(calibrate)
        click.echo(f"wrote {calibrate}")
    elif directory is not None:
        run(directory, liberty=liberty, console=_console())


@cli.command()
@click.argument("directory", metavar="DIR")
@_liberty
@_memory
@click.option(
    "--recipe",
    metavar="NAME",
    default="default",
    show_default=True,
    help="full-adder: adders of the library's full adders; the default is shown beside it.",
)
@click.option(
    "--fpga",
    metavar="FAMILY",
    help="Place and route on an FPGA instead: ice40 or ecp5, the smallest device that fits.",
)
@click.option("--device", metavar="NAME", help="Of that family: hx1k, up5k, hx8k; 25k, 45k, 85k.")
@_timeout
def synth(
    directory: str,
    fpga: str | None,
    device: str | None,
    timeout_seconds: float,
    **options: Any,
) -> None:
    """Measure area and timing of the design in DIR with Yosys, or fit it into an FPGA."""
    from gatesmith.flows.silicon.fpga import fpga as run_fpga
    from gatesmith.flows.synth import synth as run

    if fpga and options["liberty"]:
        raise UserError("Give --liberty or --fpga, not both: an FPGA has no cell library")
    if device and not fpga:
        raise UserError("--device needs --fpga")
    if fpga:
        limit = timeout_seconds
        run_fpga(directory, fpga, device=device, console=_console(), timeout_seconds=limit)
    else:
        run(directory, console=_console(), timeout_seconds=timeout_seconds, **options)


@cli.command()
@click.argument("directory", metavar="DIR")
@_liberty
@_memory
@click.option("--frames", type=int, default=20, show_default=True, help="Frames to measure.")
@click.option(
    "--clock",
    "clock_mhz",
    type=float,
    metavar="MHZ",
    help="Clock for leakage and power; 100, or the fastest whole one if that is less.",
)
@_timeout
@_data_dir
def power(directory: str, **options: Any) -> None:
    """Measure the energy of the design in DIR while it answers real frames."""
    from gatesmith.flows.power import power as run

    run(directory, console=_console(), **options)


@cli.command()
@click.argument("directories", metavar="DIR...", nargs=-1, required=True)
@click.option(
    "-o",
    "output",
    metavar="OUT.html",
    help="Page to write, a .md beside it; reports/report.html of the one DIR, or "
    "report-comparison.html here, if not given.",
)
@_data_dir
def report(directories: tuple[str, ...], **options: Any) -> None:
    """A page with all that is known of the design in DIR, or that compares several."""
    from gatesmith.flows.report import report as run

    run(directories, console=_console(), **options)


@cli.command()
@click.argument("table")
@_liberty
@click.option("-o", "output", metavar="PATH", help="Where results are kept: a file, or a folder.")
@click.option("--plot", metavar="FILE", help="Draw areas or error rates, *.svg, *.png or *.pdf.")
@click.option(
    "--recipe", "recipes", metavar="NAME", multiple=True, help="Of a table of accuracies; repeat."
)
@click.option("--seeds", type=int, metavar="N", help="Trainings of each recipe.")
@click.option("--epochs", type=int, metavar="N", help="Instead of the recipe's.")
@_data_dir
def reproduce(table: str, **options: Any) -> None:
    """A paper's table, theirs beside ours.

    sparse-neuron, sparse-accuracy, sparse-state, ternary-lstm, neural-offset-min-sum, offset-cost,
    syndrome-loss, layered-ldpc.
    """
    from gatesmith.flows.reproduce import reproduce as run

    given = {name: value for name, value in options.items() if value not in (None, ())}
    run(table, console=_console(), **given)


@cli.command()
@click.argument("family", default="sparse-mlp")
@click.option("-o", "directory", metavar="DIR", help="Work folder; build/demo/FAMILY if not given.")
@_liberty
def demo(family: str, **options: Any) -> int:
    """Lower, verify, measure and report the bundled checkpoint of FAMILY."""
    from gatesmith.flows.demo import demo as run

    return 0 if run(family, console=_console(), **options).equal else 1


def _metric_lines(name: str, value: Any) -> list[str]:
    """A figure as a line; figures of each layer as a line a layer."""
    if isinstance(value, list):
        return [line for k, one in enumerate(value) for line in _metric_lines(f"{name} {k}", one)]
    if isinstance(value, dict):
        value = ", ".join(f"{key.replace('_', ' ')} {figure:.3g}" for key, figure in value.items())
    return [f"{name}: {100 * value:.2f} %" if name.endswith("accuracy") else f"{name}: {value}"]


def _console() -> Any:
    """Where tables go; as wide as they want where no terminal limits it."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160)
