"""``gatesmith reproduce ternary-lstm``: the paper's engines of three kinds of weights and ours."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from gatesmith.flows.folders import check_writable, write_json
from gatesmith.flows.silicon.area import AreaReport
from gatesmith.flows.silicon.cells import choose_library
from gatesmith.flows.synth import mapping_of
from gatesmith.models.lstm import Head, LSTMLayer, LSTMSpec
from gatesmith.models.lstm.layer import GATES, WEIGHT_MOST
from gatesmith.models.lstm.layout import sum_width, weight_memories
from gatesmith.sim.cache import cache_folder

__all__ = ["engine_spec", "reproduce_ternary_lstm", "weight_bits"]

SYMBOLS = 83  # of War and Peace
HIDDEN = 500  # 2,000 rows: whole words of 100, 500 and 1,000 lanes
PAPER_HIDDEN = 512
SEED = 1
TOP = "engine_top"
MACROS = frozenset({"sram"})

KINDS = ("int12", "ternary", "binary")
BITS = {"int12": 12, "ternary": 2, "binary": 1}
LANES = 100
MORE_LANES = {"ternary": 500, "binary": 1000}  # about the area of the paper's baseline

# Ardakani, Ji, Smithson, Meyer, Gross, ICLR 2019, the table of accelerators: TSMC 65 nm, 400 MHz.
PAPER_MM2 = {
    ("int12", 100): 2.56,
    ("ternary", 100): 0.42,
    ("binary", 100): 0.24,
    ("ternary", 500): 2.16,
    ("binary", 1000): 2.54,
}
PAPER_SAVING = {"int12": 1, "ternary": 6, "binary": 12}  # times less memory


@dataclass(frozen=True, kw_only=True)
class EngineCost:
    """An engine without memories. Area in the library's unit."""

    kind: str
    lanes: int
    sum_width: int
    word_bits: int
    area: float
    flip_flops: int
    cells: int


def engine_spec(kind: str, lanes: int) -> LSTMSpec:
    """The paper's War and Peace model in one kind of weights, which come from outside."""
    rng = np.random.default_rng(SEED)

    def weights(*shape: int) -> np.ndarray:
        if kind == "binary":
            return rng.choice([-1, 1], shape)
        most = WEIGHT_MOST[kind]
        return rng.integers(-most, most, shape, endpoint=True)

    rows = GATES * HIDDEN
    none = np.zeros(0, dtype=np.int32)
    layer = LSTMLayer(
        inputs=SYMBOLS,
        hidden=HIDDEN,
        kind=kind,  # type: ignore[arg-type]
        weight_x=weights(rows, SYMBOLS),
        weight_h=weights(rows, HIDDEN),
        scale_kind="integer",
        scale_x=np.ones(rows, dtype=np.int32),
        scale_h=np.ones(rows, dtype=np.int32),
        shift=12,
        bias=np.zeros(rows, dtype=np.int32),
        threshold=0,
        cell_scale=none,
        cell_bias=none,
        cell_shift=0,
    )
    head = Head(
        inputs=HIDDEN,
        classes=SYMBOLS,
        kind=kind,  # type: ignore[arg-type]
        weight=weights(SYMBOLS, HIDDEN),
        bias=np.zeros(SYMBOLS, dtype=np.int32),
        fraction=4,
    )
    return LSTMSpec(
        layers=(layer,),
        head=head,
        one_hot=True,
        steps=100,
        every_step=True,
        lanes=lanes,
        elementwise=1,
        memory="stream",
    )


def weight_bits(bits: float) -> int:
    """Bits of the weights of the paper's War and Peace model, 512 cells, without its head."""
    return round(GATES * PAPER_HIDDEN * (SYMBOLS + PAPER_HIDDEN) * bits)


def _designs() -> list[tuple[str, int]]:
    """All engines, kind and lanes: at the same lanes, then at about the area of the first."""
    return [(kind, LANES) for kind in KINDS] + list(MORE_LANES.items())


