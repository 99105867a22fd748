"""Random Specs, small and medium, to calibrate estimates on."""

from collections.abc import Iterator

import numpy as np

from gatesmith.models.lstm.layer import GATES, KINDS, SCALE_KINDS, WEIGHT_MOST, Head, LSTMLayer
from gatesmith.models.lstm.spec import MEMORIES, LSTMSpec

__all__ = ["examples"]

SHIFT = 12


def examples(count: int, seed: int) -> Iterator[LSTMSpec]:
    """``count`` Specs, the memories and the kinds of weights in turn, the rest at random."""
    rng = np.random.default_rng(seed)
    turns = [(memory, kind) for kind in KINDS for memory in MEMORIES]
    for number in range(count):
        memory, kind = turns[number % len(turns)]
        elementwise = int(rng.choice([1, 1, 1, 2, 4]))
        lanes = GATES * elementwise * int(rng.choice([1, 2, 4]))
        sizes = [elementwise * int(rng.integers(4, 25)) for _ in range(rng.choice([1, 1, 2]))]
        inputs, classes = int(rng.integers(2, 33)), int(rng.integers(2, 33))
        scale_kind = str(rng.choice(SCALE_KINDS))
        one_hot, every_step = bool(rng.integers(2)), bool(rng.integers(2))
        norm = bool(rng.integers(4) == 0)
        layers = tuple(
            _layer(rng, before, after, kind, scale_kind, norm)
            for before, after in zip([inputs, *sizes], sizes, strict=False)
        )
        head_kind = str(rng.choice([kind, "int8"]))
        ternary = "ternary" in (kind, head_kind)
        yield LSTMSpec(
            layers=layers,
            head=_head(rng, sizes[-1], classes, head_kind),
            one_hot=one_hot,
            steps=int(rng.integers(2, 17)),
            every_step=every_step,
            outputs="argmax" if rng.integers(4) == 0 else "scores",
            state=bool(rng.integers(4) == 0),
            batch=int(rng.choice([1, 1, 1, 2])),
            lanes=lanes,
            elementwise=elementwise,
            packing="5trits" if ternary and rng.integers(3) == 0 else "plain",
            memory=memory,  # type: ignore[arg-type]
            offset_bits=int(rng.integers(2, 7)),
            scale_bits=int(rng.choice([8, 12])),
            name=f"example{number}",
        )


def _weights(rng: np.random.Generator, kind: str, *shape: int) -> np.ndarray:
    most = WEIGHT_MOST[kind]
    if kind == "binary":
        return rng.choice([-1, 1], shape)
    return rng.integers(-most, most, shape, endpoint=True)


def _layer(
    rng: np.random.Generator, inputs: int, hidden: int, kind: str, scale_kind: str, norm: bool
) -> LSTMLayer:
    """A layer with random weights and constants."""
    rows, cells = GATES * hidden, hidden if norm else 0
    low, high = (0, 11) if scale_kind == "power" else (-120, 120)
    return LSTMLayer(
        inputs=inputs,
        hidden=hidden,
        kind=kind,  # type: ignore[arg-type]
        weight_x=_weights(rng, kind, rows, inputs),
        weight_h=_weights(rng, kind, rows, hidden),
        scale_kind=scale_kind,  # type: ignore[arg-type]
        scale_x=rng.integers(low, high, rows, endpoint=True),
        scale_h=rng.integers(low, high, rows, endpoint=True),
        shift=SHIFT,
        bias=rng.integers(-200, 200, rows, endpoint=True),
        threshold=int(rng.integers(0, 40)),
        cell_scale=rng.integers(-200, 200, cells, endpoint=True),
        cell_bias=rng.integers(-200, 200, cells, endpoint=True),
        cell_shift=6 if norm else 0,
    )


def _head(rng: np.random.Generator, inputs: int, classes: int, kind: str) -> Head:
    return Head(
        inputs=inputs,
        classes=classes,
        kind=kind,  # type: ignore[arg-type]
        weight=_weights(rng, kind, classes, inputs),
        bias=rng.integers(-500, 500, classes, endpoint=True),
        fraction=4,
    )
