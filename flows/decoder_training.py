"""Trainings of decoders that a table needs: side by side, and kept in a folder."""

import multiprocessing
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from rich.console import Console

from gatesmith.flows.folders import make_folder
from gatesmith.flows.progress import working
from gatesmith.models.errors import UserError

__all__ = ["load_decoders", "train_decoders"]


def train_decoders(configs: Mapping[str, Any], folder: Path, console: Console) -> dict[str, Path]:
    """Train decoders, one a core at a time; the file of each in ``folder``, by name.

    Parameters
    ----------
    configs : mapping   ``MinSumConfig`` by name; those of update ``sum-product`` are weighted
                        belief propagation. What an earlier run finished or began is not repeated.

    UserError when a file there belongs to another configuration, or the folder cannot be written.
    """
    make_folder(folder)
    paths = {name: folder / f"{name}.safetensors" for name in configs}
    missing = [name for name in configs if not _finished(configs[name], paths[name])]
    workers = min(os.cpu_count() or 1, len(missing))
    if not missing:
        return paths
    # A fresh process each: torch with threads does not survive a fork.
    context = multiprocessing.get_context("spawn")
    with (
        working(f"Training {len(missing)} decoders"),
        ProcessPoolExecutor(workers, mp_context=context, max_tasks_per_child=1) as pool,
    ):
        jobs = {pool.submit(_train, configs[name], paths[name]): name for name in missing}
        for job in as_completed(jobs):
            console.print(f"trained {jobs[job]} in {job.result():.0f} s", highlight=False)
    return paths


def load_decoders(configs: Mapping[str, Any], paths: Mapping[str, Path]) -> dict[str, Any]:
    """The trained nets by name, in evaluation mode."""
    from gatesmith.models.minsum_net import WeightedBP, load_checkpoint
    from gatesmith.models.minsum_net.training import Trainer

    found: dict[str, Any] = {}
    for name, config in configs.items():
        if config.update == "sum-product":
            found[name] = WeightedBP(config)
            Trainer(found[name]).restore(paths[name])
            found[name].eval()
        else:
            found[name] = load_checkpoint(paths[name])
    return found


def _finished(config: Any, path: Path) -> bool:
    """Whether a checkpoint is there; weights are asked again, and say so themselves.

    UserError for one of another training.
    """
    from gatesmith.models.minsum_net import load_checkpoint

    if config.update == "sum-product" or not path.is_file():
        return False
    if load_checkpoint(path).config != config:
        raise UserError(f"{path}: was trained with another configuration; choose another folder")
    return True


def _train(config: Any, path: Path) -> float:
    """Train one decoder, or go on; seconds taken. Runs in a process of its own."""
    import time

    from gatesmith.models.minsum_net import WeightedBP, fit, train

    start = time.perf_counter()
    if config.update == "sum-product":
        fit(WeightedBP(config), state=path, resume=True)
    else:
        train(config, path, resume=True)
    return time.perf_counter() - start
