"""Accuracy over several seeds beside the rows of the paper; goes on where it was stopped."""

import dataclasses
import json
import statistics
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from gatesmith.models.errors import UserError
from gatesmith.models.store import write_atomically

__all__ = ["PAPER_ERRORS", "accuracy_table", "reproduce_sparse_accuracy"]

RESULTS_FORMAT = "gatesmith-accuracy"
# Test error, %, of Ardakani, Condo and Gross (ICLR 2017), 500 epochs, 40,000 training images: the
# 512 rows are single precision (table 2), the 1024 rows are trained ternary and tested in float
# (table 3); with ternary test weights the paper has 0.98 at sparsity 0.5 (table 5).
PAPER_ERRORS = {
    "mnist-512-p00": 1.18,
    "mnist-512-p50": 1.19,
    "mnist-512-p60": 1.20,
    "mnist-512-p70": 1.31,
    "mnist-512-p80": 1.28,
    "mnist-512-p90": 1.75,
    "mnist-1024-p50": 0.95,
    "mnist-1024-p90": 1.41,
}


def reproduce_sparse_accuracy(
    output: str | Path,
    *,
    data_dir: str | Path | None = None,
    recipes: Sequence[str] | None = None,
    seeds: int = 3,
    epochs: int | None = None,
    progress: Any = None,
) -> dict[str, Any]:
    """Train each recipe with seeds 0 to ``seeds`` - 1 and keep every finished run.

    Parameters
    ----------
    output : path        Folder for ``accuracy.json``, the checkpoints and what is in progress. A
                         run found finished there with the same configuration is not repeated.
    data_dir : path      Folder of the IDX files, see :func:`gatesmith.models.data.load`.
    recipes : names      Of ``RECIPES``; None: those that have a row in the paper.
    epochs : int         Instead of the recipe's.
    progress : callable  Called with the run's name and an ``EpochReport`` after each epoch.

    Returns the content of ``accuracy.json``: under ``runs``, by name, ``config`` and ``metrics``.
    """
    from gatesmith.models.sparse_mlp_net import RECIPES, train

    names = list(recipes) if recipes is not None else list(PAPER_ERRORS)
    for name in names:
        if name not in RECIPES:
            raise UserError(f"Recipe must be one of {', '.join(RECIPES)}, not {name!r}")
    if seeds < 1:
        raise UserError(f"Seeds must be at least 1, not {seeds!r}")
    output = Path(output)
    path = output / "accuracy.json"
    results = _read(path)
    for name in names:
        for seed in range(seeds):
            config = dataclasses.replace(RECIPES[name], seed=seed)
            if epochs is not None:
                config = dataclasses.replace(config, epochs=epochs)
            run = f"{name}-s{seed}"
            known = results["runs"].get(run)
            if known is not None and known["config"] == config.to_json():
                continue
            metrics = train(
                config,
                output / f"{run}-e{config.epochs}.safetensors",
                data_dir,
                resume=True,
                progress=None if progress is None else partial(progress, run),
            )
            results["runs"][run] = {"recipe": name, "config": config.to_json(), "metrics": metrics}
            _write(path, results)
    return results


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"format": RESULTS_FORMAT, "version": 1, "runs": {}}
    try:
        found = json.loads(path.read_text())
        if (found["format"], found["version"]) != (RESULTS_FORMAT, 1):
            raise KeyError("format")
        for run in found["runs"].values():
            run["recipe"], run["config"], run["metrics"]["test_accuracy"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not the results of this command: {error}") from error
    return dict(found)


def _write(path: Path, results: dict[str, Any]) -> None:
    """Replace the file in one step, so that a stop never leaves half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(results, indent=1, sort_keys=True) + "\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error


def accuracy_table(results: dict[str, Any]) -> Any:
    """A rich table: test error of each recipe, mean and spread over its seeds, and the paper's."""
    from rich.table import Table

    table = Table(title="Test error of the integer nets, %")
    for heading in ("recipe", "weights", "bits", "sparsity", "images", "epochs", "seeds"):
        table.add_column(heading, justify="left" if heading == "recipe" else "right")
    for heading in ("mean", "± std", "min..max", "paper"):
        table.add_column(heading, justify="right")
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for run in results["runs"].values():
        groups.setdefault((run["recipe"], run["config"]["epochs"]), []).append(run)
    for (recipe, epochs), runs in sorted(groups.items()):
        errors = [100 * (1 - run["metrics"]["test_accuracy"]) for run in runs]
        config = runs[0]["config"]
        paper = PAPER_ERRORS.get(recipe)
        table.add_row(
            recipe,
            config["weights"],
            str(config["activation_bits"]),
            f"{config['sparsity']:g}",
            str(runs[0]["metrics"]["train_images"]),
            str(epochs),
            str(len(runs)),
            f"{statistics.mean(errors):.2f}",
            f"{statistics.stdev(errors):.2f}" if len(errors) > 1 else "-",
            f"{min(errors):.2f}..{max(errors):.2f}",
            "-" if paper is None else f"{paper:.2f}",
        )
    table.caption = (
        "Ours: quantised weights and activations, cross-entropy, Adam. Paper: float test weights, "
        "500 epochs on 40,000 images, one run."
    )
    return table
