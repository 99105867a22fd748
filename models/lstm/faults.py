"""Single planted faults, for tests of the checks themselves."""

from dataclasses import replace
from typing import Any

import numpy as np

from gatesmith.models.lstm.layer import BIAS_MOST, GATES, SHIFT_MOST, STATE_MOST, LSTMLayer
from gatesmith.models.lstm.layout import scale_bits
from gatesmith.models.lstm.spec import LSTMSpec

__all__ = ["faults"]

STEP = 48  # of a pre-activation: what a wrong bias is off by, three quarters of 1.0


def _negated(weights: np.ndarray, kind: str) -> np.ndarray:
    """One weight of the wrong sign; 0 becomes 1."""
    changed = weights.copy()
    places = np.flatnonzero(changed)
    place = int(places[len(places) // 2]) if places.size else changed.size // 2
    changed.flat[place] = -changed.flat[place] if places.size else 1
    return changed


def _moved(values: np.ndarray, step: int, most: int) -> np.ndarray:
    """The middle value a step further from where it is, or back where it would be too large."""
    changed = values.copy()
    place = len(changed) // 2
    changed[place] += step if changed[place] + step <= most else -step
    return changed


def _gates(layer: LSTMLayer, order: tuple[int, ...]) -> LSTMLayer:
    """The layer with its gates in another order."""
    rows = np.arange(GATES * layer.hidden).reshape(GATES, -1)[list(order)].ravel()
    names = ("weight_x", "weight_h", "scale_x", "scale_h", "bias")
    return replace(layer, **{name: getattr(layer, name)[rows] for name in names})


def faults(spec: LSTMSpec) -> dict[str, LSTMSpec]:
    """Specs that differ from the given one by a single mistake a generator could make.

    Not every one need change an answer on given frames; compare the golden models to know.
    """
    found: dict[str, LSTMSpec] = {}
    bits = scale_bits(spec)
    power = spec.layers[0].scale_kind == "power"
    most = (1 << bits) - 1 if power else (1 << bits - 1) - 1
    for index, layer in enumerate(spec.layers):

        def plant(fault: str, index: int = index, layer: LSTMLayer = layer, **changes: Any) -> None:
            _with_layer(found, spec, index, f"layer {index}: {fault}", replace(layer, **changes))

        plant("sign of one weight of x", weight_x=_negated(layer.weight_x, layer.kind))
        plant("sign of one weight of h", weight_h=_negated(layer.weight_h, layer.kind))
        for branch in ("x", "h"):
            name = f"scale_{branch}"
            scales = getattr(layer, name)
            step = 1 if power else max(1, most // 8)
            changes: dict[str, Any] = {name: _moved(scales, step, most)}
            plant(f"one scale of {branch}", **changes)
        if not np.array_equal(layer.scale_x, layer.scale_h):
            plant("scales of x and h swapped", scale_x=layer.scale_h, scale_h=layer.scale_x)
        plant("one bias", bias=_moved(layer.bias, STEP, BIAS_MOST))
        if layer.shift < SHIFT_MOST:
            plant("shift too long", shift=layer.shift + 1)
        threshold = layer.threshold + (1 if layer.threshold < STATE_MOST else -1)
        plant("threshold off by one", threshold=threshold)
        for fault, order in (
            ("gates i and f swapped", (1, 0, 2, 3)),
            ("gates g and o swapped", (0, 1, 3, 2)),
        ):
            _with_layer(found, spec, index, f"layer {index}: {fault}", _gates(layer, order))
        if layer.cell_scale.size:
            plant("one bias of a cell", cell_bias=_moved(layer.cell_bias, STEP, BIAS_MOST))
            if layer.cell_shift < SHIFT_MOST:
                plant("shift of the cell too long", cell_shift=layer.cell_shift + 1)
    head = spec.head
    widest = max(1, int(abs(head.bias).max()))  # the width of scores must stay as it is
    changed = {
        "sign of one weight": replace(head, weight=_negated(head.weight, head.kind)),
        "one bias": replace(head, bias=_moved(head.bias, 1, widest)),
    }
    if head.classes > 1:
        weight = head.weight.copy()
        weight[[0, 1]] = weight[[1, 0]]
        changed["weights of two classes swapped"] = replace(head, weight=weight)
    found |= {f"head: {fault}": replace(spec, head=part) for fault, part in changed.items()}
    # The function stays, but entries and so clocks do not.
    other = 1 if spec.offset_bits > 1 else 2
    found["lists: width of the offset"] = replace(spec, offset_bits=other)
    return found


def _with_layer(
    found: dict[str, LSTMSpec], spec: LSTMSpec, index: int, fault: str, layer: LSTMLayer
) -> None:
    layers = (*spec.layers[:index], layer, *spec.layers[index + 1 :])
    found[fault] = replace(spec, layers=layers)
