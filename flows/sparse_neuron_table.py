"""The table and the picture of ``gatesmith reproduce sparse-neuron``."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gatesmith.models.errors import UserError

__all__ = ["draw", "percent", "print_table"]

LABELS = {"sram": "sram, logic alone"}


def draw(result: dict[str, Any], path: Path) -> None:
    """Area against sparsity, of the paper and of each kind of memory, over that of p = 0."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    # The same picture gives the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "gatesmith", "svg.fonttype": "none"}):
        figure, axes = pyplot.subplots(figsize=(6, 3.6), layout="constrained")
        rows = {"paper, flip-flop weights, 65 nm": result["paper_65nm"]}
        rows |= {f"ours, {LABELS.get(k, k)}": entries for k, entries in result["ours"].items()}
        styles = ("ko-", "C0s-", "C0s:", "C1^-", "C2v-")
        for (label, entries), style in zip(rows.items(), styles, strict=True):
            x = [100 * entry["sparsity"] for entry in entries]
            y = [100 - entry["saving_percent"] for entry in entries]
            axes.plot(x, y, style, label=label, markersize=4)
        axes.set(xlabel="sparsity, %", ylabel="area of the neuron, % of dense", ylim=(0, None))
        axes.set_title(f"1024 inputs, binary weights; {result['library']}", fontsize=9)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = {"Date": None} if path.suffix == ".svg" else None
        try:
            figure.savefig(path, metadata=metadata)
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror}") from error
        finally:
            pyplot.close(figure)


def print_table(result: dict[str, Any], console: Console) -> None:
    unit = "µm²" if result["nand2_um2"] else "GE"
    key = "area_um2" if result["nand2_um2"] else "gate_equivalents"
    title = f"One neuron of 1024 inputs, binary weights: {result['library']}, {result['yosys']}"
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for entry in result["paper_65nm"]:
        table.add_column(f"p = {entry['sparsity']:g}", justify="right")

    def add(label: str, values: list[str], section: bool = False) -> None:
        table.add_row(label, *values, end_section=section)

    paper = result["paper_65nm"]
    add("weights stored, bits", [str(e["weight_bits"]) for e in result["ours"]["flipflop"]], True)
    add("paper, 65 nm: µm²", [f"{e['area_um2']:,}" for e in paper])
    add("  against p = 0", [percent(e["saving_percent"]) for e in paper], True)
    for variant, entries in result["ours"].items():
        add(f"ours, {LABELS.get(variant, variant)}: {unit}", [f"{e[key]:,.0f}" for e in entries])
        if unit == "µm²":
            add("  GE", [f"{e['gate_equivalents']:,.0f}" for e in entries])
        if variant != "sram":
            kept = [f"{e['weight_memory_gate_equivalents']:,.0f}" for e in entries]
            add("  of it weight memory, GE", kept)
        add("  against p = 0", [percent(e["saving_percent"]) for e in entries], True)
    if result["inputs"]:
        add("paper, 65 nm: pJ a dot product", [f"{e['energy_pj']:,}" for e in paper])
        add("  against p = 0", [percent(e["energy_saving_percent"]) for e in paper], True)
        for variant, entries in result["ours"].items():
            label = LABELS.get(variant, variant)
            add(f"ours, {label}: pJ", [f"{e['energy_pj']:,.0f}" for e in entries])
            add("  against p = 0", [percent(e["energy_saving_percent"]) for e in entries])
            if "flipflop" in variant:
                add("  gated: pJ", [f"{e['gated_energy_pj']:,.0f}" for e in entries])
                savings = [percent(e["gated_energy_saving_percent"]) for e in entries]
                add("    against p = 0", savings)
            add("  fastest clock, MHz", [f"{e['max_mhz']:.0f}" for e in entries], True)
    storage = result["storage_bits"]
    add("stored bits: weights, LFSR seed", [f"{e['lfsr']:,}" for e in storage])
    add("  weights, bitmap", [f"{e['bitmap']:,}" for e in storage])
    add("  weights, 4-bit relative index", [f"{e['relative_index']:,}" for e in storage])
    add("    fillers among its words", [str(e["relative_index_fillers"]) for e in storage])
    console.print(table)
    for note in result["notes"]:
        console.print(note, highlight=False)


def percent(saving: float) -> str:
    """A saving as a change in per cent."""
    return f"{-saving:+.0f} %" if round(saving) else "0 %"
