"""Random LSTMs for the tests."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gatesmith.models.frames import PAD
from gatesmith.models.lstm import Head, LSTMLayer, LSTMSpec
from gatesmith.models.lstm.layer import WEIGHT_MOST

__all__ = ["random_frames", "random_layer", "random_spec"]


def _weights(rng: np.random.Generator, kind: str, *shape: int) -> np.ndarray:
    most = WEIGHT_MOST[kind]
    drawn = rng.choice([-1, 1], shape) if kind == "binary" else rng.integers(-most, most + 1, shape)
    return drawn.astype(np.int16)


def random_layer(
    rng: np.random.Generator, inputs: int, hidden: int, *, kind: str = "ternary",
    scale_kind: str = "integer", norm: bool = False, threshold: int = 5, one_hot: bool = False,
) -> LSTMLayer:  # fmt: skip
    """A layer whose gates go up and down, and into saturation now and then."""
    rows, most = 4 * hidden, WEIGHT_MOST[kind]
    shift = 12

    def scales(columns: int, value: int) -> np.ndarray:
        # Pre-activations of a few hundred steps from sums as large as they usually are.
        usual = 150 * (1 << shift) / (np.sqrt(columns) * value * most)
        drawn = rng.uniform(0.2, 2, rows) * usual
        if scale_kind == "power":
            return np.clip(np.floor(np.log2(drawn + 1)), 0, 15).astype(np.int32)
        signs = rng.choice([-1, 1], rows)
        return (signs * np.clip(np.floor(drawn), 1, 2047)).astype(np.int32)

    cells = hidden if norm else 0
    return LSTMLayer(
        inputs=inputs,
        hidden=hidden,
        kind=kind,  # type: ignore[arg-type]
        weight_x=_weights(rng, kind, rows, inputs),
        weight_h=_weights(rng, kind, rows, hidden),
        scale_kind=scale_kind,  # type: ignore[arg-type]
        scale_x=scales(1, 128) if one_hot else scales(inputs, 70),
        scale_h=scales(hidden, 40),
        shift=shift,
        bias=rng.integers(-300, 301, rows).astype(np.int32),
        threshold=threshold,
        cell_scale=rng.integers(-200, 201, cells).astype(np.int32),
        cell_bias=rng.integers(-300, 301, cells).astype(np.int32),
        cell_shift=rng.integers(0, 12).item() if norm else 0,
    )


def random_spec(
    seed: int, sizes: Sequence[int] = (5, 8, 3), *, kind: str = "ternary",
    head_kind: str | None = None, one_hot: bool = False, steps: int = 4, every_step: bool = False,
    scale_kind: str = "integer", norm: bool = False, threshold: int = 5, **options: Any,
) -> LSTMSpec:  # fmt: skip
    """An LSTM of inputs, cells of each layer, and classes; options are those of the Spec."""
    rng = np.random.default_rng(seed)
    layers = tuple(
        random_layer(
            rng, before, after, kind=kind, scale_kind=scale_kind, norm=norm, threshold=threshold,
            one_hot=one_hot and k == 0,
        )
        for k, (before, after) in enumerate(zip(sizes, sizes[1:-1], strict=False))
    )  # fmt: skip
    head_kind = head_kind or kind
    head = Head(
        inputs=sizes[-2],
        classes=sizes[-1],
        kind=head_kind,  # type: ignore[arg-type]
        weight=_weights(rng, head_kind, sizes[-1], sizes[-2]),
        bias=rng.integers(-500, 501, sizes[-1]).astype(np.int32),
        fraction=4,
    )
    values: dict[str, Any] = dict(lanes=8, elementwise=2) | options
    return LSTMSpec(
        layers=layers, head=head, one_hot=one_hot, steps=steps, every_step=every_step, **values
    )


def random_frames(spec: LSTMSpec, count: int, seed: int = 0) -> np.ndarray:
    """Frames of both modes and of all lengths, in which many inputs and states are zero."""
    rng = np.random.default_rng(seed)
    frames = spec.input_format.random(rng, count)
    if not spec.one_hot:
        first = spec.input_format.length(0)
        zero = rng.random((count, frames.shape[1] - first)) < rng.uniform(0, 1, (count, 1))
        inputs = frames[:, first:]
        inputs[zero & (inputs != PAD)] = 0
    return frames
