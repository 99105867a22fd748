"""``gatesmith simulate``: bit and frame error rates of a decoder over a noisy channel."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from gatesmith.flows.design import read_spec
from gatesmith.flows.folders import check_writable
from gatesmith.flows.settings import check_keys
from gatesmith.models.errors import UserError

__all__ = ["simulate"]

AGAINST = ("algebraic", "sum-product", "min-sum")


def simulate(
    source: str | Path,
    ebn0: Iterable[float],
    *,
    target_errors: int = 100,
    max_frames: int = 1_000_000,
    against: Iterable[str] = (),
    assumed: float | None = None,
    seed: int = 0,
    output: str | Path | None = None,
    plot: str | Path | None = None,
    console: Console | None = None,
) -> list[Any]:
    """Decode random codewords over AWGN until enough frames are wrong; the points of each decoder.

    Parameters
    ----------
    source : path             A design folder, whose golden model decodes; or a checkpoint, as it
                              would be lowered, or in floats where it cannot be.
    ebn0 : floats             In dB, with the rate of the code.
    target_errors : int       Wrong frames to stop after.
    max_frames : int          To stop after in any case, at each Eb/N0.
    against : texts           Decoders to see the same frames, as far as each goes: ``algebraic``,
                              ``sum-product``, ``min-sum``, the last two in floats, in the same
                              schedule, with as many iterations, never stopped early.
    assumed : float           Eb/N0 that LLRs are scaled for, in dB; None: the true one.
    seed : int                Of codewords and noise.
    output, plot : path       Results as JSON, and as a plot, *.svg, *.png or *.pdf.
    console : Console         Where the table goes; None prints nothing.

    UserError for anything the user can mend.
    """
    from gatesmith.models.minsum_net import simulation

    against = list(dict.fromkeys(against))
    check_keys("decoder", against, AGAINST)
    for path in (output, plot):
        if path is not None:
            check_writable(path)
    if plot is not None:
        simulation.check_plot(plot)
    decoders = _decoders(Path(source), against)
    points = []
    with _progress() as progress:
        for decoder in decoders:
            points += simulation.simulate(
                decoder,
                ebn0,
                target_errors=target_errors,
                max_frames=max_frames,
                assumed=assumed,
                seed=seed,
                progress=progress,
            )
    if console is not None:
        console.print(_table(points))
    if output is not None:
        simulation.write(output, points)
    if plot is not None:
        simulation.plot(plot, points)
    return points


def _decoders(source: Path, against: Sequence[str]) -> list[Any]:
    """The decoder of a design folder or checkpoint, and those it is set against."""
    from gatesmith.models import minsum_net as net

    own: Any
    if source.is_dir():
        design, entry, spec = read_spec(source)
        if entry.name != "minsum":
            raise UserError(f"{source}: only decoders can be simulated, not {entry.name}")
        own = net.GoldenDecoder(spec=spec, code=_code(source, design, spec), name=spec.name)
        iterations = spec.iterations
        rows = spec.rows_per_clock if spec.schedule == "layered" else None
    else:
        found = net.load_checkpoint(source)
        iterations = found.config.iterations
        layered = found.config.schedule == "layered"
        rows = (found.config.rows or found.code.lifting) if layered else None
        if found.config.quantised:
            own = net.GoldenDecoder(spec=net.lower(found), code=found.code, name=source.stem)
        else:
            own = net.NetDecoder(found, source.stem)
    decoders = [own]
    for kind in against:
        if kind == "algebraic":
            decoders.append(net.AlgebraicDecoder(own.code))
        else:
            decoders.append(net.baseline(own.code, kind, iterations, rows=rows))
    return decoders


def _code(source: Path, design: dict[str, Any], spec: Any) -> Any:
    """The code of a design: by its name, which knows what is not sent, or else by its edges."""
    from gatesmith.models.codes import Code, code

    name = str((design.get("config") or {}).get("code", ""))
    edges = (spec.edge_check, spec.edge_variable, spec.information)
    try:
        found = code(name)
    except UserError:
        found = None
    if found is not None:
        known = (found.checks, found.variables, found.information)
        if all(np.array_equal(a, b) for a, b in zip(known, edges, strict=True)):
            return found
    try:
        made = Code(
            name=name or spec.name,
            n=spec.variables,
            checks=spec.edge_check,
            variables=spec.edge_variable,
            information=spec.information,
            lifting=spec.lifting,
        )
        made.encode(np.zeros((1, made.k), dtype=np.uint8))  # which needs sound information bits
        return made
    except ValueError as error:
        raise UserError(f"{source}: not a code that can be simulated: {error}") from error


def _table(points: Sequence[Any]) -> Table:
    table = Table("decoder", "Eb/N0, dB", "frames", "FER", "95 %", "BER", "95 %", "undetected",
                  "iterations")  # fmt: skip
    for point in points:
        table.add_row(
            point.decoder,
            f"{point.ebn0:g}",
            f"{point.frames:,}",
            f"{point.fer:.2e}",
            "{:.1e} to {:.1e}".format(*point.fer_interval),
            f"{point.ber:.2e}",
            "{:.1e} to {:.1e}".format(*point.ber_interval),
            "" if point.undetected is None else f"{point.undetected:,}",
            "" if point.iterations is None else f"{point.iterations:.2f}",
        )
    return table


@contextmanager
def _progress() -> Iterator[Callable[[Any], None] | None]:
    """A line that shows how a point stands; None without a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with Console(stderr=True).status("") as status:

        def update(point: Any) -> None:
            status.update(
                f"{point.decoder} at {point.ebn0:g} dB: {point.frame_errors:,} of "
                f"{point.frames:,} frames wrong"
            )

        yield update
