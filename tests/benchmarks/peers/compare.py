"""``make bench-peers``: Gatesmith beside da4ml and alkaid, all through the same tools.

Run in the repository's root. Results go to ``build/peers/peers.json``; what was measured before
comes from the cache.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from contestants import BUILD, CONTESTANTS, Made, network, versions
from measure import Mismatch, flattened, mapped, verify
from rich.console import Console
from rich.table import Table
from tasks import DIGITS, MATRICES, Task, inputs_of, matrix_task, network_task

from gatesmith.families import FAMILIES
from gatesmith.flows.silicon.liberty import GENERIC_LIBRARY, Library, read_library
from gatesmith.flows.silicon.recipes import RECIPES
from gatesmith.flows.train import train
from gatesmith.flows.verify import judge, make_vectors, simulate
from gatesmith.sim.cache import cached_json, keep_json
from gatesmith.sim.yosys import tool_version

OSU035 = Path("/usr/share/qflow/tech/osu035/osu035_stdcells.lib")
PEERS = ("da4ml", "alkaid", "alkaid, plain")
GOALS = {"s8": (0.9, PEERS), "u4": (0.9, PEERS), "u1": (1.0, ("flat sum",))}
Row = dict[str, Any]


def main() -> int:
    """Measure what was asked for; 1 when a design is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = [f"{n_in}x{n_out}-{kind}" for n_in, n_out, kind in MATRICES]
    parser.add_argument("--liberty", type=Path, help="cell library; osu035 if installed")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME",
        help=f"{DIGITS}, a shape, a format or both, as 16x16, u1 or 64x64-s8; repeat",
    )  # fmt: skip
    parser.add_argument("--skip-large", action="store_true", help="no 64x64 and 128x64")
    chosen = parser.parse_args()
    path = chosen.liberty or (OSU035 if OSU035.exists() else GENERIC_LIBRARY)
    library = read_library(path)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    console = Console(width=None if sys.stdout.isatty() else 160)
    names = [*known, DIGITS]
    if chosen.skip_large:
        names = [name for name in names if name.startswith("16x16") or name == DIGITS]
    if chosen.only:
        wanted = [n for n in names if any(o in (n, *n.split("-")) for o in chosen.only)]
        names = wanted or parser.error(f"--only must be among {', '.join(names)}")
    tools = {"yosys": tool_version(), **versions()}
    found: dict[str, dict[str, Row]] = {}
    for name in names:
        try:
            rows = _digits(library, console) if name == DIGITS else _matrix(name, library, console)
        except Mismatch as error:
            console.print(f"[red]error:[/] {error}")
            return 1
        found[name] = rows
        _print(name, rows, library, console)
    _print_goals(found, console)
    report = {"library": library.name, "nand2_area": library.nand2_area, "tools": tools}
    report |= {"library_sha256": library.sha256, "tasks": found}
    (BUILD / "peers.json").write_text(json.dumps(report, indent=1) + "\n")
    console.print(f"{library.name}, {', '.join(f'{k} {v}' for k, v in tools.items())}")
    console.print(f"wrote {BUILD / 'peers.json'}")
    return 0


def _matrix(name: str, library: Library, console: Console) -> dict[str, Row]:
    shape, kind = name.split("-")
    n_in, n_out = map(int, shape.split("x"))
    task = matrix_task(n_in, n_out, kind)
    rows = {}
    for label, make in CONTESTANTS.items():
        # At 16x16, s8 and u4, it is within 1 % of alkaid: not worth the time on what is larger.
        if label == "alkaid, plain" and kind != "u1" and shape != "16x16":
            continue
        rows[label] = _measure(task, make(task), label, library, console)
    return rows


def _measure(task: Task, made: Made, label: str, library: Library, console: Console) -> Row:
    begin = time.time()
    vectors, latency = verify(task, made, label)
    costs = mapped(flattened(made), made.top, library, task, made)
    if time.time() - begin > 5:
        console.print(f"  {task.name}, {label}: {time.time() - begin:.0f} s", style="dim")
    row: Row = {"seconds": made.seconds, "vectors": vectors, "latency": latency, "interval": 1}
    return row | {recipe: asdict(cost) for recipe, cost in costs.items()}


