"""Random Specs, small and medium, to calibrate estimates on."""

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

import numpy as np

from gatesmith.models.lfsr import PRIMITIVE_TAPS, keep_masks
from gatesmith.models.sparse_mlp.layer import SparseLayer
from gatesmith.models.sparse_mlp.spec import MEMORIES, SparseMLPSpec

__all__ = ["examples"]

KINDS = ("binary", "ternary", "int8")

# Wide ones beside those at random, as the paper builds them: a lane a neuron.
WIDE = (
    ((64, 64, 64, 10), "ternary", 0.9),
    ((48, 40, 12), "binary", 0.5),
)

# Unrolled ones: sizes, weights, sparsity, input bits of each layer, pipeline, depth.
UNROLLED = (
    ((8, 4), "int8", 0.0, (8,), 0, None),
    ((16, 16), "binary", 0.0, (4,), 0, None),
    ((32, 16, 10), "ternary", 0.5, (4, 4), 0, None),
    ((64, 32), "ternary", 0.0, (4,), 0, None),
    ((64, 64, 10), "ternary", 0.9, (4, 4), 1, None),
    ((128, 64), "ternary", 0.9, (8,), 0, None),
    ((128, 32), "binary", 0.5, (4,), 2, None),
    ((32, 32), "binary", 0.0, (1,), 0, None),
    ((64, 64), "binary", 0.5, (1,), 0, None),
    ((128, 64, 10), "ternary", 0.9, (2, 2), 0, None),
    ((48, 24), "ternary", 0.5, (2,), 1, None),
    ((16, 12), "int8", 0.5, (4,), 0, None),
    ((32, 24), "int8", 0.9, (6,), 1, None),
    ((24, 16, 4), "int8", 0.75, (8, 4), 0, None),
    ((96, 48), "binary", 0.75, (3,), 0, None),
    ((64, 48, 8), "ternary", 0.75, (4, 2), 2, None),
    ((40, 30), "ternary", 0.5, (6,), 0, 0),
    ((64, 24, 10), "binary", 0.5, (8, 8), 0, None),
    ((64, 64, 64, 10), "ternary", 0.75, (4, 4, 4), 0, None),
    ((128, 64), "ternary", 0.5, (1,), 1, None),
)


def examples(count: int, seed: int) -> Iterator[SparseMLPSpec]:
    """``count`` Specs, ``gate``, ``index`` and the memories in turn, the rest at random; then the
    wide and the unrolled ones."""
    rng = np.random.default_rng(seed)
    turns = [(datapath, memory) for datapath in ("gate", "index") for memory in MEMORIES]
    for number in range(count):
        datapath, memory = turns[number % len(turns)]
        sizes = [int(rng.integers(8, 100)) for _ in range(rng.integers(1, 3))]
        sizes = [int(rng.integers(8, 130)), *sizes, int(rng.integers(2, 20))]
        # An index lane costs a dozen gate lanes.
        most = 64 if datapath == "gate" else 8
        options = {
            "weight_kind": str(rng.choice(KINDS)),
            "sparsity": float(rng.choice([0.0, 0.5, 0.75, 0.9])),
            "width": int(rng.choice([8, 10, 12, 16])),
            "lanes": int(2 ** rng.uniform(0, np.log2(most))),
            "lookahead": int(rng.choice([4, 8, 16, 32])),
            "shift": int(rng.integers(2, 8)),
        }
        bits = [int(rng.integers(2, 9)) for _ in sizes[:-1]]
        layers = _layers(rng, sizes, bits, options)
        yield SparseMLPSpec(
            layers=layers,
            datapath=datapath,  # type: ignore[arg-type]
            memory=memory,  # type: ignore[arg-type]
            name=f"example{number}",
        )
    for number, (wide, weight_kind, sparsity) in enumerate(WIDE):
        options = {"weight_kind": weight_kind, "sparsity": sparsity, "width": 16, "lanes": 64}
        options |= {"lookahead": 16, "shift": 3}
        layers = _layers(rng, wide, [4] * (len(wide) - 1), options)
        yield SparseMLPSpec(layers=layers, name=f"wide{number}")
    for number, (shape, weight_kind, sparsity, widths, pipeline, depth) in enumerate(UNROLLED):
        options = {"weight_kind": weight_kind, "sparsity": sparsity, "width": 16, "lanes": 1}
        options |= {"lookahead": 16, "shift": 7 if weight_kind == "int8" else 3}
        yield SparseMLPSpec(
            layers=_layers(rng, shape, widths, options),
            datapath="unrolled",
            pipeline=pipeline,
            depth=depth,
            name=f"unrolled{number}",
        )


def _layers(
    rng: np.random.Generator, sizes: Sequence[int], bits: Sequence[int], options: dict[str, Any]
) -> tuple[SparseLayer, ...]:
    """Layers of these sizes, their inputs of so many bits."""
    return tuple(
        _layer(rng, sizes[k], sizes[k + 1], bits[k], (*bits, 0)[k + 1], **options)
        for k in range(len(sizes) - 1)
    )


def _layer(
    rng: np.random.Generator, inputs: int, outputs: int, input_bits: int, output_bits: int, **o: Any
) -> SparseLayer:
    """A layer with random seeds, weights and biases."""
    width, threshold = o["width"], ceil(o["sparsity"] * (1 << o["width"]))
    taps, leap = PRIMITIVE_TAPS[width], int(rng.choice([1, width]))
    seeds = rng.integers(1, 1 << width, outputs)
    kept = inputs * outputs
    if threshold:
        kept = int(keep_masks(taps, seeds, inputs, threshold, leap).sum())
    weights = {
        "binary": rng.choice([-1, 1], kept),
        "ternary": rng.integers(-1, 2, kept),
        "int8": rng.integers(-128, 128, kept),
    }[o["weight_kind"]]
    spread = 8 << o["shift"]
    return SparseLayer(
        inputs=inputs,
        outputs=outputs,
        input_bits=input_bits,
        weight_kind=o["weight_kind"],
        taps=taps if threshold else (),
        leap=leap,
        threshold=threshold,
        seeds=seeds if threshold else np.zeros(outputs, dtype=np.int64),
        weights=weights.astype(np.int8),
        bias=rng.integers(-spread, spread, outputs),
        shift=o["shift"],
        output_bits=output_bits,
        lanes=min(o["lanes"], outputs),
        lookahead=o["lookahead"],
    )