def reproduce_ternary_lstm(
    liberty: str | Path | None = None,
    *,
    output: str | Path | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Print the paper's areas of an accelerator in three kinds of weights beside our engine's.

    Parameters
    ----------
    liberty : path   Cell library; without one, as of ``gatesmith cells``.
    output : path    JSON file to write.
    """
    if output is not None:
        check_writable(output)
    # Amaranth is needed for nothing else here.
    from gatesmith.hw.lstm.columns import ColumnEngine
    from gatesmith.hw.verilog import verilog

    path = choose_library(liberty)

    def cost(design: tuple[str, int]) -> tuple[AreaReport, EngineCost]:
        kind, lanes = design
        spec = engine_spec(kind, lanes)
        text = verilog(ColumnEngine(spec), TOP, {})
        log = cache_folder() / "logs" / f"ternary-lstm-{kind}-{lanes}.log"
        report = mapping_of(text, TOP, liberty=path, log=log, macros=MACROS).report
        return report, _cost(spec, report)

    designs = _designs()
    # The quickest first and alone, so that a broken library is one error and not several; the
    # slowest next, so that nothing waits for it at the end.
    order = [("binary", LANES), ("int12", LANES), *reversed(MORE_LANES.items())]
    order += [design for design in designs if design not in order]
    found = {order[0]: cost(order[0])}
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        found |= zip(order[1:], pool.map(cost, order[1:]), strict=True)
    result = _result(found[order[0]][0], [found[design][1] for design in designs])
    if output is not None:
        write_json(output, result)
    _print(result, console or Console())
    return result


def _cost(spec: LSTMSpec, report: AreaReport) -> EngineCost:
    engine = report.below("engine", memories=False)
    return EngineCost(
        kind=spec.head.kind,
        lanes=spec.lanes,
        sum_width=sum_width(spec),
        word_bits=sum(memory.width for memory in weight_memories(spec)),
        area=engine.area,
        flip_flops=engine.flip_flops,
        cells=engine.mapped_cells,
    )


def _result(report: AreaReport, rows: list[EngineCost]) -> dict[str, Any]:
    square = report.unit == "um2"
    base = rows[0]
    ours = [
        {
            "weights": row.kind,
            "lanes": row.lanes,
            "operations_per_clock": 2 * row.lanes,
            "speed": round(row.lanes / base.lanes, 2),
            "sum_width": row.sum_width,
            "weight_word_bits": row.word_bits,
            "area_um2": round(row.area, 1) if square else None,
            "gate_equivalents": round(report.gate_equivalents(row.area), 1),
            "gate_equivalents_per_lane": round(report.gate_equivalents(row.area) / row.lanes, 2),
            "cells": row.cells,
            "flip_flops": row.flip_flops,
            "area_against_int12": round(row.area / base.area, 4),
        }
        for row in rows
    ]
    full = PAPER_MM2["int12", 100]
    paper = [
        {
            "weights": kind,
            "lanes": lanes,
            "speed": lanes / 100,
            "area_mm2": area,
            "area_against_int12": round(area / full, 4),
        }
        for (kind, lanes), area in PAPER_MM2.items()
    ]
    stored = [
        ("int12", "plain", 12.0, PAPER_SAVING["int12"]),
        ("ternary", "plain", 2.0, PAPER_SAVING["ternary"]),
        ("ternary", "5trits", 1.6, None),
        ("binary", "plain", 1.0, PAPER_SAVING["binary"]),
    ]
    return {
        "format": "gatesmith-ternary-lstm",
        "version": 1,
        **report.origin,
        "nand2_um2": report.nand2_area if square else None,
        "paper_65nm": paper,
        "ours": ours,
        "equal_area": [_equal_area(rows, kind) for kind in MORE_LANES],
        "weight_memory": [
            {
                "weights": kind,
                "packing": packing,
                "bits_per_weight": bits,
                "bits": weight_bits(bits),
                "saving": round(12 / bits, 2),
                "paper_saving": saving,
            }
            for kind, packing, bits, saving in stored
        ],
        "notes": _notes(rows),
    }


def _equal_area(rows: list[EngineCost], kind: str) -> dict[str, Any]:
    """Lanes of a kind in the area of the first engine, on the line through the two of the kind."""
    base, (few, many) = rows[0], [row for row in rows if row.kind == kind]
    lane = (many.area - few.area) / (many.lanes - few.lanes)
    lanes = few.lanes + (base.area - few.area) / lane
    return {"weights": kind, "lanes": int(lanes), "speed": round(lanes / base.lanes, 2)}


def _notes(rows: list[EngineCost]) -> list[str]:
    widths = {row.kind: row.sum_width for row in rows}
    _, ternary, binary = rows[: len(KINDS)]
    ours = 100 * (1 - binary.area / ternary.area)
    theirs = 100 * (1 - PAPER_MM2["binary", 100] / PAPER_MM2["ternary", 100])
    return [
        (
            f"Ours: the column engine of the paper's War and Peace model ({SYMBOLS} symbols, one "
            f"layer of {HIDDEN} cells instead of {PAPER_HIDDEN} so that all lanes are in use, "
            "batch 1), mapped alone. The head has weights of the same kind."
        ),
        (
            "Counted: walking the entries, weight addresses, a multiplier or a sign and an adder "
            "in each lane, the choice among four sets of sums, registers. Not counted: memory of "
            "the sums, weight memory (it lies outside), element-wise stage, lists of states, "
            "input and output. What the paper's mm² count besides its MAC units is unknown."
        ),
        (
            "Sums never overflow and are "
            + ", ".join(f"{widths[kind]} bits ({kind})" for kind in KINDS)
            + ": narrow weights make the adder narrower too. The paper's width is unknown."
        ),
        (
            "Ours multiplies weights by states of 8 bits; the paper's baseline is 12 bits in both, "
            "so more of its lane is a multiplier, which the other kinds do without."
        ),
        (
            "Binary and ternary lanes share the adder and the choice of sums. At the same lanes "
            f"binary takes {ours:.0f} % less area than ternary; in the paper {theirs:.0f} % less."
        ),
        (
            "An operation is a multiplication or an addition, as in the paper: 2 a lane and "
            "clock. Speed compares these peaks at one clock rate; columns of zero states, which "
            "the engine skips, and waiting for weights are not in it."
        ),
        (
            "Ours at equal area: lanes on the line through the two engines of the kind; our "
            "figures leave out what grows with the lanes besides, above all the memory of sums "
            "and the width of the weight memory."
        ),
        (
            f"Weight memory: the paper's model of {PAPER_HIDDEN} cells, "
            f"{weight_bits(1):,} weights without head, scales and biases. Those of 5 trits a byte "
            "need a decoder, which the engines here do not have."
        ),
        "Areas of synthesis, ours and the paper's: no wires, no clock tree.",
    ]


def _print(result: dict[str, Any], console: Console) -> None:
    unit = "µm²" if result["nand2_um2"] else "GE"
    title = f"LSTM engine in three kinds of weights: {result['library']}, {result['yosys']}"
    table = Table(title=title, title_justify="left")
    for column in ("weights", "lanes", "operations a clock", "speed", "weight bits a clock"):
        table.add_column(column, justify="left" if column == "weights" else "right")
    names = [f"ours, {unit}", *(["ours, GE"] if unit == "µm²" else []), "GE a lane"]
    for column in (*names, "against int12", "paper, mm²", "against int12"):
        table.add_column(column, justify="right")
    paper = {(entry["weights"], entry["lanes"]): entry for entry in result["paper_65nm"]}
    for number, entry in enumerate(result["ours"]):
        theirs = paper.get((entry["weights"], entry["lanes"]))
        areas = [f"{entry['gate_equivalents']:,.0f}"]
        if unit == "µm²":
            areas.insert(0, f"{entry['area_um2']:,.0f}")
        table.add_row(
            entry["weights"],
            f"{entry['lanes']:,}",
            f"{entry['operations_per_clock']:,}",
            f"{entry['speed']:g}x",
            f"{entry['weight_word_bits']:,}",
            *areas,
            f"{entry['gate_equivalents_per_lane']:,.1f}",
            f"{entry['area_against_int12']:.3f}",
            f"{theirs['area_mm2']:.2f}" if theirs else "",
            f"{theirs['area_against_int12']:.3f}" if theirs else "",
            end_section=number == len(KINDS) - 1,
        )
    console.print(table)
    claims = {kind: lanes / LANES for kind, lanes in MORE_LANES.items()}
    for entry in result["equal_area"]:
        console.print(
            f"In the area of int12 x {LANES}: {entry['weights']} x {entry['lanes']:,} lanes, "
            f"{entry['speed']:g}x the operations (paper {claims[entry['weights']]:g}x)"
        )
    memory = Table(title="Weight memory", title_justify="left")
    for column in ("weights", "bits each", "bits", "saving", "paper"):
        memory.add_column(column, justify="left" if column == "weights" else "right")
    for entry in result["weight_memory"]:
        packed = ", 5 in a byte" if entry["packing"] == "5trits" else ""
        saving = entry["paper_saving"]
        memory.add_row(
            f"{entry['weights']}{packed}",
            f"{entry['bits_per_weight']:g}",
            f"{entry['bits']:,}",
            f"{entry['saving']:g}x",
            f"{saving}x" if saving else "",
        )
    console.print(memory)
    for note in result["notes"]:
        console.print(note, style="dim", highlight=False)
