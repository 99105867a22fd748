"""``gatesmith reproduce sparse-state``: clocks with and without zero states, simulated."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from gatesmith.families import Family, family
from gatesmith.flows.demo_text import bundled_text
from gatesmith.flows.folders import check_writable, write_json
from gatesmith.flows.sparse_state_table import print_table
from gatesmith.flows.verify import judge, make_vectors, simulate
from gatesmith.models import data, sequences
from gatesmith.models.checkpoint import BUNDLED
from gatesmith.models.errors import UserError
from gatesmith.models.frames import PAD
from gatesmith.models.lstm import LSTMSpec, counters, trace
from gatesmith.models.lstm.layout import WEIGHT_BITS, passes
from gatesmith.sim.yosys import tool_version

__all__ = ["CASES", "Case", "measure", "reproduce_sparse_state"]

TEXT = "war-and-peace"
BATCHES = (1, 8)
PLACES = 1  # of the text, in each stream
MORE_PLACES = 32  # that the golden model reads
WARM = 8  # steps before those that count: the state of a frame starts at 0
STEPS = 16  # steps that count
IMAGES = 3  # frames
MORE_IMAGES = 32
WIDE_BITS = 12  # of a weight of the LSTM set beside

# Ardakani, Ji, Gross, DATE 2019: the accelerator against itself on dense states. Batch and zeros
# of the speed-up are not given with it; a batch of 8 saturates the array of 192 units.
PAPER: dict[str, Any] = {
    "speed_up": 5.2,
    "batch_that_saturates": 8,
    "task": "PTB characters",
    "cells": 1000,
    "weight_bits": 8,
    "zeros_batch_1": 0.97,
}

NOTES = (
    (
        "Simulated: the Verilog in CXXRTL, each frame in dense mode and in sparse mode; columns "
        "and clocks are the counters at the end of the frames that came out, every word and clock "
        "equal to the golden model's. A step is one symbol of each of the B sequences."
    ),
    (
        f"Text: a frame of {WARM + STEPS} steps less the frame of its first {WARM}, so that "
        "beginning and end of a frame and the empty state at its start do not count; "
        "the streams read places evenly spread over the text. Images: whole "
        "frames, whose first step reads an empty state."
    ),
    (
        f"More steps: the golden model alone, over {MORE_PLACES} places of the text in each "
        f"stream, or {MORE_IMAGES} frames of images; the simulated ones are few and may be easy "
        "or hard."
    ),
    (
        "Zeros alone: states that are 0. Joint: places that are 0 in all B sequences, which alone "
        "can be skipped, since the sequences share each column. Both of layer 0, the only one."
    ),
    (
        "Only the recurrent half and the head, which reads the same state, are skipped by pruning. "
        "A symbol is one column of the input half a sequence. Of dense inputs a column is skipped "
        "where the input is 0 in all B sequences, whatever the state."
    ),
    (
        "Columns of x, h and head apart: counted in the golden model's states; their sum is the "
        "simulated counter. Weight bits: columns x words of a column x bits of a word, padding of "
        "the last word too; fetched once for all B sequences."
    ),
    (
        f"Dense, {WIDE_BITS} bits: the same passes with no column skipped and {WIDE_BITS} bits a "
        "weight."
    ),
    (
        "Weights lie outside, behind a port that never stalls: what is fetched is what a memory "
        "would read. Chips of few lanes, so that the simulation compiles soon; two cells a "
        "clock of the element-wise stage then hide behind the columns of the next symbol and "
        "the head. More lanes take fewer clocks, of which the element-wise stage is a larger "
        "part."
    ),
    (
        "Test figures are those of the training log in the checkpoint, of the whole test split, "
        "not measured again here. A float network stands there only where the log has one. Both "
        "modes give the same answers: dense is the clocks of a ternary LSTM that skips nothing, "
        "not the accuracy of one whose states were never pruned (recipes *-ternary, not "
        "bundled)."
    ),
    (
        f"Paper: {PAPER['speed_up']}x against itself on dense states, which implies "
        f"{100 * (1 - 1 / PAPER['speed_up']):.0f} % joint zeros; batch "
        f"{PAPER['batch_that_saturates']} saturates its array; about "
        f"{100 * PAPER['zeros_batch_1']:.0f} % zeros at batch 1 on {PAPER['task']}, "
        f"{PAPER['cells']} units, {PAPER['weight_bits']}-bit weights. Another text, and a larger "
        "net: what is comparable is the speed-up at equal joint zeros."
    ),
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A bundled checkpoint, its data, and a chip whose element-wise stage never holds it up."""

    checkpoint: str
    data: str
    lanes: int
    elementwise: int


