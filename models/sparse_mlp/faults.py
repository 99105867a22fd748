"""Single planted faults, for tests of the checks themselves."""

from dataclasses import replace
from typing import Any

import numpy as np

from gatesmith.models.lfsr import states
from gatesmith.models.sparse_mlp.layer import WEIGHT_BITS, SparseLayer
from gatesmith.models.sparse_mlp.spec import SparseMLPSpec

__all__ = ["faults"]


def _remask(layer: SparseLayer, **changes: Any) -> SparseLayer:
    """The layer with another mask; its stored weights are read in sequence all the same."""
    values: dict[str, Any] = {
        "taps": layer.taps,
        "threshold": layer.threshold,
        "seeds": layer.seeds,
        **changes,
    }
    kept = states(values["taps"], values["seeds"], layer.inputs, layer.leap) >= values["threshold"]
    return replace(layer, **changes, weights=np.resize(layer.weights, int(kept.sum())))


def _with_layer(spec: SparseMLPSpec, index: int, layer: SparseLayer) -> SparseMLPSpec:
    return replace(spec, layers=(*spec.layers[:index], layer, *spec.layers[index + 1 :]))


def faults(spec: SparseMLPSpec) -> dict[str, SparseMLPSpec]:
    """Specs that differ from the given one by a single mistake a generator could make.

    Not every one need change an answer on given frames; compare the golden models to know.
    """
    found: dict[str, SparseMLPSpec] = {}
    for index, layer in enumerate(spec.layers):
        label = f"layer {index}"

        def plant(name: str, changed: SparseLayer, index: int = index, label: str = label) -> None:
            found[f"{label}: {name}"] = _with_layer(spec, index, changed)

        if layer.threshold:
            width = max(layer.taps)
            spare = sorted(set(range(1, width)) - set(layer.taps))
            if spare:
                others = (tap for tap in layer.taps if tap != min(layer.taps))
                plant("wrong tap", _remask(layer, taps=(*others, spare[-1])))
            visited = states(layer.taps, layer.seeds, layer.inputs, layer.leap)
            above = visited[visited >= layer.threshold]
            if above.size and above.min() + 1 < 1 << width:
                # As near as any state that the layer visits can tell from the right threshold.
                plant("threshold too high", _remask(layer, threshold=int(above.min()) + 1))
            if layer.outputs > 1:
                seeds = layer.seeds.copy()
                seeds[:2] = seeds[1::-1]
                plant("two seeds swapped", _remask(layer, seeds=seeds))
        if layer.weights.size:
            weights = layer.weights.copy()
            middle = weights.size // 2
            weights[middle] = -weights[middle] if weights[middle] > 0 else 1
            plant("one weight", replace(layer, weights=weights))
            if WEIGHT_BITS[layer.weight_kind] == 8:
                weights = layer.weights.copy()
                weights[middle] ^= 1
                plant("lowest bit of one weight", replace(layer, weights=weights))
        bias = layer.bias.copy()
        bias[-1] += 1 << min(layer.shift, 38)
        if abs(bias[-1]) < 1 << 40:
            plant("one bias", replace(layer, bias=bias))
        if layer.output_bits and layer.shift < 62:
            plant("shift too long", replace(layer, shift=layer.shift + 1))
    return found
