"""Random LSTMs for the tests."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gatesmith.models.frames import PAD
from gatesmith.models.lstm import Head, LSTMLayer, LSTMSpec
from gatesmith.models.lstm.layer import BIAS_MOST, KINDS, SCALE_MOST, SHIFT_MOST, WEIGHT_MOST

__all__ = ["random_frames", "random_layer", "random_spec", "specs"]


def _weights(rng: np.random.Generator, kind: str, *shape: int) -> np.ndarray:
    most = WEIGHT_MOST[kind]
    drawn = rng.choice([-1, 1], shape) if kind == "binary" else rng.integers(-most, most + 1, shape)
    return drawn.astype(np.int16)


def random_layer(
    rng: np.random.Generator, inputs: int, hidden: int, *, kind: str = "ternary",
    scale_kind: str = "integer", norm: bool = False, threshold: int = 5, one_hot: bool = False,
    shift: int = 12, wide: bool = False, scale_most: int = 2047,
) -> LSTMLayer:  # fmt: skip
    """A layer whose gates go up and down, and into saturation now and then.

    ``wide`` draws biases and normalisation from all that is legal: most gates are then saturated,
    as they are where the shift is too small or too large for the scales.
    """
    rows, most = 4 * hidden, WEIGHT_MOST[kind]
    biases = BIAS_MOST if wide else 300

    def scales(columns: int, value: int) -> np.ndarray:
        # Pre-activations of a few hundred steps from sums as large as they usually are.
        usual = 150 * (1 << shift) / (np.sqrt(columns) * value * most)
        drawn = rng.uniform(0.2, 2, rows) * usual
        if scale_kind == "power":
            return np.clip(np.floor(np.log2(drawn + 1)), 0, 15).astype(np.int32)
        signs = rng.choice([-1, 1], rows)
        return (signs * np.clip(np.floor(drawn), 1, scale_most)).astype(np.int32)

    cells, cell_most = hidden if norm else 0, SCALE_MOST if wide else 200
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
        bias=rng.integers(-biases, biases + 1, rows).astype(np.int32),
        threshold=threshold,
        cell_scale=rng.integers(-cell_most, cell_most + 1, cells).astype(np.int32),
        cell_bias=rng.integers(-biases, biases + 1, cells).astype(np.int32),
        cell_shift=rng.integers(0, SHIFT_MOST + 1 if wide else 12).item() if norm else 0,
    )


def _apiece(value: Any, count: int) -> list[Any]:
    """A value for each layer, of one for all or of one apiece."""
    return [value] * count if isinstance(value, int | str) else list(value)


def random_spec(
    seed: int, sizes: Sequence[int] = (5, 8, 3), *, kind: str | Sequence[str] = "ternary",
    head_kind: str | None = None, one_hot: bool = False, steps: int = 4, every_step: bool = False,
    scale_kind: str = "integer", norm: bool | Sequence[bool] = False,
    threshold: int | Sequence[int] = 5, shift: int | Sequence[int] = 12,
    wide: bool | Sequence[bool] = False, **options: Any,
) -> LSTMSpec:  # fmt: skip
    """An LSTM of inputs, cells of each layer, and classes; options are those of the Spec.

    ``kind``, ``norm``, ``threshold``, ``shift`` and ``wide`` are of all layers or of each.
    """
    rng = np.random.default_rng(seed)
    values: dict[str, Any] = dict(lanes=8, elementwise=2, scale_bits=12) | options
    count = len(sizes) - 2
    kinds, norms, thresholds, shifts, wides = (
        _apiece(value, count) for value in (kind, norm, threshold, shift, wide)
    )
    layers = tuple(
        random_layer(
            rng, sizes[k], sizes[k + 1], kind=kinds[k], scale_kind=scale_kind, norm=norms[k],
            threshold=thresholds[k], one_hot=one_hot and k == 0, shift=shifts[k], wide=wides[k],
            scale_most=(1 << values["scale_bits"] - 1) - 1,
        )
        for k in range(count)
    )  # fmt: skip
    head_kind = head_kind or kinds[-1]
    head = Head(
        inputs=sizes[-2],
        classes=sizes[-1],
        kind=head_kind,  # type: ignore[arg-type]
        weight=_weights(rng, head_kind, sizes[-1], sizes[-2]),
        bias=rng.integers(-500, 501, sizes[-1]).astype(np.int32),
        fraction=4,
    )
    return LSTMSpec(
        layers=layers, head=head, one_hot=one_hot, steps=steps, every_step=every_step, **values
    )


@st.composite
def specs(draw: st.DrawFn, most: int = 4) -> LSTMSpec:
    """Small LSTMs of all sorts, whose layers differ in all that may differ between layers.

    ``most`` bounds what decides the time of a simulation: cells a clock, the clocks that they take
    for a layer, sequences, and lanes for each cell.
    """
    few = st.sampled_from([1, 1, 2, 3][: most + 1])
    elementwise = draw(few)
    hidden = draw(st.lists(st.integers(1, most), min_size=1, max_size=3))
    sizes = [draw(st.integers(1, 12)), *(elementwise * size for size in hidden)]

    def each(strategy: st.SearchStrategy) -> list[Any]:
        return [draw(strategy) for _ in hidden]

    kinds, head_kind = each(st.sampled_from(KINDS)), draw(st.sampled_from(KINDS))
    packings = ["plain", "5trits"] if "ternary" in (*kinds, head_kind) else ["plain"]
    return random_spec(
        draw(st.integers(0, 2**32 - 1)),
        [*sizes, draw(st.integers(1, 9))],
        kind=kinds,
        head_kind=head_kind,
        one_hot=draw(st.booleans()),
        steps=draw(st.integers(1, 6)),
        every_step=draw(st.booleans()),
        scale_kind=draw(st.sampled_from(["integer", "power"])),
        norm=each(st.booleans()),
        threshold=each(st.sampled_from([0, 1, 20, 60, 127])),
        # Sums of a few small weights are a few hundred: with a shift near 12 the gates move most.
        shift=each(st.one_of(st.integers(8, 14), st.integers(0, SHIFT_MOST))),
        wide=each(st.booleans()),
        outputs=draw(st.sampled_from(["scores", "argmax"])),
        state=draw(st.booleans()),
        batch=draw(few),
        lanes=4 * elementwise * draw(few),
        elementwise=elementwise,
        packing=draw(st.sampled_from(packings)),
        memory=draw(st.sampled_from(["rom", "sram", "stream"])),
        offset_bits=draw(st.integers(1, 4)),
        scale_bits=draw(st.sampled_from([12, 12, 4, 16])),
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
