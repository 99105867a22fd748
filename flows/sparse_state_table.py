"""The table of ``gatesmith reproduce sparse-state``."""

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["print_table"]


def print_table(result: dict[str, Any], console: Console) -> None:
    rows, paper = result["ours"], result["paper"]
    title = f"LSTM on dense and on sparse states, ternary weights: {result['simulator']}"
    table = Table(title=title, title_justify="left")
    table.add_column("a step, all B sequences")
    for row in rows:
        table.add_column(
            f"{row['data']}, {row['cells']} cells, B = {row['batch']}", justify="right"
        )
    table.add_column("paper", justify="right")

    def add(
        label: str, show: Callable[[dict[str, Any]], str], theirs: str = "", section: bool = False
    ) -> None:
        table.add_row(label, *(show(row) for row in rows), theirs, end_section=section)

    def both(label: str, show: Callable[[dict[str, Any]], str]) -> None:
        add(f"{label}: dense", lambda row: show(row["dense"]))
        add("  sparse", lambda row: show(row["sparse"]))

    add("lanes, cells a clock", lambda row: f"{row['lanes']}, {row['elementwise']}")
    add("steps simulated", lambda row: str(row["steps"]), section=True)
    alone = f"~{100 * paper['zeros_batch_1']:.0f} %"
    add("zeros of the state, alone", lambda row: f"{100 * row['zeros']:.1f} %", alone)
    implied = f"{100 * (1 - 1 / paper['speed_up']):.0f} % implied"
    joint = "  joint over B: columns skipped"
    add(joint, lambda row: f"{100 * row['joint_zeros']:.1f} %", implied, True)
    both("clocks", lambda side: f"{side['clocks']:,.1f}")
    add("  speed-up", lambda row: f"{row['speed_up']:.2f}x", f"{paper['speed_up']}x")
    add("  golden model, more steps", lambda row: f"{row['more']['steps']:,}")
    add("    speed-up", lambda row: f"{row['more']['speed_up']:.2f}x")
    recurrent = "  recurrent product alone, columns"
    add(recurrent, lambda row: f"{row['recurrent_speed_up']:.2f}x", section=True)
    both("columns taken", lambda side: f"{side['columns_taken']:,.1f}")
    for name, label in (("x", "input x"), ("h", "recurrent h"), ("head", "head")):
        both(f"  of it {label}", lambda side, name=name: f"{side['columns'][name]:,.1f}")  # type: ignore[misc]
    table.add_section()
    both("weight bits fetched", lambda side: f"{side['weight_bits']:,.0f}")
    recurrent_bits = "  of it recurrent h"
    both(recurrent_bits, lambda side: f"{side['weight_bits_apart']['h']:,.0f}")
    add("  sparse, a sequence", lambda row: f"{row['sparse']['weight_bits'] / row['batch']:,.0f}")
    add("  dense LSTM of 12-bit weights", lambda row: f"{row['weight_bits_dense_12']:,.0f}")
    add("    over ours sparse", _over, section=True)
    add("test split, training log", _figure)
    add("  float network, same log", _float)
    add("  zeros alone; joint over 8, same log", _zeros)
    console.print(table)
    for name, source in result["sources"].items():
        console.print(f"{name}: {source}", highlight=False)
    for note in result["notes"]:
        console.print(note, highlight=False)


def _over(row: dict[str, Any]) -> str:
    return f"{row['weight_bits_dense_12'] / row['sparse']['weight_bits']:.1f}x"


def _figure(row: dict[str, Any], prefix: str = "") -> str:
    """Bits a character or accuracy of a training log."""
    log = row["training_log"]
    if f"{prefix}test_bpc" in log:
        return f"{log[f'{prefix}test_bpc']:.3f} BPC"
    if f"{prefix}test_accuracy" in log:
        return f"{100 * log[f'{prefix}test_accuracy']:.2f} %"
    return "-"


def _float(row: dict[str, Any]) -> str:
    return _figure(row, "float_")


def _zeros(row: dict[str, Any]) -> str:
    """Zeros of the states in a training log, of the only layer."""
    log = row["training_log"]
    parts = [log.get(name) for name in ("state_sparsity", "state_sparsity_of_8")]
    return "; ".join("-" if part is None else f"{100 * part[0]:.1f} %" for part in parts)
