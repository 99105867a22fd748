"""``gatesmith reproduce``: the tables of papers that we can set beside our own figures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from gatesmith.flows.reproduce import reproduce_sparse_neuron
from gatesmith.flows.reproduce_accuracy import accuracy_table, reproduce_accuracy
from gatesmith.flows.settings import check_keys
from gatesmith.models.errors import UserError

__all__ = ["TABLES", "reproduce", "sparse_accuracy", "sparse_neuron"]


def sparse_neuron(
    *, console: Console, liberty: str | Path | None = None, output: str | Path | None = None
) -> dict[str, Any]:
    """Area of one neuron by sparsity; ``output`` is a JSON file."""
    return reproduce_sparse_neuron(liberty, output=output, console=console)


def sparse_accuracy(
    *, console: Console, output: str | Path = "build/sparse-accuracy", **options: Any
) -> dict[str, Any]:
    """Test error of each recipe; ``output`` is a folder where finished trainings are kept."""
    results = reproduce_accuracy(output, **options)
    console.print(accuracy_table(results))
    return results


# Name of a table: what prints it, and the options that it takes.
TABLES: dict[str, tuple[Callable[..., dict[str, Any]], tuple[str, ...]]] = {
    "sparse-neuron": (sparse_neuron, ("liberty", "output")),
    "sparse-accuracy": (sparse_accuracy, ("output", "data_dir", "recipes", "seeds", "epochs")),
}


def reproduce(table: str, *, console: Console | None = None, **options: Any) -> dict[str, Any]:
    """Print a paper's table beside ours and return ours; UserError for an option it lacks."""
    check_keys("table", [table], TABLES)
    function, known = TABLES[table]
    for name in options:
        if name not in known:
            raise UserError(f"Table {table} takes {', '.join(known)}, not {name!r}")
    return function(console=console or Console(), **options)
