"""``gatesmith reproduce``: the tables of papers that we can set beside our own figures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from gatesmith.flows.layered_ldpc import reproduce_layered_ldpc
from gatesmith.flows.neural_offset import reproduce_neural_offset
from gatesmith.flows.offset_cost import reproduce_offset_cost
from gatesmith.flows.progress import training_progress
from gatesmith.flows.settings import check_keys
from gatesmith.flows.sparse_accuracy import accuracy_table, reproduce_sparse_accuracy
from gatesmith.flows.sparse_neuron import reproduce_sparse_neuron
from gatesmith.flows.sparse_state import reproduce_sparse_state
from gatesmith.flows.syndrome_loss import reproduce_syndrome_loss
from gatesmith.flows.ternary_lstm import reproduce_ternary_lstm
from gatesmith.models.errors import UserError

__all__ = ["TABLES", "reproduce"]


def _sparse_accuracy(
    *, console: Console, output: str | Path = "build/sparse-accuracy", **options: Any
) -> dict[str, Any]:
    """Test error of each recipe; ``output`` is a folder where finished trainings are kept."""
    with training_progress() as show:
        progress = show and (lambda run, report: show(report, run))
        results = reproduce_sparse_accuracy(output, progress=progress, **options)
    console.print(accuracy_table(results))
    return results


# Name of a table: what prints it, and the options that it takes.
TABLES: dict[str, tuple[Callable[..., dict[str, Any]], tuple[str, ...]]] = {
    "sparse-neuron": (reproduce_sparse_neuron, ("liberty", "output", "plot", "data_dir")),
    "sparse-state": (reproduce_sparse_state, ("output", "data_dir")),
    "sparse-accuracy": (_sparse_accuracy, ("output", "data_dir", "recipes", "seeds", "epochs")),
    "neural-offset-min-sum": (reproduce_neural_offset, ("output", "plot")),
    "layered-ldpc": (reproduce_layered_ldpc, ("liberty", "output", "plot")),
    "offset-cost": (reproduce_offset_cost, ("liberty", "output")),
    "syndrome-loss": (reproduce_syndrome_loss, ("output", "seeds")),
    "ternary-lstm": (reproduce_ternary_lstm, ("liberty", "output")),
}


def reproduce(table: str, *, console: Console | None = None, **options: Any) -> dict[str, Any]:
    """Print a paper's table beside ours and return ours; UserError for an option it lacks."""
    check_keys("table", [table], TABLES)
    function, known = TABLES[table]
    for name in options:
        if name not in known:
            raise UserError(f"Table {table} takes {', '.join(known)}, not {name!r}")
    return function(console=console or Console(), **options)