CASES = (
    Case(checkpoint="lstm_war_and_peace_128", data=TEXT, lanes=8, elementwise=2),
    Case(checkpoint="lstm_war_and_peace_512", data=TEXT, lanes=8, elementwise=2),
)
MNIST_CASE = Case(checkpoint="lstm_mnist_rows_100", data="mnist-rows", lanes=8, elementwise=2)
DIGITS_CASE = Case(checkpoint="lstm_digits_64", data="digits", lanes=8, elementwise=2)


def reproduce_sparse_state(
    *,
    output: str | Path | None = None,
    data_dir: str | Path | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Print clocks and weight bits a step, dense and sparse, beside the paper's speed-up.

    Parameters
    ----------
    output : path     JSON file to write.
    data_dir : path   Folder with the text or MNIST; in place of what it lacks, the bundled piece of
                      the text and scikit-learn's digits.

    UserError also when a word or a clock of a simulation differs from the golden model.
    """
    if output is not None:
        check_writable(output)
    entry = family("lstm")
    text, images = _load(TEXT, data_dir), _load(MNIST_CASE.data, data_dir)
    cases = [(case, text) for case in CASES]
    cases.append((MNIST_CASE, images) if images else (DIGITS_CASE, sequences.load("digits")))
    rows, sources = [], {}
    for case, loaded in cases:
        path = BUNDLED / f"{case.checkpoint}.safetensors"
        net = entry.net.load_checkpoint(path)
        found, sources[case.data] = _read(case, net, loaded)
        for batch in BATCHES:
            spec = _lower(entry, net, case, batch)
            warm = WARM if spec.every_step else 0
            row = measure(entry, spec, found(spec, PLACES, IMAGES), warm)
            more = found(spec, MORE_PLACES, MORE_IMAGES)
            row["more"] = speed_up(entry, spec, more, warm)
            log = _log(entry.net.read_metrics(path))
            rows.append(
                {"checkpoint": case.checkpoint, "data": case.data, **row, "training_log": log}
            )
    result = _result(rows, sources)
    if output is not None:
        write_json(output, result)
    print_table(result, console or Console())
    return result


def _load(name: str, data_dir: str | Path | None) -> sequences.Sequences | sequences.Text | None:
    """A data set of the folder, None when the folder lacks it."""
    if data_dir is None:
        return None
    if not Path(data_dir).is_dir():
        raise UserError(f"{data_dir}: no such folder; expected one with data sets")
    try:
        return sequences.load(name, data_dir)
    except data.MissingData:
        return None


def _lower(entry: Family, net: Any, case: Case, batch: int) -> LSTMSpec:
    text = case.data == TEXT
    return entry.net.lower(  # type: ignore[no-any-return]
        net,
        lanes=case.lanes,
        elementwise=case.elementwise,
        batch=batch,
        memory="stream",
        outputs="argmax",
        state=False,
        steps=WARM + STEPS if text else None,
        name=f"{case.checkpoint}_b{batch}",
    )


def _log(metrics: dict[str, Any]) -> dict[str, Any]:
    """The figures of a training log that say how good a net is on its test split."""
    names = (
        "test_bpc",
        "test_accuracy",
        "float_test_bpc",
        "float_test_accuracy",
        "state_sparsity",
        "state_sparsity_of_8",
    )
    return {name: metrics[name] for name in names if name in metrics}


def _read(
    case: Case, net: Any, loaded: sequences.Sequences | sequences.Text | None
) -> tuple[Callable[[LSTMSpec, int, int], np.ndarray], str]:
    """What makes the steps ``[frames, steps, words]`` of a Spec, and where they come from.

    It is called with the places in each stream of a text, and the frames of images.
    """
    if isinstance(loaded, sequences.Sequences):
        x = loaded.test.x.astype(np.int64)  # [images, steps, inputs]
        return (lambda spec, _, frames: image_steps(spec, x, frames)), f"{case.data}, test split"
    if loaded is not None:
        if loaded.vocabulary != net.vocabulary:
            raise UserError(
                f"{case.data} must have the characters of {case.checkpoint}, not others"
            )
        symbols, source = loaded.test.astype(np.int64), "test split"
    else:
        symbols = bundled_text(net.vocabulary).test.astype(np.int64)
        source = f"bundled {symbols.size:,} characters of the test split"
    return (lambda spec, places, _: text_steps(spec, symbols, places)), f"{case.data}, {source}"


def text_steps(spec: LSTMSpec, symbols: np.ndarray, places: int) -> np.ndarray:
    """Pieces of a text evenly spread over it: int64 ``[frames, steps, batch]``."""
    count = places * spec.batch
    begins = np.arange(count) * (len(symbols) // count)
    pieces = symbols[begins[:, None] + np.arange(spec.steps)]  # [frames * batch, steps]
    return pieces.reshape(spec.batch, places, spec.steps).transpose(1, 2, 0)


def image_steps(spec: LSTMSpec, x: np.ndarray, frames: int) -> np.ndarray:
    """The first images: int64 ``[frames, steps, inputs * batch]``."""
    chosen = x[: frames * spec.batch]
    chosen = chosen.reshape(-1, spec.batch, *x.shape[1:]).transpose(0, 2, 3, 1)
    return chosen.reshape(len(chosen), x.shape[1], -1)


def measure(entry: Family, spec: LSTMSpec, steps: np.ndarray, warm: int) -> dict[str, Any]:
    """Clocks, columns and weight bits a step of frames, dense and sparse, from a simulation.

    Parameters
    ----------
    steps : int64 [frames, steps, words]   Inputs of each frame.
    warm : int                             Steps at the start that do not count; a frame of these
                                           alone is taken off.

    UserError when the simulation differs from the golden model.
    """
    if len(spec.layers) != 1:
        raise UserError(f"Layers must be 1, not {len(spec.layers)}")
    count, length = steps.shape[:2]
    frames = _frames(spec, steps, warm)
    totals = _totals(spec, _simulate(entry, spec, frames), count)
    counted = count * (length - warm)
    columns = _columns(spec, frames[count : 2 * count], steps, warm)
    sides: dict[str, dict[str, Any]] = {}
    for side, split in columns.items():
        total = totals[side]
        if sum(split.values()) != total["taken"]:
            raise UserError(
                f"{spec.name}: columns taken must be {sum(split.values())}, not {total['taken']}"
            )
        bits = _bits(spec, split)
        sides[side] = {
            "clocks": total["clocks"] / counted,
            "columns_taken": total["taken"] / counted,
            "columns_skipped": total["skipped"] / counted,
            "columns": {name: number / counted for name, number in split.items()},
            "weight_bits": sum(bits.values()) / counted,
            "weight_bits_apart": {name: number / counted for name, number in bits.items()},
        }
    wide = sum(_bits(spec, columns["dense"], WIDE_BITS).values()) / counted
    states = trace(spec, frames[count : 2 * count])[0].states
    states = states[:, max(warm - 1, 0) : length - 1]  # those that a recurrent product reads
    dense, sparse = sides["dense"], sides["sparse"]
    return {
        "cells": spec.layers[0].hidden,
        "inputs": spec.layers[0].inputs,
        "one_hot": spec.one_hot,
        "head_weights": spec.head.kind,
        "weights": spec.layers[0].kind,
        "batch": spec.batch,
        "lanes": spec.lanes,
        "elementwise": spec.elementwise,
        "steps": counted,
        "zeros": float((states == 0).mean()),
        "joint_zeros": float((states == 0).all(axis=2).mean()),
        "dense": dense,
        "sparse": sparse,
        "speed_up": dense["clocks"] / sparse["clocks"],
        "recurrent_speed_up": dense["columns"]["h"] / max(sparse["columns"]["h"], 1 / counted),
        "weight_bits_dense_12": wide,
    }


def speed_up(entry: Family, spec: LSTMSpec, steps: np.ndarray, warm: int) -> dict[str, Any]:
    """Clocks a step of the golden model, dense and sparse, over frames as of :func:`measure`."""
    count, length = steps.shape[:2]
    outputs = entry.models.golden(spec, _frames(spec, steps, warm)).outputs
    counted = count * (length - warm)
    clocks = {k: v["clocks"] / counted for k, v in _totals(spec, outputs, count).items()}
    return {"steps": counted, **clocks, "speed_up": clocks["dense"] / clocks["sparse"]}


def _totals(spec: LSTMSpec, outputs: np.ndarray, count: int) -> dict[str, dict[str, int]]:
    """Sums of each counter over the frames of :func:`_frames` in the steps that count."""
    found: dict[str, dict[str, int]] = {"dense": {}, "sparse": {}}
    for key, words in counters(spec, outputs).items():
        # Whole frames and, taken off, their first steps.
        whole, *first = words.reshape(-1, 2, count).sum(axis=2)
        for place, side in enumerate(found.values()):
            side[key] = int(whole[place] - sum(part[place] for part in first))
    return found


def _frames(spec: LSTMSpec, steps: np.ndarray, warm: int) -> np.ndarray:
    """All frames in dense mode, then in sparse mode; then the same of the first steps alone."""
    count, length, _ = steps.shape
    found = []
    for kept in (length, warm)[: 2 if warm else 1]:
        for dense in (1, 0):
            frames = np.full((count, spec.input_format.words), PAD)
            frames[:, 0] = dense
            flat = steps[:, :kept].reshape(count, -1)
            frames[:, 1 : 1 + flat.shape[1]] = flat
            found.append(frames)
    return spec.input_format.check(np.concatenate(found))


def _simulate(entry: Family, spec: LSTMSpec, frames: np.ndarray) -> np.ndarray:
    """Output words that came out of the Verilog, int64; UserError when any differs."""
    vectors = make_vectors(entry, spec, frames)
    with tempfile.TemporaryDirectory(prefix="gatesmith-") as work:
        verilog = Path(work) / f"{spec.name}.v"
        verilog.write_text(entry.verilog(spec))
        seen = simulate(verilog, spec.name, vectors, "cxxrtl", 0.0, 0, Path(work), brief=True)
    (play,) = judge(vectors, seen)
    if play.errors or play.mismatches:
        first = play.errors[0] if play.errors else play.mismatches[0]
        raise UserError(f"{spec.name}: the simulation must equal the golden model: {first}")
    return seen[0][3].outputs.view(np.int64)


def _columns(
    spec: LSTMSpec, frames: np.ndarray, steps: np.ndarray, warm: int
) -> dict[str, dict[str, int]]:
    """Columns of x, h and head in the steps that count, of all frames, in both modes."""
    count, length, words = steps.shape
    layer, counted = spec.layers[0], length - warm
    kept = (trace(spec, frames)[0].states != 0).any(axis=2).sum(axis=2)  # [frames, steps]
    read = np.pad(kept, ((0, 0), (1, 0)))  # by each step; the first reads nothing
    if spec.one_hot:
        x_dense = x = words * counted * count
    else:
        x_dense = layer.inputs * counted * count
        shape = (count, counted, layer.inputs, spec.batch)
        x = int((steps[:, warm:].reshape(shape) != 0).any(axis=3).sum())
    answered = kept[:, warm:] if spec.every_step else kept[:, -1:]
    return {
        "dense": {
            "x": x_dense,
            "h": layer.hidden * counted * count,
            "head": layer.hidden * answered.size,
        },
        "sparse": {"x": x, "h": int(read[:, warm:length].sum()), "head": int(answered.sum())},
    }


def _bits(spec: LSTMSpec, columns: dict[str, int], width: int | None = None) -> dict[str, int]:
    """Weight bits of columns, of as many bits a weight as the Spec has or as are given."""
    return {
        one.branch: columns[one.branch] * one.groups * spec.lanes * (width or WEIGHT_BITS[one.kind])
        for one in passes(spec)
    }


def _result(rows: list[dict[str, Any]], sources: dict[str, str]) -> dict[str, Any]:
    return {
        "format": "gatesmith-sparse-state",
        "version": 1,
        "simulator": f"CXXRTL of {tool_version()}",
        "paper": PAPER,
        "sources": sources,
        "ours": rows,
        "notes": list(NOTES),
    }
