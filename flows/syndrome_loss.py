"""``gatesmith reproduce syndrome-loss``: what a term of the syndrome in the loss does."""

import dataclasses
import statistics
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gatesmith.flows.decoder_training import load_decoders, train_decoders
from gatesmith.flows.folders import check_writable, write_json
from gatesmith.flows.progress import working
from gatesmith.models.errors import UserError

__all__ = ["loss_configs", "reproduce_syndrome_loss"]

CODE = "bch-63-36"
LEVELS = (4.0, 5.0, 6.0)  # Eb/N0, dB
FRAMES = {4.0: 20_000, 5.0: 20_000, 6.0: 50_000}
SEED = 1
TYINGS = ("iteration", "edge")
# Name of a loss, and its settings; mix is the part of cross-entropy.
LOSSES: dict[str, dict[str, Any]] = {
    "cross-entropy": {"loss": "cross-entropy"},
    "half syndrome": {"loss": "syndrome", "mix": 0.5},
    "half frame error": {"loss": "frame-error", "mix": 0.5},
}
PAPER_NOTE = (
    "Lugosch and Gross, Learning from the Syndrome, claim a consistently lower frame error rate "
    "for several short codes; their figures were not at hand."
)


def loss_configs(seeds: int) -> dict[str, tuple[str, str, Any]]:
    """Tying, loss and training of each run, by name."""
    from gatesmith.models.minsum_net import RECIPES

    return {
        f"{CODE}-{tying}-{loss.replace(' ', '-')}-s{seed}": (
            tying,
            loss,
            dataclasses.replace(RECIPES[f"{CODE}-{tying}-float"], seed=seed, **settings),
        )
        for tying in TYINGS
        for loss, settings in LOSSES.items()
        for seed in range(seeds)
    }


def reproduce_syndrome_loss(
    output: str | Path = "build/syndrome-loss",
    *,
    seeds: int = 3,
    console: Console | None = None,
) -> dict[str, Any]:
    """Print error rates of float decoders trained on three losses, over several seeds.

    Parameters
    ----------
    output : path   Folder of the trained decoders and of ``syndrome-loss.json``.
    seeds : int     Trainings of each kind, at least 1.
    """
    from gatesmith.models.minsum_net import NetDecoder, simulate

    if seeds < 1:
        raise UserError(f"Seeds must be at least 1, not {seeds!r}")
    console, folder = console or Console(), Path(output)
    check_writable(folder)
    runs = loss_configs(seeds)
    configs = {name: config for name, (_, _, config) in runs.items()}
    nets = load_decoders(configs, train_decoders(configs, folder, console))
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    with working(f"Simulating {len(runs)} decoders"):
        for name, (tying, loss, config) in runs.items():
            points = [
                simulate(NetDecoder(nets[name], name), [level], target_errors=FRAMES[level],
                         max_frames=FRAMES[level], seed=SEED)[0]
                for level in LEVELS
            ]  # fmt: skip
            rows.setdefault((tying, loss), []).append(
                {"seed": config.seed, "points": [point.to_json() for point in points]}
            )
    result = {
        "format": "gatesmith-syndrome-loss",
        "version": 1,
        "code": CODE,
        "decoders": [
            {"tying": tying, "loss": loss, "runs": found} for (tying, loss), found in rows.items()
        ],
        "notes": [
            f"{CODE}, float, 5 iterations of flooding; training at 1 to 6 dB; the same random "
            "codewords and noise for all: "
            + ", ".join(f"{FRAMES[level]:,} at {level:g} dB" for level in LEVELS)
            + f". Mean ± standard deviation over {seeds} seeds of training.",
            (
                "Half syndrome: cross-entropy and the hinge on the soft syndrome in equal parts; "
                "half frame error: cross-entropy and the chance of any wrong bit."
            ),
            PAPER_NOTE,
        ],
    }
    write_json(folder / "syndrome-loss.json", result)
    _print(result, console)
    return result


def _print(result: dict[str, Any], console: Console) -> None:
    title = f"{result['code']}: loss of the training, and error rates"
    table = Table(title=title, title_justify="left")
    table.add_column("an offset")
    table.add_column("loss")
    for rate in ("FER", "BER"):
        for level in LEVELS:
            table.add_column(f"{rate}, {level:g} dB", justify="right")
    for number, row in enumerate(result["decoders"], start=1):
        cells = [
            _spread([run["points"][place][rate] for run in row["runs"]])
            for rate in ("fer", "ber")
            for place in range(len(LEVELS))
        ]
        last = number % len(LOSSES) == 0
        names = {"iteration": "an iteration", "edge": "an edge and iteration"}
        table.add_row(names[row["tying"]], row["loss"], *cells, end_section=last)
    console.print(table)
    for note in result["notes"]:
        console.print(note, style="dim", highlight=False)


def _spread(rates: list[float]) -> str:
    """Mean and standard deviation in digits that mean something."""
    mean = statistics.mean(rates)
    if len(rates) == 1:
        return f"{mean:.3g}"
    return f"{mean:.3g} ±{statistics.stdev(rates):.1g}"
