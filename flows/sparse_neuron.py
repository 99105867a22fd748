"""``gatesmith reproduce sparse-neuron``: the paper's areas of one neuron beside ours."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from gatesmith.flows.folders import check_writable
from gatesmith.flows.silicon.area import AreaReport
from gatesmith.flows.synth import mapping_of
from gatesmith.models.errors import UserError
from gatesmith.models.lfsr import PRIMITIVE_TAPS, keep_masks
from gatesmith.models.sparse_mlp import SparseLayer
from gatesmith.models.store import write_atomically
from gatesmith.sim.cache import cache_folder

__all__ = ["index_storage", "reproduce_sparse_neuron"]

INPUTS = 1024
INPUT_BITS = 8
SEED = 1
SPARSITIES = (0.0, 0.5, 0.75, 0.875, 0.9375)

# Ardakani, Condo, Gross, ICLR 2017, the table of one neuron in TSMC 65 nm at 400 MHz.
PAPER_UM2 = (26265, 13859, 7316, 4221, 2662)
PAPER_SAVING = (0, 47, 72, 84, 90)  # percent

# Name: memory of the weights, LFSR taps, LFSR steps an input.
VARIANTS = {
    "flipflop": ("flipflop", (10, 7), 1),
    "flipflop, wide LFSR": ("flipflop", PRIMITIVE_TAPS[16], 16),
    "rom": ("rom", (10, 7), 1),
    "sram": ("sram", (10, 7), 1),
}

LABELS = {"sram": "sram, logic alone"}

NOTES = (
    (
        f"Ours: one lane of the gate datapath, {INPUTS} unsigned inputs of {INPUT_BITS} bits (the "
        "paper does not give its width), binary weights, one input a clock."
    ),
    (
        "Counted: LFSR with its seed, comparator, weight address counter, weight memory with its "
        "read and write decoders and read register, accumulator. Not counted: bias memory (it can "
        "be loaded beside flip-flop and SRAM weights; 0 beside a ROM), activation, input "
        "broadcast, AXI4-Stream shell, loader. The paper counts no bias, broadcast, seed storage "
        "or loading."
    ),
    (
        "flipflop, rom, sram: the paper's 10-bit LFSR, taps (10, 7), one step an input. wide LFSR: "
        f"16 bits, taps {PRIMITIVE_TAPS[16]}, 16 steps an input, which cures clustered masks."
    ),
    (
        f"Weights drawn at random, seed {SEED}. LFSR seeds are the first drawn that keep exactly "
        "(1 - p) * 1024 inputs."
    ),
    "sram: logic alone; the weights are bits of a macro, whose area is not counted.",
    (
        "Relative index: words of 4 bits for the zeros before a weight, and the weight's bit; 15 "
        "means 15 zeros and no weight (a filler)."
    ),
)


@dataclass(frozen=True, kw_only=True)
class NeuronArea:
    """A neuron without its bias memory. Areas in the library's unit."""

    variant: str
    sparsity: float
    weight_bits: int
    area: float
    memory_area: float
    gate_equivalents: float
    flip_flops: int


def neuron(sparsity: float, taps: tuple[int, ...], leap: int) -> SparseLayer:
    """The paper's neuron as a layer of one output that keeps exactly (1 - p) of its inputs."""
    rng = np.random.default_rng(SEED)
    threshold = int(np.ceil(sparsity * (1 << max(taps))))
    kept = round((1 - sparsity) * INPUTS)
    seed = 0
    if threshold:
        seeds = rng.integers(1, 1 << max(taps), 4096)
        counts = keep_masks(taps, seeds, INPUTS, threshold, leap).sum(axis=1)
        seed = int(seeds[np.flatnonzero(counts == kept)[0]])
    return SparseLayer(
        inputs=INPUTS,
        outputs=1,
        input_bits=INPUT_BITS,
        weight_kind="binary",
        taps=taps if threshold else (),
        leap=leap,
        threshold=threshold,
        seeds=np.array([seed]),
        weights=rng.choice(np.array([-1, 1], dtype=np.int8), kept),
        bias=np.array([0]),
        shift=0,
        output_bits=0,
        lanes=1,
    )


