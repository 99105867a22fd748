"""``gatesmith reproduce sparse-neuron``: the paper's areas of one neuron beside ours."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from gatesmith.flows.folders import check_writable, write_json
from gatesmith.flows.neuron_energy import NeuronEnergy, images, neuron_energy
from gatesmith.flows.silicon.area import AreaReport
from gatesmith.flows.silicon.cells import choose_library
from gatesmith.flows.silicon.gate_level import block_texts
from gatesmith.flows.silicon.liberty import read_library
from gatesmith.flows.sparse_neuron_table import draw, percent, print_table
from gatesmith.flows.synth import mapping_of
from gatesmith.models.errors import UserError
from gatesmith.models.lfsr import PRIMITIVE_TAPS, keep_masks
from gatesmith.models.sparse_mlp import SparseLayer
from gatesmith.sim.cache import cache_folder

__all__ = ["index_storage", "reproduce_sparse_neuron"]

INPUTS = 1024
INPUT_BITS = 8
SEED = 1
SPARSITIES = (0.0, 0.5, 0.75, 0.875, 0.9375)

# Ardakani, Condo, Gross, ICLR 2017, the table of one neuron in TSMC 65 nm at 400 MHz.
PAPER_UM2 = (26265, 13859, 7316, 4221, 2662)
PAPER_SAVING = (0, 47, 72, 84, 90)  # percent
PAPER_PJ = (712, 397, 220, 154, 110)  # a dot product of 1024 inputs
PAPER_ENERGY_SAVING = (0, 44, 69, 78, 84)
CLOCK_MHZ = 100.0  # for leakage, which is next to nothing

# Name: memory of the weights, LFSR taps, LFSR steps an input.
VARIANTS = {
    "flipflop": ("flipflop", (10, 7), 1),
    "flipflop, wide LFSR": ("flipflop", PRIMITIVE_TAPS[16], 16),
    "rom": ("rom", (10, 7), 1),
    "sram": ("sram", (10, 7), 1),
}

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
class NeuronCost:
    """A neuron without its bias memory. Areas in the library's unit; no energy, no delays."""

    variant: str
    sparsity: float
    weight_bits: int
    area: float
    memory_area: float
    gate_equivalents: float
    flip_flops: int
    energy: NeuronEnergy | None


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


def _cost(
    variant: str, sparsity: float, report: AreaReport, energy: NeuronEnergy | None
) -> NeuronCost:
    weights = [memory for memory in report.memories if memory.name.startswith("weight")]
    biases = [memory for memory in report.memories if memory.name.startswith("bias")]
    area = report.total.area - sum(memory.count.area for memory in biases)
    flip_flops = report.total.flip_flops - sum(memory.count.flip_flops for memory in biases)
    return NeuronCost(
        variant=variant,
        sparsity=sparsity,
        weight_bits=sum(memory.bits for memory in weights),
        area=area,
        memory_area=sum(memory.count.area for memory in weights),
        gate_equivalents=report.gate_equivalents(area),
        flip_flops=flip_flops,
        energy=energy,
    )


def reproduce_sparse_neuron(
    liberty: str | Path | None = None,
    *,
    output: str | Path | None = None,
    plot: str | Path | None = None,
    data_dir: str | Path | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Print the paper's table of one neuron beside ours.

    Parameters
    ----------
    liberty : path   Cell library; without one, gate equivalents of our generic library, and no
                     energy.
    output : path    JSON file to write.
    plot : path      Picture to write: ``*.svg``, ``*.png`` or ``*.pdf``.
    data_dir : path  Folder with MNIST, whose images then are the inputs.
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

    path = choose_library(liberty)
    library = read_library(path)
    frames, source = images(data_dir) if library.timed else (None, "")
    jobs = [(variant, p) for variant in VARIANTS for p in SPARSITIES]

    def cost(number: int) -> tuple[AreaReport, NeuronCost]:
        variant, sparsity = jobs[number]
        memory, taps, leap = VARIANTS[variant]
        layer = neuron(sparsity, taps, leap)
        shared = {"mask": mask_verilog("mask", layer, 1)} if layer.threshold else {}
        text = verilog(GateLane(layer, memory, 0, "mask"), "neuron", shared)
        log = cache_folder() / "logs" / f"sparse-neuron-{number}.log"
        mapping = mapping_of(text, "neuron", liberty=path, log=log)
        energy = None
        if frames is not None:
            blocks = block_texts(text)
            energy = neuron_energy(
                layer, mapping, library, blocks, frames[:, :INPUTS], clock_mhz=CLOCK_MHZ
            )
        return mapping.report, _cost(variant, sparsity, mapping.report, energy)

    # The first alone, so that a broken library is one error and not several.
    found = [cost(0)]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        found += pool.map(cost, range(1, len(jobs)))
    rows = [row for _, row in found]
    storage = [_storage(neuron(p, (10, 7), 1)) for p in SPARSITIES]
    result = _result(found[0][0], rows, storage, source)
    if output is not None:
        write_json(output, result)
    if plot is not None:
        draw(result, Path(plot))
    print_table(result, console or Console())
    return result


def _result(
    report: AreaReport, rows: list[NeuronCost], storage: list[dict[str, int]], source: str
) -> dict[str, Any]:
    variants = {}
    for variant in VARIANTS:
        mine = [row for row in rows if row.variant == variant]
        dense = mine[0].area
        plain = [row.energy.total if row.energy else None for row in mine]
        gated = [row.energy.gated if row.energy else None for row in mine]
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
                "energy_pj": _rounded(plain[k]),
                "energy_saving_percent": _saving(plain, k),
                "gated_energy_pj": _rounded(gated[k]),
                "gated_energy_saving_percent": _saving(gated, k),
                "max_mhz": _rounded(row.energy.max_mhz if row.energy else None),
            }
            for k, row in enumerate(mine)
        ]
    paper = [
        {
            "sparsity": p,
            "area_um2": PAPER_UM2[k],
            "saving_percent": PAPER_SAVING[k],
            "energy_pj": PAPER_PJ[k],
            "energy_saving_percent": PAPER_ENERGY_SAVING[k],
        }
        for k, p in enumerate(SPARSITIES)
    ]
    return {
        "format": "gatesmith-sparse-neuron",
        "version": 2,
        **report.origin,
        "nand2_um2": report.nand2_area if report.unit == "um2" else None,
        "paper_65nm": paper,
        "ours": variants,
        "storage_bits": [
            {"sparsity": p, **bits} for p, bits in zip(SPARSITIES, storage, strict=True)
        ],
        "inputs": source or None,
        "notes": [*NOTES, *_why(variants), *([_energy_note(source)] if source else [])],
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
            f"Flip-flop weights end at {percent(last['saving_percent'])} (paper -90 %): a stored "
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


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _saving(energies: list[float | None], index: int) -> float | None:
    """Per cent less than the first."""
    dense, energy = energies[0], energies[index]
    return None if dense is None or energy is None else round(100 * (1 - energy / dense), 1)


def _energy_note(source: str) -> str:
    return (
        f"Energy of a dot product of 1024 inputs, one a clock: {source}, back to back; gates "
        "simulated on Icarus, sums equal to the golden model's; internal energy, C V² of the "
        "pins, leakage at 100 MHz; no wires, no clock tree, no glitches. The weights are loaded "
        "before. Gated: the same without the clock pins of the weight memory, which a gated clock "
        "would stop, since nothing is written; the gate itself is not counted. The paper's energy "
        "is 2.56 µs times the power of 65 nm cells at 400 MHz."
    )
