"""Progress of long work: a bar on a terminal, silence in a log."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["training_progress", "working"]


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal what goes on, for what may take minutes."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


@contextmanager
def training_progress() -> Iterator[Callable[..., None] | None]:
    """A function to call after each epoch; None without a terminal.

    It takes an ``EpochReport`` and, when there are several trainings, the name of this one.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description} epoch {task.completed:.0f} of {task.total:.0f}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None, state="", visible=False)

        def update(report: Any, run: str = "") -> None:
            state = f"loss {report.loss:.3f}"
            if getattr(report, "valid_accuracy", None) is not None:
                state += f", validation {100 * report.valid_accuracy:.2f} %"
            if getattr(report, "valid_bpc", None) is not None:
                state += f", validation {report.valid_bpc:.3f} bits a character"
            if getattr(report, "valid_fer", None) is not None:
                state += f", frame errors {100 * report.valid_fer:.2f} %"
            bar.update(
                task,
                description=run,
                completed=report.epoch,
                total=report.epochs,
                state=state,
                visible=True,
            )

        yield update