def index_storage(mask: np.ndarray, index_bits: int = 4) -> tuple[int, int]:
    """Words and fillers among them when kept inputs are stored by relative index.

    A word skips up to 2**index_bits - 2 zeros; a filler skips 2**index_bits - 1 and holds no
    weight. ``mask`` is bool ``[inputs]``.
    """
    kept = np.flatnonzero(mask)
    zeros = np.diff(kept, prepend=-1) - 1
    fillers = int((zeros // ((1 << index_bits) - 1)).sum())
    return kept.size + fillers, fillers


def _storage(layer: SparseLayer) -> dict[str, int]:
    """Bits a neuron must store under each scheme, binary weights."""
    mask = layer.mask[0]
    kept = int(mask.sum())
    words, fillers = index_storage(mask)
    seed_bits = max(layer.taps, default=0)
    return {
        "lfsr": kept + seed_bits,
        "bitmap": mask.size + kept,
        "relative_index": words * 5,
        "relative_index_fillers": fillers,
    }


def _neuron_area(variant: str, sparsity: float, report: AreaReport) -> NeuronArea:
    weights = [memory for memory in report.memories if memory.name.startswith("weight")]
    biases = [memory for memory in report.memories if memory.name.startswith("bias")]
    area = report.total.area - sum(memory.count.area for memory in biases)
    flip_flops = report.total.flip_flops - sum(memory.count.flip_flops for memory in biases)
    return NeuronArea(
        variant=variant,
        sparsity=sparsity,
        weight_bits=sum(memory.bits for memory in weights),
        area=area,
        memory_area=sum(memory.count.area for memory in weights),
        gate_equivalents=report.gate_equivalents(area),
        flip_flops=flip_flops,
    )


def reproduce_sparse_neuron(
    liberty: str | Path | None = None,
    *,
    output: str | Path | None = None,
    plot: str | Path | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Print the paper's table of one neuron beside ours.

    Parameters
    ----------
    liberty : path   Cell library; without one, gate equivalents of our generic library.
    output : path    JSON file to write.
    plot : path      Picture to write: ``*.svg``, ``*.png`` or ``*.pdf``.
    """
    for path in (output, plot):
        if path is not None:
            check_writable(path)
    if plot is not None and Path(plot).suffix not in (".svg", ".png", ".pdf"):
        raise UserError(f"Plot must be named *.svg, *.png or *.pdf, not {str(plot)!r}")
    # Amaranth is needed for nothing else here.
    from gatesmith.hw.sparse_mlp.lane import GateLane
    from gatesmith.hw.sparse_mlp.mask import mask_verilog
    from gatesmith.hw.verilog import verilog

    jobs = [(variant, p) for variant in VARIANTS for p in SPARSITIES]
    texts = []
    for variant, sparsity in jobs:
        memory, taps, leap = VARIANTS[variant]
        layer = neuron(sparsity, taps, leap)
        shared = {"mask": mask_verilog("mask", layer, 1)} if layer.threshold else {}
        texts.append(verilog(GateLane(layer, memory, 0, "mask"), "neuron", shared))

    def area(job: tuple[int, str]) -> AreaReport:
        number, text = job
        log = cache_folder() / "logs" / f"sparse-neuron-{number}.log"
        return mapping_of(text, "neuron", liberty=liberty, log=log).report

    # The first alone, so that a broken library is one error and not several.
    reports = [area((0, texts[0]))]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        reports += pool.map(area, enumerate(texts[1:], 1))
    rows = [
        _neuron_area(variant, sparsity, report)
        for (variant, sparsity), report in zip(jobs, reports, strict=True)
    ]
    storage = [_storage(neuron(p, (10, 7), 1)) for p in SPARSITIES]
    result = _result(reports[0], rows, storage)
    if output is not None:
        try:
            Path(output).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(Path(output), json.dumps(result, indent=1) + "\n")
        except OSError as error:
            raise UserError(f"{output} must be writable: {error.strerror}") from error
    if plot is not None:
        _plot(result, Path(plot))
    _print(result, console or Console())
    return result


def _plot(result: dict[str, Any], path: Path) -> None:
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


def _result(
    report: AreaReport, rows: list[NeuronArea], storage: list[dict[str, int]]
) -> dict[str, Any]:
    variants = {}
    for variant in VARIANTS:
        mine = [row for row in rows if row.variant == variant]
        dense = mine[0].area
        variants[variant] = [
            {
                "sparsity": row.sparsity,
                "weight_bits": row.weight_bits,
                "area_um2": round(row.area, 3) if report.unit == "um2" else None,
                "gate_equivalents": round(row.gate_equivalents, 2),
                "weight_memory_gate_equivalents": round(
                    report.gate_equivalents(row.memory_area), 2
                ),
                "flip_flops": row.flip_flops,
                "saving_percent": round(100 * (1 - row.area / dense), 1),
            }
            for row in mine
        ]
    paper = [
        {"sparsity": p, "area_um2": area, "saving_percent": saving}
        for p, area, saving in zip(SPARSITIES, PAPER_UM2, PAPER_SAVING, strict=True)
    ]
    return {
        "format": "gatesmith-sparse-neuron",
        "version": 1,
        "yosys": report.yosys,
        "library": report.library,
        "library_file": report.library_file,
        "library_sha256": report.library_sha256,
        "nand2_um2": report.nand2_area if report.unit == "um2" else None,
        "paper_65nm": paper,
        "ours": variants,
        "storage_bits": [
            {"sparsity": p, **bits} for p, bits in zip(SPARSITIES, storage, strict=True)
        ],
        "notes": [*NOTES, *_why(variants)],
    }


def _why(variants: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Where the savings end, in figures: the part of the neuron that does not shrink."""
    columns = variants["flipflop"]
    dense, last = columns[0], columns[-1]
    bits = dense["weight_bits"] - last["weight_bits"]
    memory = dense["weight_memory_gate_equivalents"] - last["weight_memory_gate_equivalents"]
    slope = memory / bits
    rest = last["gate_equivalents"] - last["weight_memory_gate_equivalents"]
    share = 100 * rest / dense["gate_equivalents"]
    dense_rom, last_rom = (variants["rom"][k]["gate_equivalents"] for k in (0, -1))
    rom_bit = variants["rom"][0]["weight_memory_gate_equivalents"] / dense["weight_bits"]
    return [
        (
            f"Flip-flop weights end at {_percent(last['saving_percent'])} (paper -90 %): a stored "
            f"bit costs {slope:.1f} GE here, and all but the weight memory, {rest:.0f} GE or "
            f"{share:.1f} % of the dense neuron, does not shrink. The paper's figures fit 24.6 µm² "
            "a bit and 1,090 µm² (4.2 % of its dense neuron) besides."
        ),
        (
            f"With constant weights (rom) the dense neuron has {dense_rom:.0f} GE and the sparsest "
            f"{last_rom:.0f} GE: a bit costs {rom_bit:.2f} GE, so there is little to save. With an "
            "SRAM the logic gains an LFSR and a comparator and loses a few bits of counter and "
            "accumulator; the saving is in the bits of the macro."
        ),
    ]


def _print(result: dict[str, Any], console: Console) -> None:
    unit = "µm²" if result["nand2_um2"] else "GE"
    key = "area_um2" if result["nand2_um2"] else "gate_equivalents"
    title = f"One neuron of 1024 inputs, binary weights: {result['library']}, {result['yosys']}"
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for p in SPARSITIES:
        table.add_column(f"p = {p:g}", justify="right")

    def add(label: str, values: list[str], section: bool = False) -> None:
        table.add_row(label, *values, end_section=section)

    paper = result["paper_65nm"]
    add("weights stored, bits", [str(e["weight_bits"]) for e in result["ours"]["flipflop"]], True)
    add("paper, 65 nm: µm²", [f"{e['area_um2']:,}" for e in paper])
    add("  against p = 0", [_percent(e["saving_percent"]) for e in paper], True)
    for variant, entries in result["ours"].items():
        add(f"ours, {LABELS.get(variant, variant)}: {unit}", [f"{e[key]:,.0f}" for e in entries])
        if unit == "µm²":
            add("  GE", [f"{e['gate_equivalents']:,.0f}" for e in entries])
        if variant != "sram":
            kept = [f"{e['weight_memory_gate_equivalents']:,.0f}" for e in entries]
            add("  of it weight memory, GE", kept)
        add("  against p = 0", [_percent(e["saving_percent"]) for e in entries], True)
    storage = result["storage_bits"]
    add("stored bits: weights, LFSR seed", [f"{e['lfsr']:,}" for e in storage])
    add("  weights, bitmap", [f"{e['bitmap']:,}" for e in storage])
    add("  weights, 4-bit relative index", [f"{e['relative_index']:,}" for e in storage])
    add("    fillers among its words", [str(e["relative_index_fillers"]) for e in storage])
    console.print(table)
    for note in result["notes"]:
        console.print(note, highlight=False)


def _percent(saving: float) -> str:
    return f"{-saving:+.0f} %" if round(saving) else "0 %"