def _digits(library: Library, console: Console) -> dict[str, Row]:
    """64-32-32-10 for scikit-learn's digits: ternary weights, 4-bit activations."""
    from gatesmith.models.sparse_mlp_net import load_checkpoint, lower

    checkpoint = BUILD / "digits.safetensors"
    if not checkpoint.exists():
        settings = ("hidden=32,32", "sparsity=0")
        metrics = train("sparse-mlp", checkpoint, data="digits", settings=settings)
        console.print(f"  trained: {100 * metrics['test_accuracy']:.2f} % of the test images")
    spec = lower(load_checkpoint(checkpoint))
    task = network_task(spec)
    rows = {}
    for pipeline in (0, 1):
        label = f"ours, {pipeline} inside"
        rows[label] = _measure(task, network(spec, pipeline), label, library, console)
    for label in ("da4ml", "alkaid"):
        rows[label] = _measure(task, CONTESTANTS[label](task), label, library, console)
    for lanes in (1, "all"):
        serial = spec.with_options(datapath="gate", lanes=lanes)
        rows[f"ours, gate, {lanes} lanes"] = _stream(task, serial, library, console)
    return rows


def _stream(task: Task, spec: Any, library: Library, console: Console) -> Row:
    """A design with streams, as ``gatesmith lower`` writes and ``synth`` maps it."""
    entry = FAMILIES["sparse-mlp"]
    begin = time.process_time()
    text = entry.verilog(spec)
    seconds = time.process_time() - begin
    inputs = inputs_of(task)
    vectors = make_vectors(entry, spec, inputs)
    # The golden model is not asked whether it is right itself: the task's reference is.
    scores = entry.models.golden(spec, inputs).outputs[:, :-1]
    assert np.array_equal(scores, task.outputs(inputs))
    key = [text, inputs.tolist()]
    if not cached_json("peers-verified", key):
        with console.status(f"Simulating {spec.name}"), tempfile.TemporaryDirectory() as folder:
            design = Path(folder) / "design.v"
            design.write_text(text)
            seen = simulate(design, spec.name, vectors, "icarus", 0, 0, Path(folder), brief=True)
            for report in judge(vectors, seen):
                if report.mismatches or report.errors:
                    raise Mismatch(f"ours does not compute {task.name}: {report}")
        keep_json("peers-verified", key, True)
    timing = entry.models.timing(spec)
    costs = mapped(text, spec.name, library, task, None)
    row: Row = {"seconds": seconds, "vectors": len(inputs), "latency": timing.latency}
    row |= {"interval": timing.interval}
    return row | {recipe: asdict(cost) for recipe, cost in costs.items()}


def _print(name: str, rows: dict[str, Row], library: Library, console: Console) -> None:
    table = Table(title=f"{name}, {library.name}", title_justify="left")
    table.add_column("")
    for recipe in RECIPES:
        for column in (recipe, "GE", "to ours", "levels", "ns"):
            table.add_column(column, justify="right")
    for column in ("flip-flops", "clocks", "interval", "CPU s", "vectors"):
        table.add_column(column, justify="right")
    ours = next(iter(rows.values()))
    for label, row in rows.items():
        cells = [label]
        for recipe in RECIPES:
            cost = row[recipe]
            ratio = cost["area"] / ours[recipe]["area"]
            period = "–" if cost["period"] is None else f"{cost['period']:.2f}"
            cells += [f"{cost['area']:,.0f}", f"{cost['gate_equivalents']:,.0f}", f"{ratio:.2f}"]
            cells += [str(cost["levels"]), period]
        cells += [f"{row['default']['flip_flops']:,}", f"{row['latency']:,}"]
        cells += [f"{row['interval']:,.0f}", f"{row['seconds']:.2f}", str(row["vectors"])]
        table.add_row(*cells)
    console.print(table)


def _print_goals(found: dict[str, dict[str, Row]], console: Console) -> None:
    """Ours over the best of those that the goal names, area by recipe."""
    for name, rows in found.items():
        if name == DIGITS:
            continue
        goal, against = GOALS[name.split("-")[1]]
        words = []
        for recipe in RECIPES:
            present = [label for label in against if label in rows]
            best = min(present, key=lambda label: rows[label][recipe]["area"])
            ratio = rows["ours"][recipe]["area"] / rows[best][recipe]["area"]
            rows["ours"][recipe]["ratio"], rows["ours"][recipe]["against"] = ratio, best
            words.append(f"{recipe} {ratio:.3f} of {best} ({'met' if ratio <= goal else 'missed'})")
        console.print(f"{name}: goal {goal:g}; {', '.join(words)}")


if __name__ == "__main__":
    sys.exit(main())
