"""Random sparse MLPs for the tests."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gatesmith.models.lfsr import PRIMITIVE_TAPS, keep_masks
from gatesmith.models.sparse_mlp import SparseLayer, SparseMLPSpec


def random_layer(rng: np.random.Generator, **options: Any) -> SparseLayer:
    """A layer with random seeds, weights and biases; options are the fields of SparseLayer."""
    sparsity, width = options.pop("sparsity", 0.5), options.pop("width", 8)
    values: dict[str, Any] = dict(
        inputs=8, outputs=4, input_bits=4, weight_kind="ternary", leap=width, shift=2,
        output_bits=4, lanes=4, lookahead=4,
    )  # fmt: skip
    values |= options
    values["lanes"] = min(values["lanes"], values["outputs"])
    threshold = int(np.ceil(sparsity * (1 << width)))
    taps = PRIMITIVE_TAPS[width] if threshold else ()
    seeds = (
        rng.integers(1, 1 << width, values["outputs"])
        if threshold
        else np.zeros(values["outputs"], int)
    )
    kept = values["inputs"] * values["outputs"]
    if threshold:
        kept = int(keep_masks(taps, seeds, values["inputs"], threshold, values["leap"]).sum())
    weights = {
        "binary": rng.choice([-1, 1], kept),
        "ternary": rng.integers(-1, 2, kept),
        "int8": rng.integers(-128, 128, kept),
    }[values["weight_kind"]]
    spread = 4 << values["shift"]
    return SparseLayer(
        **values, taps=taps, threshold=threshold, seeds=seeds, weights=weights.astype(np.int8),
        bias=rng.integers(-spread, spread, values["outputs"]),
    )  # fmt: skip


def random_spec(
    seed: int, sizes: Sequence[int], *, datapath: str = "gate", memory: str = "rom",
    input_bits: int = 4, activation_bits: int = 4, depth: int | None = None, pipeline: int = 0,
    **options: Any,
) -> SparseMLPSpec:  # fmt: skip
    """An MLP of the given sizes; options go to every layer."""
    rng = np.random.default_rng(seed)
    last = len(sizes) - 2
    layers = tuple(
        random_layer(
            rng,
            inputs=before,
            outputs=after,
            input_bits=activation_bits if k else input_bits,
            output_bits=0 if k == last else activation_bits,
            **options,
        )
        for k, (before, after) in enumerate(zip(sizes, sizes[1:], strict=False))
    )
    return SparseMLPSpec(
        layers=layers, datapath=datapath, memory=memory, depth=depth, pipeline=pipeline
    )  # type: ignore[arg-type]
